#include "explain/layer.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/target.h"

#include <stdlib.h>
#include <string.h>

/* What is known of each value, [n_values]. */
struct ways {
    const struct eng_model *model;
    int score;
    bool *comes;   /* it depends on the picture */
    bool *leads;   /* the score depends on it */
    bool *is_map;  /* a feature map with the last convolution's positions, made of its output */
    int *last_use; /* the last node on a way that reads it; n_nodes for the score */
};

static bool ways_init(struct ways *ways, const struct eng_model *model)
{
    size_t n = model->graph.n_values;
    *ways = (struct ways){.model = model,
                          .score = eng_explain_find_target(model).value,
                          .comes = eng_calloc(n, sizeof *ways->comes),
                          .leads = eng_calloc(n, sizeof *ways->leads),
                          .is_map = eng_calloc(n, sizeof *ways->is_map),
                          .last_use = eng_calloc(n, sizeof *ways->last_use)};
    return ways->comes && ways->leads && ways->is_map && ways->last_use;
}

static void ways_fini(struct ways *ways)
{
    free(ways->comes);
    free(ways->leads);
    free(ways->is_map);
    free(ways->last_use);
}

static bool any(const bool *marks, const int *values, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (values[k] != ENG_NO_VALUE && marks[values[k]]) return true;
    return false;
}

static void mark_all(bool *marks, const int *values, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (values[k] != ENG_NO_VALUE) marks[values[k]] = true;
}

/* A value is on a way if it comes from the picture and leads to the score. */
static void mark_ways(struct ways *ways)
{
    const struct eng_graph *graph = &ways->model->graph;
    ways->comes[graph->inputs[0]] = true;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        if (any(ways->comes, node->in, node->n_in)) mark_all(ways->comes, node->out, node->n_out);
    }
    ways->leads[ways->score] = true;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        if (any(ways->leads, node->out, node->n_out)) mark_all(ways->leads, node->in, node->n_in);
    }
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        if (!any(ways->leads, node->out, node->n_out)) continue;
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] != ENG_NO_VALUE) ways->last_use[node->in[k]] = (int)i;
    }
    ways->last_use[ways->score] = (int)graph->n_nodes;
}

static bool is_on_way(const struct ways *ways, int value)
{
    return value != ENG_NO_VALUE && ways->comes[value] && ways->leads[value];
}

/* The last convolution's place among the nodes; n_nodes if there is none. */
static size_t last_convolution(const struct ways *ways)
{
    const struct eng_graph *graph = &ways->model->graph;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        const struct eng_shape *y = &ways->model->symbolic[node->out[0]].shape;
        if (strcmp(node->op->name, "Conv") == 0 && is_on_way(ways, node->out[0]) && y->rank == 4 &&
            y->dim[2] * y->dim[3] > 1)
            return i;
    }
    return graph->n_nodes;
}

/* Whether the node makes a feature map of the same positions from one. */
static bool keeps_map(const struct ways *ways, const struct eng_node *node,
                      const struct eng_shape *map)
{
    const struct eng_shape *y = &ways->model->symbolic[node->out[0]].shape;
    bool moves = node->op->flags & ENG_OP_VIEW || strcmp(node->op->name, "Transpose") == 0;
    return !moves && any(ways->is_map, node->in, node->n_in) && y->rank == 4 &&
           y->dim[2] == map->dim[2] && y->dim[3] == map->dim[3];
}

static bool is_among(int value, const int *values, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (values[k] == value) return true;
    return false;
}

/* The last map that is alone alive behind its node: all that the score is made of. */
static int follow(struct ways *ways, size_t conv)
{
    const struct eng_graph *graph = &ways->model->graph;
    int found = graph->nodes[conv].out[0];
    const struct eng_shape *map = &ways->model->symbolic[found].shape;
    ways->is_map[found] = true;
    size_t n_alive = 1; /* the picture */
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_in; k++) {
            int v = node->in[k];
            bool dies = is_on_way(ways, v) && ways->last_use[v] == (int)i;
            if (dies && !is_among(v, node->in, k)) n_alive--;
        }
        for (size_t k = 0; k < node->n_out; k++)
            n_alive += is_on_way(ways, node->out[k]);
        int v = node->out[0];
        if (i > conv && is_on_way(ways, v) && keeps_map(ways, node, map)) {
            ways->is_map[v] = true;
            if (n_alive == 1 && ways->model->symbolic[v].dtype == ENG_FLOAT32) found = v;
        }
    }
    return found;
}

enum eng_status eng_explain_find_layer(const struct eng_model *model, int *value,
                                       struct eng_error *err)
{
    struct ways ways;
    bool ok = ways_init(&ways, model);
    size_t conv = model->graph.n_nodes;
    if (ok) {
        mark_ways(&ways);
        conv = last_convolution(&ways);
        if (conv < model->graph.n_nodes) *value = follow(&ways, conv);
    }
    ways_fini(&ways);
    if (!ok) return eng_fail_memory(err, "the search for a convolution");
    if (conv < model->graph.n_nodes) return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED,
                    "the graph has no convolution (Conv) with several positions on the way from "
                    "the picture to the score");
}
