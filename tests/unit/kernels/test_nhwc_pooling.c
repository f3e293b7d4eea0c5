/* Pooling with channels last gives what pooling of planes gives. */
#include "kernels/nhwc_pooling.h"

#include "base/rng.h"
#include "engine/tensor.h"
#include "kernels/global_pooling.h"
#include "kernels/pooling.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { N_IMAGES = 2, MAX_FLOATS = 1 << 15 };

struct shape {
    size_t channels;
    int64_t in[2], out[2], kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2];
};

static const struct shape shapes[] = {
    {5, {8, 6}, {4, 3}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
    {17, {9, 7}, {5, 4}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
    {16, {2, 2}, {1, 1}, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}}, /* hangs over the end */
    {3, {6, 7}, {6, 7}, {3, 1}, {1, 1}, {2, 1}, {2, 0}, {2, 0}},
    {4, {1, 1}, {2, 2}, {2, 2}, {1, 1}, {3, 3}, {2, 2}, {2, 2}}, /* sees padding alone, too */
    {1, {5, 5}, {1, 1}, {5, 5}, {5, 5}, {1, 1}, {0, 0}, {0, 0}},
};

struct data {
    struct eng_nhwc_pool pool;
    size_t n_in, n_out; /* pixels */
    float planes_x[MAX_FLOATS], last_x[MAX_FLOATS], planes_y[MAX_FLOATS], last_y[MAX_FLOATS];
};

static void data_init(struct data *d, const struct shape *s, bool count_padding)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 3, s->channels);
    d->pool = (struct eng_nhwc_pool){.window = {.in = {1, s->in[0], s->in[1]},
                                                .out = {1, s->out[0], s->out[1]},
                                                .kernel = {1, s->kernel[0], s->kernel[1]},
                                                .stride = {1, s->stride[0], s->stride[1]},
                                                .dilation = {1, s->dilation[0], s->dilation[1]},
                                                .pad_begin = {0, s->pad_begin[0], s->pad_begin[1]},
                                                .pad_end = {0, s->pad_end[0], s->pad_end[1]}},
                                     .n_images = N_IMAGES,
                                     .n_channels = s->channels,
                                     .count_padding = count_padding};
    d->n_in = eng_window_volume(d->pool.window.in);
    d->n_out = eng_window_volume(d->pool.window.out);
    assert_true(N_IMAGES * s->channels * d->n_in <= MAX_FLOATS);
    for (size_t i = 0; i < N_IMAGES; i++)
        for (size_t c = 0; c < s->channels; c++)
            for (size_t p = 0; p < d->n_in; p++) {
                float x = eng_rng_normal(&rng);
                d->planes_x[(i * s->channels + c) * d->n_in + p] = x;
                d->last_x[(i * d->n_in + p) * s->channels + c] = x;
            }
}

static void check(const struct data *d, size_t n_out, const char *what)
{
    size_t channels = d->pool.n_channels;
    for (size_t i = 0; i < N_IMAGES; i++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < n_out; p++) {
                float wanted = d->planes_y[(i * channels + c) * n_out + p];
                float found = d->last_y[(i * n_out + p) * channels + c];
                bool same = found == wanted || fabsf(found - wanted) < 1e-6f ||
                            (isnan(found) && isnan(wanted));
                if (!same)
                    fail_msg("%s: image %zu, channel %zu, pixel %zu: %g, wanted %g", what, i, c, p,
                             (double)found, (double)wanted);
            }
}

static void windows_agree(void **state)
{
    struct data *d = *state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int count = 0; count < 2; count++) {
            size_t planes = N_IMAGES * shapes[i].channels;
            data_init(d, &shapes[i], count);
            eng_max_pool_forward(&d->pool.window, planes, ENG_FLOAT32, d->planes_x, d->planes_y,
                                 NULL, NULL);
            eng_nhwc_max_pool(&d->pool, d->last_x, d->last_y, NULL);
            check(d, d->n_out, "max");
            eng_average_pool_forward(&d->pool.window, planes, count, ENG_FLOAT32, d->planes_x,
                                     d->planes_y, NULL);
            eng_nhwc_average_pool(&d->pool, d->last_x, d->last_y, NULL);
            check(d, d->n_out, "mean");
        }
}

static void nan_stays(void **state)
{
    struct data *d = *state;
    data_init(d, &shapes[0], false);
    d->planes_x[9] = NAN; /* pixel 9 of channel 0 */
    d->last_x[9 * shapes[0].channels] = NAN;
    eng_max_pool_forward(&d->pool.window, N_IMAGES * shapes[0].channels, ENG_FLOAT32, d->planes_x,
                         d->planes_y, NULL, NULL);
    eng_nhwc_max_pool(&d->pool, d->last_x, d->last_y, NULL);
    check(d, d->n_out, "max");
    assert_true(isnan(d->last_y[shapes[0].channels]));
}

static void whole_planes_agree(void **state)
{
    struct data *d = *state;
    data_init(d, &shapes[1], false);
    struct eng_global_pool g = {
        .n_planes = N_IMAGES * shapes[1].channels, .n_pixels = d->n_in, .dtype = ENG_FLOAT32};
    eng_global_mean_forward(&g, d->planes_x, d->planes_y, NULL);
    eng_nhwc_global_mean(N_IMAGES, d->n_in, shapes[1].channels, d->last_x, d->last_y, NULL);
    check(d, 1, "global mean");
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct data));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_agree),
        cmocka_unit_test(nan_stays),
        cmocka_unit_test(whole_planes_agree),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
