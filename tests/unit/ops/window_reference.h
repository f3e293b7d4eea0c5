/* Sliding windows the slow way: for references of convolution and pooling. */
#ifndef TEST_OPS_WINDOW_REFERENCE_H
#define TEST_OPS_WINDOW_REFERENCE_H

#include "op_case.h"

/* One axis, from the attributes as the standard words them. */
struct window_axis {
    int64_t in, out, kernel, stride, dilation, begin, end;
};

static inline struct window_axis window_axis(const struct op_case *c, size_t i, size_t n,
                                             int64_t in, int64_t kernel)
{
    const struct eng_attr *auto_pad = op_attr(c, "auto_pad");
    const char *how = auto_pad ? auto_pad->s : "NOTSET";
    struct window_axis a = {.in = in, .kernel = kernel};
    a.stride = op_attr_ints(c, "strides", i, 1);
    a.dilation = op_attr_ints(c, "dilations", i, 1);
    a.begin = op_attr_ints(c, "pads", i, 0);
    a.end = op_attr_ints(c, "pads", i + n, 0);
    int64_t extent = (kernel - 1) * a.dilation + 1;
    double steps = (double)(in + a.begin + a.end - extent) / (double)a.stride;
    a.out = (int64_t)floor(steps) + 1;
    if (op_attr_int(c, "ceil_mode", 0)) {
        a.out = (int64_t)ceil(steps) + 1;
        if ((a.out - 1) * a.stride >= in + a.begin) a.out--;
    }
    if (strncmp(how, "SAME", 4) == 0) {
        a.out = (int64_t)ceil((double)in / (double)a.stride);
        int64_t total = (a.out - 1) * a.stride + extent - in;
        if (total < 0) total = 0;
        a.begin = strcmp(how, "SAME_UPPER") == 0 ? total / 2 : (total + 1) / 2;
        a.end = total - a.begin;
    }
    return a;
}

/* Whether a tap falls inside the image, and where. */
static inline bool window_tap(const struct window_axis *a, int64_t out, int64_t tap, int64_t *at)
{
    *at = out * a->stride - a->begin + tap * a->dilation;
    return *at >= 0 && *at < a->in;
}

/* [N, channels, out...]. */
static inline struct eng_shape window_shape(const struct eng_shape *x, int64_t channels,
                                            const struct window_axis *axes)
{
    struct eng_shape y = *x;
    y.dim[1] = channels;
    for (int d = 2; d < x->rank; d++)
        y.dim[d] = axes[d - 2].out;
    return y;
}

/* Kernel tap number `tap` seen from output element i: its pixel in the plane, or false. pixel is
 * the row-major index, column_major the other way round. */
static inline bool window_pixel(const struct window_axis *axes, int n, const struct eng_shape *y,
                                size_t i, int64_t tap, int64_t *pixel, int64_t *column_major)
{
    int64_t at[3], left = tap;
    for (int d = n - 1; d >= 0; d--) {
        if (!window_tap(&axes[d], op_index(y, i, d + 2), left % axes[d].kernel, &at[d]))
            return false;
        left /= axes[d].kernel;
    }
    *pixel = *column_major = 0;
    for (int d = 0; d < n; d++)
        *pixel = *pixel * axes[d].in + at[d];
    for (int d = n - 1; d >= 0; d--)
        *column_major = *column_major * axes[d].in + at[d];
    return true;
}

#endif
