#include "graph/layer_norm.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/pattern.h"
#include "ops/attrs.h"

enum { MAX_NODES = 10 };

struct search {
    struct eng_rewrite *rewrite;
    struct eng_links links;
};

struct found {
    int x, axis, scale, bias;
    double epsilon;
    int nodes[MAX_NODES], n; /* the last one is to become the new node */
};

static const struct eng_shape *shape_of(const struct search *s, int v)
{
    return &s->rewrite->shapes[v].shape;
}

/* The node that makes v, if that is read so often and the node applies that activation. */
static const struct eng_node *maker(const struct search *s, struct found *f, int v, int n_uses,
                                    enum eng_activation_kind fused)
{
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    if (i < 0 || s->links.uses[v] != n_uses || f->n == MAX_NODES) return NULL;
    const struct eng_node *node = &s->rewrite->graph->nodes[i];
    f->nodes[f->n++] = i;
    return node->activation.kind == fused ? node : NULL;
}

/* The numbers of a constant list, or of the attribute that came before it. */
static size_t axes_of(const struct search *s, const struct eng_node *node, int64_t *axes)
{
    struct eng_attr attrs[8];
    size_t n = node->op->n_attrs <= 8 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, "axes") == 0 && attrs[i].n <= ENG_MAX_RANK) {
            memcpy(axes, attrs[i].ints, attrs[i].n * sizeof *axes);
            return attrs[i].n;
        }
    if (node->n_in < 2 || node->in[1] == ENG_NO_VALUE) return 0;
    const struct eng_value *list = &s->rewrite->graph->values[node->in[1]];
    int64_t count = eng_shape_count(&list->tensor.shape);
    if (list->kind != ENG_VALUE_CONSTANT || list->tensor.dtype != ENG_INT64 || count > ENG_MAX_RANK)
        return 0;
    memcpy(axes, list->tensor.data, (size_t)count * sizeof *axes);
    return (size_t)count;
}

/* Whether the node takes the mean over the last axes, which stay as 1; the first of them. */
static bool is_mean(const struct search *s, const struct eng_node *node, int *first)
{
    int64_t axes[ENG_MAX_RANK];
    if (!node || !eng_pattern_is(node, "ReduceMean") || eng_pattern_int(node, "keepdims", 1) != 1)
        return false;
    size_t n = axes_of(s, node, axes);
    int rank = shape_of(s, node->in[0])->rank;
    unsigned marked = 0;
    for (size_t i = 0; i < n; i++)
        marked |= 1u << (axes[i] < 0 ? axes[i] + rank : axes[i]);
    *first = rank - (int)n;
    return n > 0 && marked == ((1u << rank) - 1) - ((1u << *first) - 1);
}

static bool is_square(const struct search *s, const struct eng_node *node, int d)
{
    double power;
    if (!node || node->in[0] != d) return false;
    if (eng_pattern_is(node, "Mul")) return node->in[1] == d;
    return eng_pattern_is(node, "Pow") && eng_pattern_number(s->rewrite, node->in[1], d, &power) &&
           power == 2;
}

/* d: x less its mean. */
static bool find_distance(const struct search *s, struct found *f, int d, int n_uses)
{
    int axis;
    const struct eng_node *node = maker(s, f, d, n_uses, ENG_ACT_NONE);
    if (!node || !eng_pattern_is(node, "Sub")) return false;
    f->x = node->in[0];
    const struct eng_node *mean = maker(s, f, node->in[1], 1, ENG_ACT_NONE);
    return is_mean(s, mean, &axis) && axis == f->axis && mean->in[0] == f->x &&
           s->rewrite->shapes[f->x].dtype == ENG_FLOAT32;
}

/* The square root of the mean square of d, and something added. */
static bool find_deviation(const struct search *s, struct found *f, int v, int d)
{
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    bool alone = i >= 0 && eng_pattern_is(&s->rewrite->graph->nodes[i], "Sqrt");
    const struct eng_node *node = maker(s, f, v, 1, alone ? ENG_ACT_NONE : ENG_ACT_SQRT);
    if (node && alone) node = maker(s, f, node->in[0], 1, ENG_ACT_NONE);
    if (!node || !eng_pattern_is(node, "Add")) return false;
    int k = eng_pattern_number(s->rewrite, node->in[1], node->in[0], &f->epsilon) ? 0 : 1;
    if (k == 1 && !eng_pattern_number(s->rewrite, node->in[0], node->in[1], &f->epsilon))
        return false;
    const struct eng_node *mean = maker(s, f, node->in[k], 1, ENG_ACT_NONE);
    if (!is_mean(s, mean, &f->axis)) return false;
    return is_square(s, maker(s, f, mean->in[0], 1, ENG_ACT_NONE), d);
}

/* A constant that holds numbers for the last axes, or fewer that broadcast to them. */
static bool fits_row(const struct search *s, const struct found *f, int v)
{
    const struct eng_value *value = v == ENG_NO_VALUE ? NULL : &s->rewrite->graph->values[v];
    const struct eng_shape *x = shape_of(s, f->x);
    if (!value || value->kind != ENG_VALUE_CONSTANT || value->tensor.dtype != ENG_FLOAT32 ||
        value->follows != ENG_FOLLOWS_NOT || value->tensor.shape.rank > x->rank - f->axis)
        return false;
    for (int d = 1; d <= value->tensor.shape.rank; d++) {
        int64_t own = value->tensor.shape.dim[value->tensor.shape.rank - d];
        if (own != 1 && own != x->dim[x->rank - d]) return false;
    }
    return true;
}

/* The one reader of the last node, if it is that operator with a fitting constant. */
static bool take_row(const struct search *s, struct found *f, const char *op, int *row)
{
    const struct eng_graph *graph = s->rewrite->graph;
    const struct eng_node *last = &graph->nodes[f->nodes[f->n - 1]];
    int y = last->out[0], next = s->links.reader[y];
    if (s->links.uses[y] != 1 || next < 0 || f->n == MAX_NODES ||
        last->activation.kind != ENG_ACT_NONE)
        return false;
    const struct eng_node *node = &graph->nodes[next];
    if (!eng_pattern_is(node, op)) return false;
    int other = node->in[node->in[0] == y];
    if (!fits_row(s, f, other)) return false;
    *row = other;
    f->nodes[f->n++] = next;
    return true;
}

static bool find(const struct search *s, size_t i, struct found *f)
{
    const struct eng_node *node = &s->rewrite->graph->nodes[i];
    *f = (struct found){.scale = ENG_NO_VALUE, .bias = ENG_NO_VALUE};
    if (!eng_pattern_is(node, "Div") || node->in[0] == ENG_NO_VALUE) return false;
    int d = node->in[0];
    if (!find_deviation(s, f, node->in[1], d)) return false;
    bool twice = eng_pattern_is(&s->rewrite->graph->nodes[f->nodes[f->n - 1]], "Mul");
    if (!find_distance(s, f, d, twice ? 3 : 2)) return false;
    f->nodes[f->n++] = (int)i;
    if (take_row(s, f, "Mul", &f->scale)) take_row(s, f, "Add", &f->bias);
    return f->epsilon >= 0 &&
           s->rewrite->graph->nodes[f->nodes[f->n - 1]].activation.kind == ENG_ACT_NONE;
}

static enum eng_status put_node(struct search *s, struct found *f, struct eng_error *err)
{
    static const float one = 1;
    struct eng_graph *graph = s->rewrite->graph;
    struct eng_tensor ones = {
        .dtype = ENG_FLOAT32, .shape = {.rank = 1, .dim = {1}}, .data = (void *)(uintptr_t)&one};
    struct eng_attr attrs[2] = {
        {.name = "axis", .type = ENG_ATTR_INT, .i = f->axis},
        {.name = "epsilon", .type = ENG_ATTR_FLOAT, .f = (float)f->epsilon}};
    enum eng_status status = ENG_OK;
    if (f->scale == ENG_NO_VALUE)
        status = eng_rewrite_add_constant(s->rewrite, f->x, "one", &ones, &f->scale, err);
    if (status != ENG_OK) return status;
    for (int i = 0; i + 1 < f->n; i++)
        s->links.removed[f->nodes[i]] = true;
    int in[3] = {f->x, f->scale, f->bias};
    return eng_rewrite_node(s->rewrite, &graph->nodes[f->nodes[f->n - 1]], "LayerNormalization", 17,
                            attrs, 2, in, f->bias == ENG_NO_VALUE ? 2 : 3, err);
}

enum eng_status eng_find_layer_norm(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct search s = {.rewrite = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &s.links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < rewrite->graph->n_nodes; i++) {
        struct found f;
        if (find(&s, i, &f)) status = put_node(&s, &f, err);
    }
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &s.links);
    eng_links_fini(&s.links);
    return status;
}
