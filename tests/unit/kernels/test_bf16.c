/* Products of bfloat16: rounding, convolutions and rows against sums in double precision of rounded
 * numbers. Skipped at a level without them. */
#include "kernels/bf16.h"

#include "base/mem.h"
#include "base/rng.h"
#include "engine/pool.h"
#include "kernels/linear.h"
#include "kernels/nhwc_conv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t to_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* The nearest, halves to even; for normal numbers. */
static float rounded(float x)
{
    uint32_t bits = to_bits(x);
    return from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u);
}

static void rounding(void **state)
{
    (void)state;
    enum { N = 37 };
    float x[N] = {0,
                  -0.0f,
                  1,
                  from_bits(0x3f808000),
                  from_bits(0x3f818000),
                  from_bits(0x3f808001),
                  INFINITY,
                  -INFINITY,
                  NAN,
                  from_bits(0x7f7fffff)};
    uint16_t y[N + 1],
        wanted[] = {0, 0x8000, 0x3f80, 0x3f80, 0x3f82, 0x3f81, 0x7f80, 0xff80, 0x7fc0, 0x7f80};
    struct eng_rng rng;
    eng_rng_init(&rng, 3, 0);
    for (size_t i = 10; i < N; i++)
        x[i] = eng_rng_normal(&rng);
    y[N] = 0x1234;
    eng_bf16_kernels()->round(x, y, N);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(y[i], i < 10 ? wanted[i] : to_bits(rounded(x[i])) >> 16);
    assert_int_equal(y[N], 0x1234);
}

struct shape {
    size_t n_images, in, out;
    int64_t size[2], kernel[2], stride[2], pads[2];
};

static const struct shape shapes[] = {
    {1, 16, 64, {7, 7}, {1, 1}, {1, 1}, {0, 0}},   {2, 32, 130, {9, 8}, {1, 1}, {1, 1}, {0, 0}},
    {2, 24, 48, {9, 8}, {1, 1}, {2, 2}, {0, 0}},   {3, 16, 33, {8, 11}, {3, 3}, {1, 1}, {1, 1}},
    {2, 6, 20, {12, 9}, {3, 5}, {2, 1}, {1, 2}},   {1, 64, 80, {15, 13}, {3, 3}, {2, 2}, {1, 1}},
    {1, 2, 16, {20, 17}, {7, 7}, {2, 2}, {3, 3}},  {1, 128, 64, {1, 1}, {1, 1}, {1, 1}, {0, 0}},
    {1, 16, 16, {1, 1}, {1, 1}, {10, 10}, {2, 2}}, {1, 512, 100, {30, 30}, {1, 1}, {1, 1}, {0, 0}},
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

static struct eng_nhwc_conv conv_of(const struct shape *s)
{
    struct eng_nhwc_conv c = {.window = {.in = {1, s->size[0], s->size[1]},
                                         .out = {1, 0, 0},
                                         .kernel = {1, s->kernel[0], s->kernel[1]},
                                         .stride = {1, s->stride[0], s->stride[1]},
                                         .dilation = {1, 1, 1},
                                         .pad_begin = {0, s->pads[0], s->pads[1]},
                                         .pad_end = {0, s->pads[0], s->pads[1]}},
                              .n_images = s->n_images,
                              .groups = 1,
                              .in_channels = s->in,
                              .out_channels = s->out,
                              .method = ENG_NHWC_BF16};
    for (int a = 0; a < 2; a++)
        c.window.out[a + 1] = (s->size[a] + 2 * s->pads[a] - s->kernel[a]) / s->stride[a] + 1;
    return c;
}

static float *random_floats(size_t n, struct eng_rng *rng)
{
    float *data = eng_alloc_aligned((n + 32) * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < n + 32; i++)
        data[i] = i < n ? eng_rng_normal(rng) : 0;
    return data;
}

struct data {
    struct eng_nhwc_conv conv;
    size_t n_x, n_y;
    float *x, *w, *bias, *added, *packed, *y, *again;
    void *scratch;
};

static void data_init(struct data *d, const struct shape *s)
{
    struct eng_rng rng;
    size_t n_packed, n_scratch;
    eng_rng_init(&rng, 7, 0);
    d->conv = conv_of(s);
    d->n_x = s->n_images * (size_t)(s->size[0] * s->size[1]) * s->in;
    d->n_y = s->n_images * eng_window_volume(d->conv.window.out) * s->out;
    d->x = random_floats(d->n_x, &rng);
    d->w = random_floats(s->out * s->in * (size_t)(s->kernel[0] * s->kernel[1]), &rng);
    d->bias = random_floats(s->out, &rng);
    d->added = random_floats(d->n_y, &rng);
    d->y = random_floats(d->n_y, &rng);
    d->again = random_floats(d->n_y, &rng);
    assert_true(eng_nhwc_conv_can(&d->conv, ENG_NHWC_BF16));
    assert_true(eng_nhwc_conv_packed_floats(&d->conv, &n_packed));
    assert_true(eng_nhwc_conv_scratch_bytes(&d->conv, &n_scratch));
    d->packed = eng_alloc_aligned(n_packed * sizeof *d->packed);
    d->scratch = eng_alloc_aligned(n_scratch);
    assert_true(d->packed && d->scratch);
    eng_nhwc_conv_pack(&d->conv, d->w, d->packed);
}

static void data_fini(struct data *d)
{
    free(d->x);
    free(d->w);
    free(d->bias);
    free(d->added);
    free(d->packed);
    free(d->y);
    free(d->again);
    free(d->scratch);
}

/* y at one pixel and channel before the activation, and the sum of what was added, positive. */
static double reference(const struct data *d, size_t image, const int64_t at[2], size_t j,
                        double *size)
{
    const struct eng_window *w = &d->conv.window;
    double sum = *size = 0;
    for (int64_t r = 0; r < w->kernel[1]; r++)
        for (int64_t c = 0; c < w->kernel[2]; c++) {
            int64_t y = at[0] * w->stride[1] + r - w->pad_begin[1];
            int64_t x = at[1] * w->stride[2] + c - w->pad_begin[2];
            if (y < 0 || y >= w->in[1] || x < 0 || x >= w->in[2]) continue;
            for (size_t k = 0; k < d->conv.in_channels; k++) {
                size_t pixel =
                    (image * (size_t)w->in[1] + (size_t)y) * (size_t)w->in[2] + (size_t)x;
                size_t tap = (size_t)(r * w->kernel[2] + c);
                size_t taps = (size_t)(w->kernel[1] * w->kernel[2]);
                double term = (double)rounded(d->x[pixel * d->conv.in_channels + k]) *
                              (double)rounded(d->w[(j * d->conv.in_channels + k) * taps + tap]);
                sum += term;
                *size += fabs(term);
            }
        }
    return sum;
}

static void check_all(const struct data *d)
{
    const struct eng_window *w = &d->conv.window;
    for (size_t i = 0; i < d->n_y; i++) {
        size_t j = i % d->conv.out_channels, pixel = i / d->conv.out_channels;
        size_t area = eng_window_volume(w->out);
        const int64_t at[2] = {(int64_t)(pixel % area) / w->out[2],
                               (int64_t)(pixel % area) % w->out[2]};
        double size, wanted = reference(d, pixel / area, at, j, &size);
        wanted += (double)d->bias[j] + (double)d->added[i];
        if (wanted < 0) wanted = 0;
        if (!(fabs((double)d->y[i] - wanted) <= 1e-5 + 2e-6 * size))
            fail_msg("element %zu is %g, wanted %g", i, (double)d->y[i], wanted);
    }
}

static void run(const struct data *d, size_t first, size_t n_images, struct eng_pool *pool,
                float *y)
{
    struct eng_nhwc_conv conv = d->conv;
    size_t x_image = d->n_x / conv.n_images, y_image = d->n_y / conv.n_images;
    conv.n_images = n_images;
    eng_nhwc_conv_forward(&conv, &(struct eng_nhwc_conv_call){.x = d->x + first * x_image,
                                                              .packed = d->packed,
                                                              .bias = d->bias,
                                                              .added = d->added + first * y_image,
                                                              .activation = {.kind = ENG_ACT_RELU},
                                                              .y = y + first * y_image,
                                                              .scratch = d->scratch,
                                                              .pool = pool});
}

static void convolutions(void **state)
{
    (void)state;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    for (size_t i = 0; i < N_SHAPES; i++) {
        struct data d;
        data_init(&d, &shapes[i]);
        run(&d, 0, d.conv.n_images, NULL, d.y);
        check_all(&d);
        run(&d, 0, d.conv.n_images, pool, d.again);
        assert_memory_equal(d.y, d.again, d.n_y * sizeof *d.y);
        memset(d.again, 0, d.n_y * sizeof *d.again);
        for (size_t image = 0; image < d.conv.n_images; image++)
            run(&d, image, 1, NULL, d.again);
        assert_memory_equal(d.y, d.again, d.n_y * sizeof *d.y);
        data_fini(&d);
    }
    eng_pool_destroy(pool);
}

static void other_convolutions_are_refused(void **state)
{
    (void)state;
    struct eng_nhwc_conv conv = conv_of(&shapes[3]);
    conv.in_channels = 15;
    assert_false(eng_nhwc_conv_can(&conv, ENG_NHWC_BF16));
    conv = conv_of(&shapes[3]);
    conv.groups = 2;
    assert_false(eng_nhwc_conv_can(&conv, ENG_NHWC_BF16));
    conv = conv_of(&shapes[3]);
    conv.window.dilation[2] = 2;
    assert_false(eng_nhwc_conv_can(&conv, ENG_NHWC_BF16));
}

/* w [columns, depth] or [depth, columns], with a factor for each column. */
static void check_rows(size_t n_rows, size_t depth, size_t n_columns, bool transposed)
{
    struct eng_rng rng;
    size_t n_packed, n_scratch;
    struct eng_linear l = {
        .n_rows = n_rows, .depth = depth, .n_columns = n_columns, .is_bf16 = true};
    eng_rng_init(&rng, 5, 0);
    float *x = random_floats(n_rows * depth, &rng), *w = random_floats(depth * n_columns, &rng);
    float *scale = random_floats(n_columns, &rng), *y = random_floats(n_rows * n_columns, &rng);
    struct eng_linear_weights weights = {.data = w,
                                         .depth_step = transposed ? 1 : n_columns,
                                         .column_step = transposed ? depth : 1,
                                         .scale = scale};
    assert_true(eng_linear_packed_floats(&l, &n_packed) &&
                eng_linear_scratch_bytes(&l, &n_scratch));
    float *packed = eng_alloc_aligned(n_packed * sizeof *packed);
    void *scratch = eng_alloc_aligned(n_scratch);
    assert_true(packed && scratch);
    eng_linear_pack(&l, &weights, packed);
    eng_linear_forward(
        &l, &(struct eng_linear_call){.x = x, .packed = packed, .y = y, .scratch = scratch});
    for (size_t i = 0; i < n_rows * n_columns; i++) {
        double sum = 0, size = 0;
        for (size_t k = 0; k < depth; k++) {
            size_t j = i % n_columns;
            float weight = w[k * weights.depth_step + j * weights.column_step] * scale[j];
            double term = (double)rounded(x[i / n_columns * depth + k]) * (double)rounded(weight);
            sum += term;
            size += fabs(term);
        }
        assert_true(fabs((double)y[i] - sum) <= 1e-5 + 2e-6 * size);
    }
    free(x);
    free(w);
    free(scale);
    free(y);
    free(packed);
    free(scratch);
}

static void rows(void **state)
{
    (void)state;
    check_rows(1, 64, 100, true);
    check_rows(7, 770, 48, false);
    check_rows(53, 32, 16, true);
    check_rows(100, 16, 65, false);
    assert_false(eng_linear_bf16_can(17, 64));
    assert_false(eng_linear_bf16_can(64, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(other_convolutions_are_refused),
        cmocka_unit_test(rows),
    };
    if (!eng_bf16_kernels()) return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
