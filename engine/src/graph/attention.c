#include "graph/attention.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/passes.h"
#include "graph/pattern.h"
#include "graph/shape.h"
#include "graph/trail.h"
#include "ops/attention.h"

enum { MAX_BETWEEN = 8 };

struct search {
    struct eng_rewrite *rewrite;
    struct eng_links links;
    struct eng_tensor *sample; /* [n_values] for a batch of some samples; made for the first find */
    struct eng_arena arena;
};

/* What was found, from the back to the front. */
struct found {
    int softmax, values; /* nodes */
    int q, k, v;         /* the values that the products read; k transposed */
    int masks[ENG_ATTENTION_MASKS], n_masks;
    struct eng_attention_levels levels[ENG_ATTENTION_MASKS];
    double scale;
    int between[MAX_BETWEEN], n_between; /* nodes that make the scores */
};

static const struct eng_node *producer_of(const struct search *s, int v)
{
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    return i < 0 ? NULL : &s->rewrite->graph->nodes[i];
}

static const struct eng_shape *shape_of(const struct search *s, int v)
{
    return &s->rewrite->shapes[v].shape;
}

/* --- the pattern --- */

/* Along the last axis. */
static bool is_softmax(const struct search *s, const struct eng_node *node)
{
    enum { OPSET_ONE_AXIS = 13 };
    if (!eng_pattern_is(node, "Softmax") || s->rewrite->shapes[node->in[0]].dtype != ENG_FLOAT32)
        return false;
    int rank = shape_of(s, node->in[0])->rank;
    int64_t axis = eng_pattern_int(node, "axis", node->opset >= OPSET_ONE_AXIS ? -1 : 1);
    return rank >= 2 && (axis == -1 || axis == rank - 1);
}

/* A plain product of a rank that leaves nothing to broadcast. */
static bool is_product(const struct search *s, const struct eng_node *node)
{
    if (!node || !eng_pattern_is(node, "MatMul") || node->activation.kind != ENG_ACT_NONE)
        return false;
    const struct eng_shape *a = shape_of(s, node->in[0]), *b = shape_of(s, node->in[1]);
    bool same = a->rank == b->rank && a->rank >= 2;
    for (int d = 0; same && d < a->rank - 2; d++)
        same = a->dim[d] == b->dim[d];
    return same;
}

static bool note_between(struct found *f, const struct search *s, int v)
{
    if (f->n_between == MAX_BETWEEN) return false;
    f->between[f->n_between++] = s->links.producer[v];
    return true;
}

/* A mask that broadcasts to the scores, as long as they are. */
static bool note_mask(struct found *f, const struct search *s, int scores, int mask)
{
    const struct eng_shape *to = shape_of(s, scores), *from = shape_of(s, mask);
    struct eng_attention_levels levels = {.rank = to->rank - 2};
    int n_open = 0;
    if (f->n_masks == ENG_ATTENTION_MASKS || f->scale != 1 || from->rank > to->rank ||
        from->rank < 1 || from->dim[from->rank - 1] != to->dim[to->rank - 1])
        return false;
    for (int d = 1; d < from->rank; d++) {
        int64_t own = from->dim[from->rank - 1 - d];
        if (own != 1 && own != to->dim[to->rank - 1 - d]) return false;
    }
    for (int d = 0; d < levels.rank; d++) {
        levels.dim[d] = to->dim[d];
        n_open += to->dim[d] < 0;
    }
    f->levels[f->n_masks] = levels;
    f->masks[f->n_masks++] = mask;
    return n_open <= 1;
}

/* Whether a Reshape leaves the last two dimensions as they are. */
static bool keeps_rows(const struct search *s, const struct eng_node *node)
{
    const struct eng_shape *x = shape_of(s, node->in[0]), *y = shape_of(s, node->out[0]);
    return eng_pattern_is(node, "Reshape") && x->rank >= 2 && y->rank >= 2 &&
           x->dim[x->rank - 1] == y->dim[y->rank - 1] && x->dim[x->rank - 2] > 0 &&
           x->dim[x->rank - 2] == y->dim[y->rank - 2];
}

/* From the scores back to the product of queries and keys. */
static bool find_scores(const struct search *s, int v, struct found *f)
{
    const struct eng_node *node = producer_of(s, v);
    double number;
    if (!node || s->links.uses[v] != 1 || node->activation.kind != ENG_ACT_NONE ||
        !note_between(f, s, v))
        return false;
    if (is_product(s, node)) {
        f->q = node->in[0];
        f->k = node->in[1];
        return true;
    }
    if (keeps_rows(s, node)) return find_scores(s, node->in[0], f);
    bool divides = eng_pattern_is(node, "Div");
    if (divides || eng_pattern_is(node, "Mul")) {
        for (int k = 0; k < (divides ? 1 : 2); k++) {
            if (!eng_pattern_number(s->rewrite, node->in[1 - k], node->in[k], &number)) continue;
            if (number == 0) return false;
            f->scale *= divides ? 1 / number : number;
            return find_scores(s, node->in[k], f);
        }
        return false;
    }
    if (!eng_pattern_is(node, "Add")) return false;
    for (int k = 0; k < 2; k++) {
        struct found before = *f;
        if (note_mask(f, s, v, node->in[1 - k]) && find_scores(s, node->in[k], f)) return true;
        *f = before;
    }
    return false;
}

static bool find_around(const struct search *s, size_t i, struct found *f)
{
    const struct eng_graph *graph = s->rewrite->graph;
    const struct eng_node *node = &graph->nodes[i];
    if (!is_softmax(s, node) || s->links.uses[node->out[0]] != 1) return false;
    int64_t n_keys = shape_of(s, node->in[0])->dim[shape_of(s, node->in[0])->rank - 1];
    int next = s->links.reader[node->out[0]];
    if (next < 0 || n_keys < 1 || n_keys > ENG_ATTENTION_MOST_KEYS) return false;
    const struct eng_node *values = &graph->nodes[next];
    if (!is_product(s, values) || values->in[0] != node->out[0] || values->in[1] == node->out[0])
        return false;
    *f = (struct found){.softmax = (int)i, .values = next, .v = values->in[1], .scale = 1};
    return find_scores(s, node->in[0], f) && shape_of(s, f->q)->rank == shape_of(s, f->v)->rank;
}

/* --- where queries, keys, values and the answer lie --- */

static enum eng_status need_sample(struct search *s, struct eng_error *err)
{
    const struct eng_graph *graph = s->rewrite->graph;
    if (s->sample) return ENG_OK;
    struct eng_node_plan *nodes = eng_arena_alloc(&s->arena, graph->n_nodes + 1, sizeof *nodes);
    s->sample = eng_arena_alloc(&s->arena, graph->n_values + 1, sizeof *s->sample);
    if (!nodes || !s->sample) return eng_fail_memory(err, "a graph pass");
    return eng_shape_infer(graph, s->rewrite->one_sample ? 1 : 2, s->rewrite->override_batch, false,
                           &s->arena, s->sample, nodes, err);
}

/* The longest way back whose view has rows. turned: the last two dimensions change places. scale:
 * takes the factors on the way; NULL: there may be none. */
static bool choose_source(const struct search *s, int v, bool turned, struct eng_view_chain *chain,
                          int *source, double *scale)
{
    struct eng_trail trail;
    eng_trail_back(s->rewrite, &s->links, v, scale != NULL, &trail);
    for (int n = trail.n; n >= 0; n--) {
        struct eng_attention_place place;
        struct eng_view view;
        if (trail.values[n] == ENG_NO_VALUE || n + turned > ENG_VIEW_STEPS) continue;
        *chain = eng_trail_chain_back(&trail, n);
        if (turned) {
            struct eng_view_step turn = {.kind = ENG_VIEW_TRANSPOSE, .rank = shape_of(s, v)->rank};
            for (int d = 0; d < turn.rank; d++)
                turn.v[d] = d < turn.rank - 2 ? d : 2 * turn.rank - 3 - d;
            chain->steps[chain->n++] = turn;
        }
        if (!eng_view_whole(&s->sample[trail.values[n]].shape, &view) ||
            !eng_view_follow(chain, &view) || !eng_attention_place(&view, &place))
            continue;
        *source = trail.values[n];
        if (scale) *scale *= trail.factors[n];
        return true;
    }
    return false;
}

/* The farthest value that can be written instead of v. */
static bool choose_answer(const struct search *s, int v, struct eng_view_chain *chain,
                          struct eng_trail *trail)
{
    eng_trail_on(s->rewrite, &s->links, v, trail);
    for (; trail->n >= 0; trail->n--) {
        struct eng_attention_place place;
        struct eng_view view;
        *chain = eng_trail_chain_on(trail, trail->n);
        if (eng_view_backwards(chain, &s->sample[v].shape, &view) &&
            eng_attention_place(&view, &place))
            return true;
    }
    return false;
}

/* --- the new node --- */

static enum eng_status put_node(struct search *s, const struct found *f,
                                const struct eng_attention_attrs *attrs, const int *in, size_t at,
                                struct eng_error *err)
{
    struct eng_graph *graph = s->rewrite->graph;
    struct eng_node *node = &graph->nodes[at];
    int *own = eng_arena_copy(&graph->arena, in, (size_t)(3 + f->n_masks) * sizeof *in);
    const void *own_attrs = eng_arena_copy(&graph->arena, attrs, sizeof *attrs);
    if (!own || !own_attrs) return eng_fail_memory(err, "a graph pass");
    node->name = graph->nodes[f->softmax].name;
    node->op = &eng_op_attention;
    node->attrs = own_attrs;
    node->n_in = (size_t)(3 + f->n_masks);
    node->in = own;
    return ENG_OK;
}

static void remove_nodes(struct search *s, const struct found *f, const struct eng_trail *answer)
{
    for (int i = 0; i < f->n_between; i++)
        s->links.removed[f->between[i]] = true;
    s->links.removed[f->softmax] = true;
    for (int i = 0; i < answer->n; i++)
        s->links.removed[s->links.producer[answer->values[i]]] = true;
}

static enum eng_status replace(struct search *s, struct found *f, struct eng_error *err)
{
    struct eng_attention_attrs attrs = {.scale = f->scale};
    struct eng_trail answer;
    int in[3 + ENG_ATTENTION_MASKS];
    enum eng_status status = need_sample(s, err);
    if (status != ENG_OK) return status;
    if (!choose_source(s, f->q, false, &attrs.q, &in[0], &attrs.scale) ||
        !choose_source(s, f->k, true, &attrs.k, &in[1], &attrs.scale) ||
        !choose_source(s, f->v, false, &attrs.v, &in[2], NULL) ||
        !choose_answer(s, s->rewrite->graph->nodes[f->values].out[0], &attrs.y, &answer))
        return ENG_OK;
    for (int m = 0; m < f->n_masks; m++) {
        in[3 + m] = f->masks[m];
        attrs.levels[m] = f->levels[m];
    }
    int last = s->links.producer[answer.values[answer.n]];
    remove_nodes(s, f, &answer);
    return put_node(s, f, &attrs, in, (size_t)last, err);
}

enum eng_status eng_find_attention(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct search s = {.rewrite = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &s.links, err);
    if (status != ENG_OK) return status;
    eng_arena_init(&s.arena);
    for (size_t i = 0; status == ENG_OK && i < rewrite->graph->n_nodes; i++) {
        struct found f;
        if (!s.links.removed[i] && find_around(&s, i, &f)) status = replace(&s, &f, err);
    }
    bool any = s.sample != NULL;
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &s.links);
    eng_arena_fini(&s.arena);
    eng_links_fini(&s.links);
    return status == ENG_OK && any ? eng_passes_drop_dead_nodes(rewrite->graph, err) : status;
}
