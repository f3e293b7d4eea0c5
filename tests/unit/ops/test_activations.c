#include "op_battery.h"

static double function(const struct op_case *c, double x)
{
    if (strcmp(c->op, "Relu") == 0) return x < 0 ? 0 : x; /* NaN stays NaN */
    if (strcmp(c->op, "LeakyRelu") == 0) return x < 0 ? op_attr_float(c, "alpha", 0.01) * x : x;
    if (strcmp(c->op, "Elu") == 0) return x < 0 ? op_attr_float(c, "alpha", 1) * expm1(x) : x;
    if (strcmp(c->op, "Sigmoid") == 0) return 1 / (1 + exp(-x));
    return tanh(x);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++)
        out[0].v[i] = function(c, in[0].v[i]);
}

#define GOOD .reference = reference, .n_in = 1

static const double extremes[] = {-INFINITY, -200, -88, -1e-30, 0, 1e-30, 88, 200, INFINITY, NAN};

static const struct op_case cases[] = {
    {GOOD, .op = "Relu", .what = "a batch", .in = {FLOATS(3, 5, 7)}, .gradients = 1, .batched = 1},
    {GOOD, .op = "Relu", .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}}, .gradients = 1},
    {GOOD, .op = "Relu", .what = "large enough for threads", .in = {FLOATS(5, 10001)},
     .batched = 1},
    {GOOD, .op = "Relu", .what = "opset 7", .opset = 7, .in = {FLOATS(3)}},
    {GOOD, .op = "Relu", .what = "extremes",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(10), .values = extremes}}},
    {GOOD, .op = "LeakyRelu", .what = "default alpha", .in = {FLOATS(3, 5)}, .gradients = 1,
     .batched = 1},
    {GOOD, .op = "LeakyRelu", .what = "alpha", .attrs = {ATTR_FLOAT("alpha", 0.3f)},
     .in = {FLOATS(3, 5)}, .gradients = 1},
    {GOOD, .op = "LeakyRelu", .what = "a negative alpha", .attrs = {ATTR_FLOAT("alpha", -0.5f)},
     .in = {FLOATS(3, 5)}, .gradients = 1},
    {GOOD, .op = "LeakyRelu", .what = "alpha 0", .attrs = {ATTR_FLOAT("alpha", 0)},
     .in = {FLOATS(3, 5)}, .gradients = 1},
    {GOOD, .op = "Sigmoid", .what = "a batch", .in = {FLOATS(3, 5)}, .low = -6, .high = 6,
     .gradients = 1, .batched = 1},
    {GOOD, .op = "Sigmoid", .what = "extremes",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(10), .values = extremes}}},
    {GOOD, .op = "Tanh", .what = "a batch", .in = {FLOATS(3, 5)}, .low = -3, .high = 3,
     .gradients = 1, .batched = 1},
    {GOOD, .op = "Tanh", .what = "extremes",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(10), .values = extremes}}},
    {GOOD, .op = "Elu", .what = "default alpha", .in = {FLOATS(3, 5)}, .low = -3, .high = 3,
     .gradients = 1, .batched = 1},
    {GOOD, .op = "Elu", .what = "alpha", .attrs = {ATTR_FLOAT("alpha", 0.25f)},
     .in = {FLOATS(3, 5)}, .gradients = 1},
    {GOOD, .op = "Elu", .what = "alpha 0", .attrs = {ATTR_FLOAT("alpha", 0)}, .in = {FLOATS(3, 5)},
     .gradients = 1},
    {GOOD, .op = "Elu", .what = "extremes",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(10), .values = extremes}}},
    {.op = "Elu",
     .what = "negative alpha",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_FLOAT("alpha", -1)},
     .refusal = "alpha"},
    {.op = "Relu",
     .what = "integers",
     .n_in = 1,
     .in = {{.dtype = ENG_INT32, .shape = SHAPE(3)}},
     .refusal = "int32; float is wanted"},
    {.op = "LeakyRelu",
     .what = "unknown attribute",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_FLOAT("beta", 1)},
     .refusal = "beta"},
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
};

int main(void)
{
    return OP_BATTERY("activations", cases);
}
