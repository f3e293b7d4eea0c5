/* Max and average over sliding windows. */
#ifndef ENG_KERNELS_POOLING_H
#define ENG_KERNELS_POOLING_H

#include "engine/pool.h"
#include "kernels/window.h"

#include <stdbool.h>

/*
 * Purpose: y = the largest element of each window; NaN if it holds one, -infinity if the window
 * lies wholly in the padding. argmax (may be NULL): its index in its own plane, -1 for none.
 * Shapes: x [n_planes, in...], y and argmax [n_planes, out...]. in volume at most INT32_MAX.
 */
void eng_max_pool_forward(const struct eng_window *window, size_t n_planes, const float *x,
                          float *y, int32_t *argmax, struct eng_pool *pool);

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
 * inside the padded image.
 */
void eng_average_pool_forward(const struct eng_window *window, size_t n_planes, bool count_padding,
                              const float *x, float *y, struct eng_pool *pool);

/* Purpose: adds the gradient of x. */
void eng_average_pool_backward(const struct eng_window *window, size_t n_planes, bool count_padding,
                               const float *dy, float *dx);

#endif
