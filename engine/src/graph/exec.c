#include "graph/exec.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/stopwatch.h"
#include "graph/pace.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_FLOPS = 1000 * 1000 * 1000 }; /* some 10 ms on one CPU */

/* Filled anew in every backward pass. */
struct grad_tables {
    const struct eng_tensor **out;
    struct eng_tensor **in;
};

struct eng_exec {
    struct eng_arena tables; /* everything below but memory */
    const struct eng_graph *graph;
    const struct eng_plan *plan; /* the one that is bound */
    uint8_t *memory;
    size_t memory_bytes, wished_bytes; /* of it huge pages are wished for so much */
    struct eng_pool *pool;
    struct eng_pace pace;
    bool alone;              /* the calls have no pool */
    struct eng_exec **lanes; /* [n_lanes] each runs the first nodes for one sample at a time */
    size_t n_lanes;
    struct eng_tensor *tensors;      /* [n_values] bound */
    struct eng_tensor *grads;        /* [n_values] bound; data NULL: no gradient */
    struct eng_op_call *calls;       /* [n_nodes] */
    struct grad_tables *grad_tables; /* [n_nodes] what the calls' grad_out and grad_in point to */
    bool *reached;                   /* [n_values] backward: the seeded value depends on it */
    bool *written;                   /* [n_values] backward, roots: the gradient holds a sum */
    double *node_seconds;            /* [n_nodes] the caller's; NULL: nodes are not timed */
    double (*clock_s)(void);         /* what times them */
};

/* The pointers of one call are the same for every plan: only what they point to is bound anew. */
static bool wire_call(struct eng_exec *exec, size_t i)
{
    const struct eng_node *node = &exec->graph->nodes[i];
    struct grad_tables *grads = &exec->grad_tables[i];
    size_t n_in = node->n_in + 1, n_out = node->n_out + 1;
    const struct eng_tensor **in = eng_arena_alloc(&exec->tables, n_in, sizeof *in);
    struct eng_tensor **out = eng_arena_alloc(&exec->tables, n_out, sizeof *out);
    grads->out = eng_arena_alloc(&exec->tables, n_out, sizeof *grads->out);
    grads->in = eng_arena_alloc(&exec->tables, n_in, sizeof *grads->in);
    if (!in || !out || !grads->out || !grads->in) return false;
    for (size_t k = 0; k < node->n_in; k++)
        in[k] = node->in[k] == ENG_NO_VALUE ? NULL : &exec->tensors[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++)
        out[k] = node->out[k] == ENG_NO_VALUE ? NULL : &exec->tensors[node->out[k]];
    exec->calls[i] = (struct eng_op_call){.attrs = node->attrs,
                                          .opset = node->opset,
                                          .n_in = node->n_in,
                                          .in = in,
                                          .n_out = node->n_out,
                                          .out = out,
                                          .grad_out = grads->out,
                                          .grad_in = grads->in};
    return true;
}

static bool build(struct eng_exec *exec, size_t arena_bytes, struct eng_pool *pool)
{
    const struct eng_graph *graph = exec->graph;
    exec->memory_bytes = arena_bytes;
    exec->memory = eng_block_alloc(arena_bytes);
    exec->tensors = eng_arena_alloc(&exec->tables, graph->n_values + 1, sizeof *exec->tensors);
    exec->grads = eng_arena_alloc(&exec->tables, graph->n_values + 1, sizeof *exec->grads);
    exec->reached = eng_arena_alloc(&exec->tables, graph->n_values + 1, sizeof *exec->reached);
    exec->written = eng_arena_alloc(&exec->tables, graph->n_values + 1, sizeof *exec->written);
    exec->calls = eng_arena_alloc(&exec->tables, graph->n_nodes + 1, sizeof *exec->calls);
    exec->grad_tables =
        eng_arena_alloc(&exec->tables, graph->n_nodes + 1, sizeof *exec->grad_tables);
    if (!exec->memory || !exec->tensors || !exec->grads || !exec->reached || !exec->written ||
        !exec->calls || !exec->grad_tables)
        return false;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        if (!wire_call(exec, i)) return false;
        exec->calls[i].pool = pool;
    }
    return true;
}

enum eng_status eng_exec_create(const struct eng_graph *graph, size_t arena_bytes,
                                struct eng_pool *pool, struct eng_exec **out, struct eng_error *err)
{
    struct eng_exec *exec = eng_calloc(1, sizeof *exec);
    if (!exec) return eng_fail_memory(err, "a session");
    eng_arena_init_lasting(&exec->tables);
    exec->graph = graph;
    exec->pool = pool;
    if (!build(exec, arena_bytes, pool)) {
        eng_exec_destroy(exec);
        return eng_fail_memory(err, "a session's arena");
    }
    *out = exec;
    return ENG_OK;
}

void eng_exec_destroy(struct eng_exec *exec)
{
    if (!exec) return;
    for (size_t i = 0; i < exec->n_lanes; i++)
        eng_exec_destroy(exec->lanes[i]);
    eng_block_free(exec->memory, exec->memory_bytes);
    eng_arena_fini(&exec->tables);
    free(exec);
}

enum eng_status eng_exec_add_lanes(struct eng_exec *exec, const struct eng_plan *one,
                                   size_t max_samples, size_t *n_bytes, struct eng_error *err)
{
    size_t n = (size_t)eng_pool_size(exec->pool);
    assert(exec->n_lanes == 0 && one->graph == exec->graph);
    if (n > max_samples) n = max_samples;
    if (n > ENG_EXEC_MAX_LANES) n = ENG_EXEC_MAX_LANES;
    exec->lanes = eng_arena_alloc(&exec->tables, n + 1, sizeof(struct eng_exec *));
    if (!exec->lanes) return eng_fail_memory(err, "a session");
    while (exec->n_lanes < n) {
        struct eng_exec **lane = &exec->lanes[exec->n_lanes];
        enum eng_status status =
            eng_exec_create(exec->graph, one->arena_bytes, exec->pool, lane, err);
        if (status != ENG_OK) return status;
        exec->n_lanes++;
        *n_bytes += one->arena_bytes;
    }
    return ENG_OK;
}

/* Shared values of a lane are sample i's rows. */
static void point_lane(const struct eng_exec *exec, struct eng_exec *lane, size_t i)
{
    const struct eng_plan *plan = exec->plan;
    for (size_t k = 0; k < plan->n_shared; k++) {
        int v = plan->shared[k];
        size_t row_bytes = (size_t)eng_tensor_bytes(&lane->tensors[v]);
        lane->tensors[v].data = (char *)exec->tensors[v].data + i * row_bytes;
    }
}

static void *at(const struct eng_exec *exec, size_t offset)
{
    return offset == ENG_NO_PLACE ? NULL : exec->memory + offset;
}

/* Only as far as plans that run fill them: most sessions never see the largest batch. */
static void wish_huge(struct eng_exec *exec, size_t n_bytes)
{
    if (n_bytes <= exec->wished_bytes) return;
    exec->wished_bytes = n_bytes;
    eng_block_wish_huge(exec->memory, n_bytes);
}

void eng_exec_bind(struct eng_exec *exec, const struct eng_plan *plan)
{
    assert(plan->graph == exec->graph && plan->arena_bytes <= exec->memory_bytes);
    if (exec->plan == plan) return;
    exec->plan = plan;
    wish_huge(exec, plan->arena_bytes);
    exec->pace = (struct eng_pace){0};
    for (size_t v = 0; v < exec->graph->n_values; v++) {
        exec->tensors[v] = plan->tensors[v];
        if (plan->offset[v] != ENG_NO_PLACE) exec->tensors[v].data = at(exec, plan->offset[v]);
        if (plan->mode != ENG_PLAN_TRAINING) continue;
        exec->grads[v] = plan->tensors[v];
        exec->grads[v].data = at(exec, plan->grad_offset[v]);
    }
    for (size_t i = 0; i < exec->graph->n_nodes; i++) {
        struct eng_op_call *call = &exec->calls[i];
        call->state = plan->nodes[i].state;
        call->activation = plan->nodes[i].activation;
        call->training = plan->mode == ENG_PLAN_TRAINING;
        call->scratch = at(exec, plan->scratch_offset[i]);
        call->keep = call->training ? at(exec, plan->keep_offset[i]) : NULL;
    }
    assert(plan->n_apart == 0 || exec->n_lanes > 0);
    for (size_t i = 0; plan->n_apart > 0 && i < exec->n_lanes; i++) {
        exec->lanes[i]->plan = NULL; /* other values may have been shared */
        eng_exec_bind(exec->lanes[i], plan->one);
        point_lane(exec, exec->lanes[i], 0);
    }
}

/* Whether all that reads input v, through views too, can read it anywhere. */
static bool may_lie_anywhere(const struct eng_exec *exec, int v)
{
    const struct eng_plan *plan = exec->plan;
    for (size_t i = 0; i < exec->graph->n_outputs; i++)
        if (plan->root[exec->graph->outputs[i]] == v) return false;
    for (size_t i = 0; i < exec->graph->n_nodes; i++) {
        const struct eng_node *node = &exec->graph->nodes[i];
        if (node->op->flags & ENG_OP_READS_ANYWHERE || !eng_exec_runs(exec, i)) continue;
        for (size_t k = 0; k < node->n_in; k++)
            if (node->in[k] != ENG_NO_VALUE && plan->root[node->in[k]] == v) return false;
    }
    return true;
}

/* What a caller hands in may be what an earlier run put into the arena. */
static bool is_own(const struct eng_exec *exec, const void *data)
{
    uintptr_t at = (uintptr_t)data, start = (uintptr_t)exec->memory;
    return at >= start && at - start < exec->memory_bytes;
}

static void place_input(struct eng_exec *exec, int v, void *data)
{
    for (size_t i = 0; i < exec->graph->n_values; i++)
        if (exec->plan->root[i] == v && exec->plan->offset[i] != ENG_NO_PLACE)
            exec->tensors[i].data = data;
}

bool eng_exec_borrow_input(struct eng_exec *exec, int value, void *data)
{
    size_t bytes = eng_dtype_bytes(exec->tensors[value].dtype);
    assert(exec->plan && exec->graph->values[value].kind == ENG_VALUE_INPUT);
    if (!data || bytes == 0 || (uintptr_t)data % bytes != 0 || is_own(exec, data) ||
        exec->plan->n_apart > 0 || exec->plan->offset[value] == ENG_NO_PLACE ||
        !may_lie_anywhere(exec, value))
        return false;
    place_input(exec, value, data);
    return true;
}

void eng_exec_return_inputs(struct eng_exec *exec)
{
    for (size_t i = 0; i < exec->graph->n_inputs; i++) {
        int v = exec->graph->inputs[i];
        size_t offset = exec->plan->offset[v];
        if (offset != ENG_NO_PLACE && exec->tensors[v].data != exec->memory + offset)
            place_input(exec, v, exec->memory + offset);
    }
}

const struct eng_tensor *eng_exec_value(const struct eng_exec *exec, int value)
{
    return &exec->tensors[value];
}

void eng_exec_bind_grads(struct eng_exec *exec, float *const *grads)
{
    assert(exec->plan && exec->plan->mode == ENG_PLAN_TRAINING);
    for (size_t v = 0; v < exec->graph->n_values; v++)
        if (exec->graph->values[v].kind == ENG_VALUE_CONSTANT) exec->grads[v].data = grads[v];
}

/* A view that shares its input's memory has nothing to do, nor has what another node does. */
static bool is_shared_view(const struct eng_exec *exec, size_t i)
{
    const struct eng_node *node = &exec->graph->nodes[i];
    return exec->plan->nodes[i].is_fused ||
           (node->op->flags & ENG_OP_VIEW &&
            exec->tensors[node->in[0]].data == exec->tensors[node->out[0]].data);
}

/* splitmix64's finaliser: neighbouring nodes get unrelated seeds. */
static uint64_t node_seed(uint64_t seed, size_t i)
{
    uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Who runs node i. */
static const struct eng_exec *runner(const struct eng_exec *exec, size_t i)
{
    assert(exec->plan);
    return i < exec->plan->n_apart ? exec->lanes[0] : exec;
}

bool eng_exec_runs(const struct eng_exec *exec, size_t i)
{
    exec = runner(exec, i);
    const struct eng_node_plan *node = &exec->plan->nodes[i];
    return !node->is_empty && !node->is_known && !is_shared_view(exec, i);
}

void eng_exec_time_nodes(struct eng_exec *exec, double (*clock_s)(void), double *seconds)
{
    exec->clock_s = clock_s;
    exec->node_seconds = seconds;
}

void eng_exec_describe(const struct eng_exec *exec, size_t i, char *text, size_t size)
{
    exec = runner(exec, i);
    const struct eng_node_plan *node = &exec->plan->nodes[i];
    const struct eng_op *op = exec->graph->nodes[i].op;
    const char *why_not = node->is_empty   ? "empty"
                          : node->is_known ? "known while planning"
                          : node->is_fused ? "done by the node before"
                                           : "shares memory";
    if (!eng_exec_runs(exec, i))
        snprintf(text, size, "%s", why_not);
    else if (op->describe)
        op->describe(&exec->calls[i], text, size);
    else
        text[0] = '\0';
}

static void run_nodes(struct eng_exec *exec, size_t first, size_t last, uint64_t seed)
{
    double *seconds = exec->node_seconds;
    for (size_t i = first; i < last; i++) {
        if (!eng_exec_runs(exec, i)) continue;
        exec->calls[i].seed = node_seed(seed, i);
        double start_s = seconds ? exec->clock_s() : 0;
        eng_op_forward(exec->graph->nodes[i].op, &exec->calls[i]);
        if (seconds) seconds[i] += exec->clock_s() - start_s;
    }
}

/* Samples that lanes take, one after the other. */
struct samples {
    struct eng_exec *exec;
    uint64_t seed;
    atomic_size_t next;
};

static void run_lanes(void *ctx, size_t begin, size_t end)
{
    struct samples *samples = ctx;
    const struct eng_plan *plan = samples->exec->plan;
    for (size_t k = begin; k < end; k++) {
        struct eng_exec *lane = samples->exec->lanes[k];
        eng_exec_time_nodes(lane, samples->exec->clock_s, samples->exec->node_seconds);
        for (;;) {
            size_t i = atomic_fetch_add_explicit(&samples->next, 1, memory_order_relaxed);
            if (i >= (size_t)plan->batch) break;
            point_lane(samples->exec, lane, i);
            run_nodes(lane, 0, plan->n_apart, samples->seed);
        }
    }
}

/* Times are added up by one lane, without others beside it. */
static void run_shared(struct eng_exec *exec, uint64_t seed)
{
    const struct eng_plan *plan = exec->plan;
    struct samples samples = {.exec = exec, .seed = seed};
    eng_pool_begin_run(exec->pool, plan->flops);
    if (plan->n_apart > 0)
        eng_pool_for(exec->pool, exec->node_seconds ? 1 : exec->n_lanes, 1, run_lanes, &samples);
    run_nodes(exec, plan->n_apart, plan->graph->n_nodes, seed);
    eng_pool_end_run(exec->pool);
}

static void set_alone(struct eng_exec *exec, bool alone)
{
    for (size_t i = 0; exec->alone != alone && i < exec->graph->n_nodes; i++)
        exec->calls[i].pool = alone ? NULL : exec->pool;
    exec->alone = alone;
}

/* Long runs gain by sharing wherever the CPUs are, and so do samples that run apart. */
static bool may_go_alone(const struct eng_exec *exec)
{
    return eng_pool_size(exec->pool) > 1 && exec->plan->mode == ENG_PLAN_INFERENCE &&
           exec->plan->n_apart == 0 && exec->plan->flops < SHORT_FLOPS && !exec->node_seconds;
}

void eng_exec_forward(struct eng_exec *exec, uint64_t seed)
{
    assert(exec->plan);
    bool timed = may_go_alone(exec);
    set_alone(exec, timed && eng_pace_goes_alone(&exec->pace));
    double start_s = timed ? eng_stopwatch_s() : 0;
    if (exec->alone)
        run_nodes(exec, 0, exec->graph->n_nodes, seed);
    else
        run_shared(exec, seed);
    if (timed) eng_pace_took(&exec->pace, eng_stopwatch_s() - start_s);
}

float *eng_exec_seed_grad(struct eng_exec *exec, int value)
{
    assert(exec->plan && exec->plan->mode == ENG_PLAN_TRAINING);
    assert(exec->plan->grad_offset[value] != ENG_NO_PLACE);
    memset(exec->reached, 0, exec->graph->n_values * sizeof *exec->reached);
    memset(exec->written, 0, exec->graph->n_values * sizeof *exec->written);
    memset(exec->grads[value].data, 0, (size_t)eng_tensor_bytes(&exec->grads[value]));
    exec->reached[value] = exec->written[exec->plan->root[value]] = true;
    return exec->grads[value].data;
}

/* The first to reach a gradient writes it, or adds to zeros if it cannot. */
static void begin_gradient(struct eng_exec *exec, size_t i, size_t k)
{
    const struct eng_op *op = exec->graph->nodes[i].op;
    struct eng_op_call *call = &exec->calls[i];
    int v = exec->graph->nodes[i].in[k], root = exec->plan->root[v];
    if (exec->written[root]) return;
    exec->written[root] = true;
    if (k < 32 && op->writes_grad >> k & 1 && call->grad_out[0])
        call->write_grad |= 1u << k;
    else
        memset(exec->grads[v].data, 0, (size_t)eng_tensor_bytes(&exec->grads[v]));
}

/* Fills the call's gradient pointers; false if the seeded value does not depend on this node, or
 * nothing before it wants a gradient. */
static bool bind_backward(struct eng_exec *exec, size_t i)
{
    const struct eng_node *node = &exec->graph->nodes[i];
    const struct eng_tensor **grad_out = exec->grad_tables[i].out;
    struct eng_tensor **grad_in = exec->grad_tables[i].in;
    bool any = false, any_wanted = false;
    for (size_t k = 0; k < node->n_out; k++) {
        int v = node->out[k];
        bool comes = v != ENG_NO_VALUE && exec->reached[v] && exec->grads[v].data;
        grad_out[k] = comes ? &exec->grads[v] : NULL;
        any |= comes;
    }
    exec->calls[i].write_grad = 0;
    for (size_t k = 0; any && k < node->n_in; k++) {
        int v = node->in[k];
        bool wanted = v != ENG_NO_VALUE && exec->grads[v].data;
        grad_in[k] = wanted ? &exec->grads[v] : NULL;
        if (!wanted) continue;
        any_wanted = exec->reached[v] = true;
        begin_gradient(exec, i, k);
    }
    return any_wanted;
}

void eng_exec_backward(struct eng_exec *exec)
{
    eng_pool_begin_run(exec->pool, exec->plan->flops);
    for (size_t i = exec->graph->n_nodes; i-- > 0;)
        if (!exec->plan->nodes[i].is_empty && bind_backward(exec, i) && !is_shared_view(exec, i))
            exec->graph->nodes[i].op->backward(&exec->calls[i]);
    eng_pool_end_run(exec->pool);
    for (size_t v = 0; v < exec->graph->n_values; v++) {
        const struct eng_value *value = &exec->graph->values[v];
        bool is_result = value->kind == ENG_VALUE_CONSTANT || value->wants_grad;
        if (is_result && exec->grads[v].data && !exec->reached[v])
            memset(exec->grads[v].data, 0, (size_t)eng_tensor_bytes(&exec->grads[v]));
    }
}

const float *eng_exec_gradient(const struct eng_exec *exec, int value)
{
    assert(exec->plan && exec->plan->mode == ENG_PLAN_TRAINING);
    assert(exec->graph->values[value].wants_grad && exec->grads[value].data);
    return exec->grads[value].data;
}

void eng_exec_commit(struct eng_exec *const *shards, size_t n_shards)
{
    struct eng_op_call calls[ENG_EXEC_MAX_SHARDS];
    assert(n_shards > 0 && n_shards <= ENG_EXEC_MAX_SHARDS);
    for (size_t i = 0; i < shards[0]->graph->n_nodes; i++) {
        const struct eng_op *op = shards[0]->graph->nodes[i].op;
        if (!op->commit) continue;
        for (size_t s = 0; s < n_shards; s++)
            calls[s] = shards[s]->calls[i];
        op->commit(calls, n_shards);
    }
}
