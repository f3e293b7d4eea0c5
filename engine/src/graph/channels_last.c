#include "graph/channels_last.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/links.h"
#include "graph/squeeze_excite.h"
#include "graph/turn.h"
#include "kernels/dispatch.h"
#include "ops/channel_shuffle.h"
#include "ops/nhwc.h"

#include <stdlib.h>
#include <string.h>

/* --- what a node is --- */

static bool is(const struct eng_node *node, const char *name)
{
    return node->op->domain[0] == '\0' && strcmp(node->op->name, name) == 0;
}

static bool is_picture(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->shapes[v].dtype == ENG_FLOAT32 && w->shapes[v].shape.rank == 4;
}

static bool is_constant(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->graph->values[v].kind == ENG_VALUE_CONSTANT;
}

static int64_t channels_of(const struct eng_turn *w, int v)
{
    return w->shapes[v].shape.dim[1];
}

/* Weights and bias must be known. */
static bool is_convolution(const struct eng_turn *w, const struct eng_node *node)
{
    return is(node, "Conv") && is_picture(w, node->in[0]) && is_constant(w, node->in[1]) &&
           !is_constant(w, node->in[0]) &&
           (node->n_in < 3 || node->in[2] == ENG_NO_VALUE || is_constant(w, node->in[2]));
}

/* --- whether it pays --- */

/* Multiplications of one picture. */
static double work(const struct eng_turn *w, const struct eng_node *node)
{
    const struct eng_shape *k = &w->shapes[node->in[1]].shape, *y = &w->shapes[node->out[0]].shape;
    return (double)(k->dim[1] * k->dim[2] * k->dim[3]) *
           (double)(y->dim[1] * y->dim[2] * y->dim[3]);
}

/* Vectors of channels must be full more often than not. */
static bool gains(const struct eng_turn *w, const struct eng_node *node)
{
    return channels_of(w, node->out[0]) >= ENG_CHANNEL_BLOCK &&
           channels_of(w, node->in[0]) >= ENG_CHANNEL_BLOCK;
}

static size_t count_convolutions(const struct eng_turn *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->graph->n_nodes; i++)
        n += is_convolution(w, &w->graph->nodes[i]);
    return n;
}

static bool pays(const struct eng_turn *w)
{
    double all = 0, gained = 0;
    for (size_t i = 0; i < w->graph->n_nodes; i++) {
        const struct eng_node *node = &w->graph->nodes[i];
        if (!is_convolution(w, node)) continue;
        all += work(w, node);
        if (gains(w, node)) gained += work(w, node);
    }
    return gained > 0 && gained >= all / 2;
}

/* --- convolutions --- */

static enum eng_status pack_bias(struct eng_turn *w, const struct eng_nhwc_conv *conv, int bias,
                                 int *out, struct eng_error *err)
{
    *out = ENG_NO_VALUE;
    if (bias == ENG_NO_VALUE) return ENG_OK;
    struct eng_shape shape = {.rank = 1, .dim = {(int64_t)eng_nhwc_conv_bias_floats(conv)}};
    float *data;
    enum eng_status status = eng_turn_add_floats(w, bias, &shape, out, &data, err);
    if (status != ENG_OK) return status;
    memcpy(data, w->graph->values[bias].tensor.data,
           conv->groups * conv->out_channels * sizeof *data);
    eng_turn_let_go(w, bias);
    return ENG_OK;
}

static enum eng_status pack_weights(struct eng_turn *w, const struct eng_nhwc_conv *conv,
                                    int weights, int *out, struct eng_error *err)
{
    size_t n;
    if (!eng_nhwc_conv_packed_floats(conv, &n))
        return eng_fail(err, ENG_LIMIT, "packed weights would be larger than memory can be");
    struct eng_shape shape = {.rank = 1, .dim = {(int64_t)n}};
    float *data;
    enum eng_status status = eng_turn_add_floats(w, weights, &shape, out, &data, err);
    if (status != ENG_OK) return status;
    eng_nhwc_conv_pack(conv, w->graph->values[weights].tensor.data, data);
    eng_turn_let_go(w, weights);
    return ENG_OK;
}

/* A picture of few channels that nothing else reads with channels last, as a network's first one:
 * the convolution turns it while it copies it. */
static bool takes_planes(const struct eng_turn *w, int x, const struct eng_nhwc_conv *conv)
{
    return conv->method == ENG_NHWC_PRODUCT && w->uses[x] == 1 && w->twin[x] == ENG_NO_VALUE &&
           conv->groups * conv->in_channels < ENG_CHANNEL_BLOCK;
}

/* A network may take up 1.4 times its weights, or 8 MiB more than them; a small one, which stays in
 * a last-level cache even then, 20 MiB more. */
static size_t growth_floats(const struct eng_graph *graph)
{
    enum { LEAST = 2 << 20, SMALL = 2 << 20, SMALL_GROWTH = 5 << 20 };
    size_t n = 0;
    for (size_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].kind == ENG_VALUE_CONSTANT &&
            graph->values[v].tensor.dtype == ENG_FLOAT32)
            n += (size_t)eng_shape_count(&graph->values[v].tensor.shape);
    if (n <= SMALL) return SMALL_GROWTH;
    return n / 5 * 2 > LEAST ? n / 5 * 2 : LEAST;
}

static bool is_winograd(enum eng_nhwc_method method)
{
    return method == ENG_NHWC_WINOGRAD_2X2 || method == ENG_NHWC_WINOGRAD_4X4;
}

/* Winograd multiplies less with up to four times the weights. What a network may take up goes to
 * its first layers: they have most pixels, and gain most by each weight. */
static void bound_growth(struct eng_turn *w, int weights, struct eng_nhwc_conv *conv,
                         struct eng_way *way)
{
    size_t n = 0, held = (size_t)eng_shape_count(&w->shapes[weights].shape);
    conv->method = way->method;
    while (is_winograd(conv->method) && way->reason != ENG_NHWC_PINNED &&
           eng_nhwc_conv_packed_floats(conv, &n) && n > held + w->growth_floats)
        *way = (struct eng_way){.method = conv->method = eng_nhwc_conv_smaller(conv)};
    if (!is_winograd(conv->method) || n < held) return;
    size_t more = n - held;
    w->growth_floats -= more < w->growth_floats ? more : w->growth_floats;
}

/* *fits is false for convolutions that have to stay as they are. */
static enum eng_status plan_convolution(struct eng_turn *w, const struct eng_node *node,
                                        struct eng_nhwc_conv_attrs *attrs,
                                        struct eng_nhwc_conv *conv, bool *fits,
                                        struct eng_error *err)
{
    const struct eng_shape *k = &w->shapes[node->in[1]].shape, *x = &w->shapes[node->in[0]].shape;
    *attrs = (struct eng_nhwc_conv_attrs){.conv = *(const struct eng_conv_attrs *)node->attrs};
    attrs->in_channels = k->dim[1];
    attrs->out_channels = k->dim[0] / attrs->conv.group;
    attrs->conv.kernel_shape.n = 2;
    attrs->conv.kernel_shape.v[0] = k->dim[2];
    attrs->conv.kernel_shape.v[1] = k->dim[3];
    struct eng_shape last = {.rank = 4, .dim = {1, x->dim[2], x->dim[3], x->dim[1]}};
    enum eng_status status = eng_nhwc_conv_resolve(attrs, &last, conv, err);
    if (status != ENG_OK) return status;
    *fits =
        eng_nhwc_conv_can(conv, ENG_NHWC_PRODUCT) || eng_nhwc_conv_can(conv, ENG_NHWC_DEPTHWISE);
    if (!*fits) return ENG_OK;
    struct eng_way way;
    status = eng_ways_choose(w->rewrite->ways, node->name, conv, w->n_convolutions,
                             w->graph->values[node->in[1]].tensor.data, &way, err);
    if (status != ENG_OK) return status;
    bound_growth(w, node->in[1], conv, &way);
    attrs->method = way.method;
    attrs->reason = way.reason;
    attrs->planes = conv->planes = takes_planes(w, node->in[0], conv);
    size_t n;
    *fits = eng_nhwc_conv_packed_floats(conv, &n) && eng_turn_affords(w, node->in[1], n);
    return ENG_OK;
}

static enum eng_status convert_convolution(struct eng_turn *w, const struct eng_node *node,
                                           bool *done, struct eng_error *err)
{
    struct eng_nhwc_conv_attrs *attrs = eng_arena_alloc(&w->graph->arena, 1, sizeof *attrs);
    if (!attrs) return eng_fail_memory(err, "a graph pass");
    struct eng_nhwc_conv conv;
    enum eng_status status = plan_convolution(w, node, attrs, &conv, done, err);
    if (status != ENG_OK || !*done) return status;
    int in[5], bias = node->n_in > 2 ? node->in[2] : ENG_NO_VALUE;
    if (!conv.planes) status = eng_turn_need_twin(w, node->in[0], err);
    if (status == ENG_OK) status = pack_weights(w, &conv, node->in[1], &in[1], err);
    if (status == ENG_OK) status = pack_bias(w, &conv, bias, &in[2], err);
    if (status != ENG_OK) return status;
    in[3] = ENG_NO_VALUE;
    eng_excite(w, node->in[0], &conv, &in[0], &in[4]);
    bool scales = in[0] != ENG_NO_VALUE;
    if (!scales) in[0] = conv.planes ? w->plain[node->in[0]] : w->twin[node->in[0]];
    struct eng_node like = *node;
    like.op = &eng_op_nhwc_conv;
    like.attrs = attrs;
    return eng_turn_push_twin(w, &like, in, scales ? 5 : 3, err);
}

/* --- sums and products of pictures --- */

/* The convolution that makes v, if a sum can go into it. */
static struct eng_node *open_convolution(struct eng_turn *w, int v)
{
    int twin = v == ENG_NO_VALUE ? ENG_NO_VALUE : w->twin[v];
    if (twin == ENG_NO_VALUE || w->uses[v] != 1 || w->plain[v] != ENG_NO_VALUE) return NULL;
    int i = w->producer[twin];
    struct eng_node *node = i < 0 ? NULL : &w->nodes[i];
    bool open = node && node->op == &eng_op_nhwc_conv &&
                (node->n_in == 3 || node->in[3] == ENG_NO_VALUE) && node->n_out == 1 &&
                node->activation.kind == ENG_ACT_NONE;
    return open ? node : NULL;
}

static bool same_shape(const struct eng_turn *w, int a, int b)
{
    return eng_shape_equal(&w->shapes[a].shape, &w->shapes[b].shape);
}

/* A sum of two pictures, one of which a convolution makes, which then adds the other one itself. */
static enum eng_status fuse_sum(struct eng_turn *w, const struct eng_node *node, bool *done,
                                struct eng_error *err)
{
    *done = false;
    if (!is(node, "Add") || node->in[0] == node->in[1] || !same_shape(w, node->in[0], node->in[1]))
        return ENG_OK;
    /* The later one: the other picture is there before it. */
    int first = w->producer[w->twin[node->in[0]]], second = w->producer[w->twin[node->in[1]]];
    int later = first > second ? 0 : 1;
    struct eng_node *conv = open_convolution(w, node->in[later]);
    if (!conv) return ENG_OK;
    int *in = eng_arena_alloc(&w->graph->arena, 5, sizeof *in);
    if (!in) return eng_fail_memory(err, "a graph pass");
    memcpy(in, conv->in, conv->n_in * sizeof *in);
    in[3] = w->twin[node->in[1 - later]];
    conv->in = in;
    if (conv->n_in == 3) conv->n_in = 4;
    conv->activation = node->activation;
    w->twin[node->out[0]] = conv->out[0];
    *done = true;
    return ENG_OK;
}

/* A constant that broadcasts with pictures, with channels last. */
static enum eng_status turn_constant(struct eng_turn *w, int v, int *out, struct eng_error *err)
{
    const struct eng_tensor *from = &w->graph->values[v].tensor;
    struct eng_shape shape = {.rank = 4, .dim = {1, 1, 1, 1}}, turned = {.rank = 4};
    for (int d = 0; d < from->shape.rank; d++)
        shape.dim[4 - from->shape.rank + d] = from->shape.dim[d];
    for (int d = 0; d < 4; d++)
        turned.dim[d] = shape.dim[eng_to_last[d]];
    float *to;
    enum eng_status status = eng_turn_add_floats(w, v, &turned, out, &to, err);
    if (status != ENG_OK) return status;
    const float *data = w->graph->values[v].tensor.data;
    size_t plane = (size_t)(shape.dim[2] * shape.dim[3]), channels = (size_t)shape.dim[1];
    for (size_t n = 0; n < (size_t)shape.dim[0]; n++)
        for (size_t p = 0; p < plane; p++)
            for (size_t c = 0; c < channels; c++)
                *to++ = data[(n * channels + c) * plane + p];
    return ENG_OK;
}

/* Whether input v of a binary operator has, or can be given, a form with channels last. */
static bool can_turn(const struct eng_turn *w, int v)
{
    if (v == ENG_NO_VALUE) return false;
    if (!is_constant(w, v)) return is_picture(w, v);
    const struct eng_tensor *t = &w->graph->values[v].tensor;
    return t->dtype == ENG_FLOAT32 && t->shape.rank <= 4 &&
           w->graph->values[v].follows == ENG_FOLLOWS_NOT;
}

static enum eng_status turn(struct eng_turn *w, int v, int *out, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (!is_constant(w, v))
        status = eng_turn_need_twin(w, v, err);
    else if (w->turned[v] == ENG_NO_VALUE)
        status = turn_constant(w, v, &w->turned[v], err);
    *out = is_constant(w, v) ? w->turned[v] : w->twin[v];
    return status;
}

static bool has_twin(const struct eng_turn *w, int v)
{
    return v != ENG_NO_VALUE && w->twin[v] != ENG_NO_VALUE;
}

static bool is_binary(const struct eng_node *node)
{
    return node->n_in == 2 &&
           (is(node, "Add") || is(node, "Sub") || is(node, "Mul") || is(node, "Div"));
}

static enum eng_status convert_binary(struct eng_turn *w, const struct eng_node *node, bool *done,
                                      struct eng_error *err)
{
    const int *v = node->in;
    int in[2];
    *done = false;
    if (!has_twin(w, v[0]) && !has_twin(w, v[1])) return ENG_OK;
    if (!can_turn(w, v[0]) || !can_turn(w, v[1])) return ENG_OK;
    enum eng_status status = ENG_OK;
    if (has_twin(w, v[0]) && has_twin(w, v[1])) status = fuse_sum(w, node, done, err);
    if (status != ENG_OK || *done) return status;
    *done = true;
    status = turn(w, v[0], &in[0], err);
    if (status == ENG_OK) status = turn(w, v[1], &in[1], err);
    return status == ENG_OK ? eng_turn_push_twin(w, node, in, 2, err) : status;
}

/* --- what works on one picture --- */

static const struct eng_op *pooling_of(const struct eng_node *node)
{
    if (is(node, "AveragePool")) return &eng_op_nhwc_average_pool;
    if (is(node, "GlobalAveragePool")) return &eng_op_nhwc_global_average_pool;
    bool indices = node->n_out > 1 && node->out[1] != ENG_NO_VALUE;
    return is(node, "MaxPool") && !indices ? &eng_op_nhwc_max_pool : NULL;
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
    return is(node, "Concat") && node->activation.kind == ENG_ACT_NONE ? node : NULL;
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
    size_t n = (size_t)channels_of(w, node->in[0]);
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
        if (node->in[k] != ENG_NO_VALUE && !is_constant(w, node->in[k])) *done = false;
    return *done ? eng_turn_push_twin(w, node, in, node->n_in, err) : ENG_OK;
}

/* --- Concat and Transpose --- */

static bool joins_channels(const struct eng_turn *w, const struct eng_node *node)
{
    struct eng_attr attrs[4];
    size_t n = node->op->n_attrs <= 4 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    bool channels = false;
    for (size_t i = 0; i < n; i++)
        channels |= strcmp(attrs[i].name, "axis") == 0 && (attrs[i].i == 1 || attrs[i].i == -3);
    for (size_t k = 0; k < node->n_in; k++)
        if (!has_twin(w, node->in[k])) return false;
    return channels && is_picture(w, node->out[0]);
}

static enum eng_status convert_concat(struct eng_turn *w, const struct eng_node *node,
                                      struct eng_error *err)
{
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

static enum eng_status convert_shuffle(struct eng_turn *w, const struct eng_node *node, bool *done,
                                       struct eng_error *err)
{
    int in[2];
    *done = true;
    for (size_t k = 0; k < node->n_in; k++) {
        *done &= has_twin(w, node->in[k]);
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
static bool convert_transpose(struct eng_turn *w, const struct eng_node *node)
{
    int x = node->in[0], y = node->out[0];
    if (!is_picture(w, x) || is_graph_output(w, y)) return false;
    if (has_order(node, eng_to_last) && has_twin(w, x)) {
        w->plain[y] = w->twin[x];
        return true;
    }
    if (has_order(node, eng_to_first) && w->plain[x] != ENG_NO_VALUE && !is_constant(w, x)) {
        w->twin[y] = w->plain[x];
        return true;
    }
    return false;
}

/* --- the walk --- */

static enum eng_status convert_picture(struct eng_turn *w, const struct eng_node *node, bool *done,
                                       struct eng_error *err)
{
    const struct eng_op *pooling = pooling_of(node);
    *done = true;
    if (is(node, "GlobalAveragePool")) {
        enum eng_status status = eng_squeeze(w, node, done, err);
        if (status != ENG_OK || *done) return status;
        *done = true;
    }
    if (pooling) return convert_pooling(w, node, pooling, err);
    if (node->op->flags & ENG_OP_IS_ACTIVATION) return convert_activation(w, node, done, err);
    if (is(node, "BatchNormalization") && is_constant(w, node->in[1]))
        return convert_affine(w, node, done, err);
    *done = false;
    return ENG_OK;
}

static enum eng_status step(struct eng_turn *w, const struct eng_node *node, struct eng_error *err)
{
    bool done = false;
    enum eng_status status = ENG_OK;
    if (is_convolution(w, node))
        status = convert_convolution(w, node, &done, err);
    else if (is_binary(node) && is_picture(w, node->out[0]))
        status = convert_binary(w, node, &done, err);
    else if (is(node, "Concat") && joins_channels(w, node)) {
        done = true;
        status = convert_concat(w, node, err);
    } else if (node->op == &eng_op_channel_shuffle)
        status = convert_shuffle(w, node, &done, err);
    else if (is(node, "Transpose"))
        done = convert_transpose(w, node);
    else if (node->n_in > 0 && has_twin(w, node->in[0]))
        status = convert_picture(w, node, &done, err);
    return status == ENG_OK && !done ? eng_turn_keep(w, node, err) : status;
}

enum eng_status eng_channels_last(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct eng_turn w;
    enum eng_status status = eng_turn_begin(&w, rewrite, err);
    bool turns = status == ENG_OK && pays(&w);
    if (turns) w.n_convolutions = count_convolutions(&w);
    w.growth_floats = growth_floats(w.graph);
    for (size_t i = 0; turns && status == ENG_OK && i < w.graph->n_nodes; i++)
        status = step(&w, &w.graph->nodes[i], err);
    if (turns && status == ENG_OK) status = eng_turn_finish(&w, err);
    eng_turn_end(&w);
    return status;
}
