#include "op_battery.h"
#include "op_index.h"

static bool is_crd(const struct op_case *c)
{
    const struct eng_attr *mode = op_attr(c, "mode");
    return mode && strcmp(mode->s, "CRD") == 0;
}

/* The pixel of X [N, C b b, H, W] that stands at y of [N, C, H b, W b]. */
static void to_space(const struct op_case *c, const int64_t *y, int64_t n_channels, int64_t b,
                     int64_t *x)
{
    int64_t i = y[2] % b, j = y[3] % b;
    x[0] = y[0];
    x[1] = is_crd(c) ? (y[1] * b + i) * b + j : (i * b + j) * n_channels + y[1];
    x[2] = y[2] / b;
    x[3] = y[3] / b;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    bool deep = strcmp(c->op, "SpaceToDepth") == 0;
    int64_t b = op_attr_int(c, "blocksize", 0), x[ENG_MAX_RANK], y[ENG_MAX_RANK];
    const int64_t *d = in[0].shape.dim;
    struct eng_shape shape = deep ? (struct eng_shape)SHAPE(d[0], d[1] * b * b, d[2] / b, d[3] / b)
                                  : (struct eng_shape)SHAPE(d[0], d[1] / b / b, d[2] * b, d[3] * b);
    op_values_init(&out[0], shape);
    const struct op_values *space = deep ? &in[0] : &out[0];
    for (size_t i = 0; i < in[0].n; i++) {
        op_indices(&space->shape, i, y);
        to_space(c, y, space->shape.dim[1], b, x);
        if (deep)
            out[0].v[op_offset(&shape, x)] = in[0].v[i];
        else
            out[0].v[i] = op_at(&in[0], x);
    }
}

#define TO_SPACE .op = "DepthToSpace", .reference = reference, .n_in = 1
#define TO_DEPTH .op = "SpaceToDepth", .reference = reference, .n_in = 1
#define BLOCK(N) ATTR_INT("blocksize", N)

static const struct op_case cases[] = {
    {TO_SPACE, .what = "DCR", .attrs = {BLOCK(2)}, .in = {FLOATS(2, 12, 3, 5)}, .gradients = 1,
     .batched = 1},
    {TO_SPACE, .what = "CRD", .attrs = {BLOCK(2), ATTR_STRING("mode", "CRD")},
     .in = {FLOATS(2, 12, 3, 5)}, .gradients = 1, .batched = 1},
    {TO_SPACE, .what = "blocks of 3", .attrs = {BLOCK(3), ATTR_STRING("mode", "DCR")},
     .in = {FLOATS(1, 18, 2, 4)}, .gradients = 1},
    {TO_SPACE, .what = "blocks of 1", .attrs = {BLOCK(1)}, .in = {FLOATS(2, 3, 2, 2)},
     .gradients = 1},
    {TO_SPACE, .what = "large", .attrs = {BLOCK(2), ATTR_STRING("mode", "CRD")},
     .in = {FLOATS(2, 16, 40, 41)}},
    {TO_SPACE, .what = "opset 9", .opset = 9, .attrs = {BLOCK(2)}, .in = {FLOATS(1, 4, 2, 3)}},
    {TO_SPACE, .what = "bytes", .attrs = {BLOCK(2)}, .in = {TYPED(ENG_UINT8, 1, 8, 2, 3)}},
    {TO_SPACE, .what = "int64", .attrs = {BLOCK(2)}, .in = {TYPED(ENG_INT64, 1, 8, 2, 3)}},
    {TO_SPACE, .what = "doubles", .attrs = {BLOCK(2)}, .in = {TYPED(ENG_FLOAT64, 1, 8, 2, 3)}},
    {TO_DEPTH, .what = "images", .attrs = {BLOCK(2)}, .in = {FLOATS(2, 3, 4, 6)}, .gradients = 1,
     .batched = 1},
    {TO_DEPTH, .what = "oblong", .attrs = {BLOCK(3)}, .in = {FLOATS(1, 2, 3, 9)}, .gradients = 1},
    {TO_DEPTH, .what = "large", .attrs = {BLOCK(2)}, .in = {FLOATS(2, 3, 128, 96)}},
    {TO_DEPTH, .what = "int32", .attrs = {BLOCK(2)}, .in = {TYPED(ENG_INT32, 1, 2, 4, 4)}},
    {.op = "DepthToSpace",
     .what = "channels do not fit",
     .n_in = 1,
     .attrs = {BLOCK(2)},
     .in = {FLOATS(1, 6, 2, 2)},
     .refusal = "6 channels are not a multiple of blocksize 2 squared"},
    {.op = "DepthToSpace",
     .what = "no blocksize",
     .n_in = 1,
     .in = {FLOATS(1, 4, 2, 2)},
     .refusal = "'blocksize' is missing"},
    {.op = "DepthToSpace",
     .what = "CRD in opset 10",
     .opset = 10,
     .n_in = 1,
     .attrs = {BLOCK(2), ATTR_STRING("mode", "CRD")},
     .in = {FLOATS(1, 4, 2, 2)},
     .refusal = "from opset 11 on"},
    {.op = "SpaceToDepth",
     .what = "rank 3",
     .n_in = 1,
     .attrs = {BLOCK(2)},
     .in = {FLOATS(4, 2, 2)},
     .refusal = "rank 4 is wanted"},
    {.op = "SpaceToDepth",
     .what = "pixels do not fit",
     .n_in = 1,
     .attrs = {BLOCK(2)},
     .in = {FLOATS(1, 1, 4, 3)},
     .refusal = "4 x 3 pixels are no blocks of blocksize 2"},
};

int main(void)
{
    return OP_BATTERY("depth_space", cases);
}
