/*
 * Convolutions with channels last, layer by layer, one thread, beside the direct sum over planes.
 *
 *     cmake --build build/release --target bench_nhwc && build/release/tests/bench_nhwc
 *
 * GFLOP/s are counted as the direct sum needs them.
 */
#include "kernels/conv.h"
#include "kernels/dispatch.h"
#include "kernels/nhwc_conv.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct layer {
    const char *net;
    size_t groups, in, out;
    int64_t size, kernel, pad, stride;
};

static const struct layer layers[] = {
    {"resnet", 1, 3, 64, 224, 7, 3, 2},      {"resnet", 1, 64, 64, 56, 3, 1, 1},
    {"resnet", 1, 64, 128, 56, 3, 1, 2},     {"resnet", 1, 128, 128, 28, 3, 1, 1},
    {"resnet", 1, 256, 256, 14, 3, 1, 1},    {"resnet", 1, 512, 512, 7, 3, 1, 1},
    {"squeezenet", 1, 16, 64, 55, 3, 1, 1},  {"squeezenet", 1, 32, 128, 27, 3, 1, 1},
    {"squeezenet", 1, 48, 192, 13, 3, 1, 1}, {"inception", 1, 32, 64, 147, 3, 1, 1},
    {"mnist", 1, 32, 32, 14, 3, 1, 1},       {"mnist", 1, 32, 64, 7, 3, 1, 1},
    {"mnist", 1, 64, 64, 7, 3, 1, 1},        {"fashion", 1, 32, 32, 28, 3, 1, 1},
    {"fashion", 1, 64, 64, 14, 3, 1, 1},     {"fashion", 1, 64, 128, 7, 3, 1, 1},
    {"fashion", 1, 128, 128, 7, 3, 1, 1},    {"cifar10", 1, 24, 64, 31, 3, 1, 1},
    {"cifar10", 1, 64, 256, 15, 3, 1, 1},    {"cifar10", 1, 256, 256, 7, 3, 1, 1},
    {"cifar10", 1, 256, 256, 3, 3, 1, 1},    {"vgg", 1, 512, 512, 14, 3, 1, 1},
    {"resnet", 1, 64, 256, 56, 1, 0, 1},     {"resnet", 1, 256, 64, 56, 1, 0, 1},
    {"resnet", 1, 256, 512, 56, 1, 0, 2},    {"resnet", 1, 512, 128, 28, 1, 0, 1},
    {"resnet", 1, 1024, 256, 14, 1, 0, 1},   {"resnet", 1, 512, 2048, 7, 1, 0, 1},
    {"resnet", 1, 2048, 512, 7, 1, 0, 1},    {"mobilenet", 1, 3, 32, 224, 3, 1, 2},
    {"mobilenet", 32, 1, 1, 112, 3, 1, 1},   {"mobilenet", 1, 16, 96, 112, 1, 0, 1},
    {"mobilenet", 96, 1, 1, 112, 3, 1, 2},   {"mobilenet", 1, 96, 24, 56, 1, 0, 1},
    {"mobilenet", 1, 24, 144, 56, 1, 0, 1},  {"mobilenet", 144, 1, 1, 56, 3, 1, 1},
    {"mobilenet", 1, 144, 32, 28, 1, 0, 1},  {"mobilenet", 192, 1, 1, 28, 3, 1, 1},
    {"mobilenet", 384, 1, 1, 14, 3, 1, 1},   {"mobilenet", 1, 64, 384, 14, 1, 0, 1},
    {"mobilenet", 1, 384, 64, 14, 1, 0, 1},  {"mobilenet", 960, 1, 1, 7, 3, 1, 1},
    {"mobilenet", 1, 160, 960, 7, 1, 0, 1},  {"mobilenet", 1, 320, 1280, 7, 1, 0, 1},
    {"resnext", 32, 4, 4, 56, 3, 1, 1},      {"resnext", 32, 8, 8, 28, 3, 1, 1},
    {"resnext", 32, 8, 8, 56, 3, 1, 2},      {"regnet", 13, 8, 8, 28, 3, 1, 1},
    {"resnext", 32, 16, 16, 14, 3, 1, 1},
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *filled(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 1024) / 64 * 64);
    if (!x) exit(1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i % 13) * 0.1f - 0.6f;
    return x;
}

struct bench {
    struct eng_nhwc_conv conv;
    struct eng_conv planes;
    float *x, *w, *packed, *y;
    void *scratch, *planes_scratch;
};

static void run_planes(struct bench *b)
{
    eng_conv_forward(&b->planes, b->x, b->w, NULL, (struct eng_activation){.kind = ENG_ACT_RELU},
                     b->y, b->planes_scratch, NULL);
}

static void run_nhwc(struct bench *b)
{
    struct eng_nhwc_conv_call call = {.x = b->x,
                                      .packed = b->packed,
                                      .activation = {.kind = ENG_ACT_RELU},
                                      .y = b->y,
                                      .scratch = b->scratch};
    eng_nhwc_conv_forward(&b->conv, &call);
}

/* The shortest of several means, in seconds. */
static double measure(void (*work)(struct bench *), struct bench *b)
{
    double best = 1e30;
    for (int round = 0; round < 5; round++) {
        double start = now_s(), elapsed;
        int n = 0;
        do {
            work(b);
            n++;
            elapsed = now_s() - start;
        } while (elapsed < 10e-3);
        if (elapsed / n < best) best = elapsed / n;
    }
    return best;
}

static void bench_layer(const struct layer *l)
{
    static const char *const names[] = {"product", "winograd 2x2", "winograd 4x4", "depthwise"};
    int64_t out = (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
    struct bench b = {.conv = {.window = {.in = {1, l->size, l->size},
                                          .out = {1, out, out},
                                          .kernel = {1, l->kernel, l->kernel},
                                          .stride = {1, l->stride, l->stride},
                                          .dilation = {1, 1, 1},
                                          .pad_begin = {0, l->pad, l->pad},
                                          .pad_end = {0, l->pad, l->pad}},
                               .n_images = 1,
                               .groups = l->groups,
                               .in_channels = l->in,
                               .out_channels = l->out}};
    size_t n_y = l->groups * l->out * (size_t)(out * out), bytes, floats;
    size_t n_w = l->groups * l->out * l->in * (size_t)(l->kernel * l->kernel);
    double gflop = 2e-9 * (double)n_y * (double)l->in * (double)(l->kernel * l->kernel);
    b.planes = (struct eng_conv){.window = b.conv.window,
                                 .n_images = 1,
                                 .groups = l->groups,
                                 .in_channels = l->in,
                                 .out_channels = l->out};
    b.x = filled(l->groups * l->in * (size_t)(l->size * l->size));
    b.y = filled(n_y);
    b.w = filled(n_w);
    if (!eng_conv_scratch_bytes(&b.planes, &bytes)) exit(1);
    b.planes_scratch = filled(bytes / 4 + 1);
    double planes = measure(run_planes, &b);
    printf("%-9s %3zu x %4zu -> %4zu, %lldx%lld by %lld, %3lld px  planes %6.1f", l->net, l->groups,
           l->in, l->out, (long long)l->kernel, (long long)l->kernel, (long long)l->stride,
           (long long)l->size, gflop / planes);
    for (int m = 0; m < ENG_N_NHWC_METHODS; m++) {
        if (!eng_nhwc_conv_can(&b.conv, (enum eng_nhwc_method)m)) continue;
        b.conv.method = (enum eng_nhwc_method)m;
        if (!eng_nhwc_conv_packed_floats(&b.conv, &floats) ||
            !eng_nhwc_conv_scratch_bytes(&b.conv, &bytes))
            exit(1);
        b.packed = filled(floats);
        b.scratch = filled(bytes / 4 + 1);
        eng_nhwc_conv_pack(&b.conv, b.w, b.packed);
        double t = measure(run_nhwc, &b);
        printf("  %s %6.1f (%.3f ms)", names[m], gflop / t, t * 1e3);
        free(b.packed);
        free(b.scratch);
    }
    printf("\n");
    free(b.x);
    free(b.y);
    free(b.w);
    free(b.planes_scratch);
}

int main(void)
{
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        bench_layer(&layers[i]);
    return 0;
}
