/*
 * y = saturate(round((x - x_zero) * W * factor + offset) + y_zero): convolution, or a matrix
 * product, of bytes.
 *
 * Shapes: quantised.h. Sums are exact, the zero points' part is in their start; factor is x_scale
 * w_scale / y_scale, offset what a bias in floats adds, by y_scale. Source: ONNX QLinearConv,
 * QLinearMatMul.
 */
#include "ops/quantised.h"

#include "base/error.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>

enum { X, W, START, SCALES };

uint32_t eng_quantised_flip(const struct eng_quantised *q)
{
    return q->dtype == ENG_INT8 ? ENG_INT8_FLIP : 0;
}

int32_t eng_quantised_zero(const struct eng_quantised *q)
{
    return q->dtype == ENG_INT8 ? q->zero + 128 : q->zero;
}

struct eng_int8_finish eng_quantised_finish(const struct eng_quantised *q)
{
    return (struct eng_int8_finish){
        .zero = eng_quantised_zero(q), .high = UINT8_MAX, .flip = eng_quantised_flip(q)};
}

/* Rows of a matrix are the pixels of a 1x1 window. */
static enum eng_status resolve_matrix(const struct eng_quantised_conv_attrs *attrs,
                                      const struct eng_shape *x, struct eng_int8_conv *out,
                                      struct eng_error *err)
{
    static const struct eng_window pixel = {.in = {1, 1, 1},
                                            .out = {1, 1, 1},
                                            .kernel = {1, 1, 1},
                                            .stride = {1, 1, 1},
                                            .dilation = {1, 1, 1}};
    if (x->rank < 1 || x->dim[x->rank - 1] != attrs->in_channels) {
        char text[96];
        return eng_fail(err, ENG_FORMAT, "input 0 has shape %s; rows of %lld are wanted",
                        eng_shape_format(x, text, sizeof text), (long long)attrs->in_channels);
    }
    *out = (struct eng_int8_conv){.window = pixel,
                                  .n_images = 1,
                                  .groups = 1,
                                  .in_channels = (size_t)attrs->in_channels,
                                  .out_channels = (size_t)attrs->out_channels};
    for (int d = 0; d < x->rank - 1; d++)
        out->n_images *= (size_t)x->dim[d];
    return ENG_OK;
}

static enum eng_status resolve_picture(const struct eng_quantised_conv_attrs *attrs,
                                       const struct eng_shape *x, struct eng_int8_conv *out,
                                       struct eng_error *err)
{
    struct eng_shape first = {.rank = 4, .dim = {x->dim[0], x->dim[3], x->dim[1], x->dim[2]}}, y;
    struct eng_shape w = {.rank = 4,
                          .dim = {attrs->out_channels * attrs->conv.group, attrs->in_channels,
                                  attrs->conv.kernel_shape.v[0], attrs->conv.kernel_shape.v[1]}};
    struct eng_conv conv;
    enum eng_status status = eng_conv_resolve(&attrs->conv, &first, &w, &conv, &y, err);
    if (status != ENG_OK) return status;
    *out = (struct eng_int8_conv){.window = conv.window,
                                  .n_images = conv.n_images,
                                  .groups = conv.groups,
                                  .in_channels = conv.in_channels,
                                  .out_channels = conv.out_channels};
    return ENG_OK;
}

enum eng_status eng_quantised_conv_resolve(const struct eng_quantised_conv_attrs *attrs,
                                           const struct eng_shape *x, struct eng_int8_conv *out,
                                           struct eng_error *err)
{
    enum eng_status status =
        attrs->is_matrix ? resolve_matrix(attrs, x, out, err) : resolve_picture(attrs, x, out, err);
    if (status != ENG_OK || eng_int8_conv_choose(out)) return status;
    return eng_fail(err, ENG_UNSUPPORTED, "the window has more taps than integer kernels take");
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_quantised_conv_attrs *attrs = q->attrs;
    struct eng_int8_conv *conv = q->state;
    struct eng_shape y = q->in[X]->shape;
    enum eng_status status = eng_infer_dtype(q, X, attrs->x.dtype, err);
    if (status == ENG_OK && !attrs->is_matrix) status = eng_infer_rank(q, X, 4, 4, err);
    if (status == ENG_OK) status = eng_quantised_conv_resolve(attrs, &y, conv, err);
    if (status != ENG_OK) return status;
    if (!attrs->is_matrix) {
        y.dim[1] = conv->window.out[1];
        y.dim[2] = conv->window.out[2];
    }
    y.dim[y.rank - 1] = (int64_t)(conv->groups * conv->out_channels);
    eng_infer_output(q, 0, attrs->y.dtype, &y);
    if (!eng_int8_conv_scratch_bytes(conv, &q->scratch_bytes))
        return eng_fail(err, ENG_LIMIT, "the convolution needs more scratch memory than there is");
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_quantised_conv_attrs *attrs = call->attrs;
    size_t n_columns = (size_t)call->in[START]->shape.dim[0];
    struct eng_int8_conv_call c = {.x = call->in[X]->data,
                                   .blank = (uint8_t)attrs->x.zero,
                                   .flip = eng_quantised_flip(&attrs->x),
                                   .packed = call->in[W]->data,
                                   .start = call->in[START]->data,
                                   .finish = eng_quantised_finish(&attrs->y),
                                   .y = call->out[0]->data,
                                   .scratch = call->scratch,
                                   .pool = call->pool};
    c.finish.low = attrs->low;
    c.finish.high = attrs->high;
    c.finish.factor = call->in[SCALES]->data;
    c.finish.rest = c.finish.factor + n_columns;
    c.finish.offset = c.finish.rest + n_columns;
    eng_int8_conv_forward(call->state, &c);
}

static struct eng_conv geometry(const struct eng_int8_conv *conv)
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
    const struct eng_quantised_conv_attrs *attrs = call->attrs;
    struct eng_conv conv = geometry(call->state);
    char way[32];
    snprintf(way, sizeof way, "int8 %s", eng_int8_kernels()->name);
    if (attrs->is_matrix)
        snprintf(text, size, "%s product", way);
    else
        eng_conv_describe(&conv, way, text, size);
}

const struct eng_op eng_op_quantised_conv = {
    .name = "QLinearConv",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 4,
    .in_max = 4,
    .out_min = 1,
    .out_max = 1,
    .attrs_bytes = sizeof(struct eng_quantised_conv_attrs),
    .state_bytes = sizeof(struct eng_int8_conv),
    .infer = infer,
    .forward = forward,
    .flops = flops,
    .describe = describe,
};
