/* Maximum and mean of windows, and scale and shift, with channels last: [n_images, height, width,
 * channels]. */
#ifndef ENG_KERNELS_NHWC_POOLING_H
#define ENG_KERNELS_NHWC_POOLING_H

#include "engine/pool.h"
#include "kernels/window.h"

#include <stdbool.h>

struct eng_nhwc_pool {
    struct eng_window window; /* its first axis is 1 */
    size_t n_images, n_channels;
    bool count_padding; /* a mean's */
};

/* Purpose: y = the largest of each window; NaN if it holds one, -infinity if it lies wholly in the
 * padding. */
void eng_nhwc_max_pool(const struct eng_nhwc_pool *p, const float *x, float *y,
                       struct eng_pool *pool);

/* Purpose: y = the mean of each window, over the taps inside the image or, if count_padding, inside
 * the padded image. */
void eng_nhwc_average_pool(const struct eng_nhwc_pool *p, const float *x, float *y,
                           struct eng_pool *pool);

/* Purpose: y [n_images, n_channels] = the mean of all pixels of x [n_images, n_pixels, n_channels].
 */
void eng_nhwc_global_mean(size_t n_images, size_t n_pixels, size_t n_channels, const float *x,
                          float *y, struct eng_pool *pool);

#endif
