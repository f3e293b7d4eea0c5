/*
 * Y = where along an axis X is largest (ArgMax) or smallest (ArgMin).
 *
 * Shapes: Y has X's, with 1 for the axis or (keepdims 0) without it; int64. Of equal elements the
 * first, or the last with select_last_index. NaN counts as the largest. No gradient.
 * Source: ONNX ArgMax and ArgMin, versions 1, 11, 12, 13.
 */
#include "kernels/argmax.h"

#include "base/error.h"
#include "ops/op.h"

struct attrs {
    int64_t axis;
    bool keepdims, select_last_index;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, 0, INT32_MIN, INT32_MAX, "where to search"),
    ENG_F_BOOL(struct attrs, keepdims, 1, "the axis stays, with length 1"),
    ENG_F_BOOL(struct attrs, select_last_index, 0, "of equal elements the last"),
};

enum { OPSET_LAST_INDEX = 12 };

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_shape y = q->in[0]->shape;
    enum eng_dtype dtype = q->in[0]->dtype;
    int axis;
    if (dtype == ENG_BOOL || dtype == ENG_FLOAT16)
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; a number is wanted",
                        eng_dtype_name(dtype));
    enum eng_status status =
        eng_infer_since(q, OPSET_LAST_INDEX, attrs->select_last_index, "select_last_index", err);
    if (status == ENG_OK) status = eng_infer_axis(attrs->axis, y.rank, &axis, err);
    if (status != ENG_OK) return status;
    if (y.dim[axis] == 0)
        return eng_fail(err, ENG_FORMAT, "input 0 has no elements along axis %d", axis);
    eng_axes_plan(&y, 1u << axis, q->state);
    y.dim[axis] = 1;
    if (!attrs->keepdims) {
        y.rank--;
        for (int d = axis; d < y.rank; d++)
            y.dim[d] = y.dim[d + 1];
    }
    eng_infer_output(q, 0, ENG_INT64, &y);
    return ENG_OK;
}

static void search(const struct eng_op_call *call, bool smallest)
{
    const struct attrs *attrs = call->attrs;
    const struct eng_tensor *x = call->in[0];
    struct eng_argmax what = {.smallest = smallest, .last = attrs->select_last_index};
    eng_argmax(call->state, what, x->dtype, x->data, call->out[0]->data, call->pool);
}

static void argmax_forward(const struct eng_op_call *call)
{
    search(call, false);
}

static void argmin_forward(const struct eng_op_call *call)
{
    search(call, true);
}

static double flops(const struct eng_op_infer *q)
{
    return (double)eng_shape_count(&q->in[0]->shape);
}

#define ARG(onnx_name, id)                           \
    const struct eng_op eng_op_##id = {              \
        .name = onnx_name,                           \
        .domain = "",                                \
        .opset_min = ENG_OPSET_MIN,                  \
        .opset_max = ENG_OPSET_MAX,                  \
        .in_min = 1,                                 \
        .in_max = 1,                                 \
        .out_min = 1,                                \
        .out_max = 1,                                \
        .follow = eng_follow_left,                   \
        .attrs = fields,                             \
        .n_attrs = sizeof fields / sizeof fields[0], \
        .attrs_bytes = sizeof(struct attrs),         \
        .state_bytes = sizeof(struct eng_axes),      \
        .infer = infer,                              \
        .forward = id##_forward,                     \
        .flops = flops,                              \
    }

ARG("ArgMax", argmax);
ARG("ArgMin", argmin);
