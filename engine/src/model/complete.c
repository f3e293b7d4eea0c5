/* What a file and its config left open: guessed from the graph, or refused where it does not fit.
 */
#include "model/model_internal.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 65536 };

/* Elements of one sample: the whole tensor for a graph that is bound to its batch. */
static int64_t per_sample(const struct eng_model *model, int value)
{
    struct eng_shape shape = model->symbolic[value].shape;
    for (int d = 0; d < shape.rank; d++)
        if (shape.dim[d] == -1) shape.dim[d] = 1;
    return eng_shape_count(&shape);
}

/* The side of a square with that many pixels, 0 if there is none. */
static uint32_t square_side(int64_t n_pixels)
{
    int64_t side = (int64_t)sqrt((double)n_pixels);
    while (side * side < n_pixels)
        side++;
    return side * side == n_pixels && side < UINT16_MAX ? (uint32_t)side : 0;
}

static bool set_size(struct eng_preprocess *pre, int64_t channels, int64_t height, int64_t width)
{
    if ((channels != 1 && channels != 3) || height < 1 || width < 1 || height > UINT16_MAX ||
        width > UINT16_MAX)
        return false;
    pre->color = channels == 1 ? ENG_COLOR_GRAY : ENG_COLOR_RGB;
    pre->height_px = (uint32_t)height;
    pre->width_px = (uint32_t)width;
    return true;
}

/* [N, C, H, W], [N, H, W, C], [N, H, W], or a flat row of a square picture in grey or RGB. */
static bool guess_size(const struct eng_shape *shape, int64_t n_elements,
                       struct eng_preprocess *pre)
{
    const int64_t *dim = shape->dim;
    pre->layout = ENG_LAYOUT_CHW;
    if (shape->rank == 4 && set_size(pre, dim[1], dim[2], dim[3])) return true;
    if (shape->rank == 4 && set_size(pre, dim[3], dim[1], dim[2])) {
        pre->layout = ENG_LAYOUT_HWC;
        return true;
    }
    if (shape->rank == 3 && dim[1] > 1 && dim[2] > 1) return set_size(pre, 1, dim[1], dim[2]);
    uint32_t side = square_side(n_elements);
    if (side) return set_size(pre, 1, side, side);
    side = n_elements % 3 == 0 ? square_side(n_elements / 3) : 0;
    return side && set_size(pre, 3, side, side);
}

/* What the file and its config left open follows the input. False: the input does not tell. */
static bool fill_preprocess(struct eng_card_source *source, const struct eng_shape *shape,
                            int64_t n_elements)
{
    struct eng_preprocess guess, *pre = &source->card.preprocess;
    if (source->has_color && source->has_layout && source->has_size) return true;
    if (!guess_size(shape, n_elements, &guess)) return false;
    enum eng_origin *origin = source->card.origin;
    if (!source->has_color) {
        pre->color = guess.color;
        origin[ENG_CARD_COLOR] = ENG_ORIGIN_GUESSED;
    }
    if (!source->has_layout) {
        pre->layout = guess.layout;
        origin[ENG_CARD_LAYOUT] = ENG_ORIGIN_GUESSED;
    }
    if (!source->has_size) {
        pre->width_px = guess.width_px;
        pre->height_px = guess.height_px;
        origin[ENG_CARD_SIZE] = shape->rank > 2 ? ENG_ORIGIN_FILE : ENG_ORIGIN_GUESSED;
    }
    return true;
}

/* Whether the sides and channels stand where the layout says, as far as the shape shows it. */
static bool fits_layout(const struct eng_preprocess *pre, const struct eng_shape *shape)
{
    bool last = pre->layout == ENG_LAYOUT_HWC;
    return shape->rank != 4 || (shape->dim[last ? 3 : 1] == eng_preprocess_channels(pre) &&
                                shape->dim[last ? 1 : 2] == pre->height_px &&
                                shape->dim[last ? 2 : 3] == pre->width_px);
}

/* Errors: FORMAT. What was guessed may well not fit: a graph need not take pictures. */
static enum eng_status check_preprocess(const struct eng_model *model, int input,
                                        struct eng_error *err)
{
    const struct eng_preprocess *pre = &model->source.card.preprocess;
    const char *name = model->graph.values[input].name;
    char text[96];
    eng_shape_format(&model->symbolic[input].shape, text, sizeof text);
    if (pre->width_px == 0)
        return eng_fail(err, ENG_FORMAT,
                        "input '%s' of shape %s does not tell a picture's size; wanted color, "
                        "layout, width and height in preprocess",
                        name, text);
    size_t count = eng_preprocess_count(pre);
    if ((int64_t)count != per_sample(model, input))
        return eng_fail(
            err, ENG_FORMAT,
            "preprocessing gives %u x %u x %u = %zu values, but input '%s' has shape %s",
            eng_preprocess_channels(pre), pre->height_px, pre->width_px, count, name, text);
    if (!fits_layout(pre, &model->symbolic[input].shape))
        return eng_fail(
            err, ENG_FORMAT,
            "preprocessing gives %u channels of height %u and width %u in layout %s, but "
            "input '%s' has shape %s",
            eng_preprocess_channels(pre), pre->height_px, pre->width_px,
            pre->layout == ENG_LAYOUT_HWC ? "hwc" : "chw", name, text);
    if (pre->resize == ENG_RESIZE_CENTER_CROP &&
        (pre->shorter_side_px < pre->width_px || pre->shorter_side_px < pre->height_px))
        return eng_fail(err, ENG_FORMAT,
                        "preprocess.shorter_side is %u; wanted at least the picture's %u x %u",
                        pre->shorter_side_px, pre->width_px, pre->height_px);
    return ENG_OK;
}

/* What a session converts samples to, and answers from. */
static bool is_real(enum eng_dtype dtype)
{
    return dtype == ENG_FLOAT32 || dtype == ENG_FLOAT64;
}

static bool takes_samples(enum eng_dtype dtype)
{
    return is_real(dtype) || dtype == ENG_UINT8;
}

static enum eng_status complete_preprocess(struct eng_model *model, struct eng_error *err)
{
    struct eng_card_source *source = &model->source;
    const struct eng_graph *graph = &model->graph;
    int input = graph->n_inputs == 1 ? graph->inputs[0] : ENG_NO_VALUE;
    bool fits = input != ENG_NO_VALUE && takes_samples(model->symbolic[input].dtype) &&
                is_real(model->symbolic[model->answer].dtype);
    bool stated = source->has_preprocess || source->has_color;
    if (stated && !fits)
        return eng_fail(
            err, ENG_FORMAT,
            "preprocessing is given, but the graph has not one input of floats or bytes "
            "and an output of floats");
    if (!fits) return ENG_OK;
    if (!source->has_preprocess && model->symbolic[input].dtype == ENG_UINT8)
        source->card.preprocess.scale = 1; /* bytes hold the pixels as they are */
    bool filled = fill_preprocess(source, &model->symbolic[input].shape, per_sample(model, input));
    if (!stated && (!filled || check_preprocess(model, input, NULL) != ENG_OK)) return ENG_OK;
    enum eng_status status = eng_card_settle_size(source, err);
    if (status == ENG_OK) status = check_preprocess(model, input, err);
    if (status != ENG_OK) return status;
    if (!source->has_preprocess) {
        source->card.guessed |= ENG_GUESS_PREPROCESS;
        source->card.origin[ENG_CARD_RESIZE] = ENG_ORIGIN_GUESSED;
        source->card.origin[ENG_CARD_VALUES] = ENG_ORIGIN_GUESSED;
    }
    source->card.takes_images = true;
    model->sample_count = eng_preprocess_count(&source->card.preprocess);
    return ENG_OK;
}

/* Whether the value holds probabilities, looking through nodes that only reshape. */
static bool ends_in_probabilities(const struct eng_graph *graph, int value)
{
    for (size_t i = graph->n_nodes; i-- > 0;) {
        const struct eng_node *node = &graph->nodes[i];
        if (node->out[0] != value) continue;
        if (node->op->flags & ENG_OP_PROBABILITIES) return true;
        if (!(node->op->flags & (ENG_OP_VIEW | ENG_OP_NO_OP))) return false;
        value = node->in[0];
    }
    return false;
}

static enum eng_status guess_labels(struct eng_model *model, size_t n, struct eng_error *err)
{
    const char **labels = eng_arena_alloc(&model->arena, n, sizeof *labels);
    for (size_t i = 0; labels && i < n; i++) {
        char text[24];
        int length = snprintf(text, sizeof text, "%zu", i);
        labels[i] = eng_arena_string(&model->arena, text, (size_t)length);
        if (!labels[i]) labels = NULL;
    }
    if (!labels) return eng_fail_memory(err, "the labels");
    model->source.card.labels = labels;
    model->source.card.n_classes = n;
    model->source.card.guessed |= ENG_GUESS_LABELS;
    model->source.card.origin[ENG_CARD_LABELS] = ENG_ORIGIN_GUESSED;
    return ENG_OK;
}

static enum eng_status complete_classes(struct eng_model *model, struct eng_error *err)
{
    struct eng_card *card = &model->source.card;
    const char *name = model->graph.values[model->answer].name;
    int64_t n_classes = per_sample(model, model->answer);
    if (n_classes < 1 || n_classes > MAX_CLASSES) {
        if (card->guessed & ENG_GUESS_PREPROCESS && !card->labels) { /* no classifier, then */
            card->takes_images = false;
            return ENG_OK;
        }
        return eng_fail(err, ENG_LIMIT, "output '%s' has %lld classes, wanted 1 to %d", name,
                        (long long)n_classes, MAX_CLASSES);
    }
    if (card->labels && card->n_classes != (size_t)n_classes)
        return eng_fail(err, ENG_FORMAT, "there are %zu labels, but output '%s' has %lld classes",
                        card->n_classes, name, (long long)n_classes);
    bool sure = ends_in_probabilities(&model->graph, model->answer);
    if (!model->source.has_softmax)
        card->origin[ENG_CARD_SOFTMAX] = sure ? ENG_ORIGIN_FILE : ENG_ORIGIN_GUESSED;
    if (!model->source.has_softmax && !sure) {
        card->add_softmax = true;
        card->guessed |= ENG_GUESS_SOFTMAX;
    }
    return card->labels ? ENG_OK : guess_labels(model, (size_t)n_classes, err);
}

/* A model of vectors says so, for their number could be a picture's as well. */
static enum eng_status complete_features(struct eng_model *model, struct eng_error *err)
{
    const struct eng_graph *graph = &model->graph;
    const struct eng_card_source *source = &model->source;
    const struct eng_tensor *input = &model->symbolic[graph->inputs[0]];
    const struct eng_tensor *output = &model->symbolic[model->answer];
    char text[96];
    if (source->has_preprocess || source->has_color)
        return eng_fail(err, ENG_FORMAT,
                        "both features and preprocessing are given; wanted vectors or pictures");
    if (graph->n_inputs != 1 || !takes_samples(input->dtype) || !is_real(output->dtype) ||
        input->shape.rank != 2 || input->shape.dim[1] != (int64_t)source->card.n_features)
        return eng_fail(err, ENG_FORMAT,
                        "%zu features are named, but input '%s' is %s %s; wanted one input "
                        "[N, %zu] of floats or bytes and an output of floats",
                        source->card.n_features, graph->values[graph->inputs[0]].name,
                        eng_dtype_name(input->dtype),
                        eng_shape_format(&input->shape, text, sizeof text),
                        source->card.n_features);
    model->sample_count = source->card.n_features;
    if (source->card.labels) return complete_classes(model, err);
    if (per_sample(model, model->answer) == 1) return ENG_OK;
    return eng_fail(err, ENG_FORMAT,
                    "features are named and no labels, but output '%s' is %s; wanted one number "
                    "for each sample",
                    graph->values[model->answer].name,
                    eng_shape_format(&output->shape, text, sizeof text));
}

/* The output of that name, or at that place; ENG_NO_VALUE if there is none. */
static int find_output(const struct eng_graph *graph, const char *wanted)
{
    for (size_t i = 0; i < graph->n_outputs; i++)
        if (strcmp(graph->values[graph->outputs[i]].name, wanted) == 0) return graph->outputs[i];
    char *end;
    unsigned long long place = strtoull(wanted, &end, 10);
    bool is_place = *wanted >= '0' && *wanted <= '9' && !*end && place < graph->n_outputs;
    return is_place ? graph->outputs[place] : ENG_NO_VALUE;
}

/* The output that is named, or the first that holds floats: labels may stand before scores. */
static enum eng_status choose_answer(struct eng_model *model, struct eng_error *err)
{
    const struct eng_graph *graph = &model->graph;
    const char *wanted = model->source.card.output;
    model->answer = graph->outputs[0];
    for (size_t i = graph->n_outputs; i-- > 0;)
        if (is_real(model->symbolic[graph->outputs[i]].dtype)) model->answer = graph->outputs[i];
    if (!wanted && graph->n_outputs > 1)
        model->source.card.origin[ENG_CARD_OUTPUT] = ENG_ORIGIN_GUESSED;
    if (wanted) {
        model->answer = find_output(graph, wanted);
        if (model->answer == ENG_NO_VALUE)
            return eng_fail(err, ENG_FORMAT,
                            "output is '%s', but the graph has no output of that name; wanted one "
                            "of its %zu, the first of which is '%s', or its place, 0 to %zu",
                            wanted, graph->n_outputs, graph->values[graph->outputs[0]].name,
                            graph->n_outputs - 1);
        if (!is_real(model->symbolic[model->answer].dtype))
            return eng_fail(err, ENG_FORMAT, "output '%s' holds %s; wanted one that holds floats",
                            graph->values[model->answer].name,
                            eng_dtype_name(model->symbolic[model->answer].dtype));
    }
    model->source.card.output = graph->values[model->answer].name;
    return ENG_OK;
}

enum eng_status eng_model_complete_card(struct eng_model *model, struct eng_error *err)
{
    const struct eng_card *card = &model->source.card;
    enum eng_status status = choose_answer(model, err);
    if (status != ENG_OK) return status;
    if (card->n_features > 0 && model->graph.n_inputs > 0) {
        status = complete_features(model, err);
    } else {
        status = complete_preprocess(model, err);
        if (status == ENG_OK && card->takes_images) status = complete_classes(model, err);
    }
    model->n_answers = card->n_classes > 0 ? card->n_classes : 1;
    return status;
}
