#include "onnx/onnx.h"

#include "base/error.h"
#include "base/mem.h"
#include "onnx/body.h"
#include "onnx/split.h"
#include "onnx/unpack.h"
#include "onnx/value_info.h"

#include "onnx.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

/* 3 brought opset_import; 10 is the last whose fields onnx.proto knows. */
enum { IR_VERSION_MIN = 3, IR_VERSION_MAX = 10 };

static enum eng_status read_properties(const Onnx__ModelProto *proto, struct onnx_model *model,
                                       struct eng_error *err)
{
    size_t n = proto->n_metadata_props;
    model->properties = eng_arena_alloc(&model->arena, n, sizeof *model->properties);
    if (!model->properties) return eng_fail_memory(err, "metadata");
    struct eng_names seen = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];
        struct onnx_property *property = &model->properties[i];
        status = onnx_text(&entry->key, ONNX_TEXT_NAME, "metadata key", &model->arena,
                           &property->key, err);
        if (status == ENG_OK)
            status = onnx_text(&entry->value, ONNX_TEXT_FREE, "metadata value", &model->arena,
                               &property->value, err);
        if (status == ENG_OK) status = onnx_once(&seen, "metadata key", property->key, err);
    }
    eng_names_fini(&seen);
    model->n_properties = n;
    return status;
}

static enum eng_status read_header(const Onnx__ModelProto *proto, struct onnx_model *model,
                                   struct eng_error *err)
{
    struct {
        const ProtobufCBinaryData *field;
        const char *what, **out;
    } texts[] = {
        {&proto->producer_name, "producer_name", &model->producer_name},
        {&proto->producer_version, "producer_version", &model->producer_version},
        {&proto->doc_string, "doc_string", &model->doc_string},
    };
    model->ir_version = proto->ir_version;
    if (!proto->has_ir_version)
        return eng_fail(err, ENG_FORMAT, "ir_version is missing: is this an ONNX model?");
    if (proto->ir_version < IR_VERSION_MIN || proto->ir_version > IR_VERSION_MAX)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "ir_version %" PRId64 " is not supported, wanted %d to %d",
                        proto->ir_version, IR_VERSION_MIN, IR_VERSION_MAX);
    if (proto->n_training_info > 0)
        return eng_fail(err, ENG_UNSUPPORTED, "has training_info, wanted a model for inference");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        enum eng_status status = onnx_text(texts[i].field, ONNX_TEXT_FREE, texts[i].what,
                                           &model->arena, texts[i].out, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* A name must have one origin. An initializer may repeat a graph input: it is its default. */
static enum eng_status check_origins(const struct onnx_model *model, struct eng_names *made,
                                     struct eng_error *err)
{
    for (size_t i = 0; i < model->n_initializers; i++) {
        enum eng_status status = onnx_once(made, "initializer", model->initializers[i].name, err);
        if (status != ENG_OK) return status;
    }
    for (size_t i = 0; i < model->n_inputs; i++)
        if (!eng_names_put(made, model->inputs[i].name, 0)) return eng_fail_memory(err, "names");
    for (size_t i = 0; i < model->n_nodes; i++) {
        const struct onnx_node *node = &model->nodes[i];
        for (size_t k = 0; k < node->n_outputs; k++) {
            const char *name = node->outputs[k];
            char label[200];
            if (*name && eng_names_find(made, name) >= 0)
                return eng_fail(err, ENG_FORMAT,
                                "%s: output '%s' is already an input, an initializer or another "
                                "node's output",
                                onnx_node_label(node, i, label, sizeof label), name);
            if (*name && !eng_names_put(made, name, 0)) return eng_fail_memory(err, "names");
        }
    }
    return ENG_OK;
}

static enum eng_status read_graph(const Onnx__GraphProto *graph,
                                  Onnx__TensorProto *const *initializers, size_t n_initializers,
                                  struct onnx_model *model, struct eng_error *err)
{
    struct eng_arena *arena = &model->arena;
    enum eng_status status = onnx_graph_kind(graph, err);
    if (status == ENG_OK)
        status =
            onnx_text(&graph->name, ONNX_TEXT_NAME, "graph name", arena, &model->graph_name, err);
    model->n_inputs = graph->n_input;
    model->n_outputs = graph->n_output;
    if (status == ENG_OK)
        status = onnx_value_infos(graph->input, graph->n_input, "graph input", arena,
                                  &model->inputs, err);
    if (status == ENG_OK)
        status = onnx_value_infos(graph->output, graph->n_output, "graph output", arena,
                                  &model->outputs, err);
    if (status == ENG_OK)
        status = onnx_known_value_infos(graph->value_info, graph->n_value_info, &model->arena,
                                        &model->infos, &model->n_infos, err);
    model->n_initializers = n_initializers;
    model->n_nodes = graph->n_node;
    if (status == ENG_OK)
        status = onnx_initializers(initializers, n_initializers, arena, &model->initializers, err);
    if (status == ENG_OK)
        status = onnx_nodes(graph->node, graph->n_node, false, arena, &model->nodes, err);
    if (status != ENG_OK) return status;
    struct eng_names made = {0};
    status = check_origins(model, &made, err);
    eng_names_fini(&made);
    return status;
}

/* Puts the elements, which were read apart, into their tensor. */
static enum eng_status unpack_part(const struct onnx_part *part, struct eng_arena *arena,
                                   Onnx__TensorProto **out, struct eng_error *err)
{
    ProtobufCMessage *message;
    enum eng_status status = onnx_unpack_part(&onnx__tensor_proto__descriptor, part->small,
                                              part->n_small, arena, &message, err);
    if (status != ENG_OK) {
        eng_error_context(err, "initializer %zu", part->index);
        return status;
    }
    *out = (Onnx__TensorProto *)message;
    (*out)->has_raw_data = 1;
    (*out)->raw_data = (ProtobufCBinaryData){.len = part->raw.n, .data = part->data};
    return ENG_OK;
}

/* All initializers in the order of the file: those that are apart among those of the rest. */
static enum eng_status unpack_parts(const struct onnx_split *split, const Onnx__GraphProto *graph,
                                    struct eng_arena *arena, Onnx__TensorProto ***out,
                                    struct eng_error *err)
{
    size_t n = graph->n_initializer + split->n_parts, from_rest = 0;
    Onnx__TensorProto **list = eng_arena_alloc(arena, n, sizeof *list);
    if (!list) return eng_fail_memory(err, "initializers");
    for (size_t i = 0; i < split->n_parts; i++) {
        const struct onnx_part *part = &split->parts[i];
        enum eng_status status = unpack_part(part, arena, &list[part->index], err);
        if (status != ENG_OK) return status;
    }
    for (size_t i = 0; i < n; i++)
        if (!list[i]) list[i] = graph->initializer[from_rest++];
    *out = list;
    return ENG_OK;
}

/* The elements of those that were converted are elsewhere. */
static void forget_converted(const struct onnx_split *split, const struct onnx_model *model)
{
    for (size_t i = 0; i < split->n_parts; i++) {
        const struct onnx_part *part = &split->parts[i];
        if (model->initializers[part->index].tensor.data != part->data)
            eng_forget(part->data, part->raw.n);
    }
}

static enum eng_status read_parts(const struct onnx_split *split, struct onnx_model *model,
                                  struct eng_error *err)
{
    ProtobufCMessage *message;
    Onnx__TensorProto **initializers;
    enum eng_status status = onnx_unpack(&onnx__model_proto__descriptor, split->rest, split->n_rest,
                                         &model->arena, &message, err);
    if (status != ENG_OK) return status;
    const Onnx__ModelProto *proto = (const Onnx__ModelProto *)message;
    status = read_header(proto, model, err);
    model->n_opsets = proto->n_opset_import;
    if (status == ENG_OK)
        status = onnx_opsets(proto->opset_import, proto->n_opset_import, &model->arena,
                             &model->opsets, err);
    model->n_functions = proto->n_functions;
    if (status == ENG_OK)
        status = onnx_functions(proto->functions, proto->n_functions, &model->arena,
                                &model->functions, err);
    if (status == ENG_OK) status = read_properties(proto, model, err);
    if (status != ENG_OK) return status;
    if (!proto->graph) return eng_fail(err, ENG_FORMAT, "graph is missing: is this an ONNX model?");
    status = unpack_parts(split, proto->graph, &model->arena, &initializers, err);
    if (status != ENG_OK) return status;
    status = read_graph(proto->graph, initializers, proto->graph->n_initializer + split->n_parts,
                        model, err);
    if (status == ENG_OK) forget_converted(split, model);
    return status;
}

static enum eng_status read_source(const struct onnx_source *source, struct onnx_model *out,
                                   struct eng_error *err)
{
    struct onnx_model model = {0};
    struct onnx_split split;
    struct eng_arena arena;
    eng_arena_init(&arena);
    eng_arena_init(&model.arena);
    enum eng_status status = onnx_split(source, &arena, &split, err);
    if (status == ENG_OK) {
        model.weights = (struct eng_memory){.bytes = split.data, .n_bytes = split.data_bytes};
        status = read_parts(&split, &model, err);
    }
    eng_arena_fini(&arena);
    if (status == ENG_OK)
        *out = model;
    else
        onnx_model_fini(&model);
    return status;
}

enum eng_status onnx_model_read(const void *bytes, size_t n_bytes, struct onnx_model *out,
                                struct eng_error *err)
{
    return read_source(&(struct onnx_source){.bytes = bytes, .n_bytes = n_bytes}, out, err);
}

enum eng_status onnx_model_read_file(const struct eng_open_file *file, struct onnx_model *out,
                                     struct eng_error *err)
{
    return read_source(&(struct onnx_source){.file = file, .n_bytes = file->n_bytes}, out, err);
}

void onnx_model_fini(struct onnx_model *model)
{
    eng_arena_fini(&model->arena);
    eng_block_free(model->weights.bytes, model->weights.n_bytes);
    *model = (struct onnx_model){0};
}
