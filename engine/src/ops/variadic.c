/*
 * The smallest, the largest, the sum and the mean of any number of tensors, elementwise; the shapes
 * broadcast as in numpy.
 *
 * Gradient: Sum: dX = dY; Mean: dY over the number of inputs; Min and Max: dY for the first input
 * that has the value.
 * Source: ONNX Min and Max 6, 8, 12, 13, Sum and Mean 6, 8, 13. NaN if any is.
 */
#include "kernels/broadcast.h"

#include "base/error.h"
#include "ops/op.h"

static enum eng_status infer(struct eng_op_infer *q, bool floats_only, struct eng_error *err)
{
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_binary_line_for(floats_only ? ENG_POW : ENG_MIN, dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype), floats_only ? "float or double" : "a number");
    struct eng_shape y = q->in[0]->shape;
    for (size_t k = 1; k < q->n_in; k++) {
        if (!q->in[k]) return eng_fail(err, ENG_FORMAT, "input %zu is left out", k);
        enum eng_status status = eng_infer_dtype(q, k, dtype, err);
        if (status == ENG_OK) status = eng_infer_broadcast(&y, &q->in[k]->shape, &y, err);
        if (status != ENG_OK) return status;
    }
    eng_infer_output(q, 0, dtype, &y);
    return ENG_OK;
}

/* y = what(a, b); a may be y. */
static void combine(const struct eng_op_call *call, enum eng_binary what,
                    const struct eng_tensor *a, const struct eng_tensor *b)
{
    struct eng_tensor *y = call->out[0];
    struct eng_broadcast plan;
    eng_broadcast_plan(&a->shape, &b->shape, &y->shape, &plan);
    eng_broadcast_forward(&plan, what, y->dtype, a->data, b->data,
                          (struct eng_activation){.kind = ENG_ACT_NONE}, y->data, call->pool);
}

static void forward(const struct eng_op_call *call, enum eng_binary what)
{
    /* One input alone is its own minimum. */
    if (call->n_in == 1) combine(call, ENG_MIN, call->in[0], call->in[0]);
    for (size_t k = 1; k < call->n_in; k++)
        combine(call, what, k == 1 ? call->in[0] : call->out[0], call->in[k]);
}

static void mean_forward(const struct eng_op_call *call)
{
    forward(call, ENG_ADD);
    float n_float = (float)call->n_in;
    double n_double = (double)call->n_in;
    bool is_float = call->out[0]->dtype == ENG_FLOAT32;
    struct eng_tensor n = {.dtype = call->out[0]->dtype,
                           .data = is_float ? (void *)&n_float : (void *)&n_double};
    combine(call, ENG_DIV, call->out[0], &n);
}

/* How input k walks through Y. */
static struct eng_broadcast plan_of(const struct eng_op_call *call, size_t k)
{
    struct eng_broadcast plan;
    const struct eng_shape *y = &call->out[0]->shape;
    eng_broadcast_plan(&call->in[k]->shape, y, y, &plan);
    return plan;
}

static void sum_backward(const struct eng_op_call *call)
{
    for (size_t k = 0; call->grad_out[0] && k < call->n_in; k++) {
        struct eng_broadcast plan = plan_of(call, k);
        if (call->grad_in[k])
            eng_broadcast_backward(&plan, true, NULL, call->grad_out[0]->data, false,
                                   call->grad_in[k]->data);
    }
}

static void mean_backward(const struct eng_op_call *call)
{
    for (size_t k = 0; call->grad_out[0] && k < call->n_in; k++) {
        if (!call->grad_in[k]) continue;
        const float *dy = call->grad_out[0]->data;
        float *dx = call->grad_in[k]->data;
        struct eng_broadcast plan = plan_of(call, k);
        for (size_t i = 0; i < plan.count; i++)
            dx[eng_broadcast_at(&plan, i).a] += dy[i] / (float)call->n_in;
    }
}

/* Whether input k is the first that has y's element i. */
static bool is_first(const struct eng_op_call *call, size_t k, size_t i, float y)
{
    for (size_t j = 0; j < k; j++) {
        struct eng_broadcast plan = plan_of(call, j);
        if (((const float *)call->in[j]->data)[eng_broadcast_at(&plan, i).a] == y) return false;
    }
    return true;
}

static void extreme_backward(const struct eng_op_call *call)
{
    for (size_t k = 0; call->grad_out[0] && k < call->n_in; k++) {
        if (!call->grad_in[k]) continue;
        const float *x = call->in[k]->data, *y = call->out[0]->data, *dy = call->grad_out[0]->data;
        float *dx = call->grad_in[k]->data;
        struct eng_broadcast plan = plan_of(call, k);
        for (size_t i = 0; i < plan.count; i++) {
            size_t at = eng_broadcast_at(&plan, i).a;
            if (x[at] == y[i] && is_first(call, k, i, y[i])) dx[at] += dy[i];
        }
    }
}

#define VARIADIC(onnx_name, id, floats_only, forward_with, backward_with)            \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err) \
    {                                                                                \
        return infer(q, floats_only, err);                                           \
    }                                                                                \
    const struct eng_op eng_op_##id = {                                              \
        .name = onnx_name,                                                           \
        .domain = "",                                                                \
        .opset_min = ENG_OPSET_MIN,                                                  \
        .opset_max = ENG_OPSET_MAX,                                                  \
        .in_min = 1,                                                                 \
        .in_max = ENG_OP_ANY_COUNT,                                                  \
        .out_min = 1,                                                                \
        .out_max = 1,                                                                \
        .flags = ENG_OP_IN_PLACE,                                                    \
        .follow = eng_follow_aligned,                                                \
        .infer = id##_infer,                                                         \
        .forward = forward_with,                                                     \
        .backward = backward_with,                                                   \
    }

static void min_forward(const struct eng_op_call *call)
{
    forward(call, ENG_MIN);
}

static void max_forward(const struct eng_op_call *call)
{
    forward(call, ENG_MAX);
}

static void sum_forward(const struct eng_op_call *call)
{
    forward(call, ENG_ADD);
}

VARIADIC("Min", min, false, min_forward, extreme_backward);
VARIADIC("Max", max, false, max_forward, extreme_backward);
VARIADIC("Sum", sum, true, sum_forward, sum_backward);
VARIADIC("Mean", mean, true, mean_forward, mean_backward);
