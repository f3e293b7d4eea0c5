#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++) {
        double x = in[0].v[i];
        bool wanted =
            x > 0 ? op_attr_int(c, "detect_positive", 1) : op_attr_int(c, "detect_negative", 1);
        out[0].v[i] = strcmp(c->op, "Not") == 0     ? x == 0
                      : strcmp(c->op, "IsNaN") == 0 ? isnan(x)
                                                    : isinf(x) && wanted;
    }
}

#define GOOD .reference = reference, .n_in = 1
#define VALUES(TYPE)                                          \
    {                                                         \
        .dtype = TYPE, .shape = SHAPE(2, 3), .values = values \
    }

static const double values[] = {-INFINITY, -1, 0, 3e38, INFINITY, NAN};
static const double bytes[] = {0, 1, 2, 255}; /* a file's bools may be any bytes */

static const struct op_case cases[] = {
    {.op = "Not", GOOD, .what = "bools", .in = {TYPED(ENG_BOOL, 3, 5)}, .batched = 1},
    {.op = "Not",
     GOOD,
     .what = "other bytes",
     .in = {{.dtype = ENG_BOOL, .shape = SHAPE(4), .values = bytes}}},
    {.op = "IsNaN", GOOD, .what = "floats", .in = {VALUES(ENG_FLOAT32)}, .batched = 1},
    {.op = "IsNaN", GOOD, .what = "doubles", .in = {VALUES(ENG_FLOAT64)}},
    {.op = "IsInf", GOOD, .what = "floats", .in = {VALUES(ENG_FLOAT32)}, .batched = 1},
    {.op = "IsInf", GOOD, .what = "doubles", .in = {VALUES(ENG_FLOAT64)}},
    {.op = "IsInf",
     GOOD,
     .what = "positive",
     .attrs = {ATTR_INT("detect_negative", 0)},
     .in = {VALUES(ENG_FLOAT32)}},
    {.op = "IsInf",
     GOOD,
     .what = "negative",
     .attrs = {ATTR_INT("detect_positive", 0)},
     .in = {VALUES(ENG_FLOAT32)}},
    {.op = "Not",
     .what = "bytes",
     .n_in = 1,
     .in = {TYPED(ENG_UINT8, 3)},
     .refusal = "uint8; bool is wanted"},
    {.op = "IsNaN",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT32, 3)},
     .refusal = "int32; float or double is wanted"},
    {.op = "IsInf",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT32, 3)},
     .refusal = "int32; float or double is wanted"},
};

int main(void)
{
    return OP_BATTERY("predicates", cases);
}
