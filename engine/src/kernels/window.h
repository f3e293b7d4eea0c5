/* How a sliding window (convolution, pooling) walks over an image. Three axes: depth, height,
 * width; those that an operator of fewer dimensions lacks have size 1, stride 1 and no padding. */
#ifndef ENG_KERNELS_WINDOW_H
#define ENG_KERNELS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum { ENG_WINDOW_AXES = 3 };

struct eng_window {
    int64_t in[ENG_WINDOW_AXES];
    int64_t out[ENG_WINDOW_AXES];
    int64_t kernel[ENG_WINDOW_AXES];
    int64_t stride[ENG_WINDOW_AXES];
    int64_t dilation[ENG_WINDOW_AXES];
    int64_t pad_begin[ENG_WINDOW_AXES];
    int64_t pad_end[ENG_WINDOW_AXES];
};

static inline size_t eng_window_volume(const int64_t sizes[ENG_WINDOW_AXES])
{
    return (size_t)(sizes[0] * sizes[1] * sizes[2]);
}

/* The kernel taps [first, last) of one axis that fall inside the image at output position o. */
struct eng_window_taps {
    int64_t first, last;
    int64_t origin; /* where tap 0 falls; may lie outside */
};

static inline struct eng_window_taps eng_window_taps_at(const struct eng_window *w, int axis,
                                                        int64_t o)
{
    int64_t origin = o * w->stride[axis] - w->pad_begin[axis], step = w->dilation[axis];
    struct eng_window_taps taps = {.first = 0, .last = w->kernel[axis], .origin = origin};
    if (origin < 0) taps.first = (-origin + step - 1) / step;
    if (origin + (taps.last - 1) * step >= w->in[axis])
        taps.last = w->in[axis] > origin ? (w->in[axis] - origin + step - 1) / step : 0;
    if (taps.first > taps.last) taps.first = taps.last;
    return taps;
}

/* The output positions [first, last) of one axis at which this tap falls inside the image. */
static inline void eng_window_reach(const struct eng_window *w, int axis, int64_t tap,
                                    int64_t *first, int64_t *last)
{
    int64_t offset = tap * w->dilation[axis] - w->pad_begin[axis], stride = w->stride[axis];
    int64_t lo = offset < 0 ? (-offset + stride - 1) / stride : 0;
    int64_t hi = w->in[axis] > offset ? (w->in[axis] - offset + stride - 1) / stride : 0;
    *last = hi < w->out[axis] ? hi : w->out[axis];
    *first = lo < *last ? lo : *last;
}

#endif
