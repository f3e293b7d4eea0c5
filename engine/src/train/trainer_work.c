/* What the shards do together: a step, an evaluation. */
#include "train/trainer.h"

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

struct eng_loss_sum eng_trainer_evaluate(struct eng_trainer *trainer, const struct eng_dataset *set)
{
    struct work work = {.trainer = trainer, .set = set};
    eng_pool_for(trainer->pool, trainer->n_shards, 1, evaluate_shards, &work);
    return sum_shards(trainer);
}

struct eng_trainer_step eng_trainer_step(struct eng_trainer *trainer, size_t epoch, size_t step)
{
    const struct eng_recipe *recipe = trainer->recipe;
    double done = (double)epoch + ((double)step + 1) / (double)trainer->n_steps;
    const struct eng_step_options options = {
        .learning_rate = recipe->optimiser.learning_rate *
                         eng_schedule_factor(&recipe->schedule, done, (double)recipe->epochs),
        .l2 = recipe->loss.l2,
        .clip_norm = recipe->clip_gradient_norm};
    struct work work = {
        .trainer = trainer, .set = &trainer->data->train, .epoch = epoch, .step = step};
    eng_pool_for(trainer->pool, trainer->n_shards, 1, train_shards, &work);
    struct eng_step_result result =
        eng_parameters_step(&trainer->parameters, &trainer->optimiser, &options, trainer->gradients,
                            trainer->n_shards, trainer->pool);
    eng_exec_commit(trainer->execs, trainer->n_shards);
    eng_average_step(&trainer->average, &recipe->average, &trainer->parameters,
                     trainer->optimiser.n_steps, trainer->pool);
    struct eng_loss_sum sum = sum_shards(trainer);
    sum.loss += result.penalty * (double)recipe->batch; /* losses are sums over samples */
    return (struct eng_trainer_step){sum, options.learning_rate, result.gradient_norm};
}
