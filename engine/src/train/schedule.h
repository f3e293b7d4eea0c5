/* How the learning rate changes over a run. */
#ifndef ENG_TRAIN_SCHEDULE_H
#define ENG_TRAIN_SCHEDULE_H

#include "train/kinds.h"

#include <stddef.h>

struct eng_schedule_options {
    int kind;             /* index into eng_schedule_kinds */
    double warmup_epochs; /* the rate rises linearly from 0 over these */
    double every_epochs;  /* step: the rate is multiplied by factor after each of these */
    double factor;
    double final_factor; /* cosine: where the rate ends, as a share of the full one */
};

extern const struct eng_kind eng_schedule_kinds[];
extern const size_t eng_n_schedule_kinds;

/*
 * Purpose: what the learning rate is multiplied with.
 * Units: epoch: epochs done so far, with a fraction, 0 <= epoch <= n_epochs.
 * Source: cosine: Loshchilov and Hutter 2016 (SGDR), without restarts, after the warm-up.
 */
double eng_schedule_factor(const struct eng_schedule_options *options, double epoch,
                           double n_epochs);

#endif
