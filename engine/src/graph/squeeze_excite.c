#include "graph/squeeze_excite.h"

#include "base/error.h"

#include <string.h>

/* The new node that makes the twin of v. */
static struct eng_node *maker(const struct eng_turn *w, int v)
{
    int twin = w->twin[v];
    int i = twin == ENG_NO_VALUE ? -1 : w->producer[twin];
    return i < 0 ? NULL : &w->nodes[i];
}

enum eng_status eng_squeeze(struct eng_turn *w, const struct eng_node *node, bool *done,
                            struct eng_error *err)
{
    struct eng_node *conv = maker(w, node->in[0]);
    const struct eng_nhwc_conv_attrs *attrs =
        conv && conv->op == &eng_op_nhwc_conv ? conv->attrs : NULL;
    *done = attrs && attrs->method == ENG_NHWC_DEPTHWISE && conv->n_out == 1 &&
            node->activation.kind == ENG_ACT_NONE;
    if (!*done) return ENG_OK;
    int *out = eng_arena_alloc(&w->graph->arena, 2, sizeof *out), i = w->producer[conv->out[0]];
    if (!out) return eng_fail_memory(err, "a graph pass");
    enum eng_status status = eng_turn_add_twin(w, node->out[0], &out[1], err);
    if (status != ENG_OK) return status;
    if (!eng_turn_note_producer(w, out[1], i)) return eng_fail_memory(err, "a graph pass");
    out[0] = conv->out[0];
    conv->out = out;
    conv->n_out = 2;
    w->twin[node->out[0]] = out[1];
    return ENG_OK;
}

/* Whether new value v has a factor for each channel of each picture. */
static bool is_row(const struct eng_turn *w, int v, const struct eng_shape *picture)
{
    const struct eng_tensor *t = &w->shapes[v];
    return t->dtype == ENG_FLOAT32 && t->shape.rank == 4 && t->shape.dim[0] == picture->dim[0] &&
           t->shape.dim[1] == 1 && t->shape.dim[2] == 1 && t->shape.dim[3] == picture->dim[3] &&
           w->graph->values[v].kind == ENG_VALUE_COMPUTED;
}

/* Weights are multiplied once a picture: that must be less than its pixels. */
static bool gains(const struct eng_nhwc_conv *conv)
{
    return eng_nhwc_conv_can_scale(conv) &&
           2 * conv->out_channels <= eng_window_volume(conv->window.out);
}

void eng_excite(struct eng_turn *w, int x, const struct eng_nhwc_conv *conv, int *picture,
                int *factors)
{
    const struct eng_node *node = maker(w, x);
    *picture = *factors = ENG_NO_VALUE;
    if (!node || node != &w->nodes[w->n_nodes - 1] || strcmp(node->op->name, "Mul") != 0 ||
        node->n_in != 2 || node->activation.kind != ENG_ACT_NONE || w->uses[x] != 1 ||
        w->plain[x] != ENG_NO_VALUE || !gains(conv))
        return;
    for (int side = 0; side < 2; side++) {
        int a = node->in[side], b = node->in[1 - side];
        bool is_picture = w->graph->values[a].kind == ENG_VALUE_COMPUTED &&
                          eng_shape_equal(&w->shapes[a].shape, &w->shapes[node->out[0]].shape);
        if (!is_picture || !is_row(w, b, &w->shapes[a].shape)) continue;
        *picture = a;
        *factors = b;
        w->n_nodes--;
        return;
    }
}
