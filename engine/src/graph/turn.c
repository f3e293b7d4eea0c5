#include "graph/turn.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const int64_t eng_to_last[4] = {0, 2, 3, 1}, eng_to_first[4] = {0, 3, 1, 2};

enum eng_status eng_turn_add_twin(struct eng_turn *w, int like, int *out, struct eng_error *err)
{
    struct eng_shape turned = {.rank = 4};
    for (int d = 0; d < 4; d++)
        turned.dim[d] = w->shapes[like].shape.dim[eng_to_last[d]];
    enum eng_status status = eng_rewrite_add_computed(w->rewrite, like, "nhwc", &turned, out, err);
    w->shapes = w->rewrite->shapes;
    return status;
}

enum eng_status eng_turn_add_floats(struct eng_turn *w, int like, const struct eng_shape *shape,
                                    int *out, float **data, struct eng_error *err)
{
    enum eng_status status = eng_rewrite_add_floats(w->rewrite, like, shape, out, data, err);
    w->shapes = w->rewrite->shapes;
    return status;
}

bool eng_turn_affords(struct eng_turn *w, int like, size_t n)
{
    return eng_rewrite_affords(w->rewrite, like, w->uses[like], n);
}

void eng_turn_let_go(struct eng_turn *w, int v)
{
    eng_rewrite_let_go(w->rewrite, w->uses, v);
}

bool eng_turn_note_producer(struct eng_turn *w, int v, int node)
{
    size_t n = (size_t)v + 1, had = w->n_producers;
    if (!eng_grow(&w->producer, &w->n_producers, n, sizeof *w->producer)) return false;
    for (size_t i = had; i < w->n_producers; i++)
        w->producer[i] = -1;
    w->producer[v] = node;
    return true;
}

enum eng_status eng_turn_push(struct eng_turn *w, const struct eng_node *node,
                              struct eng_error *err)
{
    if (!eng_grow(&w->nodes, &w->capacity, w->n_nodes + 1, sizeof *w->nodes))
        return eng_fail_memory(err, "a graph pass");
    for (size_t k = 0; k < node->n_out; k++)
        if (node->out[k] != ENG_NO_VALUE &&
            !eng_turn_note_producer(w, node->out[k], (int)w->n_nodes))
            return eng_fail_memory(err, "a graph pass");
    w->nodes[w->n_nodes++] = *node;
    return ENG_OK;
}

/* The same node with other inputs and another output. */
static enum eng_status push_like(struct eng_turn *w, const struct eng_node *like, const int *in,
                                 size_t n_in, int out, struct eng_error *err)
{
    struct eng_node node = *like;
    node.n_in = n_in;
    node.n_out = 1;
    node.in = eng_arena_copy(&w->graph->arena, in, n_in * sizeof *in);
    node.out = eng_arena_copy(&w->graph->arena, &out, sizeof out);
    if (!node.in || !node.out) return eng_fail_memory(err, "a graph pass");
    return eng_turn_push(w, &node, err);
}

enum eng_status eng_turn_set_attribute(struct eng_turn *w, struct eng_node *node, const char *name,
                                       int64_t value, struct eng_error *err)
{
    struct eng_attr attrs[16];
    size_t n = 0;
    bool found = false;
    if (node->op->n_attrs < 16) n = eng_attrs_write(node->op, node->attrs, attrs);
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, name) == 0) {
            attrs[i].i = value;
            found = true;
        }
    if (!found) attrs[n++] = (struct eng_attr){.name = name, .type = ENG_ATTR_INT, .i = value};
    void *own = eng_arena_alloc(&w->graph->arena, 1, node->op->attrs_bytes + 1);
    if (!own) return eng_fail_memory(err, "a graph pass");
    enum eng_status status = eng_attrs_read(node->op, attrs, n, own, err);
    if (status == ENG_OK) status = eng_attrs_own(node->op, own, &w->graph->arena, err);
    node->attrs = own;
    return status;
}

static enum eng_status push_transpose(struct eng_turn *w, const char *name, const int64_t *perm,
                                      int in, int out, struct eng_error *err)
{
    struct eng_node node = {.name = name, .opset = 13};
    struct eng_attr attr = {.name = "perm", .type = ENG_ATTR_INTS, .ints = perm, .n = 4};
    enum eng_status status = eng_op_find("", "Transpose", node.opset, &node.op, err);
    if (status != ENG_OK) return status;
    void *own = eng_arena_alloc(&w->graph->arena, 1, node.op->attrs_bytes + 1);
    if (!own) return eng_fail_memory(err, "a graph pass");
    status = eng_attrs_read(node.op, &attr, 1, own, err);
    if (status == ENG_OK) status = eng_attrs_own(node.op, own, &w->graph->arena, err);
    node.attrs = own;
    return status == ENG_OK ? push_like(w, &node, &in, 1, out, err) : status;
}

enum eng_status eng_turn_need_twin(struct eng_turn *w, int v, struct eng_error *err)
{
    if (w->twin[v] != ENG_NO_VALUE) return ENG_OK;
    int twin;
    enum eng_status status = eng_turn_add_twin(w, v, &twin, err);
    if (status == ENG_OK)
        status =
            push_transpose(w, w->graph->values[twin].name, eng_to_last, w->plain[v], twin, err);
    if (status == ENG_OK) w->twin[v] = twin;
    return status;
}

enum eng_status eng_turn_need_plain(struct eng_turn *w, int v, struct eng_error *err)
{
    if (w->plain[v] != ENG_NO_VALUE) return ENG_OK;
    enum eng_status status =
        push_transpose(w, w->graph->values[v].name, eng_to_first, w->twin[v], v, err);
    if (status == ENG_OK) w->plain[v] = v;
    return status;
}

enum eng_status eng_turn_push_twin(struct eng_turn *w, const struct eng_node *like, const int *in,
                                   size_t n_in, struct eng_error *err)
{
    int twin, v = like->out[0];
    enum eng_status status = eng_turn_add_twin(w, v, &twin, err);
    if (status == ENG_OK) status = push_like(w, like, in, n_in, twin, err);
    if (status == ENG_OK) w->twin[v] = twin;
    return status;
}

enum eng_status eng_turn_push_plain(struct eng_turn *w, const struct eng_node *like, const int *in,
                                    size_t n_in, struct eng_error *err)
{
    int v = like->out[0];
    enum eng_status status = push_like(w, like, in, n_in, v, err);
    if (status == ENG_OK) w->plain[v] = v;
    return status;
}

enum eng_status eng_turn_keep(struct eng_turn *w, const struct eng_node *node,
                              struct eng_error *err)
{
    for (size_t k = 0; k < node->n_in; k++) {
        if (node->in[k] == ENG_NO_VALUE) continue;
        enum eng_status status = eng_turn_need_plain(w, node->in[k], err);
        if (status != ENG_OK) return status;
        node->in[k] = w->plain[node->in[k]];
    }
    for (size_t k = 0; k < node->n_out; k++)
        if (node->out[k] != ENG_NO_VALUE) w->plain[node->out[k]] = node->out[k];
    return eng_turn_push(w, node, err);
}

/* --- the walk --- */

enum eng_status eng_turn_begin(struct eng_turn *w, struct eng_rewrite *rewrite,
                               struct eng_error *err)
{
    size_t n = rewrite->graph->n_values;
    *w = (struct eng_turn){.rewrite = rewrite,
                           .graph = rewrite->graph,
                           .shapes = rewrite->shapes,
                           .n_old = n,
                           .uses = eng_calloc(n + 1, sizeof *w->uses),
                           .twin = eng_calloc(n + 1, sizeof *w->twin),
                           .plain = eng_calloc(n + 1, sizeof *w->plain),
                           .turned = eng_calloc(n + 1, sizeof *w->turned)};
    if (!w->uses || !w->twin || !w->plain || !w->turned)
        return eng_fail_memory(err, "a graph pass");
    eng_graph_count_uses(w->graph, w->uses);
    for (size_t v = 0; v < n; v++) {
        w->twin[v] = w->turned[v] = ENG_NO_VALUE;
        w->plain[v] = w->graph->values[v].kind == ENG_VALUE_COMPUTED ? ENG_NO_VALUE : (int)v;
        if (!eng_turn_note_producer(w, (int)v, -1)) return eng_fail_memory(err, "a graph pass");
    }
    return ENG_OK;
}

enum eng_status eng_turn_finish(struct eng_turn *w, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < w->graph->n_outputs; i++)
        status = eng_turn_need_plain(w, w->graph->outputs[i], err);
    if (status != ENG_OK) return status;
    free(w->graph->nodes);
    w->graph->nodes = w->nodes;
    w->graph->n_nodes = w->n_nodes;
    w->graph->nodes_capacity = w->capacity;
    w->nodes = NULL;
    return ENG_OK;
}

void eng_turn_end(struct eng_turn *w)
{
    free(w->uses);
    free(w->twin);
    free(w->plain);
    free(w->turned);
    free(w->producer);
    free(w->nodes);
}
