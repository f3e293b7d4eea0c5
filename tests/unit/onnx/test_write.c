/* read(write(m)) is m, the same bytes each time, and what cannot be written is refused. */
#include "onnx/onnx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static float weights[6] = {1, -2, 3, 0.1f, 1e-30f, 6};
static int64_t shape_data[2] = {-1, 6};
static const int64_t pads[4] = {0, 1, 0, 1};
static const float scales[2] = {0.5f, 2};
static const char *const conv_in[] = {"x", "", "w"}, *const conv_out[] = {"h", ""};
static const char *const next_in[] = {"h"}, *const next_out[] = {"y"};

static struct eng_tensor scalar = {.dtype = ENG_INT64, .shape = {.rank = 1, .dim = {2}}};

static struct eng_attr attrs[] = {
    {.name = "alpha", .type = ENG_ATTR_FLOAT, .f = 0.0f},
    {.name = "group", .type = ENG_ATTR_INT, .i = -7},
    {.name = "auto_pad", .type = ENG_ATTR_STRING, .s = "SAME_UPPER"},
    {.name = "value", .type = ENG_ATTR_TENSOR, .t = &scalar},
    {.name = "scales", .type = ENG_ATTR_FLOATS, .floats = scales, .n = 2},
    {.name = "pads", .type = ENG_ATTR_INTS, .ints = pads, .n = 4},
    {.name = "none", .type = ENG_ATTR_INTS, .n = 0},
};

static struct onnx_node nodes[] = {
    {.name = "conv",
     .op_type = "Conv",
     .domain = "",
     .inputs = conv_in,
     .n_inputs = 3,
     .outputs = conv_out,
     .n_outputs = 2,
     .attrs = attrs,
     .n_attrs = 7},
    {.name = "",
     .op_type = "KNearest",
     .domain = "classifyd",
     .inputs = next_in,
     .n_inputs = 1,
     .outputs = next_out,
     .n_outputs = 1},
};
static struct onnx_named_tensor initializers[] = {
    {.name = "w",
     .tensor = {.dtype = ENG_FLOAT32, .shape = {.rank = 2, .dim = {2, 3}}, .data = weights}},
    {.name = "none", .tensor = {.dtype = ENG_UINT8, .shape = {.rank = 1, .dim = {0}}}},
};
static struct onnx_value_info inputs[] = {
    {.name = "x", .dtype = ENG_FLOAT32, .shape = {.rank = 3, .dim = {-1, 1, -1}}},
    {.name = "any", .dtype = ENG_INT64, .shape = {.rank = -1}},
};
static struct onnx_value_info outputs[] = {
    {.name = "y", .dtype = ENG_FLOAT32, .shape = {.rank = 0}},
};
static struct onnx_opset opsets[] = {{"", 13}, {"classifyd", 1}};
static struct onnx_property properties[] = {{"classifyd.labels", "[\"a\",\n\"\xc3\xa4\"]"},
                                            {"k", ""}};

static struct onnx_model make_model(void)
{
    scalar.data = shape_data;
    return (struct onnx_model){
        .ir_version = 8,
        .producer_name = "classifyd",
        .producer_version = "0.1.0",
        .doc_string = "two\nlines",
        .graph_name = "net",
        .opsets = opsets,
        .n_opsets = 2,
        .properties = properties,
        .n_properties = 2,
        .nodes = nodes,
        .n_nodes = 2,
        .initializers = initializers,
        .n_initializers = 2,
        .inputs = inputs,
        .n_inputs = 2,
        .outputs = outputs,
        .n_outputs = 1,
    };
}

static void assert_same_tensor(const struct eng_tensor *a, const struct eng_tensor *b)
{
    assert_int_equal(a->dtype, b->dtype);
    assert_true(eng_shape_equal(&a->shape, &b->shape));
    size_t n_bytes = (size_t)eng_tensor_bytes(a);
    if (n_bytes) assert_memory_equal(a->data, b->data, n_bytes);
}

static void assert_same_attr(const struct eng_attr *a, const struct eng_attr *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->type, b->type);
    assert_true(a->f == b->f && a->i == b->i && a->n == b->n);
    if (a->s) assert_string_equal(a->s, b->s);
    if (a->t) assert_same_tensor(a->t, b->t);
    if (a->floats) assert_memory_equal(a->floats, b->floats, a->n * sizeof *a->floats);
    if (a->ints) assert_memory_equal(a->ints, b->ints, a->n * sizeof *a->ints);
}

static void assert_same_names(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++)
        assert_string_equal(a[i], b[i]);
}

static void assert_same_node(const struct onnx_node *a, const struct onnx_node *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->op_type, b->op_type);
    assert_string_equal(a->domain, b->domain);
    assert_same_names(a->inputs, a->n_inputs, b->inputs, b->n_inputs);
    assert_same_names(a->outputs, a->n_outputs, b->outputs, b->n_outputs);
    assert_int_equal(a->n_attrs, b->n_attrs);
    for (size_t i = 0; i < a->n_attrs; i++)
        assert_same_attr(&a->attrs[i], &b->attrs[i]);
}

static void assert_same_values(const struct onnx_value_info *a, size_t n_a,
                               const struct onnx_value_info *b, size_t n_b)
{
    assert_int_equal(n_a, n_b);
    for (size_t i = 0; i < n_a; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_int_equal(a[i].dtype, b[i].dtype);
        assert_true(eng_shape_equal(&a[i].shape, &b[i].shape));
    }
}

static void assert_same_model(const struct onnx_model *a, const struct onnx_model *b)
{
    assert_int_equal(a->ir_version, b->ir_version);
    assert_string_equal(a->producer_name, b->producer_name);
    assert_string_equal(a->producer_version, b->producer_version);
    assert_string_equal(a->doc_string, b->doc_string);
    assert_string_equal(a->graph_name, b->graph_name);
    assert_int_equal(a->n_opsets, b->n_opsets);
    for (size_t i = 0; i < a->n_opsets; i++) {
        assert_string_equal(a->opsets[i].domain, b->opsets[i].domain);
        assert_int_equal(a->opsets[i].version, b->opsets[i].version);
    }
    assert_int_equal(a->n_properties, b->n_properties);
    for (size_t i = 0; i < a->n_properties; i++) {
        assert_string_equal(a->properties[i].key, b->properties[i].key);
        assert_string_equal(a->properties[i].value, b->properties[i].value);
    }
    assert_int_equal(a->n_initializers, b->n_initializers);
    for (size_t i = 0; i < a->n_initializers; i++) {
        assert_string_equal(a->initializers[i].name, b->initializers[i].name);
        assert_same_tensor(&a->initializers[i].tensor, &b->initializers[i].tensor);
    }
    assert_int_equal(a->n_nodes, b->n_nodes);
    for (size_t i = 0; i < a->n_nodes; i++)
        assert_same_node(&a->nodes[i], &b->nodes[i]);
    assert_same_values(a->inputs, a->n_inputs, b->inputs, b->n_inputs);
    assert_same_values(a->outputs, a->n_outputs, b->outputs, b->n_outputs);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct onnx_model model = make_model(), back;
    struct eng_error err = {0};
    uint8_t *bytes;
    size_t n_bytes;
    assert_int_equal(onnx_model_write(&model, &bytes, &n_bytes, &err), ENG_OK);
    enum eng_status status = onnx_model_read(bytes, n_bytes, &back, &err);
    free(bytes); /* what was read must not point here */
    if (status != ENG_OK) print_message("%s\n", err.text);
    assert_int_equal(status, ENG_OK);
    assert_same_model(&model, &back);
    onnx_model_fini(&back);
}

static void test_deterministic(void **state)
{
    (void)state;
    struct onnx_model model = make_model(), back;
    uint8_t *first, *second, *third;
    size_t n_first, n_second, n_third;
    assert_int_equal(onnx_model_write(&model, &first, &n_first, NULL), ENG_OK);
    assert_int_equal(onnx_model_write(&model, &second, &n_second, NULL), ENG_OK);
    assert_int_equal(onnx_model_read(first, n_first, &back, NULL), ENG_OK);
    assert_int_equal(onnx_model_write(&back, &third, &n_third, NULL), ENG_OK);
    onnx_model_fini(&back);
    assert_int_equal(n_first, n_second);
    assert_memory_equal(first, second, n_first);
    assert_int_equal(n_first, n_third);
    assert_memory_equal(first, third, n_first);
    free(first);
    free(second);
    free(third);
}

static void test_refusals(void **state)
{
    (void)state;
    struct onnx_model model = make_model();
    struct eng_attr graph = {.name = "body", .type = ENG_ATTR_OTHER};
    struct onnx_node node = nodes[1];
    struct eng_error err = {0};
    uint8_t *bytes = NULL;
    size_t n_bytes = 0;
    node.attrs = &graph;
    node.n_attrs = 1;
    model.nodes = &node;
    model.n_nodes = 1;
    assert_int_equal(onnx_model_write(&model, &bytes, &n_bytes, &err), ENG_ARGUMENT);
    assert_string_equal(err.text, "attribute 'body' has a type that is not written");
    struct onnx_named_tensor untyped = {.name = "w"};
    model = make_model();
    model.initializers = &untyped;
    model.n_initializers = 1;
    err = (struct eng_error){0};
    assert_int_equal(onnx_model_write(&model, &bytes, &n_bytes, &err), ENG_ARGUMENT);
    assert_string_equal(err.text, "tensor 'w' of type undefined and shape [] cannot be written");
    assert_null(bytes);
    assert_int_equal(n_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("onnx write", tests, NULL, NULL);
}
