#include "graph/apart.h"

#include "base/error.h"

/* What a core has of fast memory, about; less than MIN_SAVED_BYTES saved is no gain. */
static const double CACHE_BYTES = 1 << 20, MIN_SAVED_BYTES = 1 << 20;

/* Where a value is made and read last, in nodes; inputs are made at node -1. */
struct life {
    int first, last;
};

struct choice {
    const struct eng_plan *plan, *one;
    struct life *lives; /* [n_values] */
    int *n_stuck; /* [n_nodes + 2] values in the way of a border before node i, as differences */
};

/* A value that stands in memory while the graph runs. */
static bool is_stored(const struct eng_plan *plan, size_t v)
{
    return plan->graph->values[v].kind != ENG_VALUE_CONSTANT && !plan->tensors[v].data &&
           plan->tensors[v].dtype != ENG_DTYPE_NONE;
}

/* Whether sample i is row i. */
static bool has_rows(const struct choice *c, size_t v)
{
    struct eng_shape one = c->one->tensors[v].shape;
    if (one.rank == 0 || one.dim[0] != 1 || c->one->tensors[v].data) return false;
    one.dim[0] = c->plan->batch;
    return eng_shape_equal(&one, &c->plan->tensors[v].shape);
}

static void measure(const struct choice *c)
{
    const struct eng_graph *graph = c->plan->graph;
    for (size_t v = 0; v < graph->n_values; v++)
        c->lives[v] = (struct life){.first = -1, .last = -1};
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_out; k++)
            if (node->out[k] != ENG_NO_VALUE)
                c->lives[node->out[k]] = (struct life){.first = (int)i, .last = (int)i};
        for (size_t k = 0; k < node->n_in && !c->plan->nodes[i].is_known; k++)
            if (node->in[k] != ENG_NO_VALUE) c->lives[node->in[k]].last = (int)i;
    }
    for (size_t k = 0; k < graph->n_outputs; k++)
        c->lives[graph->outputs[k]].last = (int)graph->n_nodes;
}

/* A border before node b may not lie between the maker and the last reader of a value without rows;
 * an input without rows lies before all. */
static void find_stuck(const struct choice *c)
{
    for (size_t v = 0; v < c->plan->graph->n_values; v++) {
        if (!is_stored(c->plan, v) || has_rows(c, v)) continue;
        c->n_stuck[c->lives[v].first + 1]++;
        c->n_stuck[c->lives[v].last + 1]--;
    }
}

/* Bytes that come from beyond the cache: weights; and what n samples read and write, if that is too
 * much for it. */
static double traffic(const struct eng_plan *one, size_t i, double n)
{
    const struct eng_node *node = &one->graph->nodes[i];
    double weights = 0, values = 0;
    if (one->nodes[i].is_known || one->nodes[i].is_empty || node->op->flags & ENG_OP_VIEW) return 0;
    for (size_t k = 0; k < node->n_in + node->n_out; k++) {
        int v = k < node->n_in ? node->in[k] : node->out[k - node->n_in];
        if (v == ENG_NO_VALUE) continue;
        double n_bytes = (double)eng_tensor_bytes(&one->tensors[v]);
        if (is_stored(one, (size_t)v))
            values += n_bytes;
        else
            weights += n_bytes;
    }
    return weights + (n * values > CACHE_BYTES ? n * values : 0);
}

/* The border at which least is moved. */
static size_t best_border(const struct choice *c)
{
    double n = (double)c->plan->batch, saved = 0, most = MIN_SAVED_BYTES;
    size_t best = 0;
    int n_stuck = c->n_stuck[0];
    for (size_t i = 0; i < c->plan->graph->n_nodes; i++) {
        saved += traffic(c->one, i, n) - n * traffic(c->one, i, 1);
        n_stuck += c->n_stuck[i + 1];
        if (n_stuck > 0 || saved <= most) continue;
        most = saved;
        best = i + 1;
    }
    return best;
}

/* Values on both sides of the border, and inputs. */
static enum eng_status list_shared(const struct choice *c, struct eng_plan *plan,
                                   struct eng_error *err)
{
    size_t n_values = plan->graph->n_values;
    plan->shared = eng_arena_alloc(plan->arena, n_values + 1, sizeof *plan->shared);
    if (!plan->shared) return eng_fail_memory(err, "the memory plan");
    for (size_t v = 0; v < n_values; v++) {
        bool early = c->lives[v].first < (int)plan->n_apart;
        bool late = c->lives[v].first < 0 || c->lives[v].last >= (int)plan->n_apart;
        if (is_stored(plan, v) && early && late) plan->shared[plan->n_shared++] = (int)v;
    }
    return ENG_OK;
}

enum eng_status eng_apart_choose(struct eng_plan *plan, const struct eng_plan *one,
                                 struct eng_error *err)
{
    const struct eng_graph *graph = plan->graph;
    struct eng_arena arena;
    eng_arena_init(&arena);
    struct choice c = {.plan = plan, .one = one};
    c.lives = eng_arena_alloc(&arena, graph->n_values + 1, sizeof *c.lives);
    c.n_stuck = eng_arena_alloc(&arena, graph->n_nodes + 2, sizeof *c.n_stuck);
    enum eng_status status = ENG_OK;
    if (c.lives && c.n_stuck) {
        measure(&c);
        find_stuck(&c);
        plan->one = one;
        plan->n_apart = best_border(&c);
        if (plan->n_apart > 0) status = list_shared(&c, plan, err);
    } else {
        status = eng_fail_memory(err, "the memory plan");
    }
    eng_arena_fini(&arena);
    return status;
}
