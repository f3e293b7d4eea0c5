#include "op_battery.h"

#include <float.h>

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool inputs = op_opset(c) >= 11;
    double low =
        inputs ? (in[1].v ? in[1].v[0] : -INFINITY) : op_attr_float(c, "min", -(double)FLT_MAX);
    double high =
        inputs ? (in[2].v ? in[2].v[0] : INFINITY) : op_attr_float(c, "max", (double)FLT_MAX);
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++)
        out[0].v[i] = fmin(fmax(in[0].v[i], low), high);
}

static const double minus_half[] = {-0.5}, half[] = {0.5};

#define GOOD .op = "Clip", .reference = reference
#define BOUND(VALUE, CONSTANT)                                      \
    {                                                               \
        .dtype = ENG_FLOAT32, .values = VALUE, .constant = CONSTANT \
    }

static const struct op_case cases[] = {
    {GOOD, .what = "constant bounds",
     .in = {FLOATS(3, 7), BOUND(minus_half, true), BOUND(half, true)}, .n_in = 3, .gradients = 1,
     .batched = 1},
    {GOOD, .what = "computed bounds",
     .in = {FLOATS(3, 7), BOUND(minus_half, false), BOUND(half, false)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "only max", .in = {FLOATS(3, 7), LEFT_OUT, BOUND(half, true)}, .n_in = 3,
     .gradients = 1},
    {GOOD, .what = "only min", .in = {FLOATS(3, 7), BOUND(minus_half, true)}, .n_in = 2,
     .gradients = 1},
    {GOOD, .what = "no bounds", .in = {FLOATS(3, 7)}, .n_in = 1, .gradients = 1},
    {GOOD, .what = "min above max", .in = {FLOATS(7), BOUND(half, true), BOUND(minus_half, true)},
     .n_in = 3},
    {GOOD, .what = "attributes", .opset = 10,
     .attrs = {ATTR_FLOAT("min", -0.25f), ATTR_FLOAT("max", 0.25f)}, .in = {FLOATS(3, 7)},
     .n_in = 1, .gradients = 1, .batched = 1},
    {GOOD, .what = "no attributes", .opset = 7, .in = {FLOATS(3, 7)}, .n_in = 1},
    {.op = "Clip",
     .what = "attributes in opset 11",
     .opset = 11,
     .attrs = {ATTR_FLOAT("min", 0)},
     .in = {FLOATS(3)},
     .n_in = 1,
     .refusal = "since opset 11"},
    {.op = "Clip",
     .what = "inputs in opset 10",
     .opset = 10,
     .in = {FLOATS(3), BOUND(half, true)},
     .n_in = 2,
     .refusal = "before opset 11"},
    {.op = "Clip",
     .what = "a vector as bound",
     .in = {FLOATS(3), FLOATS(2)},
     .n_in = 2,
     .refusal = "1 elements are wanted"},
    {.op = "Clip",
     .what = "computed bounds in training",
     .in = {FLOATS(3), BOUND(half, false)},
     .n_in = 2,
     .gradients = 1,
     .refusal = "must be known"},
    {.op = "Clip",
     .what = "signed bytes",
     .in = {{.dtype = ENG_INT8, .shape = SHAPE(3)}},
     .n_in = 1,
     .refusal = "int8; float is wanted"},
};

int main(void)
{
    return OP_BATTERY("clip", cases);
}
