#include "explain/cut.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/activation_node.h"
#include "graph/passes.h"

#include <stdio.h>
#include <string.h>

static void *copy_array(const void *from, size_t n, size_t bytes, size_t capacity)
{
    void *to = eng_calloc(capacity, bytes);
    if (to && n) memcpy(to, from, n * bytes);
    return to;
}

static size_t count_fused(const struct eng_graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].activation.kind != ENG_ACT_NONE;
    return n;
}

/* Tables with room for what unfusing adds. */
static bool copy_tables(const struct eng_graph *from, const int *outputs, size_t n_outputs,
                        size_t n_more, struct eng_graph *out)
{
    out->name = from->name;
    out->n_values = from->n_values;
    out->values_capacity = from->n_values + n_more;
    out->nodes_capacity = from->n_nodes + n_more;
    out->n_inputs = out->inputs_capacity = from->n_inputs;
    out->n_outputs = out->outputs_capacity = n_outputs;
    out->values =
        copy_array(from->values, from->n_values, sizeof *out->values, out->values_capacity);
    out->nodes = eng_calloc(out->nodes_capacity, sizeof *out->nodes);
    out->inputs = copy_array(from->inputs, from->n_inputs, sizeof *out->inputs, from->n_inputs);
    out->outputs = copy_array(outputs, n_outputs, sizeof *out->outputs, n_outputs);
    return out->values && out->nodes && out->inputs && out->outputs;
}

/* A value for what goes into an activation. Its name is one that no value of the file has. */
static bool add_inner_value(const struct eng_graph *from, int value, struct eng_graph *graph,
                            int *out)
{
    const char *base = from->values[value].name;
    size_t n_bytes = strlen(base) + 32;
    char *name = eng_arena_alloc(&graph->arena, n_bytes, 1);
    if (!name) return false;
    size_t number = graph->n_values;
    do
        snprintf(name, n_bytes, "%s.before%zu", base, number++);
    while (eng_graph_find(from, name) != ENG_NO_VALUE);
    *out = (int)graph->n_values;
    graph->values[graph->n_values++] = (struct eng_value){.name = name, .kind = ENG_VALUE_COMPUTED};
    return true;
}

/* The node last copied leaves its activation to another one behind it. */
static bool unfuse(const struct eng_graph *from, struct eng_graph *graph)
{
    struct eng_node *node = &graph->nodes[graph->n_nodes - 1], *next = node + 1;
    *next = (struct eng_node){
        .name = node->name,
        .op = &eng_explain_activation_op,
        .attrs = eng_arena_copy(&graph->arena, &node->activation, sizeof node->activation),
        .opset = node->opset,
        .n_in = 1,
        .n_out = 1,
        .in = eng_arena_alloc(&graph->arena, 1, sizeof *next->in),
        .out = eng_arena_alloc(&graph->arena, 1, sizeof *next->out)};
    int inner;
    if (!next->attrs || !next->in || !next->out ||
        !add_inner_value(from, node->out[0], graph, &inner))
        return false;
    next->out[0] = node->out[0];
    next->in[0] = node->out[0] = inner;
    node->activation = (struct eng_activation){.kind = ENG_ACT_NONE};
    graph->n_nodes++;
    return true;
}

static bool copy_node(const struct eng_node *from, struct eng_graph *graph)
{
    struct eng_node *node = &graph->nodes[graph->n_nodes];
    *node = *from;
    node->frozen = node->steady = true;
    node->in = eng_arena_alloc(&graph->arena, from->n_in + 1, sizeof *node->in);
    node->out = eng_arena_alloc(&graph->arena, from->n_out + 1, sizeof *node->out);
    if (!node->in || !node->out) return false;
    memcpy(node->in, from->in, from->n_in * sizeof *node->in);
    memcpy(node->out, from->out, from->n_out * sizeof *node->out);
    graph->n_nodes++;
    return true;
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
    if (!copy_tables(from, outputs, n_outputs, n_more, out))
        return eng_fail_memory(err, "a part of the graph");
    for (size_t i = 0; i < from->n_nodes; i++) {
        bool ok = copy_node(&from->nodes[i], out);
        if (ok && differentiable && from->nodes[i].activation.kind != ENG_ACT_NONE)
            ok = unfuse(from, out);
        if (!ok) return eng_fail_memory(err, "a part of the graph");
    }
    for (size_t v = 0; v < out->n_values; v++)
        out->values[v].trainable = out->values[v].wants_grad = false;
    return eng_passes_drop_dead(out, err);
}
