/* Maximum, mean and norm of whole planes. */
#ifndef ENG_KERNELS_GLOBAL_POOLING_H
#define ENG_KERNELS_GLOBAL_POOLING_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>

/* x [n_planes, n_pixels], y [n_planes]; n_pixels at least 1. Floats or doubles. */
struct eng_global_pool {
    size_t n_planes, n_pixels;
    enum eng_dtype dtype;
    double p; /* of the norm */
};

/* Purpose: y = the largest element of each plane; NaN if it holds one. */
void eng_global_max_forward(const struct eng_global_pool *g, const void *x, void *y,
                            struct eng_pool *pool);

/* Purpose: y = the mean of each plane. */
void eng_global_mean_forward(const struct eng_global_pool *g, const void *x, void *y,
                             struct eng_pool *pool);

/* Purpose: y = (sum of |x|^p)^(1 / p) of each plane. */
void eng_global_norm_forward(const struct eng_global_pool *g, const void *x, void *y,
                             struct eng_pool *pool);

/* Purpose: adds the gradient of x, or writes it; float32. The maximum's goes to the first pixel
 * that is it. */
void eng_global_max_backward(const struct eng_global_pool *g, const float *x, const float *y,
                             const float *dy, float *dx, bool write);
void eng_global_mean_backward(const struct eng_global_pool *g, const float *dy, float *dx,
                              bool write);
void eng_global_norm_backward(const struct eng_global_pool *g, const float *x, const float *y,
                              const float *dy, float *dx, bool write);

#endif
