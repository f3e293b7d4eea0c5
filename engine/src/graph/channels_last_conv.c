#include "base/error.h"
#include "graph/channels_last_walk.h"
#include "graph/pattern.h"
#include "graph/squeeze_excite.h"
#include "graph/ways.h"
#include "kernels/dispatch.h"
#include "ops/nhwc.h"

#include <string.h>

/* Weights and bias must be known. */
bool eng_last_is_convolution(const struct eng_turn *w, const struct eng_node *node)
{
    return eng_pattern_is(node, "Conv") && eng_last_is_picture(w, node->in[0]) &&
           eng_last_is_constant(w, node->in[1]) && !eng_last_is_constant(w, node->in[0]) &&
           (node->n_in < 3 || node->in[2] == ENG_NO_VALUE || eng_last_is_constant(w, node->in[2]));
}

/* A network may take up 1.4 times its weights, or 8 MiB more than them; a small one, which stays in
 * a last-level cache even then, 20 MiB more. */
size_t eng_last_growth_floats(const struct eng_graph *graph)
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

enum eng_status eng_last_convolution(struct eng_turn *w, const struct eng_node *node, bool *done,
                                     struct eng_error *err)
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
