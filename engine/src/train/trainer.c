#include "train/trainer.h"

#include "base/error.h"
#include "base/mem.h"

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
    const struct eng_network_shape shape = {&t->data->input, t->data->n_outputs, &t->data->train,
                                            t->data->base};
    enum eng_status status =
        eng_network_build(t->recipe, &shape, t->graph, &t->setting.network, err);
    if (status == ENG_OK) status = eng_parameters_init(&t->parameters, t->graph, err);
    if (status == ENG_OK)
        status = eng_optimiser_init(&t->optimiser, &t->recipe->optimiser, t->parameters.n, err);
    if (status == ENG_OK)
        status = eng_average_init(&t->average, &t->recipe->average, &t->parameters, err);
    if (status == ENG_OK && t->recipe->early_stopping.on) {
        t->best = eng_calloc(eng_parameters_count(&t->parameters), sizeof *t->best);
        if (!t->best) status = eng_fail_memory(err, "the best epoch's weights");
    }
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
    t->history->n_validation = t->data->validation.n;
    t->history->n_test = t->data->test.n;
    t->history->n_parameters = t->parameters.n;
}

enum eng_status eng_trainer_init(struct eng_trainer *trainer, const struct eng_method_run *run,
                                 struct eng_error *err)
{
    size_t batch = (size_t)run->recipe->batch, n_train = run->data->train.n;
    *trainer = (struct eng_trainer){.options = run->options,
                                    .recipe = run->recipe,
                                    .data = run->data,
                                    .pool = run->options->pool,
                                    .graph = run->graph,
                                    .history = run->history,
                                    .n_shards = (size_t)run->recipe->shards,
                                    .n_steps = n_train / batch};
    if (n_train < batch)
        return eng_fail(err, ENG_FORMAT, "%s: batch is %zu; the training set has only %zu samples",
                        run->recipe->path, batch, n_train);
    bool alone = trainer->n_shards == 1; /* its loops are all that can be spread over threads */
    trainer->setting = (struct eng_shard_setting){.recipe = run->recipe,
                                                  .data = run->data,
                                                  .graph = run->graph,
                                                  .parameters = &trainer->parameters,
                                                  .pool = alone ? trainer->pool : NULL,
                                                  .n = batch / trainer->n_shards};
    if (run->data->n_classes == 0 && run->recipe->early_stopping.on &&
        run->recipe->early_stopping.monitor == ENG_MONITOR_ACCURACY)
        return eng_fail(err, ENG_FORMAT,
                        "%s: early_stopping.monitor is accuracy, which a regression has not; "
                        "wanted loss",
                        run->recipe->path);
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
    free(trainer->best);
    eng_average_fini(&trainer->average);
    eng_plan_destroy(trainer->train_plan);
    eng_plan_destroy(trainer->eval_plan);
    eng_optimiser_fini(&trainer->optimiser);
    eng_parameters_fini(&trainer->parameters);
}
