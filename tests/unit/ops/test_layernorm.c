#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape shape = in[0].shape;
    double epsilon = op_attr_float(c, "epsilon", 1e-5f);
    int64_t axis = op_attr_int(c, "axis", -1);
    if (axis < 0) axis += shape.rank;
    size_t n = 1;
    op_values_init(&out[0], shape);
    for (int d = (int)axis; d < shape.rank; d++) {
        n *= (size_t)shape.dim[d];
        shape.dim[d] = 1;
    }
    op_values_init(&out[1], shape);
    op_values_init(&out[2], shape);
    for (size_t row = 0; row < out[1].n; row++) {
        double mean = 0, variance = 0;
        for (size_t i = row * n; i < (row + 1) * n; i++)
            mean += in[0].v[i] / (double)n;
        for (size_t i = row * n; i < (row + 1) * n; i++)
            variance += pow(in[0].v[i] - mean, 2) / (double)n;
        out[1].v[row] = mean;
        out[2].v[row] = 1 / sqrt(variance + epsilon);
        for (size_t i = row * n; i < (row + 1) * n; i++) {
            out[0].v[i] =
                (in[0].v[i] - mean) * out[2].v[row] * op_broadcast(&in[1], &in[0].shape, i);
            if (c->n_in > 2) out[0].v[i] += op_broadcast(&in[2], &in[0].shape, i);
        }
    }
}

#define GOOD   .op = "LayerNormalization", .reference = reference, .n_in = 3, .n_out = 3
#define BAD    .op = "LayerNormalization", .n_in = 3
#define ONLY_Y .left_out = 6

static const struct op_case cases[] = {
    {GOOD, .what = "rows", .in = {FLOATS(3, 77), FLOATS(77), FLOATS(77)}, .gradients = 7,
     .batched = 1},
    {GOOD, ONLY_Y, .what = "as in a transformer",
     .in = {FLOATS(2, 50, 192), FLOATS(192), FLOATS(192)}, .batched = 1},
    {GOOD, .what = "two axes", .attrs = {ATTR_INT("axis", 2), ATTR_FLOAT("epsilon", 0.1f)},
     .in = {FLOATS(2, 3, 4, 5), FLOATS(4, 5), FLOATS(4, 5)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "all axes", .attrs = {ATTR_INT("axis", -3)},
     .in = {FLOATS(2, 3, 4), FLOATS(2, 3, 4), FLOATS(2, 3, 4)}, .gradients = 7},
    {.op = "LayerNormalization",
     .reference = reference,
     .n_in = 2,
     .n_out = 3,
     .what = "no bias",
     .in = {FLOATS(3, 9), FLOATS(9)},
     .gradients = 3,
     .batched = 1},
    {GOOD, .what = "no mean", .left_out = 2, .in = {FLOATS(3, 9), FLOATS(9), FLOATS(9)},
     .gradients = 7},
    {GOOD, .what = "one scale and one bias",
     .in = {FLOATS(3, 9), FLOATS(1), {.dtype = ENG_FLOAT32}}, .gradients = 7, .batched = 1},
    {GOOD, .what = "scale for one of two axes", .attrs = {ATTR_INT("axis", 1)},
     .in = {FLOATS(2, 3, 4), FLOATS(3, 1), FLOATS(1, 1, 4)}, .gradients = 7, .batched = 1},
    {GOOD, .what = "scale for each row", .in = {FLOATS(2, 3, 4), FLOATS(3, 1), FLOATS(4)},
     .gradients = 7, .batched = 1},
    {GOOD, .what = "bias for each element", .in = {FLOATS(2, 3, 4), FLOATS(4), FLOATS(2, 3, 4)},
     .gradients = 7},
    {GOOD, .what = "far from 0", .tolerance = 2e-4,
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(3, 5001), .low = 99, .high = 101},
            FLOATS(5001),
            FLOATS(5001)},
     .batched = 1},
    {GOOD, ONLY_Y, .what = "doubles",
     .in = {TYPED(ENG_FLOAT64, 3, 9), TYPED(ENG_FLOAT64, 9), TYPED(ENG_FLOAT64, 1)}},
    {GOOD, ONLY_Y, .what = "another stash_type", .attrs = {ATTR_INT("stash_type", 16)},
     .in = {FLOATS(3, 9), FLOATS(9), FLOATS(9)}},
    {GOOD, .what = "no rows", .in = {FLOATS(0, 9), FLOATS(9), FLOATS(9)}},
    {BAD, .what = "wrong scale", .in = {FLOATS(3, 9), FLOATS(8), FLOATS(9)},
     .refusal = "shapes [3, 9] and [8] do not broadcast"},
    {BAD, .what = "scale of too many axes", .in = {FLOATS(3, 9), FLOATS(2, 3, 9), FLOATS(9)},
     .refusal = "input 1 has shape [2, 3, 9]; [3, 9] is wanted"},
    {BAD, .what = "axis too far", .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(3, 9), FLOATS(9), FLOATS(9)}, .refusal = "axis 2 lies outside"},
    {BAD, .what = "bfloat16 means", .n_out = 2, .attrs = {ATTR_INT("stash_type", 16)},
     .in = {FLOATS(3, 9), FLOATS(9), FLOATS(9)}, .refusal = "'stash_type' is 16; 1 (float)"},
    {BAD, .what = "nothing to measure", .in = {FLOATS(3, 0), FLOATS(1), FLOATS(1)},
     .refusal = "no elements to measure"},
    {BAD, .what = "integers", .in = {TYPED(ENG_INT32, 3, 9), FLOATS(9), FLOATS(9)},
     .refusal = "int32; float or double is wanted"},
    {BAD, .what = "opset 16", .opset = 16, .in = {FLOATS(3, 9), FLOATS(9), FLOATS(9)},
     .refusal = "known for opsets 17 to 21"},
};

int main(void)
{
    return OP_BATTERY("layernorm", cases);
}
