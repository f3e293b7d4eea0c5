/*
 * What holds of each element of one tensor: bool. No gradient.
 *
 * Shapes: Y has X's. Source: ONNX Not 1, IsNaN 9, 13, 20, IsInf 10, 20.
 */
#include "base/error.h"
#include "ops/op.h"

#include <math.h>

struct is_inf {
    bool detect_negative, detect_positive;
};

static const struct eng_field is_inf_fields[] = {
    ENG_F_BOOL(struct is_inf, detect_negative, 1, "-inf counts"),
    ENG_F_BOOL(struct is_inf, detect_positive, 1, "+inf counts"),
};

static enum eng_status not_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_dtype(q, 0, ENG_BOOL, err);
    if (status == ENG_OK) eng_infer_same(q);
    return status;
}

static enum eng_status float_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (dtype != ENG_FLOAT32 && dtype != ENG_FLOAT64)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; float or double is wanted",
                        eng_dtype_name(dtype));
    eng_infer_output(q, 0, ENG_BOOL, &q->in[0]->shape);
    return ENG_OK;
}

static double element(const struct eng_tensor *x, size_t i)
{
    if (x->dtype == ENG_FLOAT64) return ((const double *)x->data)[i];
    return (double)((const float *)x->data)[i];
}

static void not_forward(const struct eng_op_call *call)
{
    const uint8_t *x = call->in[0]->data;
    uint8_t *y = call->out[0]->data;
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    for (size_t i = 0; i < n; i++)
        y[i] = !x[i];
}

static void is_nan_forward(const struct eng_op_call *call)
{
    uint8_t *y = call->out[0]->data;
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    for (size_t i = 0; i < n; i++)
        y[i] = (uint8_t)(isnan(element(call->in[0], i)) != 0);
}

static void is_inf_forward(const struct eng_op_call *call)
{
    const struct is_inf *attrs = call->attrs;
    uint8_t *y = call->out[0]->data;
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    for (size_t i = 0; i < n; i++) {
        double x = element(call->in[0], i);
        y[i] = isinf(x) && (x < 0 ? attrs->detect_negative : attrs->detect_positive);
    }
}

#define PREDICATE(onnx_name, id, since, infer_with, ...)             \
    const struct eng_op eng_op_##id = {.name = onnx_name,            \
                                       .domain = "",                 \
                                       .opset_min = since,           \
                                       .opset_max = ENG_OPSET_MAX,   \
                                       .in_min = 1,                  \
                                       .in_max = 1,                  \
                                       .out_min = 1,                 \
                                       .out_max = 1,                 \
                                       .infer = infer_with,          \
                                       .follow = eng_follow_aligned, \
                                       .forward = id##_forward,      \
                                       __VA_ARGS__}

PREDICATE("Not", not, ENG_OPSET_MIN, not_infer, .flags = ENG_OP_IN_PLACE);
PREDICATE("IsNaN", is_nan, 9, float_infer, );
PREDICATE("IsInf", is_inf, 10, float_infer, .attrs = is_inf_fields, .n_attrs = 2,
          .attrs_bytes = sizeof(struct is_inf));
