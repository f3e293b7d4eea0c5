#include "kernels/gemm_typed.h"

#include <string.h>

/* Rows of b scaled and added, then alpha and the bias. Signed integers share the unsigned ones'
 * bits; FACTOR brings a whole number into them. */
#define DEFINE_GEMM(NAME, TYPE, FACTOR)                                                            \
    static void NAME(const struct eng_gemm_typed *g)                                               \
    {                                                                                              \
        const TYPE *a = g->a, *b = g->b, *bias = g->bias;                                          \
        TYPE *y = g->y, alpha = (TYPE)(FACTOR)g->alpha, beta = (TYPE)(FACTOR)g->beta;              \
        memset(y, 0, g->m * g->n * sizeof *y);                                                     \
        for (size_t i = 0; i < g->m; i++, y += g->n) {                                             \
            for (size_t x = 0; x < g->k; x++)                                                      \
                for (size_t j = 0; j < g->n; j++)                                                  \
                    y[j] += a[i * g->a_row + x * g->a_column] * b[x * g->b_row + j * g->b_column]; \
            for (size_t j = 0; j < g->n; j++) {                                                    \
                y[j] *= alpha;                                                                     \
                if (bias) y[j] += beta * bias[i * g->bias_row + j * g->bias_column];               \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_GEMM(gemm_double, double, double)
DEFINE_GEMM(gemm_32, uint32_t, int64_t)
DEFINE_GEMM(gemm_64, uint64_t, int64_t)

bool eng_gemm_typed_takes(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT64 || dtype == ENG_INT32 || dtype == ENG_UINT32 ||
           dtype == ENG_INT64 || dtype == ENG_UINT64;
}

void eng_gemm_typed_run(const struct eng_gemm_typed *gemm, enum eng_dtype dtype)
{
    if (dtype == ENG_FLOAT64)
        gemm_double(gemm);
    else if (eng_dtype_bytes(dtype) == 4)
        gemm_32(gemm);
    else
        gemm_64(gemm);
}
