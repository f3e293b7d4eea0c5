#include "onnx/onnx.h"

#include "base/error.h"
#include "onnx/node.h"

#include "onnx.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Builds the protobuf-c structs in an arena and packs them. They borrow names and weights from the
 * model: protobuf-c has no const pointers, but packing only reads.
 */

static void *new_message(struct eng_arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = eng_arena_alloc(arena, 1, type->sizeof_message);
    if (message) protobuf_c_message_init(type, message);
    return message;
}

static ProtobufCBinaryData borrow(const void *data, size_t n_bytes)
{
    ProtobufCBinaryData field = {.len = n_bytes};
    memcpy(&field.data, &data, sizeof field.data);
    return field;
}

static ProtobufCBinaryData text(const char *s)
{
    return borrow(s, s ? strlen(s) : 0);
}

#define SET_TEXT(message, field, s) \
    ((message)->field = text(s), (message)->has_##field = (message)->field.len > 0)

static bool write_tensor(const char *name, const struct eng_tensor *tensor, struct eng_arena *arena,
                         Onnx__TensorProto **out, struct eng_error *err)
{
    int64_t n_bytes = eng_tensor_bytes(tensor);
    if (n_bytes < 0) {
        char shape[128];
        eng_fail(err, ENG_ARGUMENT, "tensor '%s' of type %s and shape %s cannot be written", name,
                 eng_dtype_name(tensor->dtype),
                 eng_shape_format(&tensor->shape, shape, sizeof shape));
        return false;
    }
    Onnx__TensorProto *proto = new_message(arena, &onnx__tensor_proto__descriptor);
    if (!proto) return false;
    SET_TEXT(proto, name, name);
    proto->dims = eng_arena_copy(arena, tensor->shape.dim, sizeof tensor->shape.dim);
    if (!proto->dims) return false;
    proto->n_dims = (size_t)tensor->shape.rank;
    proto->has_data_type = true;
    proto->data_type = (int32_t)tensor->dtype;
    proto->has_raw_data = true;
    proto->raw_data = borrow(tensor->data, (size_t)n_bytes);
    *out = proto;
    return true;
}

static bool write_attribute_value(const struct eng_attr *attr, Onnx__AttributeProto *proto,
                                  struct eng_arena *arena, struct eng_error *err)
{
    switch (attr->type) {
    case ENG_ATTR_FLOAT:
        proto->type = ONNX_ATTRIBUTE_FLOAT;
        proto->has_f = true;
        proto->f = attr->f;
        return true;
    case ENG_ATTR_INT:
        proto->type = ONNX_ATTRIBUTE_INT;
        proto->has_i = true;
        proto->i = attr->i;
        return true;
    case ENG_ATTR_STRING:
        proto->type = ONNX_ATTRIBUTE_STRING;
        proto->has_s = true;
        proto->s = text(attr->s);
        return true;
    case ENG_ATTR_TENSOR:
        proto->type = ONNX_ATTRIBUTE_TENSOR;
        return write_tensor("", attr->t, arena, &proto->t, err);
    case ENG_ATTR_FLOATS:
        proto->type = ONNX_ATTRIBUTE_FLOATS;
        proto->n_floats = attr->n;
        proto->floats = eng_arena_copy(arena, attr->floats, attr->n * sizeof *attr->floats);
        return proto->floats != NULL;
    case ENG_ATTR_INTS:
        proto->type = ONNX_ATTRIBUTE_INTS;
        proto->n_ints = attr->n;
        proto->ints = eng_arena_copy(arena, attr->ints, attr->n * sizeof *attr->ints);
        return proto->ints != NULL;
    case ENG_ATTR_OTHER:
        break;
    }
    eng_fail(err, ENG_ARGUMENT, "attribute '%s' has a type that is not written", attr->name);
    return false;
}

static bool write_attributes(const struct onnx_node *node, Onnx__NodeProto *proto,
                             struct eng_arena *arena, struct eng_error *err)
{
    proto->attribute = eng_arena_alloc(arena, node->n_attrs, sizeof *proto->attribute);
    if (!proto->attribute) return false;
    for (size_t i = 0; i < node->n_attrs; i++) {
        Onnx__AttributeProto *attribute = new_message(arena, &onnx__attribute_proto__descriptor);
        if (!attribute) return false;
        SET_TEXT(attribute, name, node->attrs[i].name);
        attribute->has_type = true;
        if (!write_attribute_value(&node->attrs[i], attribute, arena, err)) return false;
        proto->attribute[proto->n_attribute++] = attribute;
    }
    return true;
}

static bool write_names(const char *const *names, size_t n, struct eng_arena *arena,
                        ProtobufCBinaryData **out)
{
    ProtobufCBinaryData *list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return false;
    for (size_t i = 0; i < n; i++)
        list[i] = text(names[i]);
    *out = list;
    return true;
}

static bool write_nodes(const struct onnx_model *model, Onnx__GraphProto *graph,
                        struct eng_arena *arena, struct eng_error *err)
{
    graph->node = eng_arena_alloc(arena, model->n_nodes, sizeof *graph->node);
    if (!graph->node) return false;
    for (size_t i = 0; i < model->n_nodes; i++) {
        const struct onnx_node *node = &model->nodes[i];
        Onnx__NodeProto *proto = new_message(arena, &onnx__node_proto__descriptor);
        if (!proto) return false;
        SET_TEXT(proto, name, node->name);
        SET_TEXT(proto, op_type, node->op_type);
        SET_TEXT(proto, domain, node->domain);
        proto->n_input = node->n_inputs;
        proto->n_output = node->n_outputs;
        if (!write_names(node->inputs, node->n_inputs, arena, &proto->input) ||
            !write_names(node->outputs, node->n_outputs, arena, &proto->output) ||
            !write_attributes(node, proto, arena, err))
            return false;
        graph->node[graph->n_node++] = proto;
    }
    return true;
}

static bool write_initializers(const struct onnx_model *model, Onnx__GraphProto *graph,
                               struct eng_arena *arena, struct eng_error *err)
{
    graph->initializer = eng_arena_alloc(arena, model->n_initializers, sizeof *graph->initializer);
    if (!graph->initializer) return false;
    for (size_t i = 0; i < model->n_initializers; i++) {
        const struct onnx_named_tensor *named = &model->initializers[i];
        if (!write_tensor(named->name, &named->tensor, arena, &graph->initializer[i], err))
            return false;
        graph->n_initializer++;
    }
    return true;
}

/* An open first dimension is the batch and is called N; other open ones stay nameless. */
static bool write_shape(const struct eng_shape *shape, struct eng_arena *arena,
                        Onnx__TensorShapeProto **out)
{
    Onnx__TensorShapeProto *proto = new_message(arena, &onnx__tensor_shape_proto__descriptor);
    if (!proto) return false;
    proto->dim = eng_arena_alloc(arena, (size_t)shape->rank, sizeof *proto->dim);
    if (!proto->dim) return false;
    for (int i = 0; i < shape->rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim =
            new_message(arena, &onnx__tensor_shape_proto__dimension__descriptor);
        if (!dim) return false;
        dim->has_dim_value = shape->dim[i] >= 0;
        dim->dim_value = shape->dim[i];
        if (i == 0 && !dim->has_dim_value) SET_TEXT(dim, dim_param, "N");
        proto->dim[proto->n_dim++] = dim;
    }
    *out = proto;
    return true;
}

static bool write_value_infos(const struct onnx_value_info *values, size_t n,
                              struct eng_arena *arena, Onnx__ValueInfoProto ***out)
{
    Onnx__ValueInfoProto **list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return false;
    for (size_t i = 0; i < n; i++) {
        Onnx__ValueInfoProto *proto = new_message(arena, &onnx__value_info_proto__descriptor);
        Onnx__TypeProto *type = new_message(arena, &onnx__type_proto__descriptor);
        Onnx__TypeProto__Tensor *tensor = new_message(arena, &onnx__type_proto__tensor__descriptor);
        if (!proto || !type || !tensor) return false;
        SET_TEXT(proto, name, values[i].name);
        tensor->has_elem_type = true;
        tensor->elem_type = (int32_t)values[i].dtype;
        if (values[i].shape.rank >= 0 && !write_shape(&values[i].shape, arena, &tensor->shape))
            return false;
        type->tensor_type = tensor;
        proto->type = type;
        list[i] = proto;
    }
    *out = list;
    return true;
}

static bool write_graph(const struct onnx_model *model, struct eng_arena *arena,
                        Onnx__GraphProto **out, struct eng_error *err)
{
    Onnx__GraphProto *graph = new_message(arena, &onnx__graph_proto__descriptor);
    if (!graph) return false;
    SET_TEXT(graph, name, model->graph_name);
    graph->n_input = model->n_inputs;
    graph->n_output = model->n_outputs;
    *out = graph;
    return write_value_infos(model->inputs, model->n_inputs, arena, &graph->input) &&
           write_value_infos(model->outputs, model->n_outputs, arena, &graph->output) &&
           write_initializers(model, graph, arena, err) && write_nodes(model, graph, arena, err);
}

static bool write_opsets(const struct onnx_model *model, struct eng_arena *arena,
                         Onnx__ModelProto *proto)
{
    proto->opset_import = eng_arena_alloc(arena, model->n_opsets, sizeof *proto->opset_import);
    if (!proto->opset_import) return false;
    for (size_t i = 0; i < model->n_opsets; i++) {
        Onnx__OperatorSetIdProto *opset =
            new_message(arena, &onnx__operator_set_id_proto__descriptor);
        if (!opset) return false;
        opset->domain = text(model->opsets[i].domain);
        opset->has_domain = true; /* readers tell "" from absent here */
        opset->has_version = true;
        opset->version = model->opsets[i].version;
        proto->opset_import[proto->n_opset_import++] = opset;
    }
    return true;
}

static bool write_properties(const struct onnx_model *model, struct eng_arena *arena,
                             Onnx__ModelProto *proto)
{
    proto->metadata_props =
        eng_arena_alloc(arena, model->n_properties, sizeof *proto->metadata_props);
    if (!proto->metadata_props) return false;
    for (size_t i = 0; i < model->n_properties; i++) {
        Onnx__StringStringEntryProto *entry =
            new_message(arena, &onnx__string_string_entry_proto__descriptor);
        if (!entry) return false;
        SET_TEXT(entry, key, model->properties[i].key);
        SET_TEXT(entry, value, model->properties[i].value);
        proto->metadata_props[proto->n_metadata_props++] = entry;
    }
    return true;
}

static bool write_model(const struct onnx_model *model, struct eng_arena *arena,
                        Onnx__ModelProto *proto, struct eng_error *err)
{
    proto->has_ir_version = true;
    proto->ir_version = model->ir_version;
    SET_TEXT(proto, producer_name, model->producer_name);
    SET_TEXT(proto, producer_version, model->producer_version);
    SET_TEXT(proto, doc_string, model->doc_string);
    return write_opsets(model, arena, proto) && write_properties(model, arena, proto) &&
           write_graph(model, arena, &proto->graph, err);
}

static enum eng_status pack(const Onnx__ModelProto *proto, uint8_t **bytes, size_t *n_bytes,
                            struct eng_error *err)
{
    size_t n = onnx__model_proto__get_packed_size(proto);
    if (n > INT32_MAX)
        return eng_fail(err, ENG_LIMIT, "the model takes %zu bytes, protobuf ends at %d", n,
                        INT32_MAX);
    uint8_t *packed = malloc(n ? n : 1);
    if (!packed) return eng_fail_memory(err, "the file's bytes");
    onnx__model_proto__pack(proto, packed);
    *bytes = packed;
    *n_bytes = n;
    return ENG_OK;
}

enum eng_status onnx_model_write(const struct onnx_model *model, uint8_t **bytes, size_t *n_bytes,
                                 struct eng_error *err)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct eng_error found = {0}; /* an error without a sentence is a lack of memory */
    Onnx__ModelProto proto = ONNX__MODEL_PROTO__INIT;
    enum eng_status status = ENG_OK;
    if (!write_model(model, &arena, &proto, &found))
        status = found.status != ENG_OK ? eng_fail(err, found.status, "%s", found.text)
                                        : eng_fail_memory(err, "the file's structure");
    if (status == ENG_OK) status = pack(&proto, bytes, n_bytes, err);
    eng_arena_fini(&arena);
    return status;
}
