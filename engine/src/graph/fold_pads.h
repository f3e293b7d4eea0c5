/*
 * Zeros that exporters put around a picture by a node of its own go into the window that reads it.
 *
 *     before   AveragePool(Pad(x, 1), kernel 3)     Conv(Pad(x, 1), w)     Relu(Pad(x, 0))
 *     after    AveragePool(x, kernel 3, pads 1,     Conv(x, w, pads 1)     Relu(x)
 *                          count_include_pad)
 */
#ifndef ENG_GRAPH_FOLD_PADS_H
#define ENG_GRAPH_FOLD_PADS_H

#include "graph/rewrite.h"

/* Purpose: the above, for pictures of floats [N, C, height, width]. Errors: NO_MEMORY. */
enum eng_status eng_fold_pads(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
