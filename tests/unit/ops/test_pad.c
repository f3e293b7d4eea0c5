#include "op_battery.h"
#include "op_index.h"

static const char *mode_of(const struct op_case *c)
{
    const struct eng_attr *attr = op_attr(c, "mode");
    return attr ? attr->s : "constant";
}

/* Walks from index i of the padded line into what is left of length n; -1: the border's value. */
static int64_t source(const char *mode, int64_t i, int64_t n)
{
    if (i >= 0 && i < n) return i;
    if (strcmp(mode, "constant") == 0) return -1;
    if (strcmp(mode, "edge") == 0) return i < 0 ? 0 : n - 1;
    if (strcmp(mode, "wrap") == 0) return source(mode, i < 0 ? i + n : i - n, n);
    if (n == 1) return 0;
    return source(mode, i < 0 ? -i : 2 * (n - 1) - i, n);
}

static double value_of(const struct op_case *c, const struct op_values *in)
{
    if (op_opset(c) < 11) return op_attr_float(c, "value", 0);
    return c->n_in > 2 && c->in[2].dtype != ENG_DTYPE_NONE ? in[2].v[0] : 0;
}

/* How much before (side 0) or behind (side 1) axis d. */
static int64_t pad_of(const struct op_case *c, const struct op_values *in, int d, size_t side)
{
    const struct eng_shape *x = &in[0].shape;
    size_t n = (size_t)x->rank, k = (size_t)d;
    if (op_opset(c) < 11) return op_attr_ints(c, "pads", side * n + k, 0);
    if (c->n_in <= 3) return (int64_t)in[1].v[side * n + k];
    for (k = 0; k < in[3].n; k++)
        if (((int)in[3].v[k] + x->rank) % x->rank == d) return (int64_t)in[1].v[side * in[3].n + k];
    return 0;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape;
    for (int d = 0; d < y.rank; d++)
        y.dim[d] += pad_of(c, in, d, 0) + pad_of(c, in, d, 1);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t index[ENG_MAX_RANK];
        bool inside = true;
        op_indices(&y, i, index);
        for (int d = 0; d < y.rank; d++) {
            int64_t before = pad_of(c, in, d, 0), behind = pad_of(c, in, d, 1);
            int64_t cut = before < 0 ? -before : 0;
            int64_t n = in[0].shape.dim[d] - cut + (behind < 0 ? behind : 0);
            int64_t j = source(mode_of(c), index[d] - (before > 0 ? before : 0), n);
            inside = inside && j >= 0;
            index[d] = j + cut;
        }
        out[0].v[i] = inside ? op_at(&in[0], index) : value_of(c, in);
    }
}

#define PAD(N)    .op = "Pad", .reference = reference, .n_in = N
#define MODE(M)   ATTR_STRING("mode", M)
#define PADS(...) ATTR_INTS("pads", __VA_ARGS__)
#define ONE(VALUE)                                       \
    {                                                    \
        .dtype = ENG_FLOAT32, .values = (const double[]) \
        {                                                \
            VALUE                                        \
        }                                                \
    }

static const struct op_case cases[] = {
    {PAD(2), .what = "pixels", .in = {FLOATS(2, 3, 4, 5), KNOWN(0, 0, 1, 2, 0, 0, 3, 1)},
     .gradients = 1, .batched = 1},
    {PAD(3), .what = "a value", .in = {FLOATS(2, 3, 2), KNOWN(0, 1, 0, 0, 2, 1), ONE(0.75)},
     .gradients = 5, .batched = 1},
    {PAD(3), .what = "a value in a list", .in = {FLOATS(2, 3), KNOWN(1, 0, 0, 1), FLOATS(1)},
     .gradients = 5},
    {PAD(2), .what = "reflect", .attrs = {MODE("reflect")},
     .in = {FLOATS(2, 3, 4, 5), KNOWN(0, 0, 1, 2, 0, 0, 3, 4)}, .gradients = 1, .batched = 1},
    {PAD(2), .what = "reflect again and again", .attrs = {MODE("reflect")},
     .in = {FLOATS(3, 2), KNOWN(5, 4, 6, 5)}, .gradients = 1},
    {PAD(2), .what = "reflect one element", .attrs = {MODE("reflect")},
     .in = {FLOATS(1, 2), KNOWN(2, 0, 1, 1)}, .gradients = 1},
    {PAD(2), .what = "edge", .attrs = {MODE("edge")},
     .in = {FLOATS(2, 3, 4, 5), KNOWN(0, 0, 1, 2, 0, 0, 3, 7)}, .gradients = 1, .batched = 1},
    {PAD(2), .what = "wrap", .opset = 19, .attrs = {MODE("wrap")},
     .in = {FLOATS(3, 4), KNOWN(1, 2, 4, 9)}, .gradients = 1},
    {PAD(2), .what = "channels last", .attrs = {MODE("reflect")},
     .in = {FLOATS(2, 4, 5, 3), KNOWN(0, 1, 2, 0, 0, 2, 1, 0)}, .gradients = 1, .batched = 1},
    {PAD(2), .what = "the batch", .in = {FLOATS(2, 3, 2), KNOWN(1, 0, 0, 2, 0, 0)}, .gradients = 1},
    {PAD(2), .what = "cut off", .in = {FLOATS(2, 5, 6), KNOWN(0, -1, -2, 0, -2, -1)},
     .gradients = 1, .batched = 1},
    {PAD(2), .what = "cut off before, added behind", .attrs = {MODE("reflect")},
     .in = {FLOATS(2, 6), KNOWN(0, -2, 0, 3)}, .gradients = 1},
    {PAD(2), .what = "nothing is left but the border", .in = {FLOATS(2, 3), KNOWN(0, -3, 0, 2)}},
    {PAD(2), .what = "around nothing", .in = {FLOATS(0, 2), KNOWN(1, 1, 1, 0)}},
    {PAD(2), .what = "nothing to do", .in = {FLOATS(2, 3), KNOWN(0, 0, 0, 0)}, .gradients = 1},
    {PAD(2), .what = "a scalar",
     .in = {{.dtype = ENG_FLOAT32}, {.dtype = ENG_INT64, .shape = SHAPE(0), .constant = true}},
     .gradients = 1},
    {PAD(4), .what = "axes", .opset = 18,
     .in = {FLOATS(2, 3, 4), KNOWN(1, 2, 0, 3), ONE(2), KNOWN(-1, 1)}, .gradients = 5,
     .batched = 1},
    {PAD(4), .what = "axes without value", .opset = 18, .attrs = {MODE("edge")},
     .in = {FLOATS(2, 3, 4), KNOWN(1, 2), LEFT_OUT, KNOWN(2)}, .gradients = 1},
    {PAD(1), .what = "attributes", .opset = 9,
     .attrs = {PADS(0, 1, 0, 2), ATTR_FLOAT("value", -1.5f)}, .in = {FLOATS(2, 3)}, .gradients = 1,
     .batched = 1},
    {PAD(1), .what = "attributes, edge", .opset = 7, .attrs = {PADS(0, 1, 0, 2), MODE("edge")},
     .in = {FLOATS(2, 3)}},
    {PAD(1), .what = "attributes, doubles", .opset = 9,
     .attrs = {PADS(1, 0), ATTR_FLOAT("value", 0.5f)}, .in = {TYPED(ENG_FLOAT64, 3)}},
    {PAD(2), .what = "large enough for threads", .attrs = {MODE("reflect")},
     .in = {FLOATS(2, 3, 80, 90), KNOWN(0, 0, 3, 3, 0, 0, 3, 3)}},
    {PAD(3), .what = "int64",
     .in = {TYPED(ENG_INT64, 3), KNOWN(1, 2), {.dtype = ENG_INT64, .values = (const double[]){7}}}},
    {PAD(3), .what = "bytes",
     .in = {TYPED(ENG_UINT8, 2, 3),
            KNOWN(1, 0, 0, 2),
            {.dtype = ENG_UINT8, .values = (const double[]){200}}}},
    {PAD(3), .what = "int16",
     .in = {TYPED(ENG_INT16, 2, 3),
            KNOWN(1, 0, 0, 2),
            {.dtype = ENG_INT16, .values = (const double[]){-3}}}},
    {PAD(2), .what = "bool", .in = {TYPED(ENG_BOOL, 3), KNOWN(1, 1)}},
    {PAD(2), .what = "doubles", .attrs = {MODE("edge")},
     .in = {TYPED(ENG_FLOAT64, 3), KNOWN(1, 1)}},
    {.op = "Pad",
     .what = "too few pads",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(1, 1)},
     .refusal = "'pads' has 2 numbers; 2 for each of 2 axes are wanted"},
    {.op = "Pad",
     .what = "no pads",
     .n_in = 1,
     .in = {FLOATS(2, 3)},
     .refusal = "input 1 (pads) is missing"},
    {.op = "Pad",
     .what = "computed pads",
     .n_in = 2,
     .in = {FLOATS(2), TYPED(ENG_INT64, 2)},
     .refusal = "(pads) is computed from the picture"},
    {.op = "Pad",
     .what = "more cut off than there is",
     .n_in = 2,
     .in = {FLOATS(3), KNOWN(-2, -2)},
     .refusal = "pads -2 and -2 cut more off axis 0 than its length 3"},
    {.op = "Pad",
     .what = "nothing to reflect",
     .n_in = 2,
     .attrs = {MODE("reflect")},
     .in = {FLOATS(0, 2), KNOWN(1, 0, 0, 0)},
     .refusal = "nothing of axis 0 is left that mode 'reflect' could repeat"},
    {.op = "Pad",
     .what = "endless pads",
     .n_in = 2,
     .in = {FLOATS(3), KNOWN(9e18, 9e18)},
     .refusal = "too large for memory"},
    {.op = "Pad",
     .what = "a value of another type",
     .n_in = 3,
     .in = {FLOATS(3), KNOWN(1, 1), TYPED(ENG_INT64, 1)},
     .refusal = "int64; float is wanted"},
    {.op = "Pad",
     .what = "two values",
     .n_in = 3,
     .in = {FLOATS(3), KNOWN(1, 1), FLOATS(2)},
     .refusal = "input 2 has shape [2]; 1 elements are wanted"},
    {.op = "Pad",
     .what = "axes in opset 17",
     .n_in = 4,
     .in = {FLOATS(3), KNOWN(1, 1), LEFT_OUT, KNOWN(0)},
     .refusal = "from opset 18 on"},
    {.op = "Pad",
     .what = "wrap in opset 18",
     .opset = 18,
     .n_in = 2,
     .attrs = {MODE("wrap")},
     .in = {FLOATS(3), KNOWN(1, 1)},
     .refusal = "from opset 19 on"},
    {.op = "Pad",
     .what = "an attribute in opset 11",
     .opset = 11,
     .n_in = 1,
     .attrs = {PADS(1, 1)},
     .in = {FLOATS(3)},
     .refusal = "in opset 11 the pads are input 1"},
    {.op = "Pad",
     .what = "inputs in opset 10",
     .opset = 10,
     .n_in = 2,
     .in = {FLOATS(3), KNOWN(1, 1)},
     .refusal = "in opset 10 pads and value are attributes"},
    {.op = "Pad",
     .what = "integers in opset 10",
     .opset = 10,
     .n_in = 1,
     .attrs = {PADS(1, 1)},
     .in = {TYPED(ENG_INT64, 3)},
     .refusal = "int64; float is wanted"},
};

int main(void)
{
    return OP_BATTERY("pad", cases);
}
