#include "graph/gelu.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/passes.h"
#include "graph/pattern.h"
#include "ops/attrs.h"

#include <math.h>

/* The nodes of the longest form known are 11. */
enum { DEGREE = 3, MAX_NODES = 16, MAX_DEPTH = 6 };

struct polynomial {
    double c[DEGREE + 1]; /* c[k] x^k */
};

struct search {
    struct eng_rewrite *rewrite;
    struct eng_links links;
    int x;
    int sum; /* 1 + erf(..) */
    size_t nodes[MAX_NODES], n_nodes;
};

static bool note_node(struct search *s, size_t i)
{
    for (size_t k = 0; k < s->n_nodes; k++)
        if (s->nodes[k] == i) return true;
    if (s->n_nodes == MAX_NODES) return false;
    s->nodes[s->n_nodes++] = i;
    return true;
}

static bool multiply(const struct polynomial *a, const struct polynomial *b, struct polynomial *out)
{
    struct polynomial product = {0};
    for (int i = 0; i <= DEGREE; i++)
        for (int j = 0; j <= DEGREE; j++) {
            double term = a->c[i] * b->c[j];
            if (term == 0) continue;
            if (i + j > DEGREE) return false;
            product.c[i + j] += term;
        }
    *out = product;
    return true;
}

static bool is_number(const struct polynomial *p)
{
    return p->c[1] == 0 && p->c[2] == 0 && p->c[3] == 0;
}

static bool combine(const char *op, const struct polynomial *a, const struct polynomial *b,
                    struct polynomial *out)
{
    bool adds = strcmp(op, "Add") == 0, subtracts = strcmp(op, "Sub") == 0;
    if (adds || subtracts) {
        for (int i = 0; i <= DEGREE; i++)
            out->c[i] = a->c[i] + (adds ? b->c[i] : -b->c[i]);
        return true;
    }
    if (strcmp(op, "Mul") == 0) return multiply(a, b, out);
    if (!is_number(b) || b->c[0] == 0) return false;
    if (strcmp(op, "Div") == 0) return multiply(a, &(struct polynomial){{1 / b->c[0]}}, out);
    double power = b->c[0];
    if (strcmp(op, "Pow") != 0 || (power != 2 && power != 3)) return false;
    return multiply(a, a, out) && (power == 2 || multiply(a, out, out));
}

/* What v is as a polynomial in s->x; the nodes on the way are noted. fused: that the last of them
 * applies it to its value does not count. */
static bool polynomial_of(struct search *s, int v, enum eng_activation_kind fused, int depth,
                          struct polynomial *out)
{
    double number;
    if (v == s->x) {
        *out = (struct polynomial){{0, 1}};
        return true;
    }
    if (eng_pattern_number(s->rewrite, v, s->x, &number)) {
        *out = (struct polynomial){{number}};
        return true;
    }
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    if (i < 0 || depth == 0) return false;
    const struct eng_node *node = &s->rewrite->graph->nodes[i];
    struct polynomial a, b;
    return node->n_in == 2 && node->op->domain[0] == '\0' && node->activation.kind == fused &&
           polynomial_of(s, node->in[0], ENG_ACT_NONE, depth - 1, &a) &&
           polynomial_of(s, node->in[1], ENG_ACT_NONE, depth - 1, &b) &&
           combine(node->op->name, &a, &b, out) && note_node(s, (size_t)i);
}

/* A product of polynomials and, once, of s->sum. */
static bool product_of(struct search *s, int v, int depth, struct polynomial *out, int *n_sums)
{
    if (v == s->sum) {
        *out = (struct polynomial){{1}};
        ++*n_sums;
        return true;
    }
    size_t had = s->n_nodes;
    if (polynomial_of(s, v, ENG_ACT_NONE, depth, out)) return true;
    s->n_nodes = had;
    int i = v == ENG_NO_VALUE ? -1 : s->links.producer[v];
    if (i < 0 || depth == 0) return false;
    const struct eng_node *node = &s->rewrite->graph->nodes[i];
    struct polynomial a, b;
    return eng_pattern_is(node, "Mul") && node->activation.kind == ENG_ACT_NONE &&
           product_of(s, node->in[0], depth - 1, &a, n_sums) &&
           product_of(s, node->in[1], depth - 1, &b, n_sums) && multiply(&a, &b, out) &&
           note_node(s, (size_t)i);
}

static bool is_close(const struct polynomial *p, double linear, double cubic)
{
    return p->c[0] == 0 && p->c[2] == 0 && fabs(p->c[1] - linear) <= 1e-6 * linear &&
           fabs(p->c[3] - cubic) <= 1e-5 * cubic;
}

static bool is_argument(const struct polynomial *p, enum eng_activation_kind kind)
{
    double slope = M_2_SQRTPI * M_SQRT1_2;
    return kind == ENG_ACT_ERF ? is_close(p, M_SQRT1_2, 0) : is_close(p, slope, 0.044715 * slope);
}

/* Whether all that is read of the noted nodes but the last is read by them. */
static bool is_closed(const struct search *s)
{
    const struct eng_graph *graph = s->rewrite->graph;
    for (size_t a = 0; a + 1 < s->n_nodes; a++) {
        int v = graph->nodes[s->nodes[a]].out[0], reads = 0;
        for (size_t b = 0; b < s->n_nodes; b++) {
            const struct eng_node *reader = &graph->nodes[s->nodes[b]];
            for (size_t k = 0; k < reader->n_in; k++)
                reads += reader->in[k] == v;
        }
        if (reads != s->links.uses[v]) return false;
    }
    return true;
}

static enum eng_status put_gelu(struct search *s, bool by_tanh, struct eng_error *err)
{
    struct eng_node *root = &s->rewrite->graph->nodes[s->nodes[s->n_nodes - 1]];
    struct eng_attr attr = {.name = "approximate", .type = ENG_ATTR_STRING, .s = "tanh"};
    for (size_t k = 0; k + 1 < s->n_nodes; k++)
        s->links.removed[s->nodes[k]] = true;
    return eng_rewrite_node(s->rewrite, root, "Gelu", 20, &attr, by_tanh, &s->x, 1, err);
}

/* From 1 + erf(..) on: the product that makes it a Gelu, if there is one. */
static bool find_root(struct search *s)
{
    size_t had = s->n_nodes;
    int v = s->sum;
    for (int up = 0; up < 3 && s->links.uses[v] == 1 && s->links.reader[v] >= 0; up++) {
        struct polynomial p;
        int n_sums = 0;
        v = s->rewrite->graph->nodes[s->links.reader[v]].out[0];
        s->n_nodes = had;
        if (product_of(s, v, MAX_DEPTH, &p, &n_sums) && n_sums == 1 && is_close(&p, 0.5, 0))
            return is_closed(s);
    }
    return false;
}

/* Node i makes erf or tanh of an argument, applied to the value of the last node before it or a
 * node of its own: is it that of a Gelu of s->x? */
static bool matches(struct search *s, size_t i, enum eng_activation_kind kind)
{
    const struct eng_graph *graph = s->rewrite->graph;
    const struct eng_node *node = &graph->nodes[i];
    bool alone = node->activation.kind == ENG_ACT_NONE;
    struct polynomial p;
    s->n_nodes = 0;
    if (!polynomial_of(s, alone ? node->in[0] : node->out[0], alone ? ENG_ACT_NONE : kind,
                       MAX_DEPTH, &p) ||
        !is_argument(&p, kind) || !note_node(s, i) || s->links.uses[node->out[0]] != 1)
        return false;
    int next = s->links.reader[node->out[0]];
    const struct eng_node *sum = next < 0 ? node : &graph->nodes[next];
    double one;
    if (!eng_pattern_is(sum, "Add") || sum->activation.kind != ENG_ACT_NONE ||
        !eng_pattern_number(s->rewrite, sum->in[sum->in[0] == node->out[0]], s->x, &one) ||
        one != 1)
        return false;
    s->sum = sum->out[0];
    return note_node(s, (size_t)next) && find_root(s);
}

static enum eng_activation_kind kind_of(const struct eng_node *node)
{
    if (eng_pattern_is(node, "Erf") && node->activation.kind == ENG_ACT_NONE) return ENG_ACT_ERF;
    if (eng_pattern_is(node, "Tanh") && node->activation.kind == ENG_ACT_NONE) return ENG_ACT_TANH;
    return node->activation.kind;
}

/* Tries every value that the argument comes from as x. */
static enum eng_status search_from(struct search *s, size_t i, int v, int depth, bool *found,
                                   struct eng_error *err)
{
    enum eng_activation_kind kind = kind_of(&s->rewrite->graph->nodes[i]);
    if (v == ENG_NO_VALUE || s->rewrite->shapes[v].dtype != ENG_FLOAT32 ||
        s->rewrite->graph->values[v].kind == ENG_VALUE_CONSTANT)
        return ENG_OK;
    s->x = v;
    if (matches(s, i, kind)) {
        *found = true;
        return put_gelu(s, kind == ENG_ACT_TANH, err);
    }
    int before = s->links.producer[v];
    if (before < 0 || depth == 0) return ENG_OK;
    const struct eng_node *node = &s->rewrite->graph->nodes[before];
    enum eng_status status = ENG_OK;
    for (size_t k = 0; k < node->n_in && k < 2 && status == ENG_OK && !*found; k++)
        status = search_from(s, i, node->in[k], depth - 1, found, err);
    return status;
}

static enum eng_status search_all(struct search *s, struct eng_error *err)
{
    const struct eng_graph *graph = s->rewrite->graph;
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        enum eng_activation_kind kind = kind_of(node);
        bool found = false;
        if (s->links.removed[i] || (kind != ENG_ACT_ERF && kind != ENG_ACT_TANH)) continue;
        for (size_t k = 0; k < node->n_in && k < 2 && status == ENG_OK && !found; k++)
            status = search_from(s, i, node->in[k], 3, &found, err);
    }
    return status;
}

enum eng_status eng_find_gelu(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct search s = {.rewrite = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &s.links, err);
    if (status != ENG_OK) return status;
    status = search_all(&s, err);
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &s.links);
    eng_links_fini(&s.links);
    return status == ENG_OK ? eng_passes_fuse_activations(rewrite->graph, err) : status;
}
