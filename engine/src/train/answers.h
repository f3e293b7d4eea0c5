/* What a finished model answers to every test sample. */
#ifndef ENG_TRAIN_ANSWERS_H
#define ENG_TRAIN_ANSWERS_H

#include "engine/pool.h"
#include "train/data.h"

#include <stdint.h>

struct eng_answer {
    uint16_t predicted;
    float probability; /* of predicted */
    float of_label;    /* the label's */
};

/*
 * Purpose: opens the model's file as a server would and asks it about each sample of data->test.
 * Shapes: out [data->test.n]; data->n_classes is above 0.
 * Errors: what opening a model says; NO_MEMORY.
 * Threads: n_shards sessions, side by side on the pool; the answers do not depend on either.
 */
enum eng_status eng_answers_ask(const void *file, size_t n_bytes, const struct eng_data *data,
                                size_t n_shards, struct eng_pool *pool, struct eng_answer *out,
                                struct eng_error *err);

#endif
