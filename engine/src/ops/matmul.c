/*
 * Y = A B as numpy.matmul: the last two dimensions are multiplied, those before broadcast.
 *
 * Shapes: A [.., M, K], B [.., K, N]; Y [.., M, N]. A of rank 1 is a row, B of rank 1 a column; the
 * dimension that this adds is dropped from Y.
 * Source: ONNX MatMul, versions 1, 9, 13.
 */
#include "base/error.h"
#include "ops/matmul_shape.h"
#include "ops/op.h"

#include <stdio.h>

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_matmul_takes(dtype) || eng_dtype_bytes(dtype) < 4)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; a float or an integer of 32 or 64 bits is "
                        "wanted",
                        eng_dtype_name(dtype));
    enum eng_status status = eng_infer_dtype(q, 1, dtype, err);
    if (status != ENG_OK) return status;
    struct eng_shape y;
    status = eng_matmul_resolve(&q->in[0]->shape, &q->in[1]->shape, q->state, &y, err);
    if (status == ENG_OK) eng_infer_output(q, 0, dtype, &y);
    return status;
}

static void forward(const struct eng_op_call *call)
{
    eng_matmul_forward(call->state, call->in[0]->dtype, call->in[0]->data, call->in[1]->data,
                       call->activation, call->out[0]->data, call->pool);
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    return call->grad_in[k] ? call->grad_in[k]->data : NULL;
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    struct eng_matmul_gradients gradients = {.a = call->in[0]->data,
                                             .b = call->in[1]->data,
                                             .dc = call->grad_out[0]->data,
                                             .da = gradient(call, 0),
                                             .db = gradient(call, 1),
                                             .write_da = call->write_grad & 1,
                                             .write_db = call->write_grad >> 1 & 1};
    eng_matmul_backward(call->state, &gradients, call->pool);
}

static double flops(const struct eng_op_infer *q)
{
    return eng_matmul_flops(q->state);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    snprintf(text, size, "%s", eng_matmul_algorithm(call->in[0]->dtype));
}

/* Not along the dimension that is summed. */
static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    int rank = q->in[k]->shape.rank, summed = rank - (k == 0 ? 1 : 2);
    if (q->in[0]->shape.rank < 2 || q->in[1]->shape.rank < 2 || axis == summed)
        return ENG_AXIS_MIXED;
    return eng_follow_aligned(q, k, axis);
}

const struct eng_op eng_op_matmul = {
    .name = "MatMul",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_FUSES_ACTIVATION,
    .follow = follow,
    .state_bytes = sizeof(struct eng_matmul),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 3,
    .flops = flops,
    .describe = describe,
    .trainable_inputs = 3,
    .weight_inputs = 3,
};
