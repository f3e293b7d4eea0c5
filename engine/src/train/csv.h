/* Comma-separated values: rows of cells, split in place. */
#ifndef ENG_TRAIN_CSV_H
#define ENG_TRAIN_CSV_H

#include "engine/status.h"

#include <stddef.h>

/* Where reading stands. text[n_bytes] must be a NUL of the caller's; the text is written over. */
struct eng_csv {
    const char *path; /* for sentences */
    char *at, *end;
    size_t line; /* of at, from 1 */
};

/* Purpose: starts at the first byte, behind a byte order mark if there is one. */
struct eng_csv eng_csv_over(const char *path, char *text, size_t n_bytes);

/*
 * Purpose: the next row that is not empty: at most max_cells cells, NUL-terminated, unquoted, each
 *          inside the text. *n is 0 at the end; *line is where the row begins.
 * Errors: FORMAT with line: a quote where none may stand or that nothing closes, a NUL byte; LIMIT:
 *         more cells.
 * Source: RFC 4180; a line may also end in LF alone.
 */
enum eng_status eng_csv_next(struct eng_csv *csv, char **cells, size_t max_cells, size_t *n,
                             size_t *line, struct eng_error *err);

/* Purpose: a decimal number, white space around it allowed, as a finite float. False: it is none.
 */
_Bool eng_csv_number(const char *cell, float *out);

#endif
