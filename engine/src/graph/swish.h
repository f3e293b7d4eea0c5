/*
 * Activations that exporters write out become one node again, and go into the node before it:
 *
 *     x * Sigmoid(x)                                                          Swish(x)
 *     x * HardSigmoid(x) of slope 1/6 through 1/2                             HardSwish(x)
 *     x * (Clip(x + 3, 0, 6) / 6), (x * Clip(x + 3, 0, 6)) / 6, or * (1/6)    HardSwish(x)
 *
 * Factors may stand in either order. What lies between x and the answer has no other reader.
 */
#ifndef ENG_GRAPH_SWISH_H
#define ENG_GRAPH_SWISH_H

#include "graph/rewrite.h"

/* Purpose: the above, for values of type float. Errors: NO_MEMORY. */
enum eng_status eng_swish(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
