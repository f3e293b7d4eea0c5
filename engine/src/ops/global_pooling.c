/*
 * The maximum, the mean or the p-norm of each whole plane.
 *
 * Shapes: X [N, C, D1 .. Dn], Y [N, C, 1 .. 1]; n from 1 to 6. The norm is (sum |x|^p)^(1 / p).
 * Source: ONNX GlobalMaxPool 1, GlobalAveragePool 1, GlobalLpPool 2.
 */
#include "kernels/global_pooling.h"

#include "base/error.h"
#include "ops/op.h"

struct norm {
    int64_t p;
};

static const struct eng_field norm_fields[] = {
    ENG_F_INT(struct norm, p, 2, 1, 1000, "exponent of the norm"),
};

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    struct eng_global_pool *g = q->state;
    enum eng_status status = ENG_OK;
    if (q->in[0]->dtype != ENG_FLOAT64) status = eng_infer_dtype(q, 0, ENG_FLOAT32, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 3, ENG_MAX_RANK, err);
    if (status != ENG_OK) return status;
    struct eng_shape y = q->in[0]->shape;
    *g = (struct eng_global_pool){
        .n_planes = (size_t)(y.dim[0] * y.dim[1]), .n_pixels = 1, .dtype = q->in[0]->dtype};
    for (int i = 2; i < y.rank; i++) {
        g->n_pixels *= (size_t)y.dim[i];
        y.dim[i] = 1;
    }
    if (g->n_pixels == 0)
        return eng_fail(err, ENG_FORMAT, "input 0 has no pixels to take one value of");
    eng_infer_output(q, 0, g->dtype, &y);
    return ENG_OK;
}

static enum eng_status norm_infer(struct eng_op_infer *q, struct eng_error *err)
{
    enum eng_status status = infer(q, err);
    struct eng_global_pool *g = q->state;
    if (status == ENG_OK) g->p = (double)((const struct norm *)q->attrs)->p;
    return status;
}

static bool wants_gradient(const struct eng_op_call *call)
{
    return call->grad_out[0] && call->grad_in[0];
}

static void max_forward(const struct eng_op_call *call)
{
    eng_global_max_forward(call->state, call->in[0]->data, call->out[0]->data, call->pool);
}

static void max_backward(const struct eng_op_call *call)
{
    if (wants_gradient(call))
        eng_global_max_backward(call->state, call->in[0]->data, call->out[0]->data,
                                call->grad_out[0]->data, call->grad_in[0]->data,
                                call->write_grad & 1);
}

static void mean_forward(const struct eng_op_call *call)
{
    eng_global_mean_forward(call->state, call->in[0]->data, call->out[0]->data, call->pool);
}

static void mean_backward(const struct eng_op_call *call)
{
    if (wants_gradient(call))
        eng_global_mean_backward(call->state, call->grad_out[0]->data, call->grad_in[0]->data,
                                 call->write_grad & 1);
}

static void norm_forward(const struct eng_op_call *call)
{
    eng_global_norm_forward(call->state, call->in[0]->data, call->out[0]->data, call->pool);
}

static void norm_backward(const struct eng_op_call *call)
{
    if (wants_gradient(call))
        eng_global_norm_backward(call->state, call->in[0]->data, call->out[0]->data,
                                 call->grad_out[0]->data, call->grad_in[0]->data,
                                 call->write_grad & 1);
}

#define GLOBAL(onnx_name, id, INFER, FORWARD, BACKWARD, ...)                          \
    const struct eng_op eng_op_##id = {.name = onnx_name,                             \
                                       .domain = "",                                  \
                                       .opset_min = ENG_OPSET_MIN,                    \
                                       .opset_max = ENG_OPSET_MAX,                    \
                                       .in_min = 1,                                   \
                                       .in_max = 1,                                   \
                                       .out_min = 1,                                  \
                                       .out_max = 1,                                  \
                                       .follow = eng_follow_rows,                     \
                                       .state_bytes = sizeof(struct eng_global_pool), \
                                       .infer = INFER,                                \
                                       .forward = FORWARD,                            \
                                       .backward = BACKWARD,                          \
                                       __VA_ARGS__}

GLOBAL("GlobalMaxPool", global_max_pool, infer, max_forward, max_backward, .writes_grad = 1);
GLOBAL("GlobalAveragePool", global_average_pool, infer, mean_forward, mean_backward,
       .writes_grad = 1);
GLOBAL("GlobalLpPool", global_lp_pool, norm_infer, norm_forward, norm_backward, .writes_grad = 1,
       .attrs = norm_fields, .n_attrs = 1, .attrs_bytes = sizeof(struct norm));
