/*
 * Convolution by 3x3 kernels with fewer multiplications: Winograd's F(4x4, 3x3).
 *
 * A patch of 6 x 6 pixels and a kernel of 3 x 3 taps are each turned into 36 numbers; their
 * products, summed over channels, are turned back into the 4 x 4 output pixels of a tile: 36
 * multiplications where the sum over taps takes 144. The three passes of training are three uses of
 * one bilinear form:
 *
 *     forward, dX:  Y  = A' ((G w G') . (B' x B)) A      summed over input channels
 *     dW:           dW = G' ((A dY A') . (B' x B)) G     summed over tiles
 *
 * The sums are 36 matrix products, one for each number. Bits differ from the sum over taps; the
 * error is some 1e-6 of the largest term. Training uses it; inference does not, so a model answers
 * alike wherever it runs. Source: Lavin and Gray 2015, "Fast algorithms for convolutional neural
 * networks".
 */
#ifndef ENG_KERNELS_WINOGRAD_H
#define ENG_KERNELS_WINOGRAD_H

#include "kernels/correlate.h"

#include <stdbool.h>

/* Purpose: whether it can do this and is worth it: 2-D, 3x3, steps of 1, no pixels beyond the last
 * window, one group, channels enough. */
bool eng_winograd_suits(const struct eng_correlation *correlation);

/* Purpose: memory for one run of either function below. False: the size overflows. */
bool eng_winograd_scratch_bytes(const struct eng_correlation *correlation, size_t *out);

/* Purpose: what eng_correlate does, on the calling thread. scratch is aligned to 64. */
void eng_winograd_correlate(const struct eng_correlation *correlation, const float *x,
                            const float *w, const float *bias, struct eng_activation activation,
                            float *y, void *scratch);

/* Purpose: adds to dw, laid out as the correlation says w is, the gradient of w. Not mirrored. */
void eng_winograd_weights(const struct eng_correlation *correlation, const float *x,
                          const float *dy, float *dw, void *scratch);

#endif
