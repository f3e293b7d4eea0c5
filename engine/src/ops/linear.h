/*
 * A product with constant weights. No file can name it: a pass puts it in the place of Gemm and
 * MatMul (graph/packed_products.h), for inference alone.
 */
#ifndef ENG_OPS_LINEAR_H
#define ENG_OPS_LINEAR_H

#include "ops/op.h"

/* X [.., depth], weights packed (kernels/linear.h), bias (filled up) or left out, what is added or
 * left out; Y [.., columns]. Applies activations. */
extern const struct eng_op eng_op_linear;

struct eng_linear_attrs {
    int64_t depth, n_columns;
    bool is_dots, is_bf16; /* the order of the packed weights */
};

#endif
