/* Dense matrix products. The one home of cblas.h. */
#ifndef ENG_KERNELS_GEMM_H
#define ENG_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* C [m, n] = alpha A' B' + beta C; A' is A [m, k], or its transpose when A is stored [k, m]; B' is
 * B [k, n], or its transpose when B is stored [n, k]. Row-major; a leading dimension is the number
 * of floats from one stored row to the next. beta 0 does not read C. */
struct eng_gemm {
    bool trans_a, trans_b;
    size_t m, n, k;
    float alpha, beta;
    const float *a, *b;
    float *c;
    size_t lda, ldb, ldc;
};

/*
 * Purpose: the product by OpenBLAS, on the calling thread.
 * Shapes: every size at most INT_MAX. Sizes of 0 are fine.
 * Threads: any number at once.
 */
void eng_gemm_blas(const struct eng_gemm *gemm);

#endif
