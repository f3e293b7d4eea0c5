/* Maximum and mean of windows of 8-bit integers with channels last, from bytes to bytes. */
#ifndef ENG_KERNELS_INT8_POOLING_H
#define ENG_KERNELS_INT8_POOLING_H

#include "engine/pool.h"
#include "kernels/int8_kernels.h"
#include "kernels/window.h"

struct eng_int8_pool {
    struct eng_window window; /* its first axis is 1 */
    size_t n_images, n_channels;
    bool count_padding; /* a mean's */
};

/* Purpose: y = the largest byte of each window, ordered as flip says; every window sees a pixel. */
void eng_int8_max_pool(const struct eng_int8_pool *p, const uint8_t *x, uint32_t flip, uint8_t *y,
                       struct eng_pool *pool);

/* What turns a sum into a mean: zero, of x, is 0 .. 255, after flip; factor is x's scale by y's. */
struct eng_int8_mean {
    uint32_t flip;
    int32_t zero;
    float factor;
    struct eng_int8_finish finish; /* but for factor and offset */
};

/* Purpose: y = the mean of each window, over the taps inside the image or, if count_padding, inside
 * the padded image. scratch: eng_int8_average_bytes. */
void eng_int8_average_pool(const struct eng_int8_pool *p, const struct eng_int8_mean *mean,
                           const uint8_t *x, uint8_t *y, struct eng_pool *pool);

#endif
