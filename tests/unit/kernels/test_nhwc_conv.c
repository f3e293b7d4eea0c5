/* Convolution with channels last against sums in double precision, with every table that runs here.
 */
#include "kernels/nhwc_conv.h"

#include "base/rng.h"
#include "engine/cpu.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct shape {
    size_t n_images, groups, in, out; /* channels of a group */
    int64_t size[2], kernel[2], stride[2], dilation[2], pads[4];
};

static const struct shape shapes[] = {
    {1, 1, 3, 8, {9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 1, 3, 40, {23, 19}, {7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
    {3, 1, 17, 35, {7, 7}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {1, 1, 64, 256, {14, 14}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {2, 1, 24, 130, {9, 8}, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {2, 1, 32, 48, {13, 12}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 5, 70, {12, 15}, {3, 5}, {1, 2}, {2, 1}, {2, 0, 1, 3}},
    {1, 1, 6, 7, {15, 16}, {3, 3}, {1, 1}, {1, 3}, {0, 3, 2, 3}},
    {2, 4, 8, 12, {10, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 3, 5, 17, {8, 8}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {1, 3, 5, 17, {9, 11}, {2, 3}, {2, 1}, {1, 2}, {1, 0, 0, 1}},
    {2, 40, 1, 1, {9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 19, 1, 1, {14, 13}, {5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}},
    {1, 16, 1, 1, {3, 2}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {1, 33, 1, 1, {12, 17}, {3, 2}, {1, 3}, {2, 2}, {0, 3, 1, 1}},
    {1, 21, 1, 1, {15, 15}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {2, 48, 1, 1, {7, 7}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {1, 20, 1, 1, {16, 15}, {3, 3}, {2, 2}, {1, 1}, {0, 1, 1, 0}},
    {1, 24, 1, 1, {6, 18}, {7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}},
    {1, 18, 1, 1, {9, 4}, {7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}},
    {1, 16, 1, 1, {8, 30}, {3, 5}, {1, 2}, {1, 1}, {1, 4, 1, 0}},
    {1, 34, 1, 1, {8, 23}, {4, 9}, {3, 1}, {1, 1}, {1, 4, 1, 4}},
    {2, 9, 2, 2, {9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 10, 4, 4, {14, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 32, 4, 4, {15, 16}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {1, 13, 8, 8, {15, 13}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {1, 3, 8, 8, {7, 7}, {3, 2}, {1, 1}, {2, 2}, {0, 3, 1, 1}},
    {1, 7, 1, 2, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 16, 16, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 1, 48, 80, {11, 14}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 32, 64, {56, 56}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 16, 32, {9, 7}, {3, 3}, {1, 1}, {1, 1}, {0, 2, 2, 0}},
    {2, 1, 21, 33, {13, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 3, 4, 1}},
    {3, 1, 70, 40, {7, 7}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 4, 5, {3, 2}, {3, 3}, {1, 1}, {1, 1}, {9, 8, 7, 9}},
    {1, 1, 16, 144, {1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 1, 16, 16, {1, 1}, {1, 1}, {10, 10}, {1, 1}, {0, 2, 0, 2}}, /* sees padding alone */
    {2, 1, 16, 16, {1, 1}, {1, 1}, {10, 10}, {1, 1}, {2, 0, 2, 0}},
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

struct data {
    struct eng_nhwc_conv conv;
    size_t n_x, n_w, n_y, channels, kernels;
    float *x, *w, *bias, *added, *packed, *y;
    double *wanted;
    void *scratch;
};

static struct eng_nhwc_conv conv_of(const struct shape *s)
{
    struct eng_nhwc_conv c = {.window = {.in = {1, s->size[0], s->size[1]},
                                         .out = {1, 0, 0},
                                         .kernel = {1, s->kernel[0], s->kernel[1]},
                                         .stride = {1, s->stride[0], s->stride[1]},
                                         .dilation = {1, s->dilation[0], s->dilation[1]},
                                         .pad_begin = {0, s->pads[0], s->pads[1]},
                                         .pad_end = {0, s->pads[2], s->pads[3]}},
                              .n_images = s->n_images,
                              .groups = s->groups,
                              .in_channels = s->in,
                              .out_channels = s->out};
    for (int a = 0; a < 2; a++)
        c.window.out[a + 1] =
            (s->size[a] + s->pads[a] + s->pads[a + 2] - (s->kernel[a] - 1) * s->dilation[a] - 1) /
                s->stride[a] +
            1;
    return c;
}

static float *random_floats(struct eng_rng *rng, size_t n)
{
    float *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = eng_rng_float(rng) * 2 - 1;
    return x;
}

static float *aligned_floats(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 127) / 64 * 64);
    assert_non_null(x);
    return x;
}

/* What is added and the activation included: ReLU. */
static void make_wanted(struct data *d)
{
    const struct eng_nhwc_conv *c = &d->conv;
    const struct eng_window *w = &c->window;
    size_t at = 0, taps = eng_window_volume(w->kernel);
    for (size_t image = 0; image < c->n_images; image++)
        for (int64_t row = 0; row < w->out[1]; row++)
            for (int64_t column = 0; column < w->out[2]; column++)
                for (size_t k = 0; k < d->kernels; k++, at++) {
                    double sum = d->bias[k];
                    for (size_t tap = 0; tap < taps; tap++) {
                        int64_t y = row * w->stride[1] - w->pad_begin[1] +
                                    (int64_t)tap / w->kernel[2] * w->dilation[1];
                        int64_t x = column * w->stride[2] - w->pad_begin[2] +
                                    (int64_t)tap % w->kernel[2] * w->dilation[2];
                        if (y < 0 || y >= w->in[1] || x < 0 || x >= w->in[2]) continue;
                        const float *pixel =
                            d->x +
                            ((image * (size_t)w->in[1] + (size_t)y) * (size_t)w->in[2] +
                             (size_t)x) *
                                d->channels +
                            k / c->out_channels * c->in_channels;
                        for (size_t i = 0; i < c->in_channels; i++)
                            sum += (double)pixel[i] *
                                   (double)d->w[(k * c->in_channels + i) * taps + tap];
                    }
                    sum += d->added[at];
                    d->wanted[at] = sum > 0 ? sum : 0;
                }
}

static void data_init(struct data *d, const struct shape *s)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 7, s->in);
    *d = (struct data){.conv = conv_of(s)};
    d->channels = s->groups * s->in;
    d->kernels = s->groups * s->out;
    d->n_x = s->n_images * d->channels * eng_window_volume(d->conv.window.in);
    d->n_y = s->n_images * d->kernels * eng_window_volume(d->conv.window.out);
    d->n_w = d->kernels * s->in * eng_window_volume(d->conv.window.kernel);
    d->x = random_floats(&rng, d->n_x);
    d->w = random_floats(&rng, d->n_w);
    d->added = random_floats(&rng, d->n_y);
    d->y = aligned_floats(d->n_y);
    d->wanted = calloc(d->n_y, sizeof *d->wanted);
    assert_non_null(d->wanted);
    size_t n_bias = eng_nhwc_conv_bias_floats(&d->conv);
    d->bias = calloc(n_bias, sizeof *d->bias);
    assert_non_null(d->bias);
    for (size_t i = 0; i < d->kernels; i++)
        d->bias[i] = eng_rng_float(&rng);
    make_wanted(d);
}

static void prepare(struct data *d, enum eng_nhwc_method method)
{
    size_t floats, bytes;
    d->conv.method = method;
    assert_true(eng_nhwc_conv_packed_floats(&d->conv, &floats));
    assert_true(eng_nhwc_conv_scratch_bytes(&d->conv, &bytes));
    d->packed = aligned_floats(floats);
    d->scratch = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(d->scratch);
    memset(d->scratch, 0xff, bytes); /* NaN: what is read before it is written shows */
    memset(d->y, 0xff, d->n_y * sizeof *d->y);
    eng_nhwc_conv_pack(&d->conv, d->w, d->packed);
}

static void run_with(struct data *d, enum eng_activation_kind kind, float *y, struct eng_pool *pool)
{
    struct eng_nhwc_conv_call call = {.x = d->x,
                                      .packed = d->packed,
                                      .bias = d->bias,
                                      .added = d->added,
                                      .activation = {.kind = kind, .a = 1},
                                      .y = y,
                                      .scratch = d->scratch,
                                      .pool = pool};
    eng_nhwc_conv_forward(&d->conv, &call);
}

static void run(struct data *d, float *y, struct eng_pool *pool)
{
    run_with(d, ENG_ACT_RELU, y, pool);
}

static void release(struct data *d)
{
    free(d->packed);
    free(d->scratch);
}

static void data_fini(struct data *d)
{
    free(d->x);
    free(d->w);
    free(d->bias);
    free(d->added);
    free(d->y);
    free(d->wanted);
}

/* The sums have n terms of size at most 1; what rounding did must be small beside sqrt(n). */
static void check(const struct data *d, size_t shape)
{
    double n = (double)(d->n_w / d->kernels);
    double unit = d->conv.method == ENG_NHWC_WINOGRAD_4X4 ? 4e-6 : 2e-6;
    for (size_t i = 0; i < d->n_y; i++)
        if (!(fabs((double)d->y[i] - d->wanted[i]) < unit * sqrt(n + 2)))
            fail_msg("%s, shape %zu, method %d, element %zu: %.9g, wanted %.9g",
                     eng_kernels()->name, shape, d->conv.method, i, (double)d->y[i], d->wanted[i]);
}

/* One picture alone, and in two threads: the same bits. */
static void check_bits(struct data *d, struct eng_pool *pool, size_t shape)
{
    float *again = aligned_floats(d->n_y);
    run(d, again, pool);
    if (memcmp(again, d->y, d->n_y * sizeof *again) != 0)
        fail_msg("shape %zu, method %d: the pool changes bits", shape, d->conv.method);
    struct data alone = *d;
    size_t n = d->conv.n_images, last_x = d->n_x / n * (n - 1), last_y = d->n_y / n * (n - 1);
    alone.conv.n_images = 1;
    alone.x += last_x;
    alone.added += last_y;
    run(&alone, again, NULL);
    if (memcmp(again, d->y + last_y, d->n_y / n * sizeof *again) != 0)
        fail_msg("shape %zu, method %d: the batch changes bits", shape, d->conv.method);
    free(again);
}

/* Other activations are what they are of the sums; nothing behind the answer is written. */
static void check_activations(struct data *d, size_t shape)
{
    static const enum eng_activation_kind kinds[] = {ENG_ACT_SWISH, ENG_ACT_HARD_SWISH,
                                                     ENG_ACT_ABS};
    float *sums = aligned_floats(d->n_y), *found = aligned_floats(d->n_y + 16);
    run_with(d, ENG_ACT_NONE, sums, NULL);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        found[d->n_y] = 12345;
        run_with(d, kinds[k], found, NULL);
        eng_activation_forward((struct eng_activation){.kind = kinds[k], .a = 1}, sums, d->y,
                               d->n_y);
        if (memcmp(found, d->y, d->n_y * sizeof *found) != 0 || found[d->n_y] != 12345)
            fail_msg("shape %zu, method %d: activation %s differs", shape, d->conv.method,
                     eng_activation_name(kinds[k]));
    }
    free(sums);
    free(found);
}

/* Channels first: the same bits. Ends with what prepare made for that. */
static void check_planes(struct data *d, size_t shape)
{
    float *x = d->x, *planes = aligned_floats(d->n_x), *wanted = aligned_floats(d->n_y);
    size_t pixels = eng_window_volume(d->conv.window.in), at = 0;
    for (size_t i = 0; i < d->conv.n_images; i++)
        for (size_t c = 0; c < d->channels; c++)
            for (size_t p = 0; p < pixels; p++)
                planes[at++] = x[(i * pixels + p) * d->channels + c];
    run(d, wanted, NULL);
    release(d);
    d->conv.planes = true;
    prepare(d, ENG_NHWC_PRODUCT);
    d->x = planes;
    run(d, d->y, NULL);
    if (memcmp(wanted, d->y, d->n_y * sizeof *wanted) != 0)
        fail_msg("shape %zu: planes change bits", shape);
    d->conv.planes = false;
    d->x = x;
    free(planes);
    free(wanted);
}

/* The means of y's pixels beside y: near those of doubles, the same bits with threads and for each
 * picture alone. */
static void check_means(struct data *d, struct eng_pool *pool, size_t shape)
{
    size_t n = d->conv.n_images, pixels = d->n_y / n / d->kernels, bytes;
    float *means = aligned_floats(n * d->kernels), *again = aligned_floats(n * d->kernels);
    d->conv.means = true;
    assert_true(eng_nhwc_conv_scratch_bytes(&d->conv, &bytes));
    d->scratch = realloc(d->scratch, bytes + 64);
    assert_non_null(d->scratch);
    struct eng_nhwc_conv_call call = {.x = d->x,
                                      .packed = d->packed,
                                      .activation = {.kind = ENG_ACT_HARD_SWISH},
                                      .y = d->y,
                                      .means = means,
                                      .scratch = d->scratch};
    eng_nhwc_conv_forward(&d->conv, &call);
    for (size_t i = 0; i < n * d->kernels; i++) {
        double sum = 0;
        for (size_t p = 0; p < pixels; p++)
            sum += (double)d->y[(i / d->kernels * pixels + p) * d->kernels + i % d->kernels];
        if (!(fabs((double)means[i] - sum / (double)pixels) < 1e-6))
            fail_msg("shape %zu, mean %zu: %g, wanted %g", shape, i, (double)means[i],
                     sum / (double)pixels);
    }
    call.means = again;
    call.pool = pool;
    eng_nhwc_conv_forward(&d->conv, &call);
    assert_memory_equal(means, again, n * d->kernels * sizeof *means);
    call.x += d->n_x / n * (n - 1);
    d->conv.n_images = 1;
    eng_nhwc_conv_forward(&d->conv, &call);
    assert_memory_equal(means + (n - 1) * d->kernels, again, d->kernels * sizeof *means);
    d->conv.n_images = n;
    d->conv.means = false;
    free(means);
    free(again);
}

/* Factors of channels: nearly what a picture gives that is multiplied beforehand. */
static void check_factors(struct data *d, size_t shape)
{
    size_t n = d->conv.n_images, pixels = d->n_x / n / d->channels;
    float *x = d->x, *multiplied = aligned_floats(d->n_x), *wanted = aligned_floats(d->n_y);
    float *factors = aligned_floats(n * d->channels);
    for (size_t i = 0; i < n * d->channels; i++)
        factors[i] = (float)(i % 7) * 0.2f - 0.5f;
    for (size_t i = 0; i < d->n_x; i++)
        multiplied[i] = x[i] * factors[i / d->channels / pixels * d->channels + i % d->channels];
    d->x = multiplied;
    run(d, wanted, NULL);
    d->x = x;
    release(d);
    d->conv.scales = true;
    prepare(d, ENG_NHWC_PRODUCT);
    eng_nhwc_conv_forward(&d->conv,
                          &(struct eng_nhwc_conv_call){.x = x,
                                                       .packed = d->packed,
                                                       .bias = d->bias,
                                                       .added = d->added,
                                                       .factors = factors,
                                                       .activation = {.kind = ENG_ACT_RELU},
                                                       .y = d->y,
                                                       .scratch = d->scratch});
    for (size_t i = 0; i < d->n_y; i++)
        if (!(fabsf(wanted[i] - d->y[i]) < 1e-5f))
            fail_msg("shape %zu, element %zu: %g, wanted %g", shape, i, (double)d->y[i],
                     (double)wanted[i]);
    d->conv.scales = false;
    free(factors);
    free(multiplied);
    free(wanted);
}

static void all_shapes(void **state)
{
    (void)state;
    size_t n_run[ENG_N_NHWC_METHODS] = {0}, n_scaled = 0;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    for (size_t i = 0; i < N_SHAPES; i++) {
        struct data d;
        data_init(&d, &shapes[i]);
        for (enum eng_nhwc_method m = 0; m < ENG_N_NHWC_METHODS; m++) {
            if (!eng_nhwc_conv_can(&d.conv, m)) continue;
            prepare(&d, m);
            run(&d, d.y, NULL);
            check(&d, i);
            check_bits(&d, pool, i);
            check_activations(&d, i);
            if (m == ENG_NHWC_DEPTHWISE) check_means(&d, pool, i);
            n_scaled += eng_nhwc_conv_can_scale(&d.conv);
            if (eng_nhwc_conv_can_scale(&d.conv)) check_factors(&d, i);
            if (m == ENG_NHWC_PRODUCT) check_planes(&d, i);
            release(&d);
            n_run[m]++;
        }
        data_fini(&d);
    }
    eng_pool_destroy(pool);
    assert_int_equal(n_run[ENG_NHWC_PRODUCT], N_SHAPES);
    assert_true(n_run[ENG_NHWC_WINOGRAD_2X2] >= 8 && n_run[ENG_NHWC_WINOGRAD_4X4] >= 8);
    assert_true(n_run[ENG_NHWC_DEPTHWISE] >= 11 && n_scaled == 2);
}

/* The table is chosen once, so each has a process of its own. */
static void every_table(void **state)
{
    (void)state;
    for (size_t i = 0; eng_kernels_at(i); i++) {
        if (!eng_kernels_at(i)->runs_here()) continue;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (eng_cpu_set_level(eng_kernels_at(i)->name, NULL) != ENG_OK) _exit(1);
            const struct CMUnitTest tests[] = {cmocka_unit_test(all_shapes)};
            _exit(cmocka_run_group_tests(tests, NULL, NULL));
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
