#include "image/resize.h"

#include "base/error.h"
#include "base/mem.h"
#include "image/color.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fixed point of the weights: 8 bits of pixel, 2 bits for filters that overshoot, 22 of fraction.
 */
enum { FRACTION_BITS = 32 - 8 - 2 };
static const int32_t half = 1 << (FRACTION_BITS - 1);

/* For each output sample: which input samples it averages, and their weights. */
struct weights {
    uint32_t n_out;
    uint32_t stride; /* room for the weights of one output sample */
    uint32_t *begin; /* [n_out] first input sample */
    uint32_t *n;     /* [n_out] how many */
    int32_t *weight; /* [n_out, stride] */
};

struct resampler {
    const struct eng_image *image;
    uint32_t n_channels;
    bool same_width; /* rows are taken as they are, from first on */
    uint64_t first;
    struct weights x, y;
    size_t n_row; /* bytes of an output row */
    uint8_t *color_row, *row;
    int32_t *sums; /* [y.n_out, n_row] of the vertical pass */
};

static double bilinear(double distance)
{
    distance = fabs(distance);
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

const struct eng_filter eng_filter_bilinear = {.support = 1.0, .weight = bilinear};

static uint8_t to_pixel(int32_t sum)
{
    int32_t value = sum >> FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Fills in output sample i, whose centre lies at position center of the input. */
static void set_weights(struct weights *w, uint32_t i, double center, double filter_scale,
                        uint32_t n_in, const struct eng_filter *filter, double *exact)
{
    double support = filter->support * filter_scale;
    double begin = floor(center - support + 0.5), end = floor(center + support + 0.5);
    uint32_t from = begin > 0 ? (uint32_t)begin : 0;
    uint32_t to = end < n_in ? (uint32_t)end : n_in;
    double sum = 0;
    for (uint32_t k = from; k < to; k++) {
        exact[k - from] = filter->weight((k - center + 0.5) / filter_scale);
        sum += exact[k - from];
    }
    w->begin[i] = from;
    w->n[i] = to - from;
    int32_t *weight = w->weight + (size_t)i * w->stride;
    for (uint32_t k = 0; k < to - from; k++)
        weight[k] = (int32_t)lround(exact[k] / sum * (1 << FRACTION_BITS));
}

static enum eng_status weights_init(struct weights *w, const struct eng_axis *axis,
                                    const struct eng_filter *filter, struct eng_error *err)
{
    double scale = (double)axis->n_in / (double)axis->n_resized;
    double filter_scale = scale > 1.0 ? scale : 1.0; /* enlarging interpolates, it does not blur */
    uint32_t stride = 2 * (uint32_t)ceil(filter->support * filter_scale) + 1;
    *w = (struct weights){
        .n_out = axis->n_out,
        .stride = stride,
        .begin = eng_calloc(axis->n_out, sizeof *w->begin),
        .n = eng_calloc(axis->n_out, sizeof *w->n),
        .weight = eng_calloc((size_t)axis->n_out * stride, sizeof *w->weight),
    };
    double *exact = eng_calloc(stride, sizeof *exact);
    bool ok = w->begin && w->n && w->weight && exact;
    for (uint32_t i = 0; ok && i < axis->n_out; i++) {
        double center = ((double)(axis->first + i) + 0.5) * scale;
        set_weights(w, i, center, filter_scale, axis->n_in, filter, exact);
    }
    free(exact);
    return ok ? ENG_OK : eng_fail_memory(err, "resizing a picture");
}

static void weights_fini(struct weights *w)
{
    free(w->begin);
    free(w->n);
    free(w->weight);
}

/* Inlined with n_channels known, so that the inner loop has no branch. */
static inline __attribute__((always_inline)) void
resample_row_n(const uint8_t *src, const struct weights *x, uint32_t n_channels, uint8_t *dst)
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
    const uint8_t *src = eng_color_row(r->image, y, r->n_channels, r->color_row);
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
    const struct weights *y = &r->y;
    uint32_t last = y->n_out - 1;
    uint32_t open = 0; /* output rows before this one are complete */
    for (uint32_t in = y->begin[0]; in < y->begin[last] + y->n[last]; in++) {
        const uint8_t *row = resample_row(r, in);
        while (in >= y->begin[open] + y->n[open])
            open++;
        for (uint32_t out = open; out <= last && y->begin[out] <= in; out++) {
            int32_t weight = y->weight[(size_t)out * y->stride + (in - y->begin[out])];
            add_row(r->sums + out * r->n_row, row, weight, r->n_row);
        }
    }
    for (uint32_t out = 0; out <= last; out++)
        for (size_t i = 0; i < r->n_row; i++)
            dst[out * dst_stride_bytes + i] = to_pixel(r->sums[out * r->n_row + i] + half);
}

static enum eng_status resampler_init(struct resampler *r, const struct eng_axis *x,
                                      const struct eng_axis *y, const struct eng_filter *filter,
                                      struct eng_error *err)
{
    enum eng_status status = weights_init(&r->x, x, filter, err);
    if (status == ENG_OK) status = weights_init(&r->y, y, filter, err);
    if (status != ENG_OK) return status;
    size_t n_sums;
    if (!eng_mul_size(y->n_out, r->n_row, &n_sums))
        return eng_fail_memory(err, "resizing a picture");
    r->color_row = eng_calloc(x->n_in, r->n_channels);
    r->row = eng_calloc(r->n_row, 1);
    r->sums = eng_calloc(n_sums, sizeof *r->sums);
    if (!r->color_row || !r->row || !r->sums) return eng_fail_memory(err, "resizing a picture");
    return ENG_OK;
}

enum eng_status eng_resize(const struct eng_image *image, uint32_t n_channels,
                           const struct eng_axis *x, const struct eng_axis *y,
                           const struct eng_filter *filter, uint8_t *dst, size_t dst_stride_bytes,
                           struct eng_error *err)
{
    struct resampler r = {
        .image = image,
        .n_channels = n_channels,
        .same_width = x->n_resized == x->n_in,
        .first = x->first,
        .n_row = (size_t)x->n_out * n_channels,
    };
    enum eng_status status = resampler_init(&r, x, y, filter, err);
    if (status == ENG_OK) resample_rows(&r, dst, dst_stride_bytes);
    weights_fini(&r.x);
    weights_fini(&r.y);
    free(r.color_row);
    free(r.row);
    free(r.sums);
    return status;
}
