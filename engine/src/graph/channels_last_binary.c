#include "base/error.h"
#include "graph/channels_last_walk.h"
#include "graph/pattern.h"
#include "ops/nhwc.h"

#include <string.h>

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
    if (!eng_pattern_is(node, "Add") || node->in[0] == node->in[1] ||
        !same_shape(w, node->in[0], node->in[1]))
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
    if (!eng_last_is_constant(w, v)) return eng_last_is_picture(w, v);
    const struct eng_tensor *t = &w->graph->values[v].tensor;
    return t->dtype == ENG_FLOAT32 && t->shape.rank <= 4 &&
           w->graph->values[v].follows == ENG_FOLLOWS_NOT;
}

static enum eng_status turn(struct eng_turn *w, int v, int *out, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (!eng_last_is_constant(w, v))
        status = eng_turn_need_twin(w, v, err);
    else if (w->turned[v] == ENG_NO_VALUE)
        status = turn_constant(w, v, &w->turned[v], err);
    *out = eng_last_is_constant(w, v) ? w->turned[v] : w->twin[v];
    return status;
}

enum eng_status eng_last_binary(struct eng_turn *w, const struct eng_node *node, bool *done,
                                struct eng_error *err)
{
    const int *v = node->in;
    int in[2];
    *done = false;
    if (!eng_last_has_twin(w, v[0]) && !eng_last_has_twin(w, v[1])) return ENG_OK;
    if (!can_turn(w, v[0]) || !can_turn(w, v[1])) return ENG_OK;
    enum eng_status status = ENG_OK;
    if (eng_last_has_twin(w, v[0]) && eng_last_has_twin(w, v[1]))
        status = fuse_sum(w, node, done, err);
    if (status != ENG_OK || *done) return status;
    *done = true;
    status = turn(w, v[0], &in[0], err);
    if (status == ENG_OK) status = turn(w, v[1], &in[1], err);
    return status == ENG_OK ? eng_turn_push_twin(w, node, in, 2, err) : status;
}
