/*
 * Y = X / (bias + alpha / size * sum(X^2))^beta, the sum over `size` neighbouring channels.
 *
 * Shapes: X and Y are [N, C, ..]. Source: ONNX LRN, versions 1, 13; Krizhevsky et al. 2012.
 */
#include "kernels/local_response.h"

#include "base/error.h"
#include "ops/op.h"

struct attrs {
    double alpha, beta, bias;
    int64_t size;
};

static const struct eng_field fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 1e-4f, -1e30, 1e30, "weight of the neighbours' squares"),
    ENG_F_FLOAT(struct attrs, beta, 0.75f, -1e30, 1e30, "exponent"),
    ENG_F_FLOAT(struct attrs, bias, 1, -1e30, 1e30, "added to the sum"),
    ENG_F_INT(struct attrs, size, 0, 0, INT32_MAX, "how many channels are summed; must be given"),
};

static enum eng_status infer(struct eng_op_infer *q, struct eng_error *err)
{
    const struct attrs *attrs = q->attrs;
    const struct eng_shape *x = &q->in[0]->shape;
    enum eng_status status = eng_infer_real(q, 0, err);
    if (status == ENG_OK) status = eng_infer_rank(q, 0, 2, ENG_MAX_RANK, err);
    if (status != ENG_OK) return status;
    if (attrs->size == 0)
        return eng_fail(err, ENG_FORMAT, "attribute 'size' is 0 or missing; 1 or more is wanted");
    *(struct eng_local_response *)q->state =
        (struct eng_local_response){.n_images = (size_t)x->dim[0],
                                    .n_channels = (size_t)x->dim[1],
                                    .n_pixels = eng_infer_product(x, 2, x->rank),
                                    .size = (size_t)attrs->size,
                                    .alpha = attrs->alpha,
                                    .beta = attrs->beta,
                                    .bias = attrs->bias};
    eng_infer_same(q);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_tensor *x = call->in[0];
    eng_local_response_forward(call->state, x->dtype, x->data, call->out[0]->data, call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    eng_local_response_backward(call->state, call->in[0]->data, call->grad_out[0]->data,
                                call->write_grad & 1, call->grad_in[0]->data, call->pool);
}

static double flops(const struct eng_op_infer *q)
{
    const struct attrs *attrs = q->attrs;
    return 2 * (double)attrs->size * (double)eng_shape_count(&q->in[0]->shape);
}

const struct eng_op eng_op_lrn = {
    .name = "LRN",
    .domain = "",
    .opset_min = ENG_OPSET_MIN,
    .opset_max = ENG_OPSET_MAX,
    .in_min = 1,
    .in_max = 1,
    .out_min = 1,
    .out_max = 1,
    .attrs = fields,
    .n_attrs = sizeof fields / sizeof fields[0],
    .attrs_bytes = sizeof(struct attrs),
    .state_bytes = sizeof(struct eng_local_response),
    .infer = infer,
    .follow = eng_follow_rows,
    .forward = forward,
    .backward = backward,
    .writes_grad = 1,
    .flops = flops,
};
