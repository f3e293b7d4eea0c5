/*
 * Y = X * W + B, convolution as networks mean it (cross-correlation).
 *
 * Shapes: X [N, C, D1 .. Dn], W [M, C / group, K1 .. Kn], B [M]; Y [N, M, E1 .. En]; n from 1 to 3.
 * Source: ONNX Conv, versions 1 and 11.
 */
#include "kernels/conv.h"

#include "base/error.h"
#include "ops/op.h"
#include "ops/window.h"

struct attrs {
    int auto_pad;
    struct eng_ints dilations, kernel_shape, pads, strides;
    int64_t group;
};

static const struct eng_field fields[] = {
    ENG_F_CHOICE(struct attrs, auto_pad, ENG_PAD_NOTSET, eng_auto_pad_names,
                 "how padding is found"),
    ENG_F_INTS(struct attrs, dilations, 1, ENG_WINDOW_MAX, "distance between kernel taps"),
    ENG_F_INTS(struct attrs, kernel_shape, 1, ENG_WINDOW_MAX, "kernel size; W's if left out"),
    ENG_F_INTS(struct attrs, pads, 0, ENG_WINDOW_MAX, "zeros before each axis, then after each"),
    ENG_F_INTS(struct attrs, strides, 1, ENG_WINDOW_MAX, "step of the window"),
    ENG_F_INT(struct attrs, group, 1, 1, 1 << 30, "channel groups that do not see each other"),
};

static enum eng_status check_weights(const struct eng_op_infer *q, int64_t group,
                                     struct eng_error *err)
{
    const struct eng_shape *x = &q->in[0]->shape, *w = &q->in[1]->shape;
    if (w->rank != x->rank || w->dim[1] > INT64_MAX / group || w->dim[1] * group != x->dim[1]) {
        char x_text[96], w_text[96];
        return eng_fail(err, ENG_FORMAT,
                        "X %s, W %s and group %lld do not fit: W's second dimension times group "
                        "must be X's channels",
                        eng_shape_format(x, x_text, sizeof x_text),
                        eng_shape_format(w, w_text, sizeof w_text), (long long)group);
    }
    if (w->dim[0] < 1 || w->dim[1] < 1 || w->dim[0] % group != 0)
        return eng_fail(err, ENG_FORMAT,
                        "W has %lld kernels of %lld channels; a multiple of group %lld is wanted",
                        (long long)w->dim[0], (long long)w->dim[1], (long long)group);
    struct eng_shape bias = {.rank = 1, .dim = {w->dim[0]}};
    return q->n_in > 2 && q->in[2] ? eng_infer_shape(q, 2, &bias, err) : ENG_OK;
}

/* The kernel's size is W's; an attribute may only repeat it. */
static enum eng_status resolve(const struct eng_op_infer *q, struct eng_window *out,
                               struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *w = &q->in[1]->shape;
    struct eng_window_attrs window = {.auto_pad = attrs->auto_pad,
                                      .strides = attrs->strides,
                                      .dilations = attrs->dilations,
                                      .pads = attrs->pads};
    window.kernel_shape.n = w->rank - 2;
    for (int i = 0; i < w->rank - 2; i++) {
        int64_t size = w->dim[i + 2];
        if (size < 1 || size > ENG_WINDOW_MAX)
            return eng_fail(err, ENG_FORMAT, "W's dimension %d is %lld; 1 to %d is wanted", i + 2,
                            (long long)size, ENG_WINDOW_MAX);
        if (attrs->kernel_shape.n > i && attrs->kernel_shape.v[i] != size)
            return eng_fail(err, ENG_FORMAT, "kernel_shape[%d] is %lld, but W's dimension is %lld",
                            i, (long long)attrs->kernel_shape.v[i], (long long)size);
        window.kernel_shape.v[i] = size;
    }
    if (attrs->kernel_shape.n > 0 && attrs->kernel_shape.n != w->rank - 2)
        return eng_fail(err, ENG_FORMAT, "attribute 'kernel_shape' has %d numbers; %d are wanted",
                        attrs->kernel_shape.n, w->rank - 2);
    return eng_window_resolve(&window, &q->in[0]->shape, out, err);
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    struct eng_conv *conv = q->state;
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && k < q->n_in; k++)
        if (q->in[k]) status = eng_infer_dtype(q, k, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 3, 5, err);
    if (status == ENG_OK) status = check_weights(q, attrs->group, err);
    if (status == ENG_OK) status = resolve(q, &conv->window, err);
    if (status != ENG_OK) return status;

    const struct eng_shape *x = &q->in[0]->shape, *w = &q->in[1]->shape;
    struct eng_shape y = eng_window_output(&conv->window, x, w->dim[0]);
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    conv->n_images = (size_t)x->dim[0];
    conv->groups = (size_t)attrs->group;
    conv->in_channels = (size_t)w->dim[1];
    conv->out_channels = (size_t)(w->dim[0] / attrs->group);
    conv->training = q->training;
    if (!eng_conv_scratch_bytes(conv, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    return ENG_OK;
}

static const float *optional(const struct eng_op_call *call, size_t k)
{
    return call->n_in > k && call->in[k] ? call->in[k]->data : NULL;
}

static void forward(const struct eng_op_call *call)
{
    eng_conv_forward(call->state, call->in[0]->data, call->in[1]->data, optional(call, 2),
                     call->activation, call->out[0]->data, call->scratch, call->pool);
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
    const struct eng_conv *conv = q->state;
    return 2.0 * (double)(conv->n_images * conv->groups * conv->out_channels) *
           (double)eng_window_volume(conv->window.out) * (double)conv->in_channels *
           (double)eng_window_volume(conv->window.kernel);
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
    .flags = ENG_OP_FUSES_ACTIVATION | ENG_OP_ROW_WISE,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_conv),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
    .absorb_affine = absorb_affine,
    .flops = flops,
    .trainable_inputs = 6,
    .weight_inputs = 2,
};
