#include "op_battery.h"

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)c;
    (void)training;
    op_values_init(&out[0], in[0].shape);
    memcpy(out[0].v, in[0].v, in[0].n * sizeof *in[0].v);
}

#define GOOD .op = "Identity", .reference = reference, .n_in = 1

static const struct op_case cases[] = {
    {GOOD, .what = "floats", .in = {FLOATS(3, 4)}, .gradients = 1, .batched = 1},
    {GOOD, .what = "a scalar", .in = {{.dtype = ENG_FLOAT32}}, .gradients = 1},
    {GOOD, .what = "int64", .in = {{.dtype = ENG_INT64, .shape = SHAPE(3)}}, .low = -9, .high = 9},
    {.op = "Identity",
     .what = "an attribute",
     .n_in = 1,
     .in = {FLOATS(3)},
     .attrs = {ATTR_INT("axis", 1)},
     .refusal = "'axis' is not known for Identity"},
};

int main(void)
{
    return OP_BATTERY("identity", cases);
}
