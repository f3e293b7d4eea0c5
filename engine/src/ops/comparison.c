/*
 * Comparisons of two tensors and logic of two bools, elementwise: bool; the shapes broadcast as in
 * numpy. No gradient.
 *
 * Source: ONNX Equal 7, 11, 13, 19, Greater and Less 7, 9, 13, GreaterOrEqual and LessOrEqual 12,
 * 16, And, Or and Xor 7. NaN equals nothing and is neither greater nor less.
 */
#include "kernels/broadcast.h"

#include "base/error.h"
#include "ops/op.h"

static enum eng_status infer(struct eng_op_infer *q, enum eng_binary what, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_binary_line_for(what, dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype),
                        eng_binary_line_for(what, ENG_BOOL) ? "bool" : "a number");
    enum eng_status status = eng_infer_dtype(q, 1, dtype, err);
    struct eng_shape y;
    if (status == ENG_OK) status = eng_infer_broadcast(&q->in[0]->shape, &q->in[1]->shape, &y, err);
    if (status != ENG_OK) return status;
    eng_broadcast_plan(&q->in[0]->shape, &q->in[1]->shape, &y, q->state);
    eng_infer_output(q, 0, ENG_BOOL, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call, enum eng_binary what)
{
    eng_broadcast_forward(call->state, what, call->in[0]->dtype, call->in[0]->data,
                          call->in[1]->data, (struct eng_activation){.kind = ENG_ACT_NONE},
                          call->out[0]->data, call->pool);
}

#define COMPARISON(onnx_name, id, what, since)                                       \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err) \
    {                                                                                \
        return infer(q, what, err);                                                  \
    }                                                                                \
    static void id##_forward(const struct eng_op_call *call)                         \
    {                                                                                \
        forward(call, what);                                                         \
    }                                                                                \
    const struct eng_op eng_op_##id = {                                              \
        .name = onnx_name,                                                           \
        .domain = "",                                                                \
        .opset_min = since,                                                          \
        .opset_max = ENG_OPSET_MAX,                                                  \
        .in_min = 2,                                                                 \
        .in_max = 2,                                                                 \
        .out_min = 1,                                                                \
        .out_max = 1,                                                                \
        .state_bytes = sizeof(struct eng_broadcast),                                 \
        .follow = eng_follow_aligned,                                                \
        .infer = id##_infer,                                                         \
        .forward = id##_forward,                                                     \
    }

COMPARISON("Equal", equal, ENG_EQUAL, ENG_OPSET_MIN);
COMPARISON("Greater", greater, ENG_GREATER, ENG_OPSET_MIN);
COMPARISON("Less", less, ENG_LESS, ENG_OPSET_MIN);
COMPARISON("GreaterOrEqual", greater_or_equal, ENG_GREATER_OR_EQUAL, 12);
COMPARISON("LessOrEqual", less_or_equal, ENG_LESS_OR_EQUAL, 12);
COMPARISON("And", and, ENG_AND, ENG_OPSET_MIN);
COMPARISON("Or", or, ENG_OR, ENG_OPSET_MIN);
COMPARISON("Xor", xor, ENG_XOR, ENG_OPSET_MIN);
