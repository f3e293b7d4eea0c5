#include "image/resize.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/color.h"
#include "image/weights.h"

#include <stdlib.h>

static const int32_t half = 1 << (ENG_WEIGHT_FRACTION_BITS - 1);

struct resampler {
    const struct eng_image *image;
    uint32_t n_channels;
    const uint8_t *background;
    bool same_width; /* rows are taken as they are, from first on */
    uint64_t first;
    struct eng_weights x, y;
    size_t n_row; /* bytes of an output row */
    uint8_t *color_row, *row;
    int32_t *sums; /* [y.n_out, n_row] of the vertical pass */
};

static uint8_t to_pixel(int32_t sum)
{
    int32_t value = sum >> ENG_WEIGHT_FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Inlined with n_channels known, so that the inner loop has no branch. */
static inline __attribute__((always_inline)) void
resample_row_n(const uint8_t *src, const struct eng_weights *x, uint32_t n_channels, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++) {
        const uint8_t *pixel = src + (size_t)x->begin[i] * n_channels;
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        int32_t sum[3] = {half, half, half};
        for (uint32_t k = 0; k < x->n[i]; k++, pixel += n_channels)
            for (uint32_t c = 0; c < n_channels; c++)
                sum[c] += pixel[c] * weight[k];
        for (uint32_t c = 0; c < n_channels; c++)
            *dst++ = to_pixel(sum[c]);
    }
}

/* Input row y in the colours and the width wanted. */
static const uint8_t *resample_row(const struct resampler *r, uint32_t y)
{
    const uint8_t *src = eng_color_row(r->image, y, r->n_channels, r->background, r->color_row);
    if (r->same_width) return src + r->first * r->n_channels;
    if (r->n_channels == 1)
        resample_row_n(src, &r->x, 1, r->row);
    else
        resample_row_n(src, &r->x, 3, r->row);
    return r->row;
}

static void add_row(int32_t *restrict sums, const uint8_t *restrict row, int32_t weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += row[i] * weight;
}

/*
 * The vertical pass goes through the input once and adds each row to the output rows that it takes
 * part in, so it holds one input row and never a picture of the input's height.
 */
static void resample_rows(struct resampler *r, uint8_t *dst, size_t dst_stride_bytes)
{
    const struct eng_weights *y = &r->y;
    uint32_t last = y->n_out - 1;
    uint32_t open = 0; /* output rows before this one are complete */
    for (uint32_t in = y->begin[0]; in < y->begin[last] + y->n[last]; in++) {
        while (in >= y->begin[open] + y->n[open])
            open++;
        if (in < y->begin[open]) continue; /* passed over: nearest, or not antialiased */
        const uint8_t *row = resample_row(r, in);
        for (uint32_t out = open; out <= last && y->begin[out] <= in; out++) {
            int32_t weight = y->weight[(size_t)out * y->stride + (in - y->begin[out])];
            add_row(r->sums + out * r->n_row, row, weight, r->n_row);
        }
    }
    for (uint32_t out = 0; out <= last; out++)
        for (size_t i = 0; i < r->n_row; i++)
            dst[out * dst_stride_bytes + i] = to_pixel(r->sums[out * r->n_row + i] + half);
}

static enum eng_status run_passes(struct resampler *r, uint8_t *dst, size_t dst_stride_bytes,
                                  struct eng_error *err)
{
    size_t n_sums;
    enum eng_status status = ENG_NO_MEMORY;
    bool fits = eng_mul_size(r->y.n_out, r->n_row, &n_sums);
    r->color_row = eng_calloc(r->image->width_px, r->n_channels);
    r->row = eng_calloc(r->n_row, 1);
    r->sums = fits ? eng_calloc(n_sums, sizeof *r->sums) : NULL;
    if (r->color_row && r->row && r->sums) {
        resample_rows(r, dst, dst_stride_bytes);
        status = ENG_OK;
    }
    free(r->color_row);
    free(r->row);
    free(r->sums);
    return status == ENG_OK ? status : eng_fail_memory(err, "resizing a picture");
}

/* --- not antialiased: both directions at once, rounded once, as torch and OpenCV do --- */

enum { MAX_TAPS = 4 };

static uint8_t interpolate(const uint8_t *const *rows, const struct eng_weights *x, uint32_t i,
                           const int32_t *y_weight, uint32_t n_rows, uint32_t n_channels,
                           uint32_t channel)
{
    enum { BITS = 2 * ENG_WEIGHT_FRACTION_BITS };
    const int32_t *x_weight = x->weight + (size_t)i * x->stride;
    int64_t sum = (int64_t)1 << (BITS - 1);
    for (uint32_t k = 0; k < n_rows; k++) {
        const uint8_t *value = rows[k] + (size_t)x->begin[i] * n_channels + channel;
        int64_t row_sum = 0;
        for (uint32_t l = 0; l < x->n[i]; l++)
            row_sum += (int64_t)value[(size_t)l * n_channels] * x_weight[l];
        sum += row_sum * y_weight[k];
    }
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* buffer: MAX_TAPS rows of the picture in the colours wanted. */
static void interpolate_rows(const struct resampler *r, uint8_t *buffer, uint8_t *dst,
                             size_t dst_stride_bytes)
{
    size_t n_row = (size_t)r->image->width_px * r->n_channels;
    for (uint32_t out = 0; out < r->y.n_out; out++, dst += dst_stride_bytes) {
        const uint8_t *rows[MAX_TAPS];
        for (uint32_t k = 0; k < r->y.n[out]; k++)
            rows[k] = eng_color_row(r->image, r->y.begin[out] + k, r->n_channels, r->background,
                                    buffer + k * n_row);
        const int32_t *y_weight = r->y.weight + (size_t)out * r->y.stride;
        for (uint32_t i = 0; i < r->x.n_out; i++)
            for (uint32_t c = 0; c < r->n_channels; c++)
                dst[(size_t)i * r->n_channels + c] =
                    interpolate(rows, &r->x, i, y_weight, r->y.n[out], r->n_channels, c);
    }
}

static enum eng_status run_interpolation(struct resampler *r, uint8_t *dst, size_t dst_stride_bytes,
                                         struct eng_error *err)
{
    uint8_t *buffer = eng_calloc(MAX_TAPS, (size_t)r->image->width_px * r->n_channels);
    if (!buffer) return eng_fail_memory(err, "resizing a picture");
    interpolate_rows(r, buffer, dst, dst_stride_bytes);
    free(buffer);
    return ENG_OK;
}

enum eng_status eng_resize(const struct eng_image *image, uint32_t n_channels,
                           const struct eng_axis *x, const struct eng_axis *y,
                           const struct eng_sampling *how, uint8_t *dst, size_t dst_stride_bytes,
                           struct eng_error *err)
{
    struct resampler r = {
        .image = image,
        .n_channels = n_channels,
        .background = how->background,
        .same_width = x->n_resized == x->n_in,
        .first = x->first,
        .n_row = (size_t)x->n_out * n_channels,
    };
    enum eng_status status = eng_weights_init(&r.x, x, how, err);
    if (status == ENG_OK) status = eng_weights_init(&r.y, y, how, err);
    bool two_passes = !how->aliased || how->filter == ENG_FILTER_NEAREST;
    if (status == ENG_OK)
        status = two_passes ? run_passes(&r, dst, dst_stride_bytes, err)
                            : run_interpolation(&r, dst, dst_stride_bytes, err);
    eng_weights_fini(&r.x);
    eng_weights_fini(&r.y);
    return status;
}
