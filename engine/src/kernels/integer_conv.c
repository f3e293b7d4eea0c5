#include "kernels/integer_conv.h"

#include "base/mem.h"
#include "base/share.h"
#include "kernels/integer_product.h"
#include "kernels/quantise.h"

#include <string.h>

/*
 * The image is turned into rows of 16-bit channels, pixel by pixel; so what a kernel sees is a few
 * runs of such rows, copied side by side into one row of taps and channels; times the rows of the
 * weights, ordered alike. Groups of one input channel have too little to multiply for that: they
 * add up shifted rows of the image.
 */

enum { PIXELS = 16, TILES = 64 };

static size_t n_taps(const struct eng_conv *s)
{
    return eng_window_volume(s->window.kernel);
}

static size_t row_length(const struct eng_conv *s)
{
    return eng_integer_padded(s->in_channels * n_taps(s));
}

/* --- scratch: weights of all groups, the pixels of one group, one row for each pixel of a wave ---
 */

struct layout {
    size_t weights, pixels, rows, total;
};

static bool take(size_t *total, size_t n, size_t length, size_t *at)
{
    *at = *total;
    return eng_mul_size(n, length, &n) && eng_mul_size(n, sizeof(int16_t), &n) &&
           n < SIZE_MAX / 2 && eng_add_size(*total, eng_align_up(n), total);
}

static bool plan_layout(const struct eng_conv *s, struct layout *l)
{
    *l = (struct layout){0};
    size_t tiles = (eng_window_volume(s->window.out) + PIXELS - 1) / PIXELS;
    if (tiles > TILES) tiles = TILES;
    return take(&l->total, s->groups * s->out_channels, row_length(s), &l->weights) &&
           take(&l->total, eng_window_volume(s->window.in), s->in_channels, &l->pixels) &&
           take(&l->total, tiles * PIXELS, row_length(s), &l->rows);
}

bool eng_integer_conv_scratch_bytes(const struct eng_integer_conv *conv, size_t *out)
{
    struct layout l;
    if (!plan_layout(&conv->shape, &l)) return false;
    *out = l.total;
    return true;
}

/* --- weights: [channel, tap] to [tap, channel] --- */

void eng_integer_conv_prepare(const struct eng_integer_conv *conv,
                              const struct eng_integer_conv_inputs *in, void *scratch)
{
    const struct eng_conv *s = &conv->shape;
    struct layout l;
    if (!plan_layout(s, &l)) return; /* infer has checked it */
    int16_t *to = (int16_t *)(void *)((char *)scratch + l.weights);
    size_t taps = n_taps(s), n = s->in_channels * taps, padded = row_length(s);
    const char *w = in->w;
    for (size_t m = 0; m < s->groups * s->out_channels; m++, to += padded, w += n) {
        int32_t zero = conv->n_w_zeros == 0
                           ? 0
                           : eng_integer_at(conv->w_dtype, in->w_zeros, m % conv->n_w_zeros);
        for (size_t t = 0; t < taps; t++)
            for (size_t c = 0; c < s->in_channels; c++)
                to[t * s->in_channels + c] =
                    (int16_t)(eng_integer_at(conv->w_dtype, w, c * taps + t) - zero);
        memset(to + n, 0, (padded - n) * sizeof *to);
    }
}

/* --- one image --- */

struct image {
    const struct eng_integer_conv *conv;
    const char *x; /* of the image */
    int32_t zero;
    const int32_t *bias;
    int32_t *y;
    /* of the group and wave at hand: */
    size_t group, first_pixel;
    const int16_t *weights;
    int16_t *pixels, *rows;
};

static void start_row(const struct image *im, size_t channel, int32_t *y, size_t n)
{
    int32_t start = im->bias ? im->bias[channel] : 0;
    for (size_t i = 0; i < n; i++)
        y[i] = start;
}

/* Pixels [begin, end) of the group's planes, widened and turned to [pixel, channel]. */
static void turn_pixels(void *ctx, size_t begin, size_t end)
{
    const struct image *im = ctx;
    const struct eng_conv *s = &im->conv->shape;
    size_t n_pixels = eng_window_volume(s->window.in), n = s->in_channels;
    for (size_t c = 0; c < n; c++) {
        const char *plane = im->x + (im->group * n + c) * n_pixels;
        if (im->conv->x_dtype == ENG_UINT8)
            for (size_t p = begin; p < end; p++)
                im->pixels[p * n + c] = (int16_t)(((const uint8_t *)plane)[p] - im->zero);
        else
            for (size_t p = begin; p < end; p++)
                im->pixels[p * n + c] = (int16_t)(((const int8_t *)plane)[p] - im->zero);
    }
}

/* What one row of taps sees: zeros outside, runs of pixels inside (one run if they touch). */
static void gather_taps(const struct eng_window *w, const struct eng_window_taps *x,
                        const int16_t *row, size_t n, int16_t *to)
{
    memset(to, 0, (size_t)w->kernel[2] * n * sizeof *to);
    size_t first = (size_t)x->first, count = (size_t)(x->last - x->first);
    if (w->dilation[2] == 1 && count > 0) {
        memcpy(to + first * n, row + (x->origin + x->first) * (int64_t)n, count * n * sizeof *to);
        return;
    }
    for (int64_t k = x->first; k < x->last; k++)
        memcpy(to + (size_t)k * n, row + (x->origin + k * w->dilation[2]) * (int64_t)n,
               n * sizeof *to);
}

static void gather_pixel(const struct image *im, size_t pixel, int16_t *to)
{
    const struct eng_conv *s = &im->conv->shape;
    const struct eng_window *w = &s->window;
    size_t n = s->in_channels, line = (size_t)w->kernel[2] * n;
    int64_t at = (int64_t)pixel;
    struct eng_window_taps x = eng_window_taps_at(w, 2, at % w->out[2]);
    struct eng_window_taps y = eng_window_taps_at(w, 1, at / w->out[2] % w->out[1]);
    struct eng_window_taps z = eng_window_taps_at(w, 0, at / w->out[2] / w->out[1]);
    int16_t *end = to + row_length(s);
    for (int64_t kz = 0; kz < w->kernel[0]; kz++) {
        for (int64_t ky = 0; ky < w->kernel[1]; ky++, to += line) {
            bool inside = kz >= z.first && kz < z.last && ky >= y.first && ky < y.last;
            int64_t iz = z.origin + kz * w->dilation[0], iy = y.origin + ky * w->dilation[1];
            if (inside)
                gather_taps(w, &x, im->pixels + (iz * w->in[1] + iy) * w->in[2] * (int64_t)n, n,
                            to);
            else
                memset(to, 0, line * sizeof *to);
        }
    }
    memset(to, 0, (size_t)(end - to) * sizeof *to);
}

/* Tiles [begin, end) of the wave: their rows, then all output channels of the group. */
static void run_tiles(void *ctx, size_t begin, size_t end)
{
    const struct image *im = ctx;
    const struct eng_conv *s = &im->conv->shape;
    size_t length = row_length(s), n_pixels = eng_window_volume(s->window.out);
    for (size_t tile = begin; tile < end; tile++) {
        size_t first = im->first_pixel + tile * PIXELS;
        size_t n = n_pixels - first < PIXELS ? n_pixels - first : PIXELS;
        int16_t *rows = im->rows + tile * PIXELS * length;
        int32_t *y = im->y + im->group * s->out_channels * n_pixels + first;
        for (size_t i = 0; i < n; i++)
            gather_pixel(im, first + i, rows + i * length);
        for (size_t m = 0; m < s->out_channels; m++)
            start_row(im, im->group * s->out_channels + m, y + m * n_pixels, n);
        struct eng_integer_dot dot = {.n_rows = s->out_channels,
                                      .n_columns = n,
                                      .length = length,
                                      .a = im->weights,
                                      .b = rows,
                                      .a_row = length,
                                      .b_row = length,
                                      .c = y,
                                      .c_row = n_pixels,
                                      .c_column = 1,
                                      .accumulate = true};
        eng_integer_dot(&dot);
    }
}

static void run_group(struct image *im, const int16_t *weights, struct eng_pool *pool)
{
    const struct eng_conv *s = &im->conv->shape;
    size_t n_out = eng_window_volume(s->window.out), n_in = eng_window_volume(s->window.in);
    double work = PIXELS * (double)row_length(s) * (double)s->out_channels;
    im->weights = weights + im->group * s->out_channels * row_length(s);
    eng_share(pool, n_in, 16 * (double)s->in_channels, 0, turn_pixels, im);
    for (im->first_pixel = 0; im->first_pixel < n_out; im->first_pixel += TILES * PIXELS) {
        size_t tiles = (n_out - im->first_pixel + PIXELS - 1) / PIXELS;
        if (tiles > TILES) tiles = TILES;
        eng_share(pool, tiles, work, 0, run_tiles, im);
    }
}

/* --- groups of one channel --- */

#define DEFINE_ADD_ROW(SUFFIX, TYPE)                                                       \
    static void add_row_##SUFFIX(const char *x_, size_t stride, int32_t zero, int32_t w,   \
                                 int32_t *y, size_t n)                                     \
    {                                                                                      \
        const TYPE *x = (const void *)x_;                                                  \
        if (stride == 1)                                                                   \
            for (size_t i = 0; i < n; i++)                                                 \
                y[i] = (int32_t)((uint32_t)y[i] + (uint32_t)(w * (x[i] - zero)));          \
        else                                                                               \
            for (size_t i = 0; i < n; i++)                                                 \
                y[i] = (int32_t)((uint32_t)y[i] + (uint32_t)(w * (x[i * stride] - zero))); \
    }

DEFINE_ADD_ROW(uint8, uint8_t)
DEFINE_ADD_ROW(int8, int8_t)

/* One row of output pixels of one output channel. */
static void shifted_rows(const struct image *im, const char *plane, const int16_t *weights,
                         int64_t z_out, int64_t y_out, int32_t *y)
{
    const struct eng_window *w = &im->conv->shape.window;
    struct eng_window_taps ty = eng_window_taps_at(w, 1, y_out),
                           tz = eng_window_taps_at(w, 0, z_out);
    for (int64_t kz = tz.first; kz < tz.last; kz++) {
        for (int64_t ky = ty.first; ky < ty.last; ky++) {
            int64_t iz = tz.origin + kz * w->dilation[0], iy = ty.origin + ky * w->dilation[1];
            const char *row = plane + (iz * w->in[1] + iy) * w->in[2];
            const int16_t *taps = weights + (kz * w->kernel[1] + ky) * w->kernel[2];
            for (int64_t kx = 0; kx < w->kernel[2]; kx++) {
                int64_t first, last;
                eng_window_reach(w, 2, kx, &first, &last);
                if (first == last) continue;
                const char *x = row + first * w->stride[2] + kx * w->dilation[2] - w->pad_begin[2];
                if (im->conv->x_dtype == ENG_UINT8)
                    add_row_uint8(x, (size_t)w->stride[2], im->zero, taps[kx], y + first,
                                  (size_t)(last - first));
                else
                    add_row_int8(x, (size_t)w->stride[2], im->zero, taps[kx], y + first,
                                 (size_t)(last - first));
            }
        }
    }
}

/* Output channels [begin, end). */
static void run_channels(void *ctx, size_t begin, size_t end)
{
    const struct image *im = ctx;
    const struct eng_conv *s = &im->conv->shape;
    const struct eng_window *w = &s->window;
    for (size_t m = begin; m < end; m++) {
        const char *plane = im->x + m / s->out_channels * eng_window_volume(w->in);
        int32_t *y = im->y + m * eng_window_volume(w->out);
        start_row(im, m, y, eng_window_volume(w->out));
        for (int64_t z = 0; z < w->out[0]; z++)
            for (int64_t row = 0; row < w->out[1]; row++, y += w->out[2])
                shifted_rows(im, plane, im->weights + m * row_length(s), z, row, y);
    }
}

static bool has_lone_channels(const struct eng_conv *s)
{
    return s->in_channels == 1;
}

const char *eng_integer_conv_algorithm(const struct eng_integer_conv *conv)
{
    return has_lone_channels(&conv->shape) ? "shifted rows" : "16-bit products";
}

void eng_integer_conv_image(const struct eng_integer_conv *conv,
                            const struct eng_integer_conv_inputs *in, size_t image, int32_t *y,
                            void *scratch, struct eng_pool *pool)
{
    const struct eng_conv *s = &conv->shape;
    struct layout l;
    if (!plan_layout(s, &l)) return; /* infer has checked it */
    size_t image_bytes = s->groups * s->in_channels * eng_window_volume(s->window.in);
    const int16_t *weights = (const int16_t *)(void *)((char *)scratch + l.weights);
    struct image im = {.conv = conv,
                       .x = (const char *)in->x + image * image_bytes,
                       .zero = eng_integer_at(conv->x_dtype, in->x_zero, 0),
                       .bias = in->bias,
                       .y = y,
                       .weights = weights,
                       .pixels = (int16_t *)(void *)((char *)scratch + l.pixels),
                       .rows = (int16_t *)(void *)((char *)scratch + l.rows)};
    if (has_lone_channels(s)) {
        double work = 2 * (double)eng_window_volume(s->window.out) * (double)n_taps(s);
        eng_share(pool, s->groups * s->out_channels, work, 0, run_channels, &im);
        return;
    }
    for (im.group = 0; im.group < s->groups; im.group++)
        run_group(&im, weights, pool);
}
