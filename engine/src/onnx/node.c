#include "onnx/node.h"

#include "base/error.h"
#include "onnx/tensor.h"
#include "onnx/unpack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* No operator of ONNX has as many; it bounds the search for duplicates. */
enum { MAX_ATTRIBUTES = 256 };

static const char *const type_names[N_ONNX_ATTRIBUTE_TYPES] = {
    [ONNX_ATTRIBUTE_FLOAT] = "FLOAT",
    [ONNX_ATTRIBUTE_INT] = "INT",
    [ONNX_ATTRIBUTE_STRING] = "STRING",
    [ONNX_ATTRIBUTE_TENSOR] = "TENSOR",
    [ONNX_ATTRIBUTE_GRAPH] = "GRAPH",
    [ONNX_ATTRIBUTE_FLOATS] = "FLOATS",
    [ONNX_ATTRIBUTE_INTS] = "INTS",
    [ONNX_ATTRIBUTE_STRINGS] = "STRINGS",
    [ONNX_ATTRIBUTE_TENSORS] = "TENSORS",
    [ONNX_ATTRIBUTE_GRAPHS] = "GRAPHS",
    [ONNX_ATTRIBUTE_SPARSE_TENSOR] = "SPARSE_TENSOR",
    [ONNX_ATTRIBUTE_SPARSE_TENSORS] = "SPARSE_TENSORS",
    [ONNX_ATTRIBUTE_TYPE_PROTO] = "TYPE_PROTO",
    [ONNX_ATTRIBUTE_TYPE_PROTOS] = "TYPE_PROTOS",
};

/* The value must stand in the field that the type names, and in no other. */
static enum eng_status check_fields(const Onnx__AttributeProto *p, struct eng_error *err)
{
    const bool present[N_ONNX_ATTRIBUTE_TYPES] = {
        [ONNX_ATTRIBUTE_FLOAT] = p->has_f,
        [ONNX_ATTRIBUTE_INT] = p->has_i,
        [ONNX_ATTRIBUTE_STRING] = p->has_s,
        [ONNX_ATTRIBUTE_TENSOR] = p->t != NULL,
        [ONNX_ATTRIBUTE_GRAPH] = p->has_g,
        [ONNX_ATTRIBUTE_FLOATS] = p->n_floats > 0,
        [ONNX_ATTRIBUTE_INTS] = p->n_ints > 0,
        [ONNX_ATTRIBUTE_STRINGS] = p->n_strings > 0,
        [ONNX_ATTRIBUTE_TENSORS] = p->n_tensors > 0,
        [ONNX_ATTRIBUTE_GRAPHS] = p->n_graphs > 0,
        [ONNX_ATTRIBUTE_SPARSE_TENSOR] = p->has_sparse_tensor,
        [ONNX_ATTRIBUTE_SPARSE_TENSORS] = p->n_sparse_tensors > 0,
        [ONNX_ATTRIBUTE_TYPE_PROTO] = p->has_tp,
        [ONNX_ATTRIBUTE_TYPE_PROTOS] = p->n_type_protos > 0,
    };
    if (p->type <= 0 || p->type >= N_ONNX_ATTRIBUTE_TYPES)
        return eng_fail(err, ENG_FORMAT, "type is %" PRId32 ", wanted 1 (FLOAT) to %d (%s)",
                        p->type, N_ONNX_ATTRIBUTE_TYPES - 1,
                        type_names[N_ONNX_ATTRIBUTE_TYPES - 1]);
    for (int32_t type = 1; type < N_ONNX_ATTRIBUTE_TYPES; type++) {
        if (present[type] && type != p->type)
            return eng_fail(err, ENG_FORMAT, "type says %s, but a value of type %s stands there",
                            type_names[p->type], type_names[type]);
    }
    return ENG_OK;
}

/* The attribute of the call that this one stands for: then it has no value of its own. */
static enum eng_status reference(const Onnx__AttributeProto *proto, bool in_function,
                                 struct eng_arena *arena, struct eng_attr *attr,
                                 struct eng_error *err)
{
    if (!in_function)
        return eng_fail(err, ENG_FORMAT,
                        "refers to an attribute of a function, but stands in none");
    attr->type = ENG_ATTR_OTHER;
    return onnx_text(&proto->ref_attr_name, ONNX_TEXT_NAME, "ref_attr_name", arena,
                     &attr->refers_to, err);
}

static enum eng_status attribute_tensor(const Onnx__AttributeProto *proto, struct eng_arena *arena,
                                        struct eng_attr *attr, struct eng_error *err)
{
    if (!proto->t) return eng_fail(err, ENG_FORMAT, "type says TENSOR, but there is none");
    struct eng_tensor *tensor = eng_arena_alloc(arena, 1, sizeof *tensor);
    if (!tensor) return eng_fail_memory(err, "a tensor");
    attr->t = tensor;
    return onnx_tensor(proto->t, arena, tensor, err);
}

static enum eng_status attribute_value(const Onnx__AttributeProto *proto, struct eng_arena *arena,
                                       struct eng_attr *attr, struct eng_error *err)
{
    switch (proto->type) {
    case ONNX_ATTRIBUTE_FLOAT:
        attr->type = ENG_ATTR_FLOAT;
        attr->f = proto->f;
        return ENG_OK;
    case ONNX_ATTRIBUTE_INT:
        attr->type = ENG_ATTR_INT;
        attr->i = proto->i;
        return ENG_OK;
    case ONNX_ATTRIBUTE_STRING:
        attr->type = ENG_ATTR_STRING;
        return onnx_text(&proto->s, ONNX_TEXT_FREE, "value", arena, &attr->s, err);
    case ONNX_ATTRIBUTE_TENSOR:
        attr->type = ENG_ATTR_TENSOR;
        return attribute_tensor(proto, arena, attr, err);
    case ONNX_ATTRIBUTE_FLOATS:
        attr->type = ENG_ATTR_FLOATS;
        attr->floats = proto->floats;
        attr->n = proto->n_floats;
        return ENG_OK;
    case ONNX_ATTRIBUTE_INTS:
        attr->type = ENG_ATTR_INTS;
        attr->ints = proto->ints;
        attr->n = proto->n_ints;
        return ENG_OK;
    case ONNX_ATTRIBUTE_GRAPH:
        attr->type = ENG_ATTR_OTHER;
        attr->s = (const char *)proto->g.data;
        attr->n = proto->g.len;
        return ENG_OK;
    default:
        attr->type = ENG_ATTR_OTHER;
        return ENG_OK;
    }
}

static enum eng_status attribute(const Onnx__AttributeProto *proto, bool in_function,
                                 struct eng_arena *arena, struct eng_attr *out,
                                 struct eng_error *err)
{
    bool refers = proto->has_ref_attr_name && proto->ref_attr_name.len > 0;
    struct eng_attr attr = {0};
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "attribute name", arena, &attr.name, err);
    if (status != ENG_OK) return status;
    if (!*attr.name) return eng_fail(err, ENG_FORMAT, "an attribute has no name");
    status = check_fields(proto, err);
    if (status == ENG_OK)
        status = refers ? reference(proto, in_function, arena, &attr, err)
                        : attribute_value(proto, arena, &attr, err);
    if (status != ENG_OK) {
        eng_error_context(err, "attribute '%s'", attr.name);
        return status;
    }
    *out = attr;
    return ENG_OK;
}

enum eng_status onnx_attributes(Onnx__AttributeProto *const *protos, size_t n, bool in_function,
                                struct eng_arena *arena, struct eng_attr **out,
                                struct eng_error *err)
{
    if (n > MAX_ATTRIBUTES)
        return eng_fail(err, ENG_LIMIT, "has %zu attributes, at most %d are supported", n,
                        MAX_ATTRIBUTES);
    struct eng_attr *attrs = eng_arena_alloc(arena, n, sizeof *attrs);
    if (!attrs) return eng_fail_memory(err, "attributes");
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = attribute(protos[i], in_function, arena, &attrs[i], err);
        if (status != ENG_OK) return status;
        for (size_t k = 0; k < i; k++) {
            if (strcmp(attrs[k].name, attrs[i].name) == 0)
                return eng_fail(err, ENG_FORMAT, "has attribute '%s' twice", attrs[i].name);
        }
    }
    *out = attrs;
    return ENG_OK;
}

enum eng_status onnx_names(const ProtobufCBinaryData *fields, size_t n, const char *what,
                           struct eng_arena *arena, const char *const **out, struct eng_error *err)
{
    const char **list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return eng_fail_memory(err, what);
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = onnx_text(&fields[i], ONNX_TEXT_NAME, what, arena, &list[i], err);
        if (status != ENG_OK) return status;
    }
    *out = list;
    return ENG_OK;
}

static enum eng_status edges(const Onnx__NodeProto *proto, struct eng_arena *arena,
                             struct onnx_node *node, struct eng_error *err)
{
    enum eng_status status =
        onnx_names(proto->input, proto->n_input, "input name", arena, &node->inputs, err);
    if (status == ENG_OK)
        status =
            onnx_names(proto->output, proto->n_output, "output name", arena, &node->outputs, err);
    if (status != ENG_OK) return status;
    node->n_inputs = proto->n_input;
    node->n_outputs = proto->n_output;
    for (size_t i = 0; i < node->n_outputs; i++) {
        if (*node->outputs[i]) return ENG_OK;
    }
    return eng_fail(err, ENG_FORMAT, "has no output; wanted at least one with a name");
}

/* What messages call the node by. */
static enum eng_status identity(const Onnx__NodeProto *proto, struct eng_arena *arena,
                                struct onnx_node *node, struct eng_error *err)
{
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "name", arena, &node->name, err);
    if (status == ENG_OK)
        status = onnx_text(&proto->op_type, ONNX_TEXT_NAME, "op_type", arena, &node->op_type, err);
    if (status == ENG_OK) status = onnx_domain(&proto->domain, arena, &node->domain, err);
    if (status == ENG_OK && !*node->op_type) status = eng_fail(err, ENG_FORMAT, "has no op_type");
    if (status == ENG_OK && proto->has_overload && proto->overload.len > 0)
        status = eng_fail(err, ENG_UNSUPPORTED,
                          "calls an overload of a function, which is not supported; wanted "
                          "functions of different names");
    return status;
}

char *onnx_node_label(const struct onnx_node *node, size_t index, char *buffer, size_t n)
{
    if (*node->name)
        snprintf(buffer, n, "node '%s' (%s)", node->name, node->op_type);
    else
        snprintf(buffer, n, "node %zu (%s)", index, node->op_type);
    return buffer;
}

enum eng_status onnx_node(const Onnx__NodeProto *proto, size_t index, bool in_function,
                          struct eng_arena *arena, struct onnx_node *out, struct eng_error *err)
{
    struct onnx_node node = {0};
    enum eng_status status = identity(proto, arena, &node, err);
    if (status != ENG_OK) {
        eng_error_context(err, "node %zu", index);
        return status;
    }
    status = edges(proto, arena, &node, err);
    struct eng_attr *attrs = NULL;
    if (status == ENG_OK)
        status =
            onnx_attributes(proto->attribute, proto->n_attribute, in_function, arena, &attrs, err);
    if (status != ENG_OK) {
        char label[200];
        eng_error_context(err, "%s", onnx_node_label(&node, index, label, sizeof label));
        return status;
    }
    node.attrs = attrs;
    node.n_attrs = proto->n_attribute;
    *out = node;
    return ENG_OK;
}
