/* What a run went through, epoch by epoch. */
#ifndef ENG_TRAIN_HISTORY_H
#define ENG_TRAIN_HISTORY_H

#include "engine/train.h"

#include <stddef.h>
#include <stdint.h>

struct eng_history {
    int64_t seed;
    size_t n_train, n_validation, n_test, n_parameters;
    struct eng_train_epoch *epochs; /* [n_epochs] */
    size_t n_epochs, capacity;
    size_t n_resumed;  /* of them done by a run before this one */
    char *changes;     /* JSON list of sentences: what else resuming changed; NULL: nothing */
    size_t kept_epoch; /* whose weights the model has, from 1; 0: there are no epochs */
};

void eng_history_fini(struct eng_history *history);

/* Errors: NO_MEMORY. */
enum eng_status eng_history_add(struct eng_history *history, const struct eng_train_epoch *epoch,
                                struct eng_error *err);

/*
 * Purpose: the JSON that goes into the model's metadata. It holds no times: the same run gives the
 * same text. *text is malloc'd, the caller frees it.
 */
enum eng_status eng_history_format(const struct eng_history *history, char **text,
                                   struct eng_error *err);

#endif
