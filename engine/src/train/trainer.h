/* The training loop: network, optimiser, shards, and what they went through. */
#ifndef ENG_TRAIN_TRAINER_H
#define ENG_TRAIN_TRAINER_H

#include "engine/train.h"
#include "train/method.h"
#include "train/resume.h"
#include "train/shard.h"

struct eng_trainer {
    const struct eng_train_options *options;
    const struct eng_recipe *recipe;
    const struct eng_data *data;
    struct eng_pool *pool; /* NULL: the calling thread alone */
    struct eng_graph *graph;
    struct eng_parameters parameters;
    struct eng_optimiser optimiser;
    float *class_weights; /* [data->n_outputs], for setting.loss */
    struct eng_average average;
    struct eng_early_stopping stopping;
    float *best; /* [eng_parameters_count] of stopping's best epoch; NULL: no early stopping */
    struct eng_resume resume;
    struct eng_plan *train_plan, *eval_plan;
    struct eng_shard_setting setting;
    struct eng_shard *shards; /* [n_shards] */
    float **gradients;        /* [n_shards] the shards' */
    struct eng_exec **execs;  /* [n_shards] the shards' */
    size_t n_shards;
    uint32_t *order; /* [data->train.n] this epoch's */
    size_t n_steps; /* per epoch; samples that do not fill a batch wait for another epoch's order */
    struct eng_history *history;
};

/*
 * Purpose: builds network, plans, shards and optimiser. Borrows what run says; its graph and
 *          history are filled.
 * Errors: those of eng_network_build; FORMAT: fewer samples than a batch; LIMIT; NO_MEMORY.
 *         End with eng_trainer_fini in any case.
 */
enum eng_status eng_trainer_init(struct eng_trainer *trainer, const struct eng_method_run *run,
                                 struct eng_error *err);
void eng_trainer_fini(struct eng_trainer *trainer);

/* What one step came to. */
struct eng_trainer_step {
    struct eng_loss_sum sum; /* of the batch, penalties included */
    double learning_rate;
    double gradient_norm;
};

/* Purpose: trains on one batch. epoch and step count from 0; order must be the epoch's. */
struct eng_trainer_step eng_trainer_step(struct eng_trainer *trainer, size_t epoch, size_t step);

/* Purpose: loss and hits of the present weights over a whole set, whatever its size. */
struct eng_loss_sum eng_trainer_evaluate(struct eng_trainer *trainer,
                                         const struct eng_dataset *set);

/*
 * Purpose: all epochs that are left, with a checkpoint after each; then the graph has the weights
 *          that are kept, ends in probabilities, and can be exported.
 * Errors: DIVERGED naming epoch and step; CANCELLED; IO; NO_MEMORY.
 * Threads: shards run side by side on the pool; the result does not depend on its size.
 */
enum eng_status eng_trainer_run(struct eng_trainer *trainer, struct eng_error *err);

#endif
