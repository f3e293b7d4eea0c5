#include "graph/swish.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/passes.h"
#include "graph/pattern.h"
#include "ops/swish.h"

#include <math.h>

/* At most three nodes go: those between x and the last one. */
enum { MAX_BETWEEN = 3 };

struct match {
    struct eng_rewrite *w;
    struct eng_links links;
    int between[MAX_BETWEEN]; /* nodes */
    size_t n_between;
};

static bool same_floats(const struct match *m, int a, int b)
{
    const struct eng_tensor *x = &m->w->shapes[a], *y = &m->w->shapes[b];
    return x->dtype == ENG_FLOAT32 && eng_shape_equal(&x->shape, &y->shape);
}

/* The node of that name which makes v for one reader; NULL if there is none. */
static const struct eng_node *maker(struct match *m, int v, const char *name)
{
    int i = v == ENG_NO_VALUE ? -1 : m->links.producer[v];
    if (i < 0 || m->links.uses[v] != 1 || m->links.removed[i]) return NULL;
    const struct eng_node *node = &m->w->graph->nodes[i];
    if (!eng_pattern_is(node, name) || m->n_between == MAX_BETWEEN) return NULL;
    m->between[m->n_between++] = i;
    return node;
}

/* Whether v is a constant with one number near that. */
static bool is_number(const struct match *m, int v, float wanted)
{
    if (v == ENG_NO_VALUE || m->w->graph->values[v].kind != ENG_VALUE_CONSTANT) return false;
    const struct eng_tensor *t = &m->w->graph->values[v].tensor;
    return t->dtype == ENG_FLOAT32 && eng_shape_count(&t->shape) == 1 && t->data &&
           fabsf(*(const float *)t->data - wanted) <= 1e-6f;
}

/* Whether v is Clip(x + 3, 0, 6). */
static bool is_ramp(struct match *m, int v, int x)
{
    const struct eng_node *add = maker(m, v, "Add");
    if (!add) return false;
    const struct eng_activation *act = &add->activation;
    bool clips = act->kind == ENG_ACT_CLIP && act->a == 0 && act->b == 6;
    return clips && ((add->in[0] == x && is_number(m, add->in[1], 3)) ||
                     (add->in[1] == x && is_number(m, add->in[0], 3)));
}

/* What the node divides by 6; ENG_NO_VALUE if it does not. */
static int sixth_of(const struct match *m, const struct eng_node *node)
{
    if (node->activation.kind != ENG_ACT_NONE) return ENG_NO_VALUE;
    if (eng_pattern_is(node, "Div"))
        return is_number(m, node->in[1], 6) ? node->in[0] : ENG_NO_VALUE;
    if (!eng_pattern_is(node, "Mul")) return ENG_NO_VALUE;
    if (is_number(m, node->in[1], 1.0f / 6)) return node->in[0];
    return is_number(m, node->in[0], 1.0f / 6) ? node->in[1] : ENG_NO_VALUE;
}

/* Whether v is Clip(x + 3, 0, 6) / 6. */
static bool is_gate(struct match *m, int v, int x)
{
    const struct eng_node *node = maker(m, v, "Div");
    if (!node) node = maker(m, v, "Mul");
    int ramp = node ? sixth_of(m, node) : ENG_NO_VALUE;
    return ramp != ENG_NO_VALUE && is_ramp(m, ramp, x);
}

static bool is_hard_sigmoid(struct match *m, int v, int x, bool *hard, struct eng_error *err)
{
    const struct eng_node *node = maker(m, v, "HardSigmoid");
    struct eng_node_view view;
    struct eng_activation act;
    *hard = false;
    if (!node || node->in[0] != x) return true;
    if (!eng_node_view_init(m->w->graph, node, &view)) {
        eng_fail_memory(err, "a graph pass");
        return false;
    }
    *hard = node->op->activation(&view.q, &act) && fabsf(act.a - 1.0f / 6) <= 1e-6f &&
            fabsf(act.b - 0.5f) <= 1e-6f;
    eng_node_view_fini(&view);
    return true;
}

static void forget(struct match *m)
{
    m->n_between = 0;
}

/* The activation that x * gate is; *kind is NONE if it is none. */
static enum eng_status find_product(struct match *m, int x, int gate,
                                    enum eng_activation_kind *kind, struct eng_error *err)
{
    bool hard;
    *kind = ENG_ACT_NONE;
    if (!same_floats(m, x, gate)) return ENG_OK;
    forget(m);
    const struct eng_node *sigmoid = maker(m, gate, "Sigmoid");
    if (sigmoid && sigmoid->in[0] == x) *kind = ENG_ACT_SWISH;
    if (*kind != ENG_ACT_NONE) return ENG_OK;
    forget(m);
    if (!is_hard_sigmoid(m, gate, x, &hard, err)) return ENG_NO_MEMORY;
    if (hard) *kind = ENG_ACT_HARD_SWISH;
    if (*kind != ENG_ACT_NONE) return ENG_OK;
    forget(m);
    if (is_gate(m, gate, x)) *kind = ENG_ACT_HARD_SWISH;
    return ENG_OK;
}

/* (x * Clip(x + 3, 0, 6)) / 6: *x, or ENG_NO_VALUE. */
static void find_quotient(struct match *m, const struct eng_node *node, int *x)
{
    int v = sixth_of(m, node);
    *x = ENG_NO_VALUE;
    for (int side = 0; v != ENG_NO_VALUE && side < 2; side++) {
        forget(m);
        const struct eng_node *product = maker(m, v, "Mul");
        if (!product || product->activation.kind != ENG_ACT_NONE) return;
        int from = product->in[side], ramp = product->in[1 - side];
        if (!same_floats(m, from, ramp) || !is_ramp(m, ramp, from)) continue;
        *x = from;
        return;
    }
}

/* The node becomes that activation of x. */
static enum eng_status become(struct match *m, struct eng_node *node, int x,
                              enum eng_activation_kind kind, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    node->op = &eng_op_swish;
    if (kind == ENG_ACT_HARD_SWISH)
        status = eng_op_find("", "HardSwish", ENG_OPSET_MAX, &node->op, err);
    node->opset = ENG_OPSET_MAX;
    node->in[0] = x;
    node->n_in = 1;
    void *own = eng_arena_alloc(&m->w->graph->arena, 1, node->op->attrs_bytes + 1);
    if (!own) return eng_fail_memory(err, "a graph pass");
    if (status == ENG_OK) status = eng_attrs_read(node->op, NULL, 0, own, err);
    node->attrs = own;
    for (size_t i = 0; i < m->n_between; i++)
        m->links.removed[m->between[i]] = true;
    return status;
}

static enum eng_status match_node(struct match *m, struct eng_node *node, struct eng_error *err)
{
    int x = ENG_NO_VALUE;
    enum eng_activation_kind kind = ENG_ACT_NONE;
    if ((!eng_pattern_is(node, "Mul") && !eng_pattern_is(node, "Div")) ||
        node->activation.kind != ENG_ACT_NONE)
        return ENG_OK;
    for (int side = 0; eng_pattern_is(node, "Mul") && side < 2; side++) {
        enum eng_status status = find_product(m, node->in[side], node->in[1 - side], &kind, err);
        if (status != ENG_OK) return status;
        if (kind != ENG_ACT_NONE) return become(m, node, node->in[side], kind, err);
    }
    find_quotient(m, node, &x);
    bool stays = x == ENG_NO_VALUE || !same_floats(m, x, node->out[0]);
    return stays ? ENG_OK : become(m, node, x, ENG_ACT_HARD_SWISH, err);
}

enum eng_status eng_swish(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct match m = {.w = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &m.links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < rewrite->graph->n_nodes; i++)
        status = match_node(&m, &rewrite->graph->nodes[i], err);
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &m.links);
    eng_links_fini(&m.links);
    return status == ENG_OK ? eng_passes_fuse_activations(rewrite->graph, err) : status;
}
