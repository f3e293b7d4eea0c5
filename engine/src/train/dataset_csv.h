/* A table whose columns are features and, one of them, what is to be predicted. */
#ifndef ENG_TRAIN_DATASET_CSV_H
#define ENG_TRAIN_DATASET_CSV_H

#include "train/dataset.h"

/*
 * Purpose: the samples of one split of a text: a header row, then numbers in every column but the
 *          target's. The target is a number to come close to if options->is_regression, else the
 *          name of a class; classes are sorted, as numbers if all of them are whole ones. Without
 *          test rows of their own, options->csv.test_share of the rows are those.
 * test_text: the test rows, with the same header, or NULL. Both texts are copied; the paths are for
 *            sentences.
 * Ownership: end with eng_dataset_fini.
 * Errors: FORMAT with path, line and column; LIMIT; NO_MEMORY.
 */
enum eng_status eng_csv_parse(const char *path, const void *text, size_t n_bytes,
                              const char *test_path, const void *test_text, size_t n_test_bytes,
                              const struct eng_dataset_options *options, enum eng_split split,
                              struct eng_dataset *out, struct eng_error *err);

#endif
