#include "kernels/reduce.h"
#include "op_battery.h"

static bool is_reduced(const struct op_case *c, const struct op_values *in, int d)
{
    int rank = in[0].shape.rank;
    const struct eng_attr *attr = op_attr(c, "axes");
    size_t n = attr ? attr->n : c->n_in > 1 ? in[1].n : 0;
    for (size_t i = 0; i < n; i++) {
        int64_t axis = attr ? attr->ints[i] : (int64_t)in[1].v[i];
        if (axis == d || axis + rank == d) return true;
    }
    return n == 0 && !op_attr_int(c, "noop_with_empty_axes", 0);
}

/* The terms of one output, one after the other. */
static double reduce(const char *op, const double *terms, size_t n)
{
    double sum = 0, product = 1, l1 = 0, squares = 0, exponentials = 0;
    double max = -INFINITY, min = INFINITY;
    for (size_t i = 0; i < n; i++) {
        sum += terms[i];
        product *= terms[i];
        l1 += fabs(terms[i]);
        squares += terms[i] * terms[i];
        max = isnan(max) || terms[i] < max ? max : terms[i];
        min = isnan(min) || terms[i] > min ? min : terms[i];
    }
    for (size_t i = 0; i < n; i++)
        exponentials += exp(terms[i] - max);
    const struct {
        const char *op;
        double value;
    } results[] = {
        {"ReduceSum", sum},
        {"ReduceMean", sum / (double)n},
        {"ReduceProd", product},
        {"ReduceL1", l1},
        {"ReduceL2", sqrt(squares)},
        {"ReduceSumSquare", squares},
        {"ReduceLogSum", log(sum)},
        {"ReduceLogSumExp", isinf(max) ? max : max + log(exponentials)},
        {"ReduceMax", max},
        {"ReduceMin", min},
    };
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        if (strcmp(results[i].op, op) == 0) return results[i].value;
    fail_msg("no reference for %s", op);
    return 0;
}

static bool is_integer(const struct op_case *c)
{
    return c->in[0].dtype != ENG_FLOAT32 && c->in[0].dtype != ENG_FLOAT64;
}

/* The output that element i of x belongs to; kept is x's shape with 1 for the axes run over. */
static size_t output_of(const struct eng_shape *x, const struct eng_shape *kept, size_t i)
{
    size_t o = 0;
    for (int d = 0; d < x->rank; d++)
        o = o * (size_t)kept->dim[d] + (size_t)(kept->dim[d] == 1 ? 0 : op_index(x, i, d));
    return o;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool keepdims = op_attr_int(c, "keepdims", 1);
    struct eng_shape kept = in[0].shape, y = {.rank = 0};
    for (int d = 0; d < kept.rank; d++) {
        bool reduced = is_reduced(c, in, d);
        if (reduced) kept.dim[d] = 1;
        if (!reduced || keepdims) y.dim[y.rank++] = kept.dim[d];
    }
    op_values_init(&out[0], y);
    size_t n_terms = out[0].n > 0 ? in[0].n / out[0].n : 0;
    double *terms = calloc(in[0].n + 1, sizeof *terms);
    size_t *n = calloc(out[0].n + 1, sizeof *n);
    for (size_t i = 0; i < in[0].n; i++) {
        size_t o = output_of(&in[0].shape, &kept, i);
        terms[o * n_terms + n[o]++] = in[0].v[i];
    }
    for (size_t o = 0; o < out[0].n; o++) {
        double value = reduce(c->op, terms + o * n_terms, n_terms);
        out[0].v[o] = is_integer(c) ? trunc(value) : value;
    }
    free(terms);
    free(n);
}

static const double axes_2_3[] = {2, 3}, axes_1[] = {1}, axes_minus_1[] = {-1}, axes_0[] = {0};
static const double some_zeros[] = {0, 2, 3, 0, 5, 0, -1, 2, 4, 0.5, 1, 3};
static const double nan_rows[] = {1, NAN, 3, 4, 5, 6};
static const double infinite[] = {-INFINITY, -INFINITY, 1, INFINITY, 1000, 1001};
static const double ints[] = {7, -3, 12, -128, 127, 100, 3, 3, 3};
static const double naturals[] = {7, 3, 12, 200, 255, 100, 3, 3, 3};
static const double flags[] = {0, 1, 0, 0, 1, 1};

#define AXES(VALUES)                                                                     \
    {                                                                                    \
        .dtype = ENG_INT64, .shape = SHAPE((int64_t)(sizeof VALUES / sizeof VALUES[0])), \
        .values = VALUES, .constant = true                                               \
    }
#define NO_AXES                                                 \
    {                                                           \
        .dtype = ENG_INT64, .shape = SHAPE(0), .constant = true \
    }
#define VALUES(TYPE, LIST, ...)                                    \
    {                                                              \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__), .values = LIST \
    }
#define GOOD(NAME) .op = NAME, .opset = 11, .reference = reference, .n_in = 1

/* Every layout of kept and reduced axes, the lines longer and shorter than tiles and vectors. */
#define LAYOUTS(NAME)                                                                              \
    {GOOD(NAME),     .what = "all axes", .in = {FLOATS(2, 3, 4)},                                  \
     .gradients = 1, .low = 0.2,         .high = 1.5},                                             \
        {GOOD(NAME),                                                                               \
         .what = "trailing axes",                                                                  \
         .attrs = {ATTR_INTS("axes", 2, 3)},                                                       \
         .in = {FLOATS(2, 3, 5, 9)},                                                               \
         .gradients = 1,                                                                           \
         .batched = 1,                                                                             \
         .low = 0.5,                                                                               \
         .high = 1.5},                                                                             \
        {GOOD(NAME),                                                                               \
         .what = "axis 1",                                                                         \
         .attrs = {ATTR_INTS("axes", 1), ATTR_INT("keepdims", 0)},                                 \
         .in = {FLOATS(2, 3, 7, 19)},                                                              \
         .gradients = 1,                                                                           \
         .batched = 1,                                                                             \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {GOOD(NAME),                                                                               \
         .what = "axes 0 and -2",                                                                  \
         .attrs = {ATTR_INTS("axes", -2, 0)},                                                      \
         .in = {FLOATS(2, 3, 4, 5)},                                                               \
         .gradients = 1,                                                                           \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {GOOD(NAME),                                                                               \
         .what = "every other of six",                                                             \
         .attrs = {ATTR_INTS("axes", 1, 3, 5)},                                                    \
         .in = {FLOATS(2, 3, 2, 2, 3, 2)},                                                         \
         .gradients = 1,                                                                           \
         .batched = 1,                                                                             \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {GOOD(NAME),                                                                               \
         .what = "doubles",                                                                        \
         .attrs = {ATTR_INTS("axes", 1)},                                                          \
         .in = {{.dtype = ENG_FLOAT64, .shape = SHAPE(3, 5, 2)}},                                  \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {GOOD(NAME), .what = "whole numbers", .attrs = {ATTR_INTS("axes", 1)},                     \
         .in = {VALUES(ENG_INT32, naturals, 3, 3)}},                                               \
        {GOOD(NAME), .what = "a scalar", .in = {VALUES(ENG_FLOAT32, some_zeros + 1, 1)},           \
         .gradients = 1},                                                                          \
        {GOOD(NAME), .what = "nothing", .attrs = {ATTR_INTS("axes", 1)}, .in = {FLOATS(3, 0, 2)}}, \
        {GOOD(NAME), .what = "no outputs", .attrs = {ATTR_INTS("axes", 1)},                        \
         .in = {FLOATS(0, 3, 2)}},                                                                 \
        {GOOD(NAME), .what = "NaN", .attrs = {ATTR_INTS("axes", 1)},                               \
         .in = {VALUES(ENG_FLOAT32, nan_rows, 2, 3)}},                                             \
        {.op = NAME,                                                                               \
         .reference = reference,                                                                   \
         .what = "axes as input",                                                                  \
         .opset = 18,                                                                              \
         .in = {FLOATS(2, 3, 4, 5), AXES(axes_2_3)},                                               \
         .n_in = 2,                                                                                \
         .gradients = 1,                                                                           \
         .batched = 1,                                                                             \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {.op = NAME,                                                                               \
         .reference = reference,                                                                   \
         .what = "empty axes",                                                                     \
         .opset = 18,                                                                              \
         .in = {FLOATS(2, 3), NO_AXES},                                                            \
         .n_in = 2,                                                                                \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {.op = NAME,                                                                               \
         .reference = reference,                                                                   \
         .what = "each element alone",                                                             \
         .opset = 18,                                                                              \
         .attrs = {ATTR_INT("noop_with_empty_axes", 1)},                                           \
         .in = {FLOATS(2, 3)},                                                                     \
         .n_in = 1,                                                                                \
         .gradients = 1,                                                                           \
         .batched = 1,                                                                             \
         .low = 0.2,                                                                               \
         .high = 1.5},                                                                             \
        {.op = NAME,                                                                               \
         .what = "an axis too far",                                                                \
         .opset = 11,                                                                              \
         .attrs = {ATTR_INTS("axes", 3)},                                                          \
         .in = {FLOATS(2, 3)},                                                                     \
         .n_in = 1,                                                                                \
         .refusal = "axis 3 lies outside a tensor of rank 2"},                                     \
        {.op = NAME,                                                                               \
         .what = "axes as attribute",                                                              \
         .opset = 18,                                                                              \
         .attrs = {ATTR_INTS("axes", 1)},                                                          \
         .in = {FLOATS(2, 3)},                                                                     \
         .n_in = 1,                                                                                \
         .refusal = "in opset 18 they are input 1"},                                               \
        {.op = NAME,                                                                               \
         .what = "axes too early as input",                                                        \
         .opset = 12,                                                                              \
         .in = {FLOATS(2, 3), AXES(axes_1)},                                                       \
         .n_in = 2,                                                                                \
         .refusal = "has 2 inputs; in opset 12 the axes are an attribute"},                        \
    {                                                                                              \
        .op = NAME, .what = "unknown axes", .opset = 18, .in = {FLOATS(2, 3), FLOATS(1)},          \
        .n_in = 2, .refusal = "input 1 has element type float; int64 is wanted"                    \
    }

static const struct op_case cases[] = {
    LAYOUTS("ReduceSum"),
    LAYOUTS("ReduceMean"),
    LAYOUTS("ReduceProd"),
    LAYOUTS("ReduceL1"),
    LAYOUTS("ReduceL2"),
    LAYOUTS("ReduceSumSquare"),
    LAYOUTS("ReduceLogSum"),
    LAYOUTS("ReduceLogSumExp"),
    LAYOUTS("ReduceMax"),
    LAYOUTS("ReduceMin"),
    {.op = "ReduceSum",
     .reference = reference,
     .what = "axes since 13",
     .opset = 13,
     .in = {FLOATS(2, 3, 4), AXES(axes_minus_1)},
     .n_in = 2,
     .gradients = 1,
     .batched = 1},
    {GOOD("ReduceMean"), .what = "long lines", .attrs = {ATTR_INTS("axes", 2)},
     .in = {FLOATS(2, 3, 9001)}, .low = 90, .high = 110, .batched = 1},
    {GOOD("ReduceMean"), .what = "many outputs for threads", .attrs = {ATTR_INTS("axes", 1)},
     .in = {FLOATS(3, 7, 1003)}, .batched = 1},
    {GOOD("ReduceMax"), .what = "long lines", .attrs = {ATTR_INTS("axes", -1)},
     .in = {FLOATS(3, 67)}, .gradients = 1, .batched = 1},
    {GOOD("ReduceMin"), .what = "long lines", .attrs = {ATTR_INTS("axes", -1)},
     .in = {FLOATS(3, 67)}, .gradients = 1, .batched = 1},
    {GOOD("ReduceProd"), .what = "with zeros", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_FLOAT32, some_zeros, 4, 3)}, .gradients = 1},
    {GOOD("ReduceLogSumExp"), .what = "large and infinite", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_FLOAT32, infinite, 3, 2)}},
    {GOOD("ReduceSum"), .what = "int8", .attrs = {ATTR_INTS("axes", 0)}, .low = -9, .high = 9,
     .in = {{.dtype = ENG_INT8, .shape = SHAPE(5, 3)}}},
    {GOOD("ReduceL1"), .what = "int64", .in = {VALUES(ENG_INT64, ints, 9)}},
    {GOOD("ReduceL2"), .what = "int64", .in = {VALUES(ENG_INT64, ints, 9)}},
    {GOOD("ReduceMean"), .what = "negative int64", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_INT64, ints, 3, 3)}},
    {GOOD("ReduceMax"), .what = "int8", .attrs = {ATTR_INTS("axes", 0)},
     .in = {VALUES(ENG_INT8, ints, 3, 3)}},
    {GOOD("ReduceMin"), .what = "int8", .attrs = {ATTR_INTS("axes", 0)},
     .in = {VALUES(ENG_INT8, ints, 3, 3)}},
    {GOOD("ReduceMax"), .what = "uint8", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_UINT8, naturals, 3, 3)}},
    {GOOD("ReduceMax"), .what = "bool", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_BOOL, flags, 3, 2)}},
    {GOOD("ReduceMin"), .what = "bool", .attrs = {ATTR_INTS("axes", 1)},
     .in = {VALUES(ENG_BOOL, flags, 3, 2)}},
    {.op = "ReduceSum",
     .what = "bool",
     .in = {VALUES(ENG_BOOL, flags, 3, 2)},
     .n_in = 1,
     .refusal = "element type bool; a number is wanted"},
    {.op = "ReduceSum",
     .what = "an axis twice",
     .attrs = {ATTR_INTS("axes", 1, -1)},
     .opset = 11,
     .in = {FLOATS(2, 3)},
     .n_in = 1,
     .refusal = "axis 1 is named twice"},
    {.op = "ReduceSum",
     .what = "axes at run time",
     .in = {FLOATS(2, 3), {.dtype = ENG_INT64, .shape = SHAPE(1), .values = axes_0}},
     .n_in = 2,
     .refusal = "input 1 (axes)"},
};

/* Integers are summed exactly and wrap around, where doubles would round. */
static void int64_is_exact(void **state)
{
    (void)state;
    int64_t x[3] = {INT64_MAX, INT64_MAX - 6, 5}, y[3];
    struct eng_tensor in = {.dtype = ENG_INT64, .shape = SHAPE(3), .data = x};
    struct eng_axes axes;
    eng_axes_plan(&in.shape, 1, &axes);
    eng_reduce_forward(&axes, ENG_REDUCE_SUM, ENG_INT64, x, &y[0], NULL);
    eng_reduce_forward(&axes, ENG_REDUCE_MIN, ENG_INT64, x, &y[1], NULL);
    x[0] = -3;
    x[1] = INT64_C(1) << 60 | 1;
    x[2] = 1;
    eng_reduce_forward(&axes, ENG_REDUCE_PROD, ENG_INT64, x, &y[2], NULL);
    assert_true(y[0] == -3 && y[1] == 5);
    assert_true(y[2] == -3 * (INT64_C(1) << 60 | 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(int64_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL) + OP_BATTERY("reduce", cases);
}
