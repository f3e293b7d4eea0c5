#include "op_battery.h"

static float floats[] = {1.5f, -2.5f, 3.5f};
static const struct eng_tensor tensor = {
    .dtype = ENG_FLOAT32, .shape = {.rank = 2, .dim = {3, 1}}, .data = floats};
static int32_t words[] = {7, -8};
static const struct eng_tensor word_tensor = {
    .dtype = ENG_INT32, .shape = {.rank = 1, .dim = {2}}, .data = words};

/* The value as the case's one attribute gives it. */
static void reference(const struct op_case *c, const struct op_values *in, bool training,
                      struct op_values *out)
{
    (void)in;
    (void)training;
    const struct eng_attr *attr = &c->attrs[0];
    struct eng_shape shape = {.rank = 1, .dim = {(int64_t)attr->n}};
    if (attr->t) shape = attr->t->shape;
    if (attr->type == ENG_ATTR_INT || attr->type == ENG_ATTR_FLOAT) shape.rank = 0;
    op_values_init(&out[0], shape);
    for (size_t i = 0; i < out[0].n; i++)
        out[0].v[i] = attr->t                        ? op_read(attr->t, i)
                      : attr->floats                 ? (double)attr->floats[i]
                      : attr->ints                   ? (double)attr->ints[i]
                      : attr->type == ENG_ATTR_FLOAT ? (double)attr->f
                                                     : (double)attr->i;
}

#define GOOD .op = "Constant", .reference = reference

static const struct op_case cases[] = {
    {GOOD, .what = "a tensor", .attrs = {{.name = "value", .type = ENG_ATTR_TENSOR, .t = &tensor}}},
    {GOOD, .what = "int32",
     .attrs = {{.name = "value", .type = ENG_ATTR_TENSOR, .t = &word_tensor}}},
    {GOOD, .what = "a float", .attrs = {ATTR_FLOAT("value_float", -0.5f)}},
    {GOOD, .what = "zero", .attrs = {ATTR_FLOAT("value_float", 0)}},
    {GOOD, .what = "an integer", .attrs = {ATTR_INT("value_int", -3)}},
    {GOOD, .what = "floats",
     .attrs = {{.name = "value_floats", .type = ENG_ATTR_FLOATS, .floats = floats, .n = 3}}},
    {GOOD, .what = "integers", .attrs = {ATTR_INTS("value_ints", 4, 5, -6)}},
    {GOOD, .what = "an empty list", .attrs = {{.name = "value_ints", .type = ENG_ATTR_INTS}}},
    {.op = "Constant", .what = "nothing", .refusal = "has 0 value attributes"},
    {.op = "Constant",
     .what = "two values",
     .attrs = {ATTR_FLOAT("value_float", 1), ATTR_INT("value_int", 1)},
     .refusal = "has 2 value attributes"},
    {.op = "Constant",
     .what = "a string",
     .attrs = {ATTR_STRING("value_string", "x")},
     .refusal = "'value_string' is not known"},
    {.op = "Constant",
     .what = "sparse",
     .attrs = {{.name = "sparse_value", .type = ENG_ATTR_OTHER}},
     .refusal = "'sparse_value' is not known"},
    {.op = "Constant",
     .what = "a list where one is meant",
     .attrs = {ATTR_INTS("value_int", 1)},
     .refusal = "'value_int' has the wrong type"},
    {.op = "Constant",
     .what = "a graph as value",
     .attrs = {{.name = "value_int", .type = ENG_ATTR_OTHER}},
     .refusal = "'value_int' is"},
};

/* Owned attributes outlive what they were read from. */
static void owned_attributes_outlive_the_file(void **state)
{
    (void)state;
    float list[] = {1, 2};
    char name[] = "value_floats";
    struct eng_attr attr = {.name = name, .type = ENG_ATTR_FLOATS, .floats = list, .n = 2};
    const struct eng_op *op;
    assert_int_equal(eng_op_find(NULL, "Constant", OP_OPSET, &op, NULL), ENG_OK);
    void *attrs = eng_calloc(1, op->attrs_bytes);
    struct eng_arena arena;
    eng_arena_init(&arena);
    assert_int_equal(eng_attrs_read(op, &attr, 1, attrs, NULL), ENG_OK);
    assert_int_equal(eng_attrs_own(op, attrs, &arena, NULL), ENG_OK);
    memset(name, 'x', sizeof name - 1);
    memset(list, 0, sizeof list);
    memset(&attr, 0, sizeof attr);
    struct eng_attr written[8];
    assert_int_equal(eng_attrs_write(op, attrs, written), 1);
    assert_string_equal(written[0].name, "value_floats");
    assert_true(written[0].n == 2 && written[0].floats[1] == 2);
    eng_arena_fini(&arena);
    free(attrs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(owned_attributes_outlive_the_file)};
    return cmocka_run_group_tests(tests, NULL, NULL) + OP_BATTERY("constant", cases);
}
