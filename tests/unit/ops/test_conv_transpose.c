#include "op_battery.h"

/* One axis as the standard words it. */
struct axis {
    int64_t in, out, kernel, stride, dilation, begin;
};

static struct axis axis_of(const struct op_case *c, size_t i, size_t n, int64_t in, int64_t kernel)
{
    const struct eng_attr *attr = op_attr(c, "auto_pad");
    const char *auto_pad = attr ? attr->s : "NOTSET";
    struct axis a = {.in = in, .kernel = kernel};
    a.stride = op_attr_ints(c, "strides", i, 1);
    a.dilation = op_attr_ints(c, "dilations", i, 1);
    a.begin = op_attr_ints(c, "pads", i, 0);
    int64_t full = a.stride * (in - 1) + op_attr_ints(c, "output_padding", i, 0) +
                   (kernel - 1) * a.dilation + 1;
    a.out = full - a.begin - op_attr_ints(c, "pads", i + n, 0);
    bool same = strncmp(auto_pad, "SAME", 4) == 0;
    if (!same && !op_attr(c, "output_shape")) return a;
    a.out = op_attr_ints(c, "output_shape", i, in * a.stride);
    int64_t total = full > a.out ? full - a.out : 0;
    a.begin = strcmp(auto_pad, "SAME_UPPER") == 0 ? total / 2 : total - total / 2;
    return a;
}

/* Every element of X, times every weight, is added where it belongs. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape, *w = &in[1].shape;
    int64_t group = op_attr_int(c, "group", 1), channels = w->dim[1] * group;
    size_t n = (size_t)x->rank - 2;
    struct axis axes[3];
    struct eng_shape y = *x;
    y.dim[1] = channels;
    for (size_t d = 0; d < n; d++) {
        axes[d] = axis_of(c, d, n, x->dim[d + 2], w->dim[d + 2]);
        y.dim[d + 2] = axes[d].out;
    }
    op_values_init(&out[0], y);
    for (size_t i = 0; c->n_in > 2 && i < out[0].n; i++)
        out[0].v[i] = in[2].v[op_index(&y, i, 1)];
    size_t n_weights = in[1].n / (size_t)w->dim[0]; /* of one channel of X */
    for (size_t i = 0; i < in[0].n; i++) {
        int64_t channel = op_index(x, i, 1), image = op_index(x, i, 0);
        int64_t first = image * channels + channel / (x->dim[1] / group) * w->dim[1], from[3];
        for (size_t d = 0; d < n; d++)
            from[d] = op_index(x, i, (int)d + 2) * axes[d].stride - axes[d].begin;
        const double *weights = in[1].v + (size_t)channel * n_weights;
        for (size_t k = 0; k < n_weights; k++) {
            int64_t at = first + op_index(w, k, 1);
            bool inside = true;
            for (size_t d = 0; d < n; d++) {
                int64_t pixel = from[d] + op_index(w, k, (int)d + 2) * axes[d].dilation;
                inside &= pixel >= 0 && pixel < axes[d].out;
                at = at * axes[d].out + pixel;
            }
            if (inside) out[0].v[at] += in[0].v[i] * weights[k];
        }
    }
}

#define GOOD         .op = "ConvTranspose", .reference = reference
#define BAD          .op = "ConvTranspose", .n_in = 2
#define PADS(...)    ATTR_INTS("pads", __VA_ARGS__)
#define STRIDES(...) ATTR_INTS("strides", __VA_ARGS__)

static const struct op_case cases[] = {
    {GOOD, .what = "3x3", .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 4, 3, 3)}, .n_in = 2, .gradients = 3,
     .batched = 1},
    {GOOD, .what = "3x3, padded, with bias", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 4, 3, 3), FLOATS(4)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "doubles",
     .attrs = {STRIDES(2, 3), PADS(1, 0, 0, 2), ATTR_INTS("dilations", 2, 1), ATTR_INT("group", 2)},
     .in = {TYPED(ENG_FLOAT64, 2, 4, 3, 5), TYPED(ENG_FLOAT64, 4, 3, 3, 3), TYPED(ENG_FLOAT64, 6)},
     .n_in = 3, .batched = 1},
    {GOOD, .what = "doubles without bias",
     .in = {TYPED(ENG_FLOAT64, 1, 2, 3), TYPED(ENG_FLOAT64, 2, 3, 2)}, .n_in = 2},
    {GOOD, .what = "twice as large", .attrs = {STRIDES(2, 2), PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 3, 4, 5), FLOATS(3, 2, 4, 4), FLOATS(2)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "output_padding",
     .attrs = {STRIDES(3, 2), PADS(0, 1, 1, 0), ATTR_INTS("output_padding", 2, 1)},
     .in = {FLOATS(2, 2, 3, 4), FLOATS(2, 3, 3, 2), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "output_padding beyond what X reaches",
     .attrs = {ATTR_INTS("output_padding", 2, 1)},
     .in = {FLOATS(2, 2, 3, 4), FLOATS(2, 3, 1, 1), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "output_padding of a 3x3 that steps by 1",
     .attrs = {ATTR_INTS("output_padding", 1, 2), PADS(1, 0, 1, 0)},
     .in = {FLOATS(2, 2, 3, 4), FLOATS(2, 3, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "dilations", .attrs = {ATTR_INTS("dilations", 2, 3), PADS(1, 0, 2, 4)},
     .in = {FLOATS(2, 2, 4, 5), FLOATS(2, 3, 3, 2)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "padding wider than the kernel", .attrs = {PADS(3, 0, 0, 2)},
     .in = {FLOATS(1, 2, 6, 5), FLOATS(2, 3, 2, 2)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "output_shape", .attrs = {STRIDES(3, 2), ATTR_INTS("output_shape", 10, 8)},
     .in = {FLOATS(1, 2, 4, 4), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "output_shape, whatever pads say",
     .attrs = {PADS(1, 1, 1, 1), ATTR_INTS("output_shape", 5, 7)},
     .in = {FLOATS(1, 2, 4, 4), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "output_shape, the odd pixel after",
     .attrs = {STRIDES(2, 2), ATTR_INTS("output_shape", 6, 7),
               ATTR_STRING("auto_pad", "SAME_UPPER")},
     .in = {FLOATS(1, 2, 3, 3), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "an output_shape larger than X reaches",
     .attrs = {STRIDES(2, 1), ATTR_INTS("output_shape", 9, 8)},
     .in = {FLOATS(2, 2, 3, 4), FLOATS(2, 3, 2, 3), FLOATS(3)}, .n_in = 3, .gradients = 7},
    {GOOD, .what = "SAME_UPPER", .attrs = {STRIDES(2, 3), ATTR_STRING("auto_pad", "SAME_UPPER")},
     .in = {FLOATS(1, 2, 3, 4), FLOATS(2, 2, 3, 4)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "SAME_LOWER", .attrs = {STRIDES(2, 2), ATTR_STRING("auto_pad", "SAME_LOWER")},
     .in = {FLOATS(1, 2, 3, 4), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "VALID", .attrs = {STRIDES(2, 2), ATTR_STRING("auto_pad", "VALID")},
     .in = {FLOATS(1, 2, 3, 4), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "two groups", .attrs = {ATTR_INT("group", 2), STRIDES(2, 2)},
     .in = {FLOATS(2, 4, 3, 3), FLOATS(4, 3, 2, 2), FLOATS(6)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "depthwise", .attrs = {ATTR_INT("group", 3), PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 3, 4, 4), FLOATS(3, 1, 3, 3)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "one dimension", .attrs = {STRIDES(3), ATTR_INTS("kernel_shape", 4)},
     .in = {FLOATS(2, 3, 5), FLOATS(3, 2, 4), FLOATS(2)}, .n_in = 3, .gradients = 7, .batched = 1},
    {GOOD, .what = "three dimensions", .attrs = {STRIDES(1, 2, 1), PADS(0, 1, 1, 1, 0, 0)},
     .in = {FLOATS(1, 2, 3, 2, 3), FLOATS(2, 2, 2, 3, 2)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "channels enough for Winograd in training", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 13, 3, 5), FLOATS(13, 12, 3, 3), FLOATS(12)}, .n_in = 3, .gradients = 5,
     .batched = 1},
    {GOOD, .what = "channels enough for Winograd, one pixel", .attrs = {PADS(0, 1, 1, 0)},
     .in = {FLOATS(1, 12, 1, 1), FLOATS(12, 13, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "channels enough for Winograd, output_padding that no tile reaches",
     .attrs = {ATTR_INTS("output_padding", 7, 6)},
     .in = {FLOATS(1, 12, 1, 2), FLOATS(12, 13, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "large enough for threads", .attrs = {STRIDES(2, 2)},
     .in = {FLOATS(2, 24, 20, 20), FLOATS(24, 16, 3, 3), FLOATS(16)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "step 1, large enough for threads", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 16, 30, 30), FLOATS(16, 24, 3, 3)}, .n_in = 2, .batched = 1},
    {GOOD, .what = "an empty batch", .in = {FLOATS(0, 2, 3, 3), FLOATS(2, 3, 3, 3)}, .n_in = 2},
    {BAD, .what = "channels do not fit", .in = {FLOATS(1, 3, 5, 5), FLOATS(2, 4, 3, 3)},
     .refusal = "X [1, 3, 5, 5], W [2, 4, 3, 3]"},
    {BAD, .what = "groups do not divide", .attrs = {ATTR_INT("group", 2)},
     .in = {FLOATS(1, 3, 5, 5), FLOATS(3, 4, 3, 3)}, .refusal = "a multiple of group"},
    {.op = "ConvTranspose",
     .n_in = 3,
     .what = "bias of another size",
     .in = {FLOATS(1, 3, 5, 5), FLOATS(3, 4, 3, 3), FLOATS(3)},
     .refusal = "[4] is wanted"},
    {BAD, .what = "nothing left", .attrs = {PADS(2, 2, 2, 2)},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(1, 1, 2, 2)}, .refusal = "padding 4 leaves none of 3"},
    {BAD, .what = "kernel_shape contradicts W", .attrs = {ATTR_INTS("kernel_shape", 3, 2)},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(1, 1, 3, 3)},
     .refusal = "W's dimension 3 is 3; 2 is wanted"},
    {BAD, .what = "strides too few", .attrs = {STRIDES(2)},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(1, 1, 3, 3)}, .refusal = "'strides' has 1 numbers"},
    {BAD, .what = "pads beside auto_pad",
     .attrs = {PADS(1, 1, 1, 1), ATTR_STRING("auto_pad", "VALID")},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(1, 1, 3, 3)}, .refusal = "contradicts auto_pad VALID"},
    {BAD, .what = "a huge output", .attrs = {ATTR_INTS("output_shape", 2000000000, 2000000000)},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(1, 1, 3, 3)}, .refusal = "at most 2147483647 pixels"},
    {BAD, .what = "a matrix", .in = {FLOATS(4, 4), FLOATS(4, 4)}, .refusal = "rank 3 to 5"},
};

int main(void)
{
    return OP_BATTERY("conv_transpose", cases);
}
