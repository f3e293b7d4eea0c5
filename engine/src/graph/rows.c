#include "graph/rows.h"

/* How a value's shape follows the batch. */
enum part {
    FIXED, /* not at all: by induction it does not depend on samples */
    ROWS,  /* in the first dimension alone */
    OTHER, /* in another one, or its rows are known beforehand and may differ by their place */
};

static enum part part_of(const struct eng_plan *plan, const struct eng_tensor *symbolic, int v)
{
    const struct eng_shape *shape = &symbolic[v].shape;
    for (int d = 1; d < shape->rank; d++)
        if (shape->dim[d] == -1) return OTHER;
    if (shape->rank == 0 || shape->dim[0] != -1) return FIXED;
    return plan->tensors[v].data ? OTHER : ROWS;
}

/* There must be as many rows in as out, and where inputs meet one rank: then the dimensions that
 * broadcasting joins are the first ones. */
static bool keeps_rows(const struct eng_plan *plan, const struct eng_node *node, int rows_input,
                       int output)
{
    const struct eng_shape *x = &plan->tensors[rows_input].shape;
    const struct eng_shape *y = &plan->tensors[output].shape;
    return node->op->flags & ENG_OP_VIEW ||
           (x->dim[0] == y->dim[0] && (node->n_in == 1 || x->rank == y->rank));
}

static bool node_is_row_wise(const struct eng_plan *plan, const struct eng_tensor *symbolic,
                             const struct eng_node *node)
{
    bool any = false;
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == ENG_NO_VALUE) continue;
        enum part part = part_of(plan, symbolic, node->in[k]);
        if (part == OTHER) return false;
        any |= part == ROWS;
    }
    if (!any) return true;
    if (!(node->op->flags & (ENG_OP_VIEW | ENG_OP_ROW_WISE))) return false;
    for (size_t o = 1; o < node->n_out; o++)
        if (node->out[o] != ENG_NO_VALUE) return false;
    if (part_of(plan, symbolic, node->out[0]) != ROWS) return false;
    for (size_t k = 0; k < node->n_in; k++)
        if (node->in[k] != ENG_NO_VALUE && part_of(plan, symbolic, node->in[k]) == ROWS &&
            !keeps_rows(plan, node, node->in[k], node->out[0]))
            return false;
    return true;
}

bool eng_rows_are_independent(const struct eng_plan *plan, const struct eng_tensor *symbolic)
{
    for (size_t i = 0; i < plan->graph->n_nodes; i++)
        if (!plan->nodes[i].is_known && !node_is_row_wise(plan, symbolic, &plan->graph->nodes[i]))
            return false;
    return true;
}
