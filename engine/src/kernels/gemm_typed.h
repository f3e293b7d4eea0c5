/* Products of two matrices of doubles and integers, by plain loops. */
#ifndef ENG_KERNELS_GEMM_TYPED_H
#define ENG_KERNELS_GEMM_TYPED_H

#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* y [m, n] = alpha a b + beta bias. Element (i, j) of a matrix lies at i row + j column. */
struct eng_gemm_typed {
    size_t m, n, k;
    const void *a, *b, *bias; /* bias: NULL if there is none */
    size_t a_row, a_column, b_row, b_column;
    size_t bias_row, bias_column; /* 0: the same for all */
    double alpha, beta;           /* of integers: whole numbers within int64 */
    void *y;
};

/* Purpose: whether eng_gemm_typed_run takes a type: double and integers of 32 and 64 bits. */
bool eng_gemm_typed_takes(enum eng_dtype dtype);

/* Purpose: the product; integers wrap around. Row i of y depends on row i of a alone. */
void eng_gemm_typed_run(const struct eng_gemm_typed *gemm, enum eng_dtype dtype);

#endif
