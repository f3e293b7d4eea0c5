#include "engine/train.h"

#include "base/error.h"
#include "base/file.h"
#include "train/export.h"
#include "train/input.h"
#include "train/trainer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that one run reads before it begins. */
struct run {
    const struct eng_train_options *options;
    char model_path[PATH_MAX];
    struct eng_recipe recipe;
    struct eng_dataset train, test;
    struct eng_preprocess preprocess;
    size_t n_classes;
    const char *const *labels; /* [n_classes] in the recipe's arena */
};

static enum eng_status check_labels(const struct run *run, const struct eng_dataset *set,
                                    enum eng_split split, struct eng_error *err)
{
    if (set->n_classes <= run->n_classes) return ENG_OK;
    size_t i = 0;
    while (set->labels[i] < run->n_classes)
        i++;
    return eng_fail(err, ENG_FORMAT,
                    "%s: %s record %zu has label %u; wanted 0 to %zu, %s names %zu classes",
                    run->options->data_dir, eng_split_name(split), i, set->labels[i],
                    run->n_classes - 1, run->recipe.path, run->n_classes);
}

static enum eng_status check_sizes(const struct run *run, struct eng_error *err)
{
    const struct eng_dataset *a = &run->train, *b = &run->test;
    if (a->width_px == b->width_px && a->height_px == b->height_px &&
        a->n_channels == b->n_channels)
        return ENG_OK;
    return eng_fail(err, ENG_FORMAT,
                    "%s: test pictures are %u x %u x %u; wanted %u x %u x %u as the "
                    "training pictures",
                    run->options->data_dir, b->width_px, b->height_px, b->n_channels, a->width_px,
                    a->height_px, a->n_channels);
}

/* Without names in the recipe, classes are called by their numbers. */
static enum eng_status name_classes(struct run *run, struct eng_error *err)
{
    size_t n = run->train.n_classes;
    if (run->test.n_classes > n) n = run->test.n_classes;
    if (run->recipe.n_labels > 0) {
        run->n_classes = run->recipe.n_labels;
        run->labels = run->recipe.labels;
        return ENG_OK;
    }
    if (n < 2)
        return eng_fail(err, ENG_FORMAT, "%s: every label is 0; wanted at least two classes",
                        run->options->data_dir);
    const char **labels = eng_arena_alloc(&run->recipe.arena, n, sizeof *labels);
    for (size_t i = 0; labels && i < n; i++) {
        char text[24];
        int length = snprintf(text, sizeof text, "%zu", i);
        labels[i] = eng_arena_string(&run->recipe.arena, text, (size_t)length);
        if (!labels[i]) labels = NULL;
    }
    if (!labels) return eng_fail_memory(err, "labels");
    run->n_classes = n;
    run->labels = labels;
    return ENG_OK;
}

static enum eng_status load_data(struct run *run, struct eng_error *err)
{
    const char *dir = run->options->data_dir, *name = run->recipe.dataset;
    enum eng_status status = eng_dataset_load(dir, name, ENG_SPLIT_TRAIN, &run->train, err);
    if (status == ENG_OK) status = eng_dataset_load(dir, name, ENG_SPLIT_TEST, &run->test, err);
    if (status == ENG_OK) status = check_sizes(run, err);
    if (status == ENG_OK) status = name_classes(run, err);
    if (status == ENG_OK) status = check_labels(run, &run->train, ENG_SPLIT_TRAIN, err);
    if (status == ENG_OK) status = check_labels(run, &run->test, ENG_SPLIT_TEST, err);
    if (status == ENG_OK)
        status = eng_input_prepare(&run->recipe, &run->train, &run->preprocess, err);
    return status;
}

/* The folder is made first: better to hear of it before the training than after. */
static enum eng_status prepare(struct run *run, struct eng_error *err)
{
    const struct eng_train_options *options = run->options;
    const struct eng_recipe_overrides overrides = {options->seed, options->n_epochs};
    int n = snprintf(run->model_path, sizeof run->model_path, "%s/model.onnx", options->out_dir);
    if (n < 0 || n >= (int)sizeof run->model_path)
        return eng_fail(err, ENG_ARGUMENT, "the output folder's name is longer than %d bytes",
                        PATH_MAX);
    enum eng_status status = eng_recipe_load(options->recipe_path, &overrides, &run->recipe, err);
    if (status == ENG_OK) status = load_data(run, err);
    if (status == ENG_OK) status = eng_file_make_dirs(options->out_dir, err);
    if (status == ENG_OK && access(options->out_dir, W_OK) != 0)
        return eng_fail(err, ENG_IO, "%s: cannot be written to: %s", options->out_dir,
                        strerror(errno));
    return status;
}

static enum eng_status save(const struct run *run, const struct eng_trainer *trainer,
                            struct eng_error *err)
{
    char *history = NULL;
    uint8_t *bytes = NULL;
    size_t n_bytes;
    enum eng_status status = eng_history_format(&trainer->history, &history, err);
    struct eng_export export = {&run->recipe, &trainer->graph, &run->preprocess,
                                run->labels,  run->n_classes,  history};
    if (status == ENG_OK)
        status = eng_export_bytes(&export, &run->test, (size_t)run->recipe.golden, &bytes, &n_bytes,
                                  err);
    if (status == ENG_OK) status = eng_file_write(run->model_path, bytes, n_bytes, err);
    free(history);
    free(bytes);
    return status;
}

enum eng_status eng_train(const struct eng_train_options *options, struct eng_error *err)
{
    struct run run = {.options = options};
    struct eng_trainer trainer = {0};
    enum eng_status status = prepare(&run, err);
    if (status == ENG_OK) {
        struct eng_trainer_data data = {&run.train, &run.test, &run.preprocess, run.n_classes};
        status = eng_trainer_init(&trainer, &run.recipe, &data, options->pool, err);
        if (status == ENG_OK) status = eng_trainer_run(&trainer, options, err);
        if (status == ENG_OK) status = save(&run, &trainer, err);
        eng_trainer_fini(&trainer);
    }
    eng_dataset_fini(&run.train);
    eng_dataset_fini(&run.test);
    eng_recipe_fini(&run.recipe);
    return status;
}
