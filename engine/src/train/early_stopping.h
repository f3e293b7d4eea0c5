/* Early stopping: which epoch was the best by the validation set, and when to wait no longer. */
#ifndef ENG_TRAIN_EARLY_STOPPING_H
#define ENG_TRAIN_EARLY_STOPPING_H

#include "base/fields.h"

#include <stdbool.h>
#include <stddef.h>

enum eng_monitor { ENG_MONITOR_LOSS, ENG_MONITOR_ACCURACY };

struct eng_early_stopping_options {
    bool on;
    int monitor; /* enum eng_monitor */
    int64_t patience_epochs;
    double min_delta;
};

extern const struct eng_field eng_early_stopping_fields[];
extern const size_t eng_n_early_stopping_fields;

/* What was seen so far; zeroed to begin with. */
struct eng_early_stopping {
    double best;       /* of what is monitored */
    size_t best_epoch; /* from 1; 0: none yet */
};

/*
 * Purpose: notes an epoch (from 1) and says whether it is the best so far: its validation loss lies
 *          more than min_delta below the best one, or its accuracy more than that above.
 * Source: Prechelt 1998, "Early stopping - but when?"; keys as Keras's EarlyStopping.
 */
bool eng_early_stopping_note(struct eng_early_stopping *state,
                             const struct eng_early_stopping_options *options, size_t epoch,
                             double loss, double accuracy);

/* Purpose: whether the last patience_epochs up to epoch brought nothing better. */
bool eng_early_stopping_is_over(const struct eng_early_stopping *state,
                                const struct eng_early_stopping_options *options, size_t epoch);

#endif
