#include "op_battery.h"
#include "quantised_case.h"

static double least(enum eng_dtype dtype)
{
    return dtype == ENG_INT8 ? -128 : dtype == ENG_INT16 ? -32768 : 0;
}

static double most(enum eng_dtype dtype)
{
    double n = dtype == ENG_INT8 || dtype == ENG_UINT8 ? 255 : 65535;
    return least(dtype) + n;
}

static double saturated(double x, enum eng_dtype dtype)
{
    return fmin(fmax(x, least(dtype)), most(dtype));
}

/* The index of the parameters of element i. */
static size_t parameter(const struct op_case *c, const struct op_values *in, size_t i)
{
    const struct eng_shape *x = &in[0].shape;
    int64_t axis = op_attr_int(c, "axis", 1), block = op_attr_int(c, "block_size", 0);
    if (axis < 0) axis += x->rank;
    if (block == 0) return in[1].n == 1 ? 0 : (size_t)op_index(x, i, (int)axis);
    size_t at = 0;
    for (int d = 0; d < x->rank; d++) {
        int64_t index = op_index(x, i, d);
        at = at * (size_t)in[1].shape.dim[d] + (size_t)(d == axis ? index / block : index);
    }
    return at;
}

static void quantize(const struct op_case *c, const struct op_values *in, bool training,
                     struct op_values *out)
{
    (void)training;
    enum eng_dtype dtype = (enum eng_dtype)op_attr_int(c, "output_dtype", ENG_UINT8);
    if (c->n_in > 2) dtype = c->in[2].dtype;
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < out[0].n; i++) {
        size_t at = parameter(c, in, i);
        double ratio = in[0].v[i] / in[1].v[at];
        if (c->in[0].dtype == ENG_FLOAT32) ratio = (double)(float)ratio;
        out[0].v[i] = saturated(rint(ratio) + (c->n_in > 2 ? in[2].v[at] : 0), dtype);
    }
}

static void dequantize(const struct op_case *c, const struct op_values *in, bool training,
                       struct op_values *out)
{
    (void)training;
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < out[0].n; i++) {
        size_t at = parameter(c, in, i);
        out[0].v[i] = (in[0].v[i] - (c->n_in > 2 ? in[2].v[at] : 0)) * in[1].v[at];
    }
}

static void dynamic(const struct op_case *c, const struct op_values *in, bool training,
                    struct op_values *out)
{
    (void)c;
    (void)training;
    double low = 0, high = 0;
    for (size_t i = 0; i < in[0].n; i++) {
        low = fmin(low, in[0].v[i]);
        high = fmax(high, in[0].v[i]);
    }
    op_values_init(&out[0], in[0].shape);
    op_values_init(&out[1], (struct eng_shape){.rank = 0});
    op_values_init(&out[2], (struct eng_shape){.rank = 0});
    float scale = high > low ? (float)(high - low) / 255 : 1;
    double zero = rint(fmin(fmax(-low / (double)scale, 0), 255));
    out[1].v[0] = (double)scale;
    out[2].v[0] = zero;
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = saturated(rint((double)((float)in[0].v[i] / scale)) + zero, ENG_UINT8);
}

#define LIST(TYPE, ...)                                                                    \
    {                                                                                      \
        .dtype = TYPE, .shape = {.rank = 1, .dim = {sizeof((double[]){__VA_ARGS__}) / 8}}, \
        .values = (const double[])                                                         \
        {                                                                                  \
            __VA_ARGS__                                                                    \
        }                                                                                  \
    }
#define FACTORS(...)                                                               \
    {                                                                             \
        .dtype = ENG_FLOAT32, .shape = SHAPE(__VA_ARGS__), .low = 0.25, .high = 2 \
    }
#define ZEROS(TYPE, ...)                                                  \
    {                                                                     \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__), .low = 1, .high = 100 \
    }
#define QUANTIZE   .op = "QuantizeLinear", .reference = quantize
#define DEQUANTIZE .op = "DequantizeLinear", .reference = dequantize
#define DYNAMIC    .op = "DynamicQuantizeLinear", .reference = dynamic, .n_in = 1, .n_out = 3

/* Halves go to the even neighbour; what is too large, infinite or no number stays in range. */
#define HALVES LIST(ENG_FLOAT32, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 253.5, 254.5, 255.5, 1e30, -1e30)

static const struct op_case cases[] = {
    {QUANTIZE, .what = "halves to uint8", .n_in = 3,
     .in = {HALVES, ONE(ENG_FLOAT32, 1), ONE(ENG_UINT8, 0)}},
    {QUANTIZE, .what = "halves to int8 with an odd zero point", .n_in = 3,
     .in = {HALVES, ONE(ENG_FLOAT32, 1), ONE(ENG_INT8, -127)}},
    {QUANTIZE, .what = "no zero point", .n_in = 2,
     .in = {FLOATS(2, 3, 5000), ONE(ENG_FLOAT32, 0.07)}, .low = -2, .high = 30, .batched = 1},
    {QUANTIZE, .what = "opset 10", .opset = 10, .n_in = 3,
     .in = {FLOATS(2, 3), LIST(ENG_FLOAT32, 0.01), LIST(ENG_INT8, 3)}, .batched = 1},
    {QUANTIZE, .what = "large enough for threads", .n_in = 3,
     .in = {FLOATS(2, 3, 50000), ONE(ENG_FLOAT32, 0.01), ONE(ENG_UINT8, 128)}, .batched = 1},
    {QUANTIZE, .what = "per channel", .n_in = 3,
     .in = {FLOATS(2, 3, 4, 5), FACTORS(3), ZEROS(ENG_UINT8, 3)}, .low = -50, .high = 300,
     .batched = 1},
    {QUANTIZE, .what = "per last channel", .n_in = 3, .attrs = {ATTR_INT("axis", -1)},
     .in = {FLOATS(2, 4, 3), FACTORS(3), ZEROS(ENG_INT8, 3)}, .low = -50, .high = 300, .batched = 1},
    {QUANTIZE, .what = "per channel without zero points", .n_in = 2, .attrs = {ATTR_INT("axis", 0)},
     .in = {FLOATS(3, 4), FACTORS(3)}, .low = 0, .high = 300},
    {QUANTIZE, .what = "int32", .n_in = 3,
     .in = {TYPED(ENG_INT32, 50), ONE(ENG_FLOAT32, 2), ONE(ENG_UINT8, 10)}, .low = -99,
     .high = 700},
    {QUANTIZE, .what = "16 bits", .opset = 21, .n_in = 3,
     .in = {FLOATS(2, 50), ONE(ENG_FLOAT32, 0.5), ONE(ENG_UINT16, 30000)}, .low = -20000,
     .high = 20000, .batched = 1},
    {QUANTIZE, .what = "16 bits with sign, said by the attribute", .opset = 21, .n_in = 2,
     .attrs = {ATTR_INT("output_dtype", ENG_INT16)}, .in = {FLOATS(2, 50), ONE(ENG_FLOAT32, 0.5)},
     .low = -20000, .high = 20000},
    {QUANTIZE, .what = "blocks", .opset = 21, .n_in = 3,
     .attrs = {ATTR_INT("axis", 1), ATTR_INT("block_size", 2)},
     .in = {FLOATS(2, 5, 3), FACTORS(2, 3, 3), ZEROS(ENG_UINT8, 2, 3, 3)}, .low = -50, .high = 300},
    {QUANTIZE, .what = "nothing", .n_in = 2, .in = {FLOATS(0, 3), ONE(ENG_FLOAT32, 1)}},
    {DEQUANTIZE, .what = "uint8", .n_in = 3,
     .in = {TYPED(ENG_UINT8, 2, 5000), ONE(ENG_FLOAT32, 0.5), ONE(ENG_UINT8, 128)}, .high = 255,
     .batched = 1},
    {DEQUANTIZE, .what = "int8 per channel", .n_in = 3, .attrs = {ATTR_INT("axis", 0)},
     .in = {TYPED(ENG_INT8, 3, 2, 4), FACTORS(3), ZEROS(ENG_INT8, 3)}, .low = -128, .high = 127},
    {DEQUANTIZE, .what = "int8 per last channel", .n_in = 3, .attrs = {ATTR_INT("axis", 2)},
     .in = {TYPED(ENG_INT8, 3, 2, 4), FACTORS(4), ZEROS(ENG_INT8, 4)}, .low = -128, .high = 127},
    {DEQUANTIZE, .what = "int32 without zero point", .n_in = 2,
     .in = {TYPED(ENG_INT32, 2, 5), ONE(ENG_FLOAT32, 0.25)}, .low = -9999, .high = 9999},
    {DEQUANTIZE, .what = "int32 with zero point 0", .n_in = 3,
     .in = {TYPED(ENG_INT32, 2, 5), LIST(ENG_FLOAT32, 0.25), LIST(ENG_INT32, 0)}, .low = -9999,
     .high = 9999},
    {DEQUANTIZE, .what = "16 bits", .opset = 21, .n_in = 3,
     .in = {TYPED(ENG_INT16, 2, 5), ONE(ENG_FLOAT32, 0.25), ONE(ENG_INT16, -7)}, .low = -9999,
     .high = 9999},
    {DEQUANTIZE, .what = "uint16", .opset = 21, .n_in = 2,
     .in = {TYPED(ENG_UINT16, 2, 5), ONE(ENG_FLOAT32, 0.25)}, .high = 65535},
    {DEQUANTIZE, .what = "blocks", .opset = 21, .n_in = 3,
     .attrs = {ATTR_INT("axis", -1), ATTR_INT("block_size", 4)},
     .in = {TYPED(ENG_UINT8, 2, 6), FACTORS(2, 2), ZEROS(ENG_UINT8, 2, 2)}, .high = 255},
    {DYNAMIC, .what = "both signs", .in = {FLOATS(3, 50)}},
    {DYNAMIC, .what = "positive", .in = {FLOATS(3, 50)}, .low = 1, .high = 5},
    {DYNAMIC, .what = "negative", .in = {FLOATS(3, 50)}, .low = -5, .high = -2},
    {DYNAMIC, .what = "zeros", .in = {LIST(ENG_FLOAT32, 0, 0, 0)}},
    {.op = "QuantizeLinear",
     .what = "doubles",
     .n_in = 2,
     .in = {TYPED(ENG_FLOAT64, 2), ONE(ENG_FLOAT32, 1)},
     .refusal = "double; float is wanted"},
    {.op = "QuantizeLinear",
     .what = "to int32",
     .n_in = 3,
     .in = {FLOATS(2), ONE(ENG_FLOAT32, 1), ONE(ENG_INT32, 0)},
     .refusal = "quantises to int32"},
    {.op = "QuantizeLinear",
     .what = "16 bits in opset 19",
     .opset = 19,
     .n_in = 3,
     .in = {FLOATS(2), ONE(ENG_FLOAT32, 1), ONE(ENG_UINT16, 0)},
     .refusal = "'uint16' is there from opset 21 on"},
    {.op = "QuantizeLinear",
     .what = "int4",
     .opset = 21,
     .n_in = 2,
     .attrs = {ATTR_INT("output_dtype", 22)},
     .in = {FLOATS(2), ONE(ENG_FLOAT32, 1)},
     .refusal = "output_dtype is int4"},
    {.op = "QuantizeLinear",
     .what = "float8",
     .opset = 21,
     .n_in = 2,
     .attrs = {ATTR_INT("output_dtype", 17)},
     .in = {FLOATS(2), ONE(ENG_FLOAT32, 1)},
     .refusal = "output_dtype is float8e4m3fn"},
    {.op = "QuantizeLinear",
     .what = "two types",
     .opset = 21,
     .n_in = 3,
     .attrs = {ATTR_INT("output_dtype", ENG_INT8)},
     .in = {FLOATS(2), ONE(ENG_FLOAT32, 1), ONE(ENG_UINT8, 0)},
     .refusal = "output_dtype is int8, but the zero point is uint8"},
    {.op = "QuantizeLinear",
     .what = "a scale too many",
     .n_in = 2,
     .in = {FLOATS(2, 3), FACTORS(4)},
     .refusal = "[4]; [3] is wanted"},
    {.op = "QuantizeLinear",
     .what = "an axis outside",
     .n_in = 2,
     .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(2, 3), FACTORS(4)},
     .refusal = "axis 2"},
    {.op = "QuantizeLinear",
     .what = "scales per axis in opset 10",
     .opset = 10,
     .n_in = 2,
     .in = {FLOATS(2, 3), FACTORS(3)},
     .refusal = "from opset 13 on"},
    {.op = "DequantizeLinear",
     .what = "int64",
     .n_in = 2,
     .in = {TYPED(ENG_INT64, 2), ONE(ENG_FLOAT32, 1)},
     .refusal = "int64"},
    {.op = "DequantizeLinear",
     .what = "another zero point",
     .n_in = 3,
     .in = {TYPED(ENG_INT8, 2), ONE(ENG_FLOAT32, 1), ONE(ENG_UINT8, 1)},
     .refusal = "uint8; int8 is wanted"},
    {.op = "DequantizeLinear",
     .what = "fewer zero points",
     .n_in = 3,
     .attrs = {ATTR_INT("axis", 0)},
     .in = {TYPED(ENG_INT8, 2), FACTORS(2), ONE(ENG_INT8, 1)},
     .refusal = "2 elements are wanted"},
    {.op = "DequantizeLinear",
     .what = "other blocks",
     .opset = 21,
     .n_in = 2,
     .attrs = {ATTR_INT("block_size", 2)},
     .in = {TYPED(ENG_INT8, 2, 5), FACTORS(2, 2)},
     .refusal = "[2, 2]; [2, 3] is wanted"},
};

/* What is no number becomes the least integer; infinities saturate. */
static void test_no_numbers(void **state)
{
    (void)state;
    static const double x[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct op_case c = {QUANTIZE, .what = "no numbers", .n_in = 3,
                        .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(3), .values = x},
                               ONE(ENG_FLOAT32, 1),
                               ONE(ENG_INT8, 5)}};
    struct op_run run;
    op_run_init(&run, &c, false);
    run.op->forward(&run.call);
    assert_true(op_read(&run.out[0], 0) == -128);
    assert_true(op_read(&run.out[0], 1) == 127);
    assert_true(op_read(&run.out[0], 2) == -128);
    op_run_fini(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_numbers)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return OP_BATTERY("quantize_linear", cases) || failed;
}
