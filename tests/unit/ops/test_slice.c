#include "op_battery.h"
#include "op_index.h"

#include <limits.h>

/* Number i of starts, ends, axes or steps, from attribute or input; *n: how many there are. */
static int64_t number(const struct op_case *c, const struct op_values *in, size_t input,
                      const char *name, size_t i, int64_t absent)
{
    if (op_opset(c) < 10) return op_attr_ints(c, name, i, absent);
    if (input >= c->n_in || c->in[input].dtype == ENG_DTYPE_NONE) return absent;
    /* 2^63 is no int64: what a double rounds up to it means the largest. */
    return in[input].v[i] >= 9.2e18 ? INT64_MAX : (int64_t)in[input].v[i];
}

/* As ONNX words it: counted from the end if negative, then clamped. */
static int64_t clamped(int64_t i, int64_t length, int64_t low, int64_t high)
{
    if (i < 0) i += length;
    return i < low ? low : i > high ? high : i;
}

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    struct eng_shape y = in[0].shape;
    int64_t first[ENG_MAX_RANK] = {0}, step[ENG_MAX_RANK];
    size_t n = op_opset(c) < 10 ? op_attr(c, "starts")->n : in[1].n;
    for (int d = 0; d < ENG_MAX_RANK; d++)
        step[d] = 1;
    for (size_t i = 0; i < n; i++) {
        int64_t d = number(c, in, 3, "axes", i, (int64_t)i);
        if (d < 0) d += y.rank;
        int64_t length = in[0].shape.dim[d], s = number(c, in, 4, "steps", i, 1);
        int64_t begin =
            clamped(number(c, in, 1, "starts", i, 0), length, 0, s > 0 ? length : length - 1);
        int64_t end = clamped(number(c, in, 2, "ends", i, 0), length, s > 0 ? 0 : -1,
                              s > 0 ? length : length - 1);
        first[d] = begin;
        step[d] = s;
        y.dim[d] = 0;
        for (int64_t j = begin; s > 0 ? j < end : j > end; j += s) {
            y.dim[d]++;
            if (s > INT32_MAX || s < INT32_MIN) break;
        }
    }
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++) {
        int64_t index[ENG_MAX_RANK];
        op_indices(&y, i, index);
        for (int d = 0; d < y.rank; d++)
            if (index[d] > 0 || first[d] > 0)
                index[d] = first[d] + (index[d] ? index[d] * step[d] : 0);
        out[0].v[i] = op_at(&in[0], index);
    }
}

#define SLICE(N) .op = "Slice", .reference = reference, .n_in = N
#define INT32S(...)                                                                             \
    {                                                                                           \
        .dtype = ENG_INT32, .shape = {.rank = 1, .dim = {sizeof((double[]){__VA_ARGS__}) / 8}}, \
        .values = (const double[]){__VA_ARGS__}, .constant = true                               \
    }
#define STARTS(...) ATTR_INTS("starts", __VA_ARGS__)
#define ENDS(...)   ATTR_INTS("ends", __VA_ARGS__)
#define AXES(...)   ATTR_INTS("axes", __VA_ARGS__)

static const struct op_case cases[] = {
    {SLICE(3), .what = "rows", .in = {FLOATS(5, 3), KNOWN(1), KNOWN(3)}, .gradients = 1},
    {SLICE(4), .what = "channels", .in = {FLOATS(2, 5, 2, 3), KNOWN(1), KNOWN(4), KNOWN(1)},
     .gradients = 1, .batched = 1},
    {SLICE(5), .what = "every second pixel",
     .in = {FLOATS(2, 3, 6, 7), KNOWN(0, 1), KNOWN(6, 7), KNOWN(2, 3), KNOWN(2, 2)}, .gradients = 1,
     .batched = 1},
    {SLICE(5), .what = "backwards",
     .in = {FLOATS(2, 5, 4), KNOWN(-1, 3), KNOWN(-100, 0), KNOWN(1, 2), KNOWN(-1, -2)},
     .gradients = 1, .batched = 1},
    {SLICE(5), .what = "backwards from before the beginning",
     .in = {FLOATS(5), KNOWN(-100), KNOWN(-200), KNOWN(0), KNOWN(-1)}},
    {SLICE(4), .what = "negative", .in = {FLOATS(3, 5), KNOWN(-3), KNOWN(-1), KNOWN(-1)},
     .gradients = 1},
    {SLICE(3), .what = "beyond the end", .in = {FLOATS(3, 5), KNOWN(1, 2), KNOWN(9e18, 1e18)},
     .gradients = 1},
    {SLICE(5), .what = "the largest numbers",
     .in = {FLOATS(4, 3), KNOWN(9.3e18, -9.2e18), KNOWN(-9.2e18, 9.3e18), KNOWN(0, 1),
            KNOWN(-9.2e18, 9.3e18)}},
    {SLICE(3), .what = "nothing", .in = {FLOATS(3, 5), KNOWN(2), KNOWN(2)}},
    {SLICE(5), .what = "of nothing",
     .in = {FLOATS(0, 5), KNOWN(0, -1), KNOWN(3, 0), KNOWN(0, 1), KNOWN(-1, -2)}},
    {SLICE(5), .what = "axes left out",
     .in = {FLOATS(5, 4), KNOWN(4, 0), KNOWN(0, 4), LEFT_OUT, KNOWN(-2, 3)}, .gradients = 1},
    {SLICE(5), .what = "int32 bounds",
     .in = {FLOATS(2, 4), INT32S(1), INT32S(3), INT32S(1), INT32S(1)}},
    {SLICE(1), .what = "attributes", .opset = 9, .attrs = {STARTS(1, -2), ENDS(3, 100), AXES(1, 2)},
     .in = {FLOATS(2, 4, 3)}, .gradients = 1, .batched = 1},
    {SLICE(1), .what = "attributes without axes", .opset = 7, .attrs = {STARTS(0, 1), ENDS(2, 3)},
     .in = {FLOATS(3, 4)}},
    {SLICE(5), .what = "large enough for threads",
     .in = {FLOATS(2, 7, 100, 60), KNOWN(0, 59), KNOWN(5, 0), KNOWN(1, 3), KNOWN(1, -1)}},
    {SLICE(3), .what = "int64", .in = {TYPED(ENG_INT64, 4), KNOWN(2), KNOWN(4)}},
    {SLICE(5), .what = "bytes",
     .in = {TYPED(ENG_UINT8, 3, 9), KNOWN(0), KNOWN(9), KNOWN(1), KNOWN(4)}},
    {SLICE(5), .what = "int16",
     .in = {TYPED(ENG_INT16, 3, 9), KNOWN(8), KNOWN(-9), KNOWN(1), KNOWN(-3)}},
    {SLICE(3), .what = "doubles", .in = {TYPED(ENG_FLOAT64, 4, 2), KNOWN(2), KNOWN(4)}},
    {.op = "Slice",
     .what = "step 0",
     .n_in = 5,
     .in = {FLOATS(3), KNOWN(0), KNOWN(1), KNOWN(0), KNOWN(0)},
     .refusal = "the step along axis 0 is 0"},
    {.op = "Slice",
     .what = "an axis twice",
     .n_in = 4,
     .in = {FLOATS(3, 2), KNOWN(0, 0), KNOWN(1, 1), KNOWN(1, -1)},
     .refusal = "axis 1 is named twice"},
    {.op = "Slice",
     .what = "fewer ends",
     .n_in = 3,
     .in = {FLOATS(3, 2), KNOWN(0, 0), KNOWN(1)},
     .refusal = "2 starts, 1 ends, 2 axes and 2 steps"},
    {.op = "Slice",
     .what = "more starts than axes",
     .n_in = 3,
     .in = {FLOATS(3), KNOWN(0, 0), KNOWN(1, 1)},
     .refusal = "axis 1 lies outside"},
    {.op = "Slice",
     .what = "computed starts",
     .n_in = 3,
     .in = {FLOATS(3), TYPED(ENG_INT64, 1), KNOWN(1)},
     .refusal = "(starts) is computed from the picture"},
    {.op = "Slice",
     .what = "float starts",
     .n_in = 3,
     .in = {FLOATS(3), {.dtype = ENG_FLOAT32, .shape = SHAPE(1), .constant = true}, KNOWN(1)},
     .refusal = "float; int64 is wanted"},
    {.op = "Slice",
     .what = "no ends",
     .n_in = 2,
     .in = {FLOATS(3), KNOWN(0)},
     .refusal = "is missing"},
    {.op = "Slice",
     .what = "attributes in opset 10",
     .opset = 10,
     .n_in = 1,
     .attrs = {STARTS(0), ENDS(1)},
     .in = {FLOATS(3)},
     .refusal = "in opset 10 starts, ends and axes are inputs"},
    {.op = "Slice",
     .what = "inputs in opset 9",
     .opset = 9,
     .n_in = 3,
     .in = {FLOATS(3), KNOWN(0), KNOWN(1)},
     .refusal = "in opset 9 starts and ends are attributes"},
};

int main(void)
{
    return OP_BATTERY("slice", cases);
}
