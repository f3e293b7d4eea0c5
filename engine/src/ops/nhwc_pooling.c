/*
 * Pooling with channels last.
 *
 * Shapes: X [N, D1, D2, C], Y [N, E1, E2, C]. Source: ONNX MaxPool, AveragePool,
 * GlobalAveragePool.
 */
#include "kernels/nhwc_pooling.h"

#include "base/share.h"
#include "kernels/clamp.h"
#include "kernels/dispatch.h"
#include "ops/nhwc.h"

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct eng_pool_attrs *attrs = q->attrs;
    struct eng_nhwc_pool *p = q->state;
    enum eng_status status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    const struct eng_shape *x = &q->in[0]->shape;
    struct eng_shape first = {.rank = 4, .dim = {x->dim[0], x->dim[3], x->dim[1], x->dim[2]}};
    status = eng_pool_resolve(attrs, &first, &p->window, err);
    if (status != ENG_OK) return status;
    p->n_images = (size_t)x->dim[0];
    p->n_channels = (size_t)x->dim[3];
    p->count_padding = attrs->count_include_pad;
    struct eng_shape y = *x;
    y.dim[1] = p->window.out[1];
    y.dim[2] = p->window.out[2];
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static void max_forward(const struct eng_op_call *call)
{
    eng_nhwc_max_pool(call->state, call->in[0]->data, call->out[0]->data, call->pool);
}

static void average_forward(const struct eng_op_call *call)
{
    eng_nhwc_average_pool(call->state, call->in[0]->data, call->out[0]->data, call->pool);
}

static enum eng_status global_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = eng_infer_rank(q, 0, 4, 4, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = q->in[0]->shape;
    y.dim[1] = y.dim[2] = 1;
    eng_infer_output(q, 0, ENG_FLOAT32, &y);
    return ENG_OK;
}

static void global_forward(const struct eng_op_call *call)
{
    const int64_t *dim = call->in[0]->shape.dim;
    eng_nhwc_global_mean((size_t)dim[0], (size_t)(dim[1] * dim[2]), (size_t)dim[3],
                         call->in[0]->data, call->out[0]->data, call->pool);
}

#define NHWC(onnx_name, id, INFER, FORWARD, ...)                        \
    const struct eng_op eng_op_nhwc_##id = {.name = onnx_name,          \
                                            .domain = "",               \
                                            .opset_min = ENG_OPSET_MIN, \
                                            .opset_max = ENG_OPSET_MAX, \
                                            .out_min = 1,               \
                                            .out_max = 1,               \
                                            .infer = INFER,             \
                                            .forward = FORWARD,         \
                                            __VA_ARGS__}

NHWC("MaxPool", max_pool, infer, max_forward, .in_min = 1, .in_max = 1,
     .attrs_bytes = sizeof(struct eng_pool_attrs), .state_bytes = sizeof(struct eng_nhwc_pool));
NHWC("AveragePool", average_pool, infer, average_forward, .in_min = 1, .in_max = 1,
     .attrs_bytes = sizeof(struct eng_pool_attrs), .state_bytes = sizeof(struct eng_nhwc_pool));
NHWC("GlobalAveragePool", global_average_pool, global_infer, global_forward, .in_min = 1,
     .in_max = 1);
