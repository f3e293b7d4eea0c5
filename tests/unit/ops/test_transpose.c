#include "op_battery.h"
#include "op_index.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = {.rank = in[0].shape.rank};
    int64_t perm[ENG_MAX_RANK];
    for (int d = 0; d < y.rank; d++) {
        perm[d] = op_attr_ints(c, "perm", (size_t)d, y.rank - 1 - d);
        y.dim[d] = in[0].shape.dim[perm[d]];
    }
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t of_y[ENG_MAX_RANK], of_x[ENG_MAX_RANK];
        op_indices(&y, i, of_y);
        for (int d = 0; d < y.rank; d++)
            of_x[perm[d]] = of_y[d];
        out[0].v[i] = op_at(&in[0], of_x);
    }
}

#define TRANSPOSE .op = "Transpose", .reference = reference, .n_in = 1
#define PERM(...) .attrs = {ATTR_INTS("perm", __VA_ARGS__)}

static const struct op_case cases[] = {
    {TRANSPOSE, .what = "reversed", .in = {FLOATS(2, 3, 4)}, .gradients = 1},
    {TRANSPOSE, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}}, .gradients = 1},
    {TRANSPOSE, .what = "a vector", .in = {FLOATS(7)}, .gradients = 1},
    {TRANSPOSE, .what = "to channels last", PERM(0, 2, 3, 1), .in = {FLOATS(2, 3, 5, 7)},
     .gradients = 1, .batched = 1},
    {TRANSPOSE, .what = "to channels first", PERM(0, 3, 1, 2), .in = {FLOATS(2, 5, 7, 3)},
     .gradients = 1, .batched = 1},
    {TRANSPOSE, .what = "heads of attention", PERM(0, 2, 1, 3), .in = {FLOATS(2, 5, 3, 8)},
     .gradients = 1, .batched = 1},
    {TRANSPOSE, .what = "groups of channels", PERM(0, 2, 1, 3, 4), .in = {FLOATS(2, 3, 4, 2, 2)},
     .gradients = 1, .batched = 1},
    {TRANSPOSE, .what = "outermost and innermost", PERM(2, 1, 0), .in = {FLOATS(17, 3, 19)},
     .gradients = 1},
    {TRANSPOSE, .what = "nothing moves", PERM(0, 1, 2), .in = {FLOATS(2, 3, 4)}, .gradients = 1},
    {TRANSPOSE, .what = "rank 8", PERM(7, 0, 6, 1, 5, 2, 4, 3),
     .in = {FLOATS(2, 1, 3, 2, 1, 2, 3, 2)}, .gradients = 1},
    {TRANSPOSE, .what = "odd sizes, large enough for threads", PERM(1, 0),
     .in = {FLOATS(301, 203)}},
    {TRANSPOSE, .what = "a plane in pieces", PERM(0, 2, 1), .in = {FLOATS(2, 70, 300)}},
    {TRANSPOSE, .what = "large bytes", PERM(1, 0), .in = {TYPED(ENG_UINT8, 211, 305)}},
    {TRANSPOSE, .what = "bool", PERM(1, 0), .in = {TYPED(ENG_BOOL, 3, 4)}},
    {TRANSPOSE, .what = "int16", PERM(0, 2, 1), .in = {TYPED(ENG_INT16, 2, 17, 18)}},
    {TRANSPOSE, .what = "int32", PERM(1, 0), .in = {TYPED(ENG_INT32, 33, 4)}},
    {TRANSPOSE, .what = "int64", PERM(1, 2, 0), .in = {TYPED(ENG_INT64, 3, 4, 5)}},
    {TRANSPOSE, .what = "doubles", PERM(2, 0, 1), .in = {TYPED(ENG_FLOAT64, 3, 4, 5)}},
    {TRANSPOSE, .what = "empty", PERM(1, 0), .in = {FLOATS(0, 3)}},
    {.op = "Transpose",
     .what = "too few numbers",
     .n_in = 1,
     PERM(1, 0),
     .in = {FLOATS(2, 3, 4)},
     .refusal = "'perm' has 2 numbers; input 0 has shape [2, 3, 4], so 3 are wanted"},
    {.op = "Transpose",
     .what = "an axis twice",
     .n_in = 1,
     PERM(1, 0, 1),
     .in = {FLOATS(2, 3, 4)},
     .refusal = "axis 1 is named twice"},
    {.op = "Transpose",
     .what = "an axis that is not there",
     .n_in = 1,
     PERM(0, 3, 1),
     .in = {FLOATS(2, 3, 4)},
     .refusal = "axis 3 lies outside a tensor of rank 3"},
};

int main(void)
{
    return OP_BATTERY("transpose", cases);
}
