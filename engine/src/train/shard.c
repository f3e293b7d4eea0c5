#include "train/shard.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/streams.h"

#include <stdlib.h>
#include <string.h>

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

enum eng_status eng_shard_init(struct eng_shard *shard, const struct eng_shard_setting *setting,
                               size_t sample_bytes, struct eng_error *err)
{
    const struct eng_parameters *parameters = setting->parameters;
    struct eng_shard made = {
        .gradients = eng_calloc(parameters->n, sizeof *made.gradients),
        .value_grads = eng_calloc(setting->graph->n_values, sizeof *made.value_grads),
        .picture = eng_calloc(sample_bytes, 1),
        .labels = eng_calloc(setting->n, sizeof *made.labels),
    };
    enum eng_status status = ENG_OK;
    if (!made.gradients || !made.value_grads || !made.picture || !made.labels)
        status = eng_fail_memory(err, "a shard of the batch");
    if (status == ENG_OK)
        status = eng_exec_create(
            setting->graph,
            larger(setting->train_plan->arena_bytes, setting->eval_plan->arena_bytes), NULL,
            &made.exec, err);
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
    memset(shard, 0, sizeof *shard);
}

/* Places sample `from` of the set as sample `to` of the batch; augmented if rng is not NULL. */
static void place(struct eng_shard *shard, const struct eng_shard_setting *setting,
                  const struct eng_dataset *set, size_t from, size_t to, struct eng_rng *rng)
{
    float *values = eng_exec_value(shard->exec, setting->network.input)->data;
    eng_input_fill(setting->input, set, from, &setting->recipe->augment, rng, shard->picture,
                   values + to * setting->input->count);
    shard->labels[to] = set->labels[from];
}

void eng_shard_train(struct eng_shard *shard, const struct eng_shard_setting *setting,
                     const struct eng_dataset *set, const uint32_t *samples, uint64_t epoch,
                     uint64_t number, double grad_scale)
{
    uint64_t seed = (uint64_t)setting->recipe->seed;
    eng_exec_bind(shard->exec, setting->train_plan);
    eng_exec_bind_grads(shard->exec, shard->value_grads);
    memset(shard->gradients, 0, setting->parameters->n * sizeof *shard->gradients);
    for (size_t i = 0; i < setting->n; i++) {
        struct eng_rng rng = eng_stream_rng(seed, ENG_STREAM_AUGMENT, epoch, samples[i]);
        place(shard, setting, set, samples[i], i, &rng);
    }
    struct eng_rng dropout = eng_stream_rng(seed, ENG_STREAM_DROPOUT, epoch, number);
    eng_exec_forward(shard->exec, eng_rng_u64(&dropout));
    const float *scores = eng_exec_value(shard->exec, setting->network.scores)->data;
    shard->sum =
        eng_loss_run(&setting->recipe->loss, scores, shard->labels, setting->n, setting->n_outputs,
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
    struct eng_loss_sum sum =
        eng_loss_run(&setting->recipe->loss, scores, shard->labels, n, setting->n_outputs, NULL, 0);
    shard->sum.loss += sum.loss;
    shard->sum.n_correct += sum.n_correct;
}
