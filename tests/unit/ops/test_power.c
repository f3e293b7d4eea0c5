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
        out[0].v[i] = pow(a, b);
        if (!op_is_float(c->in[0].dtype)) out[0].v[i] = a == 0 && b < 0 ? 0 : trunc(out[0].v[i]);
    }
}

#define POW .op = "Pow", .reference = reference, .n_in = 2
#define VALUES(TYPE, LIST)                                                          \
    {                                                                               \
        .dtype = TYPE, .shape = SHAPE(sizeof LIST / sizeof LIST[0]), .values = LIST \
    }
#define EXPONENT(TYPE, VALUE)                     \
    {                                             \
        .dtype = TYPE, .values = (const double[]) \
        {                                         \
            VALUE                                 \
        }                                         \
    }
/* Some base by exponents of that type. */
#define BY(BASE, TYPE)                                                  \
    {                                                                   \
        POW, .what = #BASE " by " #TYPE, .in = {                        \
            {.dtype = BASE, .shape = SHAPE(3, 4), .low = 1, .high = 9}, \
            {.dtype = TYPE, .shape = SHAPE(4), .low = 0, .high = 5}     \
        }                                                               \
    }
#define BY_EACH(BASE)                                                                        \
    BY(BASE, ENG_FLOAT32), BY(BASE, ENG_FLOAT64), BY(BASE, ENG_INT8), BY(BASE, ENG_INT16),   \
        BY(BASE, ENG_INT32), BY(BASE, ENG_INT64), BY(BASE, ENG_UINT8), BY(BASE, ENG_UINT16), \
        BY(BASE, ENG_UINT32), BY(BASE, ENG_UINT64)

static const double bases[] = {-3, -2, -1, 0, 1, 2, 3, 7};
static const double exponents[] = {-3, 2, -5, -1, 0, 10, 1, 3};

static const struct op_case cases[] = {
    {POW, .what = "a batch", .in = {FLOATS(3, 4), FLOATS(3, 4)}, .low = 0.5, .high = 3,
     .gradients = 3, .batched = 3},
    {POW, .what = "squares", .in = {FLOATS(3, 4), EXPONENT(ENG_FLOAT32, 2)}, .gradients = 1,
     .batched = 1, .tolerance = 1e-7},
    {POW, .what = "cubes", .in = {FLOATS(3, 4), EXPONENT(ENG_FLOAT32, 3)}, .gradients = 1,
     .batched = 1, .tolerance = 2e-7},
    {POW, .what = "roots", .in = {FLOATS(3, 4), EXPONENT(ENG_FLOAT32, 0.5)}, .gradients = 1,
     .low = 0.5, .high = 2},
    {POW, .what = "squares by int64", .in = {FLOATS(3, 4), EXPONENT(ENG_INT64, 2)}, .gradients = 1,
     .batched = 1},
    {POW, .what = "by many int64",
     .in = {FLOATS(3, 4), {.dtype = ENG_INT64, .shape = SHAPE(4), .low = 1, .high = 4}},
     .gradients = 1},
    {POW, .what = "both repeated", .in = {FLOATS(3, 1), FLOATS(1, 4)}, .low = 0.5, .high = 3,
     .gradients = 3},
    {POW, .what = "integers", .in = {VALUES(ENG_INT64, bases), VALUES(ENG_INT64, exponents)}},
    {POW, .what = "floats of either sign",
     .in = {VALUES(ENG_FLOAT32, bases), VALUES(ENG_FLOAT32, exponents)}},
    {POW, .what = "opset 7", .opset = 7, .in = {FLOATS(3, 4), FLOATS(4)}, .low = 0.5, .high = 3},
    BY_EACH(ENG_FLOAT32),
    BY_EACH(ENG_FLOAT64),
    BY_EACH(ENG_INT32),
    BY_EACH(ENG_INT64),
    {.op = "Pow",
     .what = "bytes",
     .n_in = 2,
     .in = {TYPED(ENG_UINT8, 3), FLOATS(3)},
     .refusal = "uint8; float, double, int32 or int64 is wanted"},
    {.op = "Pow",
     .what = "by bools",
     .n_in = 2,
     .in = {FLOATS(3), TYPED(ENG_BOOL, 3)},
     .refusal = "bool; a number is wanted"},
    {.op = "Pow",
     .what = "shapes do not fit",
     .n_in = 2,
     .in = {FLOATS(3), FLOATS(2)},
     .refusal = "[3] and [2] do not broadcast"},
};

int main(void)
{
    return OP_BATTERY("power", cases);
}
