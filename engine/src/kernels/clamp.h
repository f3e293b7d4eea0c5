/* Activations that are a clamp: a kernel applies those to its sums while they are in registers. */
#ifndef ENG_KERNELS_CLAMP_H
#define ENG_KERNELS_CLAMP_H

#include "kernels/activation.h"

#include <math.h>
#include <stdbool.h>

struct eng_clamp {
    float low, high; /* -INFINITY, INFINITY: none */
    bool is_all;     /* the clamp is the whole activation */
};

static inline struct eng_clamp eng_clamp_for(struct eng_activation act)
{
    struct eng_clamp clamp = {.low = -INFINITY, .high = INFINITY};
    clamp.is_all = act.kind == ENG_ACT_NONE || act.kind == ENG_ACT_RELU || act.kind == ENG_ACT_CLIP;
    if (act.kind == ENG_ACT_RELU) clamp.low = 0;
    if (act.kind == ENG_ACT_CLIP) {
        clamp.low = act.a;
        clamp.high = act.b;
    }
    return clamp;
}

#endif
