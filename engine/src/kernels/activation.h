/* Elementwise functions that a kernel can apply in its epilogue. */
#ifndef ENG_KERNELS_ACTIVATION_H
#define ENG_KERNELS_ACTIVATION_H

#include "engine/pool.h"

#include <stdbool.h>
#include <stddef.h>

enum eng_activation_kind {
    ENG_ACT_NONE,
    ENG_ACT_RELU,       /* max(x, 0) */
    ENG_ACT_LEAKY_RELU, /* x < 0 ? a x : x */
    ENG_ACT_CLIP,       /* min(max(x, a), b) */
    ENG_ACT_SIGMOID,    /* 1 / (1 + exp(-x)) */
    ENG_ACT_TANH,
    ENG_ACT_ELU, /* x < 0 ? a (exp(x) - 1) : x, a not negative */
};

struct eng_activation {
    enum eng_activation_kind kind;
    float a, b;
};

/* Purpose: y[i] = f(x[i]); x == y is allowed. */
void eng_activation_forward(struct eng_activation act, const float *x, float *y, size_t n);

/* Purpose: the same, spread over pool when n is large. */
void eng_activation_map(struct eng_activation act, const float *x, float *y, size_t n,
                        struct eng_pool *pool);

/* Purpose: dx[i] += dy[i] f'(x[i]), or = if write; the derivative is taken from the output y =
 * f(x); a leaky ReLU with a <= 0 needs x in y's place. */
void eng_activation_backward(struct eng_activation act, const float *y, const float *dy, float *dx,
                             bool write, size_t n);

#endif
