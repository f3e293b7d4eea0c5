/* Sums, means, extremes and norms over some axes of a tensor. */
#ifndef ENG_KERNELS_REDUCE_H
#define ENG_KERNELS_REDUCE_H

#include "kernels/axes.h"

enum eng_reduction {
    ENG_REDUCE_SUM,
    ENG_REDUCE_MEAN,
    ENG_REDUCE_PROD,
    ENG_REDUCE_L1,          /* sum |x| */
    ENG_REDUCE_L2,          /* sqrt(sum x^2) */
    ENG_REDUCE_SUM_SQUARE,  /* sum x^2 */
    ENG_REDUCE_LOG_SUM,     /* log(sum x) */
    ENG_REDUCE_LOG_SUM_EXP, /* log(sum exp(x)), the largest taken off first */
    ENG_REDUCE_MAX,
    ENG_REDUCE_MIN,
};

/*
 * Purpose: y[o] = the reduction of output o's terms. Any number type (bool: MAX and MIN).
 * Floats are summed in double, across pieces of a line at least; integers wrap around, and a real
 * result is cut to one. Of no terms: a sum is 0, a product 1, the largest the type's lowest, the
 * mean NaN (0 of integers). MAX and MIN are NaN if a term is.
 */
void eng_reduce_forward(const struct eng_axes *axes, enum eng_reduction what, enum eng_dtype dtype,
                        const void *x, void *y, struct eng_pool *pool);

/* What backward reads and fills; floats. */
struct eng_reduce_gradients {
    const float *x, *y, *dy;
    float *dx;
    bool write; /* dx = instead of dx += */
};

/* Purpose: the gradient. Terms that tie for MAX or MIN get equal parts, as in torch.amax; where a
 * norm has a kink (0), the gradient is 0. */
void eng_reduce_backward(const struct eng_axes *axes, enum eng_reduction what,
                         const struct eng_reduce_gradients *gradients, struct eng_pool *pool);

#endif
