#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = {.rank = 2, .dim = {1, 1}};
    const struct eng_shape *x = &in[0].shape;
    if (strcmp(c->op, "Flatten") == 0) {
        int64_t axis = op_attr_int(c, "axis", 1);
        for (int d = 0; d < x->rank; d++)
            y.dim[d >= (axis < 0 ? axis + x->rank : axis)] *= x->dim[d];
    } else {
        int64_t known = 1;
        y.rank = (int)in[1].n;
        for (int d = 0; d < y.rank; d++) {
            y.dim[d] = (int64_t)in[1].v[d];
            if (y.dim[d] == 0 && !op_attr_int(c, "allowzero", 0)) y.dim[d] = x->dim[d];
            if (y.dim[d] != -1) known *= y.dim[d];
        }
        for (int d = 0; d < y.rank; d++)
            if (y.dim[d] == -1) y.dim[d] = (int64_t)in[0].n / known;
    }
    op_values_init(&out[0], y);
    memcpy(out[0].v, in[0].v, in[0].n * sizeof *in[0].v);
}

#define FLATTEN .op = "Flatten", .reference = reference, .n_in = 1
#define RESHAPE .op = "Reshape", .reference = reference, .n_in = 2

static const struct op_case cases[] = {
    {FLATTEN, .what = "images", .in = {FLOATS(2, 3, 4, 5)}, .gradients = 1, .batched = 1},
    {FLATTEN, .what = "axis 0", .attrs = {ATTR_INT("axis", 0)}, .in = {FLOATS(2, 3)},
     .gradients = 1},
    {FLATTEN, .what = "axis at the end", .attrs = {ATTR_INT("axis", 2)}, .in = {FLOATS(2, 3)}},
    {FLATTEN, .what = "negative axis", .attrs = {ATTR_INT("axis", -1)}, .in = {FLOATS(2, 3, 4)}},
    {FLATTEN, .what = "bytes", .in = {TYPED(ENG_UINT8, 2, 3, 4)}, .low = 0, .high = 200},
    {RESHAPE, .what = "-1", .in = {FLOATS(2, 3, 4), KNOWN(2, -1)}, .gradients = 1},
    {RESHAPE, .what = "0 and -1", .in = {FLOATS(2, 3, 4), KNOWN(0, -1)}, .gradients = 1,
     .batched = 1},
    {RESHAPE, .what = "more dimensions", .in = {FLOATS(2, 12), KNOWN(2, 1, 3, 4)}, .gradients = 1},
    {RESHAPE, .what = "to one", .in = {FLOATS(2, 3), KNOWN(6)}},
    {RESHAPE, .what = "allowzero", .attrs = {ATTR_INT("allowzero", 1)},
     .in = {FLOATS(3, 0, 2), KNOWN(0, 5)}},
    {RESHAPE, .what = "int64", .in = {TYPED(ENG_INT64, 2, 3), KNOWN(3, 2)}, .low = -9, .high = 9},
    {RESHAPE, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3), KNOWN(3, -1)}},
    {.op = "Flatten",
     .what = "axis too large",
     .n_in = 1,
     .attrs = {ATTR_INT("axis", 3)},
     .in = {FLOATS(2, 3)},
     .refusal = "axis 3 lies outside -2 to 2"},
    {.op = "Flatten",
     .what = "negative axis in opset 9",
     .opset = 9,
     .n_in = 1,
     .attrs = {ATTR_INT("axis", -1)},
     .in = {FLOATS(2, 3)},
     .refusal = "axis -1 lies outside 0 to 2"},
    {.op = "Reshape",
     .what = "another count",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(5)},
     .refusal = "[2, 3] of 6 elements cannot become [5]"},
    {.op = "Reshape",
     .what = "-1 does not come out",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(4, -1)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "two -1",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(-1, -1)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "-2",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(-2, 3)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "0 beyond the input",
     .n_in = 2,
     .in = {FLOATS(6), KNOWN(6, 0)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "0 and -1 with allowzero",
     .n_in = 2,
     .attrs = {ATTR_INT("allowzero", 1)},
     .in = {FLOATS(0, 3), KNOWN(0, -1)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "more elements than there are numbers",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(4e18, 4e18)},
     .refusal = "cannot become"},
    {.op = "Reshape",
     .what = "nine dimensions",
     .n_in = 2,
     .in = {FLOATS(1), KNOWN(1, 1, 1, 1, 1, 1, 1, 1, 1)},
     .refusal = "at most 8"},
    {.op = "Reshape",
     .what = "a computed shape",
     .n_in = 2,
     .in = {FLOATS(2, 3), TYPED(ENG_INT64, 1)},
     .refusal = "(shape) is computed from the picture"},
    {.op = "Reshape",
     .what = "a float shape",
     .n_in = 2,
     .in = {FLOATS(2, 3), {.dtype = ENG_FLOAT32, .shape = SHAPE(1), .constant = true}},
     .refusal = "float; int64 is wanted"},
};

int main(void)
{
    return OP_BATTERY("reshape", cases);
}
