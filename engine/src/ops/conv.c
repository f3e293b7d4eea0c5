/*
 * Y = X * W + B, convolution as networks mean it (cross-correlation).
 *
 * Shapes: X [N, C, D1 .. Dn], W [M, C / group, K1 .. Kn], B [M]; Y [N, M, E1 .. En]; n from 1 to 3.
 * Types: float, and double, which is not trained.
 * Source: ONNX Conv, versions 1 and 11.
 */
#include "kernels/conv.h"

#include "base/error.h"
#include "kernels/conv_double.h"
#include "ops/conv_shape.h"
#include "ops/op.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct eng_conv *conv = q->state;
    struct eng_shape y;
    enum eng_dtype dtype = q->in[0]->dtype;
    enum eng_status status = eng_infer_real(q, 0, err);
    for (size_t k = 1; status == ENG_OK && k < q->n_in; k++)
        if (q->in[k]) status = eng_infer_dtype(q, k, dtype, err);
    if (status == ENG_OK)
        status = eng_conv_resolve(q->attrs, &q->in[0]->shape, &q->in[1]->shape, conv, &y, err);
    if (status != ENG_OK) return status;
    struct eng_shape bias = {.rank = 1, .dim = {q->in[1]->shape.dim[0]}};
    if (q->n_in > 2 && q->in[2]) status = eng_infer_shape(q, 2, &bias, err);
    if (status != ENG_OK) return status;
    eng_infer_output(q, 0, dtype, &y);
    if (dtype == ENG_FLOAT64) return ENG_OK;
    conv->training = q->training;
    if (!eng_conv_scratch_bytes(conv, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    return ENG_OK;
}

static const void *optional(const struct eng_op_call *call, size_t k)
{
    return call->n_in > k && call->in[k] ? call->in[k]->data : NULL;
}

static void forward(const struct eng_op_call *call)
{
    const void *x = call->in[0]->data, *w = call->in[1]->data, *bias = optional(call, 2);
    if (call->in[0]->dtype == ENG_FLOAT64)
        eng_conv_double(call->state, x, w, bias, call->out[0]->data);
    else
        eng_conv_forward(call->state, x, w, bias, call->activation, call->out[0]->data,
                         call->scratch, call->pool);
}

static float *gradient(const struct eng_op_call *call, size_t k)
{
    return call->n_in > k && call->grad_in[k] ? call->grad_in[k]->data : NULL;
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0]) return;
    struct eng_conv_gradients gradients = {.x = call->in[0]->data,
                                           .w = call->in[1]->data,
                                           .dy = call->grad_out[0]->data,
                                           .dx = gradient(call, 0),
                                           .dw = gradient(call, 1),
                                           .dbias = gradient(call, 2),
                                           .write_dx = call->write_grad & 1};
    eng_conv_backward(call->state, &gradients, call->scratch);
}

static bool absorb_affine(const struct eng_op_infer *q, const float *scale, const float *shift,
                          size_t n, float *weight, float *bias)
{
    const struct eng_shape *w = &q->in[1]->shape;
    int64_t count = eng_shape_count(w);
    if (w->rank < 3 || w->dim[0] != (int64_t)n || count < 0) return false;
    size_t per_channel = (size_t)count / n;
    for (size_t c = 0; c < n; c++) {
        for (size_t i = 0; i < per_channel; i++)
            weight[c * per_channel + i] *= scale[c];
        bias[c] = bias[c] * scale[c] + shift[c];
    }
    return true;
}

static double flops(const struct eng_op_infer *q)
{
    return eng_conv_flops(q->state);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    bool is_double = call->in[0]->dtype == ENG_FLOAT64;
    eng_conv_describe(call->state, is_double ? "plain loops" : eng_conv_algorithm(call->state),
                      text, size);
}

const struct eng_op eng_op_conv = {
    .name = "Conv",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_FUSES_ACTIVATION,
    .follow = eng_follow_rows,
    .attrs = eng_conv_fields,
    .n_attrs = ENG_CONV_FIELDS,
    .attrs_bytes = sizeof(struct eng_conv_attrs),
    .state_bytes = sizeof(struct eng_conv),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
    .absorb_affine = absorb_affine,
    .flops = flops,
    .describe = describe,
    .trainable_inputs = 6,
    .weight_inputs = 2,
};
