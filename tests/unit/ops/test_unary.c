#include "op_battery.h"

static double elu(double alpha, double x)
{
    return x < 0 ? alpha * expm1(x) : x;
}

static double gelu(const struct op_case *c, double x)
{
    const struct eng_attr *approximate = op_attr(c, "approximate");
    if (!approximate || strcmp(approximate->s, "none") == 0) return x / 2 * erfc(-x * sqrt(0.5));
    return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * pow(x, 3))));
}

static double bounded(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Those that have parameters or are not in math.h. */
static double activation(const struct op_case *c, double x)
{
    if (strcmp(c->op, "Relu") == 0) return x < 0 ? 0 : x; /* NaN stays NaN */
    if (strcmp(c->op, "LeakyRelu") == 0) return x < 0 ? op_attr_float(c, "alpha", 0.01f) * x : x;
    if (strcmp(c->op, "Elu") == 0) return elu(op_attr_float(c, "alpha", 1), x);
    if (strcmp(c->op, "Selu") == 0)
        return op_attr_float(c, "gamma", 1.05070102214813232421875) *
               elu(op_attr_float(c, "alpha", 1.67326319217681884765625), x);
    if (strcmp(c->op, "Celu") == 0) {
        double alpha = op_attr_float(c, "alpha", 1);
        return x < 0 ? alpha * expm1(x / alpha) : x;
    }
    if (strcmp(c->op, "Sigmoid") == 0) return 1 / (1 + exp(-x));
    if (strcmp(c->op, "HardSigmoid") == 0)
        return bounded(op_attr_float(c, "alpha", 0.2f) * x + op_attr_float(c, "beta", 0.5), 0, 1);
    if (strcmp(c->op, "HardSwish") == 0) return x * bounded(x / 6 + 0.5, 0, 1);
    if (strcmp(c->op, "Gelu") == 0) return gelu(c, x);
    if (strcmp(c->op, "Mish") == 0) return x * tanh(x > 50 ? x : log1p(exp(x)));
    if (strcmp(c->op, "Softplus") == 0) return x > 50 ? x : log1p(exp(x));
    if (strcmp(c->op, "Softsign") == 0) return x / (1 + fabs(x));
    if (strcmp(c->op, "ThresholdedRelu") == 0) return x <= op_attr_float(c, "alpha", 1) ? 0 : x;
    if (strcmp(c->op, "Neg") == 0) return -x;
    if (strcmp(c->op, "Sign") == 0) return isnan(x) ? x : (x > 0) - (x < 0);
    assert_string_equal(c->op, "Reciprocal");
    return 1 / x;
}

static double function(const struct op_case *c, double x)
{
    static const struct {
        const char *name;
        double (*function)(double);
    } functions[] = {
        {"Tanh", tanh}, {"Abs", fabs},    {"Sqrt", sqrt},   {"Exp", exp},     {"Log", log},
        {"Erf", erf},   {"Floor", floor}, {"Ceil", ceil},   {"Round", rint},  {"Sin", sin},
        {"Cos", cos},   {"Tan", tan},     {"Asin", asin},   {"Acos", acos},   {"Atan", atan},
        {"Sinh", sinh}, {"Cosh", cosh},   {"Asinh", asinh}, {"Acosh", acosh}, {"Atanh", atanh},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, c->op) == 0) return functions[i].function(x);
    return activation(c, x);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++) {
        out[0].v[i] = function(c, in[0].v[i]);
        if (!op_is_float(c->in[0].dtype)) out[0].v[i] = trunc(out[0].v[i]);
    }
}

static const double extremes[] = {-INFINITY, -200, -88, -1e-30, -0.0,     0,
                                  1e-30,     17,   88,  200,    INFINITY, NAN};
static const double halves[] = {-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6};

#define GOOD .reference = reference, .n_in = 1
#define VALUES(T, LIST)                                                          \
    {                                                                            \
        .dtype = T, .shape = SHAPE(sizeof LIST / sizeof LIST[0]), .values = LIST \
    }
/* A batch of floats with gradients, and doubles. */
#define FLOAT_CASE(OP, ...)                                 \
    {                                                       \
        .op = OP                                            \
        , GOOD, .opset = 20, .tolerance = 3e-7, __VA_ARGS__ \
    }
#define BOTH(OP, ...)                                                                         \
    FLOAT_CASE(OP, .what = "a batch", .in = {FLOATS(3, 5, 7)}, .gradients = 1, .batched = 1,  \
               __VA_ARGS__),                                                                  \
    {                                                                                         \
        .op = OP                                                                              \
        , GOOD, .opset = 20, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 5)}, __VA_ARGS__ \
    }
#define EXTREMES(OP)                                                               \
    FLOAT_CASE(OP, .what = "extremes", .in = {VALUES(ENG_FLOAT32, extremes)}),     \
    {                                                                              \
        .op = OP                                                                   \
        , GOOD, .what = "extreme doubles", .in = { VALUES(ENG_FLOAT64, extremes) } \
    }
#define INTEGERS(OP, TYPE)                                 \
    {                                                      \
        .op = OP                                           \
        , GOOD, .what = #TYPE, .in = { TYPED(TYPE, 3, 5) } \
    }
#define SIGNED(OP)                                                            \
    INTEGERS(OP, ENG_INT8), INTEGERS(OP, ENG_INT16), INTEGERS(OP, ENG_INT32), \
        INTEGERS(OP, ENG_INT64)
#define UNSIGNED(OP)                                                             \
    INTEGERS(OP, ENG_UINT8), INTEGERS(OP, ENG_UINT16), INTEGERS(OP, ENG_UINT32), \
        INTEGERS(OP, ENG_UINT64)
#define ALPHA(VALUE) .attrs = {ATTR_FLOAT("alpha", VALUE)}

static const struct op_case cases[] = {
    BOTH("Relu", .low = -1, .high = 1),
    EXTREMES("Relu"),
    SIGNED("Relu"),
    {GOOD, .op = "Relu", .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}}, .gradients = 1},
    {GOOD, .op = "Relu", .what = "large enough for threads", .in = {FLOATS(5, 10001)},
     .batched = 1},
    {GOOD, .op = "Relu", .what = "opset 7", .opset = 7, .in = {FLOATS(3)}},
    {GOOD, .op = "Relu", .what = "nothing", .in = {FLOATS(3, 0)}},
    BOTH("LeakyRelu", .low = -1, .high = 1),
    BOTH("LeakyRelu", .low = -2, .high = 2, ALPHA(0.3f)),
    BOTH("LeakyRelu", .low = -2, .high = 2, ALPHA(-0.5f)),
    BOTH("LeakyRelu", .low = -2, .high = 2, ALPHA(0)),
    EXTREMES("LeakyRelu"),
    BOTH("Sigmoid", .low = -6, .high = 6),
    EXTREMES("Sigmoid"),
    BOTH("Tanh", .low = -3, .high = 3),
    EXTREMES("Tanh"),
    BOTH("Elu", .low = -3, .high = 3),
    BOTH("Elu", .low = -2, .high = 2, ALPHA(0.25f)),
    BOTH("Elu", .low = -2, .high = 2, ALPHA(0)),
    BOTH("Elu", .low = -2, .high = 2, ALPHA(-1.5f)),
    EXTREMES("Elu"),
    BOTH("Selu", .low = -3, .high = 3),
    EXTREMES("Selu"),
    BOTH("Selu", .attrs = {ATTR_FLOAT("alpha", 2), ATTR_FLOAT("gamma", 3)}, .low = -2, .high = 2),
    BOTH("Celu", .low = -3, .high = 3),
    BOTH("Celu", .low = -2, .high = 2, ALPHA(2)),
    BOTH("Celu", .low = -2, .high = 2, ALPHA(-2)),
    EXTREMES("Celu"),
    BOTH("HardSigmoid", .low = -4, .high = 4),
    EXTREMES("HardSigmoid"),
    BOTH("HardSigmoid", .attrs = {ATTR_FLOAT("alpha", -0.5f), ATTR_FLOAT("beta", 0.25f)}, .low = -4,
         .high = 4),
    BOTH("HardSwish", .low = -5, .high = 5),
    BOTH("Gelu", .low = -5, .high = 5),
    BOTH("Gelu", .low = -5, .high = 5, .attrs = {ATTR_STRING("approximate", "tanh")}),
    BOTH("Mish", .low = -5, .high = 5),
    BOTH("Softplus", .low = -5, .high = 5),
    EXTREMES("Softplus"),
    BOTH("Softsign", .low = -5, .high = 5),
    BOTH("ThresholdedRelu", .low = -3, .high = 3),
    BOTH("ThresholdedRelu", .low = -2, .high = 2, ALPHA(0.25f)),
    EXTREMES("ThresholdedRelu"),
    BOTH("Abs", .low = -3, .high = 3),
    EXTREMES("Abs"),
    SIGNED("Abs"),
    UNSIGNED("Abs"),
    BOTH("Neg", .low = -3, .high = 3),
    EXTREMES("Neg"),
    SIGNED("Neg"),
    BOTH("Sign", .low = -3, .high = 3),
    EXTREMES("Sign"),
    SIGNED("Sign"),
    UNSIGNED("Sign"),
    BOTH("Reciprocal", .low = 0.5, .high = 3),
    EXTREMES("Reciprocal"),
    BOTH("Sqrt", .low = 0.5, .high = 3),
    EXTREMES("Sqrt"),
    BOTH("Exp", .low = -5, .high = 2),
    BOTH("Log", .low = 0.5, .high = 9),
    EXTREMES("Log"),
    BOTH("Erf", .low = -5, .high = 5),
    EXTREMES("Erf"),
    SIGNED("Erf"),
    UNSIGNED("Erf"),
    BOTH("Floor", .low = -5, .high = 5),
    BOTH("Ceil", .low = -5, .high = 5),
    BOTH("Round", .low = -5, .high = 5),
    EXTREMES("Round"),
    {GOOD, .op = "Round", .what = "halves", .in = {VALUES(ENG_FLOAT32, halves)}},
    BOTH("Sin", .low = -5, .high = 5),
    BOTH("Cos", .low = -5, .high = 5),
    BOTH("Tan", .low = -1, .high = 1),
    BOTH("Asin", .low = -0.9, .high = 0.9),
    BOTH("Acos", .low = -0.9, .high = 0.9),
    BOTH("Atan", .low = -5, .high = 5),
    BOTH("Sinh", .low = -2, .high = 2),
    BOTH("Cosh", .low = -2, .high = 2),
    BOTH("Asinh", .low = -2, .high = 2),
    BOTH("Acosh", .low = 1.5, .high = 3),
    BOTH("Atanh", .low = -0.9, .high = 0.9),
    {.op = "Relu",
     .what = "bytes",
     .n_in = 1,
     .in = {TYPED(ENG_UINT8, 3)},
     .refusal = "uint8; float, double or a signed integer is wanted"},
    {.op = "Sqrt",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT32, 3)},
     .refusal = "int32; float or double is wanted"},
    {.op = "Abs",
     .what = "booleans",
     .n_in = 1,
     .in = {TYPED(ENG_BOOL, 3)},
     .refusal = "bool; a number is wanted"},
    {.op = "Elu",
     .what = "an integer alpha",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_STRING("alpha", "one")},
     .refusal = "alpha"},
    {.op = "LeakyRelu",
     .what = "unknown attribute",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_FLOAT("beta", 1)},
     .refusal = "beta"},
    {.op = "Selu",
     .what = "infinite gamma",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_FLOAT("gamma", INFINITY)},
     .refusal = "gamma"},
    {.op = "Celu",
     .what = "alpha 0",
     .n_in = 1,
     .in = {FLOATS(3)},
     ALPHA(0),
     .refusal = "alpha' is 0"},
    {.op = "HardSigmoid",
     .what = "unknown attribute",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_FLOAT("gamma", 1)},
     .refusal = "gamma"},
    {.op = "ThresholdedRelu",
     .what = "alpha no number",
     .n_in = 1,
     .in = {FLOATS(3)},
     ALPHA(NAN),
     .refusal = "alpha"},
    {.op = "Gelu",
     .what = "unknown approximation",
     .opset = 20,
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_STRING("approximate", "sigmoid")},
     .refusal = "sigmoid"},
    {.op = "Sigmoid",
     .what = "opset 22",
     .opset = 22,
     .n_in = 1,
     .in = {FLOATS(3)},
     .refusal = "7 to 21"},
    {.op = "Tanh",
     .what = "opset 6",
     .opset = 6,
     .n_in = 1,
     .in = {FLOATS(3)},
     .refusal = "7 to 21"},
    {.op = "Gelu",
     .what = "opset 19",
     .opset = 19,
     .n_in = 1,
     .in = {FLOATS(3)},
     .refusal = "20 to 21"},
};

int main(void)
{
    return OP_BATTERY("unary", cases);
}
