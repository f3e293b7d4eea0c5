#include "graph/rows.h"

#include "base/error.h"

#include <string.h>

/* How samples lie in a value: along an axis, which counts [outer, samples, inner]. */
struct lie {
    int axis;
    size_t outer;
};

/* Instead of an axis, where they lie along none. */
enum {
    FIXED = -1,  /* one sample or two, it is the same */
    VARIES = -2, /* it does not depend on what they hold, but on their number */
};

struct rows {
    const struct eng_plan *one, *two;
    struct lie *lies; /* [n_values] */
    const struct eng_tensor **in;
    struct eng_tensor **out;
};

/* The axis that is twice as long for two samples, while the others stay; -1 if there is none. */
static int doubled_axis(const struct eng_shape *one, const struct eng_shape *two)
{
    int axis = -1;
    if (one->rank != two->rank) return -1;
    for (int d = 0; d < one->rank; d++) {
        if (one->dim[d] == two->dim[d]) continue;
        if (axis >= 0 || one->dim[d] == 0 || two->dim[d] != 2 * one->dim[d]) return -1;
        axis = d;
    }
    return axis;
}

/* Whether each of the two samples has what one has alone. */
static bool repeats(const struct eng_tensor *one, const struct eng_tensor *two, int axis)
{
    size_t n_parts = 1, n_bytes = (size_t)eng_tensor_bytes(one);
    for (int d = 0; d < axis; d++)
        n_parts *= (size_t)one->shape.dim[d];
    if (n_bytes == 0) return true;
    n_bytes /= n_parts;
    for (size_t i = 0; i < 2 * n_parts; i++)
        if (memcmp((const char *)two->data + i * n_bytes, (const char *)one->data + i / 2 * n_bytes,
                   n_bytes) != 0)
            return false;
    return true;
}

/* A value that is known before the graph runs. */
static int axis_of_known(const struct eng_tensor *one, const struct eng_tensor *two)
{
    if (eng_shape_equal(&one->shape, &two->shape)) {
        size_t n_bytes = (size_t)eng_tensor_bytes(one);
        bool same = one->data == two->data || memcmp(one->data, two->data, n_bytes) == 0;
        return same ? FIXED : VARIES;
    }
    int axis = doubled_axis(&one->shape, &two->shape);
    return axis >= 0 && repeats(one, two, axis) ? axis : VARIES;
}

static void find_known(struct rows *rows)
{
    const struct eng_graph *graph = rows->two->graph;
    for (size_t v = 0; v < graph->n_values; v++) {
        const struct eng_tensor *one = &rows->one->tensors[v], *two = &rows->two->tensors[v];
        bool known = one->data && two->data && one->data != eng_known_forgotten() &&
                     two->data != eng_known_forgotten();
        int axis = known ? axis_of_known(one, two) : VARIES;
        rows->lies[v] = (struct lie){.axis = axis, .outer = 1};
    }
    for (size_t i = 0; i < graph->n_inputs; i++)
        rows->lies[graph->inputs[i]].axis = 0;
}

static struct eng_op_infer view(const struct rows *rows, size_t i)
{
    const struct eng_node *node = &rows->two->graph->nodes[i];
    struct eng_tensor *tensors = rows->two->tensors;
    for (size_t k = 0; k < node->n_in; k++)
        rows->in[k] = node->in[k] == ENG_NO_VALUE ? NULL : &tensors[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++)
        rows->out[k] = node->out[k] == ENG_NO_VALUE ? NULL : &tensors[node->out[k]];
    return (struct eng_op_infer){.attrs = node->attrs,
                                 .opset = node->opset,
                                 .n_in = node->n_in,
                                 .in = rows->in,
                                 .n_out = node->n_out,
                                 .out = rows->out,
                                 .state = rows->two->nodes[i].state};
}

/* The same elements in the same order: the samples stand in the dimension that the elements before
 * and behind their index leave. False: they stand in several. */
static bool follow_view(const struct eng_shape *x, const struct eng_shape *y, struct lie *lie)
{
    size_t outer = eng_infer_product(x, 0, lie->axis) * lie->outer, before = 1;
    for (int d = 0; outer > 0 && d < y->rank; d++) {
        size_t through = before * (size_t)y->dim[d];
        if (through > outer) {
            *lie = (struct lie){.axis = d, .outer = outer / before};
            return outer % before == 0 && through % (2 * outer) == 0;
        }
        before = through;
    }
    return false;
}

static bool follow_input(const struct eng_op *op, const struct eng_op_infer *q, size_t k,
                         struct lie *lie)
{
    if (op->flags & ENG_OP_VIEW && q->out[0])
        return k == 0 && follow_view(&q->in[0]->shape, &q->out[0]->shape, lie);
    lie->axis = op->follow ? op->follow(q, k, lie->axis) : ENG_AXIS_MIXED;
    return lie->axis != ENG_AXIS_MIXED;
}

/* Where the samples of all inputs go; false if they may be mixed. */
static bool follow_inputs(const struct rows *rows, size_t i, struct lie *to)
{
    const struct eng_node *node = &rows->two->graph->nodes[i];
    struct eng_op_infer q = view(rows, i);
    bool any = false, number_matters = false;
    *to = (struct lie){.axis = FIXED, .outer = 1};
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == ENG_NO_VALUE) continue;
        struct lie lie = rows->lies[node->in[k]];
        if (lie.axis == VARIES) {
            if (!any) *to = lie;
            /* What only says a shape is seen in the shape. */
            number_matters |= k >= 32 || !(node->op->shape_inputs >> k & 1);
        }
        if (lie.axis < 0) continue;
        if (!follow_input(node->op, &q, k, &lie)) return false;
        if (any && (lie.axis != to->axis || lie.outer != to->outer)) return false;
        *to = lie;
        any = true;
    }
    return !any || !number_matters;
}

static bool follow_node(const struct rows *rows, size_t i)
{
    const struct eng_node *node = &rows->two->graph->nodes[i];
    struct lie to;
    if (rows->one->nodes[i].is_known && rows->two->nodes[i].is_known) return true;
    if (!follow_inputs(rows, i, &to)) return false;
    for (size_t k = 0; k < node->n_out; k++) {
        int v = node->out[k];
        if (v == ENG_NO_VALUE) continue;
        const struct eng_shape *one = &rows->one->tensors[v].shape;
        const struct eng_shape *two = &rows->two->tensors[v].shape;
        if (to.axis >= 0 && doubled_axis(one, two) != to.axis) return false;
        rows->lies[v] = to;
        if (to.axis == FIXED && !eng_shape_equal(one, two)) rows->lies[v].axis = VARIES;
    }
    return true;
}

static bool tables_init(struct rows *rows, struct eng_arena *arena)
{
    const struct eng_graph *graph = rows->two->graph;
    size_t n_in = 1, n_out = 1;
    for (size_t i = 0; i < graph->n_nodes; i++) {
        n_in = graph->nodes[i].n_in > n_in ? graph->nodes[i].n_in : n_in;
        n_out = graph->nodes[i].n_out > n_out ? graph->nodes[i].n_out : n_out;
    }
    rows->lies = eng_arena_alloc(arena, graph->n_values + 1, sizeof *rows->lies);
    rows->in = eng_arena_alloc(arena, n_in, sizeof *rows->in);
    rows->out = eng_arena_alloc(arena, n_out, sizeof *rows->out);
    return rows->lies && rows->in && rows->out;
}

static size_t find_mixer(struct rows *rows)
{
    const struct eng_graph *graph = rows->two->graph;
    size_t i = 0;
    find_known(rows);
    while (i < graph->n_nodes && follow_node(rows, i))
        i++;
    for (size_t k = 0; i == graph->n_nodes && k < graph->n_outputs; k++) {
        struct lie lie = rows->lies[graph->outputs[k]];
        if (lie.axis != 0 || lie.outer != 1) return graph->n_nodes - 1;
    }
    return i;
}

enum eng_status eng_rows_find_mixer(const struct eng_plan *one, const struct eng_plan *two,
                                    size_t *mixer, struct eng_error *err)
{
    struct rows rows = {.one = one, .two = two};
    struct eng_arena arena;
    eng_arena_init(&arena);
    bool made = tables_init(&rows, &arena);
    if (made) *mixer = find_mixer(&rows);
    eng_arena_fini(&arena);
    return made ? ENG_OK : eng_fail_memory(err, "a look at a graph's samples");
}
