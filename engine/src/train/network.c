#include "train/network.h"

#include "base/error.h"
#include "graph/shape.h"
#include "train/layer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Purpose: the shape of a value with batch 1, inferred from what stands in the graph so far. */
static enum eng_status shape_of(const struct eng_graph *graph, int value, struct eng_shape *out,
                                struct eng_error *err)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct eng_tensor *tensors = eng_arena_alloc(&arena, graph->n_values + 1, sizeof *tensors);
    struct eng_node_plan *nodes = eng_arena_alloc(&arena, graph->n_nodes + 1, sizeof *nodes);
    enum eng_status status =
        tensors && nodes ? eng_shape_infer(graph, 1, false, true, &arena, tensors, nodes, err)
                         : eng_fail_memory(err, "shapes");
    if (status == ENG_OK) *out = tensors[value].shape;
    eng_arena_fini(&arena);
    return status;
}

/* "conv1", "conv2", "relu1": the operator and how many of it came before. */
static void name_layer(const struct eng_recipe *recipe, size_t i, char *name, size_t n_bytes)
{
    size_t number = 1;
    for (size_t k = 0; k < i; k++)
        number += recipe->layers[k].kind == recipe->layers[i].kind;
    snprintf(name, n_bytes, "%s%zu", recipe->layers[i].kind->op, number);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

/* Appends layer i behind *value of *shape; both become the layer's output. */
static enum eng_status append(const struct eng_recipe *recipe, size_t i, struct eng_graph *graph,
                              int *value, struct eng_shape *shape, struct eng_error *err)
{
    const struct eng_layer *layer = &recipe->layers[i];
    char name[64], out[80];
    name_layer(recipe, i, name, sizeof name);
    snprintf(out, sizeof out, "%s.out", name);
    const char *const outs[] = {i + 1 == recipe->n_layers ? "scores" : out};
    const struct eng_layer_site site = {
        .graph = graph, .name = name, .input = *shape, .seed = (uint64_t)recipe->seed};
    int in[ENG_LAYER_MAX_INPUTS] = {*value};
    size_t n_in = 1;
    enum eng_status status = layer->kind->inputs(layer, &site, in, &n_in, err);
    if (status == ENG_OK)
        status = eng_graph_add_node(graph, name, "", layer->kind->op, ENG_LAYER_OPSET, layer->attrs,
                                    layer->n_attrs, in, n_in, outs, 1, err);
    if (status != ENG_OK) return status;
    *value = eng_graph_find(graph, outs[0]);
    return shape_of(graph, *value, shape, err);
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

enum eng_status eng_network_build(const struct eng_recipe *recipe,
                                  const struct eng_network_shape *shape, struct eng_graph *graph,
                                  struct eng_network *out, struct eng_error *err)
{
    struct eng_shape at;
    graph->name = eng_arena_string(&graph->arena, recipe->name, strlen(recipe->name));
    if (!graph->name) return eng_fail_memory(err, "the graph's name");
    struct eng_network network = {0};
    enum eng_status status =
        eng_input_add_nodes(shape->input, graph, &network.input, &network.scores, &at, err);
    for (size_t i = 0; i < recipe->n_layers && status == ENG_OK; i++) {
        status = append(recipe, i, graph, &network.scores, &at, err);
        if (status != ENG_OK) eng_error_context(err, "%s: layers[%zu]", recipe->path, i);
    }
    if (status == ENG_OK) status = check_scores(recipe, &at, shape->n_outputs, err);
    if (status == ENG_OK) status = eng_graph_add_output(graph, network.scores, err);
    if (status != ENG_OK) return status;
    eng_graph_mark_trainable(graph);
    *out = network;
    return ENG_OK;
}

enum eng_status eng_network_finish(struct eng_graph *graph, const struct eng_network *network,
                                   struct eng_error *err)
{
    const struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    const char *const outs[] = {"probabilities"};
    enum eng_status status = eng_graph_add_node(graph, "softmax", "", "Softmax", ENG_LAYER_OPSET,
                                                &axis, 1, &network->scores, 1, outs, 1, err);
    if (status != ENG_OK) return status;
    graph->outputs[0] = eng_graph_find(graph, outs[0]);
    return ENG_OK;
}
