/* How the learning rate changes over a run. */
#ifndef ENG_TRAIN_SCHEDULE_H
#define ENG_TRAIN_SCHEDULE_H

#include "train/kinds.h"

#include <stddef.h>

enum eng_anneal { ENG_ANNEAL_COSINE, ENG_ANNEAL_LINEAR };

struct eng_schedule_options {
    int kind;             /* index into eng_schedule_kinds */
    double warmup_epochs; /* the rate rises linearly from 0 over these */
    double every_epochs;  /* step: the rate is multiplied by factor after each of these */
    double factor;
    double final_factor; /* cosine, one_cycle: where the rate ends, as a share of the full one */
    double peak;         /* one_cycle: share of the run at which the rate is full */
    double start_factor; /* one_cycle: where it begins */
    int anneal;          /* one_cycle: enum eng_anneal, the way from the peak to the end */
};

extern const struct eng_kind eng_schedule_kinds[];
extern const size_t eng_n_schedule_kinds;

/*
 * Purpose: what the learning rate is multiplied with.
 * Units: epoch: epochs done so far, with a fraction, 0 <= epoch <= n_epochs.
 * Source: step: torch.optim.lr_scheduler.StepLR. cosine: Loshchilov and Hutter 2016 (SGDR) without
 *         restarts, CosineAnnealingLR. one_cycle: Smith 2018 (1cycle), OneCycleLR with a linear
 *         rise. Warm-up and rise: LinearLR. A trainer that passes what is done after its step s of
 * T gives its last step the final rate, as OneCycleLR does.
 */
double eng_schedule_factor(const struct eng_schedule_options *options, double epoch,
                           double n_epochs);

#endif
