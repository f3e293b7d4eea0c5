/*
 * ConvInteger: Y = (X - x_zero_point) * (W - w_zero_point) in int32, a convolution as Conv.
 * QLinearConv: the same of quantised tensors, plus B in int32, quantised again:
 *              y = saturate(round(sum * (x_scale w_scale / y_scale)) + y_zero_point).
 *
 * Shapes: as Conv; w_zero_point and w_scale: one, or one for each output channel. Types: X and W
 * uint8 or int8. Source: ONNX ConvInteger 10; QLinearConv 10.
 */
#include "kernels/integer_conv.h"
#include "kernels/quantise.h"

#include "base/error.h"
#include "base/mem.h"
#include "ops/conv_shape.h"
#include "ops/op.h"

/* Which input is what. */
struct roles {
    size_t x, w, x_zero, w_zero, bias;
};

static const struct roles plain = {.x = 0, .w = 1, .x_zero = 2, .w_zero = 3, .bias = SIZE_MAX};

enum { X, X_SCALE, X_ZERO, W, W_SCALE, W_ZERO, Y_SCALE, Y_ZERO, BIAS };

static const struct roles scaled = {
    .x = X, .w = W, .x_zero = X_ZERO, .w_zero = W_ZERO, .bias = BIAS};

struct state {
    struct eng_integer_conv conv;
    size_t n_w_scales;
    size_t sums_at; /* in scratch: those of one image */
};

static bool is_given(const struct eng_op_infer *q, size_t k)
{
    return k < q->n_in && q->in[k];
}

/* One, or one for each output channel. */
static enum eng_status count_parameters(const struct eng_op_infer *q, size_t k, int64_t n_channels,
                                        size_t *out, struct eng_error *err)
{
    *out = (size_t)eng_shape_count(&q->in[k]->shape);
    if (*out == 1) return ENG_OK;
    enum eng_status status = eng_infer_rank(q, k, 1, 1, err);
    return status == ENG_OK ? eng_infer_count(q, k, n_channels, err) : status;
}

static enum eng_status resolve(struct eng_op_infer *q, const struct roles *roles,
                               struct eng_integer_conv *out, struct eng_shape *y,
                               struct eng_error *err)
{
    enum eng_status status = eng_infer_byte(q, roles->x, err);
    if (status == ENG_OK) status = eng_infer_byte(q, roles->w, err);
    if (status != ENG_OK) return status;
    const struct eng_tensor *x = q->in[roles->x], *w = q->in[roles->w];
    out->x_dtype = x->dtype;
    out->w_dtype = w->dtype;
    status = eng_conv_resolve(q->attrs, &x->shape, &w->shape, &out->shape, y, err);
    if (status == ENG_OK && is_given(q, roles->x_zero)) {
        status = eng_infer_dtype(q, roles->x_zero, x->dtype, err);
        if (status == ENG_OK) status = eng_infer_count(q, roles->x_zero, 1, err);
    }
    if (status == ENG_OK && is_given(q, roles->w_zero)) {
        status = eng_infer_dtype(q, roles->w_zero, w->dtype, err);
        if (status == ENG_OK)
            status = count_parameters(q, roles->w_zero, w->shape.dim[0], &out->n_w_zeros, err);
    }
    if (status == ENG_OK && !eng_integer_conv_scratch_bytes(out, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    return status;
}

static enum eng_status plain_infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct state *state = q->state;
    struct eng_shape y;
    enum eng_status status = resolve(q, &plain, &state->conv, &y, err);
    if (status == ENG_OK) eng_infer_output(q, 0, ENG_INT32, &y);
    return status;
}

static enum eng_status check_scales(const struct eng_op_infer *q, struct state *state,
                                    struct eng_error *err)
{
    int64_t n_channels = q->in[W]->shape.dim[0];
    enum eng_status status = eng_infer_dtype(q, X_SCALE, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, W_SCALE, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, Y_SCALE, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_count(q, X_SCALE, 1, err);
    if (status == ENG_OK)
        status = count_parameters(q, W_SCALE, n_channels, &state->n_w_scales, err);
    if (status == ENG_OK) status = eng_infer_count(q, Y_SCALE, 1, err);
    if (status == ENG_OK) status = eng_infer_count(q, Y_ZERO, 1, err);
    if (status == ENG_OK) status = eng_infer_byte(q, Y_ZERO, err);
    if (status != ENG_OK || !is_given(q, BIAS)) return status;
    struct eng_shape bias = {.rank = 1, .dim = {n_channels}};
    status = eng_infer_dtype(q, BIAS, ENG_INT32, err);
    return status == ENG_OK ? eng_infer_shape(q, BIAS, &bias, err) : status;
}

static enum eng_status scaled_infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct state *state = q->state;
    struct eng_shape y;
    size_t sums;
    enum eng_status status = resolve(q, &scaled, &state->conv, &y, err);
    if (status == ENG_OK) status = check_scales(q, state, err);
    if (status != ENG_OK) return status;
    if (!eng_mul_size((size_t)y.dim[1], eng_window_volume(state->conv.shape.window.out), &sums) ||
        sums > SIZE_MAX / 16 || q->scratch_bytes > SIZE_MAX / 4)
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    state->sums_at = eng_align_up(q->scratch_bytes);
    q->scratch_bytes = state->sums_at + sums * sizeof(int32_t);
    eng_infer_output(q, 0, q->in[Y_ZERO]->dtype, &y);
    return ENG_OK;
}

static const void *optional(const struct eng_op_call *call, size_t k)
{
    return k < call->n_in && call->in[k] ? call->in[k]->data : NULL;
}

static struct eng_integer_conv_inputs inputs(const struct eng_op_call *call,
                                             const struct roles *roles)
{
    return (struct eng_integer_conv_inputs){.x = call->in[roles->x]->data,
                                            .w = call->in[roles->w]->data,
                                            .x_zero = optional(call, roles->x_zero),
                                            .w_zeros = optional(call, roles->w_zero),
                                            .bias = optional(call, roles->bias)};
}

static size_t n_channels_out(const struct state *state)
{
    return state->conv.shape.groups * state->conv.shape.out_channels;
}

static void plain_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_integer_conv_inputs in = inputs(call, &plain);
    size_t n = n_channels_out(state) * eng_window_volume(state->conv.shape.window.out);
    eng_integer_conv_prepare(&state->conv, &in, call->scratch);
    for (size_t i = 0; i < state->conv.shape.n_images; i++)
        eng_integer_conv_image(&state->conv, &in, i, (int32_t *)call->out[0]->data + i * n,
                               call->scratch, call->pool);
}

/* Quantises the sums of image i, channel by channel. */
static void requantise(const struct eng_op_call *call, size_t i, const int32_t *sums)
{
    const struct state *state = call->state;
    size_t n_channels = n_channels_out(state);
    size_t n = eng_window_volume(state->conv.shape.window.out);
    const float *w_scale = call->in[W_SCALE]->data;
    float x_scale = *(const float *)call->in[X_SCALE]->data;
    float y_scale = *(const float *)call->in[Y_SCALE]->data;
    enum eng_dtype dtype = call->out[0]->dtype;
    int32_t zero = eng_integer_at(dtype, call->in[Y_ZERO]->data, 0);
    uint8_t *y = (uint8_t *)call->out[0]->data + i * n_channels * n;
    for (size_t c = 0; c < n_channels; c++, sums += n, y += n) {
        float factor = x_scale * w_scale[c % state->n_w_scales] / y_scale;
        eng_requantise(sums, &factor, false, zero, dtype, y, n);
    }
}

static void scaled_forward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    struct eng_integer_conv_inputs in = inputs(call, &scaled);
    int32_t *sums = (int32_t *)(void *)((char *)call->scratch + state->sums_at);
    eng_integer_conv_prepare(&state->conv, &in, call->scratch);
    for (size_t i = 0; i < state->conv.shape.n_images; i++) {
        eng_integer_conv_image(&state->conv, &in, i, sums, call->scratch, call->pool);
        requantise(call, i, sums);
    }
}

static double flops(const struct eng_op_infer *q)
{
    return eng_conv_flops(&((const struct state *)q->state)->conv.shape);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    const struct state *state = call->state;
    eng_conv_describe(&state->conv.shape, eng_integer_conv_algorithm(&state->conv), text, size);
}

#define CONVOLUTION(onnx_name, id, kind, inputs_min, inputs) \
    const struct eng_op eng_op_##id = {                      \
        .name = onnx_name,                                   \
        .domain = "",                                        \
        .opset_min = 10,                                     \
        .opset_max = ENG_OPSET_MAX,                          \
        .in_min = inputs_min,                                \
        .in_max = inputs,                                    \
        .out_min = 1,                                        \
        .out_max = 1,                                        \
        .attrs = eng_conv_fields,                            \
        .n_attrs = ENG_CONV_FIELDS,                          \
        .attrs_bytes = sizeof(struct eng_conv_attrs),        \
        .state_bytes = sizeof(struct state),                 \
        .infer = kind##_infer,                               \
        .follow = eng_follow_rows,                           \
        .forward = kind##_forward,                           \
        .flops = flops,                                      \
        .describe = describe,                                \
    }

CONVOLUTION("ConvInteger", conv_integer, plain, 2, 4);
CONVOLUTION("QLinearConv", qlinear_conv, scaled, 8, 9);
