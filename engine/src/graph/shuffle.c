#include "graph/shuffle.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/pattern.h"
#include "ops/channel_shuffle.h"

struct search {
    struct eng_rewrite *w;
    struct eng_links links;
};

static const struct eng_shape *shape_of(const struct search *s, int v)
{
    return &s->w->shapes[v].shape;
}

/* The node of that name that makes v for one reader, or -1. */
static int maker(const struct search *s, int v, const char *name)
{
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    bool fits = i >= 0 && s->links.uses[v] == 1 && !s->links.removed[i] &&
                eng_pattern_is(&s->w->graph->nodes[i], name) &&
                s->w->graph->nodes[i].activation.kind == ENG_ACT_NONE;
    return fits ? i : -1;
}

static bool swaps_groups(const struct eng_node *node)
{
    static const int64_t perm[5] = {0, 2, 1, 3, 4};
    struct eng_attr attrs[2];
    size_t n = node->op->n_attrs <= 2 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    return n == 1 && attrs[0].n == 5 && memcmp(attrs[0].ints, perm, sizeof perm) == 0;
}

/* [N, C, H, W] as [N, groups, C / groups, H, W]: the groups, or 0. */
static int64_t groups_of(const struct eng_shape *x, const struct eng_shape *y)
{
    bool fits = x->rank == 4 && y->rank == 5 && x->dim[0] == y->dim[0] && y->dim[1] > 0 &&
                y->dim[2] > 0 && x->dim[1] == y->dim[1] * y->dim[2] && x->dim[2] == y->dim[3] &&
                x->dim[3] == y->dim[4];
    return fits ? y->dim[1] : 0;
}

static enum eng_status make_attrs(const struct search *s, struct eng_node *node, int64_t groups,
                                  int64_t first, int64_t count, struct eng_error *err)
{
    struct eng_channel_shuffle_attrs *attrs =
        eng_arena_alloc(&s->w->graph->arena, 1, sizeof *attrs);
    if (!attrs) return eng_fail_memory(err, "a graph pass");
    *attrs = (struct eng_channel_shuffle_attrs){.groups = groups, .first = first, .count = count};
    node->op = &eng_op_channel_shuffle;
    node->opset = ENG_OPSET_MAX;
    node->attrs = attrs;
    return ENG_OK;
}

/* Two halves that are joined for this node alone are its inputs. */
static void read_halves(struct search *s, struct eng_node *node, int64_t groups)
{
    int i = maker(s, node->in[0], "Concat");
    if (i < 0 || groups != 2) return;
    const struct eng_node *join = &s->w->graph->nodes[i];
    const struct eng_shape *y = shape_of(s, node->in[0]);
    struct eng_shape half = *y;
    half.dim[1] /= 2;
    bool halves = join->n_in == 2 && eng_shape_equal(shape_of(s, join->in[0]), &half) &&
                  eng_shape_equal(shape_of(s, join->in[1]), &half);
    if (!halves) return;
    node->in = join->in;
    node->n_in = 2;
    s->links.removed[i] = true;
}

/* Whether the node is a Slice of channels of v; *first of them. */
static bool slices_channels(const struct search *s, const struct eng_node *node, int v,
                            int64_t *first)
{
    int64_t axis, step = 1, end;
    if (!eng_pattern_is(node, "Slice") || node->in[0] != v || node->n_in < 4) return false;
    const struct eng_shape *x = shape_of(s, v), *y = shape_of(s, node->out[0]);
    bool fits = eng_pattern_integer(s->w, node->in[1], first) &&
                eng_pattern_integer(s->w, node->in[2], &end) &&
                eng_pattern_integer(s->w, node->in[3], &axis) && (axis == 1 || axis == -3) &&
                (node->n_in < 5 || node->in[4] == ENG_NO_VALUE ||
                 (eng_pattern_integer(s->w, node->in[4], &step) && step == 1));
    if (!fits) return false;
    if (*first < 0) *first += x->dim[1];
    return y->rank == 4 && y->dim[1] > 0 && *first >= 0 && *first + y->dim[1] <= x->dim[1];
}

/* The slices of a shuffled picture, in place of it, if nothing else reads it. */
static enum eng_status cut(struct search *s, size_t i, struct eng_error *err)
{
    struct eng_node *nodes = s->w->graph->nodes, *shuffle = &nodes[i];
    const struct eng_channel_shuffle_attrs *attrs = shuffle->attrs;
    int v = shuffle->out[0], n = 0;
    int64_t first;
    for (size_t k = i + 1; k < s->w->graph->n_nodes; k++)
        n += slices_channels(s, &nodes[k], v, &first);
    if (n == 0 || n != s->links.uses[v]) return ENG_OK;
    for (size_t k = i + 1; k < s->w->graph->n_nodes; k++) {
        if (!slices_channels(s, &nodes[k], v, &first)) continue;
        int64_t count = shape_of(s, nodes[k].out[0])->dim[1];
        enum eng_status status = make_attrs(s, &nodes[k], attrs->groups, first, count, err);
        if (status != ENG_OK) return status;
        nodes[k].in = shuffle->in;
        nodes[k].n_in = shuffle->n_in;
    }
    s->links.removed[i] = true;
    return ENG_OK;
}

static enum eng_status match(struct search *s, size_t i, struct eng_error *err)
{
    struct eng_node *nodes = s->w->graph->nodes, *node = &nodes[i];
    if (!eng_pattern_is(node, "Reshape") || s->w->shapes[node->out[0]].dtype != ENG_FLOAT32)
        return ENG_OK;
    int transpose = maker(s, node->in[0], "Transpose");
    if (transpose < 0 || !swaps_groups(&nodes[transpose])) return ENG_OK;
    int parted = nodes[transpose].in[0], reshape = maker(s, parted, "Reshape");
    if (reshape < 0) return ENG_OK;
    int x = nodes[reshape].in[0];
    int64_t groups = groups_of(shape_of(s, x), shape_of(s, parted));
    if (groups == 0 || !eng_shape_equal(shape_of(s, x), shape_of(s, node->out[0]))) return ENG_OK;
    enum eng_status status = make_attrs(s, node, groups, 0, shape_of(s, x)->dim[1], err);
    if (status != ENG_OK) return status;
    node->in[0] = x;
    node->n_in = 1;
    s->links.removed[transpose] = s->links.removed[reshape] = true;
    read_halves(s, node, groups);
    return cut(s, i, err);
}

enum eng_status eng_shuffle(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct search s = {.w = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &s.links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < rewrite->graph->n_nodes; i++)
        status = match(&s, i, err);
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &s.links);
    eng_links_fini(&s.links);
    return status;
}
