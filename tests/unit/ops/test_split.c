#include "op_battery.h"
#include "op_index.h"

static int64_t size_of(const struct op_case *c, const struct op_values *in, size_t k,
                       int64_t length)
{
    int64_t n = (int64_t)op_n_out(c), each = (length + n - 1) / n;
    if (c->n_in > 1) return (int64_t)in[1].v[k];
    if (op_attr(c, "split")) return op_attr_ints(c, "split", k, 0);
    return (int64_t)k < n - 1 ? each : length - each * (n - 1);
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    int64_t axis = op_attr_int(c, "axis", 0), start = 0;
    if (axis < 0) axis += x->rank;
    for (size_t k = 0; k < op_n_out(c); k++) {
        struct eng_shape y = *x;
        y.dim[axis] = size_of(c, in, k, x->dim[axis]);
        op_values_init(&out[k], y);
        for (size_t i = 0; i < out[k].n; i++) {
            int64_t index[ENG_MAX_RANK];
            op_indices(&y, i, index);
            index[axis] += start;
            out[k].v[i] = op_at(&in[0], index);
        }
        start += y.dim[axis];
    }
}

#define SPLIT(IN, OUT) .op = "Split", .reference = reference, .n_in = IN, .n_out = OUT
#define AXIS(A)        ATTR_INT("axis", A)
#define ALL3           .gradients = 1, .gradient_outputs = 7

static const struct op_case cases[] = {
    {SPLIT(1, 3), .what = "equal parts", .in = {FLOATS(6, 2)}, ALL3},
    {SPLIT(1, 3), .what = "channels", .attrs = {AXIS(1)}, .in = {FLOATS(2, 6, 2, 2)}, ALL3,
     .batched = 1},
    {SPLIT(2, 3), .what = "sizes", .attrs = {AXIS(-1)}, .in = {FLOATS(2, 7), KNOWN(4, 1, 2)}, ALL3,
     .batched = 1},
    {SPLIT(1, 3), .what = "sizes as attribute", .opset = 11,
     .attrs = {AXIS(1), ATTR_INTS("split", 4, 1, 2)}, .in = {FLOATS(2, 7)}, ALL3, .batched = 1},
    {SPLIT(1, 2), .what = "opset 7", .opset = 7, .in = {FLOATS(4)}, .gradients = 1},
    {SPLIT(2, 3), .what = "an empty part", .in = {FLOATS(3, 2), KNOWN(2, 0, 1)}, ALL3},
    {SPLIT(1, 3), .what = "the last is shorter", .opset = 18,
     .attrs = {ATTR_INT("num_outputs", 3), AXIS(1)}, .in = {FLOATS(2, 7)}, ALL3},
    {SPLIT(1, 2), .what = "num_outputs comes out even", .opset = 18,
     .attrs = {ATTR_INT("num_outputs", 2)}, .in = {FLOATS(4, 2)}, .gradients = 1},
    {SPLIT(1, 1), .what = "one part", .in = {FLOATS(3)}, .gradients = 1},
    {SPLIT(2, 2), .what = "large enough for threads", .attrs = {AXIS(1)},
     .in = {FLOATS(3, 9, 70, 60), KNOWN(2, 7)}},
    {SPLIT(1, 2), .what = "int64", .in = {TYPED(ENG_INT64, 4)}},
    {SPLIT(1, 2), .what = "bytes", .attrs = {AXIS(1)}, .in = {TYPED(ENG_UINT8, 3, 4)}},
    {SPLIT(1, 2), .what = "doubles", .attrs = {AXIS(1)}, .in = {TYPED(ENG_FLOAT64, 3, 4)}},
    {.op = "Split",
     .what = "not equal",
     .n_in = 1,
     .n_out = 2,
     .in = {FLOATS(3)},
     .refusal = "length 3 does not split into 2 equal parts"},
    {.op = "Split",
     .what = "sizes go beyond",
     .n_in = 2,
     .n_out = 2,
     .in = {FLOATS(3), KNOWN(2, 2)},
     .refusal = "part 1 would be 2 long, where 1 of the 3 along axis 0 are left"},
    {.op = "Split",
     .what = "sizes leave something",
     .n_in = 2,
     .n_out = 2,
     .in = {FLOATS(5), KNOWN(2, 2)},
     .refusal = "the parts leave 1 of the 5"},
    {.op = "Split",
     .what = "a negative size",
     .n_in = 2,
     .n_out = 2,
     .in = {FLOATS(3), KNOWN(4, -1)},
     .refusal = "part 0 would be 4 long"},
    {.op = "Split",
     .what = "more sizes than outputs",
     .n_in = 2,
     .n_out = 1,
     .in = {FLOATS(3), KNOWN(2, 1)},
     .refusal = "input 1 has shape [2]; 1 elements are wanted"},
    {.op = "Split",
     .what = "fewer sizes than outputs",
     .opset = 11,
     .n_in = 1,
     .n_out = 2,
     .attrs = {ATTR_INTS("split", 3)},
     .in = {FLOATS(3)},
     .refusal = "'split' has 1 numbers; the node has 2 outputs"},
    {.op = "Split",
     .what = "an attribute in opset 13",
     .opset = 13,
     .n_in = 1,
     .n_out = 2,
     .attrs = {ATTR_INTS("split", 1, 2)},
     .in = {FLOATS(3)},
     .refusal = "in opset 13 the sizes are input 1"},
    {.op = "Split",
     .what = "an attribute of another type",
     .opset = 11,
     .n_in = 1,
     .n_out = 1,
     .attrs = {ATTR_INT("split", 3)},
     .in = {FLOATS(3)},
     .refusal = "'split' is no list of ints"},
    {.op = "Split",
     .what = "an input in opset 12",
     .opset = 12,
     .n_in = 2,
     .n_out = 2,
     .in = {FLOATS(3), KNOWN(1, 2)},
     .refusal = "from opset 13 on"},
    {.op = "Split",
     .what = "computed sizes",
     .n_in = 2,
     .n_out = 2,
     .in = {FLOATS(3), TYPED(ENG_INT64, 2)},
     .refusal = "(split) is computed from the picture"},
    {.op = "Split",
     .what = "neither sizes nor number in opset 18",
     .opset = 18,
     .n_in = 1,
     .n_out = 2,
     .in = {FLOATS(4)},
     .refusal = "has neither"},
    {.op = "Split",
     .what = "both in opset 18",
     .opset = 18,
     .n_in = 2,
     .n_out = 2,
     .attrs = {ATTR_INT("num_outputs", 2)},
     .in = {FLOATS(4), KNOWN(2, 2)},
     .refusal = "has both"},
    {.op = "Split",
     .what = "another number of outputs",
     .opset = 18,
     .n_in = 1,
     .n_out = 2,
     .attrs = {ATTR_INT("num_outputs", 3)},
     .in = {FLOATS(4)},
     .refusal = "num_outputs is 3; the node has 2"},
    {.op = "Split",
     .what = "num_outputs in opset 17",
     .opset = 17,
     .n_in = 1,
     .n_out = 2,
     .attrs = {ATTR_INT("num_outputs", 2)},
     .in = {FLOATS(4)},
     .refusal = "from opset 18 on"},
    {.op = "Split",
     .what = "more parts than elements",
     .opset = 18,
     .n_in = 1,
     .n_out = 4,
     .attrs = {ATTR_INT("num_outputs", 4)},
     .in = {FLOATS(5, 2)},
     .refusal = "part 2 would be 2 long, where 1 of the 5"},
};

int main(void)
{
    return OP_BATTERY("split", cases);
}
