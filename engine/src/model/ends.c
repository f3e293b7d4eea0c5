#include "model/ends.h"

#include <math.h>
#include <string.h>

static bool is_named(const struct eng_node *node, const char *name)
{
    return strcmp(node->op->name, name) == 0;
}

/* ---- the last nodes ---- */

static bool makes(const struct eng_node *node, int value)
{
    for (size_t k = 0; k < node->n_out; k++)
        if (node->out[k] == value) return true;
    return false;
}

/* One walk from the end: a producer stands before its readers. */
enum eng_answers eng_ends_answers(const struct eng_graph *graph, int output)
{
    int value = output;
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        if (!makes(node, value)) continue;
        enum eng_activation_kind kind = node->activation.kind;
        if (kind == ENG_ACT_SIGMOID) return ENG_ANSWERS_INDEPENDENT;
        if (kind != ENG_ACT_NONE || node->out[0] != value) break;
        if (node->op->flags & ENG_OP_PROBABILITIES) return ENG_ANSWERS_PROBABILITIES;
        if (is_named(node, "LogSoftmax")) return ENG_ANSWERS_LOGARITHMS;
        if (is_named(node, "Sigmoid")) return ENG_ANSWERS_INDEPENDENT;
        if (!(node->op->flags & (ENG_OP_VIEW | ENG_OP_NO_OP)) && !is_named(node, "Cast")) break;
        value = node->in[0];
        if (value == ENG_NO_VALUE) break;
    }
    return ENG_ANSWERS_SCORES;
}

/* ---- the first nodes ---- */

/* The node that alone reads the value; NULL if none or several do. */
static const struct eng_node *only_reader(const struct eng_graph *graph, int value)
{
    const struct eng_node *reader = NULL;
    if (value == ENG_NO_VALUE) return NULL;
    for (size_t i = 0; i < graph->n_nodes; i++)
        for (size_t k = 0; k < graph->nodes[i].n_in; k++) {
            if (graph->nodes[i].in[k] != value) continue;
            if (reader) return NULL;
            reader = &graph->nodes[i];
        }
    return reader;
}

static bool keeps_values(const struct eng_node *node)
{
    return node->op->flags & (ENG_OP_VIEW | ENG_OP_NO_OP) || is_named(node, "Cast") ||
           is_named(node, "Transpose");
}

/* The range of the at most three numbers, one per channel, that stand beside the value. */
static bool read_constants(const struct eng_graph *graph, const struct eng_node *node, int value,
                           double *least, double *most)
{
    if (node->n_in != 2) return false;
    int other = node->in[0] == value ? node->in[1] : node->in[0];
    if (other == ENG_NO_VALUE || graph->values[other].kind != ENG_VALUE_CONSTANT) return false;
    const struct eng_tensor *tensor = &graph->values[other].tensor;
    int64_t n = eng_shape_count(&tensor->shape);
    if (tensor->dtype != ENG_FLOAT32 || n < 1 || n > 3) return false;
    const float *numbers = tensor->data;
    *least = *most = (double)numbers[0];
    for (int64_t i = 1; i < n; i++) {
        *least = fmin(*least, (double)numbers[i]);
        *most = fmax(*most, (double)numbers[i]);
    }
    return true;
}

/* 1 / 127.5 and 1 / 255 bring bytes to the size of 1; 103.9 is a mean of bytes, 0.485 of 0 to 1. */
static enum eng_pixels tell(const char *op, double least, double most)
{
    enum eng_pixels by_mean = least > 10 ? ENG_PIXELS_ZERO_255 : ENG_PIXELS_UNKNOWN;
    if (least > 0 && most < 1) by_mean = ENG_PIXELS_ZERO_ONE;
    if (strcmp(op, "Sub") == 0) return by_mean;
    bool divides = strcmp(op, "Div") == 0 && least >= 50 && most <= 512;
    bool multiplies = strcmp(op, "Mul") == 0 && least >= 1.0 / 512 && most <= 1.0 / 50;
    bool adds = strcmp(op, "Add") == 0 && most < -10;
    return divides || multiplies || adds ? ENG_PIXELS_ZERO_255 : ENG_PIXELS_UNKNOWN;
}

enum eng_pixels eng_ends_pixels(const struct eng_graph *graph, int input)
{
    enum { MAX_STEPS = 8 }; /* exporters put one or two in front; each step looks at all nodes */
    int value = input;
    const struct eng_node *node = only_reader(graph, value);
    for (int n = 0; n < MAX_STEPS && node && keeps_values(node) && node->in[0] == value; n++) {
        value = node->out[0];
        node = only_reader(graph, value);
    }
    double least, most;
    if (!node || !read_constants(graph, node, value, &least, &most)) return ENG_PIXELS_UNKNOWN;
    bool first = node->in[0] == value || is_named(node, "Mul") || is_named(node, "Add");
    return first ? tell(node->op->name, least, most) : ENG_PIXELS_UNKNOWN;
}
