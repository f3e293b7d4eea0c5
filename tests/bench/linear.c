/*
 * Products with weights packed once, shape by shape, one thread, beside OpenBLAS' sgemm, which gets
 * the same weights as they are, and their transpose.
 *
 *     cmake --build build/release --target bench_linear && build/release/tests/bench_linear
 *
 * Needs libopenblas-serial-dev where it is built. Rounds in turns, the shortest mean of each.
 */
#include "kernels/dispatch.h"
#include "kernels/linear.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct shape {
    const char *net;
    size_t rows, depth, columns;
};

static const struct shape shapes[] = {
    {"mnist-mlp", 1, 784, 128},   {"mnist-mlp", 8, 784, 128},
    {"mnist-mlp", 64, 784, 128},  {"mnist-mlp", 1, 128, 10},
    {"mnist-mlp", 64, 128, 10},   {"cifar10-svm", 1, 3072, 10},
    {"cifar10-svm", 8, 3072, 10}, {"cifar10-svm", 64, 3072, 10},
    {"head", 1, 512, 1000},       {"head", 1, 1280, 1000},
    {"head", 1, 2048, 1000},      {"head", 2, 1280, 1000},
    {"head", 4, 1280, 1000},      {"head", 8, 1280, 1000},
    {"head", 16, 1280, 1000},     {"vgg11", 1, 25088, 4096},
    {"vit", 197, 768, 768},       {"vit", 197, 768, 2304},
    {"vit", 197, 768, 3072},      {"vit", 197, 3072, 768},
    {"vit_b_32", 50, 768, 3072},  {"vit_b_32", 50, 3072, 768},
    {"convnext", 3136, 96, 384},  {"convnext", 3136, 384, 96},
    {"convnext", 784, 192, 768},  {"convnext", 784, 768, 192},
    {"convnext", 196, 384, 1536}, {"convnext", 196, 1536, 384},
    {"convnext", 49, 768, 3072},  {"convnext", 49, 3072, 768},
    {"odd", 1, 128, 10},          {"odd", 1, 64, 16},
    {"odd", 1, 256, 24},          {"odd", 64, 64, 16},
    {"odd", 64, 256, 10},         {"odd", 64, 256, 24},
    {"odd", 1, 784, 32},          {"odd", 64, 784, 32},
    {"odd", 7, 100, 37},          {"odd", 33, 65, 17},
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static float *filled(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 127) / 64 * 64);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 13) * 0.1f - 0.6f;
    return x;
}

struct bench {
    struct eng_linear linear;
    float *x, *w, *packed, *bias, *y;
};

static void run_ours(const struct bench *b)
{
    struct eng_linear_call call = {.x = b->x,
                                   .packed = b->packed,
                                   .bias = b->bias,
                                   .activation = {.kind = ENG_ACT_RELU},
                                   .y = b->y};
    eng_linear_forward(&b->linear, &call);
}

static void run_blas(const struct bench *b)
{
    int m = (int)b->linear.n_rows, n = (int)b->linear.n_columns, k = (int)b->linear.depth;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, b->x, k, b->w, n, 0, b->y,
                n);
}

static void run_blas_transposed(const struct bench *b)
{
    int m = (int)b->linear.n_rows, n = (int)b->linear.n_columns, k = (int)b->linear.depth;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, b->x, k, b->w, k, 0, b->y, n);
}

/* The mean of a millisecond or more, if that is shorter than before: the clock takes a while too.
 */
static void measure(void (*work)(const struct bench *), const struct bench *b, double *best)
{
    double elapsed = 0;
    for (int n = 1; elapsed < 1e-3; n *= 2) {
        double start = now_s();
        for (int i = 0; i < n; i++)
            work(b);
        elapsed = now_s() - start;
        if (elapsed / n < *best) *best = elapsed / n;
    }
}

static void bench_shape(const struct shape *s)
{
    struct bench b = {.linear = {.n_rows = s->rows, .depth = s->depth, .n_columns = s->columns}};
    b.linear.is_dots = eng_linear_choose_dots(s->depth, s->columns);
    size_t n_packed;
    if (!eng_linear_packed_floats(&b.linear, &n_packed)) exit(1);
    b.x = filled(s->rows * s->depth);
    b.w = filled(s->depth * s->columns);
    b.packed = filled(n_packed);
    b.bias = filled(eng_linear_bias_floats(&b.linear));
    b.y = filled(s->rows * s->columns);
    struct eng_linear_weights w = {.data = b.w, .depth_step = s->columns, .column_step = 1};
    eng_linear_pack(&b.linear, &w, b.packed);
    double ours = 1e30, plain = 1e30, transposed = 1e30;
    for (int round = 0; round < 7; round++) {
        measure(run_ours, &b, &ours);
        measure(run_blas, &b, &plain);
        measure(run_blas_transposed, &b, &transposed);
    }
    double blas = plain < transposed ? plain : transposed;
    double gflop = 2e-9 * (double)s->rows * (double)s->depth * (double)s->columns;
    printf("%-12s %5zu x %5zu x %5zu  ours %9.2f us %6.1f GFLOP/s %6.1f GB/s  OpenBLAS %9.2f us "
           "(%9.2f)  ratio %5.2f\n",
           s->net, s->rows, s->depth, s->columns, 1e6 * ours, gflop / ours,
           4e-9 * (double)n_packed / ours, 1e6 * plain, 1e6 * transposed, blas / ours);
    free(b.x);
    free(b.w);
    free(b.packed);
    free(b.bias);
    free(b.y);
}

int main(void)
{
    printf("%s\n", eng_kernels()->name);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        bench_shape(&shapes[i]);
    return 0;
}
