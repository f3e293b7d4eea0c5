#include "describe_parts.h"

#include <stdio.h>

const struct describe_guess describe_guesses[] = {
    {ENG_GUESS_LABELS, "labels"},
    {ENG_GUESS_PREPROCESS, "preprocess"},
    {ENG_GUESS_SOFTMAX, "softmax"},
};

const size_t describe_n_guesses = sizeof describe_guesses / sizeof describe_guesses[0];

const char *describe_color(const struct eng_preprocess *pre)
{
    static const char *const names[] = {
        [ENG_COLOR_GRAY] = "gray", [ENG_COLOR_RGB] = "rgb", [ENG_COLOR_BGR] = "bgr"};
    return names[pre->color];
}

const char *describe_resize(const struct eng_preprocess *pre)
{
    static const char *const names[] = {[ENG_RESIZE_STRETCH] = "stretch",
                                        [ENG_RESIZE_CENTER_CROP] = "center_crop",
                                        [ENG_RESIZE_LETTERBOX] = "letterbox"};
    return names[pre->resize];
}

const char *describe_filter(const struct eng_preprocess *pre)
{
    static const char *const names[] = {[ENG_FILTER_BILINEAR] = "bilinear",
                                        [ENG_FILTER_BICUBIC] = "bicubic",
                                        [ENG_FILTER_NEAREST] = "nearest"};
    return names[pre->filter];
}

const char *describe_layout(const struct eng_preprocess *pre)
{
    return pre->layout == ENG_LAYOUT_CHW ? "chw" : "hwc";
}

const struct eng_graph *describe_graph(const struct eng_model *model)
{
    return model->plans[0]->graph;
}

const char *describe_activation(const struct eng_node *node)
{
    return eng_activation_name(node->activation.kind);
}

const char *describe_operator(const struct eng_node *node, char *buf, size_t n)
{
    const char *activation = describe_activation(node);
    snprintf(buf, n, "%s%s%s", node->op->name, activation ? " + " : "",
             activation ? activation : "");
    return buf;
}

static size_t count_floats(const struct eng_value *value)
{
    if (value->kind != ENG_VALUE_CONSTANT) return 0;
    if (value->is_packed) return value->n_packed;
    return value->tensor.dtype == ENG_FLOAT32 ? (size_t)eng_shape_count(&value->tensor.shape) : 0;
}

size_t describe_parameters(const struct eng_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < describe_graph(model)->n_values; i++)
        n += count_floats(&describe_graph(model)->values[i]);
    return n;
}

size_t describe_node_parameters(const struct eng_model *model, const struct eng_node *node)
{
    size_t n = 0;
    for (size_t i = 0; i < node->n_in; i++)
        if (node->in[i] != ENG_NO_VALUE)
            n += count_floats(&describe_graph(model)->values[node->in[i]]);
    return n;
}

bool describe_is_known(const struct eng_model *model, size_t node)
{
    for (int b = 0; b<model->n_plans; b += model->n_plans> 1 ? model->n_plans - 1 : 1)
        if (!model->plans[b]->nodes[node].is_known) return false;
    return true;
}

size_t describe_known_nodes(const struct eng_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < describe_graph(model)->n_nodes; i++)
        n += describe_is_known(model, i);
    return n;
}

size_t describe_scratch_bytes(const struct eng_model *model, const struct eng_plan *plan)
{
    size_t most = 0;
    for (size_t i = 0; i < describe_graph(model)->n_nodes; i++)
        if (plan->nodes[i].scratch_bytes > most) most = plan->nodes[i].scratch_bytes;
    return most;
}
