#include "graph/quantised.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/quantised_walk.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what there is --- */

bool eng_bytes_is_picture(const struct eng_byte_walk *w, int v)
{
    const struct eng_shape *shape = &w->turn.shapes[v].shape;
    return shape->rank == 4 && shape->dim[1] > 0 && shape->dim[2] > 0 && shape->dim[3] > 0;
}

static bool is_byte(enum eng_dtype dtype)
{
    return dtype == ENG_UINT8 || dtype == ENG_INT8;
}

static const struct eng_tensor *one_number(const struct eng_graph *graph, int v)
{
    const struct eng_value *value = &graph->values[v];
    bool is_one = value->kind == ENG_VALUE_CONSTANT && value->follows == ENG_FOLLOWS_NOT &&
                  value->tensor.data && eng_shape_count(&value->tensor.shape) == 1;
    return is_one ? &value->tensor : NULL;
}

bool eng_bytes_parameters(const struct eng_graph *graph, int scale, int zero, enum eng_dtype dtype,
                          struct eng_quantised *out)
{
    if (!is_byte(dtype)) return false;
    const struct eng_tensor *s = one_number(graph, scale);
    if (!s || s->dtype != ENG_FLOAT32) return false;
    *out = (struct eng_quantised){.dtype = dtype, .scale = *(const float *)s->data};
    if (!(out->scale >= FLT_MIN && out->scale <= FLT_MAX)) return false;
    if (zero == ENG_NO_VALUE) return true;
    const struct eng_tensor *z = one_number(graph, zero);
    if (!z || z->dtype != dtype) return false;
    out->zero = dtype == ENG_INT8 ? *(const int8_t *)z->data : *(const uint8_t *)z->data;
    return true;
}

/* Of QuantizeLinear and DequantizeLinear; bytes: the value of bytes. */
static bool node_parameters(const struct eng_byte_walk *w, const struct eng_node *node, int bytes,
                            struct eng_quantised *out)
{
    struct eng_attr attrs[4];
    size_t n = node->op->n_attrs <= 4 ? eng_attrs_write(node->op, node->attrs, attrs) : 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(attrs[i].name, "block_size") == 0) return false;
    return eng_bytes_parameters(w->turn.graph, node->in[1],
                                node->n_in > 2 ? node->in[2] : ENG_NO_VALUE,
                                w->turn.shapes[bytes].dtype, out);
}

bool eng_bytes_source(const struct eng_byte_walk *w, int v, struct eng_byte_value *out)
{
    if (v == ENG_NO_VALUE || w->dequantiser[v] < 0) return false;
    const struct eng_node *node = &w->turn.graph->nodes[w->dequantiser[v]];
    out->value = node->in[0];
    return node_parameters(w, node, node->in[0], &out->q);
}

bool eng_bytes_sink(const struct eng_byte_walk *w, int v, struct eng_byte_value *out, int *node)
{
    int i = v == ENG_NO_VALUE ? -1 : w->quantiser[v];
    if (i < 0 || w->done[i]) return false;
    *node = i;
    out->value = w->turn.graph->nodes[i].out[0];
    return node_parameters(w, &w->turn.graph->nodes[i], out->value, &out->q);
}

bool eng_bytes_only_sink(const struct eng_byte_walk *w, int v, struct eng_byte_value *out,
                         int *node)
{
    return v != ENG_NO_VALUE && w->turn.uses[v] == 1 && eng_bytes_sink(w, v, out, node);
}

/* --- what is appended --- */

enum eng_status eng_bytes_form(struct eng_byte_walk *w, int v, int *out, struct eng_error *err)
{
    bool last = eng_bytes_is_picture(w, v);
    enum eng_status status =
        last ? eng_turn_need_twin(&w->turn, v, err) : eng_turn_need_plain(&w->turn, v, err);
    *out = last ? w->turn.twin[v] : w->turn.plain[v];
    return status;
}

enum eng_status eng_bytes_push(struct eng_byte_walk *w, const struct eng_node *like,
                               const struct eng_op *op, const void *attrs, const int *in,
                               size_t n_in, int out, struct eng_error *err)
{
    struct eng_node node = *like;
    node.op = op;
    node.out = &out;
    node.activation = (struct eng_activation){.kind = ENG_ACT_NONE};
    node.attrs = eng_arena_copy(&w->turn.graph->arena, attrs, op->attrs_bytes);
    if (!node.attrs) return eng_fail_memory(err, "a graph pass");
    return eng_bytes_is_picture(w, out) ? eng_turn_push_twin(&w->turn, &node, in, n_in, err)
                                        : eng_turn_push_plain(&w->turn, &node, in, n_in, err);
}

/* --- the walk --- */

static bool is_deferred(const struct eng_byte_walk *w, int v)
{
    return v != ENG_NO_VALUE && w->dequantiser[v] >= 0 && w->turn.plain[v] == ENG_NO_VALUE;
}

static enum eng_status make_floats(struct eng_byte_walk *w, int v, struct eng_error *err)
{
    if (!is_deferred(w, v)) return ENG_OK;
    return eng_turn_keep(&w->turn, &w->turn.graph->nodes[w->dequantiser[v]], err);
}

static enum eng_status keep(struct eng_byte_walk *w, const struct eng_node *node,
                            struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t k = 0; status == ENG_OK && k < node->n_in; k++)
        status = make_floats(w, node->in[k], err);
    return status == ENG_OK ? eng_turn_keep(&w->turn, node, err) : status;
}

static const struct {
    const char *name;
    eng_bytes_convert_fn *convert;
} converters[] = {
    {"Conv", eng_bytes_convolution},
    {"Gemm", eng_bytes_product},
    {"MatMul", eng_bytes_product},
    {"QLinearConv", eng_bytes_qlinear_conv},
    {"QLinearMatMul", eng_bytes_qlinear_matmul},
    {"Add", eng_bytes_add},
    {"MaxPool", eng_bytes_pooling},
    {"AveragePool", eng_bytes_pooling},
    {"GlobalAveragePool", eng_bytes_pooling},
    {"Concat", eng_bytes_concat},
    {"Reshape", eng_bytes_move},
    {"Flatten", eng_bytes_move},
    {"Squeeze", eng_bytes_move},
    {"Unsqueeze", eng_bytes_move},
    {"Transpose", eng_bytes_move},
    {"QuantizeLinear", eng_bytes_quantise},
    {"Shape", eng_bytes_shape},
};

static eng_bytes_convert_fn *converter_of(const struct eng_node *node)
{
    for (size_t i = 0; i < sizeof converters / sizeof converters[0]; i++)
        if (eng_pattern_is(node, converters[i].name)) return converters[i].convert;
    return node->op->flags & ENG_OP_IS_ACTIVATION ? eng_bytes_activation : NULL;
}

static enum eng_status step(struct eng_byte_walk *w, size_t i, struct eng_error *err)
{
    const struct eng_node *node = &w->turn.graph->nodes[i];
    struct eng_quantised q;
    bool done = w->done[i];
    if (done) return ENG_OK;
    if (eng_pattern_is(node, "DequantizeLinear") && node_parameters(w, node, node->in[0], &q)) {
        w->dequantiser[node->out[0]] = (int)i;
        return ENG_OK;
    }
    eng_bytes_convert_fn *convert = converter_of(node);
    enum eng_status status = convert ? convert(w, i, &done, err) : ENG_OK;
    return status == ENG_OK && !done ? keep(w, node, err) : status;
}

/* Convolutions and pooling want channels last, and so of what their input is made. */
static void note_wants(struct eng_byte_walk *w)
{
    const struct eng_graph *graph = w->turn.graph;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        int x = node->n_in > 0 ? node->in[0] : ENG_NO_VALUE;
        if (x == ENG_NO_VALUE) continue;
        if (eng_pattern_is(node, "DequantizeLinear"))
            w->wants_last[x] |= w->wants_last[node->out[0]];
        else if (eng_pattern_is(node, "Conv") || eng_pattern_is(node, "QLinearConv") ||
                 eng_pattern_is(node, "MaxPool") || eng_pattern_is(node, "AveragePool"))
            w->wants_last[x] = true;
    }
}

static bool walk_init(struct eng_byte_walk *w)
{
    const struct eng_graph *graph = w->turn.graph;
    size_t n = w->turn.n_old;
    w->dequantiser = eng_calloc(n + 1, sizeof *w->dequantiser);
    w->quantiser = eng_calloc(n + 1, sizeof *w->quantiser);
    w->wants_last = eng_calloc(n + 1, sizeof *w->wants_last);
    w->done = eng_calloc(graph->n_nodes + 1, sizeof *w->done);
    if (!w->dequantiser || !w->quantiser || !w->wants_last || !w->done) return false;
    for (size_t v = 0; v < n; v++)
        w->dequantiser[v] = w->quantiser[v] = -1;
    for (size_t i = graph->n_nodes; i-- > 0;)
        if (eng_pattern_is(&graph->nodes[i], "QuantizeLinear"))
            w->quantiser[graph->nodes[i].in[0]] = (int)i;
    note_wants(w);
    return true;
}

static enum eng_status rewrite_nodes(struct eng_byte_walk *w, struct eng_error *err)
{
    const struct eng_graph *graph = w->turn.graph;
    enum eng_status status = ENG_OK;
    for (size_t i = 0; status == ENG_OK && i < graph->n_nodes; i++)
        status = step(w, i, err);
    for (size_t i = 0; status == ENG_OK && i < graph->n_outputs; i++)
        status = make_floats(w, graph->outputs[i], err);
    return status == ENG_OK ? eng_turn_finish(&w->turn, err) : status;
}

static bool quantises(const struct eng_graph *graph)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (eng_pattern_is(&graph->nodes[i], "QuantizeLinear") ||
            eng_pattern_is(&graph->nodes[i], "QLinearConv") ||
            eng_pattern_is(&graph->nodes[i], "QLinearMatMul"))
            return true;
    return false;
}

enum eng_status eng_quantised(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct eng_byte_walk w = {0};
    if (!quantises(rewrite->graph)) return ENG_OK;
    enum eng_status status = eng_turn_begin(&w.turn, rewrite, err);
    if (status == ENG_OK && !walk_init(&w)) status = eng_fail_memory(err, "a graph pass");
    if (status == ENG_OK) status = rewrite_nodes(&w, err);
    eng_turn_end(&w.turn);
    free(w.dequantiser);
    free(w.quantiser);
    free(w.wants_last);
    free(w.done);
    return status;
}
