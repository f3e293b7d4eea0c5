#include "base/error.h"
#include "base/mem.h"
#include "graph/channels_last_walk.h"
#include "graph/links.h"
#include "graph/pattern.h"
#include "graph/squeeze_excite.h"
#include "ops/channel_shuffle.h"
#include "ops/nhwc.h"

#include <stdlib.h>
#include <string.h>

static const struct eng_op *pooling_of(const struct eng_node *node)
{
    if (eng_pattern_is(node, "AveragePool")) return &eng_op_nhwc_average_pool;
    if (eng_pattern_is(node, "GlobalAveragePool")) return &eng_op_nhwc_global_average_pool;
    bool indices = node->n_out > 1 && node->out[1] != ENG_NO_VALUE;
    return eng_pattern_is(node, "MaxPool") && !indices ? &eng_op_nhwc_max_pool : NULL;
}

static enum eng_status convert_pooling(struct eng_turn *w, const struct eng_node *node,
                                       const struct eng_op *op, struct eng_error *err)
{
    struct eng_node like = *node;
    like.op = op;
    return eng_turn_push_twin(w, &like, &w->twin[node->in[0]], 1, err);
}

/* The Concat that makes v for one reader. */
static struct eng_node *open_concat(struct eng_turn *w, int v)
{
    if (w->uses[v] != 1 || w->plain[v] != ENG_NO_VALUE || w->producer[w->twin[v]] < 0) return NULL;
    struct eng_node *node = &w->nodes[w->producer[w->twin[v]]];
    return eng_pattern_is(node, "Concat") && node->activation.kind == ENG_ACT_NONE ? node : NULL;
}

/* Scale and shift go into the Concat before them, which then writes what they would. */
static enum eng_status join_affine(struct eng_turn *w, const struct eng_node *node,
                                   struct eng_node *concat, const int *in, struct eng_error *err)
{
    int *all = eng_arena_alloc(&w->graph->arena, concat->n_in + 2, sizeof *all);
    if (!all) return eng_fail_memory(err, "a graph pass");
    memcpy(all, concat->in, concat->n_in * sizeof *all);
    memcpy(all + concat->n_in, in + 1, 2 * sizeof *all);
    w->twin[node->out[0]] = concat->out[0];
    int *out = concat->out;
    size_t n_in = concat->n_in + 2;
    *concat = *node;
    concat->op = &eng_op_nhwc_joined_affine;
    concat->in = all;
    concat->n_in = n_in;
    concat->out = out;
    concat->n_out = 1;
    return ENG_OK;
}

/* BatchNormalization that no convolution could take in. */
static enum eng_status convert_affine(struct eng_turn *w, const struct eng_node *node, bool *done,
                                      struct eng_error *err)
{
    int in[3] = {w->twin[node->in[0]]};
    size_t n = (size_t)eng_last_channels(w, node->in[0]);
    struct eng_shape shape = {.rank = 1, .dim = {(int64_t)n}};
    float *scale, *shift;
    struct eng_node_view view;
    *done = eng_turn_affords(w, node->in[1], 2 * n);
    if (!*done) return ENG_OK;
    enum eng_status status = eng_turn_add_floats(w, node->in[1], &shape, &in[1], &scale, err);
    if (status == ENG_OK) status = eng_turn_add_floats(w, node->in[1], &shape, &in[2], &shift, err);
    if (status != ENG_OK) return status;
    if (!eng_node_view_init(w->graph, node, &view)) return eng_fail_memory(err, "a graph pass");
    *done = node->op->channel_affine(&view.q, scale, shift, n);
    eng_node_view_fini(&view);
    if (!*done) return ENG_OK;
    for (size_t k = 1; k < node->n_in; k++)
        eng_turn_let_go(w, node->in[k]);
    w->graph->values[in[1]].n_packed = w->graph->values[in[2]].n_packed = 2 * n;
    struct eng_node *concat = open_concat(w, node->in[0]);
    if (concat) return join_affine(w, node, concat, in, err);
    struct eng_node like = *node;
    like.op = &eng_op_nhwc_affine;
    return eng_turn_push_twin(w, &like, in, 3, err);
}

/* Inputs other than the first are numbers, like Clip's bounds. */
static enum eng_status convert_activation(struct eng_turn *w, const struct eng_node *node,
                                          bool *done, struct eng_error *err)
{
    int in[4];
    *done = node->n_in <= 4;
    for (size_t k = 0; *done && k < node->n_in; k++)
        in[k] = k == 0 ? w->twin[node->in[0]] : node->in[k];
    for (size_t k = 1; *done && k < node->n_in; k++)
        if (node->in[k] != ENG_NO_VALUE && !eng_last_is_constant(w, node->in[k])) *done = false;
    return *done ? eng_turn_push_twin(w, node, in, node->n_in, err) : ENG_OK;
}

static bool joins_channels(const struct eng_turn *w, const struct eng_node *node)
{
    struct eng_attr attrs[4];
    size_t n = node->op->n_attrs <= 4 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    bool channels = false;
    for (size_t i = 0; i < n; i++)
        channels |= strcmp(attrs[i].name, "axis") == 0 && (attrs[i].i == 1 || attrs[i].i == -3);
    for (size_t k = 0; k < node->n_in; k++)
        if (!eng_last_has_twin(w, node->in[k])) return false;
    return channels && eng_last_is_picture(w, node->out[0]);
}

enum eng_status eng_last_concat(struct eng_turn *w, const struct eng_node *node, bool *done,
                                struct eng_error *err)
{
    *done = joins_channels(w, node);
    if (!*done) return ENG_OK;
    struct eng_node like = *node;
    int *in = eng_calloc(node->n_in, sizeof *in);
    if (!in) return eng_fail_memory(err, "a graph pass");
    for (size_t k = 0; k < node->n_in; k++)
        in[k] = w->twin[node->in[k]];
    enum eng_status status = eng_turn_set_attribute(w, &like, "axis", 3, err);
    if (status == ENG_OK) status = eng_turn_push_twin(w, &like, in, node->n_in, err);
    free(in);
    return status;
}

enum eng_status eng_last_shuffle(struct eng_turn *w, const struct eng_node *node, bool *done,
                                 struct eng_error *err)
{
    int in[2];
    *done = true;
    for (size_t k = 0; k < node->n_in; k++) {
        *done &= eng_last_has_twin(w, node->in[k]);
        in[k] = w->twin[node->in[k]];
    }
    if (!*done) return ENG_OK;
    struct eng_channel_shuffle_attrs *attrs =
        eng_arena_copy(&w->graph->arena, node->attrs, sizeof *attrs);
    if (!attrs) return eng_fail_memory(err, "a graph pass");
    attrs->last = true;
    struct eng_node like = *node;
    like.attrs = attrs;
    return eng_turn_push_twin(w, &like, in, node->n_in, err);
}

/* The order that a Transpose of pictures gives. */
static bool has_order(const struct eng_node *node, const int64_t *perm)
{
    struct eng_attr attrs[2];
    size_t n = node->op->n_attrs <= 2 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    return n == 1 && attrs[0].n == 4 && memcmp(attrs[0].ints, perm, 4 * sizeof *perm) == 0;
}

static bool is_graph_output(const struct eng_turn *w, int v)
{
    for (size_t i = 0; i < w->graph->n_outputs; i++)
        if (w->graph->outputs[i] == v) return true;
    return false;
}

/* A Transpose to channels last is the twin; what one to channels first reads is one. */
enum eng_status eng_last_transpose(struct eng_turn *w, const struct eng_node *node, bool *done,
                                   struct eng_error *err)
{
    int x = node->in[0], y = node->out[0];
    (void)err;
    *done = false;
    if (!eng_last_is_picture(w, x) || is_graph_output(w, y)) return ENG_OK;
    if (has_order(node, eng_to_last) && eng_last_has_twin(w, x)) {
        w->plain[y] = w->twin[x];
        *done = true;
    } else if (has_order(node, eng_to_first) && w->plain[x] != ENG_NO_VALUE &&
               !eng_last_is_constant(w, x)) {
        w->twin[y] = w->plain[x];
        *done = true;
    }
    return ENG_OK;
}

enum eng_status eng_last_picture(struct eng_turn *w, const struct eng_node *node, bool *done,
                                 struct eng_error *err)
{
    const struct eng_op *pooling = pooling_of(node);
    *done = true;
    if (eng_pattern_is(node, "GlobalAveragePool")) {
        enum eng_status status = eng_squeeze(w, node, done, err);
        if (status != ENG_OK || *done) return status;
        *done = true;
    }
    if (pooling) return convert_pooling(w, node, pooling, err);
    if (node->op->flags & ENG_OP_IS_ACTIVATION) return convert_activation(w, node, done, err);
    if (eng_pattern_is(node, "BatchNormalization") && eng_last_is_constant(w, node->in[1]))
        return convert_affine(w, node, done, err);
    *done = false;
    return ENG_OK;
}
