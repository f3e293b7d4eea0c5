/* Dense matrix products. */
#ifndef ENG_KERNELS_GEMM_H
#define ENG_KERNELS_GEMM_H

#include "engine/pool.h"
#include "kernels/activation.h"

#include <stdbool.h>
#include <stddef.h>

/* C [m, n] = A' B', or C + A' B' if accumulate; A' is A [m, k], or its transpose when A is stored
 * [k, m]; B' is B [k, n], or its transpose when B is stored [n, k]. Row-major; a leading dimension
 * is the number of floats from one stored row to the next. */
struct eng_gemm {
    bool trans_a, trans_b, accumulate;
    size_t m, n, k;
    const float *a, *b;
    float *c;
    size_t lda, ldb, ldc;
};

/* Purpose: how eng_gemm_run computes it: "product", "dot products". Static. */
const char *eng_gemm_algorithm(const struct eng_gemm *gemm);

/*
 * Purpose: C = activation(A' B' + column_bias) by our own kernels; column_bias [n] may be NULL.
 * Determinism: row i of C depends on row i of A' alone, to the last bit, whatever m and the pool.
 * Threads: any; spreads large products over pool.
 */
void eng_gemm_run(const struct eng_gemm *gemm, const float *column_bias,
                  struct eng_activation activation, struct eng_pool *pool);

#endif
