/*
 * LayerNormalization where a file spells it out, as files before opset 17 have to.
 *
 *     before   d = x - ReduceMean(x); d / Sqrt(ReduceMean(Pow(d, 2)) + epsilon), then, as far as
 *              nothing else reads what lies between: Mul with a constant, Add of a constant
 *     after    LayerNormalization(x, scale, bias)
 *
 * Both means run over the last axes, from the same one on.
 */
#ifndef ENG_GRAPH_LAYER_NORM_H
#define ENG_GRAPH_LAYER_NORM_H

#include "graph/rewrite.h"

/* Purpose: the above. Errors: NO_MEMORY. */
enum eng_status eng_find_layer_norm(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
