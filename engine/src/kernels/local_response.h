/* Normalisation of each element by its neighbours in the same place of near channels. */
#ifndef ENG_KERNELS_LOCAL_RESPONSE_H
#define ENG_KERNELS_LOCAL_RESPONSE_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* x is [n_images, n_channels, n_pixels]. y = x / s^beta, s = bias + alpha / size * (the sum of x^2
 * over `size` channels from (size - 1) / 2 before on, those that exist). */
struct eng_local_response {
    size_t n_images, n_channels, n_pixels, size;
    double alpha, beta, bias;
};

/* Purpose: forward, floats or doubles. */
void eng_local_response_forward(const struct eng_local_response *l, enum eng_dtype dtype,
                                const void *x, void *y, struct eng_pool *pool);

/* Purpose: dx += the gradient, or = if write; floats. */
void eng_local_response_backward(const struct eng_local_response *l, const float *x,
                                 const float *dy, bool write, float *dx, struct eng_pool *pool);

#endif
