/*
 * Y = A + B, A - B, A * B and A / B, elementwise; the shapes broadcast as in numpy.
 *
 * Gradient: dA = dY (Add, Sub), dY * B (Mul), dY / B (Div), summed over the dimensions that A
 * repeats; B likewise, with dY/dB = 1, -1, A, -A / B^2.
 * Source: ONNX Add, Sub, Mul and Div, versions 7, 13, 14. Integers wrap around; Div takes floats
 * only. What is subtracted or divided by is a statistic of the data and not trained.
 */
#include "kernels/broadcast.h"

#include "base/error.h"
#include "ops/op.h"

static enum eng_status infer(struct eng_op_infer *q, enum eng_arithmetic what,
                             struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_broadcast_takes(what, dtype) || (q->training && dtype != ENG_FLOAT32))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype),
                        q->training       ? "float"
                        : what == ENG_DIV ? "float or double"
                                          : "a number");
    enum eng_status status = eng_infer_dtype(q, 1, dtype, err);
    struct eng_shape y;
    if (status == ENG_OK) status = eng_infer_broadcast(&q->in[0]->shape, &q->in[1]->shape, &y, err);
    if (status != ENG_OK) return status;
    eng_broadcast_plan(&q->in[0]->shape, &q->in[1]->shape, &y, q->state);
    eng_infer_output(q, 0, dtype, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call, enum eng_arithmetic what)
{
    struct eng_tensor *y = call->out[0];
    eng_broadcast_forward(call->state, what, y->dtype, call->in[0]->data, call->in[1]->data,
                          call->activation, y->data, call->pool);
}

static void backward(const struct eng_op_call *call, enum eng_arithmetic what)
{
    if (!call->grad_out[0]) return;
    for (size_t k = 0; k < 2; k++) {
        const float *other = what == ENG_MUL ? call->in[1 - k]->data : NULL;
        if (!call->grad_in[k]) continue;
        if (what == ENG_SUB || what == ENG_DIV)
            eng_broadcast_backward_inverse(call->state, what, k == 0, call->in[0]->data,
                                           call->in[1]->data, call->grad_out[0]->data,
                                           call->grad_in[k]->data);
        else
            eng_broadcast_backward(call->state, k == 0, other, call->grad_out[0]->data,
                                   call->write_grad >> k & 1, call->grad_in[k]->data);
    }
}

#define ARITHMETIC(onnx_name, id, what, trainable, writes)                           \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err) \
    {                                                                                \
        return infer(q, what, err);                                                  \
    }                                                                                \
    static void id##_forward(const struct eng_op_call *call)                         \
    {                                                                                \
        forward(call, what);                                                         \
    }                                                                                \
    static void id##_backward(const struct eng_op_call *call)                        \
    {                                                                                \
        backward(call, what);                                                        \
    }                                                                                \
    const struct eng_op eng_op_##id = {                                              \
        .name = onnx_name,                                                           \
        .domain = "",                                                                \
        .opset_min = ENG_OPSET_MIN,                                                  \
        .opset_max = ENG_OPSET_MAX,                                                  \
        .in_min = 2,                                                                 \
        .in_max = 2,                                                                 \
        .out_min = 1,                                                                \
        .out_max = 1,                                                                \
        .flags = ENG_OP_IN_PLACE | ENG_OP_FUSES_ACTIVATION,                          \
        .state_bytes = sizeof(struct eng_broadcast),                                 \
        .infer = id##_infer,                                                         \
        .forward = id##_forward,                                                     \
        .backward = id##_backward,                                                   \
        .writes_grad = writes,                                                       \
        .trainable_inputs = trainable,                                               \
    }

ARITHMETIC("Add", add, ENG_ADD, 3, 3);
ARITHMETIC("Sub", sub, ENG_SUB, 0, 0);
ARITHMETIC("Mul", mul, ENG_MUL, 3, 3);
ARITHMETIC("Div", div, ENG_DIV, 0, 0);
