#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)c;
    (void)training;
    struct eng_shape y;
    assert_int_equal(eng_infer_broadcast(&in[0].shape, &in[1].shape, &y, NULL), ENG_OK);
    assert_int_equal(eng_infer_broadcast(&y, &in[2].shape, &y, NULL), ENG_OK);
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = op_broadcast(&in[op_broadcast(&in[0], &y, i) != 0 ? 1 : 2], &y, i);
}

#define WHERE      .op = "Where", .reference = reference, .n_in = 3
#define BOOLS(...) TYPED(ENG_BOOL, __VA_ARGS__)
#define OF(TYPE)                                                                          \
    {                                                                                     \
        WHERE, .what = #TYPE, .in = { BOOLS(3, 4), TYPED(TYPE, 3, 4), TYPED(TYPE, 3, 4) } \
    }

static const struct op_case cases[] = {
    {WHERE, .what = "same shapes", .in = {BOOLS(3, 4), FLOATS(3, 4), FLOATS(3, 4)}, .gradients = 6,
     .batched = 7},
    {WHERE, .what = "a mask", .in = {BOOLS(4, 4), FLOATS(2, 3, 4, 4), {.dtype = ENG_FLOAT32}},
     .gradients = 6, .batched = 2},
    {WHERE, .what = "a mask for scores",
     .in = {BOOLS(2, 1, 1, 4), {.dtype = ENG_FLOAT32}, FLOATS(2, 3, 4, 4)}, .gradients = 6,
     .batched = 5},
    {WHERE, .what = "all repeated", .in = {BOOLS(5, 1, 1), FLOATS(3, 1), FLOATS(4)},
     .gradients = 6},
    {WHERE, .what = "rank 8",
     .in = {BOOLS(2, 1, 2, 1, 2, 1, 2, 1), FLOATS(1, 2, 1, 2, 1, 2, 1, 2), FLOATS(2)},
     .gradients = 6},
    {WHERE, .what = "scalars",
     .in = {{.dtype = ENG_BOOL}, {.dtype = ENG_FLOAT32}, {.dtype = ENG_FLOAT32}}},
    {WHERE, .what = "large enough for threads",
     .in = {BOOLS(10001), FLOATS(5, 10001), FLOATS(5, 1)}, .batched = 6},
    OF(ENG_FLOAT64),
    OF(ENG_INT8),
    OF(ENG_INT16),
    OF(ENG_INT32),
    OF(ENG_INT64),
    OF(ENG_UINT8),
    OF(ENG_UINT16),
    OF(ENG_UINT32),
    OF(ENG_UINT64),
    OF(ENG_BOOL),
    {.op = "Where",
     .what = "a condition of floats",
     .n_in = 3,
     .in = {FLOATS(3), FLOATS(3), FLOATS(3)},
     .refusal = "float; bool is wanted"},
    {.op = "Where",
     .what = "types differ",
     .n_in = 3,
     .in = {BOOLS(3), FLOATS(3), TYPED(ENG_INT64, 3)},
     .refusal = "int64; float is wanted"},
    {.op = "Where",
     .what = "shapes do not fit",
     .n_in = 3,
     .in = {BOOLS(3), FLOATS(2, 3), FLOATS(2)},
     .refusal = "[2, 3] and [2] do not broadcast"},
};

int main(void)
{
    return OP_BATTERY("where", cases);
}
