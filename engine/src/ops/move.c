#include "ops/move.h"

#include <string.h>

void eng_move_forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0], *y = call->out[0];
    if (y->data != x->data) memcpy(y->data, x->data, (size_t)eng_tensor_bytes(x));
}

void eng_move_backward(const struct eng_op_call *call)
{
    if (!eng_move_has_gradient(call, 0)) return;
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    if (dx == dy) return;
    int64_t n = eng_shape_count(&call->in[0]->shape);
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i];
}

bool eng_move_writes(const struct eng_op_call *call, size_t k)
{
    return k < 32 && call->write_grad >> k & 1;
}

bool eng_move_has_gradient(const struct eng_op_call *call, size_t k)
{
    if (!call->grad_in[k]) return false;
    const struct eng_tensor *dx = call->grad_in[k];
    size_t n_bytes = (size_t)eng_tensor_bytes(dx);
    if (dx->dtype != ENG_FLOAT32 && eng_move_writes(call, k) && n_bytes > 0)
        memset(dx->data, 0, n_bytes);
    bool comes = false;
    for (size_t i = 0; i < call->n_out; i++)
        comes |= call->grad_out[i] != NULL;
    return comes && dx->dtype == ENG_FLOAT32;
}

void eng_move_box_forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_box_copy(call->state, x->dtype, x->data, call->out[0]->data, call->pool);
}

void eng_move_gradient(const struct eng_op_call *call, size_t k, const struct eng_box *box,
                       const struct eng_tensor *dy)
{
    float *dx = call->grad_in[k]->data;
    if (eng_move_writes(call, k))
        eng_box_copy(box, ENG_FLOAT32, dy->data, dx, call->pool);
    else
        eng_box_add(box, dy->data, dx, call->pool);
}

void eng_move_box_backward(const struct eng_op_call *call)
{
    if (!eng_move_has_gradient(call, 0)) return;
    struct eng_box back = eng_box_back(call->state);
    eng_move_gradient(call, 0, &back, call->grad_out[0]);
}

struct eng_box eng_move_part(const struct eng_shape *whole, int axis, int64_t start, int64_t length)
{
    int64_t outer = 1, inner = 1;
    for (int d = 0; d < axis; d++)
        outer *= whole->dim[d];
    for (int d = axis + 1; d < whole->rank; d++)
        inner *= whole->dim[d];
    struct eng_box box = {.from_start = start * inner};
    eng_box_push(&box, outer, whole->dim[axis] * inner, length * inner);
    eng_box_push(&box, length * inner, 1, 1);
    return box;
}
