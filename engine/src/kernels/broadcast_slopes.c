#include "kernels/broadcast.h"

void eng_broadcast_backward_slopes(const struct eng_broadcast *plan, enum eng_binary what,
                                   bool is_a, const float *a, const float *b, const float *dy,
                                   float *d)
{
    int last = plan->rank - 1;
    size_t line = plan->dim[last], step_a = plan->step_a[last], step_b = plan->step_b[last];
    size_t step_d = is_a ? step_a : step_b;
    for (size_t i = 0; i < plan->count; i += line) {
        struct eng_broadcast_at at = eng_broadcast_at(plan, i);
        const float *line_a = a + at.a, *line_b = b + at.b;
        float *line_d = d + (is_a ? at.a : at.b);
        for (size_t j = 0; j < line; j++)
            line_d[j * step_d] +=
                dy[i + j] * eng_binary_slope(what, is_a, line_a[j * step_a], line_b[j * step_b]);
    }
}
