#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *shape = &in[0].shape;
    int axis = (int)in[1].v[0] + (in[1].v[0] < 0 ? shape->rank : 0);
    bool exclusive = op_attr_int(c, "exclusive", 0), reverse = op_attr_int(c, "reverse", 0);
    size_t inner = 1, n = (size_t)shape->dim[axis];
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= (size_t)shape->dim[d];
    op_values_init(&out[0], *shape);
    for (size_t i = 0; i < in[0].n; i++) {
        size_t start = i / (n * inner) * n * inner + i % inner, place = i / inner % n;
        for (size_t k = 0; k < n; k++) {
            bool counts = k == place ? !exclusive : reverse ? k > place : k < place;
            if (counts) out[0].v[i] += in[0].v[start + k * inner];
        }
    }
}

static const double two[] = {2};

#define BACKWARDS      ATTR_INT("reverse", 1)
#define WITHOUT_ITSELF ATTR_INT("exclusive", 1)
#define AXIS_32                                                                   \
    {                                                                             \
        .dtype = ENG_INT32, .shape = {.rank = 0}, .values = two, .constant = true \
    }
#define GOOD .op = "CumSum", .reference = reference, .n_in = 2
#define BAD  .op = "CumSum", .n_in = 2

static const struct op_case cases[] = {
    {GOOD, .what = "rows", .in = {FLOATS(3, 40), KNOWN(1)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "backwards", .attrs = {BACKWARDS}, .in = {FLOATS(3, 40), KNOWN(-1)},
     .gradients = 1, .batched = 1},
    {GOOD, .what = "without itself", .attrs = {WITHOUT_ITSELF}, .in = {FLOATS(3, 4, 5), KNOWN(1)},
     .gradients = 1, .batched = 1},
    {GOOD, .what = "both", .attrs = {WITHOUT_ITSELF, BACKWARDS}, .in = {FLOATS(3, 4, 5), KNOWN(0)},
     .gradients = 1},
    {GOOD, .what = "many lines", .in = {FLOATS(2, 3, 301), KNOWN(1)}, .batched = 1},
    {GOOD, .what = "an int32 axis", .opset = 11, .in = {FLOATS(2, 3, 4), AXIS_32}, .gradients = 1},
    {GOOD, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 4), KNOWN(1)}},
    {GOOD, .what = "int32", .in = {TYPED(ENG_INT32, 3, 4), KNOWN(1)}},
    {GOOD, .what = "int64", .in = {TYPED(ENG_INT64, 3, 4), KNOWN(1)}},
    {GOOD, .what = "uint32", .in = {TYPED(ENG_UINT32, 3, 4), KNOWN(0)}},
    {GOOD, .what = "uint64", .attrs = {BACKWARDS}, .in = {TYPED(ENG_UINT64, 3, 4), KNOWN(1)}},
    {GOOD, .what = "no elements", .in = {FLOATS(3, 0), KNOWN(1)}},
    {BAD, .what = "int8", .in = {TYPED(ENG_INT8, 3, 4), KNOWN(1)},
     .refusal = "int8; a number of 4 or 8 bytes is wanted"},
    {BAD, .what = "axis too far", .in = {FLOATS(3, 4), KNOWN(2)}, .refusal = "axis 2 lies outside"},
    {BAD, .what = "two axes", .in = {FLOATS(3, 4), KNOWN(0, 1)},
     .refusal = "1 elements are wanted"},
    {BAD, .what = "axis at run time", .in = {FLOATS(3, 4), TYPED(ENG_INT64, 1)},
     .refusal = "input 1 (axis)"},
    {BAD, .what = "opset 10", .opset = 10, .in = {FLOATS(3, 4), KNOWN(1)},
     .refusal = "known for opsets 11 to 21"},
};

int main(void)
{
    return OP_BATTERY("cumsum", cases);
}
