/* One of the parts that a batch is cut into: its own execution, gradients and samples. */
#ifndef ENG_TRAIN_SHARD_H
#define ENG_TRAIN_SHARD_H

#include "graph/exec.h"
#include "train/data.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/parameters.h"

#include <stddef.h>
#include <stdint.h>

/* What all shards of a run work with. Borrowed parts; read-only while shards run. */
struct eng_shard_setting {
    const struct eng_recipe *recipe;
    const struct eng_data *data;
    const struct eng_graph *graph;
    struct eng_network network;
    const struct eng_plan *train_plan, *eval_plan; /* both for n samples */
    const struct eng_parameters *parameters;
    struct eng_loss_options loss; /* the recipe's, prepared */
    struct eng_pool *pool; /* for loops within operators; NULL: each shard keeps to its thread */
    size_t n;              /* samples of one shard */
};

struct eng_shard {
    struct eng_exec *exec;
    float *gradients;        /* [parameters->n] */
    float **value_grads;     /* [n_values] into gradients, NULL: not trainable */
    uint8_t *picture;        /* one augmented sample */
    uint16_t *labels;        /* [n] */
    float *targets;          /* [n], regression only */
    uint16_t *other_labels;  /* [n] mixup: of the samples mixed in */
    float *shares;           /* [n] mixup: what samples keep of themselves */
    struct eng_loss_sum sum; /* of the last run */
};

/* Errors: NO_MEMORY. End with eng_shard_fini; a zeroed shard is accepted there. */
enum eng_status eng_shard_init(struct eng_shard *shard, const struct eng_shard_setting *setting,
                               struct eng_error *err);
void eng_shard_fini(struct eng_shard *shard);

/*
 * Purpose: forward and backward over setting->n samples; leaves gradients (zeroed before) and sum.
 * epoch and number (step x shards + shard) pick the random numbers; grad_scale is 1 / batch.
 */
void eng_shard_train(struct eng_shard *shard, const struct eng_shard_setting *setting,
                     const struct eng_dataset *set, const uint32_t *samples, uint64_t epoch,
                     uint64_t number, double grad_scale);

/* Purpose: adds loss and hits of samples [first, first + n), n <= setting->n, to sum. */
void eng_shard_evaluate(struct eng_shard *shard, const struct eng_shard_setting *setting,
                        const struct eng_dataset *set, size_t first, size_t n);

#endif
