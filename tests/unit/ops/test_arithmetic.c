#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y;
    assert_int_equal(eng_infer_broadcast(&in[0].shape, &in[1].shape, &y, NULL), ENG_OK);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        double a = op_broadcast(&in[0], &y, i), b = op_broadcast(&in[1], &y, i);
        bool add = strcmp(c->op, "Add") == 0, sub = strcmp(c->op, "Sub") == 0;
        out[0].v[i] = add ? a + b : sub ? a - b : strcmp(c->op, "Mul") == 0 ? a * b : a / b;
        if (c->in[0].dtype == ENG_UINT8) out[0].v[i] = fmod(out[0].v[i] + 256, 256);
    }
}

#define ADD .op = "Add", .reference = reference, .n_in = 2
#define MUL .op = "Mul", .reference = reference, .n_in = 2
#define SUB .op = "Sub", .reference = reference, .n_in = 2
#define DIV .op = "Div", .reference = reference, .n_in = 2
#define BYTES(...)                                      \
    {                                                   \
        .dtype = ENG_UINT8, .shape = SHAPE(__VA_ARGS__) \
    }

static const struct op_case cases[] = {
    {ADD, .what = "same shapes", .in = {FLOATS(3, 4), FLOATS(3, 4)}, .gradients = 3, .batched = 3},
    {ADD, .what = "a bias", .in = {FLOATS(3, 4, 5), FLOATS(5)}, .gradients = 3, .batched = 1},
    {ADD, .what = "a bias per channel", .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 1, 1)}, .gradients = 3,
     .batched = 1},
    {ADD, .what = "a scalar", .in = {FLOATS(2, 3), {.dtype = ENG_FLOAT32}}, .gradients = 3},
    {ADD, .what = "two scalars", .in = {{.dtype = ENG_FLOAT32}, {.dtype = ENG_FLOAT32}},
     .gradients = 3},
    {ADD, .what = "both repeated", .in = {FLOATS(3, 1, 4), FLOATS(5, 1)}, .gradients = 3},
    {ADD, .what = "rank 8", .in = {FLOATS(2, 1, 2, 1, 2, 1, 2, 1), FLOATS(1, 2, 1, 2, 2, 2, 1, 3)},
     .gradients = 3},
    {ADD, .what = "empty", .in = {FLOATS(0, 3), FLOATS(3)}},
    {ADD, .what = "large enough for threads", .in = {FLOATS(9, 70, 80), FLOATS(70, 1)}},
    {ADD, .what = "bytes wrap around", .in = {BYTES(2, 9), BYTES(9)}, .low = 0, .high = 255},
    {ADD, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3), TYPED(ENG_FLOAT64, 3)}},
    {ADD, .what = "int64", .in = {TYPED(ENG_INT64, 2, 3), TYPED(ENG_INT64, 3)}, .low = -900,
     .high = 900},
    {MUL, .what = "same shapes", .in = {FLOATS(3, 4), FLOATS(3, 4)}, .gradients = 3, .batched = 3},
    {MUL, .what = "a factor per channel", .in = {FLOATS(2, 3, 4, 5), FLOATS(1, 3, 1, 1)},
     .gradients = 3, .batched = 1},
    {MUL, .what = "A repeated", .in = {FLOATS(4), FLOATS(3, 4)}, .gradients = 3},
    {MUL, .what = "both repeated", .in = {FLOATS(3, 1), FLOATS(1, 4)}, .gradients = 3},
    {MUL, .what = "bytes wrap around", .in = {BYTES(2, 9), BYTES(9)}, .low = 0, .high = 255},
    {MUL, .what = "int32", .in = {TYPED(ENG_INT32, 2, 3), TYPED(ENG_INT32, 3)}, .low = -90,
     .high = 90},
    {MUL, .what = "signed bytes", .in = {TYPED(ENG_INT8, 2, 3), TYPED(ENG_INT8, 3)}, .low = -11,
     .high = 11},
    {MUL, .what = "16 bits", .in = {TYPED(ENG_UINT16, 2, 3), TYPED(ENG_UINT16, 3)}, .low = 0,
     .high = 255},
    {SUB, .what = "same shapes", .in = {FLOATS(3, 4), FLOATS(3, 4)}, .gradients = 3, .batched = 3},
    {SUB, .what = "a mean per pixel", .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 4, 5)}, .gradients = 3,
     .batched = 1},
    {SUB, .what = "A repeated", .in = {FLOATS(4), FLOATS(3, 4)}, .gradients = 3},
    {SUB, .what = "bytes wrap around", .in = {BYTES(2, 9), BYTES(9)}, .low = 0, .high = 255},
    {SUB, .what = "int64", .in = {TYPED(ENG_INT64, 2, 3), TYPED(ENG_INT64, 3)}, .low = -900,
     .high = 900},
    {DIV, .what = "same shapes", .in = {FLOATS(3, 4), FLOATS(3, 4)}, .gradients = 3, .batched = 3,
     .low = 0.5, .high = 2},
    {DIV, .what = "a deviation per feature", .in = {FLOATS(5, 3), FLOATS(3)}, .gradients = 3,
     .batched = 1, .low = 0.5, .high = 2},
    {DIV, .what = "both repeated", .in = {FLOATS(3, 1), FLOATS(1, 4)}, .gradients = 3, .low = 0.5,
     .high = 2},
    {DIV, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3), TYPED(ENG_FLOAT64, 3)}, .low = 1,
     .high = 9},
    {.op = "Div",
     .what = "integers",
     .n_in = 2,
     .in = {TYPED(ENG_INT32, 3), TYPED(ENG_INT32, 3)},
     .refusal = "int32; float or double is wanted"},
    {.op = "Sub",
     .what = "shapes do not fit",
     .n_in = 2,
     .in = {FLOATS(3, 4), FLOATS(3)},
     .refusal = "[3, 4] and [3] do not broadcast"},
    {.op = "Add",
     .what = "shapes do not fit",
     .n_in = 2,
     .in = {FLOATS(3, 4), FLOATS(3)},
     .refusal = "[3, 4] and [3] do not broadcast"},
    {.op = "Mul",
     .what = "types differ",
     .n_in = 2,
     .in = {FLOATS(3), BYTES(3)},
     .refusal = "uint8; float is wanted"},
    {.op = "Add",
     .what = "booleans",
     .n_in = 2,
     .in = {TYPED(ENG_BOOL, 3), TYPED(ENG_BOOL, 3)},
     .refusal = "bool"},
    {.op = "Mul",
     .what = "bytes in training",
     .n_in = 2,
     .in = {BYTES(3), BYTES(3)},
     .gradients = 3,
     .refusal = "uint8; float is wanted"},
};

int main(void)
{
    return OP_BATTERY("arithmetic", cases);
}
