#include "graph/settle_shapes.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "graph/passes.h"
#include "graph/shape.h"

#include <string.h>

struct walk {
    struct eng_rewrite *rewrite;
    struct eng_graph *graph;
    size_t n_old;
    struct eng_tensor *few, *many; /* [n_old] at two batch sizes */
    int *settled;                  /* [n_old] the constant for a value, or ENG_NO_VALUE */
};

/* Only what depends on shapes alone is known before the graph runs. */
static bool asks_for_shapes(const struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op->flags & ENG_OP_SHAPE_ONLY) return true;
    return false;
}

static enum eng_status infer(struct walk *w, int64_t batch, struct eng_arena *arena,
                             struct eng_tensor **out, struct eng_error *err)
{
    struct eng_node_plan *nodes = eng_arena_alloc(arena, w->graph->n_nodes + 1, sizeof *nodes);
    *out = eng_arena_alloc(arena, w->n_old + 1, sizeof **out);
    if (!nodes || !*out) return eng_fail_memory(err, "a graph pass");
    return eng_shape_infer(w->graph, batch, w->rewrite->override_batch, false, arena, *out, nodes,
                           err);
}

static bool is_known(const struct eng_tensor *tensor)
{
    return tensor->data && tensor->data != eng_known_forgotten();
}

static enum eng_status settle(struct walk *w, int v, const struct eng_tensor *tensor, int *out,
                              struct eng_error *err)
{
    return eng_rewrite_add_constant(w->rewrite, v, "settled", tensor, out, err);
}

static bool is_same(const struct walk *w, int v)
{
    const struct eng_tensor *a = &w->few[v], *b = &w->many[v];
    return is_known(a) && is_known(b) && a->dtype == b->dtype &&
           eng_shape_equal(&a->shape, &b->shape) &&
           memcmp(a->data, b->data, (size_t)eng_tensor_bytes(a)) == 0;
}

/* The shape that a Reshape gives, -1 for the one dimension that follows the batch. */
static bool open_shape(const struct walk *w, const struct eng_node *node, size_t k, int64_t *dims)
{
    const struct eng_tensor *y = &w->few[node->out[0]], *z = &w->many[node->out[0]];
    int n_open = 0;
    if (strcmp(node->op->name, "Reshape") != 0 || k != 1 || y->shape.rank != z->shape.rank)
        return false;
    for (int d = 0; d < y->shape.rank; d++) {
        bool open = y->shape.dim[d] != z->shape.dim[d];
        dims[d] = open ? -1 : y->shape.dim[d];
        n_open += open;
        if (y->shape.dim[d] == 0) return false; /* a 0 in the list may stand for something else */
    }
    return n_open == 1;
}

static enum eng_status settle_input(struct walk *w, struct eng_node *node, size_t k,
                                    struct eng_error *err)
{
    int64_t dims[ENG_MAX_RANK];
    int v = node->in[k];
    if (v == ENG_NO_VALUE || w->graph->values[v].kind != ENG_VALUE_COMPUTED) return ENG_OK;
    if (w->settled[v] == ENG_NO_VALUE && is_same(w, v)) {
        enum eng_status status = settle(w, v, &w->few[v], &w->settled[v], err);
        if (status != ENG_OK) return status;
    }
    if (w->settled[v] != ENG_NO_VALUE) {
        node->in[k] = w->settled[v];
        return ENG_OK;
    }
    if (!is_known(&w->few[v]) || !open_shape(w, node, k, dims)) return ENG_OK;
    struct eng_tensor list = {.dtype = ENG_INT64,
                              .shape = {.rank = 1, .dim = {w->few[node->out[0]].shape.rank}},
                              .data = dims};
    return settle(w, v, &list, &node->in[k], err);
}

static enum eng_status settle_all(struct walk *w, struct eng_arena *arena, struct eng_error *err)
{
    enum eng_status status = infer(w, w->rewrite->one_sample ? 1 : 2, arena, &w->few, err);
    w->many = w->few;
    if (status == ENG_OK && !w->rewrite->one_sample) status = infer(w, 3, arena, &w->many, err);
    w->settled = eng_arena_alloc(arena, w->n_old + 1, sizeof *w->settled);
    if (status == ENG_OK && !w->settled) status = eng_fail_memory(err, "a graph pass");
    for (size_t v = 0; status == ENG_OK && v < w->n_old; v++)
        w->settled[v] = ENG_NO_VALUE;
    for (size_t i = 0; status == ENG_OK && i < w->graph->n_nodes; i++)
        for (size_t k = 0; status == ENG_OK && k < w->graph->nodes[i].n_in; k++)
            status = settle_input(w, &w->graph->nodes[i], k, err);
    return status;
}

enum eng_status eng_settle_shapes(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct walk w = {
        .rewrite = rewrite, .graph = rewrite->graph, .n_old = rewrite->graph->n_values};
    if (!asks_for_shapes(rewrite->graph)) return ENG_OK;
    struct eng_arena arena;
    eng_arena_init(&arena);
    enum eng_status status = settle_all(&w, &arena, err);
    eng_arena_fini(&arena);
    return status == ENG_OK ? eng_passes_drop_dead_nodes(rewrite->graph, err) : status;
}
