/*
 * The same elements, in the same order, under another shape; of any type.
 *
 * Flatten: [d0 .. d(axis-1)] and [d(axis) .. ] become one dimension each.
 * Reshape: `shape` is an input that must be constant; -1 is what is left, 0 copies the input's
 * dimension (or, with allowzero, is 0). Source: ONNX Flatten 1, 9, 11, 13; Reshape 5, 13, 14.
 */
#include "base/error.h"
#include "ops/move.h"

#include <stdio.h>

struct flatten {
    int64_t axis;
};

static const struct eng_field flatten_fields[] = {
    ENG_F_INT(struct flatten, axis, 1, INT32_MIN, INT32_MAX,
              "the first dimension of the second part"),
};

static enum eng_status flatten_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct flatten *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    int64_t lowest = q->opset < 11 ? 0 : -x->rank;
    if (attrs->axis < lowest || attrs->axis > x->rank)
        return eng_fail(err, ENG_FORMAT, "axis %lld lies outside %lld to %d",
                        (long long)attrs->axis, (long long)lowest, x->rank);
    int64_t axis = attrs->axis < 0 ? attrs->axis + x->rank : attrs->axis;
    struct eng_shape y = {.rank = 2, .dim = {1, 1}};
    for (int i = 0; i < x->rank; i++)
        y.dim[i >= axis] *= x->dim[i];
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

struct reshape {
    bool allowzero;
};

static const struct eng_field reshape_fields[] = {
    ENG_F_BOOL(struct reshape, allowzero, 0, "a 0 in shape means 0, not the input's dimension"),
};

static enum eng_status fail_reshape(const struct eng_shape *x, const struct eng_tensor *wanted,
                                    struct eng_error *err)
{
    char x_text[96], wanted_text[ENG_MAX_RANK * 24] = "";
    size_t used = 0;
    for (int64_t i = 0; i < wanted->shape.dim[0]; i++)
        used += (size_t)snprintf(wanted_text + used, sizeof wanted_text - used, "%s%lld",
                                 i ? ", " : "", (long long)eng_int_at(wanted, (size_t)i));
    return eng_fail(err, ENG_FORMAT, "shape %s of %lld elements cannot become [%s]",
                    eng_shape_format(x, x_text, sizeof x_text), (long long)eng_shape_count(x),
                    wanted_text);
}

/* Puts the numbers of `shape` into y; *rest is the place of the -1, or -1. */
static bool read_shape(const struct eng_shape *x, const int64_t *wanted, bool allow_zero,
                       struct eng_shape *y, int *rest)
{
    *rest = -1;
    for (int i = 0; i < y->rank; i++) {
        y->dim[i] = wanted[i];
        if (wanted[i] < -1 || (wanted[i] == -1 && *rest >= 0)) return false;
        if (wanted[i] == -1) *rest = i;
        if (wanted[i] != 0 || allow_zero) continue;
        if (i >= x->rank) return false;
        y->dim[i] = x->dim[i];
    }
    return true;
}

static enum eng_status reshape_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct reshape *attrs = q->attrs;
    enum eng_status status = eng_infer_constant(q, 1, "shape", ENG_INT64, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 1, 1, 1, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    const struct eng_tensor *wanted = q->in[1];
    if (wanted->shape.dim[0] > ENG_MAX_RANK)
        return eng_fail(err, ENG_UNSUPPORTED, "'shape' has %lld numbers; at most %d are wanted",
                        (long long)wanted->shape.dim[0], ENG_MAX_RANK);

    struct eng_shape y = {.rank = (int)wanted->shape.dim[0]};
    int rest;
    if (!read_shape(x, wanted->data, attrs->allowzero, &y, &rest))
        return fail_reshape(x, wanted, err);
    int64_t count = eng_shape_count(x);
    if (rest >= 0) {
        y.dim[rest] = 1;
        int64_t others = eng_shape_count(&y);
        if (others <= 0 || count % others != 0) return fail_reshape(x, wanted, err);
        y.dim[rest] = count / others;
    }
    if (eng_shape_count(&y) != count) return fail_reshape(x, wanted, err);
    eng_infer_output(q, 0, q->in[0]->dtype, &y);
    return ENG_OK;
}

#define VIEW(onnx_name, id, inputs, ...)                                 \
    const struct eng_op eng_op_##id = {.name = onnx_name,                \
                                       .domain = "",                     \
                                       .opset_min = ENG_OPSET_MIN,       \
                                       .opset_max = ENG_OPSET_MAX,       \
                                       .in_min = inputs,                 \
                                       .in_max = inputs,                 \
                                       .out_min = 1,                     \
                                       .out_max = 1,                     \
                                       .flags = ENG_OP_VIEW,             \
                                       .attrs = id##_fields,             \
                                       .n_attrs = 1,                     \
                                       .attrs_bytes = sizeof(struct id), \
                                       .infer = id##_infer,              \
                                       .forward = eng_move_forward,      \
                                       .backward = eng_move_backward,    \
                                       __VA_ARGS__}

VIEW("Flatten", flatten, 1, .shape_inputs = 0);
VIEW("Reshape", reshape, 2, .shape_inputs = 2);
