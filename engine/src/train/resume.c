#include "train/resume.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stopwatch.h"
#include "train/checkpoint.h"
#include "train/columns.h"
#include "train/recipe_difference.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum eng_status eng_resume_path(const char *out_dir, char path[PATH_MAX], struct eng_error *err)
{
    int n = snprintf(path, PATH_MAX, "%s/checkpoint", out_dir);
    if (n >= 0 && n < PATH_MAX) return ENG_OK;
    return eng_fail(err, ENG_ARGUMENT, "the output folder's name is longer than %d bytes",
                    PATH_MAX);
}

/* Where the trainer stands. Borrows from it. */
static struct eng_checkpoint describe(const struct eng_trainer *t, const float *weights)
{
    const struct eng_history *history = t->history;
    size_t n = eng_parameters_count(&t->parameters);
    return (struct eng_checkpoint){
        .recipe = t->recipe->text,
        .train_data = t->resume.train_data,
        .test_data = t->resume.test_data,
        .origin = t->data->base ? eng_model_digest(t->data->base->model) : "",
        .changes = history->changes ? history->changes : "",
        .n_optimiser_steps = t->optimiser.n_steps,
        .n_averaged = t->average.n,
        .best_epoch = t->stopping.best_epoch,
        .best = t->stopping.best,
        .epochs = {history->epochs, history->n_epochs},
        .weights = {weights, n},
        .memory = {t->optimiser.memory, t->optimiser.n_floats},
        .average = {t->average.floats, t->average.floats ? n : 0},
        .best_ones = {t->best, t->best ? n : 0},
    };
}

enum eng_status eng_resume_save(struct eng_trainer *trainer, struct eng_error *err)
{
    struct eng_resume *resume = &trainer->resume;
    if (resume->saved_epoch > 0 && eng_stopwatch_s() - resume->saved_s < 1) return ENG_OK;
    float *weights = malloc(eng_parameters_count(&trainer->parameters) * sizeof *weights);
    if (!weights) return eng_fail_memory(err, "the checkpoint");
    eng_parameters_read(&trainer->parameters, weights);
    const struct eng_checkpoint checkpoint = describe(trainer, weights);
    uint8_t *bytes = NULL;
    size_t n_bytes;
    enum eng_status status = eng_checkpoint_format(&checkpoint, &bytes, &n_bytes, err);
    if (status == ENG_OK) status = eng_file_write(resume->path, bytes, n_bytes, err);
    if (status == ENG_OK) {
        resume->saved_epoch = trainer->history->n_epochs;
        resume->saved_s = eng_stopwatch_s();
    }
    free(bytes);
    free(weights);
    return status;
}

/* What the recipe names but does not hold: data, and the model that was begun from. */
static enum eng_status check_origin(const struct eng_trainer *t, const struct eng_checkpoint *c,
                                    struct eng_error *err)
{
    const struct eng_checkpoint now = describe(t, NULL);
    const struct {
        const char *what, *where, *was, *now;
    } rows[] = {
        {"training data", t->options->data_dir, c->train_data, now.train_data},
        {"test data", t->options->data_dir, c->test_data, now.test_data},
        {"a model to go on from", t->recipe->from, c->origin, now.origin},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].was, rows[i].now) != 0)
            return eng_fail(err, ENG_FORMAT,
                            "%s began with other bytes of %s: SHA-256 %.16s...; %s has %.16s...",
                            t->resume.path, rows[i].what, rows[i].was,
                            rows[i].where ? rows[i].where : t->recipe->path, rows[i].now);
    return ENG_OK;
}

/* Recipe and data agree, so these sizes do, unless the file is of another build. */
static enum eng_status check_sizes(const struct eng_trainer *t, const struct eng_checkpoint *c,
                                   struct eng_error *err)
{
    const struct eng_checkpoint wanted = describe(t, NULL);
    const struct {
        const char *what;
        size_t found, wanted;
    } rows[] = {
        {"weights", c->weights.n, wanted.weights.n},
        {"numbers of the optimiser", c->memory.n, wanted.memory.n},
        {"averaged weights", c->average.n, wanted.average.n},
        {"weights of the best epoch", c->best_ones.n, wanted.best_ones.n},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].found != rows[i].wanted)
            return eng_fail(err, ENG_FORMAT, "%s has %zu %s; wanted %zu", t->resume.path,
                            rows[i].found, rows[i].what, rows[i].wanted);
    if (c->epochs.n == 0 || c->epochs.n > (size_t)t->recipe->epochs)
        return eng_fail(err, ENG_FORMAT, "%s has done %zu epochs; %s asks for %lld", t->resume.path,
                        c->epochs.n, t->recipe->path, (long long)t->recipe->epochs);
    if (c->best_epoch > c->epochs.n || (t->best && c->best_epoch == 0))
        return eng_fail(err, ENG_FORMAT, "%s calls epoch %llu of %zu the best", t->resume.path,
                        (unsigned long long)c->best_epoch, c->epochs.n);
    return ENG_OK;
}

static void copy(float *to, struct eng_checkpoint_floats from)
{
    if (from.n > 0) memcpy(to, from.v, from.n * sizeof *to);
}

static enum eng_status apply(struct eng_trainer *t, const struct eng_checkpoint *c,
                             struct eng_error *err)
{
    for (size_t e = 0; e < c->epochs.n; e++) {
        enum eng_status status = eng_history_add(t->history, &c->epochs.v[e], err);
        if (status != ENG_OK) return status;
    }
    t->history->n_resumed = c->epochs.n;
    eng_parameters_write(&t->parameters, c->weights.v);
    copy(t->optimiser.memory, c->memory);
    copy(t->average.floats, c->average);
    copy(t->best, c->best_ones);
    t->optimiser.n_steps = c->n_optimiser_steps;
    t->average.n = c->n_averaged;
    t->stopping = (struct eng_early_stopping){c->best, c->best_epoch};
    t->resume.saved_epoch = c->epochs.n;
    return ENG_OK;
}

static enum eng_status restore(struct eng_trainer *t, const void *bytes, size_t n_bytes,
                               struct eng_error *err)
{
    struct eng_arena arena;
    struct eng_checkpoint c;
    eng_arena_init(&arena);
    enum eng_status status = eng_checkpoint_parse(t->resume.path, bytes, n_bytes, &arena, &c, err);
    if (status == ENG_OK)
        status = eng_recipe_compare(t->resume.path, c.recipe, t->recipe->path, t->recipe->text,
                                    c.epochs.n + 1, c.changes, &t->history->changes, err);
    if (status == ENG_OK) status = check_origin(t, &c, err);
    if (status == ENG_OK) status = check_sizes(t, &c, err);
    if (status == ENG_OK) status = apply(t, &c, err);
    eng_arena_fini(&arena);
    return status;
}

enum eng_status eng_resume_load(struct eng_trainer *trainer, struct eng_error *err)
{
    struct eng_resume *resume = &trainer->resume;
    enum eng_status status = eng_resume_path(trainer->options->out_dir, resume->path, err);
    if (status != ENG_OK) return status;
    eng_dataset_digest(&trainer->data->train, resume->train_data);
    eng_dataset_digest(&trainer->data->test, resume->test_data);
    if (!trainer->options->resume || !eng_file_exists(resume->path)) return ENG_OK;
    struct eng_file file;
    status = eng_file_read(resume->path, ENG_CHECKPOINT_MAX_BYTES, &file, err);
    if (status != ENG_OK) return status;
    status = restore(trainer, file.bytes, file.n_bytes, err);
    eng_file_fini(&file);
    return status;
}
