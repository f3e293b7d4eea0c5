/*
 * The same elements with dimensions of 1 taken out or put in; of any type.
 *
 * Squeeze: `axes` of X, each of length 1, are left out; without axes all of length 1 are.
 * Unsqueeze: `axes` of Y have length 1, the others are X's in order.
 * The axes are an attribute up to opset 12, then input 1, whose values must be known while
 * planning. Source: ONNX Squeeze and Unsqueeze, versions 1, 11, 13, 21.
 */
#include "base/error.h"
#include "ops/move.h"

enum { AXES_ARE_INPUT = 13 };

struct attrs {
    struct eng_ints axes;
};

static const struct eng_field fields[] = {
    ENG_F_INTS(struct attrs, axes, -ENG_MAX_RANK, ENG_MAX_RANK - 1,
               "up to opset 12: the dimensions of length 1"),
};

/* *given: there are axes, though maybe none in the list. */
static enum eng_status read_axes(const struct eng_op_infer *q, struct eng_ints *axes, bool *given,
                                 struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    bool has_input = q->n_in > 1 && q->in[1];
    if (q->opset < AXES_ARE_INPUT && has_input)
        return eng_fail(err, ENG_FORMAT, "in opset %d the axes are an attribute, not input 1",
                        q->opset);
    if (q->opset >= AXES_ARE_INPUT && attrs->axes.n > 0)
        return eng_fail(err, ENG_FORMAT, "in opset %d the axes are input 1, not an attribute",
                        q->opset);
    *given = has_input || attrs->axes.n > 0;
    *axes = attrs->axes;
    return has_input ? eng_infer_ints(q, 1, "axes", axes, err) : ENG_OK;
}

static enum eng_status squeeze_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_ints axes;
    bool given;
    unsigned removed = 0;
    enum eng_status status = read_axes(q, &axes, &given, err);
    if (status == ENG_OK) status = eng_infer_axes(x, axes.v, (size_t)axes.n, &removed, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = {.rank = 0};
    for (int d = 0; d < x->rank; d++) {
        char text[96];
        if (removed >> d & 1 && x->dim[d] != 1)
            return eng_fail(err, ENG_FORMAT, "axis %d of input 0 of shape %s has not length 1", d,
                            eng_shape_format(x, text, sizeof text));
        if (given ? !(removed >> d & 1) : x->dim[d] != 1) y.dim[y.rank++] = x->dim[d];
    }
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static enum eng_status unsqueeze_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_ints axes;
    bool given;
    enum eng_status status = read_axes(q, &axes, &given, err);
    if (status != ENG_OK) return status;
    if (!given) return eng_fail(err, ENG_FORMAT, "'axes' is missing");
    if (x->rank + axes.n > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "the output has %d dimensions; at most %d are wanted",
                        x->rank + axes.n, ENG_MAX_RANK);
    struct eng_shape y = {.rank = x->rank + axes.n};
    unsigned added;
    status = eng_infer_axes(&y, axes.v, (size_t)axes.n, &added, err);
    if (status != ENG_OK) return status;
    for (int d = 0, from = 0; d < y.rank; d++)
        y.dim[d] = added >> d & 1 ? 1 : x->dim[from++];
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

#define VIEW(onnx_name, id)                  \
    const struct eng_op eng_op_##id = {      \
        .name = onnx_name,                   \
        .domain = "",                        \
        .opset_min = ENG_OPSET_MIN,          \
        .opset_max = ENG_OPSET_MAX,          \
        .in_min = 1,                         \
        .in_max = 2,                         \
        .out_min = 1,                        \
        .out_max = 1,                        \
        .flags = ENG_OP_VIEW,                \
        .attrs = fields,                     \
        .n_attrs = 1,                        \
        .attrs_bytes = sizeof(struct attrs), \
        .infer = id##_infer,                 \
        .forward = eng_move_forward,         \
        .backward = eng_move_backward,       \
    }

VIEW("Squeeze", squeeze);
VIEW("Unsqueeze", unsqueeze);
