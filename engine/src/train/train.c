#include "engine/train.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stopwatch.h"
#include "train/data.h"
#include "train/export.h"
#include "train/folder_lock.h"
#include "train/report.h"
#include "train/resume.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that one run reads before it begins. */
struct run {
    const struct eng_train_options *options;
    char model_path[PATH_MAX], checkpoint_path[PATH_MAX];
    int lock; /* of the output folder */
    struct eng_recipe recipe;
    struct eng_data data;
    struct eng_graph graph;
    struct eng_history history;
    uint8_t *file; /* [n_bytes] the model's, as written */
    size_t n_bytes;
};

/* Hours of work are not overwritten by a forgotten word. */
static enum eng_status check_checkpoint(const struct run *run, struct eng_error *err)
{
    const struct eng_train_options *options = run->options;
    if (options->resume && options->restart)
        return eng_fail(err, ENG_ARGUMENT, "wanted --resume or --restart, not both");
    if (options->resume || options->restart || !eng_file_exists(run->checkpoint_path))
        return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT,
                    "%s holds a run that did not end: --resume goes on with it, --restart throws "
                    "it away and begins anew",
                    run->checkpoint_path);
}

static enum eng_status name_files(struct run *run, struct eng_error *err)
{
    int n =
        snprintf(run->model_path, sizeof run->model_path, "%s/model.onnx", run->options->out_dir);
    if (n < 0 || n >= (int)sizeof run->model_path)
        return eng_fail(err, ENG_ARGUMENT, "the output folder's name is longer than %d bytes",
                        PATH_MAX);
    return eng_resume_path(run->options->out_dir, run->checkpoint_path, err);
}

static enum eng_status remove_checkpoint(const struct run *run, struct eng_error *err)
{
    if (unlink(run->checkpoint_path) == 0 || errno == ENOENT) return ENG_OK;
    return eng_fail(err, ENG_IO, "%s: cannot be removed: %s", run->checkpoint_path,
                    strerror(errno));
}

/* The folder is this run's from here on. */
static enum eng_status enter(struct run *run, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    if (run->lock == ENG_FOLDER_UNLOCKED)
        status = eng_folder_lock(run->options->out_dir, &run->lock, err);
    return status == ENG_OK ? check_checkpoint(run, err) : status;
}

/* Better to hear of a folder that cannot be written to before the training than after. */
static enum eng_status make_folder(struct run *run, struct eng_error *err)
{
    const char *dir = run->options->out_dir;
    enum eng_status status = eng_file_make_dirs(dir, err);
    if (status != ENG_OK) return status;
    if (access(dir, W_OK) != 0)
        return eng_fail(err, ENG_IO, "%s: cannot be written to: %s", dir, strerror(errno));
    status = enter(run, err);
    if (status == ENG_OK) eng_file_remove_leftovers(dir);
    return status;
}

/* A folder is only made for what can be trained; one that is there is entered at once. */
static enum eng_status prepare(struct run *run, struct eng_error *err)
{
    const struct eng_train_options *options = run->options;
    const struct eng_recipe_overrides overrides = {.seed = options->seed,
                                                   .epochs = options->n_epochs,
                                                   .settings = options->settings,
                                                   .n_settings = options->n_settings,
                                                   .from = options->from,
                                                   .freeze = options->freeze,
                                                   .n_freeze = options->n_freeze};
    enum eng_status status = name_files(run, err);
    if (status == ENG_OK && eng_file_is_dir(options->out_dir)) status = enter(run, err);
    if (status == ENG_OK)
        status = eng_recipe_load(options->recipe_path, &overrides, &run->recipe, err);
    if (status == ENG_OK)
        status = eng_data_load(options->data_dir, &run->recipe, options->pool, &run->data, err);
    if (status == ENG_OK) status = make_folder(run, err);
    if (status == ENG_OK && options->restart) status = remove_checkpoint(run, err);
    return status;
}

static enum eng_status save(struct run *run, struct eng_error *err)
{
    char *history = NULL;
    enum eng_status status = eng_history_format(&run->history, &history, err);
    struct eng_export export = {&run->recipe, &run->data, &run->graph, history};
    if (status == ENG_OK)
        status =
            eng_export_bytes(&export, (size_t)run->recipe.golden, &run->file, &run->n_bytes, err);
    if (status == ENG_OK) status = eng_file_write(run->model_path, run->file, run->n_bytes, err);
    free(history);
    return status;
}

static enum eng_status work(struct run *run, struct eng_error *err)
{
    struct eng_method_run fitting = {.options = run->options,
                                     .recipe = &run->recipe,
                                     .data = &run->data,
                                     .graph = &run->graph,
                                     .history = &run->history};
    double start_s = eng_stopwatch_s();
    enum eng_status status = eng_method_at(run->recipe.method)->fit(&fitting, err);
    if (status == ENG_OK) status = save(run, err);
    if (status == ENG_OK) status = remove_checkpoint(run, err);
    if (status != ENG_OK || !run->options->report) return status;
    return eng_report_create(&fitting, run->file, run->n_bytes, eng_stopwatch_s() - start_s,
                             run->options->report, err);
}

enum eng_status eng_train(const struct eng_train_options *options, struct eng_error *err)
{
    struct run run = {.options = options, .lock = ENG_FOLDER_UNLOCKED};
    eng_graph_init(&run.graph);
    enum eng_status status = prepare(&run, err);
    if (status == ENG_OK) status = work(&run, err);
    free(run.file);
    eng_history_fini(&run.history);
    eng_graph_fini(&run.graph);
    eng_data_fini(&run.data);
    eng_recipe_fini(&run.recipe);
    eng_folder_unlock(&run.lock);
    return status;
}
