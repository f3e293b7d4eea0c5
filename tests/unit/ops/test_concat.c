#include "op_battery.h"
#include "op_index.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape;
    int64_t axis = op_attr_int(c, "axis", 0), start = 0;
    if (axis < 0) axis += y.rank;
    for (size_t k = 1; k < c->n_in; k++)
        y.dim[axis] += in[k].shape.dim[axis];
    op_values_init(&out[0], y);
    for (size_t k = 0; k < c->n_in; k++) {
        for (size_t i = 0; i < in[k].n; i++) {
            int64_t index[ENG_MAX_RANK];
            op_indices(&in[k].shape, i, index);
            index[axis] += start;
            out[0].v[op_offset(&y, index)] = in[k].v[i];
        }
        start += in[k].shape.dim[axis];
    }
}

#define CONCAT(N) .op = "Concat", .reference = reference, .n_in = N
#define AXIS(A)   .attrs = {ATTR_INT("axis", A)}

static const struct op_case cases[] = {
    {CONCAT(2), .what = "channels", AXIS(1), .in = {FLOATS(2, 3, 2, 2), FLOATS(2, 1, 2, 2)},
     .gradients = 3, .batched = 3},
    {CONCAT(3), .what = "rows", AXIS(0), .in = {FLOATS(2, 3), FLOATS(1, 3), FLOATS(4, 3)},
     .gradients = 7},
    {CONCAT(2), .what = "last axis, negative", AXIS(-1), .in = {FLOATS(2, 3, 4), FLOATS(2, 3, 1)},
     .gradients = 3, .batched = 3},
    {CONCAT(1), .what = "one input", AXIS(1), .in = {FLOATS(2, 3)}, .gradients = 1},
    {CONCAT(3), .what = "an empty one", AXIS(1), .in = {FLOATS(2, 3), FLOATS(2, 0), FLOATS(2, 1)},
     .gradients = 7},
    {CONCAT(2), .what = "large enough for threads", AXIS(1),
     .in = {FLOATS(3, 5, 60, 61), FLOATS(3, 7, 60, 61)}},
    {CONCAT(2), .what = "opset 7", .opset = 7, AXIS(0), .in = {FLOATS(2), FLOATS(3)}},
    {CONCAT(2), .what = "int64", AXIS(0), .in = {TYPED(ENG_INT64, 1), TYPED(ENG_INT64, 2)}},
    {CONCAT(2), .what = "bool", AXIS(1), .in = {TYPED(ENG_BOOL, 2, 3), TYPED(ENG_BOOL, 2, 3)}},
    {CONCAT(2), .what = "int16", AXIS(1), .in = {TYPED(ENG_INT16, 2, 3), TYPED(ENG_INT16, 2, 3)}},
    {CONCAT(2), .what = "doubles", AXIS(1),
     .in = {TYPED(ENG_FLOAT64, 2, 3), TYPED(ENG_FLOAT64, 2, 2)}},
    {.op = "Concat",
     .what = "another dimension differs",
     .n_in = 2,
     AXIS(1),
     .in = {FLOATS(2, 3), FLOATS(3, 4)},
     .refusal = "input 1 has shape [3, 4]; [2, 4] is wanted"},
    {.op = "Concat",
     .what = "ranks differ",
     .n_in = 2,
     AXIS(1),
     .in = {FLOATS(2, 3), FLOATS(2, 3, 1)},
     .refusal = "input 1 has shape [2, 3, 1]; [2, 3] is wanted"},
    {.op = "Concat",
     .what = "types differ",
     .n_in = 2,
     AXIS(0),
     .in = {FLOATS(2), TYPED(ENG_FLOAT64, 2)},
     .refusal = "double; float is wanted"},
    {.op = "Concat",
     .what = "no axis",
     .n_in = 1,
     .in = {FLOATS(2)},
     .refusal = "'axis' is missing"},
    {.op = "Concat",
     .what = "an axis that is not there",
     .n_in = 1,
     AXIS(2),
     .in = {FLOATS(2, 3)},
     .refusal = "axis 2 lies outside a tensor of rank 2"},
};

int main(void)
{
    return OP_BATTERY("concat", cases);
}
