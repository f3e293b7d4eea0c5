#include "graph/graph.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

static bool copy_list(const void *from, size_t n, size_t bytes, void *list, size_t *capacity)
{
    if (!eng_grow(list, capacity, n + 1, bytes)) return false;
    if (n > 0) memcpy(*(void **)list, from, n * bytes);
    return true;
}

static bool copy_tables(const struct eng_graph *from, struct eng_graph *out)
{
    out->name = from->name;
    out->n_values = from->n_values;
    out->n_nodes = from->n_nodes;
    out->n_inputs = from->n_inputs;
    out->n_outputs = from->n_outputs;
    return copy_list(from->values, from->n_values, sizeof *from->values, &out->values,
                     &out->values_capacity) &&
           copy_list(from->nodes, from->n_nodes, sizeof *from->nodes, &out->nodes,
                     &out->nodes_capacity) &&
           copy_list(from->inputs, from->n_inputs, sizeof *from->inputs, &out->inputs,
                     &out->inputs_capacity) &&
           copy_list(from->outputs, from->n_outputs, sizeof *from->outputs, &out->outputs,
                     &out->outputs_capacity);
}

/* Passes write into nodes' lists of values. */
static bool own_lists(struct eng_graph *out)
{
    for (size_t i = 0; i < out->n_nodes; i++) {
        struct eng_node *node = &out->nodes[i];
        node->in = eng_arena_copy(&out->arena, node->in, node->n_in * sizeof *node->in);
        node->out = eng_arena_copy(&out->arena, node->out, node->n_out * sizeof *node->out);
        if (!node->in || !node->out) return false;
    }
    for (size_t v = 0; v < out->n_values; v++)
        if (!eng_names_put(&out->index, out->values[v].name, (int)v)) return false;
    return true;
}

enum eng_status eng_graph_borrow(const struct eng_graph *from, struct eng_graph *out,
                                 struct eng_error *err)
{
    return copy_tables(from, out) && own_lists(out) ? ENG_OK
                                                    : eng_fail_memory(err, "a copy of the graph");
}
