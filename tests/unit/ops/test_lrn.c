#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *shape = &in[0].shape;
    double alpha = op_attr_float(c, "alpha", 1e-4f), beta = op_attr_float(c, "beta", 0.75);
    double bias = op_attr_float(c, "bias", 1);
    int64_t size = op_attr_int(c, "size", 0), inner = 1, n_channels = shape->dim[1];
    for (int d = 2; d < shape->rank; d++)
        inner *= shape->dim[d];
    op_values_init(&out[0], *shape);
    for (size_t i = 0; i < in[0].n; i++) {
        int64_t channel = (int64_t)i / inner % n_channels;
        int64_t first = channel - (int64_t)floor((double)(size - 1) / 2);
        int64_t last = channel + (int64_t)ceil((double)(size - 1) / 2);
        double sum = 0;
        for (int64_t k = first < 0 ? 0 : first; k <= last && k < n_channels; k++)
            sum += pow(in[0].v[(int64_t)i + (k - channel) * inner], 2);
        out[0].v[i] = in[0].v[i] / pow(bias + alpha / (double)size * sum, beta);
    }
}

#define GOOD    .op = "LRN", .reference = reference, .n_in = 1
#define SIZE(N) ATTR_INT("size", N)

static const struct op_case cases[] = {
    {GOOD, .what = "images", .attrs = {SIZE(3), ATTR_FLOAT("alpha", 0.5f)},
     .in = {FLOATS(2, 7, 5, 9)}, .low = -4, .high = 4, .gradients = 1, .batched = 1},
    {GOOD, .what = "as AlexNet", .attrs = {SIZE(5), ATTR_FLOAT("bias", 2)},
     .in = {FLOATS(2, 12, 13, 13)}, .low = -40, .high = 40, .batched = 1},
    {GOOD, .what = "an even size", .attrs = {SIZE(4), ATTR_FLOAT("alpha", 0.9f)},
     .in = {FLOATS(2, 6, 3)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "another beta", .opset = 13,
     .attrs = {SIZE(3), ATTR_FLOAT("alpha", 0.5f), ATTR_FLOAT("beta", 0.6f)},
     .in = {FLOATS(2, 6, 3)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "wider than the channels", .attrs = {SIZE(100), ATTR_FLOAT("alpha", 9)},
     .in = {FLOATS(2, 5)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "doubles", .attrs = {SIZE(3)}, .in = {TYPED(ENG_FLOAT64, 2, 5, 70)}},
    {GOOD, .what = "no images", .attrs = {SIZE(3)}, .in = {FLOATS(0, 5, 7)}},
    {.op = "LRN",
     .what = "no size",
     .n_in = 1,
     .in = {FLOATS(2, 3)},
     .refusal = "'size' is 0 or missing"},
    {.op = "LRN",
     .what = "a vector",
     .n_in = 1,
     .attrs = {SIZE(3)},
     .in = {FLOATS(3)},
     .refusal = "rank 2 to 8"},
    {.op = "LRN",
     .what = "integers",
     .n_in = 1,
     .attrs = {SIZE(3)},
     .in = {TYPED(ENG_INT32, 2, 3)},
     .refusal = "int32; float or double is wanted"},
};

int main(void)
{
    return OP_BATTERY("lrn", cases);
}
