/* Softmax and its logarithm along one axis. */
#ifndef ENG_KERNELS_SOFTMAX_H
#define ENG_KERNELS_SOFTMAX_H

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

/* Purpose: dx += the gradient, from the output y. */
void eng_softmax_backward(const struct eng_softmax *s, const float *y, const float *dy, float *dx);

#endif
