#include "model/convert.h"

#include "base/error.h"
#include "graph/shape.h"

#include <string.h>

/* The version of the operator set of a domain, 0 if it is not there yet. */
static int64_t opset_of(const struct onnx_model *onnx, const char *domain)
{
    return eng_convert_opset(onnx->opsets, onnx->n_opsets, domain);
}

/* Of a graph without a node of ai.onnx: every reader knows it. */
enum { DEFAULT_OPSET = 17 };

/* The IR version that came with the operator set: ONNX 1.10 has 15 and 8, 1.14 19 and 9, 1.16 21
 * and 10. */
static int64_t ir_version_of(int64_t opset)
{
    return opset < 19 ? 8 : opset < 21 ? 9 : 10;
}

static const char *value_name(const struct eng_graph *graph, int value)
{
    return value == ENG_NO_VALUE ? "" : graph->values[value].name;
}

static const char **value_names(const struct eng_graph *graph, const int *values, size_t n,
                                struct eng_arena *arena)
{
    const char **names = eng_arena_alloc(arena, n + 1, sizeof *names);
    for (size_t k = 0; names && k < n; k++)
        names[k] = value_name(graph, values[k]);
    return names;
}

static bool export_node(const struct eng_graph *graph, const struct eng_node *node,
                        struct eng_arena *arena, struct onnx_node *out)
{
    struct eng_attr *attrs = eng_arena_alloc(arena, node->op->n_attrs + 1, sizeof *attrs);
    const char **inputs = value_names(graph, node->in, node->n_in, arena);
    const char **outputs = value_names(graph, node->out, node->n_out, arena);
    if (!attrs || !inputs || !outputs) return false;
    *out = (struct onnx_node){.name = node->name,
                              .op_type = node->op->name,
                              .domain = node->op->domain,
                              .inputs = inputs,
                              .n_inputs = node->n_in,
                              .outputs = outputs,
                              .n_outputs = node->n_out,
                              .attrs = attrs,
                              .n_attrs = eng_attrs_write(node->op, node->attrs, attrs)};
    return true;
}

/* Each domain once, at the opset of its first node; nodes of one file share it. ai.onnx is there
 * even if no node is of it: readers expect it. */
static bool export_opsets(const struct eng_graph *graph, struct onnx_model *out)
{
    out->opsets = eng_arena_alloc(&out->arena, graph->n_nodes + 1, sizeof *out->opsets);
    for (size_t i = 0; out->opsets && i < graph->n_nodes; i++)
        if (opset_of(out, graph->nodes[i].op->domain) == 0)
            out->opsets[out->n_opsets++] = (struct onnx_opset){.domain = graph->nodes[i].op->domain,
                                                               .version = graph->nodes[i].opset};
    if (out->opsets && opset_of(out, "") == 0)
        out->opsets[out->n_opsets++] = (struct onnx_opset){.domain = "", .version = DEFAULT_OPSET};
    return out->opsets != NULL;
}

static bool export_constants(const struct eng_graph *graph, struct onnx_model *out)
{
    out->initializers =
        eng_arena_alloc(&out->arena, graph->n_values + 1, sizeof *out->initializers);
    for (size_t v = 0; out->initializers && v < graph->n_values; v++)
        if (graph->values[v].kind == ENG_VALUE_CONSTANT)
            out->initializers[out->n_initializers++] = (struct onnx_named_tensor){
                .name = graph->values[v].name, .tensor = graph->values[v].tensor};
    return out->initializers != NULL;
}

static struct onnx_value_info *export_infos(const struct eng_graph *graph, const int *values,
                                            size_t n, const struct eng_tensor *tensors,
                                            struct eng_arena *arena)
{
    struct onnx_value_info *infos = eng_arena_alloc(arena, n + 1, sizeof *infos);
    for (size_t i = 0; infos && i < n; i++)
        infos[i] = (struct onnx_value_info){.name = graph->values[values[i]].name,
                                            .dtype = tensors[values[i]].dtype,
                                            .shape = tensors[values[i]].shape};
    return infos;
}

static enum eng_status export_graph(const struct eng_graph *graph, struct onnx_model *out,
                                    struct eng_error *err)
{
    struct eng_tensor *tensors = eng_arena_alloc(&out->arena, graph->n_values + 1, sizeof *tensors);
    out->nodes = eng_arena_alloc(&out->arena, graph->n_nodes + 1, sizeof *out->nodes);
    if (!tensors || !out->nodes || !export_opsets(graph, out) || !export_constants(graph, out))
        return eng_fail_memory(err, "the file's nodes");
    enum eng_status status = eng_shape_infer_symbolic(graph, false, tensors, err);
    if (status != ENG_OK) return status;
    out->inputs = export_infos(graph, graph->inputs, graph->n_inputs, tensors, &out->arena);
    out->outputs = export_infos(graph, graph->outputs, graph->n_outputs, tensors, &out->arena);
    if (!out->inputs || !out->outputs) return eng_fail_memory(err, "the file's inputs and outputs");
    out->n_inputs = graph->n_inputs;
    out->n_outputs = graph->n_outputs;
    for (; out->n_nodes < graph->n_nodes; out->n_nodes++)
        if (!export_node(graph, &graph->nodes[out->n_nodes], &out->arena,
                         &out->nodes[out->n_nodes]))
            return eng_fail_memory(err, "the file's nodes");
    return ENG_OK;
}

enum eng_status eng_convert_export(const struct eng_graph *graph, struct onnx_model *out,
                                   struct eng_error *err)
{
    struct onnx_model model = {.producer_name = "classifyd",
                               .producer_version = CLASSIFYD_VERSION,
                               .doc_string = "",
                               .graph_name = graph->name};
    eng_arena_init(&model.arena);
    enum eng_status status = export_graph(graph, &model, err);
    if (status != ENG_OK) {
        onnx_model_fini(&model);
        return status;
    }
    model.ir_version = ir_version_of(opset_of(&model, ""));
    *out = model;
    return ENG_OK;
}
