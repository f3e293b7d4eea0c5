/*
 * Y = the running sums of X along an axis: y[i] = x[0] + .. + x[i], or (exclusive) to x[i - 1];
 * reverse: from the end.
 *
 * Shapes: Y has X's; the axis is input 1, constant. Types: float, double, int32, int64 and the
 * unsigned ones. Gradient: the running sums of dY the other way round.
 * Source: ONNX CumSum, versions 11, 14.
 */
#include "kernels/cumulate.h"

#include "base/error.h"
#include "ops/op.h"

enum { OPSET_FIRST = 11, AXIS = 1 };

struct attrs {
    bool exclusive, reverse;
};

static const struct eng_field fields[] = {
    ENG_F_BOOL(struct attrs, exclusive, 0, "an element's sum leaves itself out"),
    ENG_F_BOOL(struct attrs, reverse, 0, "sums run from the end"),
};

static enum eng_status read_axis(const struct eng_op_infer *q, int *axis, struct eng_error *err)
{
    const struct eng_tensor *input = q->in[AXIS];
    enum eng_dtype wanted = input->dtype == ENG_INT32 ? ENG_INT32 : ENG_INT64;
    enum eng_status status = eng_infer_constant(q, AXIS, "axis", wanted, err);
    if (status == ENG_OK) status = eng_infer_count(q, AXIS, 1, err);
    if (status != ENG_OK) return status;
    int64_t value =
        wanted == ENG_INT32 ? *(const int32_t *)input->data : *(const int64_t *)input->data;
    return eng_infer_axis(value, q->in[0]->shape.rank, axis, err);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    enum eng_dtype dtype = q->in[0]->dtype;
    int axis;
    if (dtype == ENG_BOOL || dtype == ENG_FLOAT16 || eng_dtype_bytes(dtype) < 4)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; a number of 4 or 8 bytes is wanted",
                        eng_dtype_name(dtype));
    enum eng_status status = read_axis(q, &axis, err);
    if (status != ENG_OK) return status;
    *(struct eng_cumulate *)q->state =
        (struct eng_cumulate){.outer = eng_infer_product(x, 0, axis),
                              .n = (size_t)x->dim[axis],
                              .inner = eng_infer_product(x, axis + 1, x->rank),
                              .exclusive = attrs->exclusive,
                              .reverse = attrs->reverse};
    eng_infer_same(q);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_cumulate(call->state, x->dtype, x->data, false, call->out[0]->data);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    struct eng_cumulate back = *(const struct eng_cumulate *)call->state;
    back.reverse = !back.reverse;
    eng_cumulate(&back, ENG_FLOAT32, call->grad_out[0]->data, !(call->write_grad & 1),
                 call->grad_in[0]->data);
}

const struct eng_op eng_op_cumsum = {
    .name = "CumSum",
    .domain = "",
    .opset_min = OPSET_FIRST,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_cumulate),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
};
