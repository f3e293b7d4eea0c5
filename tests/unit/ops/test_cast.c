#include "op_battery.h"

static double converted(double x, enum eng_dtype to)
{
    static const struct {
        double low, high;
    } bounds[] = {
        [ENG_UINT8] = {0, 255},           [ENG_INT8] = {-128, 127},
        [ENG_UINT16] = {0, 65535},        [ENG_INT16] = {-32768, 32767},
        [ENG_UINT32] = {0, 4294967295.0}, [ENG_INT32] = {-2147483648.0, 2147483647.0},
        [ENG_UINT64] = {0, 0x1p64},       [ENG_INT64] = {-0x1p63, 0x1p63},
    };
    if (to == ENG_BOOL) return x != 0;
    if (to == ENG_FLOAT32 || to == ENG_FLOAT64) return x;
    x = trunc(x);
    return isnan(x)              ? 0
           : x < bounds[to].low  ? bounds[to].low
           : x > bounds[to].high ? bounds[to].high
                                 : x;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool like = strcmp(c->op, "CastLike") == 0;
    enum eng_dtype to = like ? c->in[1].dtype : (enum eng_dtype)op_attr_int(c, "to", 0);
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++)
        out[0].v[i] = converted(in[0].v[i], to);
}

/* What Python's struct.pack('e') makes of each. */
static const double floats[] = {1.0005, 1.00048828125, 1.000489, 65519,  65520,
                                -70000, 6e-8,          2.9e-8,   3.1e-8, 0.1};
static const double halves[] = {1.0009765625, 1, 1.0009765625, 65504,          INFINITY, -INFINITY,
                                0x1p-24,      0, 0x1p-24,      0.0999755859375};

static void half_reference(const struct op_case *c, const struct op_values *in, bool training,
                           struct op_values *out)
{
    (void)c;
    (void)training;
    op_values_init(&out[0], in[0].shape);
    memcpy(out[0].v, halves, sizeof halves);
}

#define CAST     .op = "Cast", .reference = reference, .n_in = 1
#define TO(TYPE) .attrs = {ATTR_INT("to", TYPE)}
#define LIST(TYPE, VALUES)                                                                \
    {                                                                                     \
        .dtype = TYPE, .shape = SHAPE(sizeof VALUES / sizeof VALUES[0]), .values = VALUES \
    }
/* Numbers that every type has. */
#define FROM_TO(FROM, TYPE)                                                              \
    {                                                                                    \
        CAST, .what = #FROM " to " #TYPE, TO(TYPE), .in = {TYPED(FROM, 3, 5)}, .low = 0, \
              .high = (FROM) == ENG_BOOL ? 2 : 100, .batched = 1                         \
    }
#define FROM(TYPE)                                                                      \
    FROM_TO(TYPE, ENG_FLOAT32), FROM_TO(TYPE, ENG_FLOAT64), FROM_TO(TYPE, ENG_INT8),    \
        FROM_TO(TYPE, ENG_INT16), FROM_TO(TYPE, ENG_INT32), FROM_TO(TYPE, ENG_INT64),   \
        FROM_TO(TYPE, ENG_UINT8), FROM_TO(TYPE, ENG_UINT16), FROM_TO(TYPE, ENG_UINT32), \
        FROM_TO(TYPE, ENG_UINT64), FROM_TO(TYPE, ENG_BOOL)
#define BOUNDED(TYPE)                                                                          \
    {CAST, .what = "floats beyond " #TYPE, TO(TYPE), .in = {LIST(ENG_FLOAT32, extremes)}},     \
    {                                                                                          \
        CAST, .what = "doubles beyond " #TYPE, TO(TYPE), .in = { LIST(ENG_FLOAT64, extremes) } \
    }
#define REFUSED(NUMBER, TEXT)                                                          \
    {                                                                                  \
        .op = "Cast", .what = "to " #NUMBER, .n_in = 1, TO(NUMBER), .in = {FLOATS(3)}, \
        .refusal = TEXT                                                                \
    }

static const double extremes[] = {-INFINITY, -1e30, -300.7, -1.5,     -0.5, 0.5,
                                  1.99,      300.7, 1e30,   INFINITY, NAN};

static const struct op_case cases[] = {
    FROM(ENG_FLOAT32),
    FROM(ENG_FLOAT64),
    FROM(ENG_INT8),
    FROM(ENG_INT16),
    FROM(ENG_INT32),
    FROM(ENG_INT64),
    FROM(ENG_UINT8),
    FROM(ENG_UINT16),
    FROM(ENG_UINT32),
    FROM(ENG_UINT64),
    FROM(ENG_BOOL),
    BOUNDED(ENG_INT8),
    BOUNDED(ENG_INT16),
    BOUNDED(ENG_INT32),
    BOUNDED(ENG_UINT8),
    BOUNDED(ENG_UINT16),
    BOUNDED(ENG_UINT32),
    BOUNDED(ENG_BOOL),
    {CAST, .what = "floats", TO(ENG_FLOAT32), .in = {FLOATS(3, 4)}, .gradients = 1},
    {CAST, .what = "large enough for threads", TO(ENG_INT32), .in = {FLOATS(5, 10001)}, .low = -99,
     .high = 99},
    {.op = "Cast",
     .reference = half_reference,
     .n_in = 1,
     .what = "to float16",
     TO(ENG_FLOAT16),
     .in = {LIST(ENG_FLOAT32, floats)},
     .tolerance = 1e-30},
    {.op = "Cast",
     .reference = half_reference,
     .n_in = 1,
     .what = "doubles to float16",
     TO(ENG_FLOAT16),
     .in = {LIST(ENG_FLOAT64, floats)},
     .tolerance = 1e-30},
    {.op = "CastLike",
     .reference = reference,
     .n_in = 2,
     .what = "int64",
     .in = {FLOATS(3, 4), TYPED(ENG_INT64, 1)},
     .low = -9,
     .high = 9},
    {.op = "CastLike",
     .reference = reference,
     .n_in = 2,
     .what = "floats",
     .in = {FLOATS(3, 4), FLOATS(2)},
     .gradients = 1},
    REFUSED(8, "attribute 'to' is 8 (string)"),
    REFUSED(16, "attribute 'to' is 16 (bfloat16)"),
    REFUSED(14, "attribute 'to' is 14 (complex64)"),
    REFUSED(0, "attribute 'to' is 0 (undefined)"),
    REFUSED(77, "attribute 'to' is 77 (unknown)"),
    {.op = "CastLike",
     .what = "unknown attribute",
     .n_in = 2,
     .in = {FLOATS(3), FLOATS(3)},
     TO(1),
     .refusal = "to"},
};

int main(void)
{
    return OP_BATTERY("cast", cases);
}
