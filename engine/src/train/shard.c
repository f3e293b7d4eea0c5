#include "train/shard.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/mixup.h"
#include "train/streams.h"

#include <stdlib.h>
#include <string.h>

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

enum eng_status eng_shard_init(struct eng_shard *shard, const struct eng_shard_setting *setting,
                               struct eng_error *err)
{
    const struct eng_parameters *parameters = setting->parameters;
    struct eng_shard made = {
        .gradients = eng_calloc(parameters->n, sizeof *made.gradients),
        .value_grads = eng_calloc(setting->graph->n_values, sizeof *made.value_grads),
        .picture = eng_calloc(eng_dataset_sample_bytes(&setting->data->train), 1),
        .labels = eng_calloc(setting->n, sizeof *made.labels),
        .targets = eng_calloc(setting->n, sizeof *made.targets),
        .other_labels = eng_calloc(setting->n, sizeof *made.other_labels),
        .shares = eng_calloc(setting->n, sizeof *made.shares),
    };
    enum eng_status status = ENG_OK;
    if (!made.gradients || !made.value_grads || !made.picture || !made.labels || !made.targets ||
        !made.other_labels || !made.shares)
        status = eng_fail_memory(err, "a shard of the batch");
    if (status == ENG_OK)
        status = eng_exec_create(
            setting->graph,
            larger(setting->train_plan->arena_bytes, setting->eval_plan->arena_bytes),
            setting->pool, &made.exec, err);
    if (status != ENG_OK) {
        eng_shard_fini(&made);
        return status;
    }
    for (size_t v = 0; v < setting->graph->n_values; v++)
        if (parameters->first[v] != SIZE_MAX)
            made.value_grads[v] = made.gradients + parameters->first[v];
    *shard = made;
    return ENG_OK;
}

void eng_shard_fini(struct eng_shard *shard)
{
    eng_exec_destroy(shard->exec);
    free(shard->gradients);
    free(shard->value_grads);
    free(shard->picture);
    free(shard->labels);
    free(shard->targets);
    free(shard->other_labels);
    free(shard->shares);
    memset(shard, 0, sizeof *shard);
}

/* Places sample `from` of the set as sample `to` of the batch; augmented if variant is not NULL. */
static void place(struct eng_shard *shard, const struct eng_shard_setting *setting,
                  const struct eng_dataset *set, size_t from, size_t to,
                  const struct eng_augment_variant *variant)
{
    const struct eng_input *input = &setting->data->input;
    float *values = eng_exec_value(shard->exec, setting->network.input)->data;
    eng_input_fill(input, set, from, &setting->recipe->augment, variant, shard->picture,
                   values + to * input->count);
    if (set->labels) shard->labels[to] = set->labels[from];
    if (set->targets) shard->targets[to] = set->targets[from];
}

static struct eng_loss_targets targets_of(const struct eng_shard *shard,
                                          const struct eng_dataset *set)
{
    return (struct eng_loss_targets){.labels = set->labels ? shard->labels : NULL,
                                     .values = set->targets ? shard->targets : NULL};
}

/* Mixes the samples as placed; changes targets to match. */
static void mix(struct eng_shard *shard, const struct eng_shard_setting *setting, uint64_t epoch,
                uint64_t number, struct eng_loss_targets *targets)
{
    struct eng_rng rng =
        eng_stream_rng((uint64_t)setting->recipe->seed, ENG_STREAM_MIXUP, epoch, number);
    eng_mixup_draw(setting->recipe->augment.mixup, &rng, setting->n, shard->shares);
    eng_mixup_rows(shard->shares, setting->n, setting->data->input.count,
                   eng_exec_value(shard->exec, setting->network.input)->data);
    if (targets->values) eng_mixup_rows(shard->shares, setting->n, 1, shard->targets);
    if (!targets->labels) return;
    eng_mixup_labels(shard->labels, setting->n, shard->other_labels);
    targets->other_labels = shard->other_labels;
    targets->shares = shard->shares;
}

void eng_shard_train(struct eng_shard *shard, const struct eng_shard_setting *setting,
                     const struct eng_dataset *set, const uint32_t *samples, uint64_t epoch,
                     uint64_t number, double grad_scale)
{
    uint64_t seed = (uint64_t)setting->recipe->seed;
    eng_exec_bind(shard->exec, setting->train_plan);
    eng_exec_bind_grads(shard->exec, shard->value_grads);
    for (size_t i = 0; i < setting->n; i++) {
        const struct eng_augment_variant variant = {seed, epoch, samples[i], NULL};
        place(shard, setting, set, samples[i], i, &variant);
    }
    struct eng_loss_targets targets = targets_of(shard, set);
    if (setting->recipe->augment.mixup > 0) mix(shard, setting, epoch, number, &targets);
    struct eng_rng dropout = eng_stream_rng(seed, ENG_STREAM_DROPOUT, epoch, number);
    eng_exec_forward(shard->exec, eng_rng_u64(&dropout));
    const float *scores = eng_exec_value(shard->exec, setting->network.scores)->data;
    shard->sum =
        eng_loss_run(&setting->loss, scores, &targets, setting->n, setting->data->n_outputs,
                     eng_exec_seed_grad(shard->exec, setting->network.scores), grad_scale);
    eng_exec_backward(shard->exec);
}

void eng_shard_evaluate(struct eng_shard *shard, const struct eng_shard_setting *setting,
                        const struct eng_dataset *set, size_t first, size_t n)
{
    eng_exec_bind(shard->exec, setting->eval_plan);
    /* Places beyond n hold whatever an earlier value left there; their rows are not looked at. */
    for (size_t i = 0; i < n; i++)
        place(shard, setting, set, first + i, i, NULL);
    eng_exec_forward(shard->exec, 0);
    const float *scores = eng_exec_value(shard->exec, setting->network.scores)->data;
    const struct eng_loss_targets targets = targets_of(shard, set);
    struct eng_loss_sum sum =
        eng_loss_run(&setting->loss, scores, &targets, n, setting->data->n_outputs, NULL, 0);
    shard->sum.loss += sum.loss;
    shard->sum.n_correct += sum.n_correct;
}
