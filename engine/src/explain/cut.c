#include "explain/cut.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/activation_node.h"
#include "graph/passes.h"

#include <stdio.h>
#include <string.h>

static size_t count_fused(const struct eng_graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].activation.kind != ENG_ACT_NONE;
    return n;
}

static enum eng_status set_outputs(struct eng_graph *graph, const int *outputs, size_t n,
                                   struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    graph->n_outputs = 0;
    for (size_t i = 0; status == ENG_OK && i < n; i++)
        status = eng_graph_add_output(graph, outputs[i], err);
    return status;
}

/* A value for what goes into an activation. Its name is one that no other value has. */
static enum eng_status add_inner_value(struct eng_graph *graph, int value, int *out,
                                       struct eng_error *err)
{
    const char *base = graph->values[value].name;
    size_t n_bytes = strlen(base) + 32;
    char *name = eng_arena_alloc(&graph->arena, n_bytes, 1);
    if (!name) return eng_fail_memory(err, "a part of the graph");
    size_t number = graph->n_values;
    do
        snprintf(name, n_bytes, "%s.before%zu", base, number++);
    while (eng_graph_find(graph, name) != ENG_NO_VALUE);
    return eng_graph_add_computed(graph, name, out, err);
}

/* The node leaves its activation to another one, next. */
static enum eng_status unfuse(struct eng_graph *graph, struct eng_node *node, struct eng_node *next,
                              struct eng_error *err)
{
    int inner;
    enum eng_status status = add_inner_value(graph, node->out[0], &inner, err);
    if (status != ENG_OK) return status;
    *next = (struct eng_node){
        .name = node->name,
        .op = &eng_explain_activation_op,
        .attrs = eng_arena_copy(&graph->arena, &node->activation, sizeof node->activation),
        .opset = node->opset,
        .n_in = 1,
        .n_out = 1,
        .in = eng_arena_copy(&graph->arena, &inner, sizeof inner),
        .out = eng_arena_copy(&graph->arena, &node->out[0], sizeof node->out[0])};
    if (!next->attrs || !next->in || !next->out) return eng_fail_memory(err, "a part of the graph");
    node->out[0] = inner;
    node->activation = (struct eng_activation){.kind = ENG_ACT_NONE};
    return ENG_OK;
}

/* From the last node to the first, each to its new place; between them the activations. */
static enum eng_status unfuse_all(struct eng_graph *graph, size_t n_more, struct eng_error *err)
{
    size_t to = graph->n_nodes + n_more;
    if (!eng_grow(&graph->nodes, &graph->nodes_capacity, to, sizeof *graph->nodes))
        return eng_fail_memory(err, "a part of the graph");
    for (size_t i = graph->n_nodes; i-- > 0;) {
        struct eng_node node = graph->nodes[i];
        if (node.activation.kind != ENG_ACT_NONE) {
            enum eng_status status = unfuse(graph, &node, &graph->nodes[--to], err);
            if (status != ENG_OK) return status;
        }
        graph->nodes[--to] = node;
    }
    graph->n_nodes += n_more;
    return ENG_OK;
}

enum eng_status eng_explain_cut(const struct eng_graph *from, const int *outputs, size_t n_outputs,
                                bool differentiable, struct eng_graph *out, struct eng_error *err)
{
    eng_graph_init(out);
    size_t n_more = differentiable ? count_fused(from) : 0;
    if (from->n_nodes + n_more > ENG_GRAPH_MAX_NODES ||
        from->n_values + n_more > ENG_GRAPH_MAX_VALUES)
        return eng_fail(err, ENG_LIMIT,
                        "with its activations as nodes the graph has %zu, wanted "
                        "at most %d",
                        from->n_nodes + n_more, ENG_GRAPH_MAX_NODES);
    enum eng_status status = eng_graph_borrow(from, out, err);
    if (status == ENG_OK) status = set_outputs(out, outputs, n_outputs, err);
    if (status == ENG_OK && n_more > 0) status = unfuse_all(out, n_more, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < out->n_nodes; i++)
        out->nodes[i].frozen = out->nodes[i].steady = true;
    for (size_t v = 0; v < out->n_values; v++)
        out->values[v].trainable = out->values[v].wants_grad = false;
    return eng_passes_drop_dead(out, err);
}
