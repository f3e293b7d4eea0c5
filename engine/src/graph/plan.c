#include "graph/plan.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/apart.h"
#include "graph/fuse_training.h"
#include "graph/place.h"

#include <stdlib.h>
#include <string.h>

static const size_t MAX_ARENA_BYTES = (size_t)16 << 30, MAX_SAMPLE_ARENA_BYTES = (size_t)4 << 30;

/* The life of the memory behind a value: several values may share one root. */
struct lives {
    int *root;    /* [n_values] the plan's */
    int *first;   /* [n_values] step of the producer, of roots; inputs 0 */
    int *last;    /* [n_values] step of the last reader, of roots */
    bool *pinned; /* [n_values] of roots: graph inputs and outputs keep their memory to the end */
};

/* Steps: node i runs at step i + 1; 0 is before the first, n_nodes + 1 after the last. In training
 * the nodes then run backwards, and the last step is that of node 0. */
static int step_of(size_t node)
{
    return (int)node + 1;
}

static int backward_step_of(const struct eng_graph *graph, size_t node)
{
    return 2 * (int)graph->n_nodes + 1 - (int)node;
}

static int last_step(const struct eng_plan *plan)
{
    return plan->mode == ENG_PLAN_TRAINING ? backward_step_of(plan->graph, 0)
                                           : step_of(plan->graph->n_nodes);
}

static bool lives_create(const struct eng_graph *graph, struct eng_arena *temporary,
                         struct lives *lives)
{
    lives->first = eng_arena_alloc(temporary, graph->n_values + 1, sizeof *lives->first);
    lives->last = eng_arena_alloc(temporary, graph->n_values + 1, sizeof *lives->last);
    lives->pinned = eng_arena_alloc(temporary, graph->n_values + 1, sizeof *lives->pinned);
    return lives->first && lives->last && lives->pinned;
}

/* When each value is born and last read, before any sharing. */
static void lives_measure(const struct eng_plan *plan, struct lives *lives)
{
    const struct eng_graph *graph = plan->graph;
    int end = last_step(plan);
    for (size_t v = 0; v < graph->n_values; v++)
        lives->root[v] = (int)v;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_out; k++)
            if (node->out[k] != ENG_NO_VALUE)
                lives->first[node->out[k]] = lives->last[node->out[k]] = step_of(i);
        for (size_t k = 0; k < node->n_in && !plan->nodes[i].is_known; k++)
            if (node->in[k] != ENG_NO_VALUE) lives->last[node->in[k]] = step_of(i);
    }
    for (size_t i = 0; i < graph->n_inputs; i++)
        lives->pinned[graph->inputs[i]] = true;
    for (size_t i = 0; i < graph->n_outputs; i++)
        lives->pinned[graph->outputs[i]] = true;
    for (size_t v = 0; v < graph->n_values; v++)
        if (lives->pinned[v] || plan->mode == ENG_PLAN_TRAINING) lives->last[v] = end;
}

static bool may_alias(const struct eng_plan *plan, const struct eng_node *node, int from, int to)
{
    return from != ENG_NO_VALUE && to != ENG_NO_VALUE && !plan->tensors[from].data &&
           !plan->tensors[to].data && !plan->graph->values[to].wants_grad &&
           eng_tensor_bytes(&plan->tensors[from]) == eng_tensor_bytes(&plan->tensors[to]) &&
           node->op->flags & (ENG_OP_VIEW | ENG_OP_IN_PLACE);
}

/* In place is safe when nobody reads input 0's memory after this node or through another input of
 * it. */
static bool dies_here(const struct lives *lives, const struct eng_node *node, size_t step)
{
    int root = lives->root[node->in[0]];
    if (lives->pinned[root] || lives->last[root] != (int)step) return false;
    for (size_t k = 1; k < node->n_in; k++)
        if (node->in[k] != ENG_NO_VALUE && lives->root[node->in[k]] == root) return false;
    return true;
}

/* What the first nodes share with the others is there from the start: their samples come in any
 * order. */
static void lives_extend(const struct eng_plan *plan, struct lives *lives)
{
    for (size_t k = 0; k < plan->n_shared; k++)
        lives->first[plan->shared[k]] = 0;
}

/* Views always share; the rest only where the input dies, and never in training. */
static void lives_share(const struct eng_plan *plan, struct lives *lives)
{
    for (size_t i = plan->n_apart; i < plan->graph->n_nodes; i++) {
        const struct eng_node *node = &plan->graph->nodes[i];
        int from = node->n_in ? node->in[0] : ENG_NO_VALUE, to = node->out[0];
        if (!may_alias(plan, node, from, to)) continue;
        bool view = node->op->flags & ENG_OP_VIEW || plan->nodes[i].is_fused;
        if (!view &&
            (plan->mode == ENG_PLAN_TRAINING || !dies_here(lives, node, (size_t)step_of(i))))
            continue;
        int root = lives->root[from];
        lives->root[to] = root;
        lives->last[root] =
            lives->last[to] > lives->last[root] ? lives->last[to] : lives->last[root];
        lives->pinned[root] |= lives->pinned[to];
    }
}

/* Whether a gradient flows through this output. Integers and bools have none. */
static enum eng_status output_needs_grad(const struct eng_node *node, const struct eng_tensor *out,
                                         bool *needs, struct eng_error *err)
{
    *needs = out->dtype == ENG_FLOAT32 || out->dtype == ENG_FLOAT64;
    if (!*needs) return ENG_OK;
    if (!node->op->backward)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the operator has no gradient, so none reaches what comes before it");
    if (out->dtype == ENG_FLOAT64)
        return eng_fail(err, ENG_UNSUPPORTED,
                        "its output is of type double, whose gradient is not computed; so none "
                        "reaches what comes before it");
    return ENG_OK;
}

/* Which values gradients flow through: those that depend on something trainable, or on a value
 * whose gradient is asked for. */
static enum eng_status mark_needs_grad(const struct eng_plan *plan, bool *needs,
                                       struct eng_error *err)
{
    const struct eng_graph *graph = plan->graph;
    for (size_t v = 0; v < graph->n_values; v++)
        needs[v] = graph->values[v].trainable || graph->values[v].wants_grad;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        bool any = false;
        for (size_t k = 0; k < node->n_in && !plan->nodes[i].is_known; k++)
            any |= node->in[k] != ENG_NO_VALUE && needs[node->in[k]];
        for (size_t k = 0; any && k < node->n_out; k++) {
            int v = node->out[k];
            if (v == ENG_NO_VALUE) continue;
            enum eng_status status = output_needs_grad(node, &plan->tensors[v], &needs[v], err);
            if (status != ENG_OK) return eng_node_fail(node, status, err);
        }
    }
    return ENG_OK;
}

/* The blocks to place, and where each answer goes. */
struct request {
    struct eng_block *blocks;
    size_t **answers;
    size_t n;
};

static void want(struct request *request, size_t n_bytes, int first, int last, size_t *answer)
{
    request->blocks[request->n] =
        (struct eng_block){.first = first, .last = last, .n_bytes = n_bytes};
    request->answers[request->n++] = answer;
}

/* Values that only nodes before n_apart make and read have no place here. */
static bool is_apart(const struct eng_plan *plan, const struct lives *lives, size_t v)
{
    bool made_there = lives->first[v] > 0 && lives->first[v] <= step_of(plan->n_apart) - 1;
    return plan->n_apart > 0 && made_there;
}

static void want_values(struct eng_plan *plan, const struct lives *lives, struct request *request)
{
    for (size_t v = 0; v < plan->graph->n_values; v++) {
        plan->offset[v] = ENG_NO_PLACE;
        bool is_made = plan->tensors[v].dtype != ENG_DTYPE_NONE; /* a pass may leave others over */
        if (plan->tensors[v].data || !is_made) continue;
        size_t n_bytes = (size_t)eng_tensor_bytes(&plan->tensors[v]);
        plan->values_bytes += n_bytes;
        if (lives->root[v] == (int)v && !is_apart(plan, lives, v))
            want(request, n_bytes, lives->first[v], lives->last[v], &plan->offset[v]);
    }
}

static void want_scratch(struct eng_plan *plan, struct request *request)
{
    for (size_t i = 0; i < plan->graph->n_nodes; i++) {
        plan->scratch_offset[i] = ENG_NO_PLACE;
        if (plan->nodes[i].scratch_bytes && i >= plan->n_apart)
            want(request, plan->nodes[i].scratch_bytes, step_of(i), step_of(i),
                 &plan->scratch_offset[i]);
    }
}

/* In training, where every value lives to the end, one scratch serves all nodes in turn. */
static void want_shared_scratch(struct eng_plan *plan, struct request *request)
{
    size_t most = 0;
    for (size_t i = 0; i < plan->graph->n_nodes; i++)
        if (plan->nodes[i].scratch_bytes > most) most = plan->nodes[i].scratch_bytes;
    plan->scratch_offset[0] = ENG_NO_PLACE;
    if (most > 0) want(request, most, 0, last_step(plan), &plan->scratch_offset[0]);
}

/* A gradient lives from its last reader's backward, which is the first to write it, to its maker's.
 * Seeding begins at step n_nodes + 1; what would run before a seeded value's maker does not. */
static void measure_gradients(const struct eng_graph *graph, const int *root, int *first, int *last)
{
    for (size_t v = 0; v < graph->n_values; v++)
        first[v] = last[v] = step_of(graph->n_nodes);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] != ENG_NO_VALUE) first[root[node->in[k]]] = backward_step_of(graph, i);
        for (size_t k = 0; k < node->n_out; k++)
            if (node->out[k] != ENG_NO_VALUE && root[node->out[k]] == node->out[k])
                last[node->out[k]] = backward_step_of(graph, i);
    }
    for (size_t i = 0; i < graph->n_outputs; i++)
        first[root[graph->outputs[i]]] = step_of(graph->n_nodes);
    for (size_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].wants_grad) last[root[v]] = backward_step_of(graph, 0);
}

/* Uses up the lives, which have been asked for by now. */
static void want_training(struct eng_plan *plan, const struct lives *lives, const bool *needs_grad,
                          struct request *request)
{
    int end = last_step(plan);
    measure_gradients(plan->graph, lives->root, lives->first, lives->last);
    for (size_t v = 0; v < plan->graph->n_values; v++) {
        plan->grad_offset[v] = ENG_NO_PLACE;
        if (plan->graph->values[v].kind != ENG_VALUE_CONSTANT && needs_grad[v] &&
            lives->root[v] == (int)v)
            want(request, (size_t)eng_tensor_bytes(&plan->tensors[v]), lives->first[v],
                 lives->last[v], &plan->grad_offset[v]);
    }
    for (size_t i = 0; i < plan->graph->n_nodes; i++) {
        plan->keep_offset[i] = ENG_NO_PLACE;
        if (plan->nodes[i].keep_bytes)
            want(request, plan->nodes[i].keep_bytes, 0, end, &plan->keep_offset[i]);
    }
}

/* A view's gradient is its root's: what flows into either is summed in one place. */
static void share_offsets(struct eng_plan *plan, const struct lives *lives)
{
    for (size_t i = 1; plan->mode == ENG_PLAN_TRAINING && i < plan->graph->n_nodes; i++)
        plan->scratch_offset[i] = plan->scratch_offset[0];
    for (size_t v = 0; v < plan->graph->n_values; v++) {
        if (plan->tensors[v].data || plan->tensors[v].dtype == ENG_DTYPE_NONE) continue;
        plan->offset[v] = plan->offset[lives->root[v]];
        if (plan->mode == ENG_PLAN_TRAINING)
            plan->grad_offset[v] = plan->grad_offset[lives->root[v]];
    }
}

/* Names the largest value: others of its kind fill the rest. */
static enum eng_status refuse_arena(const struct eng_plan *plan, size_t limit_bytes,
                                    struct eng_error *err)
{
    size_t largest = 0;
    int64_t most_bytes = -1;
    for (size_t v = 0; v < plan->graph->n_values; v++) {
        int64_t n_bytes = plan->tensors[v].data ? -1 : eng_tensor_bytes(&plan->tensors[v]);
        if (n_bytes <= most_bytes) continue;
        most_bytes = n_bytes;
        largest = v;
    }
    char text[96];
    return eng_fail(err, ENG_LIMIT,
                    "at batch size %lld the model needs more than %zu GiB for its values, the "
                    "largest of which is '%s' of shape %s",
                    (long long)plan->batch, limit_bytes >> 30, plan->graph->values[largest].name,
                    eng_shape_format(&plan->tensors[largest].shape, text, sizeof text));
}

static enum eng_status place(struct eng_plan *plan, const struct lives *lives,
                             const bool *needs_grad, struct eng_arena *temporary,
                             struct eng_error *err)
{
    size_t most = 2 * plan->graph->n_values + 2 * plan->graph->n_nodes + 1;
    struct request request = {.blocks = eng_arena_alloc(temporary, most, sizeof *request.blocks),
                              .answers = eng_arena_alloc(temporary, most, sizeof *request.answers)};
    if (!request.blocks || !request.answers) return eng_fail_memory(err, "the memory plan");
    want_values(plan, lives, &request);
    if (plan->mode == ENG_PLAN_TRAINING) {
        want_training(plan, lives, needs_grad, &request);
        want_shared_scratch(plan, &request);
    } else {
        want_scratch(plan, &request);
    }
    size_t limit_bytes = plan->batch < (int64_t)(MAX_ARENA_BYTES / MAX_SAMPLE_ARENA_BYTES)
                             ? MAX_SAMPLE_ARENA_BYTES * (size_t)plan->batch
                             : MAX_ARENA_BYTES;
    enum eng_status status =
        eng_place_blocks(request.blocks, request.n, limit_bytes, &plan->arena_bytes);
    if (status == ENG_NO_MEMORY) return eng_fail_memory(err, "the memory plan");
    if (status != ENG_OK) return refuse_arena(plan, limit_bytes, err);
    for (size_t i = 0; i < request.n; i++)
        *request.answers[i] = request.blocks[i].offset;
    share_offsets(plan, lives);
    return ENG_OK;
}

static bool allocate_tables(struct eng_plan *plan)
{
    size_t n_values = plan->graph->n_values + 1, n_nodes = plan->graph->n_nodes + 1;
    plan->tensors = eng_arena_alloc(plan->arena, n_values, sizeof *plan->tensors);
    plan->root = eng_arena_alloc(plan->arena, n_values, sizeof *plan->root);
    plan->offset = eng_arena_alloc(plan->arena, n_values, sizeof *plan->offset);
    plan->grad_offset = eng_arena_alloc(plan->arena, n_values, sizeof *plan->grad_offset);
    plan->nodes = eng_arena_alloc(plan->arena, n_nodes, sizeof *plan->nodes);
    plan->scratch_offset = eng_arena_alloc(plan->arena, n_nodes, sizeof *plan->scratch_offset);
    plan->keep_offset = eng_arena_alloc(plan->arena, n_nodes, sizeof *plan->keep_offset);
    return plan->tensors && plan->root && plan->offset && plan->grad_offset && plan->nodes &&
           plan->scratch_offset && plan->keep_offset;
}

/* one: as in eng_plan_create_in. */
static enum eng_status build(struct eng_plan *plan, const struct eng_plan *one, bool override_batch,
                             struct eng_arena *temporary, struct eng_error *err)
{
    bool *needs_grad = eng_arena_alloc(temporary, plan->graph->n_values + 1, sizeof *needs_grad);
    struct lives lives;
    if (!needs_grad || !lives_create(plan->graph, temporary, &lives) || !allocate_tables(plan))
        return eng_fail_memory(err, "the memory plan");
    enum eng_status status =
        eng_shape_infer(plan->graph, plan->batch, override_batch, plan->mode == ENG_PLAN_TRAINING,
                        plan->arena, plan->tensors, plan->nodes, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; i < plan->graph->n_nodes; i++) {
        plan->flops += plan->nodes[i].flops;
        plan->work += plan->nodes[i].work;
        plan->nodes[i].activation = plan->graph->nodes[i].activation;
    }
    if (plan->mode == ENG_PLAN_TRAINING) {
        status = eng_fuse_training(plan->graph, plan->tensors, plan->nodes, err);
        if (status != ENG_OK) return status;
    }
    if (one) status = eng_apart_choose(plan, one, err);
    if (status != ENG_OK) return status;
    lives.root = plan->root;
    lives_measure(plan, &lives);
    lives_extend(plan, &lives);
    lives_share(plan, &lives);
    if (plan->mode == ENG_PLAN_TRAINING) status = mark_needs_grad(plan, needs_grad, err);
    return status != ENG_OK ? status : place(plan, &lives, needs_grad, temporary, err);
}

/* one: as in eng_plan_create_in. */
static enum eng_status fill(struct eng_plan *plan, const struct eng_plan *one, bool override_batch,
                            struct eng_error *err)
{
    struct eng_arena temporary;
    eng_arena_init(&temporary);
    enum eng_status status = build(plan, one, override_batch, &temporary, err);
    eng_arena_fini(&temporary);
    return status;
}

enum eng_status eng_plan_create(const struct eng_graph *graph, enum eng_plan_mode mode,
                                int64_t batch, bool override_batch, struct eng_plan **out,
                                struct eng_error *err)
{
    struct eng_plan *plan = eng_calloc(1, sizeof *plan);
    if (!plan) return eng_fail_memory(err, "the memory plan");
    *plan = (struct eng_plan){.arena = &plan->own, .graph = graph, .mode = mode, .batch = batch};
    eng_arena_init(&plan->own);
    enum eng_status status = fill(plan, NULL, override_batch, err);
    if (status == ENG_OK)
        *out = plan;
    else
        eng_plan_destroy(plan);
    return status;
}

enum eng_status eng_plan_create_in(struct eng_arena *arena, const struct eng_graph *graph,
                                   const struct eng_plan *one, int64_t batch, bool override_batch,
                                   struct eng_plan **out, struct eng_error *err)
{
    struct eng_plan *plan = eng_arena_alloc(arena, 1, sizeof *plan);
    if (!plan) return eng_fail_memory(err, "the memory plan");
    *plan = (struct eng_plan){
        .arena = arena, .graph = graph, .mode = ENG_PLAN_INFERENCE, .batch = batch};
    enum eng_status status = fill(plan, one, override_batch, err);
    if (status == ENG_OK) *out = plan;
    return status;
}

void eng_plan_destroy(struct eng_plan *plan)
{
    if (!plan) return;
    eng_arena_fini(&plan->own);
    free(plan);
}
