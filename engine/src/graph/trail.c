#include "graph/trail.h"

#include "graph/pattern.h"

static const struct eng_shape *shape_of(const struct eng_rewrite *w, int v)
{
    return &w->shapes[v].shape;
}

/* A dimension that follows the batch is what is left; two cannot be. */
static bool reshape_step(const struct eng_rewrite *w, int to, struct eng_view_step *out)
{
    const struct eng_shape *shape = shape_of(w, to);
    int n_open = 0;
    *out = (struct eng_view_step){.kind = ENG_VIEW_RESHAPE, .rank = shape->rank};
    for (int d = 0; d < shape->rank; d++) {
        out->v[d] = shape->dim[d];
        n_open += shape->dim[d] < 0;
    }
    return n_open <= 1;
}

static bool transpose_step(const struct eng_rewrite *w, const struct eng_node *node,
                           struct eng_view_step *out)
{
    struct eng_attr perm;
    int rank = shape_of(w, node->in[0])->rank;
    size_t n = eng_attrs_write(node->op, node->attrs, &perm);
    *out = (struct eng_view_step){.kind = ENG_VIEW_TRANSPOSE, .rank = rank};
    for (int d = 0; d < rank; d++)
        out->v[d] = n == 1 ? perm.ints[d] : rank - 1 - d;
    return true;
}

/* Elements start .. of an axis, as many as `to` has; start counts from the end if below 0. */
static bool cut_step(const struct eng_rewrite *w, int from, int64_t axis, int64_t start,
                     int64_t count, struct eng_view_step *out)
{
    const struct eng_shape *x = shape_of(w, from);
    if (axis < 0) axis += x->rank;
    if (axis < 0 || axis >= x->rank || x->dim[axis] <= 0 || count <= 0) return false;
    if (start < 0) start += x->dim[axis];
    *out = (struct eng_view_step){
        .kind = ENG_VIEW_CUT, .axis = (int)axis, .start = start, .count = count};
    return start >= 0 && start + count <= x->dim[axis];
}

static int64_t axis_of(const struct eng_node *node, int64_t normally)
{
    return eng_pattern_int(node, "axis", normally);
}

static bool split_step(const struct eng_rewrite *w, const struct eng_node *node, int v,
                       struct eng_view_step *out)
{
    int64_t axis = axis_of(node, 0), start = 0;
    int rank = shape_of(w, node->in[0])->rank;
    if (axis < 0) axis += rank;
    if (axis < 0 || axis >= rank) return false;
    for (size_t k = 0; k < node->n_out && node->out[k] != v; k++) {
        if (node->out[k] == ENG_NO_VALUE || shape_of(w, node->out[k])->dim[axis] < 0) return false;
        start += shape_of(w, node->out[k])->dim[axis];
    }
    return cut_step(w, node->in[0], axis, start, shape_of(w, v)->dim[axis], out);
}

/* One axis, no steps between elements. */
static bool slice_step(const struct eng_rewrite *w, const struct eng_node *node,
                       struct eng_view_step *out)
{
    int64_t start, axis = 0, step = 1;
    if (node->n_in < 3 || !eng_pattern_integer(w, node->in[1], &start)) return false;
    if (node->n_in > 3 && node->in[3] != ENG_NO_VALUE &&
        !eng_pattern_integer(w, node->in[3], &axis))
        return false;
    if (node->n_in > 4 && node->in[4] != ENG_NO_VALUE &&
        !eng_pattern_integer(w, node->in[4], &step))
        return false;
    const struct eng_shape *y = shape_of(w, node->out[0]);
    int64_t of = axis < 0 ? axis + y->rank : axis;
    return step == 1 && of >= 0 && of < y->rank &&
           cut_step(w, node->in[0], axis, start, y->dim[of], out);
}

static bool only_reshapes(const struct eng_node *node)
{
    return eng_pattern_is(node, "Reshape") || eng_pattern_is(node, "Flatten") ||
           eng_pattern_is(node, "Squeeze") || eng_pattern_is(node, "Unsqueeze");
}

static bool add_step(struct eng_trail *trail, const struct eng_view_step *step, int v)
{
    if (trail->n == ENG_VIEW_STEPS) return false;
    trail->steps[trail->n++] = *step;
    trail->values[trail->n] = v;
    trail->factors[trail->n] = trail->factors[trail->n - 1];
    return true;
}

/* Gather of one index drops the axis: it is cut, and what is left reshaped. */
static bool gather_steps(const struct eng_rewrite *w, const struct eng_node *node,
                         struct eng_trail *trail)
{
    struct eng_view_step cut, reshape;
    int64_t index;
    return trail->n + 2 <= ENG_VIEW_STEPS && eng_pattern_integer(w, node->in[1], &index) &&
           cut_step(w, node->in[0], axis_of(node, 0), index, 1, &cut) &&
           reshape_step(w, node->out[0], &reshape) && add_step(trail, &reshape, ENG_NO_VALUE) &&
           add_step(trail, &cut, node->in[0]);
}

/* x times a number; the walk goes on at x. */
static bool goes_through_factor(const struct eng_rewrite *w, const struct eng_node *node,
                                struct eng_trail *trail)
{
    bool divides = eng_pattern_is(node, "Div");
    if ((!divides && !eng_pattern_is(node, "Mul")) || node->activation.kind != ENG_ACT_NONE)
        return false;
    for (int k = 0; k < (divides ? 1 : 2); k++) {
        double number;
        if (!eng_pattern_number(w, node->in[1 - k], node->in[k], &number) || number == 0) continue;
        trail->values[trail->n] = node->in[k];
        trail->factors[trail->n] *= divides ? 1 / number : number;
        return true;
    }
    return false;
}

static bool step_back(const struct eng_rewrite *w, const struct eng_node *node, int v, bool scales,
                      struct eng_trail *trail)
{
    struct eng_view_step step;
    if (eng_pattern_is(node, "Gather")) return gather_steps(w, node, trail);
    if (scales && goes_through_factor(w, node, trail)) return true;
    bool found = eng_pattern_is(node, "Transpose") ? transpose_step(w, node, &step)
                 : eng_pattern_is(node, "Split")   ? split_step(w, node, v, &step)
                 : eng_pattern_is(node, "Slice")   ? slice_step(w, node, &step)
                                                 : only_reshapes(node) && reshape_step(w, v, &step);
    return found && add_step(trail, &step, node->in[0]);
}

void eng_trail_back(const struct eng_rewrite *w, const struct eng_links *links, int v, bool scales,
                    struct eng_trail *out)
{
    *out = (struct eng_trail){.values = {v}, .factors = {1}};
    int i;
    do {
        v = out->values[out->n];
        i = links->producer[v];
    } while (i >= 0 && step_back(w, &w->graph->nodes[i], v, scales, out));
}

void eng_trail_on(const struct eng_rewrite *w, const struct eng_links *links, int v,
                  struct eng_trail *out)
{
    *out = (struct eng_trail){.values = {v}, .factors = {1}};
    while (links->uses[v] == 1 && links->reader[v] >= 0) {
        const struct eng_node *node = &w->graph->nodes[links->reader[v]];
        struct eng_view_step step;
        bool found = eng_pattern_is(node, "Transpose") ? transpose_step(w, node, &step)
                                                       : only_reshapes(node) && node->in[0] == v &&
                                                             reshape_step(w, node->out[0], &step);
        v = node->out[0];
        if (!found || !add_step(out, &step, v)) return;
    }
}

struct eng_view_chain eng_trail_chain_back(const struct eng_trail *trail, int n)
{
    struct eng_view_chain chain = {.n = n};
    for (int i = 0; i < n; i++)
        chain.steps[i] = trail->steps[n - 1 - i];
    return chain;
}

struct eng_view_chain eng_trail_chain_on(const struct eng_trail *trail, int n)
{
    struct eng_view_chain chain = {.n = n};
    for (int i = 0; i < n; i++)
        chain.steps[i] = trail->steps[i];
    return chain;
}
