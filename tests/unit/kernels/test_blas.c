/* OpenBLAS called from several threads at once gives what it gives alone. */
#include "kernels/gemm.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { SIZE = 48, N_THREADS = 4, N_ROUNDS = 200 };

static float a[SIZE * SIZE], b[SIZE * SIZE], alone[SIZE * SIZE];

static void multiply(float *c)
{
    eng_gemm_blas(&(struct eng_gemm){.m = SIZE,
                                     .n = SIZE,
                                     .k = SIZE,
                                     .a = a,
                                     .lda = SIZE,
                                     .b = b,
                                     .ldb = SIZE,
                                     .c = c,
                                     .ldc = SIZE});
}

static void *worker(void *arg)
{
    float *c = malloc(sizeof alone);
    for (int round = 0; c && round < N_ROUNDS; round++) {
        memset(c, 0, sizeof alone);
        multiply(c);
        if (memcmp(c, alone, sizeof alone) != 0) ++*(int *)arg;
    }
    if (!c) ++*(int *)arg;
    free(c);
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    pthread_t threads[N_THREADS];
    int n_wrong[N_THREADS] = {0};
    multiply(alone);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &n_wrong[i]), 0);
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(n_wrong[i], 0);
    }
}

int main(void)
{
    for (int i = 0; i < SIZE * SIZE; i++) {
        a[i] = (float)(i % 7) - 3;
        b[i] = (float)(i % 5) * 0.3f;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
