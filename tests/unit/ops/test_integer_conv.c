#include "op_battery.h"
#include "quantised_case.h"
#include "window_reference.h"

enum { X, X_SCALE, X_ZERO, W, W_SCALE, W_ZERO, Y_SCALE, Y_ZERO, BIAS };

static double one_of(const struct op_values *p, size_t i)
{
    return p->n == 0 ? 0 : p->v[p->n == 1 ? 0 : i];
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool scaled = strcmp(c->op, "QLinearConv") == 0;
    struct op_values none = {0};
    const struct op_values *values = &in[scaled ? W : 1];
    const struct op_values *x_zero = scaled ? &in[X_ZERO] : c->n_in > 2 ? &in[2] : &none;
    const struct op_values *w_zero = scaled ? &in[W_ZERO] : c->n_in > 3 ? &in[3] : &none;
    const struct eng_shape *x = &in[0].shape, *w = &values->shape;
    int64_t group = op_attr_int(c, "group", 1), n_taps = 1, n_pixels = 1;
    int n = x->rank - 2;
    struct window_axis axes[3];
    for (int d = 0; d < n; d++) {
        axes[d] = window_axis(c, (size_t)d, (size_t)n, x->dim[d + 2], w->dim[d + 2]);
        n_taps *= w->dim[d + 2];
        n_pixels *= x->dim[d + 2];
    }
    op_values_init(&out[0], window_shape(x, w->dim[0], axes));
    const struct eng_shape *y = &out[0].shape;
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t m = op_index(y, i, 1), first = m / (w->dim[0] / group) * w->dim[1];
        double sum = scaled && c->n_in > BIAS ? in[BIAS].v[m] : 0;
        for (int64_t k = 0; k < w->dim[1] * n_taps; k++) {
            int64_t pixel, unused, plane = op_index(y, i, 0) * x->dim[1] + first + k / n_taps;
            if (!window_pixel(axes, n, y, i, k % n_taps, &pixel, &unused)) continue;
            sum += (in[0].v[plane * n_pixels + pixel] - one_of(x_zero, 0)) *
                   (values->v[m * w->dim[1] * n_taps + k] - one_of(w_zero, (size_t)m));
        }
        out[0].v[i] = sum;
        if (!scaled) continue;
        float factor = (float)in[X_SCALE].v[0] * (float)one_of(&in[W_SCALE], (size_t)m) /
                       (float)in[Y_SCALE].v[0];
        double least = c->in[Y_ZERO].dtype == ENG_INT8 ? -128 : 0;
        out[0].v[i] =
            fmin(fmax(rint((double)((float)sum * factor)) + in[Y_ZERO].v[0], least), least + 255);
    }
}

#define BIASES(...)                                                                 \
    {                                                                               \
        .dtype = ENG_INT32, .shape = SHAPE(__VA_ARGS__), .low = -5000, .high = 5000 \
    }
#define PADS(...)    ATTR_INTS("pads", __VA_ARGS__)
#define STRIDES(...) ATTR_INTS("strides", __VA_ARGS__)
#define PLAIN        .op = "ConvInteger", .reference = reference
#define SCALED       .op = "QLinearConv", .reference = reference
#define X_SCALAR     ONE(ENG_FLOAT32, 0.0037), ONE(ENG_UINT8, 132)
#define W_SCALAR     ONE(ENG_FLOAT32, 0.0017), ONE(ENG_INT8, 0)
#define Y_UINT8      ONE(ENG_FLOAT32, 0.0162), ONE(ENG_UINT8, 123)
#define Y_INT8       ONE(ENG_FLOAT32, 0.0362), ONE(ENG_INT8, -9)

static const struct op_case cases[] = {
    {PLAIN, .what = "3x3", .n_in = 2, .in = {BYTES(2, 3, 6, 7), SIGNED(5, 3, 3, 3)}, .batched = 1},
    {PLAIN, .what = "zero points and padding", .n_in = 4, .attrs = {PADS(1, 2, 0, 1)},
     .in = {BYTES(2, 3, 6, 7), BYTES(5, 3, 3, 3), ONE(ENG_UINT8, 100), ONE(ENG_UINT8, 90)},
     .batched = 1},
    {PLAIN, .what = "zero points of channels", .n_in = 4,
     .in = {SIGNED(2, 3, 6, 7), SIGNED(5, 3, 2, 3), ONE(ENG_INT8, -100), SIGNED(5)}, .batched = 1},
    {PLAIN, .what = "strides and dilations", .n_in = 3,
     .attrs = {STRIDES(2, 3), ATTR_INTS("dilations", 3, 2), PADS(2, 1, 1, 3)},
     .in = {BYTES(1, 2, 11, 12), SIGNED(3, 2, 3, 3), ONE(ENG_UINT8, 7)}},
    {PLAIN, .what = "one pixel wide kernels", .n_in = 2,
     .in = {BYTES(2, 40, 5, 5), SIGNED(9, 40, 1, 1)}, .batched = 1},
    {PLAIN, .what = "depthwise", .n_in = 3, .attrs = {PADS(1, 1, 1, 1), ATTR_INT("group", 4)},
     .in = {BYTES(2, 4, 6, 7), SIGNED(4, 1, 3, 3), ONE(ENG_UINT8, 128)}, .batched = 1},
    {PLAIN, .what = "depthwise, strided, two kernels each", .n_in = 3,
     .attrs = {PADS(1, 1, 1, 1), STRIDES(2, 2), ATTR_INTS("dilations", 1, 2), ATTR_INT("group", 3)},
     .in = {SIGNED(2, 3, 8, 9), SIGNED(6, 1, 3, 3), ONE(ENG_INT8, 8)}, .batched = 1},
    {PLAIN, .what = "groups", .n_in = 3, .attrs = {ATTR_INT("group", 2)},
     .in = {BYTES(2, 6, 5, 5), SIGNED(4, 3, 3, 3), ONE(ENG_UINT8, 8)}, .batched = 1},
    {PLAIN, .what = "one dimension", .n_in = 2, .attrs = {PADS(2, 1)},
     .in = {BYTES(2, 3, 9), SIGNED(4, 3, 4)}},
    {PLAIN, .what = "three dimensions", .n_in = 3, .attrs = {PADS(1, 0, 1, 0, 1, 1)},
     .in = {BYTES(1, 2, 4, 5, 6), SIGNED(3, 2, 2, 3, 2), ONE(ENG_UINT8, 3)}},
    {PLAIN, .what = "SAME_LOWER", .n_in = 2,
     .attrs = {ATTR_STRING("auto_pad", "SAME_LOWER"), STRIDES(2, 2)},
     .in = {BYTES(1, 2, 5, 6), SIGNED(3, 2, 2, 2)}},
    {PLAIN, .what = "more pixels than a wave has", .n_in = 3, .attrs = {PADS(1, 1, 1, 1)},
     .in = {BYTES(1, 3, 40, 41), SIGNED(4, 3, 3, 3), ONE(ENG_UINT8, 3)}},
    {SCALED, .what = "uint8", .n_in = 8, .attrs = {PADS(1, 1, 1, 1)},
     .in = {BYTES(2, 3, 6, 7), X_SCALAR, SIGNED(5, 3, 3, 3), W_SCALAR, Y_UINT8}, .batched = 1},
    {SCALED, .what = "to int8, a bias, scales of channels", .n_in = 9, .attrs = {STRIDES(2, 1)},
     .in = {BYTES(2, 3, 6, 7), X_SCALAR, SIGNED(5, 3, 3, 3), SCALES(5), SIGNED(5), Y_INT8,
            BIASES(5)},
     .batched = 1},
    {SCALED, .what = "depthwise with a bias", .n_in = 9,
     .attrs = {ATTR_INT("group", 5), PADS(1, 1, 1, 1)},
     .in = {BYTES(2, 5, 6, 7), X_SCALAR, SIGNED(5, 1, 3, 3), SCALES(5), SIGNED(5), Y_INT8,
            BIASES(5)},
     .batched = 1},
    {SCALED, .what = "large enough for threads", .n_in = 8, .attrs = {PADS(1, 1, 1, 1)},
     .in = {BYTES(1, 16, 28, 28), X_SCALAR, SIGNED(32, 16, 3, 3), W_SCALAR, Y_UINT8}},
    {.op = "ConvInteger",
     .what = "floats",
     .n_in = 2,
     .in = {FLOATS(1, 1, 4, 4), SIGNED(1, 1, 3, 3)},
     .refusal = "float; uint8 or int8 is wanted"},
    {.op = "ConvInteger",
     .what = "zero points too few",
     .n_in = 4,
     .in = {BYTES(1, 1, 4, 4), SIGNED(3, 1, 3, 3), ONE(ENG_UINT8, 0), SIGNED(2)},
     .refusal = "3 elements are wanted"},
    {.op = "ConvInteger",
     .what = "zero points of pixels",
     .n_in = 3,
     .in = {BYTES(1, 2, 4, 4), SIGNED(3, 2, 3, 3), BYTES(2)},
     .refusal = "1 elements are wanted"},
    {.op = "ConvInteger",
     .what = "channels differ",
     .n_in = 2,
     .in = {BYTES(1, 2, 4, 4), SIGNED(3, 3, 3, 3)},
     .refusal = "do not fit"},
    {.op = "QLinearConv",
     .what = "a float bias",
     .n_in = 9,
     .in = {BYTES(1, 1, 4, 4), X_SCALAR, SIGNED(1, 1, 3, 3), W_SCALAR, Y_UINT8, FLOATS(1)},
     .refusal = "float; int32 is wanted"},
    {.op = "QLinearConv",
     .what = "a long bias",
     .n_in = 9,
     .in = {BYTES(1, 1, 4, 4), X_SCALAR, SIGNED(1, 1, 3, 3), W_SCALAR, Y_UINT8, BIASES(2)},
     .refusal = "[2]; [1] is wanted"},
};

int main(void)
{
    return OP_BATTERY("integer_conv", cases);
}
