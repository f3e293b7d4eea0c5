/* Passes that join a node with the one before it. */
#include "graph/links.h"
#include "graph/passes.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The node whose output 0 this node alone reads, as its input 0; NULL if there is none. */
static struct eng_node *only_producer(struct eng_graph *graph, const struct eng_links *links,
                                      const struct eng_node *node)
{
    int value = node->n_in ? node->in[0] : ENG_NO_VALUE;
    if (value == ENG_NO_VALUE || links->producer[value] < 0 || links->uses[value] != 1) return NULL;
    struct eng_node *producer = &graph->nodes[links->producer[value]];
    return producer->out[0] == value ? producer : NULL;
}

/* The producer now makes what the node made. */
static void take_over(struct eng_links *links, struct eng_node *producer,
                      const struct eng_node *node, size_t node_index)
{
    int producer_index = links->producer[producer->out[0]];
    producer->out[0] = node->out[0];
    links->producer[node->out[0]] = producer_index;
    links->removed[node_index] = true;
}

/* ---- scale and shift into weights ---- */

/* Channel-wise numbers of one fold. */
struct affine {
    size_t n;
    float *scale, *shift, *bias;
};

static bool affine_init(struct affine *affine, size_t n)
{
    float *all = eng_calloc(3 * n, sizeof *all);
    *affine = (struct affine){.n = n, .scale = all, .shift = all + n, .bias = all + 2 * n};
    return all != NULL;
}

/* The weight must be this node's own: changing it must not change another's answer. */
static struct eng_value *own_weight(struct eng_graph *graph, const struct eng_links *links,
                                    const struct eng_node *producer)
{
    if (producer->n_in < 2 || producer->in[1] == ENG_NO_VALUE) return NULL;
    struct eng_value *weight = &graph->values[producer->in[1]];
    bool own = weight->kind == ENG_VALUE_CONSTANT && links->uses[producer->in[1]] == 1 &&
               weight->tensor.dtype == ENG_FLOAT32;
    return own ? weight : NULL;
}

/* The old bias, if there is one, must be a constant vector of n. */
static bool copy_bias(const struct eng_graph *graph, const struct eng_node *producer,
                      struct affine *affine)
{
    if (producer->n_in < 3 || producer->in[2] == ENG_NO_VALUE) return true;
    const struct eng_value *bias = &graph->values[producer->in[2]];
    if (bias->kind != ENG_VALUE_CONSTANT || bias->tensor.dtype != ENG_FLOAT32 ||
        eng_shape_count(&bias->tensor.shape) != (int64_t)affine->n)
        return false;
    memcpy(affine->bias, bias->tensor.data, affine->n * sizeof *affine->bias);
    return true;
}

/* Gives the producer the new bias as input 2. */
static enum eng_status set_bias(struct eng_graph *graph, struct eng_node *producer,
                                const struct affine *affine, struct eng_error *err)
{
    char name[160]; /* with a number: what is cut off may be all that tells two names apart */
    snprintf(name, sizeof name, "%.120s.folded_bias%zu", graph->values[producer->out[0]].name,
             graph->n_values);
    struct eng_tensor tensor = {.dtype = ENG_FLOAT32,
                                .shape = {.rank = 1, .dim = {(int64_t)affine->n}},
                                .data = affine->bias};
    int *in = eng_arena_alloc(&graph->arena, 3, sizeof *in);
    if (!in) return eng_fail_memory(err, "a folded bias");
    memcpy(in, producer->in, 2 * sizeof *in);
    enum eng_status status = eng_graph_add_constant(graph, name, &tensor, &in[2], err);
    if (status != ENG_OK) return status;
    producer->in = in;
    producer->n_in = 3;
    return ENG_OK;
}

/* Asks both operators; *folded says whether the weights took it. */
static enum eng_status fold_into(struct eng_graph *graph, const struct eng_links *links,
                                 const struct eng_node *node, struct eng_node *producer,
                                 struct affine *affine, bool *folded, struct eng_error *err)
{
    struct eng_value *weight = own_weight(graph, links, producer);
    if (!weight || !copy_bias(graph, producer, affine)) return ENG_OK;
    struct eng_node_view view, producer_view;
    if (!eng_node_view_init(graph, node, &view)) return eng_fail_memory(err, "a graph pass");
    if (!eng_node_view_init(graph, producer, &producer_view)) {
        eng_node_view_fini(&view);
        return eng_fail_memory(err, "a graph pass");
    }
    *folded = node->op->channel_affine(&view.q, affine->scale, affine->shift, affine->n) &&
              producer->op->absorb_affine(&producer_view.q, affine->scale, affine->shift, affine->n,
                                          weight->tensor.data, affine->bias);
    eng_node_view_fini(&view);
    eng_node_view_fini(&producer_view);
    if (!*folded) return ENG_OK;
    weight->dequantised = NULL;
    return set_bias(graph, producer, affine, err);
}

/* The number of channels is the length of the node's first parameter. */
static size_t channels_of(const struct eng_graph *graph, const struct eng_node *node)
{
    if (node->n_in < 2 || node->in[1] == ENG_NO_VALUE ||
        graph->values[node->in[1]].kind != ENG_VALUE_CONSTANT)
        return 0;
    int64_t n = eng_shape_count(&graph->values[node->in[1]].tensor.shape);
    return n > 0 ? (size_t)n : 0;
}

static enum eng_status fold_one(struct eng_graph *graph, struct eng_links *links, size_t i,
                                struct eng_error *err)
{
    const struct eng_node *node = &graph->nodes[i];
    struct eng_node *producer = only_producer(graph, links, node);
    size_t n = node->op->channel_affine ? channels_of(graph, node) : 0;
    if (n == 0 || !producer || !producer->op->absorb_affine ||
        producer->activation.kind != ENG_ACT_NONE)
        return ENG_OK;
    struct affine affine;
    if (!affine_init(&affine, n)) return eng_fail_memory(err, "a graph pass");
    bool folded = false;
    enum eng_status status = fold_into(graph, links, node, producer, &affine, &folded, err);
    if (status == ENG_OK && folded) take_over(links, producer, node, i);
    free(affine.scale);
    return status;
}

enum eng_status eng_passes_fold_affine(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++)
        status = fold_one(graph, &links, i, err);
    if (status == ENG_OK) eng_links_remove_marked(graph, &links);
    eng_links_fini(&links);
    return status;
}

/* ---- activations into epilogues ---- */

static enum eng_status fuse_one(struct eng_graph *graph, struct eng_links *links, size_t i,
                                struct eng_error *err)
{
    const struct eng_node *node = &graph->nodes[i];
    if (!(node->op->flags & ENG_OP_IS_ACTIVATION)) return ENG_OK;
    struct eng_node *producer = only_producer(graph, links, node);
    if (!producer || !(producer->op->flags & ENG_OP_FUSES_ACTIVATION) ||
        producer->activation.kind != ENG_ACT_NONE)
        return ENG_OK;
    struct eng_node_view view;
    if (!eng_node_view_init(graph, node, &view)) return eng_fail_memory(err, "a graph pass");
    struct eng_activation activation;
    if (node->op->activation(&view.q, &activation)) {
        producer->activation = activation;
        take_over(links, producer, node, i);
    }
    eng_node_view_fini(&view);
    return ENG_OK;
}

enum eng_status eng_passes_fuse_activations(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++)
        status = fuse_one(graph, &links, i, err);
    if (status == ENG_OK) eng_links_remove_marked(graph, &links);
    eng_links_fini(&links);
    return status;
}
