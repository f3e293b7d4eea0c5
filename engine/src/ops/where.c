/*
 * Y = condition ? X1 : X2, elementwise; the shapes broadcast as in numpy.
 *
 * Shapes: Y has the type of X1 and X2. Gradient: dX1 = dY where the condition holds, else 0; dX2
 * the other way round; the condition has none. Source: ONNX Where 9, 16.
 */
#include "kernels/select.h"

#include "base/error.h"
#include "ops/op.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *sides[ENG_SELECT_SIDES];
    struct eng_shape y = {.rank = 0};
    enum eng_status status = eng_infer_dtype(q, 0, ENG_BOOL, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, 2, q->in[1]->dtype, err);
    for (size_t k = 0; status == ENG_OK && k < ENG_SELECT_SIDES; k++) {
        sides[k] = &q->in[k]->shape;
        status = eng_infer_broadcast(&y, sides[k], &y, err);
    }
    if (status != ENG_OK) return status;
    eng_select_plan(sides, &y, q->state);
    eng_infer_output(q, 0, q->in[1]->dtype, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    eng_select_forward(call->state, call->in[0]->data, call->in[1]->data, call->in[2]->data,
                       eng_dtype_bytes(call->out[0]->dtype), call->out[0]->data, call->pool);
}

static void backward(const struct eng_op_call *call)
{
    for (size_t k = 1; call->grad_out[0] && k < ENG_SELECT_SIDES; k++)
        if (call->grad_in[k])
            eng_select_backward(call->state, call->in[0]->data, k == 1, call->grad_out[0]->data,
                                call->grad_in[k]->data);
}

const struct eng_op eng_op_where = {
    .name = "Where",
    .domain = "",
    .opset_min = 9,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 3,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .follow = eng_follow_aligned,
    .state_bytes = sizeof(struct eng_select),
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
