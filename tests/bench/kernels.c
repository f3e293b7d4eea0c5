/*
 * How fast the kernels are, beside OpenBLAS on the same core, in the same run.
 *
 *     build/release/tests/bench_kernels
 *
 * Prints microseconds, GFLOP/s and the ratio to OpenBLAS (above 1: ours is faster).
 */
#include "kernels/dispatch.h"
#include "kernels/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

typedef void work_fn(void *ctx);

/* The shortest of several means, in microseconds. */
static double measure(work_fn *work, void *ctx)
{
    double best = 1e30;
    for (int round = 0; round < 7; round++) {
        double start = now_us(), elapsed;
        int n = 0;
        do {
            work(ctx);
            n++;
            elapsed = now_us() - start;
        } while (elapsed < 10e3);
        if (elapsed / n < best) best = elapsed / n;
    }
    return best;
}

static float *filled(size_t n)
{
    float *x = malloc(n * sizeof *x + 64);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 13) * 0.1f - 0.6f;
    return x;
}

static void run_ours(void *ctx)
{
    eng_gemm_run(ctx, NULL, (struct eng_activation){0}, NULL);
}

static void run_blas(void *ctx)
{
    eng_gemm_blas(ctx);
}

static void bench_gemm(const char *what, bool trans_a, bool trans_b, size_t m, size_t n, size_t k)
{
    float *a = filled(m * k), *b = filled(n * k), *c = filled(m * n);
    struct eng_gemm gemm = {.trans_a = trans_a,
                            .trans_b = trans_b,
                            .m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .lda = trans_a ? m : k,
                            .b = b,
                            .ldb = trans_b ? k : n,
                            .c = c,
                            .ldc = n};
    double ours = measure(run_ours, &gemm), blas = measure(run_blas, &gemm);
    printf("%-28s %5zu x %5zu x %5zu  %9.2f us %6.1f GFLOP/s  OpenBLAS %9.2f us  ratio %.2f\n",
           what, m, n, k, ours, 2e-3 * (double)(m * n * k) / ours, blas, blas / ours);
    free(a);
    free(b);
    free(c);
}

int main(void)
{
    printf("kernels: %s\n", eng_kernels()->name);
    bench_gemm("dense 784-128, one", false, true, 1, 128, 784);
    bench_gemm("dense 784-128, 8", false, true, 8, 128, 784);
    bench_gemm("dense 784-128, 64", false, true, 64, 128, 784);
    bench_gemm("dense 784-128 (MatMul), one", false, false, 1, 128, 784);
    bench_gemm("dense 784-128 (MatMul), 64", false, false, 64, 128, 784);
    bench_gemm("dense 128-10, one", false, true, 1, 10, 128);
    bench_gemm("dense backward dx", false, false, 32, 784, 128);
    bench_gemm("dense backward dw", true, false, 128, 784, 32);
    bench_gemm("columns of 1-8 at 28", false, false, 8, 784, 9);
    bench_gemm("columns of 8-16 at 14", false, false, 16, 196, 72);
    bench_gemm("columns of 16-32 at 7", false, false, 32, 49, 144);
    bench_gemm("columns of 64-64 at 56", false, false, 64, 3136, 576);
    bench_gemm("columns of 256-256 at 14", false, false, 256, 196, 2304);
    bench_gemm("conv dw 16-32 at 7", false, true, 32, 144, 49);
    bench_gemm("conv dw 8-16 at 14", false, true, 16, 72, 196);
    bench_gemm("square", false, false, 512, 512, 512);
    bench_gemm("square transposed", false, true, 512, 512, 512);
    bench_gemm("large", false, false, 1024, 1024, 1024);
    return 0;
}
