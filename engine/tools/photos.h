/* Labelled pictures of any size on disk: a folder with a classes.tsv that says which shows what. */
#ifndef TOOLS_PHOTOS_H
#define TOOLS_PHOTOS_H

#include "base/arena.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tool_photos {
    struct eng_arena arena; /* what the lists hold */
    const char **paths;     /* [n] dir/file */
    uint16_t *labels;       /* [n] the class's index */
    size_t n;               /* at least one */
};

/* Purpose: whether dir holds a classes.tsv. */
bool tool_photos_are_in(const char *dir);

/*
 * Purpose: reads dir/classes.tsv: cells parted by tabs, a header row that names the columns. `file`
 *          is a path below dir, `class_index` the class from 0; other columns are passed over, and
 *          so are files of dir that are not listed. The pictures are not opened.
 * Ownership: end with tool_photos_fini.
 * Errors: FORMAT naming line, value and wanted value; NOT_FOUND, IO, LIMIT, NO_MEMORY.
 */
enum eng_status tool_photos_read(const char *dir, struct tool_photos *out, struct eng_error *err);

/* Purpose: frees and zeroes; a zeroed struct is accepted. */
void tool_photos_fini(struct tool_photos *photos);

#endif
