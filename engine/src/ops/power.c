/*
 * Y = A to the power of B, elementwise; the shapes broadcast as in numpy, the types may differ.
 *
 * Shapes: Y has A's type. Gradient: dA = dY B A^(B-1), dB = dY Y ln A.
 * Source: ONNX Pow 7, 12, 13, 15. Powers of integers by integers are exact and wrap around; one
 * over an integer is truncated, one over 0 is 0.
 */
#include "kernels/broadcast.h"
#include "kernels/convert.h"

#include "base/error.h"
#include "ops/op.h"

#include <math.h>

static bool is_float(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_dtype a = q->in[0]->dtype, b = q->in[1]->dtype;
    if (!is_float(a) && a != ENG_INT32 && a != ENG_INT64)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input 0 has element type %s; float, double, int32 or int64 is wanted",
                        eng_dtype_name(a));
    if (!eng_binary_line_for(ENG_ADD, b))
        return eng_fail(err, ENG_UNSUPPORTED, "input 1 has element type %s; a number is wanted",
                        eng_dtype_name(b));
    struct eng_shape y;
    enum eng_status status = eng_infer_broadcast(&q->in[0]->shape, &q->in[1]->shape, &y, err);
    if (status != ENG_OK) return status;
    eng_broadcast_plan(&q->in[0]->shape, &q->in[1]->shape, &y, q->state);
    eng_infer_output(q, 0, a, &y);
    return ENG_OK;
}

static double as_double(const struct eng_tensor *tensor, size_t i)
{
    double value;
    const char *element = (const char *)tensor->data + i * eng_dtype_bytes(tensor->dtype);
    eng_convert(tensor->dtype, ENG_FLOAT64, element, &value, 1);
    return value;
}

static int64_t as_integer(const struct eng_tensor *tensor, size_t i)
{
    int64_t value;
    const char *element = (const char *)tensor->data + i * eng_dtype_bytes(tensor->dtype);
    eng_convert(tensor->dtype, ENG_INT64, element, &value, 1);
    return value;
}

static int64_t integer_power(int64_t a, int64_t b)
{
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    uint64_t power = 1, square = (uint64_t)a;
    for (; b > 0; b /= 2, square *= square)
        if (b % 2) power *= square;
    return (int64_t)power;
}

/* Element by element: such exponents stand in shape arithmetic and small constants. */
static void forward_mixed(const struct eng_op_call *call)
{
    const struct eng_broadcast *plan = call->state;
    const struct eng_tensor *a = call->in[0], *b = call->in[1], *y = call->out[0];
    bool exact = !is_float(a->dtype) && !is_float(b->dtype);
    for (size_t i = 0; i < plan->count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(plan, i);
        char *to = (char *)y->data + i * eng_dtype_bytes(y->dtype);
        if (exact) {
            int64_t power = integer_power(as_integer(a, at.a), as_integer(b, at.b));
            eng_convert(ENG_INT64, y->dtype, &power, to, 1);
        } else {
            double power = pow(as_double(a, at.a), as_double(b, at.b));
            eng_convert(ENG_FLOAT64, y->dtype, &power, to, 1);
        }
    }
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *a = call->in[0], *b = call->in[1];
    struct eng_tensor *y = call->out[0];
    double one; /* exponent for all, as A's type */
    const void *exponent = b->data;
    bool same = a->dtype == b->dtype;
    if (is_float(a->dtype) && !same && eng_shape_count(&b->shape) == 1) {
        eng_convert(b->dtype, a->dtype, b->data, &one, 1);
        exponent = &one;
        same = true;
    }
    if (is_float(a->dtype) && same) {
        eng_broadcast_forward(call->state, ENG_POW, a->dtype, a->data, exponent, call->activation,
                              y->data, call->pool);
        return;
    }
    forward_mixed(call);
    if (y->dtype == ENG_FLOAT32)
        eng_activation_map(call->activation, y->data, y->data, (size_t)eng_shape_count(&y->shape),
                           call->pool);
}

/* Of a float's power by another type the exponent has no gradient, and the base's takes it as
 * float. */
static void backward_mixed(const struct eng_op_call *call)
{
    const struct eng_broadcast *plan = call->state;
    const float *a = call->in[0]->data, *dy = call->grad_out[0]->data;
    float *da = call->grad_in[0]->data;
    for (size_t i = 0; i < plan->count; i++) {
        struct eng_broadcast_at at = eng_broadcast_at(plan, i);
        float b = (float)as_double(call->in[1], at.b);
        da[at.a] += dy[i] * eng_binary_slope(ENG_POW, true, a[at.a], b);
    }
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || call->in[0]->dtype != ENG_FLOAT32) return;
    if (call->in[1]->dtype != ENG_FLOAT32) {
        if (call->grad_in[0]) backward_mixed(call);
        return;
    }
    for (size_t k = 0; k < 2; k++)
        if (call->grad_in[k])
            eng_broadcast_backward_slopes(call->state, ENG_POW, k == 0, call->in[0]->data,
                                          call->in[1]->data, call->grad_out[0]->data,
                                          call->grad_in[k]->data);
}

const struct eng_op eng_op_pow = {
    .name = "Pow",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_IN_PLACE | ENG_OP_FUSES_ACTIVATION,
    .follow = eng_follow_aligned,
    .state_bytes = sizeof(struct eng_broadcast),
    .infer = infer,
    .forward = forward,
    .backward = backward,
};
