/*
 * Softmax: y = exp(x) / sum(exp(x)) along an axis; LogSoftmax: its logarithm; Hardmax: 1 at the
 * first of the largest elements, else 0.
 *
 * Shapes: Y has X's. Before opset 13 X is flattened to two dimensions before `axis` (default 1) and
 * the sum runs over the second; since then it runs along `axis` alone (default the last).
 * Gradient: of Hardmax none, it is 0 almost everywhere. Source: ONNX Softmax, LogSoftmax and
 * Hardmax, versions 1, 11, 13.
 */
#include "kernels/softmax.h"

#include "base/error.h"
#include "ops/op.h"

enum { OPSET_ONE_AXIS = 13, AXIS_ABSENT = INT32_MIN };

struct attrs {
    int64_t axis;
};

static const struct eng_field fields[] = {
    ENG_F_INT(struct attrs, axis, AXIS_ABSENT, AXIS_ABSENT, INT32_MAX,
              "where to sum; 1 before opset 13, else -1, if left out"),
};

/* Where the sum begins, and ends if it runs along one axis. */
static enum eng_status find_axis(const struct eng_op_infer *q, int *axis, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    int rank = q->in[0]->shape.rank;
    int64_t wanted = attrs->axis;
    bool one_axis = q->opset >= OPSET_ONE_AXIS;
    if (wanted == AXIS_ABSENT) wanted = one_axis ? -1 : 1;
    if (one_axis || wanted != rank) return eng_infer_axis(wanted, rank, axis, err);
    *axis = rank; /* the old version may flatten at the very end: n is 1 then */
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, bool log, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    bool one_axis = q->opset >= OPSET_ONE_AXIS;
    int axis;
    if (eng_infer_real(q, 0, err) != ENG_OK) return ENG_UNSUPPORTED;
    if (find_axis(q, &axis, err) != ENG_OK) return ENG_FORMAT;
    struct eng_softmax *state = q->state;
    *state = (struct eng_softmax){.outer = eng_infer_product(x, 0, axis), .inner = 1, .log = log};
    state->n = one_axis ? (size_t)x->dim[axis] : eng_infer_product(x, axis, x->rank);
    if (one_axis) state->inner = eng_infer_product(x, axis + 1, x->rank);
    eng_infer_same(q);
    return ENG_OK;
}

static enum eng_status softmax_infer(struct eng_op_infer *q, struct eng_error *err)
{
    return infer(q, false, err);
}

static enum eng_status log_softmax_infer(struct eng_op_infer *q, struct eng_error *err)
{
    return infer(q, true, err);
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    int sum;
    (void)k;
    if (find_axis(q, &sum, NULL) != ENG_OK) return ENG_AXIS_MIXED;
    bool runs = q->opset >= OPSET_ONE_AXIS ? axis == sum : axis >= sum;
    return runs ? ENG_AXIS_MIXED : axis;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_softmax_forward_typed(call->state, x->dtype, x->data, call->out[0]->data, call->pool);
}

static void hardmax_forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_hardmax_forward(call->state, x->dtype, x->data, call->out[0]->data);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    eng_softmax_backward(call->state, call->out[0]->data, call->grad_out[0]->data,
                         call->grad_in[0]->data);
}

#define SOFTMAX(onnx_name, id, op_flags, infer_fn, forward_fn, backward_fn) \
    const struct eng_op eng_op_##id = {                                     \
        .name = onnx_name,                                                  \
        .domain = "",                                                       \
        .opset_min = ENG_OPSET_MIN,                                         \
        .opset_max = ENG_OPSET_MAX,                                         \
        .in_min = 1,                                                        \
        .in_max = 1,                                                        \
        .out_min = 1,                                                       \
        .out_max = 1,                                                       \
        .flags = op_flags,                                                  \
        .attrs = fields,                                                    \
        .n_attrs = 1,                                                       \
        .attrs_bytes = sizeof(struct attrs),                                \
        .state_bytes = sizeof(struct eng_softmax),                          \
        .infer = infer_fn,                                                  \
        .follow = follow,                                                   \
        .forward = forward_fn,                                              \
        .backward = backward_fn,                                            \
    }

SOFTMAX("Softmax", softmax, ENG_OP_PROBABILITIES, softmax_infer, forward, backward);
SOFTMAX("LogSoftmax", log_softmax, 0, log_softmax_infer, forward, backward);
SOFTMAX("Hardmax", hardmax, 0, softmax_infer, hardmax_forward, NULL);
