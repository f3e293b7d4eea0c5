/* classify eval: how often a model is right on a labelled data set, and where it errs. */
#include "base/error.h"
#include "base/file.h"
#include "command.h"
#include "engine/pool.h"
#include "eval_data.h"
#include "evaluate.h"
#include "json.h"
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct eval_options {
    const char *data;
    int split;
    const char *config;
    const char *predictions;
    int64_t threads;
    bool json;
};

/* In the order of enum eng_split. */
static const char *const splits[] = {"train", "test", NULL};

static const struct tool_option options[] = {
    TOOL_TEXT(struct eval_options, data, "DIR",
              "the data set, or the folder above it; a toy needs none"),
    TOOL_CHOICE(struct eval_options, split, ENG_SPLIT_TEST, splits, "train|test",
                "which half of it"),
    TOOL_TEXT(struct eval_options, config, "FILE", "config.json with labels and preprocessing"),
    TOOL_TEXT(struct eval_options, predictions, "FILE",
              "write the class of each sample, or its number, one per line"),
    TOOL_INT(struct eval_options, threads, 0, 0, 1024, "N", "threads; 0: one per CPU"),
    TOOL_FLAG(struct eval_options, json, "answer in JSON"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL",
    .min_args = 1,
    .max_args = 1,
    .help = "Asks a model about a data set that knows the answers: accuracy over all, per class,\n"
            "confusion matrix; of a model that predicts numbers, the mean squared error.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

enum {
    MAX_PRINTED_CLASSES = 20,      /* wider confusion matrices fit no terminal */
    MAX_CLASSES_WITHOUT_TOP_5 = 10 /* with no more classes, five of them say little */
};

struct report {
    const char *path;
    const struct eng_model *model;
    const struct tool_evaluation *evaluation;
};

static double percent(size_t part, size_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_confusion(const struct tool_evaluation *e, const char *const *labels)
{
    printf("\nconfusion matrix (rows: label, columns: prediction by index)\n%-16s", "");
    for (size_t c = 0; c < e->n_classes; c++)
        printf(" %6zu", c);
    for (size_t r = 0; r < e->n_classes; r++) {
        printf("\n%-16.16s", labels[r]);
        for (size_t c = 0; c < e->n_classes; c++)
            printf(" %6zu", e->confusion[r * e->n_classes + c]);
    }
    printf("\n");
}

static void print_classes(const struct report *report)
{
    const struct tool_evaluation *e = report->evaluation;
    const char *const *labels = eng_model_card(report->model)->labels;
    printf("accuracy  %.2f %%\n", percent(e->n_correct, e->n_samples));
    if (e->n_classes > MAX_CLASSES_WITHOUT_TOP_5)
        printf("top-5     %.2f %%\n", percent(e->n_among_top_5, e->n_samples));
    printf("\n%-16s %8s %8s %9s\n", "class", "samples", "correct", "accuracy");
    for (size_t c = 0; c < e->n_classes; c++) {
        size_t n = tool_evaluation_of_class(e, c), n_correct = e->confusion[c * e->n_classes + c];
        if (n)
            printf("%-16.16s %8zu %8zu %7.2f %%\n", labels[c], n, n_correct, percent(n_correct, n));
    }
    if (e->n_classes <= MAX_PRINTED_CLASSES)
        print_confusion(e, labels);
    else
        printf("\nThe confusion matrix of %zu classes is in --json.\n", e->n_classes);
}

static void print_report(const struct report *report)
{
    const struct tool_evaluation *e = report->evaluation;
    printf("samples   %zu in %.2f s (%.0f a second)\n", e->n_samples, e->seconds,
           (double)e->n_samples / e->seconds);
    if (e->n_classes > 0)
        print_classes(report);
    else
        printf("mean squared error  %.9g\nr squared           %.6f\n", e->mean_squared_error,
               e->r_squared);
}

static json_t *classes_json(const struct tool_evaluation *e, const char *const *labels)
{
    json_t *list = json_array();
    for (size_t c = 0; c < e->n_classes; c++) {
        size_t n = tool_evaluation_of_class(e, c), n_correct = e->confusion[c * e->n_classes + c];
        json_array_append_new(
            list, json_pack("{s:I, s:s, s:I, s:I, s:o}", "index", (json_int_t)c, "label", labels[c],
                            "samples", (json_int_t)n, "correct", (json_int_t)n_correct, "accuracy",
                            n ? json_real((double)n_correct / (double)n) : json_null()));
    }
    return list;
}

static json_t *confusion_json(const struct tool_evaluation *e)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < e->n_classes; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < e->n_classes; c++)
            json_array_append_new(row,
                                  json_integer((json_int_t)e->confusion[r * e->n_classes + c]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *report_json(const struct report *report)
{
    const struct tool_evaluation *e = report->evaluation;
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:f, s:f}", "model", report->path, "digest",
                  eng_model_digest(report->model), "samples", (json_int_t)e->n_samples, "seconds",
                  e->seconds, "samples_per_s", (double)e->n_samples / e->seconds);
    json_t *more =
        e->n_classes > 0
            ? json_pack("{s:I, s:f, s:o, s:o}", "correct", (json_int_t)e->n_correct, "accuracy",
                        (double)e->n_correct / (double)e->n_samples, "classes",
                        classes_json(e, eng_model_card(report->model)->labels), "confusion",
                        confusion_json(e))
            : json_pack("{s:f, s:o}", "mean_squared_error", e->mean_squared_error, "r_squared",
                        isnan(e->r_squared) ? json_null() : json_real(e->r_squared));
    json_object_update_new(object, more);
    if (e->n_classes > MAX_CLASSES_WITHOUT_TOP_5)
        json_object_update_new(object, json_pack("{s:I, s:f}", "correct_top_5",
                                                 (json_int_t)e->n_among_top_5, "accuracy_top_5",
                                                 (double)e->n_among_top_5 / (double)e->n_samples));
    return object;
}

static enum eng_status write_predictions(const char *path, const struct tool_evaluation *e,
                                         struct eng_error *err)
{
    char *text = NULL;
    size_t n_bytes;
    FILE *file = open_memstream(&text, &n_bytes);
    if (!file) return eng_fail_memory(err, "the predictions");
    for (size_t i = 0; i < e->n_samples; i++)
        if (e->n_classes > 0)
            fprintf(file, "%u\n", e->predicted[i]);
        else
            fprintf(file, "%.9g\n", (double)e->values[i]);
    enum eng_status status = fclose(file) ? eng_fail_memory(err, "the predictions")
                                          : eng_file_write(path, text, n_bytes, err);
    free(text);
    return status;
}

static enum eng_status show(const struct eval_options *opt, const struct report *report,
                            struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (opt->predictions) status = write_predictions(opt->predictions, report->evaluation, err);
    if (!status && opt->json)
        status = tool_json_print_take(report_json(report), err);
    else if (!status)
        print_report(report);
    return status;
}

static enum eng_status eval_photos(const struct eval_options *opt, const struct eng_model *model,
                                   int n_threads, struct tool_evaluation *out,
                                   struct eng_error *err)
{
    struct tool_photos photos;
    if (opt->split != ENG_SPLIT_TEST)
        return eng_fail(err, ENG_ARGUMENT,
                        "%s: listed pictures are one set; wanted --split test, which may be left "
                        "out",
                        opt->data);
    enum eng_status status = tool_photos_read(opt->data, &photos, err);
    if (status) return status;
    status = tool_evaluate_photos(model, &photos, n_threads, out, err);
    tool_photos_fini(&photos);
    return status;
}

static enum eng_status eval_set(const char *path, const struct eval_options *opt,
                                const struct eng_model *model, int n_threads,
                                struct tool_evaluation *out, struct eng_error *err)
{
    struct eng_dataset set;
    enum eng_status status = tool_eval_data_load(path, eng_model_card(model), opt->data,
                                                 (enum eng_split)opt->split, &set, err);
    if (status) return status;
    status = tool_evaluate(model, &set, n_threads, out, err);
    eng_dataset_fini(&set);
    return status;
}

static enum eng_status eval(const char *path, const struct eval_options *opt,
                            const struct eng_model *model, struct eng_error *err)
{
    struct tool_evaluation evaluation;
    int n_threads = opt->threads ? (int)opt->threads : eng_pool_cpus();
    bool are_photos = opt->data && tool_photos_are_in(opt->data);
    enum eng_status status = are_photos ? eval_photos(opt, model, n_threads, &evaluation, err)
                                        : eval_set(path, opt, model, n_threads, &evaluation, err);
    if (status) return status;
    const struct report report = {path, model, &evaluation};
    status = show(opt, &report, err);
    tool_evaluation_fini(&evaluation);
    return status;
}

int cmd_eval(int argc, char **argv)
{
    struct eval_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    struct eng_model *model = NULL;
    const struct eng_model_options how = {.config_path = opt.config};
    enum eng_status status = eng_model_open(args[0], &how, &model, &err);
    if (!status) status = eval(args[0], &opt, model, &err);
    eng_model_destroy(model);
    return status ? tool_fail(argv[0], &err) : TOOL_OK;
}
