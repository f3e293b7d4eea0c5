#include "graph/batch.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/shape.h"

#include <stdio.h>

/* MAX_STEPS: nodes that are inferred again because a shape behind them has changed. */
enum { MAX_CHAIN = 16, MAX_ROWS_BYTES = 1 << 20, MAX_STEPS = 1 << 20 };

/* A node's input, and a number of it. */
struct place {
    size_t node, input;
    int entry;
};

/* The graph at batches of one and two, side by side. */
struct pair {
    struct eng_graph *graph;
    struct eng_links links;
    struct eng_shape_walk one, two;
    struct eng_node_plan scratch; /* what infer says beside shapes */
    size_t n_found, left_steps;
    struct place last; /* the reader of the last number that follows the batch */
    bool has_last;
};

/* The dimension of a value that holds the samples: it is twice as long for two. -1: none. */
static int samples_axis(const struct pair *pair, int v)
{
    if (v == ENG_NO_VALUE) return -1;
    const struct eng_shape *one = &pair->one.tensors[v].shape, *two = &pair->two.tensors[v].shape;
    int axis = 0;
    if (one->rank != two->rank) return -1;
    while (axis < one->rank && one->dim[axis] == two->dim[axis])
        axis++;
    bool twice = axis < one->rank && one->dim[axis] > 0 && two->dim[axis] == 2 * one->dim[axis];
    return twice ? axis : -1;
}

/* Which of a list's parts holds its entry. */
static void find_part(const struct pair *pair, const struct eng_node *join, struct place *place)
{
    for (; place->input < join->n_in; place->input++) {
        int v = join->in[place->input];
        int64_t n = v == ENG_NO_VALUE ? 0 : eng_shape_count(&pair->one.tensors[v].shape);
        if (place->entry < n) return;
        place->entry -= (int)n;
    }
}

/* From a shape's entry back to the constant that it comes from: through lists that are joined, and
 * whatever keeps the order of input 0. */
static bool find_number(const struct pair *pair, struct place *place)
{
    for (int depth = 0; depth < MAX_CHAIN; depth++) {
        const struct eng_node *node = &pair->graph->nodes[place->node];
        int v = place->input < node->n_in ? node->in[place->input] : ENG_NO_VALUE;
        if (v == ENG_NO_VALUE) return false;
        const struct eng_value *value = &pair->graph->values[v];
        if (value->kind == ENG_VALUE_CONSTANT)
            return value->follows == ENG_FOLLOWS_NOT && value->tensor.dtype == ENG_INT64 &&
                   eng_shape_count(&value->tensor.shape) > place->entry;
        int producer = value->kind == ENG_VALUE_COMPUTED ? pair->links.producer[v] : -1;
        if (producer < 0 || pair->graph->nodes[producer].n_in == 0 ||
            pair->graph->nodes[producer].op->flags & ENG_OP_SHAPE_ONLY)
            return false;
        *place = (struct place){.node = (size_t)producer, .entry = place->entry};
        find_part(pair, &pair->graph->nodes[producer], place);
    }
    return false;
}

/* Gives one reader a copy that follows the batch. */
static enum eng_status follow(struct pair *pair, struct place place, enum eng_follows follows,
                              struct eng_error *err)
{
    char name[160];
    int *in = &pair->graph->nodes[place.node].in[place.input], copy;
    snprintf(name, sizeof name, "%.120s.batch%zu", pair->graph->values[*in].name,
             pair->graph->n_values);
    struct eng_tensor tensor = pair->graph->values[*in].tensor;
    enum eng_status status = eng_graph_add_constant(pair->graph, name, &tensor, &copy, err);
    if (status != ENG_OK) return status;
    pair->graph->values[copy].follows = follows;
    pair->graph->values[copy].follows_entry = place.entry;
    pair->n_found++;
    *in = copy;
    status = eng_shape_walk_value(&pair->one, (size_t)copy, err);
    return status == ENG_OK ? eng_shape_walk_value(&pair->two, (size_t)copy, err) : status;
}

/* Where one sample's part of the input stands in the output: behind as many elements, or, where
 * dimensions keep their meaning, as many dimensions before the last. -1: nowhere. */
static int entry_of(const struct pair *pair, const struct eng_node *node, int axis)
{
    const struct eng_shape *x = &pair->one.tensors[node->in[0]].shape;
    const struct eng_shape *y = &pair->one.tensors[node->out[0]].shape;
    if (!(node->op->flags & ENG_OP_VIEW)) return axis + y->rank - x->rank;
    int entry = 0;
    size_t before = eng_infer_product(x, 0, axis);
    while (entry < y->rank && eng_infer_product(y, 0, entry) != before)
        entry++;
    return entry < y->rank ? entry : -1;
}

/* That number of a shape must be that dimension of what the node makes, for one sample and for two.
 */
static bool says_one(const struct pair *pair, const struct eng_node *node, int shape, int entry)
{
    const struct eng_tensor *one = &pair->one.tensors[shape], *two = &pair->two.tensors[shape];
    const struct eng_shape *y = &pair->one.tensors[node->out[0]].shape;
    return one->data && two->data && one->dtype == ENG_INT64 && entry >= 0 &&
           eng_shape_count(&one->shape) == y->rank && entry < y->rank &&
           ((const int64_t *)one->data)[entry] == y->dim[entry] &&
           ((const int64_t *)two->data)[entry] == y->dim[entry];
}

/* A shape that is made of samples has as many as they are. */
static enum eng_status follow_in_shape(struct pair *pair, size_t i, size_t k, struct eng_error *err)
{
    const struct eng_node *node = &pair->graph->nodes[i];
    if (k >= node->n_in || node->in[k] == ENG_NO_VALUE || node->out[0] == ENG_NO_VALUE)
        return ENG_OK;
    int axis = samples_axis(pair, node->in[0]);
    int entry = axis < 0 ? -1 : entry_of(pair, node, axis);
    struct place place = {.node = i, .input = k, .entry = entry};
    if (!says_one(pair, node, node->in[k], entry) || !find_number(pair, &place) ||
        i - place.node > pair->left_steps)
        return ENG_OK;
    pair->left_steps -= i - place.node;
    enum eng_status status = follow(pair, place, ENG_FOLLOWS_IN_ENTRY, err);
    pair->last = place;
    pair->has_last = true;
    for (size_t j = place.node; status == ENG_OK && j < i; j++)
        status = eng_shape_walk_node(&pair->two, j, &pair->scratch, err);
    return status;
}

/* What is joined with rows stands there once for each. */
static enum eng_status follow_beside_rows(struct pair *pair, size_t i, struct eng_error *err)
{
    const struct eng_node *node = &pair->graph->nodes[i];
    int rows = ENG_NO_VALUE;
    for (size_t k = 0; k < node->n_in; k++)
        if (samples_axis(pair, node->in[k]) == 0) rows = node->in[k];
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && rows != ENG_NO_VALUE && k < node->n_in; k++) {
        if (node->in[k] == ENG_NO_VALUE) continue;
        const struct eng_value *value = &pair->graph->values[node->in[k]];
        const struct eng_tensor *tensor = &value->tensor;
        if (value->kind == ENG_VALUE_CONSTANT && value->follows == ENG_FOLLOWS_NOT &&
            tensor->dtype == pair->one.tensors[rows].dtype && tensor->shape.rank > 0 &&
            tensor->shape.dim[0] == pair->one.tensors[rows].shape.dim[0] &&
            eng_tensor_bytes(tensor) <= MAX_ROWS_BYTES)
            status = follow(pair, (struct place){.node = i, .input = k}, ENG_FOLLOWS_IN_ROWS, err);
    }
    return status;
}

/* Another number of the last shape follows the batch instead: true if node i then fits. */
static bool reread(struct pair *pair, size_t i, int entry)
{
    int copy = pair->graph->nodes[pair->last.node].in[pair->last.input];
    if (i - pair->last.node > pair->left_steps) return false;
    pair->left_steps -= i - pair->last.node;
    pair->graph->values[copy].follows_entry = entry;
    enum eng_status status = eng_shape_walk_value(&pair->two, (size_t)copy, NULL);
    for (size_t j = pair->last.node; status == ENG_OK && j <= i; j++)
        status = eng_shape_walk_node(&pair->two, j, &pair->scratch, NULL);
    return status == ENG_OK;
}

/* A shape that joins the samples' dimension with another can be read in several ways, of which only
 * what comes later tells the right one. */
static bool reread_last(struct pair *pair, size_t i)
{
    if (!pair->has_last) return false;
    const struct eng_node *reader = &pair->graph->nodes[pair->last.node];
    const struct eng_value *copy = &pair->graph->values[reader->in[pair->last.input]];
    int first = copy->follows_entry, n = (int)eng_shape_count(&copy->tensor.shape);
    for (int entry = 0; entry < n && n <= ENG_MAX_RANK; entry++)
        if (entry != first && reread(pair, i, entry)) return true;
    reread(pair, i, first);
    return false;
}

static enum eng_status visit(struct pair *pair, size_t i, struct eng_error *err)
{
    enum eng_status status = eng_shape_walk_node(&pair->one, i, &pair->scratch, err);
    unsigned shapes = pair->graph->nodes[i].op->shape_inputs;
    for (size_t k = 0; status == ENG_OK && shapes >> k; k++)
        if (shapes >> k & 1) status = follow_in_shape(pair, i, k, err);
    if (status != ENG_OK) return status;
    size_t n_before = pair->n_found;
    status = eng_shape_walk_node(&pair->two, i, &pair->scratch, NULL);
    if (status == ENG_OK || status == ENG_NO_MEMORY) return status;
    enum eng_status following = follow_beside_rows(pair, i, err);
    if (following != ENG_OK) return following;
    if (pair->n_found > n_before) return eng_shape_walk_node(&pair->two, i, &pair->scratch, err);
    return reread_last(pair, i) ? ENG_OK : status;
}

/* Room for the values that are there and for a copy at every input. */
static struct eng_tensor *make_tensors(const struct eng_graph *graph, struct eng_arena *arena)
{
    size_t n = graph->n_values + 1;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].n_in;
    return eng_arena_alloc(arena, n, sizeof(struct eng_tensor));
}

static enum eng_status walk_both(struct pair *pair, struct eng_arena *arena, struct eng_error *err)
{
    pair->one = (struct eng_shape_walk){.graph = pair->graph,
                                        .batch = 1,
                                        .override_batch = true,
                                        .arena = arena,
                                        .tensors = make_tensors(pair->graph, arena)};
    pair->two = pair->one;
    pair->two.batch = 2;
    pair->two.tensors = make_tensors(pair->graph, arena);
    if (!pair->one.tensors || !pair->two.tensors) return eng_fail_memory(err, "a graph pass");
    enum eng_status status = eng_shape_walk_begin(&pair->one, err);
    if (status == ENG_OK) status = eng_shape_walk_begin(&pair->two, err);
    for (size_t i = 0; status == ENG_OK && i < pair->graph->n_nodes; i++)
        status = visit(pair, i, err);
    return status;
}

enum eng_status eng_batch_follow(struct eng_graph *graph, size_t *n_found, struct eng_error *err)
{
    struct pair pair = {.graph = graph, .left_steps = MAX_STEPS};
    struct eng_error reason = {0};
    enum eng_status status = eng_links_init(graph, &pair.links, err);
    if (status != ENG_OK) return status;
    struct eng_arena arena;
    eng_arena_init(&arena);
    status = walk_both(&pair, &arena, &reason);
    eng_arena_fini(&arena);
    eng_links_fini(&pair.links);
    if (status == ENG_NO_MEMORY) return eng_fail(err, status, "%s", reason.text);
    *n_found = pair.n_found;
    return ENG_OK;
}
