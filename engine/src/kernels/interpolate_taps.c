#include "kernels/interpolate_taps.h"

#include <math.h>

/* How far the filter reaches, in input positions. */
static size_t reach(const struct eng_interpolation *i, const struct eng_interpolation_axis *axis)
{
    double support = i->filter == ENG_LINEAR ? 1 : 2;
    if (i->antialias && axis->scale < 1) support = ceil(support / (double)axis->scale);
    return (size_t)support;
}

size_t eng_taps_count(const struct eng_interpolation *i, const struct eng_interpolation_axis *axis)
{
    return i->filter == ENG_NEAREST || axis->is_same ? 1 : 2 * reach(i, axis);
}

/* In float32, as other engines compute it: which of two neighbours is nearest can hang on the last
 * bit. */
static float coordinate(enum eng_coordinates how, const struct eng_interpolation_axis *a, float x)
{
    float in = (float)a->in, scale = a->scale;
    switch (how) {
    case ENG_HALF_PIXEL:
        return (x + 0.5f) / scale - 0.5f;
    case ENG_HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - (float)a->out / (scale * in)) + (x + 0.5f) / scale - 0.5f;
    case ENG_PYTORCH_HALF_PIXEL:
        return a->out > 1 ? (x + 0.5f) / scale - 0.5f : 0;
    case ENG_ALIGN_CORNERS:
        return a->out > 1 ? x * (in - 1) / (a->length - 1) : 0;
    case ENG_ASYMMETRIC:
        return x / scale;
    case ENG_TF_HALF_PIXEL_FOR_NN:
        return (x + 0.5f) / scale;
    case ENG_TF_CROP_AND_RESIZE:
        break;
    }
    if (a->out <= 1) return 0.5f * (a->roi_start + a->roi_end) * (in - 1);
    return a->roi_start * (in - 1) + x * (a->roi_end - a->roi_start) * (in - 1) / (a->length - 1);
}

static double cubic(double a, double distance)
{
    double d = fabs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2) return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0;
}

static double linear(double distance)
{
    double d = fabs(distance);
    return d < 1 ? 1 - d : 0;
}

static int64_t clamp(int64_t position, size_t n)
{
    return position < 0 ? 0 : position >= (int64_t)n ? (int64_t)n - 1 : position;
}

static int64_t nearest(enum eng_nearest how, const struct eng_interpolation_axis *a, float x)
{
    int64_t below = (int64_t)floorf(x);
    float ratio = x - floorf(x);
    switch (how) {
    case ENG_ROUND_PREFER_FLOOR:
        return below + (ratio > 0.5f);
    case ENG_ROUND_PREFER_CEIL:
        return below + (ratio >= 0.5f);
    case ENG_FLOOR:
        return below;
    case ENG_CEIL_IF_SMALLER:
        if (a->scale >= 1) return below;
        break;
    case ENG_CEIL:
        break;
    }
    return below + (ratio > 0);
}

/* The weights around x; they add up to 1 where the filter alone does not see to it. */
static void fill_filter(const struct eng_interpolation *i,
                        const struct eng_interpolation_axis *axis, float x, size_t n,
                        int32_t *index, double *weight)
{
    double stretch = i->antialias && axis->scale < 1 ? (double)axis->scale : 1, sum = 0;
    int64_t first = (int64_t)floorf(x) + 1 - (int64_t)(n / 2);
    for (size_t t = 0; t < n; t++) {
        int64_t at = first + (int64_t)t;
        double distance = ((double)at - (double)x) * stretch;
        weight[t] = i->filter == ENG_LINEAR ? linear(distance) : cubic(i->cubic_a, distance);
        index[t] = (int32_t)clamp(at, axis->in);
        if (i->exclude_outside && index[t] != at) weight[t] = 0;
        sum += weight[t];
    }
    for (size_t t = 0; (i->antialias || i->exclude_outside) && sum != 0 && t < n; t++)
        weight[t] /= sum;
}

void eng_taps_fill(const struct eng_interpolation *i, const struct eng_interpolation_axis *axis,
                   struct eng_taps *out)
{
    for (size_t x = 0; x < axis->out; x++) {
        int32_t *index = out->index + x * out->n;
        double *weight = out->weight + x * out->n;
        float at = axis->is_same ? (float)x : coordinate(i->coordinates, axis, (float)x);
        bool outside = i->coordinates == ENG_TF_CROP_AND_RESIZE && !axis->is_same &&
                       !(at >= 0 && at <= (float)(axis->in - 1));
        if (outside) {
            index[0] = -1;
        } else if (out->n == 1) {
            weight[0] = 1;
            index[0] = (int32_t)(axis->is_same ? (int64_t)x
                                               : clamp(nearest(i->nearest, axis, at), axis->in));
        } else {
            fill_filter(i, axis, at, out->n, index, weight);
        }
    }
}
