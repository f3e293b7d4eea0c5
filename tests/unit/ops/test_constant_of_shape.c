#include "op_battery.h"

static int64_t seven = 7;
static const struct eng_tensor int_value = {
    .dtype = ENG_INT64, .shape = {.rank = 1, .dim = {1}}, .data = &seven};
static float half = 0.5f, pair[] = {1, 2};
static const struct eng_tensor float_value = {
    .dtype = ENG_FLOAT32, .shape = {.rank = 0}, .data = &half};
static bool yes = true;
static const struct eng_tensor bool_value = {
    .dtype = ENG_BOOL, .shape = {.rank = 1, .dim = {1}}, .data = &yes};
static const struct eng_tensor two_values = {
    .dtype = ENG_FLOAT32, .shape = {.rank = 1, .dim = {2}}, .data = pair};

static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)training;
    const struct eng_attr *value = op_attr(c, "value");
    struct eng_shape y = {.rank = (int)in[0].n};
    for (int d = 0; d < y.rank; d++)
        y.dim[d] = (int64_t)in[0].v[d];
    op_values_init(&out[0], y);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = value ? op_read(value->t, 0) : 0;
}

#define TO(...)                                                                                 \
    {                                                                                           \
        .dtype = ENG_INT64, .shape = {.rank = 1, .dim = {sizeof((double[]){__VA_ARGS__}) / 8}}, \
        .values = (const double[]){__VA_ARGS__}, .constant = true                               \
    }
#define VALUE(T)                                              \
    {                                                         \
        {                                                     \
            .name = "value", .type = ENG_ATTR_TENSOR, .t = &T \
        }                                                     \
    }
#define GOOD    .op = "ConstantOfShape", .reference = reference, .n_in = 1
#define REFUSED .op = "ConstantOfShape", .n_in = 1

static const struct op_case cases[] = {
    {GOOD, .what = "zeros", .in = {TO(2, 3)}},
    {GOOD, .what = "sevens", .in = {TO(3, 1, 5)}, .attrs = VALUE(int_value)},
    {GOOD, .what = "halves", .in = {TO(7)}, .attrs = VALUE(float_value)},
    {GOOD, .what = "true", .in = {TO(5, 3)}, .attrs = VALUE(bool_value)},
    {GOOD, .what = "nothing", .in = {TO(2, 0)}, .attrs = VALUE(float_value)},
    {GOOD, .what = "a scalar", .attrs = VALUE(float_value),
     .in = {{.dtype = ENG_INT64, .shape = SHAPE(0), .constant = true}}},
    {REFUSED, .what = "two values", .in = {TO(2)}, .attrs = VALUE(two_values),
     .refusal = "'value' has 2 elements; 1 is wanted"},
    {REFUSED, .what = "a negative dimension", .in = {TO(2, -1)},
     .refusal = "dimension 1 is -1; 0 or more is wanted"},
    {REFUSED, .what = "nine dimensions", .in = {TO(1, 1, 1, 1, 1, 1, 1, 1, 1)},
     .refusal = "at most 8"},
    {REFUSED, .what = "a computed shape", .in = {{.dtype = ENG_INT64, .shape = SHAPE(2)}},
     .refusal = "(input) is computed from the picture"},
    {REFUSED, .what = "a float shape",
     .in = {{.dtype = ENG_FLOAT32, .shape = SHAPE(2), .constant = true}},
     .refusal = "float; int64 is wanted"},
};

int main(void)
{
    return OP_BATTERY("constant_of_shape", cases);
}
