#include "op_battery.h"

static double combine(const char *op, double a, double b)
{
    if (strcmp(op, "Sum") == 0 || strcmp(op, "Mean") == 0) return a + b;
    if (isnan(a) || isnan(b)) return (double)NAN;
    return (strcmp(op, "Min") == 0) == (a < b) ? a : b;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape;
    for (size_t k = 1; k < c->n_in; k++)
        assert_int_equal(eng_infer_broadcast(&y, &in[k].shape, &y, NULL), ENG_OK);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        out[0].v[i] = op_broadcast(&in[0], &y, i);
        for (size_t k = 1; k < c->n_in; k++)
            out[0].v[i] = combine(c->op, out[0].v[i], op_broadcast(&in[k], &y, i));
        if (strcmp(c->op, "Mean") == 0) out[0].v[i] /= (double)c->n_in;
    }
}

#define COMMON(OP)                                                                                \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "one", .n_in = 1, .in = {FLOATS(3, 4)}, .gradients = 1, \
          .batched = 1                                                                            \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "two", .n_in = 2, .in = {FLOATS(3, 4), FLOATS(3, 4)},   \
          .gradients = 3, .batched = 3                                                            \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "three, repeated", .n_in = 3,                           \
          .in = {FLOATS(4), FLOATS(3, 1), FLOATS(2, 3, 4)}, .gradients = 7, .batched = 4          \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "the last is the largest", .n_in = 4,                   \
          .in = {{.dtype = ENG_FLOAT32}, FLOATS(4), FLOATS(1, 4), FLOATS(3, 3, 4)},               \
          .gradients = 15                                                                         \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "doubles", .n_in = 3, .in = {                           \
            TYPED(ENG_FLOAT64, 3, 4),                                                             \
            TYPED(ENG_FLOAT64, 4),                                                                \
            TYPED(ENG_FLOAT64, 4)                                                                 \
        }                                                                                         \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "NaN", .n_in = 2, .in = {                               \
            {.dtype = ENG_FLOAT32, .shape = SHAPE(3, 1), .values = special},                      \
            {.dtype = ENG_FLOAT32, .shape = SHAPE(3), .values = special}                          \
        }                                                                                         \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "large enough for threads", .n_in = 3,                  \
          .in = {FLOATS(5, 10001), FLOATS(10001), FLOATS(5, 1)}, .batched = 5                     \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .reference = reference, .what = "opset 8", .opset = 8, .n_in = 2, .in = {               \
            FLOATS(3, 4),                                                                         \
            FLOATS(4)                                                                             \
        }                                                                                         \
    }                                                                                             \
    ,                                                                                             \
    {                                                                                             \
        .op = OP                                                                                  \
        , .what = "shapes do not fit", .n_in = 3, .in = {FLOATS(3, 4), FLOATS(4), FLOATS(3)},     \
          .refusal = "[3, 4] and [3] do not broadcast"                                            \
    }
#define INTEGERS(OP, TYPE)                                          \
    {                                                               \
        .op = OP                                                    \
        , .reference = reference, .what = #TYPE, .n_in = 3, .in = { \
            TYPED(TYPE, 3, 4),                                      \
            TYPED(TYPE, 4),                                         \
            TYPED(TYPE, 3, 4)                                       \
        }                                                           \
    }
#define ALL_INTEGERS(OP)                                                            \
    INTEGERS(OP, ENG_INT8), INTEGERS(OP, ENG_INT16), INTEGERS(OP, ENG_INT32),       \
        INTEGERS(OP, ENG_INT64), INTEGERS(OP, ENG_UINT8), INTEGERS(OP, ENG_UINT16), \
        INTEGERS(OP, ENG_UINT32), INTEGERS(OP, ENG_UINT64)

static const double special[] = {NAN, 1, -INFINITY};

static const struct op_case cases[] = {
    COMMON("Min"),
    COMMON("Max"),
    COMMON("Sum"),
    COMMON("Mean"),
    ALL_INTEGERS("Min"),
    ALL_INTEGERS("Max"),
    {.op = "Sum",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT32, 3)},
     .refusal = "int32; float or double is wanted"},
    {.op = "Max",
     .what = "bools",
     .n_in = 1,
     .in = {TYPED(ENG_BOOL, 3)},
     .refusal = "bool; a number is wanted"},
    {.op = "Min",
     .what = "types differ",
     .n_in = 2,
     .in = {FLOATS(3), TYPED(ENG_INT32, 3)},
     .refusal = "input 1 has element type int32; float is wanted"},
    {.op = "Mean",
     .what = "one is left out",
     .n_in = 2,
     .in = {FLOATS(3), LEFT_OUT},
     .refusal = "input 1 is left out"},
};

int main(void)
{
    return OP_BATTERY("variadic", cases);
}
