#include "op_battery.h"

static bool is_larger(double a, double b)
{
    return isnan(a) ? !isnan(b) : a > b;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape shape = in[0].shape;
    int64_t axis = op_attr_int(c, "axis", -1);
    if (axis < 0) axis += shape.rank;
    size_t inner = 1, n = (size_t)shape.dim[axis];
    for (int d = (int)axis + 1; d < shape.rank; d++)
        inner *= (size_t)shape.dim[d];
    bool largest = op_attr_int(c, "largest", 1);
    shape.dim[axis] = c->n_in > 1 ? (int64_t)in[1].v[0] : op_attr_int(c, "k", 0);
    op_values_init(&out[0], shape);
    op_values_init(&out[1], shape);
    for (size_t i = 0; i < in[0].n; i++) {
        /* Its rank is how many of its line come before it. */
        size_t start = i / (n * inner) * n * inner + i % inner, rank = 0, place = i / inner % n;
        for (size_t k = 0; k < n; k++) {
            double other = in[0].v[start + k * inner], own = in[0].v[i];
            bool before = largest ? is_larger(other, own) : is_larger(own, other);
            bool after = largest ? is_larger(own, other) : is_larger(other, own);
            rank += before || (!after && k < place);
        }
        size_t k = (size_t)shape.dim[axis], o = (i / (n * inner) * k + rank) * inner + i % inner;
        if (rank >= k) continue;
        out[0].v[o] = in[0].v[i];
        out[1].v[o] = (double)place;
    }
}

static const double ties[] = {2, 7, 7, 1, 7, 2, 2, 2, 2, -3, -3, 9};
static const double nans[] = {2, NAN, 7, INFINITY, 3, NAN};

#define LIST(TYPE, VALUES, ...)                                      \
    {                                                                \
        .dtype = TYPE, .shape = SHAPE(__VA_ARGS__), .values = VALUES \
    }
#define SMALLEST .attrs = {ATTR_INT("largest", 0)}
#define GOOD     .op = "TopK", .reference = reference, .n_in = 2, .n_out = 2
#define BAD      .op = "TopK", .n_in = 2, .n_out = 2

static const struct op_case cases[] = {
    {GOOD, .what = "best of rows", .in = {FLOATS(3, 103), KNOWN(5)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "smallest", SMALLEST, .in = {FLOATS(3, 103), KNOWN(7)}, .gradients = 1,
     .batched = 1},
    {GOOD, .what = "all", .in = {FLOATS(2, 37), KNOWN(37)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "one", .in = {FLOATS(2, 9), KNOWN(1)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "middle axis", .attrs = {ATTR_INT("axis", 1), ATTR_INT("sorted", 0)},
     .in = {FLOATS(2, 8, 5), KNOWN(3)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "first axis", .attrs = {ATTR_INT("axis", 0)}, .opset = 10,
     .in = {FLOATS(6, 2, 3), KNOWN(4)}, .gradients = 1},
    {GOOD, .what = "ties", .in = {LIST(ENG_FLOAT32, ties, 2, 6), KNOWN(4)}},
    {GOOD, .what = "smallest ties", SMALLEST, .in = {LIST(ENG_FLOAT32, ties, 2, 6), KNOWN(4)}},
    {GOOD, .what = "NaN", .in = {LIST(ENG_FLOAT32, nans, 2, 3), KNOWN(2)}},
    {GOOD, .what = "smallest, NaN", SMALLEST, .in = {LIST(ENG_FLOAT64, nans, 2, 3), KNOWN(2)}},
    {GOOD, .what = "int64", .in = {TYPED(ENG_INT64, 4, 9), KNOWN(5)}},
    {GOOD, .what = "int8", SMALLEST, .in = {TYPED(ENG_INT8, 4, 9), KNOWN(5)}},
    {GOOD, .what = "uint16", .in = {TYPED(ENG_UINT16, 4, 9), KNOWN(5)}},
    {GOOD, .what = "no values", .left_out = 1, .in = {FLOATS(3, 9), KNOWN(4)}},
    {GOOD, .what = "no indices", .left_out = 2, .in = {FLOATS(3, 9), KNOWN(4)}, .gradients = 1},
    {GOOD, .what = "K 0", .in = {FLOATS(3, 9), KNOWN(0)}},
    {.op = "TopK",
     .reference = reference,
     .what = "K as attribute",
     .opset = 7,
     .n_in = 1,
     .n_out = 2,
     .attrs = {ATTR_INT("k", 3)},
     .in = {FLOATS(2, 8)},
     .gradients = 1,
     .batched = 1},
    {BAD, .what = "K too large", .in = {FLOATS(2, 3), KNOWN(4)},
     .refusal = "K is 4; 0 to 3, the length of axis 1, is wanted"},
    {BAD, .what = "two Ks", .in = {FLOATS(2, 3), KNOWN(2, 2)},
     .refusal = "input 1 has shape [2]; 1 elements are wanted"},
    {BAD, .what = "K at run time", .in = {FLOATS(2, 3), TYPED(ENG_INT64, 1)},
     .refusal = "input 1 (K)"},
    {BAD, .what = "K as attribute too late", .opset = 10, .attrs = {ATTR_INT("k", 3)},
     .in = {FLOATS(2, 3), KNOWN(2)}, .refusal = "an attribute 'k'; in opset 10 K is input 1"},
    {.op = "TopK",
     .what = "no K",
     .opset = 9,
     .n_in = 1,
     .n_out = 2,
     .in = {FLOATS(2, 3)},
     .refusal = "no attribute 'k'; in opset 9 K is the attribute"},
    {BAD, .what = "smallest too early", .opset = 10, SMALLEST, .in = {FLOATS(2, 3), KNOWN(2)},
     .refusal = "'largest' is there from opset 11 on"},
    {BAD, .what = "bool", .in = {TYPED(ENG_BOOL, 2, 3), KNOWN(2)},
     .refusal = "element type bool; a number is wanted"},
    {BAD, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}, KNOWN(1)}, .refusal = "axis -1"},
};

int main(void)
{
    return OP_BATTERY("topk", cases);
}
