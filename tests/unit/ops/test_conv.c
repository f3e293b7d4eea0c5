#include "op_battery.h"
#include "window_reference.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape, *w = &in[1].shape;
    int n = x->rank - 2;
    struct window_axis axes[3];
    int64_t n_taps = 1, n_pixels = 1, group = op_attr_int(c, "group", 1);
    for (int d = 0; d < n; d++) {
        axes[d] = window_axis(c, (size_t)d, (size_t)n, x->dim[d + 2], w->dim[d + 2]);
        n_taps *= w->dim[d + 2];
        n_pixels *= x->dim[d + 2];
    }
    op_values_init(&out[0], window_shape(x, w->dim[0], axes));
    const struct eng_shape *y = &out[0].shape;
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t image = op_index(y, i, 0), m = op_index(y, i, 1);
        int64_t first = m / (w->dim[0] / group) * w->dim[1];
        out[0].v[i] = in[2].v ? in[2].v[m] : 0;
        for (int64_t tap = 0; tap < n_taps; tap++) {
            int64_t pixel, unused;
            if (!window_pixel(axes, n, y, i, tap, &pixel, &unused)) continue;
            for (int64_t channel = 0; channel < w->dim[1]; channel++) {
                int64_t plane = image * x->dim[1] + first + channel;
                out[0].v[i] += in[0].v[plane * n_pixels + pixel] *
                               in[1].v[(m * w->dim[1] + channel) * n_taps + tap];
            }
        }
    }
}

#define GOOD      .op = "Conv", .reference = reference
#define PADS(...) ATTR_INTS("pads", __VA_ARGS__)

static const struct op_case cases[] = {
    {GOOD, .what = "one pixel per tap", .in = {FLOATS(1, 1, 3, 3), FLOATS(1, 1, 3, 3)}, .n_in = 2,
     .gradients = 3},
    {GOOD, .what = "3x3, padded", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 3, 5, 6), FLOATS(4, 3, 3, 3), FLOATS(4)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "like MNIST's first", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(3, 1, 28, 28), FLOATS(8, 1, 3, 3), FLOATS(8)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "like MNIST's second", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(17, 8, 14, 14), FLOATS(16, 8, 3, 3), FLOATS(16)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "like MNIST's third", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 16, 7, 7), FLOATS(35, 16, 3, 3), FLOATS(35)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "5x5 without padding", .in = {FLOATS(2, 2, 9, 11), FLOATS(3, 2, 5, 5)},
     .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "1x1", .in = {FLOATS(2, 5, 3, 4), FLOATS(7, 5, 1, 1), FLOATS(7)}, .n_in = 3,
     .gradients = 7, .batched = 1},
    {GOOD, .what = "1x1 with stride 2", .attrs = {ATTR_INTS("strides", 2, 2)},
     .in = {FLOATS(2, 3, 5, 6), FLOATS(4, 3, 1, 1)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "1x1 with padding", .attrs = {PADS(1, 0, 0, 2)},
     .in = {FLOATS(1, 2, 3, 3), FLOATS(2, 2, 1, 1)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "strides and uneven padding",
     .attrs = {ATTR_INTS("strides", 2, 3), PADS(1, 0, 2, 1), ATTR_INTS("kernel_shape", 3, 2)},
     .in = {FLOATS(2, 2, 7, 8), FLOATS(3, 2, 3, 2), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "uneven padding, stride 1", .attrs = {PADS(2, 0, 1, 3)},
     .in = {FLOATS(2, 2, 4, 5), FLOATS(3, 2, 3, 2), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "padding wider than the kernel", .attrs = {PADS(3, 3, 3, 3)},
     .in = {FLOATS(1, 1, 2, 2), FLOATS(2, 1, 2, 2)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "dilations", .attrs = {ATTR_INTS("dilations", 2, 3), PADS(2, 3, 2, 3)},
     .in = {FLOATS(2, 2, 8, 9), FLOATS(3, 2, 3, 3)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "strides and dilations",
     .attrs = {ATTR_INTS("strides", 2, 3), ATTR_INTS("dilations", 3, 2), PADS(2, 3, 1, 2)},
     .in = {FLOATS(2, 2, 9, 11), FLOATS(3, 2, 2, 3)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "a stride longer than the kernel",
     .attrs = {ATTR_INTS("strides", 4, 5), PADS(1, 2, 0, 3)},
     .in = {FLOATS(2, 2, 9, 14), FLOATS(3, 2, 2, 3), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "strides without padding", .attrs = {ATTR_INTS("strides", 1, 2)},
     .in = {FLOATS(2, 3, 4, 9), FLOATS(2, 3, 2, 3)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "two groups", .attrs = {ATTR_INT("group", 2), PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 4, 5, 5), FLOATS(6, 2, 3, 3), FLOATS(6)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "depthwise", .attrs = {ATTR_INT("group", 5), PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 5, 6, 6), FLOATS(5, 1, 3, 3), FLOATS(5)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "depthwise with stride 2",
     .attrs = {ATTR_INT("group", 3), PADS(1, 1, 1, 1), ATTR_INTS("strides", 2, 2)},
     .in = {FLOATS(2, 3, 6, 7), FLOATS(6, 1, 3, 3)}, .n_in = 2, .gradients = 3, .batched = 1},
    {GOOD, .what = "SAME_UPPER",
     .attrs = {ATTR_STRING("auto_pad", "SAME_UPPER"), ATTR_INTS("strides", 2, 2)},
     .in = {FLOATS(1, 2, 5, 6), FLOATS(2, 2, 3, 4)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "SAME_LOWER", .attrs = {ATTR_STRING("auto_pad", "SAME_LOWER")},
     .in = {FLOATS(1, 2, 5, 6), FLOATS(2, 2, 2, 4)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "VALID", .attrs = {ATTR_STRING("auto_pad", "VALID")},
     .in = {FLOATS(1, 2, 5, 6), FLOATS(2, 2, 3, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "one dimension", .attrs = {PADS(1, 2), ATTR_INTS("strides", 2)},
     .in = {FLOATS(2, 3, 11), FLOATS(4, 3, 4), FLOATS(4)}, .n_in = 3, .gradients = 7, .batched = 1},
    {GOOD, .what = "one long dimension", .attrs = {PADS(2, 2)},
     .in = {FLOATS(2, 3, 101), FLOATS(4, 3, 5)}, .n_in = 2, .batched = 1},
    {GOOD, .what = "three dimensions", .attrs = {PADS(1, 0, 1, 0, 1, 1)},
     .in = {FLOATS(2, 2, 4, 3, 5), FLOATS(3, 2, 3, 2, 3), FLOATS(3)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "three dimensions, stride 2", .attrs = {ATTR_INTS("strides", 2, 1, 2)},
     .in = {FLOATS(1, 2, 4, 3, 5), FLOATS(3, 2, 2, 2, 3)}, .n_in = 2, .gradients = 3},
    {GOOD, .what = "wide enough for threads", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 16, 40, 50), FLOATS(72, 16, 3, 3), FLOATS(72)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "channels enough for Winograd in training", .attrs = {PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 13, 5, 6), FLOATS(17, 13, 3, 3), FLOATS(17)}, .n_in = 3, .gradients = 7,
     .batched = 1},
    {GOOD, .what = "an empty batch", .in = {FLOATS(0, 2, 5, 5), FLOATS(3, 2, 3, 3)}, .n_in = 2},
    {GOOD, .what = "doubles",
     .attrs = {ATTR_INTS("strides", 2, 3), PADS(1, 0, 2, 1), ATTR_INT("group", 2)},
     .in = {TYPED(ENG_FLOAT64, 2, 4, 7, 8), TYPED(ENG_FLOAT64, 6, 2, 3, 2), TYPED(ENG_FLOAT64, 6)},
     .n_in = 3, .batched = 1},
    {GOOD, .what = "doubles in three dimensions, dilated",
     .attrs = {ATTR_INTS("dilations", 1, 2, 3), PADS(0, 1, 2, 1, 0, 3)},
     .in = {TYPED(ENG_FLOAT64, 1, 2, 4, 5, 6), TYPED(ENG_FLOAT64, 3, 2, 2, 3, 2)}, .n_in = 2},
    {.op = "Conv",
     .what = "weights of another type",
     .n_in = 2,
     .in = {TYPED(ENG_FLOAT64, 1, 3, 5, 5), FLOATS(4, 3, 3, 3)},
     .refusal = "input 1 has element type float; double is wanted"},
    {.op = "Conv",
     .what = "channels do not fit",
     .n_in = 2,
     .in = {FLOATS(1, 3, 5, 5), FLOATS(4, 2, 3, 3)},
     .refusal = "X [1, 3, 5, 5], W [4, 2, 3, 3]"},
    {.op = "Conv",
     .what = "groups do not divide",
     .n_in = 2,
     .attrs = {ATTR_INT("group", 2)},
     .in = {FLOATS(1, 4, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "multiple of group 2"},
    {.op = "Conv",
     .what = "group 0",
     .n_in = 2,
     .attrs = {ATTR_INT("group", 0)},
     .in = {FLOATS(1, 4, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "group"},
    {.op = "Conv",
     .what = "bias of another size",
     .n_in = 3,
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3), FLOATS(4)},
     .refusal = "[3] is wanted"},
    {.op = "Conv",
     .what = "kernel larger than the image",
     .n_in = 2,
     .in = {FLOATS(1, 2, 2, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "covers 3 pixels"},
    {.op = "Conv",
     .what = "kernel_shape contradicts W",
     .n_in = 2,
     .attrs = {ATTR_INTS("kernel_shape", 3, 2)},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "kernel_shape[1] is 2"},
    {.op = "Conv",
     .what = "too few pads",
     .n_in = 2,
     .attrs = {PADS(1, 1)},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "'pads' has 2 numbers"},
    {.op = "Conv",
     .what = "negative pads",
     .n_in = 2,
     .attrs = {PADS(-1, 0, 0, 0)},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "pads"},
    {.op = "Conv",
     .what = "stride 0",
     .n_in = 2,
     .attrs = {ATTR_INTS("strides", 0, 1)},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "strides"},
    {.op = "Conv",
     .what = "unknown auto_pad",
     .n_in = 2,
     .attrs = {ATTR_STRING("auto_pad", "SAME")},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "auto_pad"},
    {.op = "Conv",
     .what = "auto_pad and pads",
     .n_in = 2,
     .attrs = {ATTR_STRING("auto_pad", "SAME_UPPER"), PADS(1, 1, 1, 1)},
     .in = {FLOATS(1, 2, 5, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "contradicts auto_pad SAME_UPPER"},
    {.op = "Conv",
     .what = "no pixels",
     .n_in = 2,
     .in = {FLOATS(1, 2, 0, 5), FLOATS(3, 2, 3, 3)},
     .refusal = "dimension 2 of input 0 is 0"},
    {.op = "Conv",
     .what = "four dimensions",
     .n_in = 2,
     .in = {FLOATS(1, 2, 5, 5, 5, 5), FLOATS(3, 2, 3, 3, 3, 3)},
     .refusal = "rank 3 to 5"},
};

int main(void)
{
    return OP_BATTERY("conv", cases);
}
