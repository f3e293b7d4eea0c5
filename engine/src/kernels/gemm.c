#include "kernels/gemm.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>

/* Threads are the pool's business: OpenBLAS must not start its own. */
static void use_one_thread(void)
{
    openblas_set_num_threads(1);
}

/* What BLAS leaves to the caller: k = 0 only scales C. */
static void scale(const struct eng_gemm *g)
{
    for (size_t i = 0; i < g->m; i++)
        for (size_t j = 0; j < g->n; j++)
            g->c[i * g->ldc + j] = g->beta == 0 ? 0 : g->beta * g->c[i * g->ldc + j];
}

void eng_gemm_blas(const struct eng_gemm *g)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, use_one_thread);
    assert(g->m <= INT_MAX && g->n <= INT_MAX && g->k <= INT_MAX);
    assert(g->lda <= INT_MAX && g->ldb <= INT_MAX && g->ldc <= INT_MAX);
    if (g->m == 0 || g->n == 0) return;
    if (g->k == 0) {
        scale(g);
        return;
    }
    cblas_sgemm(CblasRowMajor, g->trans_a ? CblasTrans : CblasNoTrans,
                g->trans_b ? CblasTrans : CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, g->alpha,
                g->a, (int)g->lda, g->b, (int)g->ldb, g->beta, g->c, (int)g->ldc);
}
