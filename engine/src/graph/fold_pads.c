#include "graph/fold_pads.h"

#include "base/error.h"
#include "graph/links.h"
#include "graph/pattern.h"
#include "ops/conv_shape.h"
#include "ops/pooling.h"
#include "ops/window.h"

#include <string.h>

enum { ARE_INPUTS = 11, PICTURE = 4, N_PADS = 2 * PICTURE };

struct fold {
    struct eng_rewrite *w;
    struct eng_links links;
};

static const struct eng_tensor *constant(const struct fold *f, const struct eng_node *node,
                                         size_t k)
{
    int v = k < node->n_in ? node->in[k] : ENG_NO_VALUE;
    bool known = v != ENG_NO_VALUE && f->w->graph->values[v].kind == ENG_VALUE_CONSTANT;
    return known ? &f->w->graph->values[v].tensor : NULL;
}

static bool has_input(const struct eng_node *node, size_t k)
{
    return k < node->n_in && node->in[k] != ENG_NO_VALUE;
}

/* What is put before and behind each axis of a picture; false: it is not known, or no picture. From
 * opset 11 on pads, value and axes are inputs. */
static bool read_pads(const struct fold *f, const struct eng_node *node, int64_t *pads)
{
    struct eng_attr attrs[4];
    const struct eng_tensor *x = &f->w->shapes[node->in[0]], *list = constant(f, node, 1);
    if (x->dtype != ENG_FLOAT32 || x->shape.rank != PICTURE || node->op->n_attrs > 4) return false;
    if (node->opset >= ARE_INPUTS) {
        if (!list || list->dtype != ENG_INT64 || has_input(node, 3)) return false;
        if (!list->data || eng_shape_count(&list->shape) != N_PADS) return false;
        memcpy(pads, list->data, N_PADS * sizeof *pads);
        return true;
    }
    size_t n = eng_attrs_write(node->op, node->attrs, attrs);
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, "pads") == 0 && attrs[i].n == N_PADS) {
            memcpy(pads, attrs[i].ints, N_PADS * sizeof *pads);
            return true;
        }
    return false;
}

static bool puts_zeros(const struct fold *f, const struct eng_node *node)
{
    struct eng_attr attrs[4];
    const struct eng_tensor *value = constant(f, node, 2);
    size_t n = eng_attrs_write(node->op, node->attrs, attrs);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(attrs[i].name, "mode") == 0 && strcmp(attrs[i].s, "constant") != 0) return false;
        if (strcmp(attrs[i].name, "value") == 0 && attrs[i].f != 0) return false;
    }
    return !has_input(node, 2) || (value && value->dtype == ENG_FLOAT32 && value->data &&
                                   *(const float *)value->data == 0);
}

/* All readers read x instead; the node goes. */
static void pass_by(struct fold *f, size_t i)
{
    struct eng_graph *graph = f->w->graph;
    int x = graph->nodes[i].in[0], y = graph->nodes[i].out[0];
    for (size_t k = 0; k < graph->n_nodes; k++)
        for (size_t j = 0; j < graph->nodes[k].n_in; j++)
            if (graph->nodes[k].in[j] == y) graph->nodes[k].in[j] = x;
    f->links.removed[i] = true;
}

/* Adds to the pads of a window, [top, left, bottom, right]; false if it cannot. */
static bool add_pads(struct eng_ints *own, int auto_pad, const int64_t *pads)
{
    static const int at[4] = {2, 3, PICTURE + 2, PICTURE + 3};
    if (auto_pad != ENG_PAD_NOTSET || (own->n != 0 && own->n != 4)) return false;
    for (int i = 0; i < 4; i++) {
        if (own->n == 0) own->v[i] = 0;
        own->v[i] += pads[at[i]];
        if (own->v[i] < 0 || own->v[i] > INT16_MAX) return false;
    }
    own->n = 4;
    return true;
}

static enum eng_status set_attributes(struct fold *f, struct eng_node *reader, const void *attrs,
                                      size_t size, struct eng_error *err)
{
    void *own = eng_arena_copy(&f->w->graph->arena, attrs, size);
    if (!own) return eng_fail_memory(err, "a graph pass");
    reader->attrs = own;
    return ENG_OK;
}

static enum eng_status fold_into_mean(struct fold *f, struct eng_node *reader, const int64_t *pads,
                                      bool *done, struct eng_error *err)
{
    struct eng_pool_attrs attrs = *(const struct eng_pool_attrs *)reader->attrs;
    bool counts = attrs.count_include_pad;
    for (int i = 0; i < attrs.pads.n; i++)
        if (attrs.pads.v[i] != 0 && !counts) return ENG_OK;
    *done = !attrs.ceil_mode && attrs.kernel_shape.n == 2 &&
            add_pads(&attrs.pads, attrs.auto_pad, pads);
    for (int i = 0; *done && i < 4; i++) /* a window must not lie in the padding */
        *done = attrs.pads.v[i] < attrs.kernel_shape.v[i % 2];
    attrs.count_include_pad = true;
    return *done ? set_attributes(f, reader, &attrs, sizeof attrs, err) : ENG_OK;
}

static enum eng_status fold_into_conv(struct fold *f, struct eng_node *reader, const int64_t *pads,
                                      bool *done, struct eng_error *err)
{
    struct eng_conv_attrs attrs = *(const struct eng_conv_attrs *)reader->attrs;
    *done = add_pads(&attrs.pads, attrs.auto_pad, pads);
    return *done ? set_attributes(f, reader, &attrs, sizeof attrs, err) : ENG_OK;
}

/* Pads that put nothing there. */
static void drop(struct fold *f, size_t i)
{
    const struct eng_graph *graph = f->w->graph;
    for (size_t k = 0; k < graph->n_outputs; k++)
        if (graph->outputs[k] == graph->nodes[i].out[0]) return; /* it keeps its name */
    pass_by(f, i);
}

static enum eng_status fold_into_reader(struct fold *f, size_t i, const int64_t *pads,
                                        struct eng_error *err)
{
    struct eng_graph *graph = f->w->graph;
    int y = graph->nodes[i].out[0], r = f->links.reader[y];
    if (r < 0 || f->links.uses[y] != 1 || graph->nodes[r].in[0] != y) return ENG_OK;
    bool done = false;
    enum eng_status status = ENG_OK;
    if (eng_pattern_is(&graph->nodes[r], "AveragePool"))
        status = fold_into_mean(f, &graph->nodes[r], pads, &done, err);
    else if (eng_pattern_is(&graph->nodes[r], "Conv"))
        status = fold_into_conv(f, &graph->nodes[r], pads, &done, err);
    if (done && status == ENG_OK) pass_by(f, i);
    return status;
}

static enum eng_status fold_one(struct fold *f, size_t i, struct eng_error *err)
{
    const struct eng_node *node = &f->w->graph->nodes[i];
    int64_t pads[N_PADS];
    bool any = false, fits = true;
    if (!eng_pattern_is(node, "Pad") || node->activation.kind != ENG_ACT_NONE ||
        !read_pads(f, node, pads))
        return ENG_OK;
    for (int k = 0; k < N_PADS; k++) {
        any |= pads[k] != 0;
        fits &= pads[k] == 0 || (pads[k] > 0 && k % PICTURE >= 2);
    }
    if (!any) drop(f, i);
    return any && fits && puts_zeros(f, node) ? fold_into_reader(f, i, pads, err) : ENG_OK;
}

enum eng_status eng_fold_pads(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct fold f = {.w = rewrite};
    enum eng_status status = eng_links_init(rewrite->graph, &f.links, err);
    if (status != ENG_OK) return status;
    for (size_t i = 0; status == ENG_OK && i < rewrite->graph->n_nodes; i++)
        status = fold_one(&f, i, err);
    if (status == ENG_OK) eng_links_remove_marked(rewrite->graph, &f.links);
    eng_links_fini(&f.links);
    return status;
}
