#include "train/validation.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/columns.h"
#include "train/split.h"
#include "train/streams.h"

#include <stdlib.h>
#include <string.h>

/* A set of n samples like train, with room for them. */
static enum eng_status allocate(const struct eng_dataset *train, size_t n, struct eng_dataset *out,
                                struct eng_error *err)
{
    struct eng_dataset made = *train;
    bool good = true;
    made.n = n;
    made.class_names = NULL; /* the training set keeps the only copy of names */
    made.feature_names = NULL;
    for (int name = 0; name < ENG_N_COLUMNS; name++) {
        const struct eng_column column = eng_dataset_column(train, (enum eng_column_name)name);
        void *bytes = column.bytes ? eng_calloc(n, column.sample_bytes) : NULL;
        good = good && (bytes || !column.bytes);
        eng_dataset_take_column(&made, (enum eng_column_name)name, bytes);
    }
    if (!good) {
        eng_dataset_fini(&made);
        return eng_fail_memory(err, "the validation set");
    }
    *out = made;
    return ENG_OK;
}

/* Samples that are taken go to `to`, the others close ranks. */
static void move_column(struct eng_column from, struct eng_column to, const bool *taken, size_t n)
{
    uint8_t *kept = from.bytes, *moved = to.bytes, *sample = from.bytes;
    for (size_t i = 0; sample && i < n; i++, sample += from.sample_bytes) {
        uint8_t **end = taken[i] ? &moved : &kept;
        if (*end != sample) memcpy(*end, sample, from.sample_bytes);
        *end += from.sample_bytes;
    }
}

static void move(struct eng_dataset *train, struct eng_dataset *out, const bool *taken)
{
    for (int name = 0; name < ENG_N_COLUMNS; name++)
        move_column(eng_dataset_column(train, (enum eng_column_name)name),
                    eng_dataset_column(out, (enum eng_column_name)name), taken, train->n);
    train->n -= out->n;
}

enum eng_status eng_validation_split(struct eng_dataset *train, double share, uint64_t seed,
                                     struct eng_dataset *out, struct eng_error *err)
{
    if (train->n < 2)
        return eng_fail(err, ENG_FORMAT,
                        "%zu training samples; wanted at least 2, validation takes some of them",
                        train->n);
    bool *taken = eng_calloc(train->n, sizeof *taken);
    uint32_t *order = eng_calloc(train->n, sizeof *order);
    enum eng_status status = taken && order ? ENG_OK : eng_fail_memory(err, "the validation set");
    if (status == ENG_OK) {
        struct eng_rng rng = eng_stream_rng(seed, ENG_STREAM_VALIDATION, 0, 0);
        size_t n = eng_split_draw(&rng, train->n, share, true, order);
        for (size_t i = 0; i < n; i++)
            taken[order[i]] = true;
        status = allocate(train, n, out, err);
    }
    if (status == ENG_OK) move(train, out, taken);
    free(taken);
    free(order);
    return status;
}
