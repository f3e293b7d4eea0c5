/* A CSV text as a table: names of columns, numbers, and the target's cells as they stand. */
#ifndef ENG_TRAIN_CSV_TABLE_H
#define ENG_TRAIN_CSV_TABLE_H

#include "engine/status.h"
#include "train/dataset_options.h"

#include <stddef.h>

struct eng_csv_table {
    const char *path; /* for sentences; borrowed */
    char *text;       /* what the cells point into */
    char **columns;   /* [n_columns] names, the target's included */
    size_t n_columns, target;
    size_t n;        /* rows, at least one */
    float *features; /* [n, n_columns - 1] */
    char **targets;  /* [n] */
    size_t *lines;   /* [n] where each row begins, from 1 */
};

/*
 * Purpose: reads a whole text; how->target names the column that is kept as text, or it is the
 *          only one that is none of how->features.
 * Ownership: copies the text; on success end with eng_csv_table_fini.
 * Errors: FORMAT with path, line and column: no target, columns of one name, a row of another
 *         length, a value that is no number; LIMIT; NO_MEMORY.
 */
enum eng_status eng_csv_table_read(const char *path, const void *text, size_t n_bytes,
                                   const struct eng_csv_options *how, struct eng_csv_table *out,
                                   struct eng_error *err);
void eng_csv_table_fini(struct eng_csv_table *table);

#endif
