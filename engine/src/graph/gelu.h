/*
 * Gelu where a file spells it out, as files before opset 20 have to.
 *
 *     before   x / 2 (1 + erf(x / sqrt 2)), or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for erf:
 *              Mul, Div, Add, Sub, Pow and Erf or Tanh, whatever their order, between which nothing
 *              else reads
 *     after    Gelu(x), which then goes into the epilogue of the node that makes x
 */
#ifndef ENG_GRAPH_GELU_H
#define ENG_GRAPH_GELU_H

#include "graph/rewrite.h"

/* Purpose: the above. Errors: NO_MEMORY. */
enum eng_status eng_find_gelu(struct eng_rewrite *rewrite, struct eng_error *err);

#endif
