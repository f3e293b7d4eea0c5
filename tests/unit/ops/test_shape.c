#include "op_battery.h"

static int64_t cut(int64_t d, int rank)
{
    if (d < 0) d += rank;
    return d < 0 ? 0 : d > rank ? rank : d;
}

static void shape(const struct op_case *c, const struct op_values *in, bool training,
                  struct op_values *out)
{
    (void)training;
    int rank = in[0].shape.rank;
    int64_t start = cut(op_attr_int(c, "start", 0), rank),
            end = cut(op_attr_int(c, "end", rank), rank);
    struct eng_shape y = {.rank = 1, .dim = {end > start ? end - start : 0}};
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = (double)in[0].shape.dim[start + (int64_t)i];
}

static void size(const struct op_case *c, const struct op_values *in, bool training,
                 struct op_values *out)
{
    (void)c;
    (void)training;
    op_values_init(&out[0], (struct eng_shape){.rank = 0});
    out[0].v[0] = (double)in[0].n;
}

#define SHAPE_OF .op = "Shape", .reference = shape, .n_in = 1
#define SIZE_OF  .op = "Size", .reference = size, .n_in = 1
#define BYTES(...)                                      \
    {                                                   \
        .dtype = ENG_UINT8, .shape = SHAPE(__VA_ARGS__) \
    }

static const struct op_case cases[] = {
    {SHAPE_OF, .what = "pictures", .in = {FLOATS(2, 3, 4, 5)}},
    {SHAPE_OF, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32, .shape = SCALAR}}},
    {SHAPE_OF, .what = "nothing in it", .in = {FLOATS(2, 0, 4)}},
    {SHAPE_OF, .what = "bytes", .in = {BYTES(7)}, .low = 0, .high = 9},
    {SHAPE_OF, .what = "from the second", .in = {FLOATS(2, 3, 4)}, .attrs = {ATTR_INT("start", 1)}},
    {SHAPE_OF, .what = "the last two", .in = {FLOATS(2, 3, 4)}, .attrs = {ATTR_INT("start", -2)}},
    {SHAPE_OF, .what = "but the last", .in = {FLOATS(2, 3, 4)}, .attrs = {ATTR_INT("end", -1)}},
    {SHAPE_OF, .what = "start behind end", .in = {FLOATS(2, 3, 4)},
     .attrs = {ATTR_INT("start", 2), ATTR_INT("end", 1)}},
    {SHAPE_OF, .what = "both cut", .in = {FLOATS(2, 3)},
     .attrs = {ATTR_INT("start", -9), ATTR_INT("end", 9)}},
    {SHAPE_OF, .what = "opset 9", .opset = 9, .in = {FLOATS(2, 3)}},
    {SIZE_OF, .what = "pictures", .in = {FLOATS(2, 3, 4)}},
    {SIZE_OF, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32, .shape = SCALAR}}},
    {SIZE_OF, .what = "nothing in it", .in = {FLOATS(2, 0, 4)}},
    {.op = "Shape",
     .what = "start before opset 15",
     .opset = 13,
     .n_in = 1,
     .in = {FLOATS(2, 3)},
     .attrs = {ATTR_INT("start", 1)},
     .refusal = "came with opset 15; the file uses opset 13"},
    {.op = "Size",
     .what = "an attribute",
     .n_in = 1,
     .in = {FLOATS(2, 3)},
     .attrs = {ATTR_INT("start", 1)},
     .refusal = "start"},
};

int main(void)
{
    return OP_BATTERY("shape", cases);
}
