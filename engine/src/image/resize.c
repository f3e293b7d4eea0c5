#include "image/resize.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/color.h"
#include "image/resample.h"

#include <stdlib.h>
#include <string.h>

/* --- both directions one after the other, rounded after each, as Pillow does --- */

struct resampler {
    const struct eng_rows *rows;
    uint32_t n_channels;
    const uint8_t *background;
    bool same_width; /* rows are taken as they are, from first on */
    uint64_t first;
    struct eng_weights x, y;
    const struct eng_resampling *loops;
    size_t n_row;       /* bytes of an output row */
    uint8_t *color_row; /* of the picture, padded */
    /* The last n_ring rows that were made; row y is at y % n_ring. */
    uint8_t *ring;
    size_t ring_stride;
    uint32_t n_ring;
    const uint8_t **taps; /* [n_ring] */
};

static uint8_t *ring_row(const struct resampler *r, uint32_t y)
{
    return r->ring + y % r->n_ring * r->ring_stride;
}

/* Input row y in the colours and the width wanted. */
static enum eng_status make_row(const struct resampler *r, uint32_t y)
{
    const uint8_t *src;
    enum eng_status status = r->rows->row(r->rows->ctx, y, &src);
    if (status != ENG_OK) return status;
    src = eng_color_pixels(src, r->rows->width_px, r->rows->n_channels, r->n_channels,
                           r->background, r->color_row);
    if (r->same_width)
        memcpy(ring_row(r, y), src + r->first * r->n_channels, r->n_row);
    else
        r->loops->along(src, &r->x, r->n_channels, ring_row(r, y));
    return ENG_OK;
}

/* Goes through the input once and holds the rows that an output row is made of. */
static enum eng_status resample_rows(struct resampler *r, uint8_t *dst, size_t dst_stride_bytes)
{
    const struct eng_weights *y = &r->y;
    uint32_t next = 0; /* the rows before it are made, or passed over */
    for (uint32_t out = 0; out < y->n_out; out++, dst += dst_stride_bytes) {
        uint32_t begin = y->begin[out], n = y->n[out];
        if (next < begin) next = begin;
        for (; next < begin + n; next++) {
            enum eng_status status = make_row(r, next);
            if (status != ENG_OK) return status;
        }
        for (uint32_t k = 0; k < n; k++)
            r->taps[k] = ring_row(r, begin + k);
        r->loops->down(r->taps, y->weight + (size_t)out * y->stride, n, r->n_row, dst);
    }
    return ENG_OK;
}

static enum eng_status run_passes(struct resampler *r, uint8_t *dst, size_t dst_stride_bytes,
                                  struct eng_error *err)
{
    uint32_t height = r->rows->height_px;
    r->loops = eng_resampling_avx2();
    if (!r->loops) r->loops = &eng_resampling_portable;
    r->n_ring = r->y.stride < height ? r->y.stride : height;
    r->ring_stride = r->n_row + ENG_ROW_PADDING;
    r->color_row = eng_calloc((size_t)r->rows->width_px * r->n_channels + ENG_ROW_PADDING, 1);
    r->ring = eng_calloc(r->n_ring, r->ring_stride);
    r->taps = eng_calloc(r->n_ring, sizeof *r->taps);
    bool ok = r->color_row && r->ring && r->taps;
    enum eng_status status =
        ok ? resample_rows(r, dst, dst_stride_bytes) : eng_fail_memory(err, "resizing a picture");
    free(r->color_row);
    free(r->ring);
    free(r->taps);
    return status;
}

enum eng_status eng_resize_rows(const struct eng_rows *rows, uint32_t n_channels,
                                const struct eng_axis *x, const struct eng_axis *y,
                                const struct eng_sampling *how, uint8_t *dst,
                                size_t dst_stride_bytes, struct eng_error *err)
{
    struct resampler r = {
        .rows = rows,
        .n_channels = n_channels,
        .background = how->background,
        .same_width = x->n_resized == x->n_in,
        .first = x->first,
        .n_row = (size_t)x->n_out * n_channels,
    };
    enum eng_status status = eng_weights_init(&r.x, x, how, err);
    if (status == ENG_OK) status = eng_weights_init(&r.y, y, how, err);
    if (status == ENG_OK) status = run_passes(&r, dst, dst_stride_bytes, err);
    eng_weights_fini(&r.x);
    eng_weights_fini(&r.y);
    return status;
}

bool eng_sampling_is_separable(enum eng_filter filter, bool aliased)
{
    return !aliased || filter == ENG_FILTER_NEAREST;
}

/* --- a picture's rows --- */

struct image_rows {
    const struct eng_image *image;
    uint8_t *last; /* a row, padded */
};

static enum eng_status image_row(void *ctx, uint32_t y, const uint8_t **row)
{
    const struct image_rows *rows = ctx;
    const struct eng_image *image = rows->image;
    size_t n = (size_t)image->width_px * image->n_channels;
    *row = eng_image_row(image, y);
    if ((image->height_px - 1 - y) * n < ENG_ROW_PADDING) *row = memcpy(rows->last, *row, n);
    return ENG_OK;
}

static enum eng_status resize_image(const struct eng_image *image, uint32_t n_channels,
                                    const struct eng_axis *x, const struct eng_axis *y,
                                    const struct eng_sampling *how, uint8_t *dst,
                                    size_t dst_stride_bytes, struct eng_error *err)
{
    struct image_rows source = {image, NULL};
    const struct eng_rows rows = {.width_px = image->width_px,
                                  .height_px = image->height_px,
                                  .n_channels = image->n_channels,
                                  .row = image_row,
                                  .ctx = &source};
    source.last = eng_calloc((size_t)image->width_px * image->n_channels + ENG_ROW_PADDING, 1);
    if (!source.last) return eng_fail_memory(err, "resizing a picture");
    enum eng_status status =
        eng_resize_rows(&rows, n_channels, x, y, how, dst, dst_stride_bytes, err);
    free(source.last);
    return status;
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

struct interpolator {
    const struct eng_image *image;
    uint32_t n_channels;
    const uint8_t *background;
    struct eng_weights x, y;
    uint8_t *buffer; /* MAX_TAPS rows of the picture in the colours wanted */
};

static void interpolate_rows(const struct interpolator *r, uint8_t *dst, size_t dst_stride_bytes)
{
    size_t n_row = (size_t)r->image->width_px * r->n_channels;
    for (uint32_t out = 0; out < r->y.n_out; out++, dst += dst_stride_bytes) {
        const uint8_t *rows[MAX_TAPS];
        for (uint32_t k = 0; k < r->y.n[out]; k++)
            rows[k] = eng_color_row(r->image, r->y.begin[out] + k, r->n_channels, r->background,
                                    r->buffer + k * n_row);
        const int32_t *y_weight = r->y.weight + (size_t)out * r->y.stride;
        for (uint32_t i = 0; i < r->x.n_out; i++)
            for (uint32_t c = 0; c < r->n_channels; c++)
                dst[(size_t)i * r->n_channels + c] =
                    interpolate(rows, &r->x, i, y_weight, r->y.n[out], r->n_channels, c);
    }
}

static enum eng_status interpolate_image(const struct eng_image *image, uint32_t n_channels,
                                         const struct eng_axis *x, const struct eng_axis *y,
                                         const struct eng_sampling *how, uint8_t *dst,
                                         size_t dst_stride_bytes, struct eng_error *err)
{
    struct interpolator r = {
        .image = image,
        .n_channels = n_channels,
        .background = how->background,
        .buffer = eng_calloc(MAX_TAPS, (size_t)image->width_px * n_channels),
    };
    enum eng_status status = eng_weights_init(&r.x, x, how, err);
    if (status == ENG_OK) status = eng_weights_init(&r.y, y, how, err);
    if (status == ENG_OK && !r.buffer) status = eng_fail_memory(err, "resizing a picture");
    if (status == ENG_OK) interpolate_rows(&r, dst, dst_stride_bytes);
    free(r.buffer);
    eng_weights_fini(&r.x);
    eng_weights_fini(&r.y);
    return status;
}

enum eng_status eng_resize(const struct eng_image *image, uint32_t n_channels,
                           const struct eng_axis *x, const struct eng_axis *y,
                           const struct eng_sampling *how, uint8_t *dst, size_t dst_stride_bytes,
                           struct eng_error *err)
{
    if (eng_sampling_is_separable(how->filter, how->aliased))
        return resize_image(image, n_channels, x, y, how, dst, dst_stride_bytes, err);
    return interpolate_image(image, n_channels, x, y, how, dst, dst_stride_bytes, err);
}
