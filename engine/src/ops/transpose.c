/*
 * Y[i(perm[0]), i(perm[1]), ..] = X[i(0), i(1), ..]: dimension d of Y is dimension perm[d] of X; of
 * any type.
 *
 * perm left out: the dimensions in reverse. Gradient: dY moved back.
 * Source: ONNX Transpose, versions 1, 13, 21.
 */
#include "base/error.h"
#include "ops/move.h"

struct attrs {
    struct eng_ints perm;
};

static const struct eng_field fields[] = {
    ENG_F_INTS(struct attrs, perm, 0, ENG_MAX_RANK - 1, "X's dimensions in Y's order"),
};

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_ints perm = attrs->perm;
    if (perm.n == 0)
        for (perm.n = 0; perm.n < x->rank; perm.n++)
            perm.v[perm.n] = x->rank - 1 - perm.n;
    char text[96];
    if (perm.n != x->rank)
        return eng_fail(err, ENG_FORMAT,
                        "attribute 'perm' has %d numbers; input 0 has shape %s, so %d are wanted",
                        perm.n, eng_shape_format(x, text, sizeof text), x->rank);
    unsigned all;
    enum eng_status status = eng_infer_axes(x, perm.v, (size_t)perm.n, &all, err);
    if (status != ENG_OK) {
        eng_error_context(err, "attribute 'perm'");
        return status;
    }

    struct eng_shape y = {.rank = x->rank};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = x->dim[perm.v[d]];
    ptrdiff_t from[ENG_MAX_RANK], to[ENG_MAX_RANK];
    eng_box_steps(x, from);
    eng_box_steps(&y, to);
    for (int d = 0; d < y.rank; d++)
        eng_box_push(q->state, y.dim[d], from[perm.v[d]], to[d]);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    const struct attrs *attrs = q->attrs;
    int d = 0;
    if (attrs->perm.n == 0) return q->in[k]->shape.rank - 1 - axis;
    while (attrs->perm.v[d] != axis)
        d++;
    return d;
}

const struct eng_op eng_op_transpose = {
    .name = "Transpose",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .follow = follow,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_box),
    .infer = infer,
    .forward = eng_move_box_forward,
    .backward = eng_move_box_backward,
    .writes_grad = 1,
};
