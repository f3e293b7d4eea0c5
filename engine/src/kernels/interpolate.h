/* Tensors at other sizes: nearest elements, linear and cubic interpolation along any axes. */
#ifndef ENG_KERNELS_INTERPOLATE_H
#define ENG_KERNELS_INTERPOLATE_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* Where output position x of an axis looks in the input; the names are ONNX's. */
enum eng_coordinates {
    ENG_HALF_PIXEL,
    ENG_HALF_PIXEL_SYMMETRIC,
    ENG_PYTORCH_HALF_PIXEL,
    ENG_ALIGN_CORNERS,
    ENG_ASYMMETRIC,
    ENG_TF_HALF_PIXEL_FOR_NN,
    ENG_TF_CROP_AND_RESIZE,
};

enum eng_filter { ENG_NEAREST, ENG_LINEAR, ENG_CUBIC };

enum eng_nearest {
    ENG_ROUND_PREFER_FLOOR,
    ENG_ROUND_PREFER_CEIL,
    ENG_FLOOR,
    ENG_CEIL,
    ENG_CEIL_IF_SMALLER, /* along axes that shrink; else floor */
};

struct eng_interpolation_axis {
    size_t in, out;
    float scale;
    float length;             /* of the output: scale times in, which need not be whole */
    float roi_start, roi_end; /* of crop and resize, as parts of the input */
    bool is_same;             /* output x is input x */
};

struct eng_interpolation {
    enum eng_coordinates coordinates;
    enum eng_filter filter;
    enum eng_nearest nearest;
    bool antialias;       /* where it shrinks, the filter is widened to meet every element */
    bool exclude_outside; /* elements beyond the edge count nothing, instead of as the edge */
    double cubic_a;
    double extrapolation; /* what crop and resize gives beyond the edge */
    bool backward;        /* will be run too */
    int rank;
    struct eng_interpolation_axis axis[ENG_MAX_RANK];
};

/* Purpose: memory for one forward or backward; `in` of every axis at least 1. False: overflow. */
bool eng_interpolate_scratch_bytes(const struct eng_interpolation *i, enum eng_dtype dtype,
                                   size_t *out);

/* Purpose: y = x at the other size. Integers: computed in double, cut towards 0 and clamped to the
 * type. Any type for nearest; others: no bool. Does not depend on pool's size. */
void eng_interpolate_forward(const struct eng_interpolation *i, enum eng_dtype dtype, const void *x,
                             void *y, void *scratch, struct eng_pool *pool);

/* Purpose: adds the gradient of x, floats. */
void eng_interpolate_backward(const struct eng_interpolation *i, const float *dy, float *dx,
                              void *scratch);

#endif
