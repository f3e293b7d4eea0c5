#include "onnx/body.h"

#include "base/error.h"
#include "onnx/node.h"
#include "onnx/tensor.h"
#include "onnx/unpack.h"

#include <inttypes.h>
#include <string.h>

static enum eng_status read_opset(const Onnx__OperatorSetIdProto *proto, struct eng_arena *arena,
                                  struct onnx_opset *opset, struct eng_error *err)
{
    opset->version = proto->version;
    enum eng_status status = onnx_domain(&proto->domain, arena, &opset->domain, err);
    if (status != ENG_OK || opset->version >= 1) return status;
    return eng_fail(err, ENG_FORMAT,
                    "opset_import of domain '%s' has version %" PRId64 ", wanted 1 or more",
                    opset->domain, opset->version);
}

enum eng_status onnx_opsets(Onnx__OperatorSetIdProto *const *protos, size_t n,
                            struct eng_arena *arena, struct onnx_opset **out, struct eng_error *err)
{
    if (n == 0)
        return eng_fail(err, ENG_FORMAT,
                        "opset_import is missing, wanted the version of each operator set");
    struct onnx_opset *opsets = eng_arena_alloc(arena, n, sizeof *opsets);
    if (!opsets) return eng_fail_memory(err, "opsets");
    struct eng_names seen = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        status = read_opset(protos[i], arena, &opsets[i], err);
        if (status == ENG_OK)
            status = onnx_once(&seen, "opset_import of domain", opsets[i].domain, err);
    }
    eng_names_fini(&seen);
    *out = opsets;
    return status;
}

static enum eng_status read_initializer(const Onnx__TensorProto *proto, size_t index,
                                        struct eng_arena *arena, struct onnx_named_tensor *out,
                                        struct eng_error *err)
{
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "name", arena, &out->name, err);
    if (status == ENG_OK && !*out->name) status = eng_fail(err, ENG_FORMAT, "has no name, wanted one");
    if (status != ENG_OK) {
        eng_error_context(err, "initializer %zu", index);
        return status;
    }
    status = onnx_tensor(proto, arena, &out->tensor, err);
    if (status != ENG_OK) eng_error_context(err, "initializer '%s'", out->name);
    return status;
}

enum eng_status onnx_initializers(Onnx__TensorProto *const *protos, size_t n,
                                  struct eng_arena *arena, struct onnx_named_tensor **out,
                                  struct eng_error *err)
{
    struct onnx_named_tensor *tensors = eng_arena_alloc(arena, n, sizeof *tensors);
    if (!tensors) return eng_fail_memory(err, "initializers");
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++)
        status = read_initializer(protos[i], i, arena, &tensors[i], err);
    *out = tensors;
    return status;
}

enum eng_status onnx_nodes(Onnx__NodeProto *const *protos, size_t n, bool in_function,
                           struct eng_arena *arena, struct onnx_node **out, struct eng_error *err)
{
    struct onnx_node *nodes = eng_arena_alloc(arena, n, sizeof *nodes);
    if (!nodes) return eng_fail_memory(err, "nodes");
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++)
        status = onnx_node(protos[i], i, in_function, arena, &nodes[i], err);
    *out = nodes;
    return status;
}

enum eng_status onnx_graph_kind(const Onnx__GraphProto *graph, struct eng_error *err)
{
    if (graph->n_sparse_initializer > 0)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "graph has %zu sparse initializers, wanted dense ones",
                        graph->n_sparse_initializer);
    if (graph->n_quantization_annotation > 0)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "graph has quantization annotations, wanted QuantizeLinear nodes or none");
    return ENG_OK;
}

/* ---- functions ---- */

static enum eng_status function_identity(const Onnx__FunctionProto *proto, struct eng_arena *arena,
                                         struct onnx_body *body, struct eng_error *err)
{
    enum eng_status status =
        onnx_text(&proto->name, ONNX_TEXT_NAME, "name", arena, &body->name, err);
    if (status == ENG_OK) status = onnx_domain(&proto->domain, arena, &body->domain, err);
    if (status == ENG_OK && !*body->name) status = eng_fail(err, ENG_FORMAT, "has no name, wanted one");
    if (status == ENG_OK && proto->has_overload && proto->overload.len > 0)
        status = eng_fail(err, ENG_UNSUPPORTED,
                          "is an overload, which is not supported; wanted functions of different "
                          "names");
    return status;
}

static enum eng_status function_parts(const Onnx__FunctionProto *proto, struct eng_arena *arena,
                                      struct onnx_body *body, struct eng_error *err)
{
    struct eng_attr *defaults = NULL;
    body->n_inputs = proto->n_input;
    body->n_outputs = proto->n_output;
    body->n_attrs = proto->n_attribute;
    body->n_defaults = proto->n_attribute_proto;
    body->n_opsets = proto->n_opset_import;
    body->n_nodes = proto->n_node;
    enum eng_status status =
        onnx_names(proto->input, proto->n_input, "input name", arena, &body->inputs, err);
    if (status == ENG_OK)
        status =
            onnx_names(proto->output, proto->n_output, "output name", arena, &body->outputs, err);
    if (status == ENG_OK)
        status = onnx_names(proto->attribute, proto->n_attribute, "attribute name", arena,
                            &body->attrs, err);
    if (status == ENG_OK)
        status = onnx_attributes(proto->attribute_proto, proto->n_attribute_proto, false, arena,
                                 &defaults, err);
    body->defaults = defaults;
    if (status == ENG_OK)
        status = onnx_opsets(proto->opset_import, proto->n_opset_import, arena, &body->opsets, err);
    if (status == ENG_OK)
        status = onnx_nodes(proto->node, proto->n_node, true, arena, &body->nodes, err);
    return status;
}

static enum eng_status function(const Onnx__FunctionProto *proto, size_t index,
                                struct eng_arena *arena, struct onnx_body *body,
                                struct eng_error *err)
{
    enum eng_status status = function_identity(proto, arena, body, err);
    if (status != ENG_OK) {
        eng_error_context(err, "function %zu", index);
        return status;
    }
    status = function_parts(proto, arena, body, err);
    if (status != ENG_OK) eng_error_context(err, "function '%s'", body->name);
    return status;
}

enum eng_status onnx_functions(Onnx__FunctionProto *const *protos, size_t n,
                               struct eng_arena *arena, struct onnx_body **out,
                               struct eng_error *err)
{
    if (n > ONNX_MAX_FUNCTIONS)
        return eng_fail(err, ENG_LIMIT, "has %zu functions, at most %d are supported", n,
                        ONNX_MAX_FUNCTIONS);
    struct onnx_body *bodies = eng_arena_alloc(arena, n, sizeof *bodies);
    if (!bodies) return eng_fail_memory(err, "functions");
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = function(protos[i], i, arena, &bodies[i], err);
        if (status != ENG_OK) return status;
        for (size_t k = 0; k < i; k++)
            if (strcmp(bodies[k].name, bodies[i].name) == 0 &&
                strcmp(bodies[k].domain, bodies[i].domain) == 0)
                return eng_fail(err, ENG_FORMAT, "function '%s' comes twice, wanted once",
                                bodies[i].name);
    }
    *out = bodies;
    return ENG_OK;
}

/* ---- branches ---- */

static enum eng_status branch_parts(const Onnx__GraphProto *proto, bool in_function,
                                    struct eng_arena *arena, struct onnx_body *body,
                                    struct eng_error *err)
{
    const char **outputs = eng_arena_alloc(arena, proto->n_output, sizeof *outputs);
    if (!outputs) return eng_fail_memory(err, "a branch");
    if (proto->n_input > 0)
        return eng_fail(err, ENG_FORMAT, "has %zu inputs, wanted none", proto->n_input);
    body->outputs = outputs;
    body->n_outputs = proto->n_output;
    body->n_initializers = proto->n_initializer;
    body->n_nodes = proto->n_node;
    enum eng_status status = onnx_graph_kind(proto, err);
    for (size_t i = 0; status == ENG_OK && i < proto->n_output; i++)
        status = onnx_text(&proto->output[i]->name, ONNX_TEXT_NAME, "output name", arena,
                           &outputs[i], err);
    if (status == ENG_OK)
        status = onnx_initializers(proto->initializer, proto->n_initializer, arena,
                                   &body->initializers, err);
    if (status == ENG_OK)
        status = onnx_nodes(proto->node, proto->n_node, in_function, arena, &body->nodes, err);
    return status;
}

enum eng_status onnx_branch_read(const struct eng_attr *graph, bool in_function,
                                 struct eng_arena *arena, struct onnx_body *out,
                                 struct eng_error *err)
{
    ProtobufCMessage *message;
    struct onnx_body body = {.name = graph->name};
    enum eng_status status = ENG_FORMAT;
    if (graph->type != ENG_ATTR_OTHER || !graph->s)
        eng_fail(err, ENG_FORMAT, "is not a graph");
    else
        status =
            onnx_unpack(&onnx__graph_proto__descriptor, graph->s, graph->n, arena, &message, err);
    if (status == ENG_OK)
        status = branch_parts((const Onnx__GraphProto *)message, in_function, arena, &body, err);
    if (status != ENG_OK) {
        eng_error_context(err, "attribute '%s'", graph->name);
        return status;
    }
    *out = body;
    return ENG_OK;
}
