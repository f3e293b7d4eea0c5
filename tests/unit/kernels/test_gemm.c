/* Products in all four layouts, with gaps between rows, beside sums in double. */
#include "engine/pool.h"
#include "kernels/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { GAP = 3 };

static const float untouched = -77;
static const struct eng_activation none = {.kind = ENG_ACT_NONE};

/* What one product reads and writes, allocated to the last float. */
struct matrices {
    struct eng_gemm gemm;
    float *a, *b, *c, *before;
    size_t n_c;
};

static float *filled(size_t rows, size_t step, size_t width, unsigned salt, size_t *n_out)
{
    size_t n = (rows - 1) * step + width; /* the last row has no gap */
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)((i * 37 + salt * 11) % 29) / 29 - 0.5f;
    if (n_out) *n_out = n;
    return x;
}

static struct matrices make(bool trans_a, bool trans_b, bool accumulate, size_t m, size_t n,
                            size_t k)
{
    size_t a_width = trans_a ? m : k, b_width = trans_b ? k : n;
    struct matrices x = {.gemm = {.trans_a = trans_a,
                                  .trans_b = trans_b,
                                  .accumulate = accumulate,
                                  .m = m,
                                  .n = n,
                                  .k = k,
                                  .lda = a_width + GAP,
                                  .ldb = b_width + GAP,
                                  .ldc = n + GAP}};
    x.gemm.a = x.a = filled(trans_a ? k : m, x.gemm.lda, a_width, 1, NULL);
    x.gemm.b = x.b = filled(trans_b ? n : k, x.gemm.ldb, b_width, 2, NULL);
    x.gemm.c = x.c = filled(m, x.gemm.ldc, n, 3, &x.n_c);
    for (size_t i = 0; i < x.n_c; i++)
        if (i % x.gemm.ldc >= n) x.c[i] = untouched;
    x.before = malloc(x.n_c * sizeof *x.before);
    assert_non_null(x.before);
    memcpy(x.before, x.c, x.n_c * sizeof *x.c);
    return x;
}

static void drop(struct matrices *x)
{
    free(x->a);
    free(x->b);
    free(x->c);
    free(x->before);
}

static double expected(const struct matrices *x, size_t i, size_t j)
{
    const struct eng_gemm *g = &x->gemm;
    double sum = g->accumulate ? x->before[i * g->ldc + j] : 0;
    for (size_t k = 0; k < g->k; k++)
        sum += (double)g->a[g->trans_a ? k * g->lda + i : i * g->lda + k] *
               g->b[g->trans_b ? j * g->ldb + k : k * g->ldb + j];
    return sum;
}

static void check(bool trans_a, bool trans_b, bool accumulate, size_t m, size_t n, size_t k)
{
    struct matrices x = make(trans_a, trans_b, accumulate, m, n, k);
    eng_gemm_run(&x.gemm, NULL, none, NULL);
    for (size_t at = 0; at < x.n_c; at++) {
        size_t i = at / x.gemm.ldc, j = at % x.gemm.ldc;
        double wanted = j < n ? expected(&x, i, j) : untouched;
        if (!(fabs(x.c[at] - wanted) <= 1e-5 * (double)(k + 1)))
            fail_msg("%d %d %d, %zu x %zu x %zu: c[%zu, %zu] is %g; wanted %g", trans_a, trans_b,
                     accumulate, m, n, k, i, j, (double)x.c[at], wanted);
    }
    drop(&x);
}

static void agrees_with_double(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1},    {3, 5, 7},     {8, 48, 128}, {17, 49, 129},
                                      {65, 10, 64}, {130, 97, 33}, {64, 512, 5}, {1, 300, 260}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int bits = 0; bits < 8; bits++)
            check(bits & 1, bits & 2, bits & 4, sizes[s][0], sizes[s][1], sizes[s][2]);
}

/* A row has the same bits alone, among others, and whatever threads there are. */
static void rows_stand_alone(void **state)
{
    (void)state;
    enum { M = 70, N = 500, K = 300 };
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    for (int bits = 0; bits < 4; bits++) {
        struct matrices x = make(bits & 1, bits & 2, false, M, N, K);
        eng_gemm_run(&x.gemm, NULL, none, pool);
        for (size_t i = 0; i < M; i++) {
            float row[N];
            struct eng_gemm one = x.gemm;
            one.m = 1;
            one.a += i * (one.trans_a ? 1 : one.lda);
            one.c = row;
            eng_gemm_run(&one, NULL, none, NULL);
            assert_memory_equal(row, x.c + i * x.gemm.ldc, sizeof row);
        }
        drop(&x);
    }
    eng_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_double),
        cmocka_unit_test(rows_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
