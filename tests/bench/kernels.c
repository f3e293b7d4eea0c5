/*
 * How fast the kernels are, beside OpenBLAS on the same core, in the same run.
 *
 *     cmake --build build/release --target bench_kernels && build/release/tests/bench_kernels
 *
 * Needs libopenblas-serial-dev where it is built. Prints microseconds, GFLOP/s and the ratio to
 * OpenBLAS (above 1: ours is faster).
 */
#include "kernels/conv.h"
#include "kernels/dispatch.h"
#include "kernels/gemm.h"
#include "kernels/im2col.h"
#include "kernels/pooling.h"

#include <cblas.h>
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
            for (int i = 0; i < 8; i++, n++) /* reading the clock takes a while */
                work(ctx);
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

static void multiply_by_blas(const struct eng_gemm *g)
{
    cblas_sgemm(CblasRowMajor, g->trans_a ? CblasTrans : CblasNoTrans,
                g->trans_b ? CblasTrans : CblasNoTrans, (int)g->m, (int)g->n, (int)g->k, 1, g->a,
                (int)g->lda, g->b, (int)g->ldb, g->accumulate ? 1 : 0, g->c, (int)g->ldc);
}

static void run_ours(void *ctx)
{
    eng_gemm_run(ctx, NULL, (struct eng_activation){0}, NULL);
}

static void run_blas(void *ctx)
{
    multiply_by_blas(ctx);
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

/* One convolution, square and padded to keep its size, and the memory that it runs in. */
struct conv_bench {
    struct eng_conv conv;
    float *x, *w, *bias, *y, *dx, *dw, *columns;
    void *scratch;
};

static void conv_ours(void *ctx)
{
    const struct conv_bench *b = ctx;
    eng_conv_forward(&b->conv, b->x, b->w, b->bias, (struct eng_activation){.kind = ENG_ACT_RELU},
                     b->y, b->scratch, NULL);
}

static void conv_backward_ours(void *ctx)
{
    const struct conv_bench *b = ctx;
    eng_conv_backward(
        &b->conv,
        &(struct eng_conv_gradients){
            .x = b->x, .w = b->w, .dy = b->y, .dx = b->dx, .dw = b->dw, .dbias = b->bias},
        b->scratch);
}

static size_t n_pixels(const struct conv_bench *b)
{
    return eng_window_volume(b->conv.window.out);
}

static size_t n_taps(const struct conv_bench *b)
{
    return eng_window_volume(b->conv.window.kernel);
}

/* What one does without kernels of one's own: im2col, OpenBLAS, then bias and ReLU in a loop. */
static void conv_blas(void *ctx)
{
    const struct conv_bench *b = ctx;
    size_t k = b->conv.in_channels * n_taps(b), n = n_pixels(b), m = b->conv.out_channels;
    for (size_t image = 0; image < b->conv.n_images; image++) {
        float *y = b->y + image * m * n;
        for (size_t c = 0; c < b->conv.in_channels; c++)
            eng_im2col(&b->conv.window, b->x + (image * b->conv.in_channels + c) * n,
                       b->columns + c * n_taps(b) * n);
        multiply_by_blas(&(struct eng_gemm){.m = m,
                                            .n = n,
                                            .k = k,
                                            .a = b->w,
                                            .lda = k,
                                            .b = b->columns,
                                            .ldb = n,
                                            .c = y,
                                            .ldc = n});
        for (size_t i = 0; i < m * n; i++) {
            float v = y[i] + b->bias[i / n];
            y[i] = v > 0 ? v : 0;
        }
    }
}

static void conv_backward_blas(void *ctx)
{
    const struct conv_bench *b = ctx;
    size_t k = b->conv.in_channels * n_taps(b), n = n_pixels(b), m = b->conv.out_channels;
    for (size_t image = 0; image < b->conv.n_images; image++) {
        const float *dy = b->y + image * m * n;
        for (size_t c = 0; c < b->conv.in_channels; c++)
            eng_im2col(&b->conv.window, b->x + (image * b->conv.in_channels + c) * n,
                       b->columns + c * n_taps(b) * n);
        multiply_by_blas(&(struct eng_gemm){.trans_b = true,
                                            .accumulate = true,
                                            .m = m,
                                            .n = k,
                                            .k = n,
                                            .a = dy,
                                            .lda = n,
                                            .b = b->columns,
                                            .ldb = n,
                                            .c = b->dw,
                                            .ldc = k});
        multiply_by_blas(&(struct eng_gemm){.trans_a = true,
                                            .m = k,
                                            .n = n,
                                            .k = m,
                                            .a = b->w,
                                            .lda = k,
                                            .b = dy,
                                            .ldb = n,
                                            .c = b->columns,
                                            .ldc = n});
        for (size_t c = 0; c < b->conv.in_channels; c++)
            eng_col2im(&b->conv.window, b->columns + c * n_taps(b) * n,
                       b->dx + (image * b->conv.in_channels + c) * n);
        for (size_t i = 0; i < m * n; i++)
            b->bias[i / n] += dy[i];
    }
}

static void print_conv(const char *what, const struct conv_bench *b, double flops, double ours,
                       double blas)
{
    printf("%-9s %4zu -> %4zu, kernel %lld, %3lld x %3lld, batch %3zu  %9.2f us %6.1f GFLOP/s  "
           "OpenBLAS %9.2f us  ratio %.2f\n",
           what, b->conv.in_channels, b->conv.out_channels, (long long)b->conv.window.kernel[2],
           (long long)b->conv.window.out[1], (long long)b->conv.window.out[2], b->conv.n_images,
           ours, flops / ours * 1e-3, blas, blas / ours);
}

static void bench_conv(size_t n_images, size_t in, size_t out, int64_t kernel, int64_t size)
{
    int64_t pad = kernel / 2;
    struct conv_bench b = {.conv = {.window = {.in = {1, size, size},
                                               .out = {1, size, size},
                                               .kernel = {1, kernel, kernel},
                                               .stride = {1, 1, 1},
                                               .dilation = {1, 1, 1},
                                               .pad_begin = {0, pad, pad},
                                               .pad_end = {0, pad, pad}},
                                    .n_images = n_images,
                                    .groups = 1,
                                    .in_channels = in,
                                    .out_channels = out,
                                    .training = true}};
    size_t scratch_bytes, n = n_pixels(&b), weights = out * in * n_taps(&b);
    if (!eng_conv_scratch_bytes(&b.conv, &scratch_bytes)) exit(1);
    b.x = filled(n_images * in * n);
    b.dx = filled(n_images * in * n);
    b.y = filled(n_images * out * n);
    b.w = filled(weights);
    b.dw = filled(weights);
    b.bias = filled(out);
    b.columns = filled(in * n_taps(&b) * n);
    b.scratch = aligned_alloc(64, (scratch_bytes + 64) / 64 * 64);
    if (!b.scratch) exit(1);
    double flops = 2.0 * (double)(n_images * n * weights);
    print_conv("forward", &b, flops, measure(conv_ours, &b), measure(conv_blas, &b));
    print_conv("backward", &b, 2 * flops, measure(conv_backward_ours, &b),
               measure(conv_backward_blas, &b));
    float *const all[] = {b.x, b.dx, b.y, b.w, b.dw, b.bias, b.columns};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    free(b.scratch);
}

struct pool_bench {
    struct eng_window window;
    size_t n_planes;
    float *x, *y;
    int32_t *argmax;
};

static void pool_ours(void *ctx)
{
    const struct pool_bench *b = ctx;
    eng_max_pool_forward(&b->window, b->n_planes, ENG_FLOAT32, b->x, b->y, b->argmax, NULL);
}

static void bench_pool(size_t n_planes, int64_t kernel, int64_t stride, int64_t size, bool training)
{
    struct pool_bench b = {.window = {.in = {1, size, size},
                                      .kernel = {1, kernel, kernel},
                                      .stride = {1, stride, stride},
                                      .dilation = {1, 1, 1}},
                           .n_planes = n_planes};
    int64_t out = (size - kernel) / stride + 1;
    b.window.out[0] = 1;
    b.window.out[1] = b.window.out[2] = out;
    b.x = filled(n_planes * (size_t)(size * size));
    b.y = filled(n_planes * (size_t)(out * out));
    b.argmax = training ? calloc(n_planes * (size_t)(out * out), sizeof *b.argmax) : NULL;
    double us = measure(pool_ours, &b);
    printf("max pool %lldx%lld by %lld%s, %zu x %lld x %lld  %9.2f us\n", (long long)kernel,
           (long long)kernel, (long long)stride, training ? " with argmax" : "", n_planes,
           (long long)size, (long long)size, us);
    free(b.x);
    free(b.y);
    free(b.argmax);
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
    bench_gemm("dense 784-512 (MatMul), 64", false, false, 64, 512, 784);
    bench_gemm("dense backward dx", false, true, 64, 512, 512);
    bench_gemm("dense backward dw", true, false, 784, 512, 64);
    bench_gemm("dense backward dw, few", true, false, 512, 10, 64);
    bench_gemm("both transposed", true, true, 256, 256, 256);
    bench_gemm("square", false, false, 512, 512, 512);
    bench_gemm("square transposed", false, true, 512, 512, 512);
    bench_gemm("large", false, false, 1024, 1024, 1024);
    bench_conv(1, 1, 8, 3, 28);
    bench_conv(1, 8, 16, 3, 14);
    bench_conv(1, 16, 32, 3, 7);
    bench_conv(32, 1, 8, 3, 28);
    bench_conv(32, 8, 16, 3, 14);
    bench_conv(32, 16, 32, 3, 7);
    bench_conv(32, 16, 16, 3, 28);
    bench_conv(1, 6, 16, 5, 10);
    bench_conv(1, 64, 64, 3, 56);
    bench_conv(1, 64, 256, 1, 56);
    bench_conv(1, 256, 256, 3, 14);
    bench_pool(8, 2, 2, 28, false);
    bench_pool(8, 2, 2, 28, true);
    bench_pool(8, 3, 2, 28, false);
    return 0;
}
