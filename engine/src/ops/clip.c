/*
 * Y = min(max(X, low), high); a bound that is left out does not bind.
 *
 * Shapes: Y has X's; the bounds are scalars. Gradient: 1 strictly between the bounds, else 0.
 * Source: ONNX Clip 6 (bounds are attributes), 11, 12, 13 (bounds are inputs).
 */
#include "kernels/activation.h"
#include "kernels/binary.h"

#include "base/error.h"
#include "ops/op.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { OPSET_BOUNDS_ARE_INPUTS = 11 };

struct attrs {
    double max, min;
};

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct attrs, max, FLT_MAX, -INFINITY, INFINITY, "upper bound, before opset 11"),
    ENG_F_FLOAT(struct attrs, min, -FLT_MAX, -INFINITY, INFINITY, "lower bound, before opset 11"),
};

static float bound(const struct eng_tensor *const *in, size_t n_in, size_t k, float absent)
{
    return n_in > k && in[k] ? *(const float *)in[k]->data : absent;
}

static struct eng_activation bounds(const void *attributes, int opset,
                                    const struct eng_tensor *const *in, size_t n_in)
{
    const struct attrs *attrs = attributes;
    if (opset < OPSET_BOUNDS_ARE_INPUTS)
        return (struct eng_activation){
            .kind = ENG_ACT_CLIP, .a = (float)attrs->min, .b = (float)attrs->max};
    return (struct eng_activation){.kind = ENG_ACT_CLIP,
                                   .a = bound(in, n_in, 1, -INFINITY),
                                   .b = bound(in, n_in, 2, INFINITY)};
}

static enum eng_status check_bound(const struct eng_op_infer *q, size_t k, struct eng_error *err)
{
    if (q->n_in <= k || !q->in[k]) return ENG_OK;
    if (q->opset < OPSET_BOUNDS_ARE_INPUTS)
        return eng_fail(err, ENG_FORMAT,
                        "has %zu inputs; before opset 11 the bounds are attributes", q->n_in);
    enum eng_dtype dtype = q->in[0]->dtype;
    enum eng_status status = eng_infer_dtype(q, k, dtype, err);
    if (status == ENG_OK) status = eng_infer_count(q, k, 1, err);
    if (status == ENG_OK && q->training)
        status = eng_infer_constant(q, k, k == 1 ? "min" : "max", dtype, err);
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    if (q->opset >= OPSET_BOUNDS_ARE_INPUTS && (attrs->min != -FLT_MAX || attrs->max != FLT_MAX))
        return eng_fail(err, ENG_FORMAT,
                        "has bounds as attributes; since opset 11 they are inputs");
    enum eng_dtype dtype = q->in[0]->dtype;
    bool as_attributes = q->opset < OPSET_BOUNDS_ARE_INPUTS;
    if (!eng_binary_line_for(as_attributes ? ENG_POW : ENG_MIN, dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype), as_attributes ? "float or double" : "a number");
    enum eng_status status = check_bound(q, 1, err);
    if (status == ENG_OK) status = check_bound(q, 2, err);
    if (status == ENG_OK) eng_infer_same(q);
    return status;
}

static bool activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    bool is_bounded = q->opset < OPSET_BOUNDS_ARE_INPUTS;
    for (size_t k = 1; k < q->n_in; k++) {
        if (!q->in[k]) continue;
        if (!q->in[k]->data || q->in[k]->dtype != ENG_FLOAT32) return false;
        is_bounded = true;
    }
    *out = is_bounded ? bounds(q->attrs, q->opset, q->in, q->n_in)
                      : (struct eng_activation){.kind = ENG_ACT_NONE};
    return true;
}

/* Other types than float, with bounds of their own type. */
static void forward_typed(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0], *y = call->out[0];
    size_t n = (size_t)eng_shape_count(&y->shape);
    if (x->data != y->data) memcpy(y->data, x->data, (size_t)eng_tensor_bytes(y));
    for (size_t k = 1; k < call->n_in; k++)
        if (call->in[k])
            eng_binary_line_for(k == 1 ? ENG_MAX : ENG_MIN, y->dtype)(y->data, 1, call->in[k]->data,
                                                                      0, y->data, n);
}

static void forward(const struct eng_op_call *call)
{
    enum eng_dtype dtype = call->out[0]->dtype;
    if (dtype != ENG_FLOAT32 && call->opset >= OPSET_BOUNDS_ARE_INPUTS)
        forward_typed(call);
    else
        eng_activation_map_typed(bounds(call->attrs, call->opset, call->in, call->n_in), dtype,
                                 call->in[0]->data, call->out[0]->data,
                                 (size_t)eng_shape_count(&call->out[0]->shape), call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    eng_activation_backward(bounds(call->attrs, call->opset, call->in, call->n_in),
                            call->in[0]->data, call->out[0]->data, call->grad_out[0]->data,
                            call->grad_in[0]->data, call->write_grad & 1,
                            (size_t)eng_shape_count(&call->out[0]->shape));
}

const struct eng_op eng_op_clip = {
    .name = "Clip",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_IN_PLACE | ENG_OP_IS_ACTIVATION,
    .follow = eng_follow_aligned,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
    .activation = activation,
};
