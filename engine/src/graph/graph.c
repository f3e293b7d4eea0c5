#include "graph/graph.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Smaller constants are copied: looking for their blocks would take longer. */
enum { MIN_TAKEN_BYTES = 64 << 10 };

void eng_graph_init(struct eng_graph *graph)
{
    *graph = (struct eng_graph){.name = ""};
    eng_arena_init_lasting(&graph->arena);
}

static void free_tables(struct eng_graph *graph)
{
    free(graph->values);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
}

void eng_graph_fini(struct eng_graph *graph)
{
    eng_arena_fini(&graph->arena);
    eng_block_free(graph->weights.bytes, graph->weights.n_bytes);
    eng_names_fini(&graph->index);
    if (!graph->is_settled) free_tables(graph);
    *graph = (struct eng_graph){0};
}

enum eng_status eng_graph_settle(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_graph settled = *graph;
    struct eng_arena *arena = &settled.arena;
    settled.values = eng_arena_copy(arena, graph->values, graph->n_values * sizeof *graph->values);
    settled.nodes = eng_arena_copy(arena, graph->nodes, graph->n_nodes * sizeof *graph->nodes);
    settled.inputs = eng_arena_copy(arena, graph->inputs, graph->n_inputs * sizeof *graph->inputs);
    settled.outputs =
        eng_arena_copy(arena, graph->outputs, graph->n_outputs * sizeof *graph->outputs);
    settled.is_settled = true;
    graph->arena = settled.arena;
    if (!settled.values || !settled.nodes || !settled.inputs || !settled.outputs)
        return eng_fail_memory(err, "the graph's tables");
    free_tables(graph);
    *graph = settled;
    return ENG_OK;
}

int eng_graph_find(const struct eng_graph *graph, const char *name)
{
    int value = eng_names_find(&graph->index, name);
    return value < 0 ? ENG_NO_VALUE : value;
}

enum eng_status eng_node_fail(const struct eng_node *node, enum eng_status status,
                              struct eng_error *err)
{
    eng_error_context(err, "node '%s' (%s)", node->name, node->op->name);
    return status;
}

/* The one place where a value comes to be: unique name, limit, index. */
static enum eng_status add_value(struct eng_graph *graph, const char *name,
                                 enum eng_value_kind kind, int *out, struct eng_error *err)
{
    assert(!graph->is_settled);
    if (!name || !*name)
        return eng_fail(err, ENG_FORMAT, "a value has an empty name; every value needs one");
    if (eng_graph_find(graph, name) != ENG_NO_VALUE)
        return eng_fail(err, ENG_FORMAT, "value '%s' is defined twice; names must be unique", name);
    if (graph->n_values >= ENG_GRAPH_MAX_VALUES)
        return eng_fail(err, ENG_LIMIT, "the graph has more than %d values", ENG_GRAPH_MAX_VALUES);
    if (!eng_grow(&graph->values, &graph->values_capacity, graph->n_values + 1,
                  sizeof *graph->values))
        return eng_fail_memory(err, "the graph's values");
    char *copy = eng_arena_string(&graph->arena, name, strlen(name));
    if (!copy || !eng_names_put(&graph->index, copy, (int)graph->n_values))
        return eng_fail_memory(err, "a value's name");
    *out = (int)graph->n_values;
    graph->values[graph->n_values++] = (struct eng_value){.name = copy, .kind = kind};
    return ENG_OK;
}

static enum eng_status append_index(int **list, size_t *n, size_t *capacity, int value,
                                    struct eng_error *err)
{
    if (!eng_grow(list, capacity, *n + 1, sizeof **list))
        return eng_fail_memory(err, "the graph's inputs and outputs");
    (*list)[(*n)++] = value;
    return ENG_OK;
}

enum eng_status eng_graph_add_input(struct eng_graph *graph, const char *name, enum eng_dtype dtype,
                                    const struct eng_shape *shape, int *out, struct eng_error *err)
{
    int value;
    enum eng_status status = add_value(graph, name, ENG_VALUE_INPUT, &value, err);
    if (status == ENG_OK)
        status =
            append_index(&graph->inputs, &graph->n_inputs, &graph->inputs_capacity, value, err);
    if (status != ENG_OK) return status;
    graph->values[value].tensor = (struct eng_tensor){.dtype = dtype, .shape = *shape};
    *out = value;
    return ENG_OK;
}

enum eng_status eng_graph_add_computed(struct eng_graph *graph, const char *name, int *out,
                                       struct eng_error *err)
{
    return add_value(graph, name, ENG_VALUE_COMPUTED, out, err);
}

enum eng_status eng_graph_add_constant(struct eng_graph *graph, const char *name,
                                       const struct eng_tensor *tensor, int *out,
                                       struct eng_error *err)
{
    return eng_graph_add_constant_take(graph, name, tensor, NULL, out, err);
}

enum eng_status eng_graph_add_constant_take(struct eng_graph *graph, const char *name,
                                            const struct eng_tensor *tensor, struct eng_arena *from,
                                            int *out, struct eng_error *err)
{
    int64_t n_bytes = eng_tensor_bytes(tensor);
    if (n_bytes < 0)
        return eng_fail(err, ENG_LIMIT, "constant '%s' is larger than memory can be", name);
    int value;
    enum eng_status status = add_value(graph, name, ENG_VALUE_CONSTANT, &value, err);
    if (status != ENG_OK) return status;
    void *data = tensor->data;
    bool taken =
        from && (eng_memory_holds(&graph->weights, data) ||
                 (n_bytes >= MIN_TAKEN_BYTES && eng_arena_move(from, data, &graph->arena)));
    if (!taken) {
        data = eng_arena_alloc(&graph->arena, (size_t)n_bytes + ENG_ALIGN, 1);
        if (!data) return eng_fail_memory(err, "a constant");
        if (n_bytes && tensor->data) memcpy(data, tensor->data, (size_t)n_bytes);
    }
    graph->values[value].tensor = *tensor;
    graph->values[value].tensor.data = data;
    *out = value;
    return ENG_OK;
}

static enum eng_status check_count(const char *what, size_t n, size_t min, size_t max,
                                   struct eng_error *err)
{
    if (n >= min && n <= max) return ENG_OK;
    if (min == max) return eng_fail(err, ENG_FORMAT, "has %zu %s, wanted %zu", n, what, min);
    return eng_fail(err, ENG_FORMAT, "has %zu %s, wanted %zu to %zu", n, what, min, max);
}

static enum eng_status check_counts(const struct eng_op *op, size_t n_in, size_t n_out,
                                    struct eng_error *err)
{
    enum eng_status status = check_count("inputs", n_in, op->in_min, op->in_max, err);
    return status == ENG_OK ? check_count("outputs", n_out, op->out_min, op->out_max, err) : status;
}

/* Required inputs may not be left out, and every index must be an existing value. */
static enum eng_status check_inputs(const struct eng_graph *graph, const struct eng_op *op,
                                    const int *in, size_t n_in, struct eng_error *err)
{
    for (size_t i = 0; i < n_in; i++) {
        if (in[i] == ENG_NO_VALUE && i < op->in_min)
            return eng_fail(err, ENG_FORMAT, "input %zu is left out, but the operator needs it", i);
        if (in[i] != ENG_NO_VALUE && (in[i] < 0 || (size_t)in[i] >= graph->n_values))
            return eng_fail(err, ENG_ARGUMENT, "input %zu is value %d, wanted 0 to %zu", i, in[i],
                            graph->n_values);
    }
    return ENG_OK;
}

static enum eng_status read_attrs(struct eng_graph *graph, struct eng_node *node,
                                  const struct eng_attr *attrs, size_t n_attrs,
                                  struct eng_error *err)
{
    void *own = eng_arena_alloc(&graph->arena, 1, node->op->attrs_bytes + 1);
    if (!own) return eng_fail_memory(err, "a node's attributes");
    enum eng_status status = eng_attrs_read(node->op, attrs, n_attrs, own, err);
    if (status == ENG_OK) status = eng_attrs_own(node->op, own, &graph->arena, err);
    node->attrs = own;
    return status;
}

/* A node without a name is called after its operator and place. */
static const char *node_name(struct eng_graph *graph, const char *name, const char *op_type)
{
    char made[128];
    if (!name || !*name) {
        snprintf(made, sizeof made, "%.80s_%zu", op_type, graph->n_nodes);
        name = made;
    }
    return eng_arena_string(&graph->arena, name, strlen(name));
}

/* Only the outputs behind those that every node has may be left out. */
static enum eng_status check_outputs(const struct eng_op *op, const char *const *out_names,
                                     struct eng_error *err)
{
    for (size_t k = 0; k < op->out_min; k++)
        if (!out_names[k] || !*out_names[k])
            return eng_fail(err, ENG_FORMAT, "output %zu is left out, but the operator needs it",
                            k);
    return ENG_OK;
}

static enum eng_status add_node_values(struct eng_graph *graph, struct eng_node *node,
                                       const int *in, const char *const *out_names,
                                       struct eng_error *err)
{
    node->in = eng_arena_alloc(&graph->arena, node->n_in + 1, sizeof *node->in);
    node->out = eng_arena_alloc(&graph->arena, node->n_out + 1, sizeof *node->out);
    if (!node->in || !node->out) return eng_fail_memory(err, "a node");
    for (size_t i = 0; i < node->n_in; i++)
        node->in[i] = in[i];
    for (size_t k = 0; k < node->n_out; k++) {
        node->out[k] = ENG_NO_VALUE;
        if (!out_names[k] || !*out_names[k]) continue;
        enum eng_status status =
            add_value(graph, out_names[k], ENG_VALUE_COMPUTED, &node->out[k], err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

enum eng_status eng_graph_add_node(struct eng_graph *graph, const char *name, const char *domain,
                                   const char *op_type, int opset, const struct eng_attr *attrs,
                                   size_t n_attrs, const int *in, size_t n_in,
                                   const char *const *out_names, size_t n_out,
                                   struct eng_error *err)
{
    assert(!graph->is_settled);
    if (graph->n_nodes >= ENG_GRAPH_MAX_NODES)
        return eng_fail(err, ENG_LIMIT, "the graph has more than %d nodes", ENG_GRAPH_MAX_NODES);
    struct eng_node node = {.opset = opset, .n_in = n_in, .n_out = n_out};
    node.name = node_name(graph, name, op_type);
    if (!node.name ||
        !eng_grow(&graph->nodes, &graph->nodes_capacity, graph->n_nodes + 1, sizeof *graph->nodes))
        return eng_fail_memory(err, "the graph's nodes");
    enum eng_status status = eng_op_find(domain, op_type, opset, &node.op, err);
    if (status != ENG_OK) {
        eng_error_context(err, "node '%s' (%s)", node.name, op_type);
        return status;
    }
    status = check_counts(node.op, n_in, n_out, err);
    if (status == ENG_OK) status = eng_op_check_inputs(node.op, opset, n_in, err);
    if (status == ENG_OK) status = check_inputs(graph, node.op, in, n_in, err);
    if (status == ENG_OK) status = check_outputs(node.op, out_names, err);
    if (status == ENG_OK) status = read_attrs(graph, &node, attrs, n_attrs, err);
    if (status == ENG_OK) status = add_node_values(graph, &node, in, out_names, err);
    if (status != ENG_OK) return eng_node_fail(&node, status, err);
    graph->nodes[graph->n_nodes++] = node;
    return ENG_OK;
}

enum eng_status eng_graph_add_output(struct eng_graph *graph, int value, struct eng_error *err)
{
    assert(!graph->is_settled);
    return append_index(&graph->outputs, &graph->n_outputs, &graph->outputs_capacity, value, err);
}

void eng_graph_mark_trainable(struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_in && k < 32; k++) {
            if (!(node->op->trainable_inputs >> k & 1) || node->in[k] == ENG_NO_VALUE) continue;
            struct eng_value *value = &graph->values[node->in[k]];
            if (value->kind == ENG_VALUE_CONSTANT && value->tensor.dtype == ENG_FLOAT32)
                value->trainable = true;
        }
    }
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; graph->nodes[i].frozen && k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] != ENG_NO_VALUE)
                graph->values[graph->nodes[i].in[k]].trainable = false;
}

void eng_graph_count_uses(const struct eng_graph *graph, int *counts)
{
    memset(counts, 0, graph->n_values * sizeof *counts);
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] != ENG_NO_VALUE) counts[graph->nodes[i].in[k]]++;
    for (size_t i = 0; i < graph->n_outputs; i++)
        counts[graph->outputs[i]]++;
}
