/* The epochs of a run: steps, evaluation, what is kept, and why it may end early. */
#include "train/trainer.h"

#include "base/error.h"
#include "base/stopwatch.h"
#include "train/streams.h"

#include <math.h>
#include <stdio.h>

/* So many times as high as at the start, a loss has exploded: what follows mends nothing. */
static const double EXPLODED = 1e4;

static enum eng_status fail_diverged(const struct eng_trainer *t,
                                     const struct eng_train_progress *at, const char *what,
                                     double value, double learning_rate, struct eng_error *err)
{
    char found[100] = "not a number";
    if (isinf(value)) snprintf(found, sizeof found, "infinite");
    if (isfinite(value))
        snprintf(found, sizeof found, "%.3g, more than %g times as high as at the start", value,
                 EXPLODED);
    if (t->resume.saved_epoch == 0)
        return eng_fail(err, ENG_DIVERGED,
                        "epoch %zu, step %zu: the %s is %s; nothing was written. A learning rate "
                        "below %g may help",
                        at->epoch, at->step, what, found, learning_rate);
    return eng_fail(err, ENG_DIVERGED,
                    "epoch %zu, step %zu: the %s is %s, at learning rate %g. %s holds the state "
                    "after epoch %zu: --resume --set optimiser.learning_rate=%g goes on from there",
                    at->epoch, at->step, what, found, learning_rate, t->resume.path,
                    t->resume.saved_epoch, t->recipe->optimiser.learning_rate / 10);
}

static enum eng_status observe(const struct eng_trainer *t, const struct eng_train_progress *at,
                               struct eng_error *err)
{
    const struct eng_train_options *options = t->options;
    if (!options->observe || options->observe(options->observe_ctx, at)) return ENG_OK;
    if (t->resume.saved_epoch == 0)
        return eng_fail(err, ENG_CANCELLED, "stopped in epoch %zu, step %zu; nothing was written",
                        at->epoch, at->step);
    return eng_fail(err, ENG_CANCELLED,
                    "stopped in epoch %zu, step %zu; %s holds the state after epoch %zu: --resume "
                    "goes on from there",
                    at->epoch, at->step, t->resume.path, t->resume.saved_epoch);
}

/* A regression has no right and wrong. */
static double share(const struct eng_trainer *t, const struct eng_loss_sum *sum, double n)
{
    return t->data->n_classes > 0 ? (double)sum->n_correct / n : NAN;
}

/* Below 1 the start does not count: a run may begin with hardly any loss. */
static bool has_exploded(double loss, double at_start)
{
    return !isfinite(loss) || loss > EXPLODED * fmax(1, at_start);
}

/* All steps of an epoch; *out holds the running means. */
static enum eng_status run_steps(struct eng_trainer *t, struct eng_train_progress *at,
                                 struct eng_train_epoch *out, struct eng_error *err)
{
    struct eng_loss_sum total = {0};
    double start_s = eng_stopwatch_s();
    double loss_at_start = t->history->n_epochs > 0 ? t->history->epochs[0].loss : NAN;
    for (size_t step = 0; step < t->n_steps; step++) {
        const struct eng_trainer_step done = eng_trainer_step(t, at->epoch - 1, step);
        at->step = step + 1;
        at->n_samples = at->step * (size_t)t->recipe->batch;
        double loss = done.sum.loss / (double)t->recipe->batch;
        if (isnan(loss_at_start)) loss_at_start = loss;
        if (has_exploded(loss, loss_at_start))
            return fail_diverged(t, at, "loss", loss, done.learning_rate, err);
        if (!isfinite(done.gradient_norm))
            return fail_diverged(t, at, "length of the gradient", done.gradient_norm,
                                 done.learning_rate, err);
        total.loss += done.sum.loss;
        total.n_correct += done.sum.n_correct;
        double n = (double)at->n_samples, elapsed_s = eng_stopwatch_s() - start_s;
        out->learning_rate = done.learning_rate;
        at->loss = out->loss = total.loss / n;
        at->accuracy = out->accuracy = share(t, &total, n);
        at->samples_per_s = elapsed_s > 0 ? n / elapsed_s : 0;
        enum eng_status status = observe(t, at, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static void measure(struct eng_trainer *t, const struct eng_dataset *set, double *loss,
                    double *accuracy)
{
    const struct eng_loss_sum sum = eng_trainer_evaluate(t, set);
    *loss = sum.loss / (double)set->n;
    *accuracy = share(t, &sum, (double)set->n);
}

/* Measures the weights that would be exported: the average, if there is one. */
static enum eng_status evaluate_epoch(struct eng_trainer *t, const struct eng_train_progress *at,
                                      struct eng_train_epoch *record, struct eng_error *err)
{
    const struct eng_recipe *recipe = t->recipe;
    bool test_due =
        at->epoch % (size_t)recipe->evaluate_every_epochs == 0 || at->epoch == at->n_epochs;
    eng_average_swap(&t->average, &t->parameters);
    if (t->data->validation.n > 0)
        measure(t, &t->data->validation, &record->validation_loss, &record->validation_accuracy);
    if (test_due) measure(t, &t->data->test, &record->test_loss, &record->test_accuracy);
    if (t->best && isfinite(record->validation_loss) &&
        eng_early_stopping_note(&t->stopping, &recipe->early_stopping, at->epoch,
                                record->validation_loss, record->validation_accuracy))
        eng_parameters_read(&t->parameters, t->best);
    eng_average_swap(&t->average, &t->parameters);
    if (t->data->validation.n > 0 && !isfinite(record->validation_loss))
        return fail_diverged(t, at, "loss on the validation set", record->validation_loss,
                             record->learning_rate, err);
    if (test_due && !isfinite(record->test_loss))
        return fail_diverged(t, at, "loss on the test set", record->test_loss,
                             record->learning_rate, err);
    return ENG_OK;
}

static enum eng_status run_epoch(struct eng_trainer *t, size_t epoch, struct eng_error *err)
{
    struct eng_train_progress at = {.epoch = epoch + 1,
                                    .n_epochs = (size_t)t->recipe->epochs,
                                    .n_resumed = t->history->n_resumed,
                                    .n_steps = t->n_steps};
    struct eng_train_epoch record = {
        .validation_loss = NAN, .validation_accuracy = NAN, .test_loss = NAN, .test_accuracy = NAN};
    double start_s = eng_stopwatch_s();
    struct eng_rng rng = eng_stream_rng((uint64_t)t->recipe->seed, ENG_STREAM_SHUFFLE, epoch, 0);
    eng_rng_shuffle(&rng, t->order, t->data->train.n);
    enum eng_status status = run_steps(t, &at, &record, err);
    if (status == ENG_OK) status = evaluate_epoch(t, &at, &record, err);
    record.seconds = eng_stopwatch_s() - start_s;
    if (status == ENG_OK) status = eng_history_add(t->history, &record, err);
    if (status == ENG_OK) status = eng_resume_save(t, err);
    at.done = &record;
    return status == ENG_OK ? observe(t, &at, err) : status;
}

/* Puts into the graph what is exported, and completes the record of the epoch that it is from. */
static void keep_weights(struct eng_trainer *t)
{
    struct eng_history *history = t->history;
    history->kept_epoch = t->best ? t->stopping.best_epoch : history->n_epochs;
    if (t->best)
        eng_parameters_write(&t->parameters, t->best);
    else
        eng_average_swap(&t->average, &t->parameters);
    struct eng_train_epoch *kept = &history->epochs[history->kept_epoch - 1];
    if (isnan(kept->test_loss)) measure(t, &t->data->test, &kept->test_loss, &kept->test_accuracy);
}

enum eng_status eng_trainer_run(struct eng_trainer *trainer, struct eng_error *err)
{
    const struct eng_recipe *recipe = trainer->recipe;
    enum eng_status status = eng_resume_load(trainer, err);
    for (size_t epoch = trainer->history->n_epochs;
         status == ENG_OK && epoch < (size_t)recipe->epochs &&
         !eng_early_stopping_is_over(&trainer->stopping, &recipe->early_stopping, epoch);
         epoch++)
        status = run_epoch(trainer, epoch, err);
    if (status != ENG_OK) return status;
    keep_weights(trainer);
    return eng_network_finish(trainer->graph, &trainer->setting.network,
                              trainer->data->n_classes == 0, err);
}
