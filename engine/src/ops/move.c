#include "ops/move.h"

#include <string.h>

void eng_move_forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0], *y = call->out[0];
    if (y->data != x->data) memcpy(y->data, x->data, (size_t)eng_tensor_bytes(x));
}

void eng_move_backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    if (dx == dy) return;
    int64_t n = eng_shape_count(&call->in[0]->shape);
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i];
}
