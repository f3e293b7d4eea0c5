/* OpenBLAS called from several threads at once gives what it gives alone. Every thread has numbers
 * of its own: with the same for all, packing into each other's buffers would not be noticed. */
#include "kernels/gemm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The product that was found wrong most often: A B' of a few rows. */
enum { M = 16, N = 36, K = 10, N_THREADS = 4, N_ROUNDS = 4000 };

struct product {
    float a[M * K], b[N * K], alone[M * N], c[M * N];
    int n_wrong;
};

static void multiply(const struct product *product, float *c)
{
    eng_gemm_blas(&(struct eng_gemm){.trans_b = true,
                                     .m = M,
                                     .n = N,
                                     .k = K,
                                     .a = product->a,
                                     .lda = K,
                                     .b = product->b,
                                     .ldb = K,
                                     .c = c,
                                     .ldc = N});
}

static void *worker(void *arg)
{
    struct product *product = arg;
    for (int round = 0; round < N_ROUNDS; round++) {
        multiply(product, product->c);
        product->n_wrong += memcmp(product->c, product->alone, sizeof product->c) != 0;
    }
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    static struct product products[N_THREADS];
    pthread_t threads[N_THREADS];
    for (int t = 0; t < N_THREADS; t++) {
        for (int i = 0; i < M * K; i++)
            products[t].a[i] = (float)((i + t) % 7) - 3;
        for (int i = 0; i < N * K; i++)
            products[t].b[i] = (float)(i % (5 + t)) * 0.3f;
        multiply(&products[t], products[t].alone);
    }
    for (int t = 0; t < N_THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, worker, &products[t]), 0);
    for (int t = 0; t < N_THREADS; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    for (int t = 0; t < N_THREADS; t++)
        assert_int_equal(products[t].n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
