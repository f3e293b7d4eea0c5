#include "op_battery.h"

static double number(const struct op_case *c, const char *name, int64_t column, double otherwise)
{
    for (size_t i = 0; i < sizeof c->attrs / sizeof *c->attrs; i++)
        if (c->attrs[i].name && strcmp(c->attrs[i].name, name) == 0)
            return (double)c->attrs[i].floats[c->attrs[i].n == 1 ? 0 : column];
    return otherwise;
}

/* Y = (X - offset) scale. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    int64_t n_columns = in[0].shape.dim[in[0].shape.rank - 1];
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++) {
        int64_t column = (int64_t)i % n_columns;
        out[0].v[i] = (in[0].v[i] - number(c, "offset", column, 0)) * number(c, "scale", column, 1);
    }
}

#define SCALER .op = "Scaler", .domain = "ai.onnx.ml", .opset = 1, .n_in = 1
#define GOOD   SCALER, .reference = reference
#define LIST(NAME, ...)                                                                \
    {                                                                                  \
        .name = NAME, .type = ENG_ATTR_FLOATS, .floats = (const float[]){__VA_ARGS__}, \
        .n = sizeof((float[]){__VA_ARGS__}) / sizeof(float)                            \
    }

static const struct op_case cases[] = {
    {GOOD, .what = "columns", .attrs = {LIST("offset", 1, -2, 0.5f), LIST("scale", 2, 0.25f, -1)},
     .in = {FLOATS(4, 3)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "one number for all", .attrs = {LIST("offset", 3), LIST("scale", 0.5f)},
     .in = {FLOATS(4, 3)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "a list", .attrs = {LIST("offset", 1, 2, 3), LIST("scale", 4)},
     .in = {FLOATS(3)}, .gradients = 1},
    {GOOD, .what = "no factor", .attrs = {LIST("offset", 1, 2)}, .in = {FLOATS(3, 2)},
     .gradients = 1},
    {GOOD, .what = "nothing at all", .in = {FLOATS(3, 2)}, .gradients = 1},
    {GOOD, .what = "doubles", .attrs = {LIST("offset", 1, 2)}, .in = {TYPED(ENG_FLOAT64, 3, 2)},
     .batched = 1},
    {GOOD, .what = "int64", .attrs = {LIST("scale", 1, 0.5f)}, .in = {TYPED(ENG_INT64, 3, 2)}},
    {GOOD, .what = "int32", .attrs = {LIST("scale", 1, 0.5f)}, .in = {TYPED(ENG_INT32, 3, 2)}},
    {GOOD, .what = "no rows", .attrs = {LIST("scale", 1, 0.5f)}, .in = {FLOATS(0, 2)}},
    {GOOD, .what = "no columns", .in = {FLOATS(2, 0)}},
    {SCALER, .what = "too few numbers", .attrs = {LIST("offset", 1, 2)}, .in = {FLOATS(4, 3)},
     .refusal = "attribute 'offset' has 2 numbers; 1 or 3 are wanted"},
    {SCALER, .what = "no list", .attrs = {ATTR_FLOAT("scale", 1)}, .in = {FLOATS(4, 3)},
     .refusal = "'scale' is not a list of floats"},
    {SCALER, .what = "pictures", .in = {FLOATS(1, 3, 2, 2)}, .refusal = "rank 1 to 2 is wanted"},
    {SCALER, .what = "bytes", .in = {TYPED(ENG_UINT8, 4, 3)},
     .refusal = "uint8; float, double, int64 or int32 is wanted"},
};

int main(void)
{
    return OP_BATTERY("scaler", cases);
}
