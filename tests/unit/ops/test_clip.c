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

static const double minus_half[] = {-0.5}, half[] = {0.5}, two[] = {2}, five[] = {5};

#define GOOD .op = "Clip", .reference = reference
#define BOUND(VALUE, CONSTANT)                                      \
    {                                                               \
        .dtype = ENG_FLOAT32, .values = VALUE, .constant = CONSTANT \
    }

#define TYPES(TYPE)                                                                              \
    {GOOD,                                                                                       \
     .what = #TYPE,                                                                              \
     .in = {TYPED(TYPE, 3, 7), {.dtype = TYPE, .values = two}, {.dtype = TYPE, .values = five}}, \
     .n_in = 3,                                                                                  \
     .low = 0,                                                                                   \
     .high = 9,                                                                                  \
     .batched = 1},                                                                              \
    {                                                                                            \
        GOOD, .what = "only max of " #TYPE,                                                      \
              .in = {TYPED(TYPE, 3, 7), LEFT_OUT, {.dtype = TYPE, .values = five}}, .n_in = 3,   \
              .low = 0, .high = 9                                                                \
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
    {GOOD, .what = "doubles by attributes", .opset = 10, .attrs = {ATTR_FLOAT("min", -0.25f)},
     .in = {TYPED(ENG_FLOAT64, 3, 7)}, .n_in = 1},
    {GOOD, .what = "integers without bounds", .in = {TYPED(ENG_INT64, 3, 7)}, .n_in = 1},
    TYPES(ENG_FLOAT64),
    TYPES(ENG_INT8),
    TYPES(ENG_INT16),
    TYPES(ENG_INT32),
    TYPES(ENG_INT64),
    TYPES(ENG_UINT8),
    TYPES(ENG_UINT16),
    TYPES(ENG_UINT32),
    TYPES(ENG_UINT64),
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
     .what = "booleans",
     .in = {TYPED(ENG_BOOL, 3)},
     .n_in = 1,
     .refusal = "bool; a number is wanted"},
    {.op = "Clip",
     .what = "integers in opset 10",
     .opset = 10,
     .in = {TYPED(ENG_INT32, 3)},
     .n_in = 1,
     .refusal = "int32; float or double is wanted"},
    {.op = "Clip",
     .what = "a bound of another type",
     .in = {FLOATS(3), {.dtype = ENG_INT32}},
     .n_in = 2,
     .refusal = "input 1 has element type int32; float is wanted"},
};

int main(void)
{
    return OP_BATTERY("clip", cases);
}
