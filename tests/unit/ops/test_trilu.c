#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_shape *x = &in[0].shape;
    double k = c->n_in > 1 ? in[1].v[0] : 0;
    op_values_init(&out[0], *x);
    for (size_t i = 0; i < in[0].n; i++) {
        double row = (double)op_index(x, i, x->rank - 2),
               column = (double)op_index(x, i, x->rank - 1);
        bool kept = op_attr_int(c, "upper", 1) ? column - row >= k : column - row <= k;
        out[0].v[i] = kept ? in[0].v[i] : 0;
    }
}

#define TRILU(N) .op = "Trilu", .reference = reference, .n_in = N
#define LOWER    .attrs = {ATTR_INT("upper", 0)}
#define K(VALUE)                                       \
    {                                                  \
        .dtype = ENG_INT64, .values = (const double[]) \
        {                                              \
            VALUE                                      \
        }                                              \
    }

static const struct op_case cases[] = {
    {TRILU(1), .what = "upper", .in = {FLOATS(4, 4)}, .gradients = 1},
    {TRILU(1), .what = "lower", LOWER, .in = {FLOATS(2, 4, 5)}, .gradients = 1, .batched = 1},
    {TRILU(2), .what = "above the diagonal", .in = {FLOATS(2, 5, 3), K(1)}, .gradients = 1},
    {TRILU(2), .what = "below the diagonal", LOWER, .in = {FLOATS(3, 5), K(-1)}, .gradients = 1},
    {TRILU(2), .what = "everything", .in = {FLOATS(2, 3, 4), K(-9e18)}, .gradients = 1},
    {TRILU(2), .what = "nothing", .in = {FLOATS(2, 3, 4), K(9e18)}, .gradients = 1},
    {TRILU(2), .what = "nothing below", LOWER, .in = {FLOATS(3, 4), K(-9e18)}},
    {TRILU(2), .what = "all below", LOWER, .in = {FLOATS(3, 4), K(9e18)}},
    {TRILU(2), .what = "the last corner", .in = {FLOATS(3, 4), K(3)}},
    {TRILU(2), .what = "all but the last corner", LOWER, .in = {FLOATS(3, 4), K(2)}},
    {TRILU(2), .what = "k in a list", LOWER,
     .in = {FLOATS(3, 4), {.dtype = ENG_INT64, .shape = SHAPE(1), .values = (const double[]){1}}}},
    {TRILU(1), .what = "empty", .in = {FLOATS(3, 0)}},
    {TRILU(1), .what = "int64", .in = {TYPED(ENG_INT64, 3, 3)}},
    {TRILU(1), .what = "bool", LOWER, .in = {TYPED(ENG_BOOL, 3, 3)}},
    {TRILU(1), .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 3)}},
    {.op = "Trilu",
     .what = "a vector",
     .n_in = 1,
     .in = {FLOATS(4)},
     .refusal = "rank 2 to 8 is wanted"},
    {.op = "Trilu",
     .what = "two ks",
     .n_in = 2,
     .in = {FLOATS(4, 4), TYPED(ENG_INT64, 2)},
     .refusal = "1 elements are wanted"},
    {.op = "Trilu",
     .what = "a float k",
     .n_in = 2,
     .in = {FLOATS(4, 4), FLOATS(1)},
     .refusal = "float; int64 is wanted"},
};

int main(void)
{
    return OP_BATTERY("trilu", cases);
}
