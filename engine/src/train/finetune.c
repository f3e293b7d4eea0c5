#include "train/finetune.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "graph/passes.h"
#include "graph/shape.h"
#include "model/convert.h"
#include "train/freeze.h"
#include "train/layer.h"
#include "train/new_head.h"
#include "train/own_constant.h"

#include <stdlib.h>
#include <string.h>

/* A network that is being made from a file. */
struct tuning {
    const struct eng_recipe *recipe;
    const struct eng_network_shape *shape;
    struct eng_graph *graph;
    struct eng_network network;
};

/* Pooling flattened by a Reshape to [1, 256] would bind the network to batches of one. */
static enum eng_status free_reshapes(struct eng_graph *graph, struct eng_error *err)
{
    struct eng_links links;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < graph->n_nodes && status == ENG_OK; i++) {
        const struct eng_node *node = &graph->nodes[i];
        if (strcmp(node->op->name, "Reshape") != 0 || node->n_in < 2) continue;
        const struct eng_tensor *wanted = &graph->values[node->in[1]].tensor;
        if (wanted->dtype != ENG_INT64 || !wanted->data || eng_shape_count(&wanted->shape) < 2)
            continue;
        if (*(const int64_t *)wanted->data != 1) continue;
        status = eng_constant_own(graph, &links, i, 1, err);
        if (status == ENG_OK) /* as many as come in */
            *(int64_t *)graph->values[node->in[1]].tensor.data = 0;
    }
    eng_links_fini(&links);
    return status;
}

/* One float input, of as many samples as may come. */
static enum eng_status free_input(struct tuning *t, struct eng_error *err)
{
    struct eng_graph *graph = t->graph;
    if (graph->n_inputs != 1)
        return eng_fail(err, ENG_UNSUPPORTED, "the model has %zu inputs; wanted one to be trained",
                        graph->n_inputs);
    struct eng_value *input = &graph->values[graph->inputs[0]];
    struct eng_shape *shape = &input->tensor.shape, sample = *shape;
    char text[96];
    eng_shape_format(shape, text, sizeof text);
    if (input->tensor.dtype != ENG_FLOAT32 || shape->rank < 2 || shape->dim[0] > 1)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "input '%s' has type %s and shape %s; wanted floats [N, ...] of any N",
                        input->name, eng_dtype_name(input->tensor.dtype), text);
    sample.dim[0] = 1;
    if (eng_shape_count(&sample) != (int64_t)t->shape->input->count)
        return eng_fail(err, ENG_FORMAT,
                        "input '%s' has shape %s, but a sample of the data has %zu numbers",
                        input->name, text, t->shape->input->count);
    bool was_one = shape->dim[0] == 1;
    shape->dim[0] = -1;
    t->network.input = graph->inputs[0];
    return was_one ? free_reshapes(graph, err) : ENG_OK;
}

/* Softmax and what only reshapes behind it stay in the graph, but what is trained are the scores
 * before. A regression has neither. */
static enum eng_status find_scores(struct tuning *t, struct eng_error *err)
{
    struct eng_graph *graph = t->graph;
    struct eng_links links;
    int value = graph->outputs[0];
    t->network.scores = value;
    t->network.answers = t->recipe->data.is_regression ? value : ENG_NO_VALUE;
    enum eng_status status = eng_links_init(graph, &links, err);
    if (status != ENG_OK) return status;
    while (t->network.answers == ENG_NO_VALUE && links.producer[value] >= 0) {
        const struct eng_node *node = &graph->nodes[links.producer[value]];
        bool is_softmax = strcmp(node->op->name, "Softmax") == 0;
        if (!is_softmax && !(node->op->flags & (ENG_OP_VIEW | ENG_OP_NO_OP))) break;
        value = node->in[0];
        if (!is_softmax) continue;
        t->network.scores = value;
        t->network.answers = graph->outputs[0];
    }
    eng_links_fini(&links);
    return ENG_OK;
}

/* The shape of the scores of n samples. */
static enum eng_status measure(const struct tuning *t, int64_t n, struct eng_shape *out,
                               struct eng_error *err)
{
    const struct eng_graph *graph = t->graph;
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct eng_tensor *tensors = eng_arena_alloc(&arena, graph->n_values + 1, sizeof *tensors);
    struct eng_node_plan *nodes = eng_arena_alloc(&arena, graph->n_nodes + 1, sizeof *nodes);
    enum eng_status status =
        tensors && nodes ? eng_shape_infer(graph, n, false, true, &arena, tensors, nodes, err)
                         : eng_fail_memory(err, "shapes");
    if (status == ENG_OK) *out = tensors[t->network.scores].shape;
    eng_arena_fini(&arena);
    return status;
}

static enum eng_status fit_classes(struct tuning *t, struct eng_error *err)
{
    struct eng_shape scores;
    char text[96];
    enum eng_status status = measure(t, 1, &scores, err);
    if (status != ENG_OK) return status;
    const struct eng_new_head head = {.scores = t->network.scores,
                                      .n_before = (size_t)eng_shape_count(&scores),
                                      .n_outputs = t->shape->n_outputs,
                                      .seed = (uint64_t)t->recipe->seed};
    if (head.n_before != head.n_outputs) status = eng_new_head_make(t->graph, &head, err);
    if (status == ENG_OK) status = measure(t, 2, &scores, err);
    if (status != ENG_OK) return status;
    if (scores.rank >= 2 && scores.dim[0] == 2 &&
        eng_shape_count(&scores) == 2 * (int64_t)head.n_outputs)
        return ENG_OK;
    return eng_fail(err, ENG_UNSUPPORTED,
                    "value '%s' has shape %s for two samples; wanted [2, %zu], a score for each "
                    "class",
                    t->graph->values[t->network.scores].name,
                    eng_shape_format(&scores, text, sizeof text), head.n_outputs);
}

/* Sums and products before the first layer standardise: they belong to the input. */
static enum eng_status freeze_front(struct eng_graph *graph, struct eng_error *err)
{
    bool *is_deep = eng_calloc(graph->n_values, sizeof *is_deep);
    if (!is_deep) return eng_fail_memory(err, "the network's front");
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct eng_node *node = &graph->nodes[i];
        bool deep = false, is_layer = strcmp(node->op->name, "Add") != 0 &&
                                      strcmp(node->op->name, "Mul") != 0 &&
                                      node->op->trainable_inputs != 0;
        for (size_t k = 0; k < node->n_in; k++)
            deep |= node->in[k] != ENG_NO_VALUE && is_deep[node->in[k]];
        if (!deep && !is_layer) node->frozen = true;
        for (size_t k = 0; k < node->n_out; k++)
            if (node->out[k] != ENG_NO_VALUE) is_deep[node->out[k]] = deep || is_layer;
    }
    free(is_deep);
    return ENG_OK;
}

/* Errors: UNSUPPORTED naming the first operator without gradient, if nothing can be trained. */
static enum eng_status check_trainable(const struct eng_graph *graph, struct eng_error *err)
{
    for (size_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].trainable) return ENG_OK;
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i].op->backward)
            return eng_node_fail(&graph->nodes[i],
                                 eng_fail(err, ENG_UNSUPPORTED,
                                          "the operator has no gradient, so there is nothing to "
                                          "be trained"),
                                 err);
    return eng_fail(err, ENG_UNSUPPORTED, "no Conv, Gemm or other layer with parameters to train");
}

static enum eng_status build(struct tuning *t, struct eng_error *err)
{
    struct eng_graph *graph = t->graph;
    enum eng_status status = eng_convert_import(&t->shape->base->onnx, graph, err);
    if (status != ENG_OK) return status;
    graph->n_outputs = 1;
    graph->name = eng_arena_string(&graph->arena, t->recipe->name, strlen(t->recipe->name));
    if (!graph->name) return eng_fail_memory(err, "the graph's name");
    status = eng_passes_fold_constants(graph, err);
    if (status == ENG_OK) status = eng_passes_drop_dead(graph, err);
    if (status == ENG_OK) status = free_input(t, err);
    if (status == ENG_OK) status = find_scores(t, err);
    if (status == ENG_OK) status = fit_classes(t, err);
    if (status == ENG_OK) status = freeze_front(graph, err);
    if (status == ENG_OK) status = eng_constants_part(graph, err);
    if (status == ENG_OK) graph->outputs[0] = t->network.scores;
    return status;
}

enum eng_status eng_finetune_build(const struct eng_recipe *recipe,
                                   const struct eng_network_shape *shape, struct eng_graph *graph,
                                   struct eng_network *out, struct eng_error *err)
{
    struct tuning t = {.recipe = recipe, .shape = shape, .graph = graph};
    enum eng_status status = build(&t, err);
    if (status == ENG_OK) {
        eng_graph_mark_trainable(graph);
        status = check_trainable(graph, err);
    }
    if (status != ENG_OK)
        eng_error_context(err, "%s", shape->base->path);
    else
        status = eng_freeze_apply(recipe, graph, err);
    if (status == ENG_OK) *out = t.network;
    return status;
}
