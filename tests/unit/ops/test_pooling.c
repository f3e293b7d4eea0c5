#include "op_battery.h"
#include "window_reference.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    int n = x->rank - 2;
    bool is_max = strcmp(c->op, "MaxPool") == 0, padding = op_attr_int(c, "count_include_pad", 0);
    bool is_norm = strcmp(c->op, "LpPool") == 0;
    double p = (double)op_attr_int(c, "p", 2);
    struct window_axis axes[3];
    int64_t n_taps = 1, n_pixels = 1;
    for (int d = 0; d < n; d++) {
        int64_t kernel = op_attr_ints(c, "kernel_shape", (size_t)d, x->dim[d + 2]);
        axes[d] = window_axis(c, (size_t)d, (size_t)n, x->dim[d + 2], kernel);
        n_taps *= kernel;
        n_pixels *= x->dim[d + 2];
    }
    for (size_t k = 0; k < op_n_out(c); k++)
        op_values_init(&out[k], window_shape(x, x->dim[1], axes));
    const struct eng_shape *y = &out[0].shape;
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t plane = op_index(y, i, 0) * x->dim[1] + op_index(y, i, 1);
        double best = c->in[0].dtype == ENG_INT8 ? INT8_MIN : -INFINITY, sum = 0, powers = 0;
        int64_t where = -1, count = 0, n_inside = 1;
        for (int d = 0; d < n; d++) { /* taps inside the padded image */
            int64_t inside = 0;
            for (int64_t tap = 0; tap < axes[d].kernel; tap++)
                inside += op_index(y, i, d + 2) * axes[d].stride + tap * axes[d].dilation <
                          axes[d].begin + axes[d].in + axes[d].end;
            n_inside *= inside;
        }
        for (int64_t tap = 0; tap < n_taps; tap++) {
            int64_t pixel, column_major;
            if (!window_pixel(axes, n, y, i, tap, &pixel, &column_major)) continue;
            double value = in[0].v[plane * n_pixels + pixel];
            count++;
            sum += value;
            powers += pow(fabs(value), p);
            if (value <= best) continue;
            best = value;
            where = plane * n_pixels + (op_attr_int(c, "storage_order", 0) ? column_major : pixel);
        }
        out[0].v[i] = is_max    ? best
                      : is_norm ? pow(powers, 1 / p)
                                : sum / (double)(padding ? n_inside : count);
        if (out[1].v) out[1].v[i] = (double)where;
    }
}

#define MAX          .op = "MaxPool", .reference = reference, .n_in = 1
#define AVERAGE      .op = "AveragePool", .reference = reference, .n_in = 1
#define NORM         .op = "LpPool", .reference = reference, .n_in = 1
#define KERNEL(...)  ATTR_INTS("kernel_shape", __VA_ARGS__)
#define STRIDES(...) ATTR_INTS("strides", __VA_ARGS__)
#define PADS(...)    ATTR_INTS("pads", __VA_ARGS__)

static const struct op_case cases[] = {
    {MAX, .what = "2x2 by 2", .attrs = {KERNEL(2, 2), STRIDES(2, 2)}, .in = {FLOATS(3, 2, 6, 8)},
     .gradients = 1, .batched = 1},
    {MAX, .what = "2x2 by 2 on an odd image", .attrs = {KERNEL(2, 2), STRIDES(2, 2)},
     .in = {FLOATS(3, 2, 7, 37)}, .gradients = 1, .batched = 1},
    {MAX, .what = "large enough for threads",
     .attrs = {KERNEL(3, 3), STRIDES(2, 2), PADS(1, 1, 1, 1)}, .in = {FLOATS(2, 30, 56, 56)},
     .batched = 1},
    {MAX, .what = "3x3 by 1, padded", .attrs = {KERNEL(3, 3), PADS(1, 1, 1, 1)},
     .in = {FLOATS(2, 2, 5, 6)}, .gradients = 1, .batched = 1},
    {MAX, .what = "indices", .n_out = 2, .attrs = {KERNEL(2, 3), STRIDES(1, 2), PADS(1, 0, 0, 2)},
     .in = {FLOATS(2, 2, 5, 6)}, .gradients = 1},
    {MAX, .what = "indices, columns first", .n_out = 2,
     .attrs = {KERNEL(2, 2), ATTR_INT("storage_order", 1)}, .in = {FLOATS(2, 2, 5, 6)}},
    {MAX, .what = "indices in three dimensions, columns first", .n_out = 2,
     .attrs = {KERNEL(2, 2, 2), ATTR_INT("storage_order", 1)}, .in = {FLOATS(2, 2, 3, 4, 5)}},
    {MAX, .what = "dilations", .attrs = {KERNEL(2, 2), ATTR_INTS("dilations", 2, 3)},
     .in = {FLOATS(2, 2, 6, 7)}, .gradients = 1},
    {MAX, .what = "ceil_mode", .attrs = {KERNEL(3, 3), STRIDES(2, 2), ATTR_INT("ceil_mode", 1)},
     .in = {FLOATS(1, 2, 6, 8)}, .gradients = 1},
    {MAX, .what = "ceil_mode, a window larger than the image",
     .attrs = {KERNEL(3, 2), STRIDES(2, 2), ATTR_INT("ceil_mode", 1)}, .in = {FLOATS(2, 2, 2, 1)},
     .gradients = 1},
    {MAX, .what = "a window that steps over the image", .n_out = 2,
     .attrs = {KERNEL(4, 1), ATTR_INTS("dilations", 2, 1), PADS(3, 0, 3, 0)},
     .in = {FLOATS(1, 2, 1, 3)}},
    {MAX, .what = "a window that steps over the image, bytes", .n_out = 2,
     .attrs = {KERNEL(4, 1), ATTR_INTS("dilations", 2, 1), PADS(3, 0, 3, 0)},
     .in = {TYPED(ENG_INT8, 1, 2, 1, 3)}},
    {MAX, .what = "ceil_mode whose last window would start outside",
     .attrs = {KERNEL(1, 1), STRIDES(2, 2), ATTR_INT("ceil_mode", 1)}, .in = {FLOATS(1, 1, 4, 6)}},
    {MAX, .what = "SAME_UPPER", .attrs = {KERNEL(2, 2), ATTR_STRING("auto_pad", "SAME_UPPER")},
     .in = {FLOATS(1, 2, 5, 6)}, .gradients = 1},
    {MAX, .what = "SAME_LOWER", .attrs = {KERNEL(2, 2), ATTR_STRING("auto_pad", "SAME_LOWER")},
     .in = {FLOATS(1, 2, 5, 6)}},
    {MAX, .what = "one dimension", .attrs = {KERNEL(3), STRIDES(2)}, .in = {FLOATS(2, 3, 11)},
     .gradients = 1, .batched = 1},
    {MAX, .what = "three dimensions", .attrs = {KERNEL(2, 2, 2)}, .in = {FLOATS(2, 2, 3, 4, 5)},
     .gradients = 1, .batched = 1},
    {MAX, .what = "bytes", .attrs = {KERNEL(2, 2), PADS(1, 1, 0, 0)},
     .in = {TYPED(ENG_UINT8, 1, 2, 5, 6)}, .low = 0, .high = 255},
    {MAX, .what = "bytes and indices", .n_out = 2, .attrs = {KERNEL(2, 2)},
     .in = {TYPED(ENG_UINT8, 1, 2, 5, 6)}, .low = 0, .high = 255},
    {MAX, .what = "signed bytes", .attrs = {KERNEL(2, 2)}, .in = {TYPED(ENG_INT8, 1, 2, 5, 6)},
     .low = -128, .high = 127},
    {AVERAGE, .what = "2x2 by 2", .attrs = {KERNEL(2, 2), STRIDES(2, 2)},
     .in = {FLOATS(3, 2, 6, 8)}, .gradients = 1, .batched = 1},
    {AVERAGE, .what = "padding not counted", .attrs = {KERNEL(3, 3), PADS(1, 2, 0, 1)},
     .in = {FLOATS(2, 2, 5, 6)}, .gradients = 1, .batched = 1},
    {AVERAGE, .what = "padding counted",
     .attrs = {KERNEL(3, 3), PADS(1, 2, 0, 1), ATTR_INT("count_include_pad", 1)},
     .in = {FLOATS(2, 2, 5, 6)}, .gradients = 1},
    {AVERAGE, .what = "ceil_mode, a window larger than the image",
     .attrs = {KERNEL(3, 6), STRIDES(2, 4), PADS(0, 1, 0, 1), ATTR_INT("ceil_mode", 1),
               ATTR_INT("count_include_pad", 1)},
     .in = {FLOATS(2, 2, 2, 2)}, .gradients = 1},
    {AVERAGE, .what = "ceil_mode, padding counted",
     .attrs = {KERNEL(3, 3), STRIDES(2, 2), PADS(1, 1, 1, 1), ATTR_INT("ceil_mode", 1),
               ATTR_INT("count_include_pad", 1)},
     .in = {FLOATS(1, 1, 6, 8)}, .gradients = 1},
    {AVERAGE, .what = "SAME_LOWER, padding counted",
     .attrs = {KERNEL(2, 3), ATTR_STRING("auto_pad", "SAME_LOWER"),
               ATTR_INT("count_include_pad", 1)},
     .in = {FLOATS(1, 2, 5, 6)}},
    {AVERAGE, .what = "one dimension", .attrs = {KERNEL(4)}, .in = {FLOATS(2, 3, 9)},
     .gradients = 1},
    {AVERAGE, .what = "three dimensions", .attrs = {KERNEL(2, 1, 3)}, .in = {FLOATS(1, 2, 3, 4, 5)},
     .gradients = 1},
    {AVERAGE, .what = "dilations", .opset = ENG_OPSET_MAX,
     .attrs = {KERNEL(2, 3), ATTR_INTS("dilations", 3, 2), PADS(1, 1, 2, 1),
               ATTR_INT("count_include_pad", 1)},
     .in = {FLOATS(1, 2, 7, 8)}, .gradients = 1},
    {AVERAGE, .what = "doubles", .attrs = {KERNEL(2, 2), STRIDES(2, 2)},
     .in = {TYPED(ENG_FLOAT64, 2, 2, 6, 8)}},
    {MAX, .what = "doubles", .attrs = {KERNEL(2, 2), STRIDES(2, 2)},
     .in = {TYPED(ENG_FLOAT64, 2, 2, 6, 8)}},
    {NORM, .what = "2x2 by 2", .attrs = {KERNEL(2, 2), STRIDES(2, 2)}, .in = {FLOATS(3, 2, 6, 8)},
     .gradients = 1, .batched = 1},
    {NORM, .what = "sum of sizes, padded",
     .attrs = {KERNEL(3, 2), PADS(1, 0, 1, 1), ATTR_INT("p", 1)}, .in = {FLOATS(2, 2, 5, 6)},
     .gradients = 1},
    {NORM, .what = "p = 3, dilations, ceil_mode", .opset = 18,
     .attrs = {KERNEL(3, 2), STRIDES(2, 3), ATTR_INTS("dilations", 1, 3), ATTR_INT("p", 3),
               ATTR_INT("ceil_mode", 1)},
     .in = {FLOATS(2, 2, 6, 9)}, .gradients = 1},
    {NORM, .what = "SAME_UPPER", .attrs = {KERNEL(2, 2), ATTR_STRING("auto_pad", "SAME_UPPER")},
     .in = {FLOATS(1, 2, 5, 6)}},
    {NORM, .what = "one dimension of doubles", .attrs = {KERNEL(3), ATTR_INT("p", 5)},
     .in = {TYPED(ENG_FLOAT64, 2, 3, 9)}},
    {.op = "MaxPool",
     .what = "no kernel_shape",
     .n_in = 1,
     .in = {FLOATS(1, 1, 4, 4)},
     .refusal = "'kernel_shape' is missing"},
    {.op = "MaxPool",
     .what = "kernel of another rank",
     .n_in = 1,
     .attrs = {KERNEL(2)},
     .in = {FLOATS(1, 1, 4, 4)},
     .refusal = "'kernel_shape' has 1 numbers; 2 are wanted"},
    {.op = "MaxPool",
     .what = "kernel too large",
     .n_in = 1,
     .attrs = {KERNEL(5, 2)},
     .in = {FLOATS(1, 1, 4, 4)},
     .refusal = "covers 5 pixels, but the padded input has 4"},
    {.op = "MaxPool",
     .what = "padding as wide as the window",
     .n_in = 1,
     .attrs = {KERNEL(2, 2), PADS(2, 0, 0, 0)},
     .in = {FLOATS(1, 1, 4, 4)},
     .refusal = "padding 2 is not smaller"},
    {.op = "MaxPool",
     .what = "storage_order 2",
     .n_in = 1,
     .attrs = {KERNEL(2, 2), ATTR_INT("storage_order", 2)},
     .in = {FLOATS(1, 1, 4, 4)},
     .refusal = "storage_order"},
    {.op = "MaxPool",
     .what = "int32",
     .n_in = 1,
     .attrs = {KERNEL(2, 2)},
     .in = {TYPED(ENG_INT32, 1, 1, 4, 4)},
     .refusal = "int32"},
    {.op = "AveragePool",
     .what = "a matrix",
     .n_in = 1,
     .attrs = {KERNEL(2)},
     .in = {FLOATS(4, 4)},
     .refusal = "[N, C] and 1 to 3 more"},
    {.op = "AveragePool",
     .what = "bytes",
     .n_in = 1,
     .attrs = {KERNEL(2)},
     .in = {TYPED(ENG_UINT8, 1, 1, 4)},
     .refusal = "uint8; float is wanted"},
    {.op = "AveragePool",
     .what = "dilations of opset 19 in a file of opset 18",
     .opset = 18,
     .n_in = 1,
     .attrs = {KERNEL(2), ATTR_INTS("dilations", 2)},
     .in = {FLOATS(1, 1, 4)},
     .refusal = "'dilations' is there from opset 19 on; the file uses opset 18"},
    {.op = "LpPool",
     .what = "p below 1",
     .n_in = 1,
     .attrs = {KERNEL(2), ATTR_INT("p", 0)},
     .in = {FLOATS(1, 1, 4)},
     .refusal = "p is 0"},
    {.op = "LpPool",
     .what = "ceil_mode of opset 18 in a file of opset 17",
     .n_in = 1,
     .attrs = {KERNEL(2), ATTR_INT("ceil_mode", 1)},
     .in = {FLOATS(1, 1, 4)},
     .refusal = "'ceil_mode' is there from opset 18 on"},
};

int main(void)
{
    return OP_BATTERY("pooling", cases);
}
