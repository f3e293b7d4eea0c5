/* K nearest neighbours: which training samples a model remembers, and how it compares. */
#ifndef ENG_TRAIN_KNN_H
#define ENG_TRAIN_KNN_H

#include "base/fields.h"
#include "train/dataset.h"

struct eng_knn_options {
    int64_t k;       /* neighbours that vote */
    int64_t samples; /* training samples to keep; 0: all */
    int distance;    /* index into L1, L2 */
};

/* Keys of the recipe's section "knn". */
extern const struct eng_field eng_knn_fields[];
extern const size_t eng_n_knn_fields;

/*
 * Purpose: draws n of the samples by seed, of each class as many as of the others or one more, as
 *          long as it has that many.
 * Shapes: out [n], rising; n <= set->n. Errors: NO_MEMORY.
 */
enum eng_status eng_knn_choose(const struct eng_dataset *set, uint64_t seed, size_t n,
                               uint32_t *out, struct eng_error *err);

#endif
