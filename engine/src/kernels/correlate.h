/* Sums over channels and kernel taps at every output pixel: convolution's forward pass, and the
 * gradient of its input. */
#ifndef ENG_KERNELS_CORRELATE_H
#define ENG_KERNELS_CORRELATE_H

#include "engine/pool.h"
#include "kernels/activation.h"
#include "kernels/window.h"

#include <stdbool.h>

/* x [n_images, n_groups * in_channels, in...], y [n_images, n_groups * out_channels, out...];
 * the weight of (group, out, in, tap) is w[group * w_group + out * w_out + in * w_in + tap]. */
struct eng_correlation {
    struct eng_window window;
    size_t n_images, n_groups;
    size_t in_channels, out_channels; /* of one group */
    size_t w_group, w_out, w_in;
    bool mirrored;   /* taps are taken from the last to the first */
    bool accumulate; /* y += instead of y = */
};

/* Purpose: memory for one run. False: the size overflows. */
bool eng_correlate_scratch_bytes(const struct eng_correlation *correlation, size_t *out);

/*
 * Purpose: y = activation(x * w + bias); bias [n_groups * out_channels] may be NULL.
 * Determinism: a pixel's bits depend on its own image alone, whatever the batch and the pool.
 */
void eng_correlate(const struct eng_correlation *correlation, const float *x, const float *w,
                   const float *bias, struct eng_activation activation, float *y, void *scratch,
                   struct eng_pool *pool);

#endif
