#include "graph/channels_last.h"

#include "graph/channels_last_walk.h"
#include "graph/pattern.h"
#include "kernels/dispatch.h"
#include "ops/channel_shuffle.h"

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
    return eng_last_channels(w, node->out[0]) >= ENG_CHANNEL_BLOCK &&
           eng_last_channels(w, node->in[0]) >= ENG_CHANNEL_BLOCK;
}

static size_t count_convolutions(const struct eng_turn *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->graph->n_nodes; i++)
        n += eng_last_is_convolution(w, &w->graph->nodes[i]);
    return n;
}

static bool pays(const struct eng_turn *w)
{
    double all = 0, gained = 0;
    for (size_t i = 0; i < w->graph->n_nodes; i++) {
        const struct eng_node *node = &w->graph->nodes[i];
        if (!eng_last_is_convolution(w, node)) continue;
        all += work(w, node);
        if (gains(w, node)) gained += work(w, node);
    }
    return gained > 0 && gained >= all / 2;
}

static bool is_binary(const struct eng_node *node)
{
    return node->n_in == 2 && (eng_pattern_is(node, "Add") || eng_pattern_is(node, "Sub") ||
                               eng_pattern_is(node, "Mul") || eng_pattern_is(node, "Div"));
}

static enum eng_status step(struct eng_turn *w, const struct eng_node *node, struct eng_error *err)
{
    bool done = false;
    enum eng_status status = ENG_OK;
    if (eng_last_is_convolution(w, node))
        status = eng_last_convolution(w, node, &done, err);
    else if (is_binary(node) && eng_last_is_picture(w, node->out[0]))
        status = eng_last_binary(w, node, &done, err);
    else if (eng_pattern_is(node, "Concat"))
        status = eng_last_concat(w, node, &done, err);
    else if (node->op == &eng_op_channel_shuffle)
        status = eng_last_shuffle(w, node, &done, err);
    else if (eng_pattern_is(node, "Transpose"))
        status = eng_last_transpose(w, node, &done, err);
    else if (node->n_in > 0 && eng_last_has_twin(w, node->in[0]))
        status = eng_last_picture(w, node, &done, err);
    return status == ENG_OK && !done ? eng_turn_keep(w, node, err) : status;
}

enum eng_status eng_channels_last(struct eng_rewrite *rewrite, struct eng_error *err)
{
    struct eng_turn w;
    enum eng_status status = eng_turn_begin(&w, rewrite, err);
    bool turns = status == ENG_OK && pays(&w);
    if (turns) w.n_convolutions = count_convolutions(&w);
    w.growth_floats = eng_last_growth_floats(w.graph);
    for (size_t i = 0; turns && status == ENG_OK && i < w.graph->n_nodes; i++)
        status = step(&w, &w.graph->nodes[i], err);
    if (turns && status == ENG_OK) status = eng_turn_finish(&w, err);
    eng_turn_end(&w);
    return status;
}
