/* Winograd's convolution against sums in double precision, with every table that this CPU runs. */
#include "kernels/winograd.h"

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
    size_t n_images, in, out;
    int64_t height, width, pads[4]; /* top, left, bottom, right */
};

static const struct shape shapes[] = {
    {1, 16, 16, 4, 4, {1, 1, 1, 1}},   {3, 12, 13, 1, 1, {1, 1, 1, 1}},
    {2, 17, 35, 7, 7, {1, 1, 1, 1}},   {40, 24, 16, 3, 3, {1, 1, 1, 1}},
    {5, 16, 24, 9, 14, {0, 2, 1, 0}},  {1, 13, 12, 48, 52, {1, 1, 1, 1}},
    {2, 12, 40, 31, 31, {2, 2, 2, 2}}, {9, 33, 12, 16, 16, {1, 0, 0, 1}},
    {2, 12, 12, 3, 5, {0, 0, 0, 0}},
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

struct data {
    struct eng_correlation c;
    size_t n_x, n_w, n_y;
    float *x, *w, *y, *bias;
    double *wanted;
    void *scratch;
};

static float *random_floats(struct eng_rng *rng, size_t n)
{
    float *x = malloc((n + 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = eng_rng_float(rng) * 2 - 1;
    return x;
}

/* mirrored: weights laid out as they are for the gradient of an input. */
static struct eng_correlation correlation_of(const struct shape *s, bool mirrored)
{
    struct eng_correlation c = {.window = {.in = {1, s->height, s->width},
                                           .out = {1, s->height + s->pads[0] + s->pads[2] - 2,
                                                   s->width + s->pads[1] + s->pads[3] - 2},
                                           .kernel = {1, 3, 3},
                                           .stride = {1, 1, 1},
                                           .dilation = {1, 1, 1},
                                           .pad_begin = {0, s->pads[0], s->pads[1]},
                                           .pad_end = {0, s->pads[2], s->pads[3]}},
                                .n_images = s->n_images,
                                .n_groups = 1,
                                .in_channels = s->in,
                                .out_channels = s->out,
                                .w_out = mirrored ? 9 : 9 * s->in,
                                .w_in = mirrored ? 9 * s->out : 9,
                                .mirrored = mirrored};
    return c;
}

static void data_init(struct data *d, const struct shape *s, bool mirrored)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 5, s->in);
    *d = (struct data){.c = correlation_of(s, mirrored)};
    d->n_x = s->n_images * s->in * eng_window_volume(d->c.window.in);
    d->n_y = s->n_images * s->out * eng_window_volume(d->c.window.out);
    d->n_w = 9 * s->in * s->out;
    d->x = random_floats(&rng, d->n_x);
    d->w = random_floats(&rng, d->n_w);
    d->y = random_floats(&rng, d->n_y);
    d->bias = random_floats(&rng, s->out);
    size_t most = d->n_y > d->n_w ? d->n_y : d->n_w, bytes;
    d->wanted = calloc(most, sizeof *d->wanted);
    assert_non_null(d->wanted);
    assert_true(eng_winograd_suits(&d->c));
    assert_true(eng_winograd_scratch_bytes(&d->c, &bytes));
    d->scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(d->scratch);
    memset(d->scratch, 0xff, bytes); /* NaN: what is read before it is written shows */
}

static void data_fini(struct data *d)
{
    free(d->x);
    free(d->w);
    free(d->y);
    free(d->bias);
    free(d->wanted);
    free(d->scratch);
}

typedef void visit_fn(struct data *d, size_t x, size_t w, size_t y);

/* Visits every product of the sum: the pixel, the weight, the output that they belong to. */
static void walk(struct data *d, visit_fn *visit)
{
    const struct eng_correlation *c = &d->c;
    const struct eng_window *win = &c->window;
    size_t y = 0;
    for (size_t image = 0; image < c->n_images; image++)
        for (size_t out = 0; out < c->out_channels; out++)
            for (int64_t i = 0; i < win->out[1]; i++)
                for (int64_t j = 0; j < win->out[2]; j++, y++)
                    for (size_t in = 0; in < c->in_channels; in++)
                        for (int64_t tap = 0; tap < 9; tap++) {
                            int64_t row = i - win->pad_begin[1] + tap / 3;
                            int64_t column = j - win->pad_begin[2] + tap % 3;
                            if (row < 0 || row >= win->in[1] || column < 0 || column >= win->in[2])
                                continue;
                            size_t plane = image * c->in_channels + in;
                            visit(d,
                                  (plane * (size_t)win->in[1] + (size_t)row) * (size_t)win->in[2] +
                                      (size_t)column,
                                  out * c->w_out + in * c->w_in +
                                      (size_t)(c->mirrored ? 8 - tap : tap),
                                  y);
                        }
}

static void add_to_output(struct data *d, size_t x, size_t w, size_t y)
{
    d->wanted[y] += (double)d->x[x] * (double)d->w[w];
}

static void add_to_weights(struct data *d, size_t x, size_t w, size_t y)
{
    d->wanted[w] += (double)d->x[x] * (double)d->y[y];
}

/* The sums have n terms of size at most 1; what rounding did must be small beside sqrt(n). */
static void check(const char *what, size_t shape, const float *found, const double *wanted,
                  size_t n, double n_terms)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)found[i] - wanted[i]) < 2e-6 * sqrt(n_terms)))
            fail_msg("%s, shape %zu, element %zu: %.9g, wanted %.9g", what, shape, i,
                     (double)found[i], wanted[i]);
}

static void outputs_are_right(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++)
        for (int mirrored = 0; mirrored < 2; mirrored++) {
            struct data d;
            data_init(&d, &shapes[s], mirrored);
            d.c.accumulate = mirrored;
            size_t plane = eng_window_volume(d.c.window.out);
            for (size_t i = 0; i < d.n_y; i++)
                d.wanted[i] =
                    mirrored ? (double)d.y[i] : (double)d.bias[i / plane % d.c.out_channels];
            walk(&d, add_to_output);
            eng_winograd_correlate(&d.c, d.x, d.w, mirrored ? NULL : d.bias,
                                   (struct eng_activation){.kind = ENG_ACT_NONE}, d.y, d.scratch);
            check("output", s, d.y, d.wanted, d.n_y, 9 * (double)d.c.in_channels);
            data_fini(&d);
        }
}

static void activation_comes_last(void **state)
{
    (void)state;
    struct data d;
    data_init(&d, &shapes[2], false);
    walk(&d, add_to_output);
    for (size_t i = 0; i < d.n_y; i++)
        d.wanted[i] = d.wanted[i] > 0 ? d.wanted[i] : 0;
    eng_winograd_correlate(&d.c, d.x, d.w, NULL, (struct eng_activation){.kind = ENG_ACT_RELU}, d.y,
                           d.scratch);
    check("ReLU", 2, d.y, d.wanted, d.n_y, 9 * (double)d.c.in_channels);
    data_fini(&d);
}

/* Adds to what is there. */
static void gradients_of_weights_are_right(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SHAPES; s++) {
        struct data d;
        data_init(&d, &shapes[s], false);
        for (size_t i = 0; i < d.n_w; i++)
            d.wanted[i] = (double)d.w[i];
        walk(&d, add_to_weights);
        eng_winograd_weights(&d.c, d.x, d.y, d.w, d.scratch);
        check("gradient", s, d.w, d.wanted, d.n_w, (double)d.n_y / (double)d.c.out_channels);
        data_fini(&d);
    }
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct eng_correlation good = correlation_of(&shapes[0], false), c = good;
    assert_true(eng_winograd_suits(&c));
    c.window.stride[2] = 2;
    assert_false(eng_winograd_suits(&c));
    c = good;
    c.window.dilation[1] = 2;
    assert_false(eng_winograd_suits(&c));
    c = good;
    c.window.kernel[1] = 5;
    assert_false(eng_winograd_suits(&c));
    c = good;
    c.n_groups = 2;
    assert_false(eng_winograd_suits(&c));
    c = good;
    c.window.kernel[0] = c.window.in[0] = 2;
    assert_false(eng_winograd_suits(&c));
    c = good;
    c.in_channels = SIZE_MAX / 16;
    size_t bytes = 7;
    assert_false(eng_winograd_scratch_bytes(&c, &bytes));
    assert_int_equal(bytes, 7);
}

static int run_all(const char *table)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_right),
        cmocka_unit_test(activation_comes_last),
        cmocka_unit_test(gradients_of_weights_are_right),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests_name(table, tests, NULL, NULL) != 0;
}

/* The table is chosen once for a process. */
static int run_in_child(const char *table)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (eng_cpu_set_level(table, NULL) != ENG_OK) exit(1);
        exit(run_all(table));
    }
    return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}

int main(void)
{
    int failed = 0;
    const struct eng_kernels *k;
    for (size_t i = 0; (k = eng_kernels_at(i)); i++)
        if (k->runs_here()) failed |= run_in_child(k->name);
    return failed;
}
