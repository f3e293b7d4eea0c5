/* Softmax, its logarithm and its limit along one axis. */
#ifndef ENG_KERNELS_SOFTMAX_H
#define ENG_KERNELS_SOFTMAX_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* A tensor seen as [outer, n, inner]; the function runs along n. */
struct eng_softmax {
    size_t outer, n, inner;
    bool log;
};

/* Purpose: y = softmax(x), or its logarithm; x == y is allowed. The largest element is taken off
 * first, so that no exponential overflows. */
void eng_softmax_forward(const struct eng_softmax *s, const float *x, float *y);

/* Purpose: the same of floats or doubles, on the pool where that pays. */
void eng_softmax_forward_typed(const struct eng_softmax *s, enum eng_dtype dtype, const void *x,
                               void *y, struct eng_pool *pool);

/* Purpose: y = 1 where x is largest along n, at the first such place; else 0. Floats or doubles. */
void eng_hardmax_forward(const struct eng_softmax *s, enum eng_dtype dtype, const void *x, void *y);

/* Purpose: dx += the gradient of softmax or its logarithm, from the output y; floats. */
void eng_softmax_backward(const struct eng_softmax *s, const float *y, const float *dy, float *dx);

#endif
