#include "train/network.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/shape.h"
#include "train/finetune.h"
#include "train/freeze.h"
#include "train/layer.h"
#include "train/layer_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A graph that is being built, with the shapes that a single sample has in it. */
struct builder {
    const struct eng_recipe *recipe;
    struct eng_graph *graph;
    struct eng_patch_source patches;
    int samples;                /* the value that the first layer gets */
    struct eng_arena arena;     /* the nodes' states */
    struct eng_tensor *tensors; /* [n_tensors] of the graph's first values */
    size_t n_tensors, capacity;
};

/* Gives the values that were added their tensors. */
static enum eng_status extend_tensors(struct builder *b, struct eng_error *err)
{
    size_t n = b->graph->n_values;
    if (!eng_grow(&b->tensors, &b->capacity, n, sizeof *b->tensors))
        return eng_fail_memory(err, "shapes");
    for (; b->n_tensors < n; b->n_tensors++)
        b->tensors[b->n_tensors] = b->graph->values[b->n_tensors].tensor;
    return ENG_OK;
}

static enum eng_status infer_last(struct builder *b, struct eng_error *err)
{
    struct eng_node_plan plan;
    enum eng_status status = extend_tensors(b, err);
    if (status != ENG_OK) return status;
    return eng_shape_infer_node(b->graph, b->graph->n_nodes - 1, true, &b->arena, b->tensors, &plan,
                                err);
}

/* The input and what standardises it; *value is what the first layer gets. */
static enum eng_status add_input(struct builder *b, const struct eng_input *input, int *in,
                                 int *value, struct eng_error *err)
{
    struct eng_shape shape;
    enum eng_status status = eng_input_add_nodes(input, b->graph, in, value, &shape, err);
    if (status == ENG_OK) status = extend_tensors(b, err);
    if (status == ENG_OK)
        b->tensors[*value] = (struct eng_tensor){.dtype = ENG_FLOAT32, .shape = shape};
    return status;
}

/* Appends the node and infers its shapes. *value becomes its output. */
static enum eng_status add_node(struct builder *b, const struct eng_layer *layer, const int *in,
                                size_t n_in, const char *out, int *value, struct eng_error *err)
{
    enum eng_status status =
        eng_graph_add_node(b->graph, layer->name, "", layer->kind->op, ENG_LAYER_OPSET,
                           layer->attrs, layer->n_attrs, in, n_in, &out, 1, err);
    if (status == ENG_OK) status = infer_last(b, err);
    if (status == ENG_OK) *value = eng_graph_find(b->graph, out);
    return status;
}

/* A layer's output is called after it; that of the network's last one "scores". */
static void name_output(const struct builder *b, const struct eng_layer *layer, char *out,
                        size_t n_bytes)
{
    bool is_last = layer == &b->recipe->layers[b->recipe->n_layers - 1];
    snprintf(out, n_bytes, is_last ? "scores" : "%s.out", layer->name);
}

static enum eng_status append(struct builder *b, const struct eng_layer *layer, int *value,
                              struct eng_error *err)
{
    char out[ENG_LAYER_FULL_NAME_BYTES + 8];
    const struct eng_layer_site site = {
        .graph = b->graph,
        .name = layer->name,
        .input = b->tensors[*value].shape,
        .seed = (uint64_t)b->recipe->seed,
        .patches = b->patches.train && *value == b->samples ? &b->patches : NULL};
    int in[ENG_LAYER_MAX_INPUTS] = {*value};
    size_t n_in = 1;
    name_output(b, layer, out, sizeof out);
    enum eng_status status = layer->kind->inputs(layer, &site, in, &n_in, err);
    if (status == ENG_OK) status = add_node(b, layer, in, n_in, out, value, err);
    if (status == ENG_OK) b->graph->nodes[b->graph->n_nodes - 1].frozen = layer->options.frozen;
    return status;
}

static enum eng_status check_branches(const struct builder *b, const int *ends, size_t n,
                                      struct eng_error *err)
{
    const struct eng_shape *first = &b->tensors[ends[0]].shape;
    for (size_t i = 1; i < n; i++) {
        char one[96], other[96];
        const struct eng_shape *shape = &b->tensors[ends[i]].shape;
        if (!eng_shape_equal(first, shape))
            return eng_fail(err, ENG_FORMAT,
                            "branches[0] gives shape %s for one sample and branches[%zu] %s; "
                            "wanted the same",
                            eng_shape_format(first, one, sizeof one), i,
                            eng_shape_format(shape, other, sizeof other));
    }
    return ENG_OK;
}

/* The sum of what the branches give, two at a time. */
static enum eng_status join(struct builder *b, const struct eng_layer *layer, const int *ends,
                            int *value, struct eng_error *err)
{
    char out[ENG_LAYER_FULL_NAME_BYTES + 32];
    int sum = ends[0];
    for (size_t i = 1; i < layer->n_branches; i++) {
        const int in[] = {sum, ends[i]};
        if (i + 1 == layer->n_branches)
            name_output(b, layer, out, sizeof out);
        else
            snprintf(out, sizeof out, "%s.sum%zu", layer->name, i);
        enum eng_status status = add_node(b, layer, in, 2, out, &sum, err);
        if (status != ENG_OK) return status;
    }
    *value = sum;
    return ENG_OK;
}

/* Appends the layers behind *value, which becomes their output. As deep as the recipe is. */
static enum eng_status append_list(struct builder *b, const struct eng_layer_list *list, int *value,
                                   struct eng_error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct eng_layer *layer = &list->layers[i];
        int ends[ENG_RECIPE_MAX_BRANCHES];
        enum eng_status status = ENG_OK;
        for (size_t k = 0; k < layer->n_branches; k++) {
            ends[k] = *value;
            status = append_list(b, &layer->branches[k], &ends[k], err);
            if (status != ENG_OK) return status;
        }
        if (layer->n_branches > 0) {
            status = check_branches(b, ends, layer->n_branches, err);
            if (status == ENG_OK) status = join(b, layer, ends, value, err);
        } else {
            status = append(b, layer, value, err);
        }
        if (status != ENG_OK) {
            eng_error_context(err, "%s: %s", b->recipe->path, layer->place);
            return status;
        }
    }
    return ENG_OK;
}

static enum eng_status check_scores(const struct eng_recipe *recipe, const struct eng_shape *shape,
                                    size_t n_classes, struct eng_error *err)
{
    char text[96];
    if (shape->rank == 2 && shape->dim[1] == (int64_t)n_classes) return ENG_OK;
    return eng_fail(err, ENG_FORMAT,
                    "%s: the last layer gives %s for one sample; wanted [1, %zu], a score for "
                    "each class",
                    recipe->path, eng_shape_format(shape, text, sizeof text), n_classes);
}

static enum eng_status build(struct builder *b, const struct eng_network_shape *shape,
                             struct eng_network *out, struct eng_error *err)
{
    const struct eng_recipe *recipe = b->recipe;
    const struct eng_layer_list layers = {recipe->layers, recipe->n_layers};
    struct eng_graph *graph = b->graph;
    struct eng_network network = {.answers = ENG_NO_VALUE};
    graph->name = eng_arena_string(&graph->arena, recipe->name, strlen(recipe->name));
    if (!graph->name) return eng_fail_memory(err, "the graph's name");
    enum eng_status status = add_input(b, shape->input, &network.input, &network.scores, err);
    if (status != ENG_OK) return status;
    b->samples = network.scores;
    size_t n_before = graph->n_values;
    status = append_list(b, &layers, &network.scores, err);
    if (status == ENG_OK)
        status = check_scores(recipe, &b->tensors[network.scores].shape, shape->n_outputs, err);
    if (status == ENG_OK) status = eng_graph_add_output(graph, network.scores, err);
    if (status != ENG_OK) return status;
    status = eng_freeze_apply(recipe, graph, err);
    if (status != ENG_OK) return status;
    for (size_t v = 0; v < n_before; v++)
        graph->values[v].trainable = false;
    *out = network;
    return ENG_OK;
}

enum eng_status eng_network_build(const struct eng_recipe *recipe,
                                  const struct eng_network_shape *shape, struct eng_graph *graph,
                                  struct eng_network *out, struct eng_error *err)
{
    if (shape->base) return eng_finetune_build(recipe, shape, graph, out, err);
    struct builder b = {.recipe = recipe, .graph = graph, .patches = {shape->input, shape->train}};
    eng_arena_init(&b.arena);
    enum eng_status status = build(&b, shape, out, err);
    eng_arena_fini(&b.arena);
    free(b.tensors);
    return status;
}

/* The version of the operators that the graph has: a file has one for all. */
static int opset_of(const struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (!*graph->nodes[i].op->domain) return graph->nodes[i].opset;
    return ENG_LAYER_OPSET;
}

/* The name, or with as many lines behind it as make it new. */
static void free_name(const struct eng_graph *graph, const char *wanted, char *name, size_t n_bytes)
{
    snprintf(name, n_bytes, "%s", wanted);
    while (eng_graph_find(graph, name) != ENG_NO_VALUE && strlen(name) + 1 < n_bytes)
        strcat(name, "_");
}

enum eng_status eng_network_finish(struct eng_graph *graph, const struct eng_network *network,
                                   bool is_regression, struct eng_error *err)
{
    const struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    char out[64];
    const char *const outs[] = {out};
    if (network->answers != ENG_NO_VALUE) {
        graph->outputs[0] = network->answers;
        return ENG_OK;
    }
    free_name(graph, is_regression ? "prediction" : "probabilities", out, sizeof out);
    enum eng_status status =
        is_regression ? eng_graph_add_node(graph, "identity", "", "Identity", opset_of(graph), NULL,
                                           0, &network->scores, 1, outs, 1, err)
                      : eng_graph_add_node(graph, "softmax", "", "Softmax", opset_of(graph), &axis,
                                           1, &network->scores, 1, outs, 1, err);
    if (status != ENG_OK) return status;
    graph->outputs[0] = eng_graph_find(graph, outs[0]);
    return ENG_OK;
}
