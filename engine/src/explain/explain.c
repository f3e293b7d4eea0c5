/* The way that all explanations go: check, choose, ask the model, run the method. */
#include "engine/explain.h"

#include "base/error.h"
#include "base/mem.h"
#include "explain/methods.h"
#include "explain/net.h"
#include "explain/parameters.h"
#include "explain/pixels.h"
#include "model/whole.h"

#include <math.h>
#include <stdlib.h>

void eng_explanation_fini(struct eng_explanation *explanation)
{
    if (!explanation) return;
    for (size_t i = 0; i < explanation->n_neighbours; i++)
        eng_image_fini(&explanation->neighbours[i].picture);
    free(explanation->neighbours);
    free(explanation->map);
    *explanation = (struct eng_explanation){0};
}

static enum eng_status check_method(const struct eng_explain_request *request,
                                    struct eng_error *err)
{
    if ((unsigned)request->method < ENG_N_EXPLAIN_METHODS) return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT, "the method is %d, wanted 0 to %d", (int)request->method,
                    ENG_N_EXPLAIN_METHODS - 1);
}

/* Of a model that takes pictures. */
static enum eng_status check_picture(const struct eng_model *model,
                                     const struct eng_explain_request *request,
                                     struct eng_error *err)
{
    size_t n = model->n_answers;
    if (request->class_index < -1 || request->class_index >= (int64_t)n)
        return eng_fail(err, ENG_ARGUMENT, "the class is %lld, wanted 0 to %zu, or -1 for the best",
                        (long long)request->class_index, n - 1);
    for (size_t i = 0; i < model->sample_count; i++)
        if (!isfinite(request->sample[i]))
            return eng_fail(err, ENG_ARGUMENT, "value %zu of the picture is %g, wanted a number", i,
                            (double)request->sample[i]);
    return ENG_OK;
}

static size_t best_class(const float *answers, size_t n)
{
    size_t best = 0;
    for (size_t c = 1; c < n; c++)
        if (answers[c] > answers[best]) best = c;
    return best;
}

/* What the model says of the picture, and which class is meant. */
static enum eng_status ask(const struct eng_model *model, const struct eng_explain_request *request,
                           struct eng_explanation *out, struct eng_error *err)
{
    struct eng_explain_target target = eng_explain_find_target(model);
    struct eng_explain_net net;
    float *answers = eng_calloc(model->n_answers, sizeof *answers);
    enum eng_status status = eng_explain_net_create(model, 1, request->pool, &net, err);
    if (!answers) status = eng_fail_memory(err, "a model's answers");
    if (status == ENG_OK) {
        eng_explain_net_put(&net, 0, request->sample);
        eng_explain_net_run(&net);
        eng_explain_net_answers(&net, 0, answers);
        out->class_index = request->class_index >= 0 ? (size_t)request->class_index
                                                     : best_class(answers, model->n_answers);
        out->probability = (double)answers[out->class_index];
        out->score = eng_explain_net_score(&net, 0, out->class_index);
        out->is_logit = target.is_logit;
        out->score_name = model->graph.values[target.value].name;
        out->n_runs = 1;
    }
    eng_explain_net_fini(&net);
    free(answers);
    return status;
}

/* A kink of Sqrt, an overflow: scores may be numbers where their slopes or neighbours are not. */
static enum eng_status sum_map(struct eng_explanation *out, struct eng_error *err)
{
    for (size_t p = 0; p < (size_t)out->width_px * out->height_px; p++) {
        if (!isfinite(out->map[p]))
            return eng_fail(err, ENG_UNSUPPORTED,
                            "%s gives %g for the pixel in row %zu, column %zu: the score or its "
                            "gradient is not finite near this picture; another method or baseline "
                            "may do",
                            eng_explain_method_name(out->method), (double)out->map[p],
                            p / out->width_px, p % out->width_px);
        out->sum += (double)out->map[p];
    }
    return ENG_OK;
}

static enum eng_status run(const struct eng_model *model, const struct eng_explain_request *request,
                           struct eng_explanation *out, struct eng_error *err)
{
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    const struct eng_explain_way *way = eng_explain_way(out->method);
    size_t n_pixels = eng_explain_n_pixels(pre);
    enum eng_status status = ask(model, request, out, err);
    if (status != ENG_OK) return status;
    if (!isfinite(out->score))
        return eng_fail(err, ENG_UNSUPPORTED,
                        "the score of class %zu is %g for this picture, wanted a number to explain",
                        out->class_index, out->score);
    if (!way->has_map) return way->run(model, request, out, err);
    out->width_px = pre->width_px;
    out->height_px = pre->height_px;
    out->map = eng_calloc(n_pixels, sizeof *out->map);
    if (!out->map) return eng_fail_memory(err, "an explanation's map");
    status = way->run(model, request, out, err);
    return status == ENG_OK ? sum_map(out, err) : status;
}

static enum eng_status explain(const struct eng_model *model,
                               const struct eng_explain_request *request,
                               struct eng_explanation *found, struct eng_error *err)
{
    struct eng_explain_progress begin = {.request = request};
    enum eng_status status = eng_explain_choose_whole(model, request->method, &found->method, err);
    if (status == ENG_OK) status = check_picture(model, request, err);
    if (status == ENG_OK) status = eng_explain_go_on(&begin, err);
    return status == ENG_OK ? run(model, request, found, err) : status;
}

/* The same name in the graph that stays. */
static const char *lasting_name(const struct eng_model *model, const char *name)
{
    int value = name ? eng_graph_find(&model->graph, name) : ENG_NO_VALUE;
    return value == ENG_NO_VALUE ? NULL : model->graph.values[value].name;
}

enum eng_status eng_explain(const struct eng_model *model,
                            const struct eng_explain_request *request, struct eng_explanation *out,
                            struct eng_error *err)
{
    struct eng_explanation found = {.baseline_score = NAN};
    struct eng_model_whole whole;
    enum eng_status status = check_method(request, err);
    if (status == ENG_OK) status = eng_explain_check_parameters(request, err);
    if (status == ENG_OK) status = eng_model_whole_begin(model, &whole, err);
    if (status != ENG_OK) return status;
    status = explain(whole.model, request, &found, err);
    found.score_name = lasting_name(model, found.score_name);
    found.layer_name = lasting_name(model, found.layer_name);
    eng_model_whole_end(&whole);
    if (status != ENG_OK) {
        eng_explanation_fini(&found);
        return status;
    }
    *out = found;
    return ENG_OK;
}
