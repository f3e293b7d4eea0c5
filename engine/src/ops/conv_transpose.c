/*
 * Y = the way back through a convolution: each pixel of X, times W, is added to the pixels of Y
 * that a convolution of Y with W would have seen for it; plus B.
 *
 * Shapes: X [N, C, D1 .. Dn], W [C, M / group, K1 .. Kn], B [M]; Y [N, M, E1 .. En]; n from 1 to 3;
 * E = stride (D - 1) + output_padding + dilation (K - 1) + 1 - pads, or output_shape.
 * Types: float, and double, which is not trained.
 * Source: ONNX ConvTranspose, versions 1 and 11.
 */
#include "kernels/dispatch.h"

#include "base/error.h"
#include "base/mem.h"
#include "kernels/conv_double.h"
#include "ops/conv_shape.h"
#include "ops/op.h"

#include <limits.h>

struct attrs {
    int auto_pad;
    struct eng_ints dilations, kernel_shape, output_padding, output_shape, pads, strides;
    int64_t group;
};

static const struct eng_field fields[] = {
    ENG_F_CHOICE(struct attrs, auto_pad, ENG_PAD_NOTSET, eng_auto_pad_names,
                 "how padding is found"),
    ENG_F_INTS(struct attrs, dilations, 1, ENG_WINDOW_MAX, "distance between kernel taps"),
    ENG_F_INTS(struct attrs, kernel_shape, 1, ENG_WINDOW_MAX, "kernel size; W's if left out"),
    ENG_F_INTS(struct attrs, output_padding, 0, ENG_WINDOW_MAX, "further pixels after each axis"),
    ENG_F_INTS(struct attrs, output_shape, 1, INT_MAX, "the output's size; padding follows"),
    ENG_F_INTS(struct attrs, pads, 0, ENG_WINDOW_MAX, "cut off before each axis, then after each"),
    ENG_F_INTS(struct attrs, strides, 1, ENG_WINDOW_MAX, "step of the window"),
    ENG_F_INT(struct attrs, group, 1, 1, 1 << 30, "channel groups that do not see each other"),
};

/* The convolution whose way back this is, with Y for its input; in scratch, a place for dX. */
struct state {
    struct eng_conv conv;
    size_t gradient_at;
};

static enum eng_status check_weights(const struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape, *w = &q->in[1]->shape;
    char x_text[96], w_text[96];
    if (w->rank != x->rank || w->dim[0] != x->dim[1] || w->dim[0] < 1 || w->dim[1] < 1 ||
        x->dim[1] % attrs->group != 0)
        return eng_fail(err, ENG_FORMAT,
                        "X %s, W %s and group %lld do not fit: W's first dimension must be X's "
                        "channels, and a multiple of group",
                        eng_shape_format(x, x_text, sizeof x_text),
                        eng_shape_format(w, w_text, sizeof w_text), (long long)attrs->group);
    if (w->dim[1] > INT_MAX / attrs->group)
        return eng_fail(err, ENG_LIMIT, "Y would have more than %d channels", INT_MAX);
    struct eng_shape bias = {.rank = 1, .dim = {w->dim[1] * attrs->group}};
    return q->n_in > 2 && q->in[2] ? eng_infer_shape(q, 2, &bias, err) : ENG_OK;
}

static enum eng_status check_lists(const struct attrs *a, int n, struct eng_error *err)
{
    enum eng_status status = eng_window_check_count("dilations", &a->dilations, n, err);
    if (status == ENG_OK) status = eng_window_check_count("kernel_shape", &a->kernel_shape, n, err);
    if (status == ENG_OK)
        status = eng_window_check_count("output_padding", &a->output_padding, n, err);
    if (status == ENG_OK) status = eng_window_check_count("output_shape", &a->output_shape, n, err);
    if (status == ENG_OK) status = eng_window_check_count("pads", &a->pads, 2 * n, err);
    if (status == ENG_OK) status = eng_window_check_count("strides", &a->strides, n, err);
    if (status == ENG_OK && a->output_shape.n == 0) /* else they do not count */
        status = eng_window_check_pads(a->auto_pad, &a->pads, err);
    return status;
}

/* Padding makes the output as large as was asked for: half of it before, the odd pixel on the side
 * that auto_pad says (version 1's formula has the sides swapped, which ONNX Runtime does not follow
 * either). What is larger than all that X reaches keeps the bias. */
static void pad_to(struct eng_window *w, int a, int64_t full, bool upper)
{
    int64_t total = full > w->in[a] ? full - w->in[a] : 0;
    w->pad_begin[a] = upper ? total / 2 : total - total / 2;
    w->pad_end[a] = total - w->pad_begin[a];
}

/* Axis a of the window is dimension i of the attributes, of n. The window's input is Y. */
static enum eng_status resolve_axis(const struct eng_op_infer *q, int i, int n, int a,
                                    struct eng_window *w, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    int64_t x = q->in[0]->shape.dim[i + 2], kernel = q->in[1]->shape.dim[i + 2];
    if (kernel < 1 || kernel > ENG_WINDOW_MAX ||
        eng_window_value(&attrs->kernel_shape, i, kernel) != kernel)
        return eng_fail(err, ENG_FORMAT, "W's dimension %d is %lld; %lld is wanted", i + 2,
                        (long long)kernel, (long long)eng_window_value(&attrs->kernel_shape, i, 1));
    if (x < 1 || x > INT_MAX)
        return eng_fail(err, ENG_LIMIT, "dimension %d of input 0 is %lld; 1 to %d is wanted", i + 2,
                        (long long)x, INT_MAX);
    w->out[a] = x;
    w->kernel[a] = kernel;
    w->stride[a] = eng_window_value(&attrs->strides, i, 1);
    w->dilation[a] = eng_window_value(&attrs->dilations, i, 1);
    w->pad_begin[a] = w->pad_end[a] = 0;
    bool same = attrs->auto_pad == ENG_PAD_SAME_UPPER || attrs->auto_pad == ENG_PAD_SAME_LOWER;
    int64_t full = (x - 1) * w->stride[a] + (kernel - 1) * w->dilation[a] + 1 +
                   eng_window_value(&attrs->output_padding, i, 0);
    if (attrs->output_shape.n > 0 || same) {
        w->in[a] = eng_window_value(&attrs->output_shape, i, x * w->stride[a]);
        pad_to(w, a, full, attrs->auto_pad == ENG_PAD_SAME_UPPER);
        return ENG_OK;
    }
    if (attrs->auto_pad == ENG_PAD_NOTSET) {
        w->pad_begin[a] = eng_window_value(&attrs->pads, i, 0);
        w->pad_end[a] = eng_window_value(&attrs->pads, i + n, 0);
    }
    w->in[a] = full - w->pad_begin[a] - w->pad_end[a];
    if (w->in[a] >= 1) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "along dimension %d padding %lld leaves none of %lld pixels",
                    i + 2, (long long)(w->pad_begin[a] + w->pad_end[a]), (long long)full);
}

static enum eng_status resolve(const struct eng_op_infer *q, struct eng_window *out,
                               struct eng_error *err)
{
    int n = q->in[0]->shape.rank - 2;
    *out = (struct eng_window){.in = {1, 1, 1},
                               .out = {1, 1, 1},
                               .kernel = {1, 1, 1},
                               .stride = {1, 1, 1},
                               .dilation = {1, 1, 1}};
    enum eng_status status = check_lists(q->attrs, n, err);
    int64_t pixels_in = 1, pixels_out = 1;
    for (int i = 0; status == ENG_OK && i < n; i++) {
        int a = ENG_WINDOW_AXES - n + i;
        status = resolve_axis(q, i, n, a, out, err);
        if (status != ENG_OK) return status;
        if (__builtin_mul_overflow(pixels_in, out->in[a], &pixels_in) || pixels_in > INT_MAX ||
            __builtin_mul_overflow(pixels_out, out->out[a], &pixels_out) || pixels_out > INT_MAX)
            return eng_fail(err, ENG_LIMIT,
                            "dimension %d grows from %lld to %lld; planes of at most %d pixels are "
                            "wanted",
                            i + 2, (long long)out->out[a], (long long)out->in[a], INT_MAX);
    }
    return status;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct state *state = q->state;
    struct eng_conv *conv = &state->conv;
    enum eng_dtype dtype = q->in[0]->dtype;
    enum eng_status status = eng_infer_real(q, 0, err);
    for (size_t k = 1; status == ENG_OK && k < q->n_in; k++)
        if (q->in[k]) status = eng_infer_dtype(q, k, dtype, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 3, 2 + ENG_WINDOW_AXES, err);
    if (status == ENG_OK) status = check_weights(q, err);
    if (status == ENG_OK) status = resolve(q, &conv->window, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape, *w = &q->in[1]->shape;
    struct eng_shape y = *x;
    y.dim[1] = w->dim[1] * attrs->group;
    for (int i = 2; i < x->rank; i++)
        y.dim[i] = conv->window.in[ENG_WINDOW_AXES - x->rank + i];
    eng_infer_output(q, 0, dtype, &y);
    conv->n_images = (size_t)x->dim[0];
    conv->groups = (size_t)attrs->group;
    conv->in_channels = (size_t)w->dim[1];
    conv->out_channels = (size_t)(w->dim[0] / attrs->group);
    conv->training = q->training;
    if (dtype == ENG_FLOAT64) return ENG_OK;
    size_t bytes, dx_bytes = q->training ? (size_t)eng_tensor_bytes(q->in[0]) : 0;
    if (!eng_conv_transpose_scratch_bytes(conv, &bytes) || bytes > SIZE_MAX / 4)
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    state->gradient_at = eng_align_up(bytes);
    q->scratch_bytes = state->gradient_at + dx_bytes;
    return ENG_OK;
}

static size_t n_channels_out(const struct eng_conv *conv)
{
    return conv->groups * conv->in_channels;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_conv *conv = &((const struct state *)call->state)->conv;
    const void *given = call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
    if (call->in[0]->dtype == ENG_FLOAT64) {
        eng_conv_double_transpose(conv, call->in[0]->data, call->in[1]->data, given,
                                  call->out[0]->data);
        return;
    }
    const float *bias = given;
    size_t n_channels = n_channels_out(conv), n_pixels = eng_window_volume(conv->window.in);
    float *y = call->out[0]->data;
    for (size_t plane = 0; bias && plane < conv->n_images * n_channels; plane++)
        for (size_t i = 0; i < n_pixels; i++)
            y[plane * n_pixels + i] = bias[plane % n_channels];
    eng_conv_transpose(conv, call->in[0]->data, call->in[1]->data, y, !bias, call->scratch,
                       call->pool);
}

/* dX is a convolution of dY. */
static void backward_input(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    float *dx = call->grad_in[0]->data;
    bool write = call->write_grad & 1;
    float *to = write ? dx : (float *)(void *)((char *)call->scratch + state->gradient_at);
    eng_conv_forward(&state->conv, call->grad_out[0]->data, call->in[1]->data, NULL,
                     (struct eng_activation){.kind = ENG_ACT_NONE}, to, call->scratch, NULL);
    size_t n = write ? 0 : (size_t)eng_shape_count(&call->in[0]->shape);
    for (size_t i = 0; i < n; i++)
        dx[i] += to[i];
}

static void backward_bias(const struct eng_op_call *call)
{
    const struct eng_conv *conv = &((const struct state *)call->state)->conv;
    size_t n_channels = n_channels_out(conv), n_pixels = eng_window_volume(conv->window.in);
    const float *dy = call->grad_out[0]->data;
    float *db = call->grad_in[2]->data;
    for (size_t plane = 0; plane < conv->n_images * n_channels; plane++)
        db[plane % n_channels] += eng_kernels()->sum(dy + plane * n_pixels, 0, n_pixels);
}

/* dX goes first: it may be written, and be dW's memory, where X is W too. */
static void backward(const struct eng_op_call *call)
{
    const struct state *state = call->state;
    if (!call->grad_out[0]) return;
    if (call->grad_in[0]) backward_input(call);
    struct eng_conv_gradients gradients = {.x = call->grad_out[0]->data,
                                           .w = call->in[1]->data,
                                           .dy = call->in[0]->data,
                                           .dw = call->grad_in[1] ? call->grad_in[1]->data : NULL};
    eng_conv_backward(&state->conv, &gradients, call->scratch);
    if (call->n_in > 2 && call->grad_in[2]) backward_bias(call);
}

static double flops(const struct eng_op_infer *q)
{
    return eng_conv_flops(&((const struct state *)q->state)->conv);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    const struct eng_conv *conv = &((const struct state *)call->state)->conv;
    bool is_double = call->in[0]->dtype == ENG_FLOAT64;
    eng_conv_describe(conv, is_double ? "plain loops" : eng_conv_transpose_algorithm(conv), text,
                      size);
}

const struct eng_op eng_op_conv_transpose = {
    .name = "ConvTranspose",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 3,
    .out_min = 1,
    .out_max = 1,
    .follow = eng_follow_rows,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct state),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
    .flops = flops,
    .describe = describe,
    .trainable_inputs = 6,
    .weight_inputs = 2,
};
