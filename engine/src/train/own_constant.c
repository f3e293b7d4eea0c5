#include "train/own_constant.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "<constant>.<node>", and a number behind it as long as another value is called so. */
static const char *make_name(struct eng_graph *graph, const char *constant, const char *node)
{
    size_t n_bytes = strlen(constant) + strlen(node) + sizeof ".." + 20;
    char *name = eng_arena_alloc(&graph->arena, n_bytes, 1);
    if (!name) return NULL;
    snprintf(name, n_bytes, "%s.%s", constant, node);
    for (size_t i = 2; eng_graph_find(graph, name) != ENG_NO_VALUE; i++)
        snprintf(name, n_bytes, "%s.%s.%zu", constant, node, i);
    return name;
}

enum eng_status eng_constant_own(struct eng_graph *graph, struct eng_links *links, size_t node,
                                 size_t k, struct eng_error *err)
{
    int shared = graph->nodes[node].in[k], own;
    if (links->uses[shared] == 1) return ENG_OK;
    const struct eng_tensor tensor = graph->values[shared].tensor;
    const char *name = make_name(graph, graph->values[shared].name, graph->nodes[node].name);
    if (!name) return eng_fail_memory(err, "a constant's name");
    enum eng_status status = eng_graph_add_constant(graph, name, &tensor, &own, err);
    if (status != ENG_OK) return status;
    links->uses[shared]--;
    graph->nodes[node].in[k] = own;
    return ENG_OK;
}

static bool is_float_constant(const struct eng_graph *graph, int value)
{
    return value != ENG_NO_VALUE && graph->values[value].kind == ENG_VALUE_CONSTANT &&
           graph->values[value].tensor.dtype == ENG_FLOAT32;
}

static bool trains(const struct eng_node *node, size_t k)
{
    return !node->frozen && k < 32 && node->op->trainable_inputs >> k & 1;
}

static void mark_trained(const struct eng_graph *graph, bool *is_trained)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_in; k++) {
            int v = graph->nodes[i].in[k];
            if (is_float_constant(graph, v) && trains(&graph->nodes[i], k)) is_trained[v] = true;
        }
}

/* One node's inputs that are not trained there, but would change. */
static enum eng_status part_node(struct eng_graph *graph, struct eng_links *links, size_t i,
                                 const bool *is_trained, struct eng_error *err)
{
    const struct eng_node *node = &graph->nodes[i];
    enum eng_status status = ENG_OK;
    for (size_t k = 0; k < node->n_in && status == ENG_OK; k++) {
        int v = node->in[k];
        if (!is_float_constant(graph, v) || trains(node, k)) continue;
        if (is_trained[v] || node->op->commit) status = eng_constant_own(graph, links, i, k, err);
    }
    return status;
}

enum eng_status eng_constants_part(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    bool *is_trained = eng_calloc(graph->n_values, sizeof *is_trained);
    if (is_trained)
        mark_trained(graph, is_trained);
    else
        status = eng_fail_memory(err, "what is trained");
    for (size_t i = 0; i < graph->n_nodes && status == ENG_OK; i++)
        status = part_node(graph, &links, i, is_trained, err);
    free(is_trained);
    eng_links_fini(&links);
    return status;
}
