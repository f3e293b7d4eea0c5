/* Convolution of 8-bit integers against plain sums, to the last integer; run at every level. */
#include "kernels/int8_conv.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct shape {
    size_t n_images, groups, in, out; /* channels of a group */
    int64_t size[2], kernel[2], stride[2], dilation[2], pads[4];
};

static const struct shape shapes[] = {
    {1, 1, 3, 32, {19, 17}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {2, 1, 3, 40, {23, 19}, {7, 7}, {2, 2}, {1, 1}, {3, 3, 3, 3}},
    {3, 1, 17, 35, {7, 7}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {1, 1, 64, 256, {14, 14}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {2, 1, 24, 130, {9, 8}, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {2, 1, 30, 48, {13, 12}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 5, 70, {12, 15}, {3, 5}, {1, 2}, {2, 1}, {2, 0, 1, 3}},
    {1, 1, 6, 7, {15, 16}, {3, 3}, {1, 1}, {1, 3}, {0, 3, 2, 3}},
    {2, 4, 8, 12, {10, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 3, 5, 17, {8, 8}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {1, 3, 5, 17, {9, 11}, {2, 3}, {2, 1}, {1, 2}, {1, 0, 0, 1}},
    {1, 7, 1, 2, {6, 6}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 1, 4, 4, {1, 1}, {1, 1}, {10, 10}, {1, 1}, {2, 2, 2, 2}}, /* sees padding alone */
    {2, 1, 4, 4, {1, 1}, {1, 1}, {10, 10}, {1, 1}, {0, 2, 0, 2}},
    {2, 16, 1, 1, {1, 1}, {1, 1}, {10, 10}, {1, 1}, {0, 2, 0, 2}},
    {1, 1, 300, 1000, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {5, 1, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {2, 40, 1, 1, {9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 32, 1, 1, {9, 11}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, /* two pixels are a block */
    {1, 32, 1, 1, {12, 14}, {5, 3}, {2, 1}, {1, 2}, {2, 2, 2, 2}},
    {1, 16, 1, 1, {8, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {1, 144, 1, 1, {14, 13}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {2, 96, 1, 1, {14, 13}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {1, 70, 1, 1, {10, 10}, {3, 3}, {1, 1}, {1, 2}, {1, 2, 1, 2}},
    {1, 19, 1, 1, {14, 13}, {5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}},
    {1, 16, 1, 1, {3, 2}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {1, 33, 1, 1, {12, 17}, {3, 2}, {1, 3}, {2, 2}, {0, 3, 1, 1}},
    {1, 65, 1, 1, {17, 17}, {9, 9}, {1, 1}, {1, 1}, {4, 4, 4, 4}},
    {3, 5, 1, 1, {4, 4}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

/* Many channels of one pixel, for sums that stand beside halves. */
static const struct shape single[] = {
    {1, 1, 1, 32000, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {1, 32000, 1, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
};

enum { N_SINGLE = sizeof single / sizeof single[0] };

struct data {
    struct eng_int8_conv conv;
    bool is_signed; /* x and y */
    uint8_t zero;   /* of x, as a byte of x's type */
    size_t n_x, n_w, n_y, channels, kernels, n_columns;
    uint8_t *x, *y, *wanted;
    int8_t *w, *packed;
    int32_t *bias, *start;
    float *factor, *rest, *offset, *column_factor, *column_rest, *column_offset;
    struct eng_int8_finish finish;
    void *scratch;
};

static struct eng_int8_conv conv_of(const struct shape *s)
{
    struct eng_int8_conv c = {.window = {.in = {1, s->size[0], s->size[1]},
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
    assert_true(eng_int8_conv_choose(&c));
    return c;
}

/* 0 .. 255, the ends more often than not. */
static uint8_t random_byte(struct eng_rng *rng)
{
    uint32_t r = (uint32_t)(eng_rng_float(rng) * 1024);
    return r < 300 ? 0 : r < 600 ? 255 : r < 700 ? 128 : (uint8_t)r;
}

static void *zeros(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);
    assert_non_null(p);
    return p;
}

static int32_t value_of(const struct data *d, uint8_t byte)
{
    return d->is_signed ? (int8_t)byte : byte;
}

/* The products of output (image, row, column, kernel k). */
static int64_t sum_at(const struct data *d, size_t image, int64_t row, int64_t column, size_t k)
{
    const struct eng_int8_conv *c = &d->conv;
    const struct eng_window *w = &c->window;
    size_t taps = eng_window_volume(w->kernel);
    int64_t sum = d->bias[k];
    for (size_t tap = 0; tap < taps; tap++) {
        int64_t y =
            row * w->stride[1] - w->pad_begin[1] + (int64_t)tap / w->kernel[2] * w->dilation[1];
        int64_t x =
            column * w->stride[2] - w->pad_begin[2] + (int64_t)tap % w->kernel[2] * w->dilation[2];
        if (y < 0 || y >= w->in[1] || x < 0 || x >= w->in[2]) continue;
        const uint8_t *pixel =
            d->x +
            ((image * (size_t)w->in[1] + (size_t)y) * (size_t)w->in[2] + (size_t)x) * d->channels;
        pixel += k / c->out_channels * c->in_channels;
        for (size_t i = 0; i < c->in_channels; i++)
            sum += (value_of(d, pixel[i]) - value_of(d, d->zero)) *
                   d->w[(k * c->in_channels + i) * taps + tap];
    }
    return sum;
}

static void make_wanted(struct data *d)
{
    const struct eng_window *w = &d->conv.window;
    size_t at = 0;
    for (size_t image = 0; image < d->conv.n_images; image++)
        for (int64_t row = 0; row < w->out[1]; row++)
            for (int64_t column = 0; column < w->out[2]; column++)
                for (size_t k = 0; k < d->kernels; k++) {
                    int64_t sum = sum_at(d, image, row, column, k);
                    assert_true(sum >= INT32_MIN && sum <= INT32_MAX);
                    double factor = (double)d->factor[k] + (double)d->rest[k];
                    double y = (double)sum * factor + (double)d->offset[k];
                    int32_t byte = (int32_t)nearbyint(y) + d->finish.zero;
                    byte = byte < d->finish.low ? d->finish.low : byte;
                    byte = byte > d->finish.high ? d->finish.high : byte;
                    d->wanted[at++] = (uint8_t)((uint32_t)byte ^ (d->finish.flip & 0xff));
                }
}

/* What a caller does: the zero point's products go into the start. */
static void place_columns(struct data *d)
{
    size_t each = d->n_w / d->kernels;
    int32_t zero = value_of(d, d->zero) + (d->is_signed ? 128 : 0);
    int32_t *start = zeros(d->kernels, sizeof *start);
    for (size_t k = 0; k < d->kernels; k++) {
        int64_t sum = 0;
        for (size_t i = 0; i < each; i++)
            sum += d->w[k * each + i];
        start[k] = (int32_t)(d->bias[k] - zero * sum);
    }
    eng_int8_conv_place(&d->conv, start, d->start);
    eng_int8_conv_place(&d->conv, d->factor, d->column_factor);
    eng_int8_conv_place(&d->conv, d->rest, d->column_rest);
    eng_int8_conv_place(&d->conv, d->offset, d->column_offset);
    free(start);
}

static void fill(struct data *d, struct eng_rng *rng)
{
    for (size_t i = 0; i < d->n_x; i++)
        d->x[i] = random_byte(rng);
    for (size_t i = 0; i < d->n_w; i++)
        d->w[i] = (int8_t)random_byte(rng);
    for (size_t k = 0; k < d->kernels; k++) {
        d->bias[k] = (int32_t)(eng_rng_normal(rng) * 5000);
        d->factor[k] = 0.02f / (float)(d->n_w / d->kernels) * (0.5f + eng_rng_float(rng));
        d->rest[k] = k % 2 == 0 ? 0 : 0x1p-6f * d->factor[k];
        d->offset[k] = k % 3 == 0 ? 0 : eng_rng_normal(rng);
        if (k % 4 != 3) continue;
        /* Sums that a float would put on a half lie below it. */
        d->factor[k] = ldexpf(1, ilogbf(d->factor[k]));
        d->rest[k] = -0x1p-26f * d->factor[k];
        d->offset[k] = 0;
    }
}

/* Sums, without products, that stand for numbers closely beside a half: of all sizes, some far
 * beyond bytes, some with an offset that takes nearly all away. One to a register, for one makes
 * the whole register exact. */
static void fill_beside_halves(struct data *d, struct eng_rng *rng)
{
    static const float spread[] = {0, 3, 0x1p10f, 0x1p19f, 0x1p24f};
    for (size_t k = 0; k < d->kernels; k++) {
        size_t n = k / 64;
        double half = floor((double)eng_rng_normal(rng) * 150) + 0.5;
        double beside = half * (n % 2 == 0 ? 1 + 0x1p-44 : 1 - 0x1p-44);
        bool is_one = k % 64 == 0;
        d->offset[k] = is_one ? eng_rng_normal(rng) * spread[n % 5] : 0;
        double scaled = is_one ? beside - (double)d->offset[k] : half - 0.25;
        double size = ldexp(1 + (double)eng_rng_float(rng), 4 + (int)(n % 26));
        d->bias[k] = (int32_t)(scaled < 0 ? -size : size);
        double factor = scaled / (double)d->bias[k];
        d->factor[k] = (float)factor;
        d->rest[k] = (float)(factor - (double)d->factor[k]);
    }
}

typedef void fill_fn(struct data *d, struct eng_rng *rng);

static void data_init(struct data *d, const struct shape *s, bool is_signed, fill_fn *fill_data)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 7, s->in);
    *d = (struct data){.conv = conv_of(s), .is_signed = is_signed, .zero = 37};
    size_t n_bytes, n_packed;
    d->channels = s->groups * s->in;
    d->kernels = s->groups * s->out;
    d->n_x = s->n_images * d->channels * eng_window_volume(d->conv.window.in);
    d->n_y = s->n_images * d->kernels * eng_window_volume(d->conv.window.out);
    d->n_w = d->kernels * s->in * eng_window_volume(d->conv.window.kernel);
    assert_true(eng_int8_conv_columns(&d->conv, &d->n_columns));
    assert_true(eng_int8_conv_packed_bytes(&d->conv, &n_packed));
    assert_true(eng_int8_conv_scratch_bytes(&d->conv, &n_bytes));
    d->x = zeros(d->n_x, 1);
    d->w = zeros(d->n_w, 1);
    d->y = zeros(d->n_y, 1);
    d->wanted = zeros(d->n_y, 1);
    d->packed = zeros(n_packed, 1);
    d->scratch = zeros(n_bytes, 1);
    memset(d->scratch, 0xa5, n_bytes);
    d->bias = zeros(d->kernels, sizeof *d->bias);
    d->factor = zeros(d->kernels, sizeof *d->factor);
    d->rest = zeros(d->kernels, sizeof *d->rest);
    d->offset = zeros(d->kernels, sizeof *d->offset);
    d->start = zeros(d->n_columns, sizeof *d->start);
    d->column_factor = zeros(d->n_columns, sizeof *d->column_factor);
    d->column_rest = zeros(d->n_columns, sizeof *d->column_rest);
    d->column_offset = zeros(d->n_columns, sizeof *d->column_offset);
    fill_data(d, &rng);
    d->finish = (struct eng_int8_finish){.factor = d->column_factor,
                                         .rest = d->column_rest,
                                         .offset = d->column_offset,
                                         .zero = 110,
                                         .low = 10,
                                         .high = 240,
                                         .flip = is_signed ? ENG_INT8_FLIP : 0};
    eng_int8_conv_pack(&d->conv, d->w, d->packed);
    place_columns(d);
    make_wanted(d);
}

static void run(const struct data *d, uint8_t *y, struct eng_pool *pool)
{
    struct eng_int8_conv_call call = {.x = d->x,
                                      .blank = d->zero,
                                      .flip = d->is_signed ? ENG_INT8_FLIP : 0,
                                      .packed = d->packed,
                                      .start = d->start,
                                      .finish = d->finish,
                                      .y = y,
                                      .scratch = d->scratch,
                                      .pool = pool};
    eng_int8_conv_forward(&d->conv, &call);
}

static void data_fini(struct data *d)
{
    void *all[] = {d->x,    d->y,          d->wanted, d->w,     d->packed,        d->scratch,
                   d->bias, d->factor,     d->offset, d->start, d->column_factor, d->column_offset,
                   d->rest, d->column_rest};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

static void check(const struct data *d, const uint8_t *y, size_t shape, const char *how)
{
    for (size_t i = 0; i < d->n_y; i++)
        if (y[i] != d->wanted[i])
            fail_msg("%s, shape %zu, signed %d, %s, byte %zu: %d, wanted %d",
                     eng_int8_kernels()->name, shape, d->is_signed, how, i, y[i], d->wanted[i]);
}

static void check_shape(const struct shape *shape, size_t i, bool is_signed, fill_fn *fill_data,
                        struct eng_pool *pool)
{
    struct data d;
    data_init(&d, shape, is_signed, fill_data);
    run(&d, d.y, NULL);
    check(&d, d.y, i, "alone");
    memset(d.y, 0, d.n_y);
    run(&d, d.y, pool);
    check(&d, d.y, i, "in two threads");
    data_fini(&d);
}

static void all_shapes(void **state)
{
    (void)state;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    for (size_t i = 0; i < N_SHAPES; i++) {
        check_shape(&shapes[i], i, false, fill, pool);
        check_shape(&shapes[i], i, true, fill, pool);
    }
    eng_pool_destroy(pool);
}

static void beside_halves(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SINGLE; i++)
        check_shape(&single[i], i, true, fill_beside_halves, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_shapes),
                                       cmocka_unit_test(beside_halves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
