/*
 * Y = (X - offset) scale, each column with numbers of its own: how scikit-learn standardises.
 *
 * Shapes: X [N, C] or [C]; offset and scale hold C numbers, or one for all columns; left out they
 * are 0 and 1. Types: float, double, int64 or int32; Y is float. Source: ONNX-ML Scaler 1.
 */
#include "base/error.h"
#include "kernels/convert.h"
#include "ops/attrs.h"
#include "ops/op.h"

struct attrs {
    const struct eng_attr *offset, *scale;
};

static const struct eng_field fields[] = {
    ENG_F_ATTR(struct attrs, offset, "subtracted first, of each column"),
    ENG_F_ATTR(struct attrs, scale, "factor of each column"),
};

struct state {
    size_t n_columns;
};

static enum eng_status check_list(const char *name, const struct eng_attr *list, int64_t n_columns,
                                  struct eng_error *err)
{
    if (!list) return ENG_OK;
    if (list->type != ENG_ATTR_FLOATS)
        return eng_fail(err, ENG_FORMAT, "attribute '%s' is not a list of floats", name);
    if (list->n != 1 && (int64_t)list->n != n_columns)
        return eng_fail(err, ENG_FORMAT, "attribute '%s' has %zu numbers; 1 or %lld are wanted",
                        name, list->n, (long long)n_columns);
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    enum eng_dtype dtype = q->in[0]->dtype;
    if (dtype != ENG_FLOAT32 && dtype != ENG_FLOAT64 && dtype != ENG_INT64 && dtype != ENG_INT32)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; float, double, int64 or int32 is wanted",
                        eng_dtype_name(dtype));
    enum eng_status status = eng_infer_rank(q, 0, 1, 2, err);
    if (status != ENG_OK) return status;
    int64_t n_columns = x->dim[x->rank - 1];
    status = check_list("offset", attrs->offset, n_columns, err);
    if (status == ENG_OK) status = check_list("scale", attrs->scale, n_columns, err);
    if (status != ENG_OK) return status;
    ((struct state *)q->state)->n_columns = (size_t)n_columns;
    eng_infer_output(q, 0, ENG_FLOAT32, x);
    return ENG_OK;
}

static float number(const struct eng_attr *list, size_t column, float otherwise)
{
    return list ? list->floats[list->n == 1 ? 0 : column] : otherwise;
}

static void forward(const struct eng_op_call *call)
{
    const struct attrs *attrs = call->attrs;
    size_t n_columns = ((const struct state *)call->state)->n_columns;
    size_t n = (size_t)eng_shape_count(&call->in[0]->shape);
    float *y = call->out[0]->data;
    eng_convert(call->in[0]->dtype, ENG_FLOAT32, call->in[0]->data, y, n);
    for (size_t i = 0; i < n; i += n_columns, y += n_columns)
        for (size_t c = 0; c < n_columns; c++)
            y[c] = (y[c] - number(attrs->offset, c, 0)) * number(attrs->scale, c, 1);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const struct attrs *attrs = call->attrs;
    size_t n_columns = ((const struct state *)call->state)->n_columns;
    size_t n = (size_t)eng_shape_count(&call->in[0]->shape);
    const float *dy = call->grad_out[0]->data;
    float *dx = call->grad_in[0]->data;
    for (size_t i = 0; i < n; i++)
        dx[i] += dy[i] * number(attrs->scale, i % n_columns, 1);
}

/* Rows are alike, columns need not be. */
static int follow(const struct eng_op_infer *q, size_t k, int axis)
{
    return q->in[k]->shape.rank == 2 && axis == 0 ? 0 : ENG_AXIS_MIXED;
}

const struct eng_op eng_op_scaler = {
    .name = "Scaler",
    .domain = "ai.onnx.ml",
    .opset_min = 1,
    .opset_max = 5,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .follow = follow,
};
