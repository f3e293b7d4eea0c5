#include "train/trainer.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum eng_status init_shards(struct eng_trainer *t, struct eng_error *err)
{
    t->shards = eng_calloc(t->n_shards, sizeof *t->shards);
    t->gradients = eng_calloc(t->n_shards, sizeof *t->gradients);
    t->execs = eng_calloc(t->n_shards, sizeof *t->execs);
    if (!t->shards || !t->gradients || !t->execs) return eng_fail_memory(err, "shards");
    for (size_t s = 0; s < t->n_shards; s++) {
        enum eng_status status = eng_shard_init(&t->shards[s], &t->setting, err);
        if (status != ENG_OK) return status;
        t->gradients[s] = t->shards[s].gradients;
        t->execs[s] = t->shards[s].exec;
    }
    return ENG_OK;
}

static enum eng_status init_network(struct eng_trainer *t, struct eng_error *err)
{
    const struct eng_network_shape shape = {&t->data->input, t->data->n_outputs, &t->data->train};
    enum eng_status status =
        eng_network_build(t->recipe, &shape, t->graph, &t->setting.network, err);
    if (status == ENG_OK) status = eng_parameters_init(&t->parameters, t->graph, err);
    if (status == ENG_OK)
        status = eng_optimiser_init(&t->optimiser, &t->recipe->optimiser, t->parameters.n, err);
    int64_t n = (int64_t)t->setting.n;
    if (status == ENG_OK)
        status = eng_plan_create(t->graph, ENG_PLAN_TRAINING, n, false, &t->train_plan, err);
    if (status == ENG_OK)
        status = eng_plan_create(t->graph, ENG_PLAN_INFERENCE, n, false, &t->eval_plan, err);
    return status;
}

static enum eng_status init_loss(struct eng_trainer *t, struct eng_error *err)
{
    const struct eng_dataset *train = &t->data->train;
    t->class_weights = eng_calloc(t->data->n_outputs, sizeof *t->class_weights);
    if (!t->class_weights) return eng_fail_memory(err, "class weights");
    t->setting.loss = t->recipe->loss;
    enum eng_status status = eng_loss_prepare(&t->setting.loss, train->labels, train->n,
                                              t->data->n_outputs, t->class_weights, err);
    if (status != ENG_OK) eng_error_context(err, "%s", t->recipe->path);
    return status;
}

static void start_history(const struct eng_trainer *t)
{
    t->history->seed = t->recipe->seed;
    t->history->n_train = t->data->train.n;
    t->history->n_test = t->data->test.n;
    t->history->n_parameters = t->parameters.n;
}

enum eng_status eng_trainer_init(struct eng_trainer *trainer, const struct eng_method_run *run,
                                 struct eng_error *err)
{
    size_t batch = (size_t)run->recipe->batch, n_train = run->data->train.n;
    *trainer = (struct eng_trainer){.recipe = run->recipe,
                                    .data = run->data,
                                    .pool = run->options->pool,
                                    .graph = run->graph,
                                    .history = run->history,
                                    .n_shards = (size_t)run->recipe->shards,
                                    .n_steps = n_train / batch};
    if (n_train < batch)
        return eng_fail(err, ENG_FORMAT, "%s: batch is %zu; the training set has only %zu samples",
                        run->recipe->path, batch, n_train);
    trainer->setting = (struct eng_shard_setting){.recipe = run->recipe,
                                                  .data = run->data,
                                                  .graph = run->graph,
                                                  .parameters = &trainer->parameters,
                                                  .n = batch / trainer->n_shards};
    trainer->order = eng_calloc(n_train, sizeof *trainer->order);
    if (!trainer->order) return eng_fail_memory(err, "the order of samples");
    enum eng_status status = init_loss(trainer, err);
    if (status == ENG_OK) status = init_network(trainer, err);
    if (status != ENG_OK) return status;
    trainer->setting.train_plan = trainer->train_plan;
    trainer->setting.eval_plan = trainer->eval_plan;
    start_history(trainer);
    return init_shards(trainer, err);
}

void eng_trainer_fini(struct eng_trainer *trainer)
{
    for (size_t s = 0; trainer->shards && s < trainer->n_shards; s++)
        eng_shard_fini(&trainer->shards[s]);
    free(trainer->shards);
    free(trainer->gradients);
    free(trainer->execs);
    free(trainer->order);
    free(trainer->class_weights);
    eng_plan_destroy(trainer->train_plan);
    eng_plan_destroy(trainer->eval_plan);
    eng_optimiser_fini(&trainer->optimiser);
    eng_parameters_fini(&trainer->parameters);
}

/* One step's or evaluation's worth of work, shared by the shards. */
struct work {
    struct eng_trainer *trainer;
    const struct eng_dataset *set;
    size_t epoch, step; /* from 0 */
};

static void train_shards(void *ctx, size_t begin, size_t end)
{
    const struct work *work = ctx;
    struct eng_trainer *t = work->trainer;
    for (size_t s = begin; s < end; s++) {
        size_t number = work->step * t->n_shards + s;
        eng_shard_train(&t->shards[s], &t->setting, work->set, t->order + number * t->setting.n,
                        work->epoch, number, 1 / (double)t->recipe->batch);
    }
}

/* Shard s takes every n_shards-th block of samples. */
static void evaluate_shards(void *ctx, size_t begin, size_t end)
{
    const struct work *work = ctx;
    struct eng_trainer *t = work->trainer;
    size_t n = t->setting.n, n_set = work->set->n;
    for (size_t s = begin; s < end; s++) {
        t->shards[s].sum = (struct eng_loss_sum){0};
        for (size_t first = s * n; first < n_set; first += n * t->n_shards)
            eng_shard_evaluate(&t->shards[s], &t->setting, work->set, first,
                               n_set - first < n ? n_set - first : n);
    }
}

/* In shard order, so that rounding does not depend on who was first. */
static struct eng_loss_sum sum_shards(const struct eng_trainer *t)
{
    struct eng_loss_sum sum = {0};
    for (size_t s = 0; s < t->n_shards; s++) {
        sum.loss += t->shards[s].sum.loss;
        sum.n_correct += t->shards[s].sum.n_correct;
    }
    return sum;
}

static struct eng_loss_sum evaluate(struct eng_trainer *t, const struct eng_dataset *set)
{
    struct work work = {.trainer = t, .set = set};
    eng_pool_for(t->pool, t->n_shards, 1, evaluate_shards, &work);
    return sum_shards(t);
}

static enum eng_status fail_diverged(const struct eng_train_progress *at, const char *what,
                                     double value, double learning_rate, struct eng_error *err)
{
    return eng_fail(err, ENG_DIVERGED,
                    "epoch %zu, step %zu: the %s is %s; nothing was written. A learning rate below "
                    "%g may help",
                    at->epoch, at->step, what, isnan(value) ? "not a number" : "infinite",
                    learning_rate);
}

static enum eng_status observe(const struct eng_train_options *options,
                               const struct eng_train_progress *at, struct eng_error *err)
{
    if (!options->observe || options->observe(options->observe_ctx, at)) return ENG_OK;
    return eng_fail(err, ENG_CANCELLED, "stopped in epoch %zu, step %zu; nothing was written",
                    at->epoch, at->step);
}

/* One batch: all shards, then the parameters. */
static struct eng_step_result run_step(struct eng_trainer *t, size_t epoch, size_t step,
                                       double *learning_rate)
{
    double done = (double)epoch + ((double)step + 1) / (double)t->n_steps;
    *learning_rate = t->recipe->optimiser.learning_rate *
                     eng_schedule_factor(&t->recipe->schedule, done, (double)t->recipe->epochs);
    struct work work = {.trainer = t, .set = &t->data->train, .epoch = epoch, .step = step};
    eng_pool_for(t->pool, t->n_shards, 1, train_shards, &work);
    struct eng_step_options options = {.learning_rate = *learning_rate,
                                       .l2 = t->recipe->loss.l2,
                                       .clip_norm = t->recipe->clip_gradient_norm};
    struct eng_step_result result = eng_parameters_step(&t->parameters, &t->optimiser, &options,
                                                        t->gradients, t->n_shards, t->pool);
    eng_exec_commit(t->execs, t->n_shards);
    return result;
}

/* All steps of an epoch; *out holds the running means. */
static enum eng_status run_steps(struct eng_trainer *t, const struct eng_train_options *options,
                                 struct eng_train_progress *at, struct eng_train_epoch *out,
                                 struct eng_error *err)
{
    struct eng_loss_sum total = {0};
    double start_s = eng_clock_s();
    for (size_t step = 0; step < t->n_steps; step++) {
        struct eng_step_result result = run_step(t, at->epoch - 1, step, &out->learning_rate);
        struct eng_loss_sum sum = sum_shards(t);
        at->n_samples = (step + 1) * (size_t)t->recipe->batch;
        double n = (double)at->n_samples, elapsed_s = eng_clock_s() - start_s;
        sum.loss += result.penalty * (double)t->recipe->batch; /* losses are sums over samples */
        total.loss += sum.loss;
        total.n_correct += sum.n_correct;
        at->step = step + 1;
        if (!isfinite(sum.loss))
            return fail_diverged(at, "loss", sum.loss, out->learning_rate, err);
        if (!isfinite(result.gradient_norm))
            return fail_diverged(at, "length of the gradient", result.gradient_norm,
                                 out->learning_rate, err);
        at->loss = out->loss = total.loss / n;
        at->accuracy = out->accuracy = (double)total.n_correct / n;
        at->samples_per_s = elapsed_s > 0 ? n / elapsed_s : 0;
        enum eng_status status = observe(options, at, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static enum eng_status run_epoch(struct eng_trainer *t, size_t epoch,
                                 const struct eng_train_options *options, struct eng_error *err)
{
    struct eng_train_progress at = {
        .epoch = epoch + 1, .n_epochs = (size_t)t->recipe->epochs, .n_steps = t->n_steps};
    struct eng_train_epoch record = {.validation_loss = NAN, .validation_accuracy = NAN};
    double start_s = eng_clock_s();
    struct eng_rng rng = eng_stream_rng((uint64_t)t->recipe->seed, ENG_STREAM_SHUFFLE, epoch, 0);
    eng_rng_shuffle(&rng, t->order, t->data->train.n);
    enum eng_status status = run_steps(t, options, &at, &record, err);
    if (status != ENG_OK) return status;
    struct eng_loss_sum test = evaluate(t, &t->data->test);
    record.test_loss = test.loss / (double)t->data->test.n;
    record.test_accuracy = (double)test.n_correct / (double)t->data->test.n;
    if (!isfinite(record.test_loss))
        return fail_diverged(&at, "loss on the test set", record.test_loss, record.learning_rate,
                             err);
    record.seconds = eng_clock_s() - start_s;
    at.done = &record;
    status = eng_history_add(t->history, &record, err);
    return status == ENG_OK ? observe(options, &at, err) : status;
}

enum eng_status eng_trainer_run(struct eng_trainer *trainer,
                                const struct eng_train_options *options, struct eng_error *err)
{
    for (size_t epoch = 0; epoch < (size_t)trainer->recipe->epochs; epoch++) {
        enum eng_status status = run_epoch(trainer, epoch, options, err);
        if (status != ENG_OK) return status;
    }
    trainer->history->kept_epoch = trainer->history->n_epochs;
    return eng_network_finish(trainer->graph, &trainer->setting.network,
                              trainer->data->n_classes == 0, err);
}
