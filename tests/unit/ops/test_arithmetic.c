#include "op_battery.h"

static double modulo(const struct op_case *c, double a, double b)
{
    if (op_attr_int(c, "fmod", 0)) return fmod(a, b);
    return a - b * floor(a / b);
}

static double function(const struct op_case *c, double a, double b)
{
    bool is_integer = !op_is_float(c->in[0].dtype);
    if (strcmp(c->op, "Add") == 0) return a + b;
    if (strcmp(c->op, "Sub") == 0) return a - b;
    if (strcmp(c->op, "Mul") == 0) return a * b;
    if (strcmp(c->op, "PRelu") == 0) return a < 0 ? a * b : a;
    if (is_integer && b == 0) return 0;
    if (strcmp(c->op, "Mod") == 0) return modulo(c, a, b);
    return is_integer ? trunc(a / b) : a / b;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y;
    assert_int_equal(eng_infer_broadcast(&in[0].shape, &in[1].shape, &y, NULL), ENG_OK);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        out[0].v[i] = function(c, op_broadcast(&in[0], &y, i), op_broadcast(&in[1], &y, i));
        if (c->in[0].dtype == ENG_UINT8) out[0].v[i] = fmod(out[0].v[i] + 256, 256);
        if (c->in[0].dtype == ENG_INT8 && out[0].v[i] == 128) out[0].v[i] = -128;
    }
}

#define ADD .op = "Add", .reference = reference, .n_in = 2
#define MUL .op = "Mul", .reference = reference, .n_in = 2
#define SUB .op = "Sub", .reference = reference, .n_in = 2
#define DIV .op = "Div", .reference = reference, .n_in = 2
#define LIST(TYPE, VALUES)                                  \
    {                                                       \
        .dtype = TYPE, .shape = SHAPE(10), .values = VALUES \
    }
#define QUOTIENTS(TYPE, A, B)                                                     \
    {DIV, .what = "quotients of " #TYPE, .in = {LIST(TYPE, A), LIST(TYPE, B)}},   \
        {.op = "Mod",                                                             \
         .reference = reference,                                                  \
         .n_in = 2,                                                               \
         .what = "modulo of " #TYPE,                                              \
         .in = {LIST(TYPE, A), LIST(TYPE, B)}},                                   \
    {                                                                             \
        .op = "Mod", .reference = reference, .n_in = 2, .what = "rest of " #TYPE, \
        .attrs = {ATTR_INT("fmod", 1)}, .in = {                                   \
            LIST(TYPE, A),                                                        \
            LIST(TYPE, B)                                                         \
        }                                                                         \
    }
#define PRELU .op = "PRelu", .reference = reference, .n_in = 2
#define BYTES(...)                                      \
    {                                                   \
        .dtype = ENG_UINT8, .shape = SHAPE(__VA_ARGS__) \
    }

static const double dividends[] = {7, -7, 7, -7, 6, -6, 0, 5, -128, 9};
static const double divisors[] = {2, 2, -2, -2, 3, -3, 4, 0, -1, 10};
static const double counts[] = {7, 8, 9, 200, 6, 5, 0, 5, 128, 9};
static const double parts[] = {2, 2, 10, 7, 3, 250, 4, 0, 1, 10};
static const double least[] = {-9223372036854775808.0}, minus_one[] = {-1};

static const struct op_case cases[] = {
    QUOTIENTS(ENG_INT8, dividends, divisors),
    QUOTIENTS(ENG_INT16, dividends, divisors),
    QUOTIENTS(ENG_INT32, dividends, divisors),
    QUOTIENTS(ENG_INT64, dividends, divisors),
    QUOTIENTS(ENG_UINT8, counts, parts),
    QUOTIENTS(ENG_UINT16, counts, parts),
    QUOTIENTS(ENG_UINT32, counts, parts),
    QUOTIENTS(ENG_UINT64, counts, parts),
    {.op = "Mod",
     .reference = reference,
     .n_in = 2,
     .what = "floats",
     .attrs = {ATTR_INT("fmod", 1)},
     .in = {FLOATS(3, 4), FLOATS(4)},
     .low = 0.3,
     .high = 5,
     .gradients = 3,
     .batched = 1},
    {.op = "Mod",
     .reference = reference,
     .n_in = 2,
     .what = "doubles",
     .attrs = {ATTR_INT("fmod", 1)},
     .in = {TYPED(ENG_FLOAT64, 3, 4), TYPED(ENG_FLOAT64, 4)},
     .low = 0.3,
     .high = 5},
    {.op = "Mod",
     .reference = reference,
     .n_in = 2,
     .what = "the least number by -1",
     .in = {{.dtype = ENG_INT64, .shape = SHAPE(1), .values = least},
            {.dtype = ENG_INT64, .shape = SHAPE(1), .values = minus_one}}},
    {PRELU, .what = "a slope per channel", .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 1, 1)},
     .gradients = 3, .batched = 1},
    {PRELU, .what = "one slope", .in = {FLOATS(3, 4), FLOATS(1)}, .gradients = 3, .batched = 1},
    {PRELU, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 4), TYPED(ENG_FLOAT64, 4)}},
    {PRELU, .what = "int32", .in = {TYPED(ENG_INT32, 3, 4), TYPED(ENG_INT32, 4)}},
    {PRELU, .what = "int64", .in = {TYPED(ENG_INT64, 3, 4), TYPED(ENG_INT64, 4)}},
    {PRELU, .what = "uint32", .in = {TYPED(ENG_UINT32, 3, 4), TYPED(ENG_UINT32, 4)}},
    {PRELU, .what = "uint64", .in = {TYPED(ENG_UINT64, 3, 4), TYPED(ENG_UINT64, 4)}},
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
     .what = "booleans",
     .n_in = 2,
     .in = {TYPED(ENG_BOOL, 3), TYPED(ENG_BOOL, 3)},
     .refusal = "bool; a number is wanted"},
    {.op = "Mod",
     .what = "floats without fmod",
     .n_in = 2,
     .in = {FLOATS(3), FLOATS(3)},
     .refusal = "unless attribute 'fmod' is 1"},
    {.op = "PRelu",
     .what = "slopes of a larger shape",
     .n_in = 2,
     .in = {FLOATS(3, 4), FLOATS(2, 3, 4)},
     .refusal = "input 0 has shape [3, 4]; [2, 3, 4] is wanted"},
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
};

int main(void)
{
    return OP_BATTERY("arithmetic", cases);
}
