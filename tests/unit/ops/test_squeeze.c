#include "op_battery.h"

/* Axis i, from the attribute or the input. */
static int64_t axis_at(const struct op_case *c, const struct op_values *in, size_t i)
{
    return c->n_in > 1 ? (int64_t)in[1].v[i] : op_attr_ints(c, "axes", i, 0);
}

static bool is_named(const struct op_case *c, const struct op_values *in, int d, int rank)
{
    const struct eng_attr *attr = op_attr(c, "axes");
    size_t n = c->n_in > 1 ? in[1].n : attr ? attr->n : 0;
    for (size_t i = 0; i < n; i++)
        if ((axis_at(c, in, i) + rank) % rank == d) return true;
    return false;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    bool all = c->n_in == 1 && !op_attr(c, "axes");
    struct eng_shape y = {.rank = 0};
    if (strcmp(c->op, "Squeeze") == 0) {
        for (int d = 0; d < x->rank; d++)
            if (all ? x->dim[d] != 1 : !is_named(c, in, d, x->rank)) y.dim[y.rank++] = x->dim[d];
    } else {
        y.rank = x->rank + (int)(c->n_in > 1 ? in[1].n : op_attr(c, "axes")->n);
        for (int d = 0, from = 0; d < y.rank; d++)
            y.dim[d] = is_named(c, in, d, y.rank) ? 1 : x->dim[from++];
    }
    op_values_init(&out[0], y);
    memcpy(out[0].v, in[0].v, in[0].n * sizeof *in[0].v);
}

#define SQUEEZE   .op = "Squeeze", .reference = reference
#define UNSQUEEZE .op = "Unsqueeze", .reference = reference
#define AXES(...) .n_in = 1, .opset = 11, .attrs = {ATTR_INTS("axes", __VA_ARGS__)}

static const struct op_case cases[] = {
    {SQUEEZE, .what = "all of length 1", .n_in = 1, .in = {FLOATS(2, 1, 3, 1)}, .gradients = 1},
    {SQUEEZE, .what = "pooled planes", .n_in = 2, .in = {FLOATS(2, 3, 1, 1), KNOWN(2, 3)},
     .gradients = 1, .batched = 1},
    {SQUEEZE, .what = "negative", .n_in = 2, .in = {FLOATS(2, 1, 3, 1), KNOWN(-1, -3)},
     .gradients = 1},
    {SQUEEZE, .what = "an empty list", .n_in = 2,
     .in = {FLOATS(2, 1), {.dtype = ENG_INT64, .shape = SHAPE(0), .constant = true}}},
    {SQUEEZE, .what = "attribute", AXES(2, 3), .in = {FLOATS(2, 3, 1, 1)}, .gradients = 1,
     .batched = 1},
    {SQUEEZE, .what = "to a scalar", .n_in = 1, .in = {FLOATS(1, 1)}},
    {SQUEEZE, .what = "int64", .n_in = 1, .in = {TYPED(ENG_INT64, 1, 4)}},
    {SQUEEZE, .what = "bytes", .n_in = 2, .in = {TYPED(ENG_UINT8, 4, 1), KNOWN(1)}},
    {UNSQUEEZE, .what = "outermost", .n_in = 2, .in = {FLOATS(3, 4), KNOWN(0)}, .gradients = 1},
    {UNSQUEEZE, .what = "pixels", .n_in = 2, .in = {FLOATS(2, 3), KNOWN(2, 3)}, .gradients = 1,
     .batched = 1},
    {UNSQUEEZE, .what = "unsorted, negative", .n_in = 2, .in = {FLOATS(2, 3), KNOWN(-1, 1)},
     .gradients = 1},
    {UNSQUEEZE, .what = "attribute", AXES(1, 4), .in = {FLOATS(2, 3, 4)}, .gradients = 1},
    {UNSQUEEZE, .what = "attribute, opset 7", .n_in = 1, .opset = 7,
     .attrs = {ATTR_INTS("axes", 1)}, .in = {FLOATS(2, 3)}},
    {UNSQUEEZE, .what = "a scalar", .n_in = 2, .in = {{.dtype = ENG_INT64}, KNOWN(0)}},
    {UNSQUEEZE, .what = "doubles", .n_in = 2, .in = {TYPED(ENG_FLOAT64, 3), KNOWN(1)}},
    {.op = "Squeeze",
     .what = "a longer dimension",
     .n_in = 2,
     .in = {FLOATS(2, 1), KNOWN(0)},
     .refusal = "axis 0 of input 0 of shape [2, 1] has not length 1"},
    {.op = "Squeeze",
     .what = "an axis that is not there",
     .n_in = 2,
     .in = {FLOATS(2, 1), KNOWN(2)},
     .refusal = "axis 2 lies outside"},
    {.op = "Squeeze",
     .what = "computed axes",
     .n_in = 2,
     .in = {FLOATS(2, 1), TYPED(ENG_INT64, 1)},
     .refusal = "(axes) is computed from the picture"},
    {.op = "Squeeze",
     .what = "an attribute in opset 13",
     .opset = 13,
     .n_in = 1,
     .attrs = {ATTR_INTS("axes", 1)},
     .in = {FLOATS(2, 1)},
     .refusal = "in opset 13 the axes are input 1"},
    {.op = "Squeeze",
     .what = "an input in opset 12",
     .opset = 12,
     .n_in = 2,
     .in = {FLOATS(2, 1), KNOWN(1)},
     .refusal = "in opset 12 the axes are an attribute"},
    {.op = "Squeeze",
     .what = "axes that are no list",
     .n_in = 2,
     .in = {FLOATS(2, 1), {.dtype = ENG_INT64, .shape = SHAPE(1, 1), .constant = true}},
     .refusal = "input 1 (axes) has shape [1, 1]; a list"},
    {.op = "Unsqueeze",
     .what = "an axis twice",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(1, -3)},
     .refusal = "axis 1 is named twice"},
    {.op = "Unsqueeze",
     .what = "no axes",
     .n_in = 1,
     .in = {FLOATS(2, 3)},
     .refusal = "'axes' is missing"},
    {.op = "Unsqueeze",
     .what = "nine dimensions",
     .n_in = 2,
     .in = {FLOATS(1, 1, 1, 1, 1, 1, 1), KNOWN(0, 1)},
     .refusal = "at most 8"},
};

int main(void)
{
    return OP_BATTERY("squeeze", cases);
}
