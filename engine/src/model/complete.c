/* What a file and its config left open about its answers: guessed from the graph, or refused where
 * it does not fit. */
#include "model/complete.h"

#include "base/error.h"
#include "model/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 65536 };

int64_t eng_model_per_sample(const struct eng_model *model, int value)
{
    struct eng_shape shape = model->symbolic[value].shape;
    for (int d = 0; d < shape.rank; d++)
        if (shape.dim[d] == -1) shape.dim[d] = 1;
    return eng_shape_count(&shape);
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

/* A graph that is not said to classify need not: then it takes no pictures here. */
static bool is_stated(const struct eng_card_source *source)
{
    return source->has_preprocess || source->has_color || source->has_softmax ||
           source->card.labels;
}

/* Errors: LIMIT, FORMAT. */
static enum eng_status check_count(const struct eng_model *model, int64_t n_classes,
                                   struct eng_error *err)
{
    const struct eng_card *card = &model->source.card;
    if (n_classes < 1 || n_classes > MAX_CLASSES)
        return eng_fail(err, ENG_LIMIT, "output '%s' has %lld classes, wanted 1 to %d",
                        card->output, (long long)n_classes, MAX_CLASSES);
    if (!card->labels || card->n_classes == (size_t)n_classes) return ENG_OK;
    const char *advice = "";
    if (n_classes == (int64_t)card->n_classes + 1)
        advice = "; TensorFlow's networks often have one more, 'background', as the first";
    if (n_classes == 1) advice = "; wanted the one label that its number is the probability of";
    return eng_fail(err, ENG_FORMAT, "there are %zu labels, but output '%s' has %lld class%s%s",
                    card->n_classes, card->output, (long long)n_classes, n_classes == 1 ? "" : "es",
                    advice);
}

/* What the answers are: said, or seen at the graph's end, or guessed to be scores. */
static enum eng_status decide_softmax(struct eng_model *model, int64_t n_classes,
                                      struct eng_error *err)
{
    struct eng_card *card = &model->source.card;
    bool stated = model->source.has_softmax;
    enum eng_answers ends = eng_ends_answers(&model->graph, model->answer);
    bool seen = ends == ENG_ANSWERS_SCORES || ends == ENG_ANSWERS_LOGARITHMS;
    bool scores = stated ? card->add_softmax : seen;
    if (n_classes == 1 && scores)
        return eng_fail(err, ENG_FORMAT,
                        "output '%s' gives one number, and a softmax of one score is always 1; "
                        "wanted a graph that ends in a Sigmoid, or a score for each class",
                        card->output);
    card->add_softmax = scores;
    /* One probability alone is that of yes against no. */
    card->independent = !scores && (ends == ENG_ANSWERS_INDEPENDENT || n_classes == 1);
    if (stated) return ENG_OK;
    bool guessed = ends == ENG_ANSWERS_SCORES;
    card->origin[ENG_CARD_SOFTMAX] = guessed ? ENG_ORIGIN_GUESSED : ENG_ORIGIN_FILE;
    if (guessed) card->guessed |= ENG_GUESS_SOFTMAX;
    return ENG_OK;
}

static enum eng_status complete_classes(struct eng_model *model, struct eng_error *err)
{
    const struct eng_card *card = &model->source.card;
    int64_t n_classes = eng_model_per_sample(model, model->answer);
    struct eng_error why = {0};
    bool stated = is_stated(&model->source);
    enum eng_status status = check_count(model, n_classes, &why);
    if (status == ENG_OK) status = decide_softmax(model, n_classes, &why);
    if (status != ENG_OK)
        return stated ? eng_fail(err, status, "%s", why.text)
                      : eng_model_decline(model, why.text, err);
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
    if (graph->n_inputs != 1 || !eng_model_takes_samples(input->dtype) ||
        !eng_model_is_real(output->dtype) || input->shape.rank != 2 ||
        input->shape.dim[1] != (int64_t)source->card.n_features)
        return eng_fail(err, ENG_FORMAT,
                        "%zu features are named, but input '%s' is %s %s; wanted one input "
                        "[N, %zu] of floats or bytes and an output of floats",
                        source->card.n_features, graph->values[graph->inputs[0]].name,
                        eng_dtype_name(input->dtype),
                        eng_shape_format(&input->shape, text, sizeof text),
                        source->card.n_features);
    model->sample_count = source->card.n_features;
    if (source->card.labels) return complete_classes(model, err);
    if (eng_model_per_sample(model, model->answer) == 1) return ENG_OK;
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
        if (eng_model_is_real(model->symbolic[graph->outputs[i]].dtype))
            model->answer = graph->outputs[i];
    if (!wanted && graph->n_outputs > 1)
        model->source.card.origin[ENG_CARD_OUTPUT] = ENG_ORIGIN_GUESSED;
    if (wanted) {
        model->answer = find_output(graph, wanted);
        if (model->answer == ENG_NO_VALUE && graph->n_outputs == 1)
            return eng_fail(err, ENG_FORMAT,
                            "output is '%s', but the graph has no output of that name; wanted its "
                            "only one, '%s' or 0",
                            wanted, graph->values[graph->outputs[0]].name);
        if (model->answer == ENG_NO_VALUE)
            return eng_fail(err, ENG_FORMAT,
                            "output is '%s', but the graph has no output of that name; wanted one "
                            "of its %zu, the first of which is '%s', or its place, 0 to %zu",
                            wanted, graph->n_outputs, graph->values[graph->outputs[0]].name,
                            graph->n_outputs - 1);
        if (!eng_model_is_real(model->symbolic[model->answer].dtype))
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
        status = eng_model_complete_picture(model, err);
        if (status == ENG_OK && card->takes_images) status = complete_classes(model, err);
    }
    model->n_answers = card->n_classes > 0 ? card->n_classes : 1;
    return status;
}
