#include "op_battery.h"
#include "quantised_case.h"

enum { A, A_SCALE, A_ZERO, B, B_SCALE, B_ZERO, Y_SCALE, Y_ZERO };

/* Parameter of row or column `line` of matrix `matrix`, however many there are of them. */
static double parameter(const struct op_values *p, size_t matrix, size_t n_lines, size_t line)
{
    if (p->n == 0) return 0;
    return p->v[p->n == 1 ? 0 : p->n == n_lines ? line : matrix * n_lines + line];
}

/* A and B are [.., m, k] and [.., k, n], with as many dimensions in front, each alike or 1. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool scaled = strcmp(c->op, "QLinearMatMul") == 0;
    const struct op_values *a = &in[0], *b = &in[scaled ? B : 1];
    struct op_values none = {0};
    const struct op_values *a_zero = scaled ? &in[A_ZERO] : c->n_in > 2 ? &in[2] : &none;
    const struct op_values *b_zero = scaled ? &in[B_ZERO] : c->n_in > 3 ? &in[3] : &none;
    struct eng_shape y = a->shape;
    int r = y.rank;
    size_t m = (size_t)y.dim[r - 2], k = (size_t)y.dim[r - 1], n = (size_t)b->shape.dim[r - 1];
    y.dim[r - 1] = (int64_t)n;
    for (int d = 0; d < r - 2; d++)
        if (y.dim[d] == 1) y.dim[d] = b->shape.dim[d];
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        size_t in_a = 0, in_b = 0, row = i / n % m, column = i % n;
        for (int d = 0; d < r - 2; d++) {
            size_t at = (size_t)op_index(&y, i, d);
            in_a = in_a * (size_t)a->shape.dim[d] + (a->shape.dim[d] == 1 ? 0 : at);
            in_b = in_b * (size_t)b->shape.dim[d] + (b->shape.dim[d] == 1 ? 0 : at);
        }
        double sum = 0;
        for (size_t x = 0; x < k; x++)
            sum += (a->v[(in_a * m + row) * k + x] - parameter(a_zero, in_a, m, row)) *
                   (b->v[(in_b * k + x) * n + column] - parameter(b_zero, in_b, n, column));
        out[0].v[i] = sum;
        if (!scaled) continue;
        float factor = (float)parameter(&in[A_SCALE], in_a, m, row) *
                       (float)parameter(&in[B_SCALE], in_b, n, column) / (float)in[Y_SCALE].v[0];
        double least = c->in[Y_ZERO].dtype == ENG_INT8 ? -128 : 0;
        double value = rint((double)((float)sum * factor)) + in[Y_ZERO].v[0];
        out[0].v[i] = fmin(fmax(value, least), least + 255);
    }
}

#define PLAIN    .op = "MatMulInteger", .reference = reference
#define SCALED   .op = "QLinearMatMul", .reference = reference, .n_in = 8
#define A_SCALAR ONE(ENG_FLOAT32, 0.0066), ONE(ENG_UINT8, 113)
#define B_SCALAR ONE(ENG_FLOAT32, 0.00705), ONE(ENG_UINT8, 114)
#define Y_UINT8  ONE(ENG_FLOAT32, 0.0107), ONE(ENG_UINT8, 118)
#define Y_INT8   ONE(ENG_FLOAT32, 0.0207), ONE(ENG_INT8, -3)

static const struct op_case cases[] = {
    {PLAIN, .what = "no zero points", .n_in = 2, .in = {BYTES(4, 3), BYTES(3, 2)}, .batched = 1},
    {PLAIN, .what = "zero points", .n_in = 4,
     .in = {BYTES(4, 35), SIGNED(35, 7), ONE(ENG_UINT8, 12), ONE(ENG_INT8, -5)}, .batched = 1},
    {PLAIN, .what = "zero points of rows and columns", .n_in = 4,
     .in = {SIGNED(4, 18), BYTES(18, 5), SIGNED(4), BYTES(5)}},
    {PLAIN, .what = "A's zero point left out", .n_in = 4,
     .in = {SIGNED(4, 18), BYTES(18, 5), LEFT_OUT, BYTES(5)}, .batched = 1},
    {PLAIN, .what = "stacks", .n_in = 4,
     .in = {BYTES(2, 3, 4, 17), BYTES(1, 3, 17, 5), BYTES(2, 3, 4, 1), BYTES(1, 3, 1, 5)}},
    {PLAIN, .what = "a deep product", .n_in = 4,
     .in = {BYTES(1, 66000), BYTES(66000, 1), ONE(ENG_UINT8, 130), ONE(ENG_UINT8, 120)}},
    {PLAIN, .what = "large enough for threads", .n_in = 2, .in = {BYTES(40, 300), BYTES(300, 170)},
     .batched = 1},
    {PLAIN, .what = "nothing to sum", .n_in = 2, .in = {BYTES(2, 0), BYTES(0, 3)}},
    {SCALED, .what = "matrices", .in = {BYTES(4, 20), A_SCALAR, BYTES(20, 3), B_SCALAR, Y_UINT8},
     .batched = 1},
    {SCALED, .what = "stacks, to int8",
     .in = {BYTES(2, 4, 20), A_SCALAR, BYTES(2, 20, 3), B_SCALAR, Y_INT8}},
    {SCALED, .what = "one B for all",
     .in = {BYTES(2, 3, 4, 20), A_SCALAR, BYTES(1, 1, 20, 3), B_SCALAR, Y_INT8}, .batched = 1},
    {SCALED, .what = "scales of rows and columns",
     .in = {SIGNED(4, 20), SCALES(4), SIGNED(4), SIGNED(20, 3), SCALES(3), SIGNED(3), Y_INT8}},
    {.op = "MatMulInteger",
     .what = "floats",
     .n_in = 2,
     .in = {FLOATS(2, 3), BYTES(3, 2)},
     .refusal = "float; uint8 or int8 is wanted"},
    {.op = "MatMulInteger",
     .what = "another zero point",
     .n_in = 3,
     .in = {BYTES(2, 3), BYTES(3, 2), ONE(ENG_INT8, 0)},
     .refusal = "int8; uint8 is wanted"},
    {.op = "MatMulInteger",
     .what = "a zero point too many",
     .n_in = 4,
     .in = {BYTES(2, 3), BYTES(3, 2), LEFT_OUT, BYTES(3)},
     .refusal = "[3]; [1, 2] is wanted"},
    {.op = "QLinearMatMul",
     .what = "K differs",
     .n_in = 8,
     .in = {BYTES(2, 4), A_SCALAR, BYTES(3, 2), B_SCALAR, Y_UINT8},
     .refusal = "K is 4 and 3"},
    {.op = "QLinearMatMul",
     .what = "a scale too many",
     .n_in = 8,
     .in = {BYTES(2, 3), SCALES(3), ONE(ENG_UINT8, 0), BYTES(3, 2), B_SCALAR, Y_UINT8},
     .refusal = "[3]; [2, 1] is wanted"},
    {.op = "QLinearMatMul",
     .what = "to int32",
     .n_in = 8,
     .in = {BYTES(2, 3), A_SCALAR, BYTES(3, 2), B_SCALAR, ONE(ENG_FLOAT32, 1), ONE(ENG_INT32, 0)},
     .refusal = "int32; uint8 or int8 is wanted"},
};

int main(void)
{
    return OP_BATTERY("integer_matmul", cases);
}
