/* ModelProto: what is read, and what must be refused with a sentence that names it. */
#include "onnx/onnx.h"

#include "base/mem.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Field numbers. */
enum {
    IR_VERSION = 1,
    PRODUCER = 2,
    GRAPH = 7,
    OPSET = 8,
    METADATA = 14,
    TRAINING = 20,
    FUNCTIONS = 25
};
enum {
    NODE = 1,
    GRAPH_NAME = 2,
    INITIALIZER = 5,
    INPUT = 11,
    OUTPUT = 12,
    QUANTIZATION = 14,
    SPARSE = 15
};
enum {
    NODE_INPUT = 1,
    NODE_OUTPUT,
    NODE_NAME,
    NODE_OP,
    NODE_ATTRIBUTE,
    NODE_DOMAIN = 7,
    NODE_OVERLOAD
};
enum {
    ATTR_NAME = 1,
    ATTR_F,
    ATTR_I,
    ATTR_S,
    ATTR_T,
    ATTR_G,
    ATTR_FLOATS,
    ATTR_INTS,
    ATTR_TYPE = 20,
    ATTR_REF = 21
};
enum { TYPE_FLOAT = 1, TYPE_INT, TYPE_STRING, TYPE_TENSOR, TYPE_GRAPH, TYPE_FLOATS, TYPE_INTS };

/* The pieces of a file, put together by finish. */
struct fixture {
    struct wire graph, header, whole, node, attribute, piece, inner, innermost;
    struct onnx_model model;
    struct eng_error err;
};

static void add_opset(struct fixture *f, const char *domain, int64_t version)
{
    f->piece.n = 0;
    wire_text(&f->piece, 1, domain);
    wire_int(&f->piece, 2, version);
    wire_message(&f->header, OPSET, &f->piece);
}

static void add_property(struct fixture *f, const char *key, const char *value)
{
    f->piece.n = 0;
    wire_text(&f->piece, 1, key);
    wire_text(&f->piece, 2, value);
    wire_message(&f->header, METADATA, &f->piece);
}

/* A float tensor value; a dimension of -2 gets the name "batch". */
static void add_value(struct fixture *f, unsigned field, const char *name, int n_dims,
                      const int64_t *dims)
{
    struct wire *shape = &f->inner, *dim = &f->innermost;
    shape->n = 0;
    for (int i = 0; i < n_dims; i++) {
        dim->n = 0;
        if (dims[i] == -2)
            wire_text(dim, 2, "batch");
        else
            wire_int(dim, 1, dims[i]);
        wire_message(shape, 1, dim);
    }
    struct wire *type = dim;
    type->n = 0;
    wire_int(type, 1, ENG_FLOAT32);
    if (n_dims >= 0) wire_message(type, 2, shape);
    shape->n = 0;
    wire_message(shape, 1, type); /* TypeProto.tensor_type */
    f->piece.n = 0;
    wire_text(&f->piece, 1, name);
    wire_message(&f->piece, 2, shape);
    wire_message(&f->graph, field, &f->piece);
}

static void add_initializer(struct fixture *f, const char *name, float value)
{
    f->piece.n = 0;
    wire_text(&f->piece, 8, name);
    wire_int(&f->piece, 2, ENG_FLOAT32);
    wire_bytes(&f->piece, 9, &value, sizeof value);
    wire_message(&f->graph, INITIALIZER, &f->piece);
}

static void begin_node(struct fixture *f, const char *name, const char *op, const char *in,
                       const char *out)
{
    f->node.n = 0;
    wire_text(&f->node, NODE_NAME, name);
    wire_text(&f->node, NODE_OP, op);
    if (in) wire_text(&f->node, NODE_INPUT, in);
    if (out) wire_text(&f->node, NODE_OUTPUT, out);
}

static void begin_attribute(struct fixture *f, const char *name, int type)
{
    f->attribute.n = 0;
    wire_text(&f->attribute, ATTR_NAME, name);
    wire_int(&f->attribute, ATTR_TYPE, type);
}

static void end_attribute(struct fixture *f)
{
    wire_message(&f->node, NODE_ATTRIBUTE, &f->attribute);
}

static void end_node(struct fixture *f)
{
    wire_message(&f->graph, NODE, &f->node);
}

/* x [batch, 4] -> Relu -> y */
static void begin(struct fixture *f)
{
    static const int64_t dims[] = {-2, 4};
    f->graph.n = f->header.n = 0;
    f->err = (struct eng_error){0};
    wire_int(&f->header, IR_VERSION, 7);
    add_opset(f, "", 13);
    wire_text(&f->graph, GRAPH_NAME, "tiny");
    add_value(f, INPUT, "x", 2, dims);
    add_value(f, OUTPUT, "y", 2, dims);
}

static void add_relu(struct fixture *f)
{
    begin_node(f, "act", "Relu", "x", "y");
    end_node(f);
}

static enum eng_status read_bytes(struct fixture *f, const struct wire *w)
{
    uint8_t *exact = malloc(w->n ? w->n : 1); /* so that a sanitizer sees any step beyond */
    assert_non_null(exact);
    memcpy(exact, w->bytes, w->n);
    enum eng_status status = onnx_model_read(exact, w->n, &f->model, &f->err);
    free(exact);
    return status;
}

static enum eng_status finish(struct fixture *f)
{
    f->whole = f->header;
    wire_message(&f->whole, GRAPH, &f->graph);
    return read_bytes(f, &f->whole);
}

static void assert_fails(struct fixture *f, enum eng_status wanted, const char *sentence)
{
    enum eng_status status = finish(f);
    if (status == ENG_OK) onnx_model_fini(&f->model);
    assert_int_equal(status, wanted);
    assert_string_equal(f->err.text, sentence);
}

static int set_up(void **state)
{
    *state = eng_calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void test_reads_a_model(void **state)
{
    struct fixture *f = *state;
    begin(f);
    add_opset(f, "classifyd", 1);
    wire_text(&f->header, PRODUCER, "hand");
    add_property(f, "author", "nobody\nat all");
    add_initializer(f, "w", 2.5f);
    add_relu(f);
    assert_int_equal(finish(f), ENG_OK);
    const struct onnx_model *m = &f->model;
    assert_int_equal(m->ir_version, 7);
    assert_string_equal(m->producer_name, "hand");
    assert_string_equal(m->producer_version, "");
    assert_string_equal(m->graph_name, "tiny");
    assert_int_equal(m->n_opsets, 2);
    assert_string_equal(m->opsets[1].domain, "classifyd");
    assert_int_equal(m->opsets[0].version, 13);
    assert_int_equal(m->n_properties, 1);
    assert_string_equal(m->properties[0].value, "nobody\nat all");
    assert_int_equal(m->n_initializers, 1);
    assert_string_equal(m->initializers[0].name, "w");
    assert_true(*(const float *)m->initializers[0].tensor.data == 2.5f);
    assert_int_equal(m->n_inputs, 1);
    assert_int_equal(m->inputs[0].dtype, ENG_FLOAT32);
    assert_int_equal(m->inputs[0].shape.rank, 2);
    assert_int_equal(m->inputs[0].shape.dim[0], -1);
    assert_int_equal(m->inputs[0].shape.dim[1], 4);
    assert_int_equal(m->n_nodes, 1);
    assert_string_equal(m->nodes[0].op_type, "Relu");
    assert_string_equal(m->nodes[0].domain, "");
    assert_string_equal(m->nodes[0].inputs[0], "x");
    assert_string_equal(m->nodes[0].outputs[0], "y");
    onnx_model_fini(&f->model);
}

static void test_reads_attributes(void **state)
{
    struct fixture *f = *state;
    begin(f);
    begin_node(f, "n", "Thing", "x", "y");
    begin_attribute(f, "alpha", TYPE_FLOAT);
    wire_float(&f->attribute, ATTR_F, 0.25f);
    end_attribute(f);
    begin_attribute(f, "axis", TYPE_INT);
    wire_int(&f->attribute, ATTR_I, -3);
    end_attribute(f);
    begin_attribute(f, "mode", TYPE_STRING);
    wire_text(&f->attribute, ATTR_S, "same");
    end_attribute(f);
    begin_attribute(f, "pads", TYPE_INTS);
    for (int i = 0; i < 4; i++)
        wire_int(&f->attribute, ATTR_INTS, i - 1);
    end_attribute(f);
    begin_attribute(f, "scales", TYPE_FLOATS);
    wire_float(&f->attribute, ATTR_FLOATS, 1.5f);
    end_attribute(f);
    begin_attribute(f, "body", TYPE_GRAPH);
    wire_bytes(&f->attribute, ATTR_G, NULL, 0);
    end_attribute(f);
    begin_attribute(f, "value", TYPE_TENSOR);
    f->piece.n = 0;
    wire_int(&f->piece, 2, ENG_INT64);
    wire_int(&f->piece, 1, 1);
    wire_int(&f->piece, 7, 42);
    wire_message(&f->attribute, ATTR_T, &f->piece);
    end_attribute(f);
    end_node(f);
    assert_int_equal(finish(f), ENG_OK);
    const struct eng_attr *a = f->model.nodes[0].attrs;
    assert_int_equal(f->model.nodes[0].n_attrs, 7);
    assert_true(a[0].type == ENG_ATTR_FLOAT && a[0].f == 0.25f);
    assert_true(a[1].type == ENG_ATTR_INT && a[1].i == -3);
    assert_true(a[2].type == ENG_ATTR_STRING && strcmp(a[2].s, "same") == 0);
    assert_true(a[3].type == ENG_ATTR_INTS && a[3].n == 4 && a[3].ints[0] == -1);
    assert_true(a[4].type == ENG_ATTR_FLOATS && a[4].n == 1 && a[4].floats[0] == 1.5f);
    assert_int_equal(a[5].type, ENG_ATTR_OTHER);
    assert_string_equal(a[5].name, "body");
    assert_true(a[6].type == ENG_ATTR_TENSOR && a[6].t->shape.rank == 1);
    assert_int_equal(*(const int64_t *)a[6].t->data, 42);
    onnx_model_fini(&f->model);
}

static void test_header_refusals(void **state)
{
    struct fixture *f = *state;
    f->whole.n = 0;
    f->err = (struct eng_error){0};
    assert_int_equal(read_bytes(f, &f->whole), ENG_FORMAT);
    assert_string_equal(f->err.text, "ir_version is missing: is this an ONNX model?");

    f->whole.n = 0;
    f->err = (struct eng_error){0};
    wire_raw(&f->whole, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(read_bytes(f, &f->whole), ENG_FORMAT);
    assert_string_equal(f->err.text,
                        "the 8 bytes are not a protobuf ModelProto: truncated, damaged "
                        "or another format");

    begin(f);
    f->header.n = 0;
    wire_int(&f->header, IR_VERSION, 2);
    assert_fails(f, ENG_UNSUPPORTED, "ir_version 2 is not supported, wanted 3 to 10");
    begin(f);
    f->header.n = 0;
    wire_int(&f->header, IR_VERSION, 11);
    assert_fails(f, ENG_UNSUPPORTED, "ir_version 11 is not supported, wanted 3 to 10");
    begin(f);
    f->header.n = 0;
    wire_int(&f->header, IR_VERSION, 8);
    assert_fails(f, ENG_FORMAT, "opset_import is missing, wanted the version of each operator set");
    begin(f);
    add_opset(f, "ai.onnx", 13); /* the other name of "" */
    assert_fails(f, ENG_FORMAT, "opset_import of domain '' comes twice, wanted once");
    begin(f);
    add_opset(f, "com.example", -1);
    assert_fails(f, ENG_FORMAT,
                 "opset_import of domain 'com.example' has version -1, wanted 1 or more");
    begin(f);
    wire_bytes(&f->header, FUNCTIONS, NULL, 0);
    assert_fails(f, ENG_FORMAT, "function 0: has no name, wanted one");
    begin(f);
    wire_bytes(&f->header, TRAINING, NULL, 0);
    assert_fails(f, ENG_UNSUPPORTED, "has training_info, wanted a model for inference");
    begin(f);
    add_property(f, "k", "1");
    add_property(f, "k", "2");
    assert_fails(f, ENG_FORMAT, "metadata key 'k' comes twice, wanted once");
    begin(f);
    f->err = (struct eng_error){0};
    assert_int_equal(read_bytes(f, &f->header), ENG_FORMAT);
    assert_string_equal(f->err.text, "graph is missing: is this an ONNX model?");
}

static void test_graph_refusals(void **state)
{
    struct fixture *f = *state;
    static const int64_t below[] = {-7}, ranks[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    begin(f);
    wire_bytes(&f->graph, SPARSE, NULL, 0);
    assert_fails(f, ENG_UNSUPPORTED, "graph has 1 sparse initializers, wanted dense ones");
    begin(f);
    wire_bytes(&f->graph, QUANTIZATION, NULL, 0);
    assert_fails(f, ENG_UNSUPPORTED,
                 "graph has quantization annotations, wanted QuantizeLinear nodes or none");
    begin(f);
    add_value(f, INPUT, "x", 0, NULL);
    assert_fails(f, ENG_FORMAT, "graph input 'x' comes twice, wanted once");
    begin(f);
    add_value(f, OUTPUT, "", 0, NULL);
    assert_fails(f, ENG_FORMAT, "graph output 1: has no name, wanted one");
    begin(f);
    add_value(f, INPUT, "z", 1, below);
    assert_fails(f, ENG_FORMAT, "graph input 'z': dimension 0 is -7, wanted 0 or more, or a name");
    begin(f);
    add_value(f, INPUT, "z", 9, ranks);
    assert_fails(f, ENG_UNSUPPORTED, "graph input 'z': has 9 dimensions, at most 8 are supported");
    begin(f);
    add_initializer(f, "w", 1);
    add_initializer(f, "w", 2);
    assert_fails(f, ENG_FORMAT, "initializer 'w' comes twice, wanted once");
    begin(f);
    add_initializer(f, "", 1);
    assert_fails(f, ENG_FORMAT, "initializer 0: has no name, wanted one");
}

/* A sequence, a map and so on in place of a tensor. */
static void test_other_value_types(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned field;
        const char *sentence;
    } rows[] = {
        {4, "graph input 's': is of type sequence, wanted a dense tensor"},
        {5, "graph input 's': is of type map, wanted a dense tensor"},
        {7, "graph input 's': is of type opaque, wanted a dense tensor"},
        {8, "graph input 's': is of type sparse tensor, wanted a dense tensor"},
        {9, "graph input 's': is of type optional, wanted a dense tensor"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(f);
        f->inner.n = f->piece.n = 0;
        wire_bytes(&f->inner, rows[i].field, NULL, 0);
        wire_text(&f->piece, 1, "s");
        wire_message(&f->piece, 2, &f->inner);
        wire_message(&f->graph, INPUT, &f->piece);
        assert_fails(f, ENG_UNSUPPORTED, rows[i].sentence);
    }
    begin(f);
    f->piece.n = 0;
    wire_text(&f->piece, 1, "s");
    wire_message(&f->graph, INPUT, &f->piece);
    assert_fails(f, ENG_FORMAT, "graph input 's': has no type");
}

static void test_initializer_may_repeat_an_input(void **state)
{
    struct fixture *f = *state;
    begin(f);
    add_initializer(f, "x", 1);
    add_relu(f);
    assert_int_equal(finish(f), ENG_OK);
    onnx_model_fini(&f->model);
}

static void test_missing_shape_and_minus_one(void **state)
{
    struct fixture *f = *state;
    static const int64_t unknown[] = {-1, 3};
    begin(f);
    add_value(f, INPUT, "anything", -1, NULL);
    add_value(f, INPUT, "some", 2, unknown);
    assert_int_equal(finish(f), ENG_OK);
    assert_int_equal(f->model.inputs[1].shape.rank, -1);
    assert_int_equal(f->model.inputs[2].shape.dim[0], -1);
    onnx_model_fini(&f->model);
}

static void test_node_refusals(void **state)
{
    struct fixture *f = *state;
    static const char twice[] =
        "node 'b' (Relu): output 'y' is already an input, an initializer or "
        "another node's output";
    begin(f);
    add_relu(f);
    begin_node(f, "b", "Relu", "x", "y");
    end_node(f);
    assert_fails(f, ENG_FORMAT, twice);
    begin(f);
    add_initializer(f, "y", 1);
    begin_node(f, "b", "Relu", "x", "y");
    end_node(f);
    assert_fails(f, ENG_FORMAT, twice);
    begin(f);
    begin_node(f, "b", "Relu", "x", NULL);
    end_node(f);
    assert_fails(f, ENG_FORMAT, "node 'b' (Relu): has no output; wanted at least one with a name");
    begin(f);
    begin_node(f, "", "Relu", "x", "");
    end_node(f);
    assert_fails(f, ENG_FORMAT, "node 0 (Relu): has no output; wanted at least one with a name");
    begin(f);
    begin_node(f, "b", "", "x", "y");
    end_node(f);
    assert_fails(f, ENG_FORMAT, "node 0: has no op_type");
    begin(f);
    begin_node(f, "b", "Relu", "x", "y");
    wire_text(&f->node, NODE_OVERLOAD, "v2");
    end_node(f);
    assert_fails(f, ENG_UNSUPPORTED,
                 "node 0: calls an overload of a function, which is not supported; wanted "
                 "functions of different names");
}

static void test_attribute_refusals(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int type;
        unsigned field;
        enum eng_status status;
        const char *sentence;
    } rows[] = {
        {0, 0, ENG_FORMAT, "type is 0, wanted 1 (FLOAT) to 14 (TYPE_PROTOS)"},
        {15, 0, ENG_FORMAT, "type is 15, wanted 1 (FLOAT) to 14 (TYPE_PROTOS)"},
        {TYPE_INT, ATTR_S, ENG_FORMAT, "type says INT, but a value of type STRING stands there"},
        {TYPE_TENSOR, 0, ENG_FORMAT, "type says TENSOR, but there is none"},
        {TYPE_INT, ATTR_REF, ENG_FORMAT,
         "refers to an attribute of a function, but stands in none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence, "node 'n' (Thing): attribute 'a': %s",
                 rows[i].sentence);
        begin(f);
        begin_node(f, "n", "Thing", "x", "y");
        begin_attribute(f, "a", rows[i].type);
        if (rows[i].field) wire_text(&f->attribute, rows[i].field, "value");
        end_attribute(f);
        end_node(f);
        assert_fails(f, rows[i].status, sentence);
    }
    begin(f);
    begin_node(f, "n", "Thing", "x", "y");
    for (int i = 0; i < 2; i++) {
        begin_attribute(f, "a", TYPE_INT);
        end_attribute(f);
    }
    end_node(f);
    assert_fails(f, ENG_FORMAT, "node 'n' (Thing): has attribute 'a' twice");
    begin(f);
    begin_node(f, "n", "Thing", "x", "y");
    for (int i = 0; i < 257; i++) {
        begin_attribute(f, "a", TYPE_INT);
        end_attribute(f);
    }
    end_node(f);
    assert_fails(f, ENG_LIMIT, "node 'n' (Thing): has 257 attributes, at most 256 are supported");
}

static void test_truncated_everywhere(void **state)
{
    struct fixture *f = *state;
    begin(f);
    add_initializer(f, "w", 2.5f);
    add_relu(f);
    assert_int_equal(finish(f), ENG_OK);
    onnx_model_fini(&f->model);
    for (size_t n = f->whole.n; n-- > 0;) {
        f->whole.n = n;
        f->err = (struct eng_error){0};
        assert_int_not_equal(read_bytes(f, &f->whole), ENG_OK);
        assert_int_not_equal(f->err.text[0], 0);
    }
}

/* Two bytes ask for a struct of 150, a million times over: refused, not allocated. */
static void test_memory_is_bounded(void **state)
{
    struct fixture *f = *state;
    enum { N = 3000000 };
    static const uint8_t head[] = {0x08, 0x08, GRAPH << 3 | 2};
    uint8_t *bytes = malloc(sizeof head + 5 + 2 * (size_t)N);
    assert_non_null(bytes);
    struct wire length = {.n = 0};
    wire_varint(&length, 2 * (uint64_t)N);
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, length.bytes, length.n);
    size_t n = sizeof head + length.n;
    for (size_t i = 0; i < N; i++, n += 2) {
        bytes[n] = NODE << 3 | 2;
        bytes[n + 1] = 0;
    }
    f->err = (struct eng_error){0};
    assert_int_equal(onnx_model_read(bytes, n, &f->model, &f->err), ENG_LIMIT);
    assert_string_equal(f->err.text,
                        "ModelProto of 6000007 bytes wants more than 115108920 bytes of "
                        "memory when unpacked");
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_model),
        cmocka_unit_test(test_reads_attributes),
        cmocka_unit_test(test_header_refusals),
        cmocka_unit_test(test_graph_refusals),
        cmocka_unit_test(test_other_value_types),
        cmocka_unit_test(test_initializer_may_repeat_an_input),
        cmocka_unit_test(test_missing_shape_and_minus_one),
        cmocka_unit_test(test_node_refusals),
        cmocka_unit_test(test_attribute_refusals),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_memory_is_bounded),
    };
    return cmocka_run_group_tests_name("onnx read", tests, set_up, tear_down);
}
