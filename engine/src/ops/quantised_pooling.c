/*
 * MaxPool, AveragePool and GlobalAveragePool of bytes with channels last.
 *
 * Shapes: X [N, D1, D2, C], Y [N, E1, E2, C]. Means are exact sums, turned into bytes by one
 * factor. Source: ONNX MaxPool, AveragePool, GlobalAveragePool between DequantizeLinear and
 * QuantizeLinear.
 */
#include "kernels/int8_pooling.h"

#include "base/error.h"
#include "ops/quantised.h"

#include <stdio.h>

static enum eng_status set_pool(struct eng_op_infer *q, const struct eng_window *window,
                                bool count_padding, struct eng_error *err)
{
    const struct eng_quantised_pool_attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_int8_pool *p = q->state;
    *p = (struct eng_int8_pool){.window = *window,
                                .n_images = (size_t)x->dim[0],
                                .n_channels = (size_t)x->dim[3],
                                .count_padding = count_padding};
    if (eng_window_volume(window->kernel) > ENG_QUANTISED_MAX_TAPS)
        return eng_fail(err, ENG_LIMIT, "the window has more than %d taps", ENG_QUANTISED_MAX_TAPS);
    struct eng_shape y = *x;
    y.dim[1] = window->out[1];
    y.dim[2] = window->out[2];
    eng_infer_output(q, 0, attrs->y.dtype, &y);
    return ENG_OK;
}

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_quantised_pool_attrs *attrs = q->attrs;
    struct eng_window window;
    enum eng_status status = eng_infer_dtype(q, 0, attrs->x.dtype, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_shape first = {.rank = 4, .dim = {x->dim[0], x->dim[3], x->dim[1], x->dim[2]}};
    status = eng_pool_resolve(&attrs->pool, &first, &window, err);
    if (status != ENG_OK) return status;
    return set_pool(q, &window, attrs->pool.count_include_pad, err);
}

static enum eng_status global_infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_quantised_pool_attrs *attrs = q->attrs;
    enum eng_status status = eng_infer_dtype(q, 0, attrs->x.dtype, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    const int64_t *dim = q->in[0]->shape.dim;
    struct eng_window window = {.in = {1, dim[1], dim[2]},
                                .out = {1, 1, 1},
                                .kernel = {1, dim[1], dim[2]},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1}};
    if (dim[1] < 1 || dim[2] < 1 || dim[1] > ENG_QUANTISED_MAX_TAPS ||
        dim[2] > ENG_QUANTISED_MAX_TAPS)
        return eng_fail(err, ENG_LIMIT, "a picture of %lld x %lld pixels has no mean",
                        (long long)dim[1], (long long)dim[2]);
    return set_pool(q, &window, false, err);
}

static void max_forward(const struct eng_op_call *call)
{
    const struct eng_quantised_pool_attrs *attrs = call->attrs;
    eng_int8_max_pool(call->state, call->in[0]->data, eng_quantised_flip(&attrs->x),
                      call->out[0]->data, call->pool);
}

static void average_forward(const struct eng_op_call *call)
{
    const struct eng_quantised_pool_attrs *attrs = call->attrs;
    struct eng_int8_mean mean = {.flip = eng_quantised_flip(&attrs->x),
                                 .zero = eng_quantised_zero(&attrs->x),
                                 .factor = attrs->x.scale / attrs->y.scale,
                                 .finish = eng_quantised_finish(&attrs->y)};
    eng_int8_average_pool(call->state, &mean, call->in[0]->data, call->out[0]->data, call->pool);
}

static void describe(const struct eng_op_call *call, char *text, size_t size)
{
    (void)call;
    snprintf(text, size, "int8 %s", eng_int8_kernels()->name);
}

#define POOLING(onnx_name, id, INFER, FORWARD)                                                \
    const struct eng_op eng_op_quantised_##id = {.name = onnx_name,                           \
                                                 .domain = "",                                \
                                                 .opset_min = ENG_OPSET_MIN,                  \
                                                 .opset_max = ENG_OPSET_MAX,                  \
                                                 .in_min = 1,                                 \
                                                 .in_max = 1,                                 \
                                                 .out_min = 1,                                \
                                                 .out_max = 1,                                \
                                                 .attrs_bytes =                               \
                                                     sizeof(struct eng_quantised_pool_attrs), \
                                                 .state_bytes = sizeof(struct eng_int8_pool), \
                                                 .infer = INFER,                              \
                                                 .forward = FORWARD,                          \
                                                 .describe = describe}

POOLING("QLinearMaxPool", max_pool, infer, max_forward);
POOLING("QLinearAveragePool", average_pool, infer, average_forward);
POOLING("QLinearGlobalAveragePool", global_average_pool, global_infer, average_forward);
