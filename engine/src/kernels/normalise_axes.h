/* Division by a norm or deviation over some axes: LpNormalization, MeanVarianceNormalization. */
#ifndef ENG_KERNELS_NORMALISE_AXES_H
#define ENG_KERNELS_NORMALISE_AXES_H

#include "kernels/axes.h"

enum eng_norm {
    ENG_NORM_L1,        /* y = x / sum |x| */
    ENG_NORM_L2,        /* y = x / sqrt(sum x^2) */
    ENG_NORM_DEVIATION, /* y = (x - mean) / (deviation + 1e-9), of the population */
};

/* Purpose: y[i] from x[i] and the norm of all terms of its output (see axes.h); where a norm is 0,
 * y is 0. Floats (summed in double) or doubles. */
void eng_normalise_axes_forward(const struct eng_axes *axes, enum eng_norm norm,
                                enum eng_dtype dtype, const void *x, void *y,
                                struct eng_pool *pool);

/* Purpose: dx += the gradient, or = if write; floats. */
void eng_normalise_axes_backward(const struct eng_axes *axes, enum eng_norm norm, const float *x,
                                 const float *dy, bool write, float *dx, struct eng_pool *pool);

#endif
