/* Any text as a table, or as a table and its test rows, is a data set or an error sentence. */
#include "train/dataset_csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

/* Reads all of it, so that the sanitizer sees a wrong size. */
static void check(const struct eng_dataset *set)
{
    size_t length = 0;
    if (set->n == 0 || set->n_features == 0 || !set->labels == !set->targets) abort();
    for (size_t i = 0; i < set->n; i++) {
        for (size_t k = 0; k < set->n_features; k++)
            if (!isfinite(eng_dataset_features(set, i)[k])) abort();
        if (set->labels && set->labels[i] >= set->n_classes) abort();
        if (set->targets && !isfinite(set->targets[i])) abort();
    }
    for (size_t k = 0; k < set->n_features; k++)
        length += strlen(set->feature_names[k]);
    for (size_t c = 0; c < set->n_classes; c++)
        length += strlen(set->class_names[c]);
    if (length == 0) abort();
}

/* The first byte: regression or not, which split, and whether the rest is cut at a '|'. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes == 0) return 0;
    uint8_t how = *data++;
    const uint8_t *cut = how & 4 ? memchr(data, '|', --n_bytes) : (n_bytes--, NULL);
    size_t n_train = cut ? (size_t)(cut - data) : n_bytes;
    const struct eng_dataset_options options = {
        .is_regression = how & 1, .has_csv = true, .csv = {.target = "y", .test_share = 0.3}};
    struct eng_dataset set;
    struct eng_error err = {0};
    enum eng_status status = eng_csv_parse("train", data, n_train, "test", cut ? cut + 1 : NULL,
                                           cut ? n_bytes - n_train - 1 : 0, &options,
                                           how & 2 ? ENG_SPLIT_TEST : ENG_SPLIT_TRAIN, &set, &err);
    if (status == ENG_OK) {
        check(&set);
        eng_dataset_fini(&set);
    } else if (!err.text[0]) {
        abort();
    }
    return 0;
}
