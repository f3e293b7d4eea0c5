/*
 * Y = X with elements put before and behind along some axes, or cut off where a pad is negative; of
 * any type.
 *
 * pads: first the number before each axis, then the number behind each. mode says what is put
 * there: constant (a value, 0 if left out), reflect (X mirrored about its outermost elements), edge
 * (the outermost elements) or wrap (X again; from opset 19 on). What is cut off is gone before the
 * border is made. pads and value are attributes in opsets 2 to 10; from opset 11 on inputs 1 and 2,
 * and from opset 18 on input 3 may name the axes. pads and axes must be known while planning.
 * Gradient: dX sums dY over all places where an element stands. Source: ONNX Pad, versions 2, 11,
 * 13, 18, 19, 21.
 */
#include "kernels/pad.h"

#include "base/error.h"
#include "ops/move.h"

#include <math.h>

enum { ARE_INPUTS = 11, HAS_AXES = 18, HAS_WRAP = 19, PADS = 1, VALUE, AXES };

static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};

struct attrs {
    int mode; /* enum eng_pad_mode */
    struct eng_ints pads;
    double value;
};

static const struct eng_field fields[] = {
    ENG_F_CHOICE(struct attrs, mode, ENG_PAD_CONSTANT, modes, "what the border holds"),
    ENG_F_INTS(struct attrs, pads, INT32_MIN, INT32_MAX, "up to opset 10: before, then behind"),
    ENG_F_FLOAT(struct attrs, value, 0, -INFINITY, INFINITY, "up to opset 10: for mode constant"),
};

struct state {
    struct eng_pad pad;
    float value; /* of the attribute */
};

static enum eng_status read_inputs(const struct eng_op_infer *q, struct eng_ints *pads,
                                   struct eng_ints *axes, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    bool has_axes = q->n_in > AXES && q->in[AXES], has_value = q->n_in > VALUE && q->in[VALUE];
    if (attrs->pads.n > 0)
        return eng_fail(err, ENG_FORMAT, "in opset %d the pads are input 1, not an attribute",
                        q->opset);
    if (q->n_in <= PADS || !q->in[PADS])
        return eng_fail(err, ENG_FORMAT, "input 1 (pads) is missing");
    enum eng_status status = eng_infer_since(q, HAS_AXES, has_axes, "input 3 (axes)", err);
    if (status == ENG_OK) status = eng_infer_constant(q, PADS, "pads", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_ints(q, PADS, "pads", pads, err);
    if (status == ENG_OK && has_axes) status = eng_infer_ints(q, AXES, "axes", axes, err);
    if (status == ENG_OK && has_value) status = eng_infer_dtype(q, VALUE, q->in[0]->dtype, err);
    if (status == ENG_OK && has_value) status = eng_infer_count(q, VALUE, 1, err);
    return status;
}

/* The list of pads, and the axes that they are for. */
static enum eng_status read_lists(const struct eng_op_infer *q, struct eng_ints *pads,
                                  struct eng_ints *axes, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    bool has_axes = q->n_in > AXES && q->in[AXES];
    *axes = (struct eng_ints){.n = 0};
    for (; !has_axes && axes->n < q->in[0]->shape.rank; axes->n++)
        axes->v[axes->n] = axes->n;
    if (q->opset >= ARE_INPUTS) return read_inputs(q, pads, axes, err);
    *pads = attrs->pads;
    if (q->n_in == 1 && q->in[0]->dtype == ENG_FLOAT32) return ENG_OK;
    if (q->n_in > 1)
        return eng_fail(err, ENG_FORMAT, "in opset %d pads and value are attributes, not inputs",
                        q->opset);
    return q->in[0]->dtype == ENG_FLOAT64 ? ENG_OK : eng_infer_dtype(q, 0, ENG_FLOAT32, err);
}

static enum eng_status check_axis(const struct eng_shape *x, int d, const int64_t *pads,
                                  enum eng_pad_mode mode, struct eng_error *err)
{
    const int64_t most = (int64_t)1 << 40; /* more than any tensor has elements */
    int64_t before = pads[d], behind = pads[x->rank + d];
    if (before < -most || before > most || behind < -most || behind > most)
        return eng_fail(err, ENG_LIMIT, "pads %lld and %lld of axis %d are too large for memory",
                        (long long)before, (long long)behind, d);
    int64_t left = x->dim[d] + (before < 0 ? before : 0) + (behind < 0 ? behind : 0);
    if (left < 0)
        return eng_fail(err, ENG_FORMAT,
                        "pads %lld and %lld cut more off axis %d than its length %lld",
                        (long long)before, (long long)behind, d, (long long)x->dim[d]);
    if (left == 0 && mode != ENG_PAD_CONSTANT && (before > 0 || behind > 0))
        return eng_fail(err, ENG_FORMAT, "nothing of axis %d is left that mode '%s' could repeat",
                        d, modes[mode]);
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    struct state *state = q->state;
    struct eng_ints list, axes;
    unsigned marked;
    enum eng_status status = read_lists(q, &list, &axes, err);
    if (status == ENG_OK)
        status = eng_infer_since(q, HAS_WRAP, attrs->mode == ENG_PAD_WRAP, "mode wrap", err);
    if (status == ENG_OK) status = eng_infer_axes(x, axes.v, (size_t)axes.n, &marked, err);
    if (status != ENG_OK) return status;
    if (list.n != 2 * axes.n)
        return eng_fail(err, ENG_FORMAT, "'pads' has %d numbers; 2 for each of %d axes are wanted",
                        list.n, axes.n);
    int64_t pads[2 * ENG_MAX_RANK] = {0};
    for (int i = 0; i < axes.n; i++) {
        int64_t d = axes.v[i] < 0 ? axes.v[i] + x->rank : axes.v[i];
        pads[d] = list.v[i];
        pads[x->rank + d] = list.v[axes.n + i];
    }
    struct eng_shape y = *x;
    for (int d = 0; status == ENG_OK && d < x->rank; d++) {
        status = check_axis(x, d, pads, (enum eng_pad_mode)attrs->mode, err);
        if (status == ENG_OK) y.dim[d] += pads[d] + pads[x->rank + d];
    }
    if (status != ENG_OK) return status;
    eng_pad_plan(x, pads, (enum eng_pad_mode)attrs->mode, &state->pad);
    state->value = (float)attrs->value;
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    const struct eng_tensor *x = call->in[0];
    const struct eng_tensor *value = call->n_in > VALUE ? call->in[VALUE] : NULL;
    double wide = (double)state->value;
    const void *given = value ? value->data : NULL;
    if (call->opset < ARE_INPUTS)
        given = x->dtype == ENG_FLOAT64 ? (const void *)&wide : &state->value;
    eng_pad_forward(&state->pad, x->dtype, x->data, given, call->out[0]->data, call->pool);
}

static void backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    bool x = eng_move_has_gradient(call, 0);
    bool value = call->n_in > VALUE && eng_move_has_gradient(call, VALUE);
    if (x || value)
        eng_pad_backward(&state->pad, call->grad_out[0]->data, x ? call->grad_in[0]->data : NULL,
                         value ? call->grad_in[VALUE]->data : NULL);
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    struct eng_ints pads, axes;
    if (k > 0 || read_lists(q, &pads, &axes, NULL) != ENG_OK) return ENG_AXIS_MIXED;
    int rank = q->in[0]->shape.rank;
    for (int i = 0; i < axes.n; i++)
        if ((axes.v[i] + rank) % rank == axis && (pads.v[i] != 0 || pads.v[axes.n + i] != 0))
            return ENG_AXIS_MIXED;
    return axis;
}

const struct eng_op eng_op_pad = {
    .name = "Pad",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 4,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .follow = follow,
    .forward = forward,
    .backward = backward,
};
