/* Maximum, mean and norm of sliding windows. */
#ifndef ENG_KERNELS_POOLING_H
#define ENG_KERNELS_POOLING_H

#include "engine/pool.h"
#include "engine/tensor.h"
#include "kernels/window.h"

#include <stdbool.h>

/* Purpose: whether maxima of this type can be found: floats, doubles and bytes. */
bool eng_max_pool_takes(enum eng_dtype dtype);

/*
 * Purpose: y = the largest element of each window; NaN if it holds one, the type's lowest
 * number if the window sees only padding. argmax (may be NULL): its index in its own plane, -1 for none.
 * Shapes: x [n_planes, in...], y and argmax [n_planes, out...]. in volume at most INT32_MAX.
 */
void eng_max_pool_forward(const struct eng_window *window, size_t n_planes, enum eng_dtype dtype,
                          const void *x, void *y, int32_t *argmax, struct eng_pool *pool);

/* Purpose: dx[argmax] += dy; write: dx = instead of +=. */
void eng_max_pool_backward(const struct eng_window *window, size_t n_planes, const int32_t *argmax,
                           const float *dy, float *dx, bool write);

/* Purpose: whether the window is the everyday one: two by two pixels side by side, no padding. Its
 * gradient needs no argmax: comparing x with y again costs less than keeping it. */
bool eng_max_pool_is_pairs(const struct eng_window *window);

/* Purpose: adds to dx what eng_max_pool_backward would; write: dx = instead of +=. */
void eng_max_pool_pairs_backward(const struct eng_window *window, size_t n_planes, const float *x,
                                 const float *y, const float *dy, float *dx, bool write);

/*
 * Purpose: y = the mean of each window, over the taps inside the image, or, if count_padding,
 * inside the padded image. Floats or doubles.
 */
void eng_average_pool_forward(const struct eng_window *window, size_t n_planes, bool count_padding,
                              enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool);

/* Purpose: adds the gradient of x. */
void eng_average_pool_backward(const struct eng_window *window, size_t n_planes, bool count_padding,
                               const float *dy, float *dx);

/* Purpose: y = (sum of |x|^p)^(1 / p) over the taps of each window. Floats or doubles. */
void eng_norm_pool_forward(const struct eng_window *window, size_t n_planes, double p,
                           enum eng_dtype dtype, const void *x, void *y, struct eng_pool *pool);

/* Purpose: adds the gradient of x. */
void eng_norm_pool_backward(const struct eng_window *window, size_t n_planes, double p,
                            const float *x, const float *y, const float *dy, float *dx);

#endif
