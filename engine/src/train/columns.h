/* A data set as columns of samples, for code that moves or hashes whole samples of any kind. */
#ifndef ENG_TRAIN_COLUMNS_H
#define ENG_TRAIN_COLUMNS_H

#include "base/digest.h"
#include "train/dataset.h"

enum eng_column_name {
    ENG_COLUMN_PIXELS,
    ENG_COLUMN_FEATURES,
    ENG_COLUMN_LABELS,
    ENG_COLUMN_TARGETS,
    ENG_N_COLUMNS,
};

struct eng_column {
    uint8_t *bytes; /* [n, sample_bytes]; NULL: the set has none of these */
    size_t sample_bytes;
};

/* Purpose: a member of the set as bytes. Borrowed. */
struct eng_column eng_dataset_column(const struct eng_dataset *set, enum eng_column_name name);

/* Purpose: makes bytes that member of the set; they come from malloc and now belong to it. */
void eng_dataset_take_column(struct eng_dataset *set, enum eng_column_name name, void *bytes);

/*
 * Purpose: SHA-256 over all that a set says: kind, sizes and every sample.
 * Cost: reads the whole set; about 1 GB/s.
 */
void eng_dataset_digest(const struct eng_dataset *set, char hex[ENG_DIGEST_CHARS]);

#endif
