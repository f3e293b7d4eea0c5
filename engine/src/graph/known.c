#include "graph/known.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/shape.h"

#include <stdlib.h>

/* Shape arithmetic takes a few hundred bytes; what is larger is not worth keeping in every plan. */
static const size_t MAX_NODE_BYTES = (size_t)1 << 20;
static const size_t MAX_WALK_BYTES = (size_t)16 << 20;
static const double MAX_WALK_WORK = 1e8;

void *eng_known_forgotten(void)
{
    static char nothing;
    return &nothing;
}

/* Constants that the optimiser or commit writes into. */
static void mark_changes(const struct eng_graph *graph, bool *changes)
{
    for (size_t v = 0; v < graph->n_values; v++)
        changes[v] = graph->values[v].trainable;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        for (size_t k = 0; node->op->commit && k < node->n_in; k++)
            if (node->in[k] != ENG_NO_VALUE) changes[node->in[k]] = true;
    }
}

enum eng_status eng_known_init(struct eng_known *known, const struct eng_graph *graph,
                               bool training, struct eng_arena *arena, struct eng_error *err)
{
    *known = (struct eng_known){.left_bytes = MAX_WALK_BYTES, .left_work = MAX_WALK_WORK};
    if (!training) return ENG_OK;
    known->changes = eng_arena_alloc(arena, graph->n_values + 1, sizeof *known->changes);
    if (!known->changes) return eng_fail_memory(err, "shape inference");
    mark_changes(graph, known->changes);
    return ENG_OK;
}

bool eng_known_inputs(const struct eng_known *known, const struct eng_node *node,
                      const struct eng_tensor *const *in)
{
    if (node->op->flags & ENG_OP_SHAPE_ONLY) return true;
    for (size_t k = 0; k < node->n_in; k++)
        if (in[k] && (!in[k]->data || (known->changes && known->changes[node->in[k]])))
            return false;
    return true;
}

/* Takes the node's cost off what is left; false if that is not enough. */
static bool spend(struct eng_known *known, const struct eng_op_infer *q, double work)
{
    size_t n_bytes = 0;
    for (size_t k = 0; k < q->n_out; k++)
        if (q->out[k]) n_bytes += (size_t)eng_tensor_bytes(q->out[k]) + ENG_ALIGN;
    if (n_bytes > MAX_NODE_BYTES + q->n_out * ENG_ALIGN || n_bytes > known->left_bytes ||
        q->scratch_bytes > MAX_WALK_BYTES || work > known->left_work)
        return false;
    known->left_bytes -= n_bytes;
    known->left_work -= work;
    return true;
}

static enum eng_status run(const struct eng_node *node, const struct eng_op_infer *q,
                           struct eng_arena *arena, struct eng_error *err)
{
    for (size_t k = 0; k < q->n_out; k++) {
        if (!q->out[k]) continue;
        size_t n_bytes = (size_t)eng_tensor_bytes(q->out[k]);
        q->out[k]->data = eng_arena_alloc(arena, n_bytes + ENG_ALIGN, 1);
        if (!q->out[k]->data) return eng_fail_memory(err, "a value known at plan time");
    }
    if (eng_outputs_are_empty(q->out, q->n_out)) return ENG_OK;
    void *scratch = eng_alloc_aligned(q->scratch_bytes);
    if (!scratch) return eng_fail_memory(err, "a value known at plan time");
    struct eng_op_call call = {.attrs = node->attrs,
                               .state = q->state,
                               .opset = node->opset,
                               .training = q->training,
                               .n_in = q->n_in,
                               .in = q->in,
                               .n_out = q->n_out,
                               .out = q->out,
                               .scratch = scratch,
                               .activation = node->activation};
    eng_op_forward(node->op, &call);
    free(scratch);
    return ENG_OK;
}

enum eng_status eng_known_run(struct eng_known *known, const struct eng_node *node,
                              const struct eng_op_infer *q, struct eng_arena *arena,
                              struct eng_node_plan *plan, struct eng_error *err)
{
    if (!eng_known_inputs(known, node, q->in) || q->keep_bytes > 0 || !spend(known, q, plan->work))
        return ENG_OK;
    enum eng_status status = run(node, q, arena, err);
    if (status != ENG_OK) return status;
    plan->is_known = true;
    plan->flops = plan->work = 0;
    return ENG_OK;
}
