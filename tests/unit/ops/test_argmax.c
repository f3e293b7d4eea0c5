#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    int64_t axis = op_attr_int(c, "axis", 0);
    if (axis < 0) axis += x->rank;
    bool last = op_attr_int(c, "select_last_index", 0), keepdims = op_attr_int(c, "keepdims", 1);
    double sign = strcmp(c->op, "ArgMax") == 0 ? 1 : -1;
    struct eng_shape y = {.rank = 0};
    size_t inner = 1, n = (size_t)x->dim[axis];
    for (int d = 0; d < x->rank; d++) {
        if (d > axis) inner *= (size_t)x->dim[d];
        if (d != axis || keepdims) y.dim[y.rank++] = d == axis ? 1 : x->dim[d];
    }
    op_values_init(&out[0], y);
    for (size_t o = 0; o < out[0].n; o++) {
        size_t best = 0, start = o / inner * n * inner + o % inner;
        for (size_t i = 0; i < n; i++) {
            double here = sign * in[0].v[start + i * inner];
            double there = sign * in[0].v[start + best * inner];
            bool nan = isnan(here) && sign > 0 && !isnan(there);
            if (here > there || nan || (isnan(there) && sign < 0 && !isnan(here)) ||
                (last && here == there))
                best = i;
        }
        out[0].v[o] = (double)best;
    }
}

static const double ties[] = {2, 7, 7, 1, 7, 2, 2, 2, 2, -3, -3, 9};
static const double nans[] = {2, NAN, 7, INFINITY, 3, NAN};
static const double lowest[] = {-128, -128, -128, -128, 127, -128};
static const double zeros[] = {-1, 0, -0.0, -2, -0.0, 0};

#define LIST(TYPE, VALUES, ...)                                      \
    {                                                                \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__), .values = VALUES \
    }
#define GOOD(NAME) .op = NAME, .reference = reference, .n_in = 1

#define CASES(NAME)                                                                                \
    {GOOD(NAME), .what = "rows", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(3, 1003)},          \
     .batched = 1},                                                                                \
        {GOOD(NAME), .what = "first axis by default", .opset = 7, .in = {FLOATS(3, 4, 5)}},        \
        {GOOD(NAME), .what = "channels", .attrs = {ATTR_INT("axis", 1), ATTR_INT("keepdims", 0)},  \
         .in = {FLOATS(2, 21, 9, 33)}, .batched = 1},                                              \
        {GOOD(NAME), .what = "negative axis", .attrs = {ATTR_INT("axis", -2)},                     \
         .in = {FLOATS(2, 3, 4)}, .batched = 1},                                                   \
        {GOOD(NAME), .what = "one element", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(4, 1)}}, \
        {GOOD(NAME), .what = "first of equals", .attrs = {ATTR_INT("axis", 1)},                    \
         .in = {LIST(ENG_FLOAT32, ties, 3, 4)}},                                                   \
        {GOOD(NAME), .what = "last of equals", .in = {LIST(ENG_FLOAT32, ties, 3, 4)},              \
         .attrs = {ATTR_INT("axis", 1), ATTR_INT("select_last_index", 1)}},                        \
        {GOOD(NAME), .what = "two zeros", .attrs = {ATTR_INT("axis", 1)},                          \
         .in = {LIST(ENG_FLOAT32, zeros, 2, 3)}},                                                  \
        {GOOD(NAME), .what = "two zeros, last", .in = {LIST(ENG_FLOAT64, zeros, 2, 3)},            \
         .attrs = {ATTR_INT("axis", 1), ATTR_INT("select_last_index", 1)}},                        \
        {GOOD(NAME), .what = "NaN", .attrs = {ATTR_INT("axis", 1)},                                \
         .in = {LIST(ENG_FLOAT32, nans, 2, 3)}},                                                   \
        {GOOD(NAME), .what = "doubles", .attrs = {ATTR_INT("axis", 1)},                            \
         .in = {LIST(ENG_FLOAT64, nans, 2, 3)}},                                                   \
        {GOOD(NAME), .what = "the lowest int8", .attrs = {ATTR_INT("axis", 1)},                    \
         .in = {LIST(ENG_INT8, lowest, 2, 3)}},                                                    \
        {GOOD(NAME), .what = "int16", .in = {TYPED(ENG_INT16, 5, 3)}},                             \
        {GOOD(NAME), .what = "int32", .in = {TYPED(ENG_INT32, 5, 3)}},                             \
        {GOOD(NAME), .what = "int64", .in = {TYPED(ENG_INT64, 5, 3)}},                             \
        {GOOD(NAME), .what = "uint8", .in = {TYPED(ENG_UINT8, 5, 3)}},                             \
        {GOOD(NAME), .what = "uint16", .in = {TYPED(ENG_UINT16, 5, 3)}},                           \
        {GOOD(NAME), .what = "uint32", .in = {TYPED(ENG_UINT32, 5, 3)}},                           \
        {GOOD(NAME), .what = "uint64", .in = {TYPED(ENG_UINT64, 5, 3)}},                           \
        {.op = NAME,                                                                               \
         .what = "bool",                                                                           \
         .n_in = 1,                                                                                \
         .in = {TYPED(ENG_BOOL, 5, 3)},                                                            \
         .refusal = "element type bool; a number is wanted"},                                      \
        {.op = NAME,                                                                               \
         .what = "axis too far",                                                                   \
         .n_in = 1,                                                                                \
         .attrs = {ATTR_INT("axis", 2)},                                                           \
         .in = {FLOATS(2, 3)},                                                                     \
         .refusal = "axis 2 lies outside a tensor of rank 2"},                                     \
        {.op = NAME,                                                                               \
         .what = "nothing to choose from",                                                         \
         .n_in = 1,                                                                                \
         .in = {FLOATS(0, 3)},                                                                     \
         .refusal = "no elements along axis 0"},                                                   \
    {                                                                                              \
        .op = NAME, .what = "last index too early", .opset = 11, .n_in = 1,                        \
        .attrs = {ATTR_INT("select_last_index", 1)}, .in = {FLOATS(2, 3)},                         \
        .refusal = "'select_last_index' is there from opset 12 on"                                 \
    }

static const struct op_case cases[] = {CASES("ArgMax"), CASES("ArgMin")};

int main(void)
{
    return OP_BATTERY("argmax", cases);
}
