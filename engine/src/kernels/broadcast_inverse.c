#include "kernels/broadcast.h"

/* dY/dA or dY/dB. */
static float slope(enum eng_arithmetic what, bool is_a, float a, float b)
{
    if (what == ENG_SUB) return is_a ? 1 : -1;
    return is_a ? 1 / b : -a / (b * b);
}

void eng_broadcast_backward_inverse(const struct eng_broadcast *plan, enum eng_arithmetic what,
                                    bool is_a, const float *a, const float *b, const float *dy,
                                    float *d)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(plan, i);
        d[is_a ? at.a : at.b] += dy[i] * slope(what, is_a, a[at.a], b[at.b]);
    }
}
