#include "op_battery.h"

static double compare(const char *op, double a, double b)
{
    if (strcmp(op, "Equal") == 0) return a == b;
    if (strcmp(op, "Greater") == 0) return a > b;
    if (strcmp(op, "Less") == 0) return a < b;
    if (strcmp(op, "GreaterOrEqual") == 0) return a >= b;
    if (strcmp(op, "LessOrEqual") == 0) return a <= b;
    if (strcmp(op, "And") == 0) return a != 0 && b != 0;
    if (strcmp(op, "Or") == 0) return a != 0 || b != 0;
    assert_string_equal(op, "Xor");
    return (a != 0) != (b != 0);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y;
    assert_int_equal(eng_infer_broadcast(&in[0].shape, &in[1].shape, &y, NULL), ENG_OK);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = compare(c->op, op_broadcast(&in[0], &y, i), op_broadcast(&in[1], &y, i));
}

#define GOOD .reference = reference, .n_in = 2
#define SAME(OP, TYPE)                                                        \
    {                                                                         \
        .op = OP                                                              \
        , GOOD, .what = #TYPE, .batched = 3, .low = 0, .high = 3.001, .in = { \
            TYPED(TYPE, 4, 9),                                                \
            TYPED(TYPE, 4, 9)                                                 \
        }                                                                     \
    }
#define BOOLS(OP)                                      \
    {                                                  \
        .op = OP                                       \
        , GOOD, .what = "bools", .batched = 3, .in = { \
            TYPED(ENG_BOOL, 4, 9),                     \
            TYPED(ENG_BOOL, 4, 9)                      \
        }                                              \
    }
#define TYPES(OP)                                                                            \
    SAME(OP, ENG_FLOAT32), SAME(OP, ENG_FLOAT64), SAME(OP, ENG_INT8), SAME(OP, ENG_INT16),   \
        SAME(OP, ENG_INT32), SAME(OP, ENG_INT64), SAME(OP, ENG_UINT8), SAME(OP, ENG_UINT16), \
        SAME(OP, ENG_UINT32), SAME(OP, ENG_UINT64)
#define REPEATED(OP, TYPE)                                                              \
    {                                                                                   \
        .op = OP                                                                        \
        , GOOD, .what = "B repeated", .in = { TYPED(TYPE, 2, 3, 5), TYPED(TYPE, 3, 1) } \
    }                                                                                   \
    ,                                                                                   \
    {                                                                                   \
        .op = OP                                                                        \
        , GOOD, .what = "A repeated", .in = { TYPED(TYPE, 5), TYPED(TYPE, 2, 3, 5) }    \
    }
#define SPECIAL(OP)                                                          \
    {                                                                        \
        .op = OP                                                             \
        , GOOD, .what = "special numbers", .in = {                           \
            {.dtype = ENG_FLOAT32, .shape = SHAPE(6, 1), .values = special}, \
            {.dtype = ENG_FLOAT32, .shape = SHAPE(6), .values = special}     \
        }                                                                    \
    }
#define REFUSED(OP, A, B, TEXT)                                                         \
    {                                                                                   \
        .op = OP                                                                        \
        , .what = "types", .n_in = 2, .in = {TYPED(A, 3), TYPED(B, 3)}, .refusal = TEXT \
    }

static const double special[] = {-INFINITY, -0.0, 0, 1, INFINITY, NAN};

static const struct op_case cases[] = {
    TYPES("Equal"),
    TYPES("Greater"),
    TYPES("Less"),
    TYPES("GreaterOrEqual"),
    TYPES("LessOrEqual"),
    BOOLS("Equal"),
    BOOLS("And"),
    BOOLS("Or"),
    BOOLS("Xor"),
    REPEATED("Equal", ENG_INT64),
    REPEATED("Greater", ENG_FLOAT32),
    REPEATED("Less", ENG_FLOAT32),
    REPEATED("And", ENG_BOOL),
    REPEATED("Or", ENG_BOOL),
    REPEATED("Xor", ENG_BOOL),
    SPECIAL("Equal"),
    SPECIAL("Greater"),
    SPECIAL("Less"),
    SPECIAL("GreaterOrEqual"),
    SPECIAL("LessOrEqual"),
    {.op = "Less",
     GOOD,
     .what = "large enough for threads",
     .in = {FLOATS(5, 10001), FLOATS(10001)}},
    {.op = "Equal",
     GOOD,
     .what = "scalars, opset 7",
     .opset = 7,
     .in = {{.dtype = ENG_INT64}, {.dtype = ENG_INT64}}},
    REFUSED("Equal", ENG_INT64, ENG_INT32, "int32; int64 is wanted"),
    REFUSED("Greater", ENG_BOOL, ENG_BOOL, "bool; a number is wanted"),
    REFUSED("Less", ENG_FLOAT32, ENG_FLOAT64, "double; float is wanted"),
    REFUSED("GreaterOrEqual", ENG_BOOL, ENG_BOOL, "bool; a number is wanted"),
    REFUSED("LessOrEqual", ENG_BOOL, ENG_BOOL, "bool; a number is wanted"),
    REFUSED("And", ENG_UINT8, ENG_UINT8, "uint8; bool is wanted"),
    REFUSED("Or", ENG_BOOL, ENG_FLOAT32, "float; bool is wanted"),
    REFUSED("Xor", ENG_INT64, ENG_BOOL, "int64; bool is wanted"),
    {.op = "Equal",
     .what = "shapes do not fit",
     .n_in = 2,
     .in = {FLOATS(3, 4), FLOATS(3)},
     .refusal = "[3, 4] and [3] do not broadcast"},
};

int main(void)
{
    return OP_BATTERY("comparison", cases);
}
