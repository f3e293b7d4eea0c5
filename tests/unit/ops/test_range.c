#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)c;
    (void)training;
    double start = in[0].v[0], limit = in[1].v[0], delta = in[2].v[0];
    struct eng_shape y = {.rank = 1, .dim = {0}};
    for (double v = start; delta > 0 ? v < limit : v > limit; v += delta)
        y.dim[0]++;
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = start + (double)i * delta;
}

#define ONE(T, V)                                                                         \
    {                                                                                     \
        .dtype = T, .shape = {.rank = 0}, .values = (const double[]){V}, .constant = true \
    }
#define THREE(T, A, B, C)               \
    {                                   \
        ONE(T, A), ONE(T, B), ONE(T, C) \
    }
#define GOOD    .op = "Range", .reference = reference, .n_in = 3
#define REFUSED .op = "Range", .n_in = 3

static const struct op_case cases[] = {
    {GOOD, .what = "int64", .in = THREE(ENG_INT64, 0, 5, 1)},
    {GOOD, .what = "int32 in threes", .in = THREE(ENG_INT32, 2, 12, 3)},
    {GOOD, .what = "downwards", .in = THREE(ENG_INT64, 10, -4, -3)},
    {GOOD, .what = "the limit is met", .in = THREE(ENG_INT64, 0, 6, 3)},
    {GOOD, .what = "nothing", .in = THREE(ENG_INT64, 5, 5, 1)},
    {GOOD, .what = "the other way", .in = THREE(ENG_FLOAT32, 0, 5, -1)},
    {GOOD, .what = "quarters", .in = THREE(ENG_FLOAT32, -1, 1, 0.25)},
    {GOOD, .what = "doubles", .in = THREE(ENG_FLOAT64, 1, 0, -0.125)},
    {GOOD, .what = "a vector of one",
     .in =
         {{.dtype = ENG_INT64, .shape = SHAPE(1), .values = (const double[]){1}, .constant = true},
          ONE(ENG_INT64, 4),
          ONE(ENG_INT64, 1)}},
    {REFUSED, .what = "delta 0", .in = THREE(ENG_INT64, 0, 5, 0), .refusal = "delta is 0"},
    {REFUSED, .what = "float delta 0", .in = THREE(ENG_FLOAT32, 0, 5, 0), .refusal = "delta is 0"},
    {REFUSED, .what = "too long", .in = THREE(ENG_INT64, -4e18, 4e18, 1),
     .refusal = "at most 2^40"},
    {REFUSED, .what = "NaN", .in = THREE(ENG_FLOAT32, 0, (double)NAN, 1),
     .refusal = "at most 2^40"},
    {REFUSED, .what = "bytes", .in = THREE(ENG_UINT8, 0, 5, 1), .refusal = "uint8; float, double"},
    {REFUSED, .what = "two types", .in = {ONE(ENG_INT64, 0), ONE(ENG_INT32, 4), ONE(ENG_INT64, 1)},
     .refusal = "input 1 has element type int32; int64 is wanted"},
    {REFUSED, .what = "a computed limit",
     .in = {ONE(ENG_INT64, 0), {.dtype = ENG_INT64, .shape = SCALAR}, ONE(ENG_INT64, 1)},
     .refusal = "input 1 (limit) is computed from the picture"},
    {REFUSED, .what = "two starts",
     .in = {{.dtype = ENG_INT64, .shape = SHAPE(2), .constant = true},
            ONE(ENG_INT64, 4),
            ONE(ENG_INT64, 1)},
     .refusal = "[2]; 1 elements are wanted"},
};

int main(void)
{
    return OP_BATTERY("range", cases);
}
