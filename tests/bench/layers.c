/*
 * How near the convolutions of training come to the processor's limit: forward, gradient of the
 * input and gradient of the weights, layer by layer, one thread.
 *
 *     cmake --build build/release --target bench_layers && build/release/tests/bench_layers
 * [IMAGES]
 *
 * Prints GFLOP/s, counted as the direct sum needs them: an algorithm that multiplies less may come
 * out above what the processor can multiply.
 */
#include "kernels/conv.h"
#include "kernels/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct layer {
    const char *net;
    size_t in_channels, out_channels;
    int64_t size, kernel, pad, stride;
};

static const struct layer layers[] = {
    {"LeNet", 1, 6, 28, 5, 2, 1},       {"LeNet", 6, 16, 14, 5, 0, 1},
    {"ResNet", 3, 16, 32, 3, 1, 1},     {"ResNet", 16, 16, 32, 3, 1, 1},
    {"ResNet", 16, 32, 32, 3, 1, 2},    {"ResNet", 32, 32, 16, 3, 1, 1},
    {"ResNet", 32, 64, 16, 3, 1, 2},    {"ResNet", 64, 64, 8, 3, 1, 1},
    {"ResNet", 16, 32, 32, 1, 0, 2},    {"airbench", 3, 24, 32, 2, 0, 1},
    {"airbench", 24, 64, 31, 3, 1, 1},  {"airbench", 64, 64, 15, 3, 1, 1},
    {"airbench", 64, 64, 16, 3, 1, 1},  {"airbench", 64, 256, 15, 3, 1, 1},
    {"airbench", 64, 256, 16, 3, 1, 1}, {"airbench", 256, 256, 7, 3, 1, 1},
    {"airbench", 256, 256, 8, 3, 1, 1}, {"airbench", 256, 256, 3, 3, 1, 1},
    {"airbench", 256, 256, 4, 3, 1, 1},
};

struct bench {
    struct eng_conv conv;
    float *x, *w, *bias, *y, *dx, *dw;
    void *scratch;
};

static void forward(struct bench *b)
{
    eng_conv_forward(&b->conv, b->x, b->w, b->bias, (struct eng_activation){.kind = ENG_ACT_NONE},
                     b->y, b->scratch, NULL);
}

static void backward_input(struct bench *b)
{
    eng_conv_backward(&b->conv,
                      &(struct eng_conv_gradients){
                          .x = b->x, .w = b->w, .dy = b->y, .dx = b->dx, .write_dx = true},
                      b->scratch);
}

static void backward_weights(struct bench *b)
{
    eng_conv_backward(&b->conv,
                      &(struct eng_conv_gradients){.x = b->x, .w = b->w, .dy = b->y, .dw = b->dw},
                      b->scratch);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
        } while (elapsed < 20e-3);
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

static struct eng_conv conv_of(const struct layer *l, size_t n_images)
{
    int64_t out = (l->size + 2 * l->pad - l->kernel) / l->stride + 1;
    return (struct eng_conv){.window = {.in = {1, l->size, l->size},
                                        .out = {1, out, out},
                                        .kernel = {1, l->kernel, l->kernel},
                                        .stride = {1, l->stride, l->stride},
                                        .dilation = {1, 1, 1},
                                        .pad_begin = {0, l->pad, l->pad},
                                        .pad_end = {0, l->pad, l->pad}},
                             .n_images = n_images,
                             .groups = 1,
                             .in_channels = l->in_channels,
                             .out_channels = l->out_channels,
                             .training = true};
}

enum { NAME_SIZE = 64 };

static const char *describe(const struct layer *l, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%-9s %4zu -> %4zu, %lldx%lld by %lld, %2lld px", l->net,
             l->in_channels, l->out_channels, (long long)l->kernel, (long long)l->kernel,
             (long long)l->stride, (long long)l->size);
    return name;
}

static void bench_layer(const struct layer *l, size_t n_images, const char *name)
{
    struct bench b = {.conv = conv_of(l, n_images)};
    size_t scratch_bytes, n_in = n_images * l->in_channels * eng_window_volume(b.conv.window.in);
    size_t n_out = n_images * l->out_channels * eng_window_volume(b.conv.window.out);
    size_t n_weights = l->in_channels * l->out_channels * eng_window_volume(b.conv.window.kernel);
    if (!eng_conv_scratch_bytes(&b.conv, &scratch_bytes)) exit(1);
    b.x = filled(n_in);
    b.dx = filled(n_in);
    b.y = filled(n_out);
    b.w = filled(n_weights);
    b.dw = filled(n_weights);
    b.bias = filled(l->out_channels);
    b.scratch = aligned_alloc(64, (scratch_bytes + 64) / 64 * 64);
    if (!b.scratch) exit(1);
    double gflop = 2e-9 * (double)n_out * (double)n_weights / (double)l->out_channels;
    printf("%s  %7.1f %7.1f %7.1f\n", name, gflop / measure(forward, &b),
           gflop / measure(backward_input, &b), gflop / measure(backward_weights, &b));
    fflush(stdout);
    float *const all[] = {b.x, b.dx, b.y, b.w, b.dw, b.bias, b.scratch};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

int main(int argc, char **argv)
{
    size_t n_images = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    char name[NAME_SIZE];
    printf("kernels: %s; %zu images; GFLOP/s of forward, dX, dW\n", eng_kernels()->name, n_images);
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        if (strstr(describe(&layers[i], name), argc > 2 ? argv[2] : ""))
            bench_layer(&layers[i], n_images, name);
    return 0;
}
