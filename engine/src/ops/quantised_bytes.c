/*
 * What works byte by byte: sums of two tensors, functions of one as a table, and a picture of
 * floats turned into bytes with channels last.
 *
 * Shapes: quantised.h. Every byte is what DequantizeLinear, the operator and QuantizeLinear give:
 * the same operations on floats in the same order. Source: ONNX Add, QuantizeLinear.
 */
#include "ops/quantised.h"

#include "base/share.h"

#include <stdio.h>
#include <string.h>

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    (void)call;
    snprintf(text, size, "int8 %s", eng_int8_kernels()->name);
}

/* --- sums --- */

static enum eng_status add_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_quantised_add_attrs *attrs = q->attrs;
    const struct eng_shape *shape = &q->in[0]->shape;
    enum eng_status status = eng_infer_dtype(q, 0, attrs->a.dtype, err);
    if (status == ENG_OK) status = eng_infer_dtype(q, 1, attrs->b.dtype, err);
    if (status == ENG_OK) status = eng_infer_shape(q, 1, shape, err);
    if (status != ENG_OK) return status;
    eng_infer_output(q, 0, attrs->y.dtype, shape);
    eng_infer_output(q, 1, ENG_FLOAT32, shape);
    return ENG_OK;
}

static struct eng_int8_term term(const struct eng_quantised *q, const struct eng_tensor *x,
                                 size_t at)
{
    if (q->dtype == ENG_FLOAT32)
        return (struct eng_int8_term){.floats = (const float *)x->data + at};
    return (struct eng_int8_term){.bytes = (const uint8_t *)x->data + at,
                                  .flip = eng_quantised_flip(q),
                                  .zero = eng_quantised_zero(q),
                                  .scale = q->scale};
}

static void add_piece(void *ctx, size_t begin, size_t end)
{
    const struct eng_op_call *call = ctx;
    const struct eng_quantised_add_attrs *attrs = call->attrs;
    bool floats = call->n_out > 1 && call->out[1];
    struct eng_int8_sum sum = {.n = end - begin,
                               .a = term(&attrs->a, call->in[0], begin),
                               .b = term(&attrs->b, call->in[1], begin),
                               .least = attrs->least,
                               .most = attrs->most,
                               .floats = floats ? (float *)call->out[1]->data + begin : NULL,
                               .y = (uint8_t *)call->out[0]->data + begin,
                               .scale = attrs->y.scale,
                               .finish = eng_quantised_finish(&attrs->y)};
    eng_int8_kernels()->sum(&sum);
}

static void add_forward(const struct eng_op_call *call)
{
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    eng_share(call->pool, n, 4, 3, add_piece, (void *)call);
}

const struct eng_op eng_op_quantised_add = {
    .name = "QLinearAdd",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 2,
    .attrs_bytes = sizeof(struct eng_quantised_add_attrs),
    .infer = add_infer,
    .forward = add_forward,
    .describe = describe,
};

/* --- tables --- */

static enum eng_status table_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_byte(q, 0, err);
    if (status == ENG_OK) status = eng_infer_byte(q, 1, err);
    if (status == ENG_OK) status = eng_infer_count(q, 1, 256, err);
    if (status == ENG_OK) eng_infer_output(q, 0, q->in[1]->dtype, &q->in[0]->shape);
    return status;
}

static void look_up(void *ctx, size_t begin, size_t end)
{
    const struct eng_op_call *call = ctx;
    const uint8_t *x = call->in[0]->data, *table = call->in[1]->data;
    uint8_t *y = call->out[0]->data;
    for (size_t i = begin; i < end; i++)
        y[i] = table[x[i]];
}

static void table_forward(const struct eng_op_call *call)
{
    size_t n = (size_t)eng_shape_count(&call->out[0]->shape);
    eng_share(call->pool, n, 16, 2, look_up, (void *)call);
}

static void describe_table(const struct eng_op_call *call, char *text, size_t size)
{
    (void)call;
    snprintf(text, size, "int8 table");
}

const struct eng_op eng_op_quantised_table = {
    .name = "QLinearTable",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 2,
    .in_max = 2,
    .out_min = 1,
    .out_max = 1,
    .flags = ENG_OP_IN_PLACE,
    .infer = table_infer,
    .forward = table_forward,
    .describe = describe_table,
};

/* --- pictures --- */

static enum eng_status picture_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_quantised *attrs = q->attrs;
    enum eng_status status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    const int64_t *dim = q->in[0]->shape.dim;
    struct eng_shape y = {.rank = 4, .dim = {dim[0], dim[2], dim[3], dim[1]}};
    eng_infer_output(q, 0, attrs->dtype, &y);
    return ENG_OK;
}

/* Pixels are done in runs, each channel by channel. */
enum { RUN = 64 };

/* Red, green and blue, four bytes at a time: the next pixel overwrites the fourth. */
static void join_three(uint8_t lines[3][RUN], uint8_t *y, size_t n)
{
    for (size_t p = 0; p + 1 < n; p++, y += 3) {
        uint8_t pixel[4] = {lines[0][p], lines[1][p], lines[2][p]};
        memcpy(y, pixel, sizeof pixel);
    }
    for (size_t c = 0; c < 3; c++)
        y[c] = lines[c][n - 1];
}

static void picture_run(const struct eng_quantised *q, const float *x, size_t pixels,
                        size_t channels, uint8_t *y, size_t n)
{
    struct eng_int8_finish finish = eng_quantised_finish(q);
    const struct eng_int8_kernels *kernels = eng_int8_kernels();
    uint8_t lines[3][RUN];
    if (channels == 3) {
        for (size_t c = 0; c < 3; c++)
            kernels->quantise(x + c * pixels, q->scale, &finish, lines[c], n);
        join_three(lines, y, n);
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        kernels->quantise(x + c * pixels, q->scale, &finish, lines[0], n);
        for (size_t p = 0; p < n; p++)
            y[p * channels + c] = lines[0][p];
    }
}

static void picture_runs(void *ctx, size_t begin, size_t end)
{
    const struct eng_op_call *call = ctx;
    const int64_t *dim = call->in[0]->shape.dim;
    size_t channels = (size_t)dim[1], pixels = (size_t)(dim[2] * dim[3]);
    size_t runs = (pixels + RUN - 1) / RUN;
    for (size_t i = begin; i < end; i++) {
        size_t image = i / runs, first = i % runs * RUN;
        size_t n = pixels - first < RUN ? pixels - first : RUN;
        const float *x = (const float *)call->in[0]->data + image * channels * pixels + first;
        uint8_t *y = (uint8_t *)call->out[0]->data + (image * pixels + first) * channels;
        picture_run(call->attrs, x, pixels, channels, y, n);
    }
}

static void picture_forward(const struct eng_op_call *call)
{
    const int64_t *dim = call->in[0]->shape.dim;
    size_t runs = (size_t)((dim[2] * dim[3] + RUN - 1) / RUN);
    eng_share(call->pool, (size_t)dim[0] * runs, 0, 5.0 * RUN * (double)dim[1], picture_runs,
              (void *)call);
}

const struct eng_op eng_op_quantised_picture = {
    .name = "QuantizeLinear",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .attrs_bytes = sizeof(struct eng_quantised),
    .infer = picture_infer,
    .forward = picture_forward,
    .describe = describe,
};
