/*
 * Elementwise functions of one tensor (kernels/activation.def has the formulas and slopes). Any
 * producer's kernel can apply them.
 *
 * Shapes: Y has X's. Gradient: dX = dY f'(X); a step's is 0.
 * Source: ONNX Relu 6-14, LeakyRelu 6-16, Sigmoid 6-13, Tanh 6-13, Elu 6, Selu 6, Celu 12,
 * HardSigmoid 6, HardSwish 14, Gelu 20, Mish 18, Softplus 1, Softsign 1, ThresholdedRelu 10; Abs,
 * Neg, Sign, Reciprocal, Sqrt, Exp, Log, Erf, Floor, Ceil 6-13, Round 11; the trigonometric ones 7,
 * the hyperbolic ones 9. Round takes halves to the even neighbour.
 */
#include "kernels/activation.h"

#include "base/error.h"
#include "ops/swish.h"

/* Whatever an operator's own table names; the rest stays 0. */
struct attrs {
    double alpha, beta, gamma;
    int approximate;
};

static const struct eng_field leaky_relu_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 0.01f, -1e30, 1e30, "slope for negative x"),
};
static const struct eng_field elu_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 1, -1e30, 1e30, "how far below 0 large negative x end"),
};
static const struct eng_field selu_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 1.67326319217681884765625, -1e30, 1e30,
                "how far below 0 large negative x end, before gamma"),
    ENG_F_FLOAT(struct attrs, gamma, 1.05070102214813232421875, -1e30, 1e30, "factor of it all"),
};
static const struct eng_field hard_sigmoid_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 0.2f, -1e30, 1e30, "slope between 0 and 1"),
    ENG_F_FLOAT(struct attrs, beta, 0.5f, -1e30, 1e30, "value at 0"),
};
static const struct eng_field thresholded_relu_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 1, -1e30, 1e30, "x up to here become 0"),
};
static const struct eng_field swish_fields[] = {
    ENG_F_FLOAT(struct attrs, alpha, 1, -1e30, 1e30, "factor of x in the sigmoid"),
};
static const char *const approximations[] = {"none", "tanh", NULL};
static const struct eng_field gelu_fields[] = {
    ENG_F_CHOICE(struct attrs, approximate, 0, approximations, "by tanh instead of erf"),
};

static struct eng_activation activation_of(enum eng_activation_kind kind, const void *attributes)
{
    const struct attrs *attrs = attributes;
    if (kind == ENG_ACT_GELU && attrs->approximate) kind = ENG_ACT_GELU_TANH;
    double b = kind == ENG_ACT_SELU ? attrs->gamma : attrs->beta;
    return (struct eng_activation){.kind = kind, .a = (float)attrs->alpha, .b = (float)b};
}

static enum eng_status infer(struct eng_op_infer *q, enum eng_activation_kind kind,
                             struct eng_error *err)
{
    struct eng_activation act = activation_of(kind, q->attrs);
    enum eng_dtype dtype = q->in[0]->dtype;
    if (!eng_activation_takes(kind, dtype))
        return eng_fail(err, ENG_UNSUPPORTED, "input 0 has element type %s; %s is wanted",
                        eng_dtype_name(dtype),
                        eng_activation_takes(kind, ENG_UINT8)  ? "a number"
                        : eng_activation_takes(kind, ENG_INT8) ? "float, double or a signed integer"
                                                               : "float or double");
    if (kind == ENG_ACT_CELU && act.a == 0)
        return eng_fail(err, ENG_ARGUMENT, "attribute 'alpha' is 0; another number is wanted");
    *(struct eng_activation *)q->state = act;
    eng_infer_same(q);
    return ENG_OK;
}

static void forward(const struct eng_op_call *call)
{
    const struct eng_activation *act = call->state;
    eng_activation_map_typed(*act, call->out[0]->dtype, call->in[0]->data, call->out[0]->data,
                             (size_t)eng_shape_count(&call->out[0]->shape), call->pool);
}

static void backward(const struct eng_op_call *call)
{
    if (!call->grad_out[0] || !call->grad_in[0]) return;
    const struct eng_activation *act = call->state;
    eng_activation_backward(*act, call->in[0]->data, call->out[0]->data, call->grad_out[0]->data,
                            call->grad_in[0]->data, call->write_grad & 1,
                            (size_t)eng_shape_count(&call->out[0]->shape));
}

#define UNARY_WITH(onnx_name, id, kind, since, ...)                                       \
    static bool id##_activation(const struct eng_op_infer *q, struct eng_activation *out) \
    {                                                                                     \
        *out = activation_of(kind, q->attrs);                                             \
        return true;                                                                      \
    }                                                                                     \
    static enum eng_status id##_infer(struct eng_op_infer *q, struct eng_error *err)      \
    {                                                                                     \
        return infer(q, kind, err);                                                       \
    }                                                                                     \
    const struct eng_op eng_op_##id = {.name = onnx_name,                                 \
                                       .domain = "",                                      \
                                       .opset_min = since,                                \
                                       .opset_max = ENG_OPSET_MAX,                        \
                                       .in_min = 1,                                       \
                                       .in_max = 1,                                       \
                                       .out_min = 1,                                      \
                                       .out_max = 1,                                      \
                                       .flags = ENG_OP_IN_PLACE | ENG_OP_IS_ACTIVATION,   \
                                       .follow = eng_follow_aligned,                      \
                                       .attrs_bytes = sizeof(struct attrs),               \
                                       .state_bytes = sizeof(struct eng_activation),      \
                                       .infer = id##_infer,                               \
                                       .forward = forward,                                \
                                       .backward = backward,                              \
                                       .writes_grad = 1,                                  \
                                       .activation = id##_activation,                     \
                                       __VA_ARGS__}
#define UNARY(onnx_name, id, kind, since) UNARY_WITH(onnx_name, id, kind, since, )
#define FIELDS(fields)                    .attrs = fields, .n_attrs = sizeof fields / sizeof fields[0]

UNARY("Relu", relu, ENG_ACT_RELU, ENG_OPSET_MIN);
UNARY_WITH("LeakyRelu", leaky_relu, ENG_ACT_LEAKY_RELU, ENG_OPSET_MIN, FIELDS(leaky_relu_fields));
UNARY("Sigmoid", sigmoid, ENG_ACT_SIGMOID, ENG_OPSET_MIN);
UNARY("Tanh", tanh, ENG_ACT_TANH, ENG_OPSET_MIN);
UNARY_WITH("Elu", elu, ENG_ACT_ELU, ENG_OPSET_MIN, FIELDS(elu_fields));
UNARY_WITH("Selu", selu, ENG_ACT_SELU, ENG_OPSET_MIN, FIELDS(selu_fields));
UNARY_WITH("Celu", celu, ENG_ACT_CELU, 12, FIELDS(elu_fields));
UNARY_WITH("HardSigmoid", hard_sigmoid, ENG_ACT_HARD_SIGMOID, ENG_OPSET_MIN,
           FIELDS(hard_sigmoid_fields));
UNARY("HardSwish", hard_swish, ENG_ACT_HARD_SWISH, 14);
UNARY_WITH("Gelu", gelu, ENG_ACT_GELU, 20, FIELDS(gelu_fields));
UNARY("Mish", mish, ENG_ACT_MISH, 18);
UNARY_WITH("Swish", swish, ENG_ACT_SWISH, ENG_OPSET_MIN, FIELDS(swish_fields));
UNARY("Softplus", softplus, ENG_ACT_SOFTPLUS, ENG_OPSET_MIN);
UNARY("Softsign", softsign, ENG_ACT_SOFTSIGN, ENG_OPSET_MIN);
UNARY_WITH("ThresholdedRelu", thresholded_relu, ENG_ACT_THRESHOLDED_RELU, 10,
           FIELDS(thresholded_relu_fields));
UNARY("Abs", abs, ENG_ACT_ABS, ENG_OPSET_MIN);
UNARY("Neg", neg, ENG_ACT_NEG, ENG_OPSET_MIN);
UNARY("Sign", sign, ENG_ACT_SIGN, 9);
UNARY("Reciprocal", reciprocal, ENG_ACT_RECIPROCAL, ENG_OPSET_MIN);
UNARY("Sqrt", sqrt, ENG_ACT_SQRT, ENG_OPSET_MIN);
UNARY("Exp", exp, ENG_ACT_EXP, ENG_OPSET_MIN);
UNARY("Log", log, ENG_ACT_LOG, ENG_OPSET_MIN);
UNARY("Erf", erf, ENG_ACT_ERF, 9);
UNARY("Floor", floor, ENG_ACT_FLOOR, ENG_OPSET_MIN);
UNARY("Ceil", ceil, ENG_ACT_CEIL, ENG_OPSET_MIN);
UNARY("Round", round, ENG_ACT_ROUND, 11);
UNARY("Sin", sin, ENG_ACT_SIN, ENG_OPSET_MIN);
UNARY("Cos", cos, ENG_ACT_COS, ENG_OPSET_MIN);
UNARY("Tan", tan, ENG_ACT_TAN, ENG_OPSET_MIN);
UNARY("Asin", asin, ENG_ACT_ASIN, ENG_OPSET_MIN);
UNARY("Acos", acos, ENG_ACT_ACOS, ENG_OPSET_MIN);
UNARY("Atan", atan, ENG_ACT_ATAN, ENG_OPSET_MIN);
UNARY("Sinh", sinh, ENG_ACT_SINH, 9);
UNARY("Cosh", cosh, ENG_ACT_COSH, 9);
UNARY("Asinh", asinh, ENG_ACT_ASINH, 9);
UNARY("Acosh", acosh, ENG_ACT_ACOSH, 9);
UNARY("Atanh", atanh, ENG_ACT_ATANH, 9);
