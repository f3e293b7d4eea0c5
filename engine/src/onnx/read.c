#include "onnx/onnx.h"

#include "base/error.h"
#include "onnx/node.h"
#include "onnx/tensor.h"
#include "onnx/unpack.h"
#include "onnx/value_info.h"

#include "onnx.pb-c.h"

#include <inttypes.h>

/* 3 brought opset_import; 10 is the last whose fields onnx.proto knows. */
enum { IR_VERSION_MIN = 3, IR_VERSION_MAX = 10 };

static enum eng_status read_opsets(const Onnx__ModelProto *proto, struct onnx_model *model,
                                   struct eng_error *err)
{
    size_t n = proto->n_opset_import;
    if (n == 0) return eng_fail(err, ENG_FORMAT, "opset_import is missing");
    model->opsets = eng_arena_alloc(&model->arena, n, sizeof *model->opsets);
    if (!model->opsets) return eng_fail_memory(err, "opsets");
    struct eng_names seen = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        struct onnx_opset *opset = &model->opsets[i];
        opset->version = proto->opset_import[i]->version;
        status = onnx_domain(&proto->opset_import[i]->domain, &model->arena, &opset->domain, err);
        if (status == ENG_OK && opset->version < 1)
            status =
                eng_fail(err, ENG_FORMAT,
                         "opset_import of domain '%s' has version %" PRId64 ", wanted 1 or more",
                         opset->domain, opset->version);
        if (status == ENG_OK)
            status = onnx_once(&seen, "opset_import of domain", opset->domain, err);
    }
    eng_names_fini(&seen);
    model->n_opsets = n;
    return status;
}

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
    if (proto->n_functions > 0)
        return eng_fail(
            err, ENG_UNSUPPORTED,
            "has %zu model-local functions, which are not supported; wanted them inlined: "
            "onnx.inliner.inline_local_functions(model), or a newer torch.onnx exporter",
            proto->n_functions);
    if (proto->n_training_info > 0)
        return eng_fail(err, ENG_UNSUPPORTED, "has training_info, wanted a model for inference");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        enum eng_status status = onnx_text(texts[i].field, ONNX_TEXT_FREE, texts[i].what,
                                           &model->arena, texts[i].out, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static enum eng_status read_initializer(const Onnx__TensorProto *proto, size_t index,
                                        struct eng_arena *arena, struct onnx_named_tensor *out,
                                        struct eng_error *err)
{
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "name", arena, &out->name, err);
    if (status == ENG_OK && !*out->name) status = eng_fail(err, ENG_FORMAT, "has no name");
    if (status != ENG_OK) {
        eng_error_context(err, "initializer %zu", index);
        return status;
    }
    status = onnx_tensor(proto, arena, &out->tensor, err);
    if (status != ENG_OK) eng_error_context(err, "initializer '%s'", out->name);
    return status;
}

static enum eng_status read_initializers(const Onnx__GraphProto *graph, struct onnx_model *model,
                                         struct eng_error *err)
{
    model->n_initializers = graph->n_initializer;
    model->initializers =
        eng_arena_alloc(&model->arena, graph->n_initializer, sizeof *model->initializers);
    if (!model->initializers) return eng_fail_memory(err, "initializers");
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < graph->n_initializer && status == ENG_OK; i++)
        status =
            read_initializer(graph->initializer[i], i, &model->arena, &model->initializers[i], err);
    return status;
}

static enum eng_status read_nodes(const Onnx__GraphProto *graph, struct onnx_model *model,
                                  struct eng_error *err)
{
    model->n_nodes = graph->n_node;
    model->nodes = eng_arena_alloc(&model->arena, graph->n_node, sizeof *model->nodes);
    if (!model->nodes) return eng_fail_memory(err, "nodes");
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < graph->n_node && status == ENG_OK; i++)
        status = onnx_node(graph->node[i], i, &model->arena, &model->nodes[i], err);
    return status;
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

static enum eng_status read_graph(const Onnx__GraphProto *graph, struct onnx_model *model,
                                  struct eng_error *err)
{
    if (graph->n_sparse_initializer > 0)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "graph has %zu sparse initializers, wanted dense ones",
                        graph->n_sparse_initializer);
    if (graph->n_quantization_annotation > 0)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "graph has quantization annotations, wanted QuantizeLinear nodes or none");
    enum eng_status status = onnx_text(&graph->name, ONNX_TEXT_NAME, "graph name", &model->arena,
                                       &model->graph_name, err);
    model->n_inputs = graph->n_input;
    model->n_outputs = graph->n_output;
    if (status == ENG_OK)
        status = onnx_value_infos(graph->input, graph->n_input, "graph input", &model->arena,
                                  &model->inputs, err);
    if (status == ENG_OK)
        status = onnx_value_infos(graph->output, graph->n_output, "graph output", &model->arena,
                                  &model->outputs, err);
    if (status == ENG_OK)
        status = onnx_known_value_infos(graph->value_info, graph->n_value_info, &model->arena,
                                        &model->infos, &model->n_infos, err);
    if (status == ENG_OK) status = read_initializers(graph, model, err);
    if (status == ENG_OK) status = read_nodes(graph, model, err);
    if (status != ENG_OK) return status;
    struct eng_names made = {0};
    status = check_origins(model, &made, err);
    eng_names_fini(&made);
    return status;
}

static enum eng_status read_model(const void *bytes, size_t n_bytes, struct onnx_model *model,
                                  struct eng_error *err)
{
    ProtobufCMessage *message;
    enum eng_status status =
        onnx_unpack(&onnx__model_proto__descriptor, bytes, n_bytes, &model->arena, &message, err);
    if (status != ENG_OK) return status;
    const Onnx__ModelProto *proto = (const Onnx__ModelProto *)message;
    status = read_header(proto, model, err);
    if (status == ENG_OK) status = read_opsets(proto, model, err);
    if (status == ENG_OK) status = read_properties(proto, model, err);
    if (status != ENG_OK) return status;
    if (!proto->graph) return eng_fail(err, ENG_FORMAT, "graph is missing");
    return read_graph(proto->graph, model, err);
}

enum eng_status onnx_model_read(const void *bytes, size_t n_bytes, struct onnx_model *out,
                                struct eng_error *err)
{
    struct onnx_model model = {0};
    eng_arena_init(&model.arena);
    enum eng_status status = read_model(bytes, n_bytes, &model, err);
    if (status == ENG_OK)
        *out = model;
    else
        eng_arena_fini(&model.arena);
    return status;
}

void onnx_model_fini(struct onnx_model *model)
{
    eng_arena_fini(&model->arena);
    *model = (struct onnx_model){0};
}
