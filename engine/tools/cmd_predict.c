/* classify predict: pictures in, labels and probabilities out. */
#include "base/error.h"
#include "base/mem.h"
#include "classifier.h"
#include "command.h"
#include "json.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_TOP = 5 };

struct predict_options {
    int64_t top;
    bool json;
    const char *config;
};

static const struct tool_option options[] = {
    TOOL_INT(struct predict_options, top, 0, 1, 1e6, "K",
             "classes to show, most probable first; without it the model's own number, else 5"),
    TOOL_FLAG(struct predict_options, json, "answer in JSON"),
    TOOL_TEXT(struct predict_options, config, "FILE", "config.json with labels and preprocessing"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL IMAGE...",
    .min_args = 2,
    .max_args = 1000000,
    .help = "Says what is in each PNG or JPEG, with the model's own preprocessing.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

struct predictor {
    struct eng_model *model;
    struct eng_session *session;
    size_t *order; /* [n_top] */
    size_t n_top;
};

static void predictor_fini(struct predictor *p)
{
    free(p->order);
    eng_session_destroy(p->session);
    eng_model_destroy(p->model);
}

/* On failure the caller still ends p with predictor_fini. */
static enum eng_status predictor_init(struct predictor *p, const char *path,
                                      const struct predict_options *opt, struct eng_error *err)
{
    enum eng_status status = tool_classifier_open(path, opt->config, 1, &p->model, err);
    if (status) return status;
    const struct eng_card *card = eng_model_card(p->model);
    size_t wanted = opt->top ? (size_t)opt->top : card->top ? card->top : DEFAULT_TOP;
    p->n_top = wanted < card->n_classes ? wanted : card->n_classes;
    p->order = eng_calloc(p->n_top, sizeof *p->order);
    if (!p->order) return eng_fail_memory(err, "the list of classes");
    return eng_session_create(p->model, NULL, &p->session, err);
}

/* *out: [n_classes], valid until the next picture. */
static enum eng_status predict(struct predictor *p, const char *path, const float **out,
                               struct eng_error *err)
{
    const struct eng_card *card = eng_model_card(p->model);
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image image;
    enum eng_status status = eng_image_load(path, &limits, &image, err);
    if (status) return status;
    float *sample = eng_session_sample(p->session, 1, 0);
    status = eng_preprocess_image(&card->preprocess, &image, sample, err);
    eng_image_fini(&image);
    if (status) return status;
    const float *probabilities = eng_session_classify(p->session, 1);
    tool_top_classes(probabilities, card->n_classes, p->order, p->n_top);
    *out = probabilities;
    return ENG_OK;
}

static void print_prediction(const struct predictor *p, const char *path,
                             const float *probabilities)
{
    const struct eng_card *card = eng_model_card(p->model);
    printf("%s\n", path);
    for (size_t i = 0; i < p->n_top; i++)
        printf("  %7.3f %%  %s\n", 100.0 * (double)probabilities[p->order[i]],
               card->labels[p->order[i]]);
}

static json_t *prediction_json(const struct predictor *p, const char *path,
                               const float *probabilities)
{
    const struct eng_card *card = eng_model_card(p->model);
    json_t *list = json_array();
    for (size_t i = 0; i < p->n_top; i++) {
        size_t class = p->order[i];
        json_array_append_new(list, json_pack("{s:i, s:s, s:o}", "index", (int)class, "label",
                                              card->labels[class], "probability",
                                              tool_json_number((double)probabilities[class])));
    }
    return json_pack("{s:s, s:o}", "file", path, "predictions", list);
}

/* One picture's part of the answer, printed or appended to json. A picture that cannot be read is
 * part of the JSON answer too. */
static enum eng_status answer_one(struct predictor *p, const char *path, json_t *json,
                                  struct eng_error *err)
{
    const float *probabilities;
    enum eng_status status = predict(p, path, &probabilities, err);
    if (!json) {
        if (!status) print_prediction(p, path, probabilities);
        return status;
    }
    json_t *part = status ? json_pack("{s:s, s:s}", "file", path, "error", err->text)
                          : prediction_json(p, path, probabilities);
    if (json_array_append_new(json, part))
        return eng_fail(err, ENG_ARGUMENT, "%s cannot be named in JSON: not UTF-8", path);
    return status;
}

/* A picture that cannot be read does not keep the others from being answered. */
static int answer_all(struct predictor *p, char **paths, size_t n_paths, json_t *json)
{
    int code = TOOL_OK;
    for (size_t i = 0; i < n_paths; i++) {
        struct eng_error err = {0};
        if (answer_one(p, paths[i], json, &err)) code = tool_fail("predict", &err);
    }
    return code;
}

int cmd_predict(int argc, char **argv)
{
    struct predict_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct predictor p = {0};
    if (predictor_init(&p, args[0], &opt, &err)) {
        predictor_fini(&p);
        return tool_fail(argv[0], &err);
    }
    json_t *pictures = opt.json ? json_array() : NULL;
    code = answer_all(&p, args + 1, n_args - 1, pictures);
    if (opt.json && tool_json_print_take(json_pack("{s:s, s:s, s:o}", "model", args[0], "digest",
                                                   eng_model_digest(p.model), "pictures", pictures),
                                         &err))
        code = tool_fail(argv[0], &err);
    predictor_fini(&p);
    return code;
}
