#include "op_battery.h"

/* How many elements the function runs over, and how far apart they are. */
static void lines_of(const struct op_case *c, const struct eng_shape *shape, size_t *n,
                     size_t *inner)
{
    bool flattens = op_opset(c) < 13;
    int64_t axis = op_attr_int(c, "axis", flattens ? 1 : -1);
    if (axis < 0) axis += shape->rank;
    *n = *inner = 1;
    for (int d = (int)axis; d < shape->rank; d++)
        if (flattens || d == axis)
            *n *= (size_t)shape->dim[d];
        else
            *inner *= (size_t)shape->dim[d];
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    size_t inner, n;
    lines_of(c, &in[0].shape, &n, &inner);
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++) {
        size_t start = i / (n * inner) * n * inner + i % inner;
        double max = -INFINITY, sum = 0;
        for (size_t k = 0; k < n; k++)
            max = fmax(max, in[0].v[start + k * inner]);
        for (size_t k = 0; k < n; k++)
            sum += exp(in[0].v[start + k * inner] - max);
        double log = in[0].v[i] - max - (sum > 0 ? log1p(sum - 1) : 0);
        out[0].v[i] = strcmp(c->op, "Softmax") == 0 ? exp(log) : log;
    }
}

static void hardmax_reference(const struct op_case *c, const struct op_values *in, bool training,
                              struct op_values *out)
{
    (void)training;
    size_t inner, n;
    lines_of(c, &in[0].shape, &n, &inner);
    op_values_init(&out[0], in[0].shape);
    for (size_t i = 0; i < in[0].n; i++) {
        size_t start = i / (n * inner) * n * inner + i % inner;
        bool wins = true;
        for (size_t k = start; k < start + n * inner; k += inner)
            wins = wins && (k < i ? in[0].v[k] < in[0].v[i] : in[0].v[k] <= in[0].v[i]);
        out[0].v[i] = wins;
    }
}

#define SOFTMAX .op = "Softmax", .reference = reference, .n_in = 1
#define LOG     .op = "LogSoftmax", .reference = reference, .n_in = 1
#define HARD    .op = "Hardmax", .reference = hardmax_reference, .n_in = 1

static const double ties[] = {1, 3, 3, 2, -1, -1, -1, -1};
static const double large[] = {10000, 10001, 9999, -1e30, -88, 0, 88, 89};

static const struct op_case cases[] = {
    {SOFTMAX, .what = "rows", .in = {FLOATS(3, 10)}, .gradients = 1, .batched = 1},
    {SOFTMAX, .what = "many classes", .in = {FLOATS(3, 1003)}, .low = -9, .high = 9, .batched = 1},
    {SOFTMAX, .what = "last axis of three", .in = {FLOATS(2, 3, 4)}, .gradients = 1, .batched = 1},
    {SOFTMAX, .what = "middle axis", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(2, 3, 4)},
     .gradients = 1, .batched = 1},
    {SOFTMAX, .what = "first axis", .attrs = {ATTR_INT("axis", -3)}, .in = {FLOATS(2, 3, 4)},
     .gradients = 1},
    {SOFTMAX, .what = "flattened", .opset = 11, .in = {FLOATS(2, 3, 4)}, .gradients = 1,
     .batched = 1},
    {SOFTMAX, .what = "flattened at 2", .opset = 8, .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(2, 3, 4)}, .gradients = 1},
    {SOFTMAX, .what = "flattened at the end", .opset = 8, .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(2, 3)}},
    {SOFTMAX, .what = "large numbers",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 4), .values = large}}, .batched = 1},
    {SOFTMAX, .what = "no rows", .in = {FLOATS(0, 4)}},
    {LOG, .what = "rows", .in = {FLOATS(3, 10)}, .gradients = 1, .batched = 1},
    {LOG, .what = "middle axis", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(2, 3, 4)},
     .gradients = 1},
    {LOG, .what = "flattened", .opset = 9, .in = {FLOATS(2, 3, 4)}, .gradients = 1},
    {LOG, .what = "large numbers",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 4), .values = large}}},
    {SOFTMAX, .what = "many rows for threads", .in = {FLOATS(50, 401)}, .batched = 1},
    {SOFTMAX, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 3, 10)}, .batched = 1},
    {LOG, .what = "doubles", .attrs = {ATTR_INT("axis", 0)}, .in = {TYPED(ENG_FLOAT64, 3, 10)}},
    {HARD, .what = "rows", .in = {FLOATS(3, 10)}, .batched = 1},
    {HARD, .what = "middle axis", .attrs = {ATTR_INT("axis", 1)}, .in = {FLOATS(2, 3, 4)},
     .batched = 1},
    {HARD, .what = "flattened", .opset = 11, .in = {FLOATS(2, 3, 4)}, .batched = 1},
    {HARD, .what = "ties", .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2, 4), .values = ties}}},
    {HARD, .what = "doubles", .in = {TYPED(ENG_FLOAT64, 2, 4)}},
    {.op = "Hardmax",
     .what = "integers",
     .n_in = 1,
     .in = {TYPED(ENG_INT32, 2, 4)},
     .refusal = "int32; float or double is wanted"},
    {.op = "Softmax",
     .what = "axis too large",
     .n_in = 1,
     .attrs = {ATTR_INT("axis", 2)},
     .in = {FLOATS(2, 3)},
     .refusal = "axis 2 lies outside a tensor of rank 2"},
    {.op = "LogSoftmax",
     .what = "a scalar",
     .n_in = 1,
     .in = {{.dtype = ENG_FLOAT32}},
     .refusal = "axis -1"},
    {.op = "Softmax",
     .what = "integers",
     .n_in = 1,
     .in = {{.dtype = ENG_INT64, .shape = SHAPE(2, 3)}},
     .refusal = "int64; float or double is wanted"},
};

int main(void)
{
    return OP_BATTERY("softmax", cases);
}
