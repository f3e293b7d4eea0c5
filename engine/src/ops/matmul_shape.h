/* How MatMul and its quantised kin pair the matrices of two tensors. */
#ifndef ENG_OPS_MATMUL_SHAPE_H
#define ENG_OPS_MATMUL_SHAPE_H

#include "engine/status.h"
#include "engine/tensor.h"
#include "kernels/matmul.h"

/*
 * Purpose: what a product of A and B looks like, as numpy.matmul: the last two dimensions are
 *          multiplied, those before broadcast; A of rank 1 is a row, B of rank 1 a column, and the
 *          dimension that this adds is dropped from Y.
 * Errors: FORMAT naming both shapes; LIMIT if a dimension or A's elements exceed INT_MAX.
 */
enum eng_status eng_matmul_resolve(const struct eng_shape *a, const struct eng_shape *b,
                                   struct eng_matmul *out, struct eng_shape *y,
                                   struct eng_error *err);

/* Purpose: multiply-adds x 2. */
double eng_matmul_flops(const struct eng_matmul *matmul);

#endif
