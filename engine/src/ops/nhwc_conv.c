/*
 * Y = activation(X * W + B + A), convolution with channels last.
 *
 * Shapes: X [N, D1, D2, C], W packed (kernels/nhwc_conv.h), B [M] filled up, A and Y [N, E1, E2,
 * M]. Source: ONNX Conv.
 */
#include "ops/nhwc.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* The same with channels first. */
static struct eng_shape channels_first(const struct eng_shape *x)
{
    return (struct eng_shape){.rank = 4, .dim = {x->dim[0], x->dim[3], x->dim[1], x->dim[2]}};
}

enum eng_status eng_nhwc_conv_resolve(const struct eng_nhwc_conv_attrs *attrs,
                                      const struct eng_shape *x, struct eng_nhwc_conv *out,
                                      struct eng_error *err)
{
    struct eng_shape first = attrs->planes ? *x : channels_first(x), y;
    struct eng_shape w = {.rank = 4,
                          .dim = {attrs->out_channels * attrs->conv.group, attrs->in_channels,
                                  attrs->conv.kernel_shape.v[0], attrs->conv.kernel_shape.v[1]}};
    struct eng_conv conv;
    enum eng_status status = eng_conv_resolve(&attrs->conv, &first, &w, &conv, &y, err);
    if (status != ENG_OK) return status;
    *out = (struct eng_nhwc_conv){.window = conv.window,
                                  .n_images = conv.n_images,
                                  .groups = conv.groups,
                                  .in_channels = conv.in_channels,
                                  .out_channels = conv.out_channels,
                                  .method = attrs->method,
                                  .planes = attrs->planes};
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct eng_nhwc_conv *conv = q->state;
    enum eng_status status = eng_infer_rank(q, 0, 4, 4, err);
    if (status == ENG_OK) status = eng_nhwc_conv_resolve(q->attrs, &q->in[0]->shape, conv, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = {.rank = 4,
                          .dim = {q->in[0]->shape.dim[0], conv->window.out[1], conv->window.out[2],
                                  (int64_t)(conv->groups * conv->out_channels)}};
    if (q->n_in > 3 && q->in[3]) status = eng_infer_shape(q, 3, &y, err);
    if (status != ENG_OK) return status;
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    y.dim[1] = y.dim[2] = 1;
    eng_infer_output(q, 1, ENG_FLOAT32, &y);
    conv->means = q->n_out > 1 && q->out[1];
    struct eng_shape factors = {.rank = 4, .dim = {y.dim[0], 1, 1, q->in[0]->shape.dim[3]}};
    conv->scales = q->n_in > 4 && q->in[4];
    if (conv->scales) status = eng_infer_shape(q, 4, &factors, err);
    if (status != ENG_OK) return status;
    if (!eng_nhwc_conv_scratch_bytes(conv, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    return ENG_OK;
}

static const float *optional(const struct eng_op_call *call, size_t k)
{
    return call->n_in > k && call->in[k] ? call->in[k]->data : NULL;
}

static void forward(const struct eng_op_call *call)
{
    struct eng_nhwc_conv_call c = {.x = call->in[0]->data,
                                   .packed = call->in[1]->data,
                                   .bias = optional(call, 2),
                                   .added = optional(call, 3),
                                   .factors = optional(call, 4),
                                   .activation = call->activation,
                                   .y = call->out[0]->data,
                                   .means =
                                       call->n_out > 1 && call->out[1] ? call->out[1]->data : NULL,
                                   .scratch = call->scratch,
                                   .pool = call->pool};
    eng_nhwc_conv_forward(call->state, &c);
}

static struct eng_conv geometry(const struct eng_nhwc_conv *conv)
{
    return (struct eng_conv){.window = conv->window,
                             .n_images = conv->n_images,
                             .groups = conv->groups,
                             .in_channels = conv->in_channels,
                             .out_channels = conv->out_channels};
}

static double flops(const struct eng_op_infer *q)
{
    struct eng_conv conv = geometry(q->state);
    return eng_conv_flops(&conv);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    static const char *const methods[] = {[ENG_NHWC_PRODUCT] = "channels last",
                                          [ENG_NHWC_WINOGRAD_2X2] = "winograd 2x2",
                                          [ENG_NHWC_WINOGRAD_4X4] = "winograd 4x4",
                                          [ENG_NHWC_DEPTHWISE] = "channels last",
                                          [ENG_NHWC_BF16] = "bf16"};
    static const char *const reasons[] = {[ENG_NHWC_BY_SHAPE] = "",
                                          [ENG_NHWC_MEASURED] = ", measured",
                                          [ENG_NHWC_PINNED] = ", pinned"};
    const struct eng_nhwc_conv *state = call->state;
    const struct eng_nhwc_conv_attrs *attrs = call->attrs;
    struct eng_conv conv = geometry(state);
    eng_conv_describe(&conv, methods[state->method], text, size);
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s", reasons[attrs->reason]);
}

const struct eng_op eng_op_nhwc_conv = {
    .name = "Conv",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 5,
    .out_min = 1,
    .out_max = 2,
    .flags = ENG_OP_FUSES_ACTIVATION,
    .attrs_bytes = sizeof(struct eng_nhwc_conv_attrs),
    .state_bytes = sizeof(struct eng_nhwc_conv),
    .infer = infer,
    .forward = forward,
    .flops = flops,
    .describe = describe,
};
