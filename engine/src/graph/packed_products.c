#include "graph/packed_products.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "graph/pattern.h"
#include "kernels/dispatch.h"
#include "kernels/linear.h"
#include "ops/gemm.h"
#include "ops/linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The walk over the nodes. */
struct walk {
    struct eng_rewrite *rewrite;
    struct eng_graph *graph; /* the rewrite's */
    struct eng_links links;
    int *reader; /* [values] the last node that reads it, or -1 */
};

/* A product and what lies behind it, as one node. */
struct product {
    int x, weights, added;
    struct eng_linear linear;
    struct eng_linear_weights w;
    float *scale, *bias; /* [n_columns] */
    bool has_scale, has_bias;
    size_t n_folded; /* numbers of constants that went into scale and bias */
    struct eng_activation activation;
    size_t at; /* the last of the nodes, whose place it takes */
    int out;
};

/* One with channels last may be a row; packed weights are no matrix. */
static const struct eng_tensor *constant(const struct walk *w, int v)
{
    const struct eng_value *value = v == ENG_NO_VALUE ? NULL : &w->graph->values[v];
    bool fits = value && value->kind == ENG_VALUE_CONSTANT && value->tensor.dtype == ENG_FLOAT32 &&
                value->follows == ENG_FOLLOWS_NOT;
    return fits ? &value->tensor : NULL;
}

static const struct eng_shape *shape_of(const struct walk *w, int v)
{
    return &w->rewrite->shapes[v].shape;
}

static bool have_same_shape(const struct walk *w, int a, int b)
{
    return a != ENG_NO_VALUE && b != ENG_NO_VALUE &&
           eng_shape_equal(shape_of(w, a), shape_of(w, b));
}

/* --- rows of numbers, one for each column --- */

/* A constant that adds nothing to the product's shape and is the same for all of its rows. */
static bool is_row(const struct walk *w, const struct product *p, int v)
{
    const struct eng_tensor *row = constant(w, v);
    if (!row || row->shape.rank > shape_of(w, p->out)->rank) return false;
    int64_t n = eng_shape_count(&row->shape);
    return n == 1 ||
           (n == (int64_t)p->linear.n_columns && row->shape.dim[row->shape.rank - 1] == n);
}

static float row_at(const struct eng_tensor *row, size_t j)
{
    const float *data = row->data;
    return data[eng_shape_count(&row->shape) == 1 ? 0 : j];
}

static void fold_bias(struct walk *w, struct product *p, int v, float factor)
{
    const struct eng_tensor *row = constant(w, v);
    for (size_t j = 0; j < p->linear.n_columns; j++)
        p->bias[j] += factor * row_at(row, j);
    p->has_bias = true;
    p->n_folded += (size_t)eng_shape_count(&row->shape);
    eng_rewrite_let_go(w->rewrite, w->links.uses, v);
}

/* Factors that neither overflow nor vanish with weights that do not. */
static bool are_moderate(const struct eng_tensor *row)
{
    for (int64_t j = 0; j < eng_shape_count(&row->shape); j++) {
        float size = fabsf(row_at(row, (size_t)j));
        if (!(size >= 0x1p-20f && size <= 0x1p20f)) return false;
    }
    return true;
}

static void fold_scale(struct walk *w, struct product *p, int v, bool divides)
{
    const struct eng_tensor *row = constant(w, v);
    for (size_t j = 0; j < p->linear.n_columns; j++) {
        float factor = divides ? 1 / row_at(row, j) : row_at(row, j);
        p->scale[j] *= factor;
        p->bias[j] *= factor;
    }
    p->has_scale = true;
    p->n_folded += (size_t)eng_shape_count(&row->shape);
    eng_rewrite_let_go(w->rewrite, w->links.uses, v);
}

/* --- what lies behind a product --- */

/* Takes a node that reads the product into it; false, with nothing changed, if it cannot. */
static bool absorb(struct walk *w, struct product *p, const struct eng_node *node)
{
    if (p->activation.kind != ENG_ACT_NONE || node->n_in != 2) return false;
    bool is_left = node->in[0] == p->out;
    int other = node->in[is_left];
    bool row = is_row(w, p, other);
    if (eng_pattern_is(node, "Add") && row)
        fold_bias(w, p, other, 1);
    else if (eng_pattern_is(node, "Sub") && row && is_left)
        fold_bias(w, p, other, -1);
    else if ((eng_pattern_is(node, "Mul") || (eng_pattern_is(node, "Div") && is_left)) && row &&
             p->added == ENG_NO_VALUE && are_moderate(constant(w, other)))
        fold_scale(w, p, other, eng_pattern_is(node, "Div"));
    else if (eng_pattern_is(node, "Add") && p->added == ENG_NO_VALUE &&
             have_same_shape(w, p->out, other))
        p->added = other;
    else
        return false;
    p->activation = node->activation;
    p->out = node->out[0];
    return true;
}

static void absorb_all(struct walk *w, struct product *p)
{
    while (w->links.uses[p->out] == 1 && w->reader[p->out] >= 0) {
        size_t next = (size_t)w->reader[p->out];
        if (!absorb(w, p, &w->graph->nodes[next])) return;
        w->links.removed[p->at] = true;
        p->at = next;
    }
}

/* --- the product itself --- */

/* C must be a row of constants, or as large as the product. */
static bool takes_c(const struct walk *w, const struct product *p, int c, double beta)
{
    return c == ENG_NO_VALUE || is_row(w, p, c) ||
           (beta == 1 && !constant(w, c) && have_same_shape(w, p->out, c));
}

static bool is_product(const struct walk *w, const struct eng_node *node)
{
    if (!eng_pattern_is(node, "Gemm") && !eng_pattern_is(node, "MatMul")) return false;
    const struct eng_tensor *right = constant(w, node->in[1]);
    return right && right->shape.rank == 2 && eng_shape_count(&right->shape) > 0 &&
           !constant(w, node->in[0]);
}

/* Everything but scale and bias; false for a product that stays as it is. */
static bool read_product(const struct walk *w, size_t i, struct product *p)
{
    static const struct eng_gemm_attrs plain = {.alpha = 1, .beta = 1};
    const struct eng_node *node = &w->graph->nodes[i];
    if (node->op == &eng_op_linear || !is_product(w, node)) return false;
    const struct eng_gemm_attrs *attrs = eng_pattern_is(node, "Gemm") ? node->attrs : &plain;
    const struct eng_tensor *right = constant(w, node->in[1]);
    const int64_t *dim = right->shape.dim;
    *p = (struct product){.x = node->in[0],
                          .weights = node->in[1],
                          .added = ENG_NO_VALUE,
                          .activation = node->activation,
                          .at = i,
                          .out = node->out[0]};
    p->linear.depth = (size_t)dim[attrs->transB];
    p->linear.n_columns = (size_t)dim[!attrs->transB];
    const struct eng_ways *ways = w->rewrite->ways;
    p->linear.is_bf16 =
        ways && ways->bf16 && eng_linear_bf16_can(p->linear.depth, p->linear.n_columns);
    p->linear.is_dots =
        !p->linear.is_bf16 && eng_linear_choose_dots(p->linear.depth, p->linear.n_columns);
    p->w.data = right->data;
    p->w.depth_step = attrs->transB ? 1 : p->linear.n_columns;
    p->w.column_step = attrs->transB ? p->linear.depth : 1;
    return !attrs->transA &&
           takes_c(w, p, node->n_in > 2 ? node->in[2] : ENG_NO_VALUE, attrs->beta);
}

static void read_factors(struct walk *w, struct product *p)
{
    const struct eng_node *node = &w->graph->nodes[p->at];
    const struct eng_gemm_attrs *attrs = eng_pattern_is(node, "Gemm") ? node->attrs : NULL;
    for (size_t j = 0; j < p->linear.n_columns; j++)
        p->scale[j] = attrs ? (float)attrs->alpha : 1;
    p->has_scale = attrs && attrs->alpha != 1;
    int c = node->n_in > 2 ? node->in[2] : ENG_NO_VALUE;
    if (c == ENG_NO_VALUE) return;
    if (is_row(w, p, c))
        fold_bias(w, p, c, (float)attrs->beta);
    else
        p->added = c;
}

/* --- the new node --- */

static enum eng_status add_row(struct walk *w, int like, const float *row, size_t n, int64_t filled,
                               int *out, struct eng_error *err)
{
    struct eng_shape shape = {.rank = 1, .dim = {filled}};
    float *data;
    enum eng_status status = eng_rewrite_add_floats(w->rewrite, like, &shape, out, &data, err);
    if (status == ENG_OK) memcpy(data, row, n * sizeof *row);
    return status;
}

/* Piece by piece where columns lie in memory one after the other, so that a large constant and its
 * packed form are never both there as a whole. */
static void pack_weights(struct walk *w, const struct product *p, float *packed)
{
    enum { AT_ONCE = 4 * ENG_PACKED_COLUMNS };
    size_t n = p->linear.n_columns, depth = p->linear.depth;
    bool by_columns = !p->linear.is_dots && p->w.depth_step == 1 && p->w.column_step == depth;
    size_t step = by_columns ? AT_ONCE : n;
    for (size_t first = 0; first < n; first += step) {
        struct eng_linear part = p->linear;
        struct eng_linear_weights from = p->w;
        part.n_columns = n - first < step ? n - first : step;
        from.data += first * from.column_step;
        if (from.scale) from.scale += first;
        eng_linear_pack(&part, &from, packed + first * depth);
        if (by_columns)
            eng_rewrite_forget(w->rewrite, w->links.uses, p->weights, from.data,
                               part.n_columns * depth * sizeof *from.data);
    }
}

static enum eng_status add_constants(struct walk *w, struct product *p, size_t n_packed, int *in,
                                     struct eng_error *err)
{
    struct eng_shape shape = {.rank = 1, .dim = {(int64_t)n_packed}};
    float *data;
    enum eng_status status =
        eng_rewrite_add_floats(w->rewrite, p->weights, &shape, &in[1], &data, err);
    if (status != ENG_OK) return status;
    p->w.scale = p->has_scale ? p->scale : NULL;
    pack_weights(w, p, data);
    eng_rewrite_let_go(w->rewrite, w->links.uses, p->weights);
    in[2] = ENG_NO_VALUE;
    if (!p->has_bias) {
        w->graph->values[in[1]].n_packed += p->n_folded;
        return ENG_OK;
    }
    status = add_row(w, p->weights, p->bias, p->linear.n_columns,
                     (int64_t)eng_linear_bias_floats(&p->linear), &in[2], err);
    if (status == ENG_OK) w->graph->values[in[2]].n_packed = p->n_folded;
    return status;
}

static enum eng_status put_node(struct walk *w, struct product *p, size_t n_packed,
                                struct eng_error *err)
{
    struct eng_graph *graph = w->graph;
    struct eng_linear_attrs *attrs = eng_arena_alloc(&graph->arena, 1, sizeof *attrs);
    int *in = eng_arena_alloc(&graph->arena, 4, sizeof *in);
    int *out = eng_arena_copy(&graph->arena, &p->out, sizeof p->out);
    if (!attrs || !in || !out) return eng_fail_memory(err, "a graph pass");
    *attrs = (struct eng_linear_attrs){.depth = (int64_t)p->linear.depth,
                                       .n_columns = (int64_t)p->linear.n_columns,
                                       .is_dots = p->linear.is_dots,
                                       .is_bf16 = p->linear.is_bf16};
    in[0] = p->x;
    in[3] = p->added;
    enum eng_status status = add_constants(w, p, n_packed, in, err);
    if (status != ENG_OK) return status;
    struct eng_node *node = &graph->nodes[p->at];
    node->op = &eng_op_linear;
    node->attrs = attrs;
    node->n_in = 4;
    node->in = in;
    node->n_out = 1;
    node->out = out;
    node->activation = p->activation;
    return ENG_OK;
}

/* The node's name stays the product's. */
static enum eng_status convert(struct walk *w, struct product *p, struct eng_error *err)
{
    const char *name = w->graph->nodes[p->at].name;
    size_t n_packed;
    if (!eng_linear_packed_floats(&p->linear, &n_packed) ||
        !eng_rewrite_affords(w->rewrite, p->weights, w->links.uses[p->weights], n_packed))
        return ENG_OK;
    p->scale = eng_calloc(2 * p->linear.n_columns, sizeof *p->scale);
    if (!p->scale) return eng_fail_memory(err, "a graph pass");
    p->bias = p->scale + p->linear.n_columns;
    read_factors(w, p);
    absorb_all(w, p);
    enum eng_status status = put_node(w, p, n_packed, err);
    free(p->scale);
    w->graph->nodes[p->at].name = name;
    return status;
}

/* --- the walk --- */

static enum eng_status find_readers(struct walk *w, struct eng_error *err)
{
    const struct eng_graph *graph = w->graph;
    w->reader = eng_calloc(graph->n_values, sizeof *w->reader);
    if (!w->reader) return eng_fail_memory(err, "a graph pass");
    for (size_t v = 0; v < graph->n_values; v++)
        w->reader[v] = -1;
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_in; k++)
            if (graph->nodes[i].in[k] != ENG_NO_VALUE) w->reader[graph->nodes[i].in[k]] = (int)i;
    return ENG_OK;
}

static enum eng_status rewrite_nodes(struct walk *w, struct eng_error *err)
{
    struct product p;
    enum eng_status status = find_readers(w, err);
    for (size_t i = 0; status == ENG_OK && i < w->graph->n_nodes; i++)
        if (read_product(w, i, &p)) status = convert(w, &p, err);
    if (status == ENG_OK) eng_links_remove_marked(w->graph, &w->links);
    free(w->reader);
    return status;
}

enum eng_status eng_packed_products(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct walk w = {.rewrite = rewrite, .graph = rewrite->graph};
    enum eng_status status = eng_links_init(w.graph, &w.links, err);
    if (status != ENG_OK) return status;
    status = rewrite_nodes(&w, err);
    eng_links_fini(&w.links);
    return status;
}
