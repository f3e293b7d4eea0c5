#include "op_battery.h"

/* Y = alpha A' B' + beta C. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    int64_t ta = op_attr_int(c, "transA", 0), tb = op_attr_int(c, "transB", 0);
    double alpha = op_attr_float(c, "alpha", 1), beta = op_attr_float(c, "beta", 1);
    int64_t m = in[0].shape.dim[ta], k = in[0].shape.dim[1 - ta], n = in[1].shape.dim[1 - tb];
    op_values_init(&out[0], (struct eng_shape){.rank = 2, .dim = {m, n}});
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t x = 0; x < k; x++)
                sum += in[0].v[ta ? x * m + i : i * k + x] * in[1].v[tb ? j * k + x : x * n + j];
            size_t at = (size_t)(i * n + j);
            out[0].v[at] = alpha * sum;
            if (in[2].v) out[0].v[at] += beta * op_broadcast(&in[2], &out[0].shape, at);
        }
}

#define GOOD .op = "Gemm", .reference = reference

static const struct op_case cases[] = {
    {GOOD, .what = "no C", .in = {FLOATS(3, 5), FLOATS(5, 4)}, .n_in = 2, .gradients = 3,
     .batched = 1},
    {GOOD, .what = "a dense layer", .attrs = {ATTR_INT("transB", 1)},
     .in = {FLOATS(5, 37), FLOATS(11, 37), FLOATS(11)}, .n_in = 3, .gradients = 7, .batched = 1},
    {GOOD, .what = "a wide dense layer", .attrs = {ATTR_INT("transB", 1)},
     .in = {FLOATS(70, 300), FLOATS(33, 300), FLOATS(33)}, .n_in = 3, .batched = 1},
    {GOOD, .what = "a deep product", .in = {FLOATS(67, 300), FLOATS(300, 103), FLOATS(1, 103)},
     .n_in = 3, .batched = 1},
    {GOOD, .what = "large enough for threads", .in = {FLOATS(130, 100), FLOATS(100, 150)},
     .n_in = 2},
    {GOOD, .what = "all attributes",
     .attrs = {ATTR_FLOAT("alpha", 0.25f), ATTR_FLOAT("beta", 0.35f), ATTR_INT("transA", 1),
               ATTR_INT("transB", 1)},
     .in = {FLOATS(4, 3), FLOATS(5, 4), FLOATS(1, 5)}, .n_in = 3, .gradients = 7},
    {GOOD, .what = "A transposed", .attrs = {ATTR_INT("transA", 1), ATTR_FLOAT("alpha", 2)},
     .in = {FLOATS(4, 3), FLOATS(4, 5), FLOATS(3, 1)}, .n_in = 3, .gradients = 7},
    {GOOD, .what = "both transposed, C a row",
     .attrs = {ATTR_INT("transA", 1), ATTR_INT("transB", 1)},
     .in = {FLOATS(4, 3), FLOATS(5, 4), FLOATS(5)}, .n_in = 3, .gradients = 7},
    {GOOD, .what = "C a scalar", .in = {FLOATS(2, 3), FLOATS(3, 4), {.dtype = ENG_FLOAT32}},
     .n_in = 3, .gradients = 7, .batched = 1},
    {GOOD, .what = "C a full matrix", .in = {FLOATS(2, 3), FLOATS(3, 4), FLOATS(2, 4)}, .n_in = 3,
     .gradients = 7},
    {GOOD, .what = "one column", .in = {FLOATS(3, 2), FLOATS(2, 1), FLOATS(1)}, .n_in = 3,
     .gradients = 7, .batched = 1},
    {GOOD, .what = "no rows", .in = {FLOATS(0, 3), FLOATS(3, 4)}, .n_in = 2},
    {GOOD, .what = "nothing to sum", .in = {FLOATS(2, 0), FLOATS(0, 3), FLOATS(3)}, .n_in = 3},
    {GOOD, .what = "nothing to sum, transposed", .attrs = {ATTR_INT("transB", 1)},
     .in = {FLOATS(2, 0), FLOATS(3, 0), FLOATS(3)}, .n_in = 3},
    {GOOD, .what = "doubles", .attrs = {ATTR_FLOAT("alpha", 0.5f), ATTR_FLOAT("beta", 2)},
     .in = {TYPED(ENG_FLOAT64, 3, 5), TYPED(ENG_FLOAT64, 5, 4), TYPED(ENG_FLOAT64, 4)}, .n_in = 3,
     .batched = 1},
    {GOOD, .what = "doubles, both transposed",
     .attrs = {ATTR_INT("transA", 1), ATTR_INT("transB", 1)},
     .in = {TYPED(ENG_FLOAT64, 4, 3), TYPED(ENG_FLOAT64, 5, 4), TYPED(ENG_FLOAT64, 3, 1)},
     .n_in = 3},
    {GOOD, .what = "integers", .attrs = {ATTR_INT("transB", 1), ATTR_FLOAT("alpha", -2)},
     .in = {TYPED(ENG_INT32, 3, 5), TYPED(ENG_INT32, 4, 5), TYPED(ENG_INT32, 4)}, .n_in = 3},
    {GOOD, .what = "unsigned integers of 64 bits",
     .in = {TYPED(ENG_UINT64, 3, 5), TYPED(ENG_UINT64, 5, 4)}, .n_in = 2},
    {.op = "Gemm",
     .what = "half an integer",
     .attrs = {ATTR_FLOAT("alpha", 0.5f)},
     .in = {TYPED(ENG_INT64, 3, 5), TYPED(ENG_INT64, 5, 4)},
     .n_in = 2,
     .refusal = "alpha is 0.5 and beta 1; of element type int64 whole numbers are wanted"},
    {.op = "Gemm",
     .what = "bytes",
     .in = {TYPED(ENG_INT8, 3, 5), TYPED(ENG_INT8, 5, 4)},
     .n_in = 2,
     .refusal = "int8"},
    {.op = "Gemm",
     .what = "K differs",
     .in = {FLOATS(2, 3), FLOATS(4, 5)},
     .n_in = 2,
     .refusal = "K is 3 and 4"},
    {.op = "Gemm",
     .what = "rank 3",
     .in = {FLOATS(2, 3, 1), FLOATS(3, 5)},
     .n_in = 2,
     .refusal = "rank 2 is wanted"},
    {.op = "Gemm",
     .what = "two types",
     .in = {TYPED(ENG_INT32, 2, 3), FLOATS(3, 5)},
     .n_in = 2,
     .refusal = "input 1 has element type float; int32 is wanted"},
    {.op = "Gemm",
     .what = "C does not fit",
     .in = {FLOATS(2, 3), FLOATS(3, 5), FLOATS(2)},
     .n_in = 3,
     .refusal = "do not broadcast"},
    {.op = "Gemm",
     .what = "C is larger than Y",
     .in = {FLOATS(1, 3), FLOATS(3, 5), FLOATS(4, 5)},
     .n_in = 3,
     .refusal = "[1, 5] is wanted"},
    {.op = "Gemm",
     .what = "transA out of range",
     .attrs = {ATTR_INT("transA", 2)},
     .in = {FLOATS(2, 3), FLOATS(3, 5)},
     .n_in = 2,
     .refusal = "transA"},
    {.op = "Gemm",
     .what = "unknown attribute",
     .attrs = {ATTR_INT("broadcast", 1)},
     .in = {FLOATS(2, 3), FLOATS(3, 5)},
     .n_in = 2,
     .refusal = "broadcast"},
    {.op = "Gemm",
     .what = "attribute of the wrong type",
     .attrs = {ATTR_INT("alpha", 1)},
     .in = {FLOATS(2, 3), FLOATS(3, 5)},
     .n_in = 2,
     .refusal = "alpha"},
};

int main(void)
{
    return OP_BATTERY("gemm", cases);
}
