#include "op_battery.h"

/* numpy.matmul, one output element at a time. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)c;
    (void)training;
    struct op_values a = in[0], b = in[1];
    bool row = a.shape.rank == 1, column = b.shape.rank == 1;
    if (row) a.shape = (struct eng_shape){.rank = 2, .dim = {1, in[0].shape.dim[0]}};
    if (column) b.shape = (struct eng_shape){.rank = 2, .dim = {in[1].shape.dim[0], 1}};
    int ra = a.shape.rank, rb = b.shape.rank;
    int64_t m = a.shape.dim[ra - 2], k = a.shape.dim[ra - 1], n = b.shape.dim[rb - 1];
    struct eng_shape full = {.rank = ra > rb ? ra : rb};
    for (int d = 0; d < full.rank - 2; d++) {
        int64_t da = d >= full.rank - ra ? a.shape.dim[d - (full.rank - ra)] : 1;
        int64_t db = d >= full.rank - rb ? b.shape.dim[d - (full.rank - rb)] : 1;
        full.dim[d] = da == 1 ? db : da;
    }
    full.dim[full.rank - 2] = m;
    full.dim[full.rank - 1] = n;
    op_values_init(&out[0], full);
    for (size_t at = 0; at < out[0].n; at++) {
        for (int64_t x = 0; x < k; x++) {
            size_t from_a = 0, from_b = 0;
            for (int d = 0; d < ra; d++) {
                int64_t i = d == ra - 1 ? x : op_index(&full, at, d + full.rank - ra);
                from_a = from_a * (size_t)a.shape.dim[d] + (size_t)(a.shape.dim[d] == 1 ? 0 : i);
            }
            for (int d = 0; d < rb; d++) {
                int64_t i = d == rb - 2 ? x : op_index(&full, at, d + full.rank - rb);
                from_b = from_b * (size_t)b.shape.dim[d] + (size_t)(b.shape.dim[d] == 1 ? 0 : i);
            }
            out[0].v[at] += a.v[from_a] * b.v[from_b];
        }
    }
    if (column) out[0].shape.rank--;
    if (row) {
        int last = out[0].shape.rank - 1;
        if (column)
            out[0].shape.rank = last;
        else {
            out[0].shape.dim[last - 1] = n;
            out[0].shape.rank = last;
        }
    }
}

#define GOOD .op = "MatMul", .reference = reference, .n_in = 2

static const struct op_case cases[] = {
    {GOOD, .what = "two matrices", .in = {FLOATS(3, 5), FLOATS(5, 4)}, .gradients = 3,
     .batched = 1},
    {GOOD, .what = "a dense layer", .in = {FLOATS(33, 140), FLOATS(140, 50)}, .batched = 1},
    {GOOD, .what = "row times matrix", .in = {FLOATS(5), FLOATS(5, 4)}, .gradients = 3},
    {GOOD, .what = "matrix times column", .in = {FLOATS(3, 5), FLOATS(5)}, .gradients = 3,
     .batched = 1},
    {GOOD, .what = "row times column", .in = {FLOATS(5), FLOATS(5)}, .gradients = 3},
    {GOOD, .what = "stacks", .in = {FLOATS(2, 3, 5), FLOATS(2, 5, 4)}, .gradients = 3,
     .batched = 3},
    {GOOD, .what = "a stack times one matrix", .in = {FLOATS(4, 3, 5), FLOATS(5, 2)},
     .gradients = 3, .batched = 1},
    {GOOD, .what = "one matrix times a stack", .in = {FLOATS(3, 5), FLOATS(4, 5, 2)},
     .gradients = 3},
    {GOOD, .what = "broadcast stacks", .in = {FLOATS(2, 1, 3, 4), FLOATS(5, 4, 2)}, .gradients = 3,
     .batched = 1},
    {GOOD, .what = "a stack times a column", .in = {FLOATS(2, 3, 4), FLOATS(4)}, .gradients = 3},
    {GOOD, .what = "a row times a stack", .in = {FLOATS(4), FLOATS(2, 4, 3)}, .gradients = 3},
    {GOOD, .what = "attention: many small products", .in = {FLOATS(2, 3, 9, 8), FLOATS(2, 3, 8, 9)},
     .gradients = 3, .batched = 3},
    {GOOD, .what = "stacks large enough for threads",
     .in = {FLOATS(4, 3, 40, 64), FLOATS(4, 3, 64, 50)}, .batched = 3},
    {GOOD, .what = "rank 8", .in = {FLOATS(2, 1, 1, 3, 1, 2, 2, 3), FLOATS(2, 1, 1, 1, 2, 3, 2)}},
    {GOOD, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 3, 4), TYPED(ENG_FLOAT64, 4, 5)},
     .batched = 1},
    {GOOD, .what = "integers of 32 bits", .in = {TYPED(ENG_INT32, 3, 4), TYPED(ENG_INT32, 4, 5)},
     .low = -9, .high = 9},
    {GOOD, .what = "integers of 64 bits", .in = {TYPED(ENG_INT64, 3, 4), TYPED(ENG_INT64, 2, 4, 5)},
     .low = -9, .high = 9},
    {GOOD, .what = "an empty stack", .in = {FLOATS(0, 3, 4), FLOATS(4, 2)}},
    {.op = "MatMul",
     .what = "K differs",
     .n_in = 2,
     .in = {FLOATS(2, 3), FLOATS(4, 5)},
     .refusal = "K is 3 and 4"},
    {.op = "MatMul",
     .what = "a scalar",
     .n_in = 2,
     .in = {{.dtype = ENG_FLOAT32}, FLOATS(4, 5)},
     .refusal = "input 0 is a scalar"},
    {.op = "MatMul",
     .what = "stacks do not fit",
     .n_in = 2,
     .in = {FLOATS(2, 3, 4), FLOATS(3, 4, 5)},
     .refusal = "do not broadcast"},
    {.op = "MatMul",
     .what = "two types",
     .n_in = 2,
     .in = {FLOATS(3, 4), TYPED(ENG_FLOAT64, 4, 5)},
     .refusal = "double; float is wanted"},
    {.op = "MatMul",
     .what = "bytes",
     .n_in = 2,
     .in = {TYPED(ENG_UINT8, 3, 4), TYPED(ENG_UINT8, 4, 5)},
     .refusal = "uint8"},
};

int main(void)
{
    return OP_BATTERY("matmul", cases);
}
