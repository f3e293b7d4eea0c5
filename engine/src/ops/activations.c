/*
 * Elementwise functions that any producer's kernel can apply (kernels/activation.h has the
 * formulas).
 *
 * Shapes: Y has X's.
 * Source: ONNX Relu 6-14, LeakyRelu 6-16, Sigmoid 6-13, Tanh 6-13, Elu 6.
 */
#include "kernels/activation.h"

#include "ops/op.h"

struct leaky_relu {
    double alpha;
};

static const struct eng_field leaky_relu_fields[] = {
    ENG_F_FLOAT(struct leaky_relu, alpha, 0.01f, -1e30, 1e30, "slope for negative x"),
};

struct elu {
    double alpha;
};

static const struct eng_field elu_fields[] = {
    ENG_F_FLOAT(struct elu, alpha, 1, 0, 1e30, "how far below 0 large negative x end"),
};

static bool relu_activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    (void)q;
    *out = (struct eng_activation){.kind = ENG_ACT_RELU};
    return true;
}

static bool leaky_relu_activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    const struct leaky_relu *attrs = q->attrs;
    *out = (struct eng_activation){.kind = ENG_ACT_LEAKY_RELU, .a = (float)attrs->alpha};
    return true;
}

static bool sigmoid_activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    (void)q;
    *out = (struct eng_activation){.kind = ENG_ACT_SIGMOID};
    return true;
}

static bool tanh_activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    (void)q;
    *out = (struct eng_activation){.kind = ENG_ACT_TANH};
    return true;
}

static bool elu_activation(const struct eng_op_infer *q, struct eng_activation *out)
{
    const struct elu *attrs = q->attrs;
    *out = (struct eng_activation){.kind = ENG_ACT_ELU, .a = (float)attrs->alpha};
    return true;
}

static enum eng_status relu_infer(struct eng_op_infer *q, struct eng_error *err)
{
    relu_activation(q, q->state);
    return eng_infer_same_float(q, err);
}

static enum eng_status leaky_relu_infer(struct eng_op_infer *q, struct eng_error *err)
{
    leaky_relu_activation(q, q->state);
    return eng_infer_same_float(q, err);
}

static enum eng_status sigmoid_infer(struct eng_op_infer *q, struct eng_error *err)
{
    sigmoid_activation(q, q->state);
    return eng_infer_same_float(q, err);
}

static enum eng_status tanh_infer(struct eng_op_infer *q, struct eng_error *err)
{
    tanh_activation(q, q->state);
    return eng_infer_same_float(q, err);
}

static enum eng_status elu_infer(struct eng_op_infer *q, struct eng_error *err)
{
    elu_activation(q, q->state);
    return eng_infer_same_float(q, err);
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_activation *act = call->state;
    eng_activation_map(*act, call->in[0]->data, call->out[0]->data,
                       (size_t)eng_shape_count(&call->out[0]->shape), call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const struct eng_activation *act = call->state;
    const struct eng_tensor *from = act->kind == ENG_ACT_LEAKY_RELU ? call->in[0] : call->out[0];
    eng_activation_backward(*act, from->data, call->grad_out[0]->data, call->grad_in[0]->data,
                            call->write_grad & 1, (size_t)eng_shape_count(&call->out[0]->shape));
}

#define ACTIVATION(onnx_name, id, ...)                                                  \
    const struct eng_op eng_op_##id = {.name = onnx_name,                               \
                                       .domain = "",                                    \
                                       .opset_min = ENG_OPSET_MIN,                      \
                                       .opset_max = ENG_OPSET_MAX,                      \
                                       .in_min = 1,                                     \
                                       .in_max = 1,                                     \
                                       .out_min = 1,                                    \
                                       .out_max = 1,                                    \
                                       .flags = ENG_OP_IN_PLACE | ENG_OP_IS_ACTIVATION, \
                                       .state_bytes = sizeof(struct eng_activation),    \
                                       .infer = id##_infer,                             \
                                       .forward = forward,                              \
                                       .backward = backward,                            \
                                       .writes_grad = 1,                                \
                                       .activation = id##_activation,                   \
                                       __VA_ARGS__}

ACTIVATION("Relu", relu, );
ACTIVATION("LeakyRelu", leaky_relu, .attrs = leaky_relu_fields, .n_attrs = 1,
           .attrs_bytes = sizeof(struct leaky_relu));
ACTIVATION("Sigmoid", sigmoid, );
ACTIVATION("Tanh", tanh, );
ACTIVATION("Elu", elu, .attrs = elu_fields, .n_attrs = 1, .attrs_bytes = sizeof(struct elu));
