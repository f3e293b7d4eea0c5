#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    double epsilon = op_attr_float(c, "epsilon", 1e-5f);
    int64_t n_channels = x->dim[1], n_groups = op_attr_int(c, "num_groups", n_channels);
    int64_t size = n_channels / n_groups;
    op_values_init(&out[0], *x);
    for (int64_t row = 0; row < x->dim[0] * n_groups; row++) {
        double n = 0, mean = 0, variance = 0;
        for (int pass = 0; pass < 3; pass++)
            for (size_t i = 0; i < in[0].n; i++) {
                int64_t channel = op_index(x, i, 1), group = channel / size;
                if (op_index(x, i, 0) * n_groups + group != row) continue;
                size_t scale = (size_t)(in[1].n == (size_t)n_channels ? channel : group);
                n += pass == 0;
                if (pass == 0) mean += in[0].v[i];
                if (pass == 1) variance += pow(in[0].v[i] - mean / n, 2);
                if (pass == 2)
                    out[0].v[i] =
                        (in[0].v[i] - mean / n) / sqrt(variance / n + epsilon) * in[1].v[scale] +
                        in[2].v[scale];
            }
    }
}

#define INSTANCE  .op = "InstanceNormalization", .reference = reference, .n_in = 3
#define GROUP     .op = "GroupNormalization", .reference = reference, .n_in = 3
#define GROUPS(N) ATTR_INT("num_groups", N)

static const struct op_case cases[] = {
    {INSTANCE, .what = "images", .in = {FLOATS(2, 3, 4, 5), FLOATS(3), FLOATS(3)}, .gradients = 7,
     .batched = 1},
    {INSTANCE, .what = "epsilon", .opset = 7, .attrs = {ATTR_FLOAT("epsilon", 0.1f)},
     .in = {FLOATS(2, 3, 40), FLOATS(3), FLOATS(3)}, .gradients = 7, .batched = 1},
    {INSTANCE, .what = "far from 0, large", .tolerance = 2e-4,
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 2, 90, 61), .low = 99, .high = 101},
            FLOATS(2),
            FLOATS(2)},
     .batched = 1},
    {INSTANCE, .what = "one pixel", .in = {FLOATS(2, 3), FLOATS(3), FLOATS(3)}, .batched = 1},
    {INSTANCE, .what = "doubles",
     .in = {TYPED(ENG_FLOAT64, 2, 3, 8), TYPED(ENG_FLOAT64, 3), TYPED(ENG_FLOAT64, 3)}},
    {INSTANCE, .what = "no images", .in = {FLOATS(0, 3, 8), FLOATS(3), FLOATS(3)}},
    {GROUP, .what = "a scale for each group", .opset = 18, .attrs = {GROUPS(2)},
     .in = {FLOATS(2, 6, 4, 5), FLOATS(2), FLOATS(2)}, .gradients = 7, .batched = 1},
    {GROUP, .what = "a scale for each channel", .opset = 21, .attrs = {GROUPS(2)},
     .in = {FLOATS(2, 6, 4, 5), FLOATS(6), FLOATS(6)}, .gradients = 7, .batched = 1},
    {GROUP, .what = "no pixel axes", .opset = 21,
     .attrs = {GROUPS(3), ATTR_FLOAT("epsilon", 0.5f), ATTR_INT("stash_type", 1)},
     .in = {FLOATS(4, 6), FLOATS(6), FLOATS(6)}, .gradients = 7, .batched = 1},
    {GROUP, .what = "doubles", .opset = 21, .attrs = {GROUPS(2)},
     .in = {TYPED(ENG_FLOAT64, 2, 4, 8), TYPED(ENG_FLOAT64, 4), TYPED(ENG_FLOAT64, 4)}},
    {.op = "InstanceNormalization",
     .what = "channels differ",
     .n_in = 3,
     .in = {FLOATS(2, 3, 4), FLOATS(4), FLOATS(3)},
     .refusal = "input 1 has shape [4]; [3] is wanted"},
    {.op = "InstanceNormalization",
     .what = "types differ",
     .n_in = 3,
     .in = {FLOATS(2, 3, 4), FLOATS(3), TYPED(ENG_FLOAT64, 3)},
     .refusal = "input 2 has element type double; float is wanted"},
    {.op = "InstanceNormalization",
     .what = "a vector",
     .n_in = 3,
     .in = {FLOATS(3), FLOATS(3), FLOATS(3)},
     .refusal = "rank 2 to 8"},
    {.op = "GroupNormalization",
     .what = "no groups",
     .opset = 18,
     .n_in = 3,
     .in = {FLOATS(2, 6, 4), FLOATS(2), FLOATS(2)},
     .refusal = "'num_groups' is 0 or missing"},
    {.op = "GroupNormalization",
     .what = "groups of part of a channel",
     .opset = 18,
     .n_in = 3,
     .attrs = {GROUPS(4)},
     .in = {FLOATS(2, 6, 4), FLOATS(4), FLOATS(4)},
     .refusal = "'num_groups' is 4; a divisor of the 6 channels is wanted"},
    {.op = "GroupNormalization",
     .what = "scales of groups, late",
     .opset = 21,
     .n_in = 3,
     .attrs = {GROUPS(2)},
     .in = {FLOATS(2, 6, 4), FLOATS(2), FLOATS(2)},
     .refusal = "input 1 has shape [2]; [6] is wanted"},
    {.op = "GroupNormalization",
     .what = "opset 17",
     .opset = 17,
     .n_in = 3,
     .attrs = {GROUPS(2)},
     .in = {FLOATS(2, 6, 4), FLOATS(2), FLOATS(2)},
     .refusal = "known for opsets 18 to 21"},
};

int main(void)
{
    return OP_BATTERY("groupnorm", cases);
}
