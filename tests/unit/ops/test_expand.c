#include "op_battery.h"
#include "op_index.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape, wanted = {.rank = (int)in[1].n};
    bool tile = strcmp(c->op, "Tile") == 0;
    for (int d = 0; d < wanted.rank; d++)
        wanted.dim[d] = (int64_t)in[1].v[d];
    if (!tile) assert_int_equal(eng_infer_broadcast(&in[0].shape, &wanted, &y, NULL), ENG_OK);
    for (int d = 0; tile && d < y.rank; d++)
        y.dim[d] *= wanted.dim[d];
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t index[ENG_MAX_RANK];
        op_indices(&y, i, index);
        for (int d = 0; tile && d < y.rank; d++)
            index[d] %= in[0].shape.dim[d];
        out[0].v[i] = tile ? op_at(&in[0], index) : op_broadcast(&in[0], &y, i);
    }
}

#define EXPAND .op = "Expand", .reference = reference, .n_in = 2
#define TILE   .op = "Tile", .reference = reference, .n_in = 2

static const struct op_case cases[] = {
    {EXPAND, .what = "a class token", .in = {FLOATS(1, 1, 8), KNOWN(3, 1, 8)}, .gradients = 1},
    {EXPAND, .what = "a plane per channel", .in = {FLOATS(2, 3, 1, 1), KNOWN(1, 1, 4, 5)},
     .gradients = 1, .batched = 1},
    {EXPAND, .what = "a row", .in = {FLOATS(4), KNOWN(2, 3, 4)}, .gradients = 1},
    {EXPAND, .what = "a column", .in = {FLOATS(3, 1), KNOWN(3, 5)}, .gradients = 1},
    {EXPAND, .what = "both", .in = {FLOATS(3, 1, 2), KNOWN(4, 1)}, .gradients = 1},
    {EXPAND, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}, KNOWN(2, 3)}, .gradients = 1},
    {EXPAND, .what = "shorter shape", .in = {FLOATS(2, 3, 4), KNOWN(1)}, .gradients = 1},
    {EXPAND, .what = "to nothing", .in = {FLOATS(1, 3), KNOWN(0, 3)}},
    {EXPAND, .what = "opset 8", .opset = 8, .in = {FLOATS(1, 3), KNOWN(2, 3)}},
    {EXPAND, .what = "large enough for threads", .in = {FLOATS(3, 1, 200), KNOWN(3, 90, 200)}},
    {EXPAND, .what = "int64", .in = {TYPED(ENG_INT64, 1, 3), KNOWN(4, 1)}},
    {EXPAND, .what = "bool", .in = {TYPED(ENG_BOOL, 3, 1), KNOWN(3, 5)}},
    {EXPAND, .what = "int16", .in = {TYPED(ENG_INT16, 3, 1), KNOWN(3, 5)}},
    {EXPAND, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 1), KNOWN(2, 1, 4)}},
    {TILE, .what = "each dimension", .in = {FLOATS(2, 3), KNOWN(2, 3)}, .gradients = 1},
    {TILE, .what = "pixels", .in = {FLOATS(2, 2, 3, 2), KNOWN(1, 1, 2, 2)}, .gradients = 1,
     .batched = 1},
    {TILE, .what = "once", .in = {FLOATS(2, 3), KNOWN(1, 1)}, .gradients = 1},
    {TILE, .what = "never", .in = {FLOATS(2, 3), KNOWN(0, 2)}},
    {TILE, .what = "rank 8", .in = {FLOATS(2, 3, 2, 1, 2, 2, 1, 2), KNOWN(2, 2, 1, 3, 2, 1, 2, 2)},
     .gradients = 1},
    {TILE, .what = "a large row", .in = {FLOATS(1, 40000), KNOWN(3, 1)}},
    {TILE, .what = "int32", .in = {TYPED(ENG_INT32, 3), KNOWN(3)}},
    {TILE, .what = "bytes", .in = {TYPED(ENG_UINT8, 3, 1), KNOWN(2, 4)}},
    {TILE, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3), KNOWN(2)}},
    {.op = "Expand",
     .what = "does not broadcast",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(2, 4)},
     .refusal = "[2, 3] and [2, 4] do not broadcast"},
    {.op = "Expand",
     .what = "negative",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(-1, 3)},
     .refusal = "'shape' holds -1"},
    {.op = "Expand",
     .what = "computed",
     .n_in = 2,
     .in = {FLOATS(2, 3), TYPED(ENG_INT64, 2)},
     .refusal = "(shape) is computed from the picture"},
    {.op = "Expand",
     .what = "nine dimensions",
     .n_in = 2,
     .in = {FLOATS(1), KNOWN(1, 1, 1, 1, 1, 1, 1, 1, 1)},
     .refusal = "at most 8"},
    {.op = "Expand",
     .what = "too large",
     .n_in = 2,
     .in = {FLOATS(1), KNOWN(4e18, 4e18)},
     .refusal = "too large for memory"},
    {.op = "Tile",
     .what = "too few",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(2)},
     .refusal = "input 1 has shape [1]; 2 elements are wanted"},
    {.op = "Tile",
     .what = "negative",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(2, -2)},
     .refusal = "'repeats' holds -2"},
    {.op = "Tile",
     .what = "int32",
     .n_in = 2,
     .in = {FLOATS(2), {.dtype = ENG_INT32, .shape = SHAPE(1), .constant = true}},
     .refusal = "int32; int64 is wanted"},
    {.op = "Tile",
     .what = "too large",
     .n_in = 2,
     .in = {FLOATS(2, 3), KNOWN(9e18, 9e18)},
     .refusal = "too large for memory"},
};

int main(void)
{
    return OP_BATTERY("expand", cases);
}
