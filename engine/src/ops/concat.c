/*
 * Y = the inputs one after another along an axis; of any type, the same for all.
 *
 * Shapes: equal but for that axis, along which Y is as long as all together.
 * Gradient: each input's is its part of dY. Source: ONNX Concat, versions 4, 11, 13.
 */
#include "base/error.h"
#include "ops/move.h"

enum { NO_AXIS = INT32_MIN };

struct attrs {
    int64_t axis;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, NO_AXIS, -ENG_MAX_RANK, ENG_MAX_RANK - 1,
              "the dimension to join along"),
};

static enum eng_status add_input(const struct eng_op_infer *q, size_t k, int axis,
                                 struct eng_shape *y, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[k]->shape;
    struct eng_shape wanted = *y;
    if (x->rank == y->rank) wanted.dim[axis] = x->dim[axis];
    enum eng_status status = eng_infer_dtype(q, k, q->in[0]->dtype, err);
    if (status == ENG_OK) status = eng_infer_shape(q, k, &wanted, err);
    if (status != ENG_OK) return status;
    if (__builtin_add_overflow(y->dim[axis], x->dim[axis], &y->dim[axis])) y->dim[axis] = INT64_MAX;
    return eng_infer_fits(y, err);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_shape y = q->in[0]->shape;
    int *axis = q->state;
    if (attrs->axis == NO_AXIS) return eng_fail(err, ENG_FORMAT, "attribute 'axis' is missing");
    enum eng_status status = eng_infer_axis(attrs->axis, y.rank, axis, err);
    for (size_t k = 1; status == ENG_OK && k < q->n_in; k++) {
        if (!q->in[k]) return eng_fail(err, ENG_FORMAT, "input %zu is left out", k);
        status = add_input(q, k, *axis, &y, err);
    }
    if (status == ENG_OK) eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return status;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *y = call->out[0];
    int axis = *(const int *)call->state;
    int64_t start = 0;
    for (size_t k = 0; k < call->n_in; k++) {
        const struct eng_tensor *x = call->in[k];
        struct eng_box box = eng_move_part(&y->shape, axis, start, x->shape.dim[axis]);
        struct eng_box back = eng_box_back(&box);
        eng_box_copy(&back, x->dtype, x->data, y->data, call->pool);
        start += x->shape.dim[axis];
    }
}

static void backward(const struct eng_op_call *call)
{
    int axis = *(const int *)call->state;
    int64_t start = 0;
    for (size_t k = 0; k < call->n_in; k++) {
        int64_t length = call->in[k]->shape.dim[axis];
        struct eng_box box = eng_move_part(&call->out[0]->shape, axis, start, length);
        if (eng_move_has_gradient(call, k)) eng_move_gradient(call, k, &box, call->grad_out[0]);
        start += length;
    }
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    return axis == *(const int *)q->state ? ENG_AXIS_MIXED : eng_follow_aligned(q, k, axis);
}

const struct eng_op eng_op_concat = {
    .name = "Concat",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = ENG_OP_ANY_COUNT,
    .out_min = 1,
    .out_max = 1,
    .follow = follow,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(int),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = ~0u,
};
