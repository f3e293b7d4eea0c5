#include "train/new_head.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "train/initialiser.h"
#include "train/own_constant.h"
#include "train/streams.h"

#include <stdlib.h>
#include <string.h>

/* What walks back from the scores. */
struct walk {
    struct eng_graph *graph;
    const struct eng_new_head *head;
    struct eng_links links;
};

static struct eng_value *constant_at(const struct walk *w, const struct eng_node *node, size_t k)
{
    if (k >= node->n_in || node->in[k] == ENG_NO_VALUE) return NULL;
    struct eng_value *value = &w->graph->values[node->in[k]];
    return value->kind == ENG_VALUE_CONSTANT ? value : NULL;
}

static bool is_named(const struct eng_node *node, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(node->op->name, *names) == 0) return true;
    return false;
}

/* What other nodes read too would change there as well: the last layer gets its own. */
static enum eng_status own(struct walk *w, const struct eng_node *node, size_t k,
                           struct eng_error *err)
{
    return eng_constant_own(w->graph, &w->links, (size_t)(node - w->graph->nodes), k, err);
}

/* The constant becomes zeros of that shape. */
static enum eng_status reshape_constant(const struct walk *w, struct eng_value *value,
                                        const struct eng_shape *shape, struct eng_error *err)
{
    struct eng_tensor tensor = {.dtype = ENG_FLOAT32, .shape = *shape};
    int64_t n_bytes = eng_tensor_bytes(&tensor);
    if (n_bytes < 0 || n_bytes > (int64_t)1 << 30)
        return eng_fail(err, ENG_LIMIT, "a last layer of %lld bytes; the limit is 1 GiB",
                        (long long)n_bytes);
    tensor.data = eng_arena_alloc(&w->graph->arena, (size_t)n_bytes + ENG_ALIGN, 1);
    if (!tensor.data) return eng_fail_memory(err, "a new last layer");
    value->tensor = tensor;
    return ENG_OK;
}

/* A bias: one number per output, along whatever dimension. */
static enum eng_status renew_bias(struct walk *w, const struct eng_node *node, size_t k,
                                  struct eng_error *err)
{
    struct eng_value *bias = constant_at(w, node, k);
    if (!bias || eng_shape_count(&bias->tensor.shape) == 1) return ENG_OK;
    struct eng_shape shape = bias->tensor.shape;
    enum eng_status status = own(w, node, k, err);
    for (int d = 0; d < shape.rank; d++)
        if (shape.dim[d] == (int64_t)w->head->n_before) shape.dim[d] = (int64_t)w->head->n_outputs;
    return status == ENG_OK ? reshape_constant(w, constant_at(w, node, k), &shape, err) : status;
}

static bool is_transposed(const struct eng_node *node)
{
    struct eng_attr attrs[16];
    size_t n = node->op->n_attrs <= 16 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, "transB") == 0) return attrs[i].i != 0;
    return false;
}

/* Which dimension of the weights counts outputs. */
static int output_dimension(const struct eng_node *node)
{
    if (strcmp(node->op->name, "Conv") == 0) return 0;
    return is_transposed(node) ? 0 : 1;
}

static enum eng_status renew_weights(struct walk *w, const struct eng_node *node,
                                     struct eng_error *err)
{
    struct eng_value *weight = constant_at(w, node, 1);
    int d = output_dimension(node);
    if (!weight || weight->tensor.dtype != ENG_FLOAT32 || weight->tensor.shape.rank < 2 ||
        weight->tensor.shape.dim[d] != (int64_t)w->head->n_before)
        return eng_node_fail(node,
                             eng_fail(err, ENG_UNSUPPORTED,
                                      "the last layer has no constant weights for %zu outputs, so "
                                      "it cannot be replaced for %zu classes",
                                      w->head->n_before, w->head->n_outputs),
                             err);
    struct eng_shape shape = weight->tensor.shape;
    shape.dim[d] = (int64_t)w->head->n_outputs;
    enum eng_status status = own(w, node, 1, err);
    if (status != ENG_OK) return status;
    weight = constant_at(w, node, 1);
    status = reshape_constant(w, weight, &shape, err);
    if (status != ENG_OK) return status;
    size_t n = (size_t)eng_shape_count(&shape);
    struct eng_rng rng = eng_stream_rng(w->head->seed, ENG_STREAM_INIT, (uint64_t)node->in[1], 0);
    eng_initialiser_fill(0, 0, (double)n / (double)w->head->n_outputs, 1, &rng, weight->tensor.data,
                         n);
    return renew_bias(w, node, 2, err);
}

/* A Reshape that spells the number of classes out gets the new one. */
static enum eng_status renew_shape(struct walk *w, const struct eng_node *node,
                                   struct eng_error *err)
{
    struct eng_value *wanted = constant_at(w, node, 1);
    if (!wanted || wanted->tensor.dtype != ENG_INT64) return ENG_OK;
    enum eng_status status = own(w, node, 1, err);
    if (status != ENG_OK) return status;
    wanted = constant_at(w, node, 1);
    int64_t *dims = wanted->tensor.data;
    for (int64_t i = 1; i < eng_shape_count(&wanted->tensor.shape); i++)
        if (dims[i] == (int64_t)w->head->n_before) dims[i] = (int64_t)w->head->n_outputs;
    return ENG_OK;
}

static enum eng_status fail_way(const struct walk *w, const struct eng_node *node,
                                struct eng_error *err)
{
    return eng_node_fail(node,
                         eng_fail(err, ENG_UNSUPPORTED,
                                  "stands between the last layer with weights and the scores, so "
                                  "the model for %zu classes cannot learn %zu; wanted Add, "
                                  "pooling, Relu, Dropout, Flatten or Reshape there",
                                  w->head->n_before, w->head->n_outputs),
                         err);
}

/* Adapts what stands at the node; *value is what comes before it, or ENG_NO_VALUE at the end. */
static enum eng_status pass(struct walk *w, const struct eng_node *node, int *value,
                            struct eng_error *err)
{
    static const char *const layers[] = {"Conv", "Gemm", "MatMul", NULL};
    static const char *const through[] = {"GlobalAveragePool", "AveragePool", "Relu",    "Dropout",
                                          "Identity",          "Flatten",     "Reshape", NULL};
    static const char *const sum[] = {"Add", NULL};
    size_t from = 0;
    enum eng_status status = ENG_OK;
    if (is_named(node, layers)) {
        *value = ENG_NO_VALUE;
        return renew_weights(w, node, err);
    }
    if (is_named(node, sum)) {
        from = constant_at(w, node, 0) != NULL;
        if (!constant_at(w, node, 1 - from)) return fail_way(w, node, err);
        status = renew_bias(w, node, 1 - from, err);
    } else if (!is_named(node, through)) {
        return fail_way(w, node, err);
    } else if (strcmp(node->op->name, "Reshape") == 0) {
        status = renew_shape(w, node, err);
    }
    *value = node->in[from];
    return status;
}

enum eng_status eng_new_head_make(struct eng_graph *graph, const struct eng_new_head *head,
                                  struct eng_error *err)
{
    struct walk w = {.graph = graph, .head = head};
    int value = head->scores;
    enum eng_status status = eng_links_init(graph, &w.links, err);
    if (status != ENG_OK) return status;
    while (status == ENG_OK && value != ENG_NO_VALUE) {
        int producer = w.links.producer[value];
        if (producer < 0)
            status = eng_fail(err, ENG_UNSUPPORTED,
                              "no Conv, Gemm or MatMul stands before the scores, so the model for "
                              "%zu classes cannot learn %zu",
                              head->n_before, head->n_outputs);
        else
            status = pass(&w, &graph->nodes[producer], &value, err);
    }
    eng_links_fini(&w.links);
    return status;
}
