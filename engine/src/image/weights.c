#include "image/weights.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* A filter's half-width, and its weight at a distance; both in samples of the smaller grid. */
struct kernel {
    double support;
    double (*weight)(double distance);
};

static double bilinear(double distance)
{
    distance = fabs(distance);
    return distance < 1.0 ? 1.0 - distance : 0.0;
}

/* Keys' cubic convolution; a is its slope at distance 1. */
static double cubic(double distance, double a)
{
    double x = fabs(distance);
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
    return 0.0;
}

static double cubic_half(double distance)
{
    return cubic(distance, -0.5);
}

static double cubic_three_quarters(double distance)
{
    return cubic(distance, -0.75);
}

static const struct kernel *kernel_of(const struct eng_sampling *how)
{
    static const struct kernel linear = {1.0, bilinear}, pillow = {2.0, cubic_half},
                               torch = {2.0, cubic_three_quarters};
    if (how->filter != ENG_FILTER_BICUBIC) return &linear;
    return how->aliased ? &torch : &pillow;
}

static int32_t to_fixed(double weight)
{
    return (int32_t)lround(weight * (1 << ENG_WEIGHT_FRACTION_BITS));
}

/*
 * Pillow: the filter is as wide as the reduction, what lies outside the picture does not count.
 * Output sample i has its centre at position center of the input.
 */
static void set_averaged(struct eng_weights *w, uint32_t i, double center, double filter_scale,
                         uint32_t n_in, const struct kernel *kernel, double *exact)
{
    double support = kernel->support * filter_scale;
    double begin = floor(center - support + 0.5), end = floor(center + support + 0.5);
    uint32_t from = begin > 0 ? (uint32_t)begin : 0;
    uint32_t to = end < n_in ? (uint32_t)end : n_in;
    double sum = 0;
    for (uint32_t k = from; k < to; k++) {
        exact[k - from] = kernel->weight((k - center + 0.5) / filter_scale);
        sum += exact[k - from];
    }
    w->begin[i] = from;
    w->n[i] = to - from;
    int32_t *weight = w->weight + (size_t)i * w->stride;
    for (uint32_t k = 0; k < to - from; k++)
        weight[k] = to_fixed(exact[k] / sum);
}

static uint32_t clamp(double position, uint32_t n_in)
{
    return position <= 0 ? 0 : position >= n_in ? n_in - 1 : (uint32_t)position;
}

/* torch and OpenCV: the nearest 2 or 4 samples; those outside are the picture's border. */
static void set_interpolated(struct eng_weights *w, uint32_t i, double center, uint32_t n_in,
                             const struct kernel *kernel, double *exact)
{
    double begin = floor(center - kernel->support + 0.5);
    uint32_t n_taps = 2 * (uint32_t)kernel->support;
    uint32_t from = clamp(begin, n_in), last = clamp(begin + n_taps - 1, n_in);
    for (uint32_t k = 0; k <= last - from; k++)
        exact[k] = 0;
    for (uint32_t k = 0; k < n_taps; k++)
        exact[clamp(begin + k, n_in) - from] += kernel->weight(begin + k - center + 0.5);
    w->begin[i] = from;
    w->n[i] = last - from + 1;
    for (uint32_t k = 0; k <= last - from; k++)
        w->weight[(size_t)i * w->stride + k] = to_fixed(exact[k]);
}

static void set_smooth(struct eng_weights *w, const struct eng_axis *axis,
                       const struct eng_sampling *how, double filter_scale, double *exact)
{
    const struct kernel *kernel = kernel_of(how);
    double scale = (double)axis->n_in / (double)axis->n_resized;
    for (uint32_t i = 0; i < axis->n_out; i++) {
        double center = ((double)(axis->first + i) + 0.5) * scale;
        if (how->aliased)
            set_interpolated(w, i, center, axis->n_in, kernel, exact);
        else
            set_averaged(w, i, center, filter_scale, axis->n_in, kernel, exact);
    }
}

/* Pillow walks along the axis and adds up the step, rounding errors included. */
static double walk(double scale, uint64_t n_steps)
{
    static const uint64_t FAR = 1 << 20; /* where walking would take longer than it is worth */
    double at = scale * 0.5;
    if (n_steps > FAR) return at + scale * (double)n_steps;
    for (uint64_t i = 0; i < n_steps; i++)
        at += scale;
    return at;
}

static void set_nearest(struct eng_weights *w, const struct eng_axis *axis, bool aliased)
{
    double scale = (double)axis->n_in / (double)axis->n_resized, at = walk(scale, axis->first);
    for (uint32_t i = 0; i < axis->n_out; i++, at += scale) {
        uint64_t corner = (axis->first + i) * axis->n_in / axis->n_resized;
        w->begin[i] = aliased ? (uint32_t)corner : clamp(at, axis->n_in);
        w->n[i] = 1;
        w->weight[(size_t)i * w->stride] = 1 << ENG_WEIGHT_FRACTION_BITS;
    }
}

enum eng_status eng_weights_init(struct eng_weights *w, const struct eng_axis *axis,
                                 const struct eng_sampling *how, struct eng_error *err)
{
    double scale = (double)axis->n_in / (double)axis->n_resized;
    /* Enlarging interpolates, it does not blur. */
    double filter_scale = scale > 1.0 && !how->aliased ? scale : 1.0;
    bool nearest = how->filter == ENG_FILTER_NEAREST;
    uint32_t stride = 2 * (uint32_t)ceil(kernel_of(how)->support * filter_scale) + 1;
    if (nearest) stride = 1;
    stride = (stride + 3) & ~3u;
    *w = (struct eng_weights){
        .n_out = axis->n_out,
        .stride = stride,
        .begin = eng_calloc(axis->n_out, sizeof *w->begin),
        .n = eng_calloc(axis->n_out, sizeof *w->n),
        .weight = eng_calloc((size_t)axis->n_out * stride, sizeof *w->weight),
    };
    double *exact = eng_calloc(stride, sizeof *exact);
    bool ok = w->begin && w->n && w->weight && exact;
    if (ok && nearest)
        set_nearest(w, axis, how->aliased);
    else if (ok)
        set_smooth(w, axis, how, filter_scale, exact);
    free(exact);
    return ok ? ENG_OK : eng_fail_memory(err, "resizing a picture");
}

void eng_weights_fini(struct eng_weights *w)
{
    free(w->begin);
    free(w->n);
    free(w->weight);
}
