/*
 * LpNormalization: Y = X / |X| along one axis, the norm being L1 or L2; 0 where that is 0.
 * MeanVarianceNormalization: Y = (X - mean) / (deviation + 1e-9), over some axes.
 *
 * Shapes: Y has X's. Source: ONNX LpNormalization 1, MeanVarianceNormalization 9, 13.
 */
#include "kernels/normalise_axes.h"

#include "base/error.h"
#include "ops/op.h"

struct lp {
    int64_t axis, p;
};

static const struct eng_field lp_fields[] = {
    ENG_F_INT(struct lp, axis, -1, INT32_MIN, INT32_MAX, "the axis of the norm"),
    ENG_F_INT(struct lp, p, 2, 1, 2, "1: sum of absolute values; 2: root of the sum of squares"),
};

struct mvn {
    struct eng_ints axes;
};

static const struct eng_field mvn_fields[] = {
    ENG_F_INTS(struct mvn, axes, -ENG_MAX_RANK, ENG_MAX_RANK - 1, "0, 2, 3 if left out"),
};

struct state {
    struct eng_axes axes;
    enum eng_norm norm;
};

static enum eng_status lp_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct lp *attrs = q->attrs;
    struct state *state = q->state;
    int axis;
    enum eng_status status = eng_infer_real(q, 0, err);
    if (status == ENG_OK) status = eng_infer_axis(attrs->axis, q->in[0]->shape.rank, &axis, err);
    if (status != ENG_OK) return status;
    eng_axes_plan(&q->in[0]->shape, 1u << axis, &state->axes);
    state->norm = attrs->p == 1 ? ENG_NORM_L1 : ENG_NORM_L2;
    eng_infer_same(q);
    return ENG_OK;
}

static enum eng_status mvn_infer(struct eng_op_infer *q, struct eng_error *err)
{
    static const int64_t usual[] = {0, 2, 3};
    const struct mvn *attrs = q->attrs;
    struct state *state = q->state;
    const int64_t *list = attrs->axes.n > 0 ? attrs->axes.v : usual;
    int n = attrs->axes.n > 0 ? attrs->axes.n : 3;
    unsigned marked;
    enum eng_status status = eng_infer_real(q, 0, err);
    if (status == ENG_OK) status = eng_infer_axes(&q->in[0]->shape, list, (size_t)n, &marked, err);
    if (status != ENG_OK) return status;
    eng_axes_plan(&q->in[0]->shape, marked, &state->axes);
    state->norm = ENG_NORM_DEVIATION;
    eng_infer_same(q);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_tensor *x = call->in[0];
    eng_normalise_axes_forward(&state->axes, state->norm, x->dtype, x->data, call->out[0]->data,
                               call->pool);
}

static void backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    eng_normalise_axes_backward(&state->axes, state->norm, call->in[0]->data,
                                call->grad_out[0]->data, call->write_grad & 1,
                                call->grad_in[0]->data, call->pool);
}

#define NORMALISE(onnx_name, id, attrs_id, first_opset)                  \
    const struct eng_op eng_op_##id = {                                  \
        .name = onnx_name,                                               \
        .domain = "",                                                    \
        .opset_min = first_opset,                                        \
        .opset_max = ENG_OPSET_MAX,                                      \
        .in_min = 1,                                                     \
        .in_max = 1,                                                     \
        .out_min = 1,                                                    \
        .out_max = 1,                                                    \
        .attrs = attrs_id##_fields,                                      \
        .n_attrs = sizeof attrs_id##_fields / sizeof *attrs_id##_fields, \
        .attrs_bytes = sizeof(struct attrs_id),                          \
        .state_bytes = sizeof(struct state),                             \
        .infer = attrs_id##_infer,                                       \
        .forward = forward,                                              \
        .backward = backward,                                            \
        .writes_grad = 1,                                                \
    }

NORMALISE("LpNormalization", lp_normalization, lp, ENG_OPSET_MIN);
NORMALISE("MeanVarianceNormalization", mean_variance_normalization, mvn, 9);
