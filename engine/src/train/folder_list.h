/* What a folder holds, sorted by name. */
#ifndef ENG_TRAIN_FOLDER_LIST_H
#define ENG_TRAIN_FOLDER_LIST_H

#include "base/arena.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

struct eng_folder_list {
    const char **names;
    size_t n;
};

/* Purpose: whether an entry counts; path is dir/name. */
typedef bool eng_folder_filter(const char *path, const char *name);

bool eng_folder_is_folder(const char *path, const char *name);

/* A regular file whose name ends in .png, .jpg or .jpeg, in letters of any case. */
bool eng_folder_is_picture(const char *path, const char *name);

/* A regular file whose name ends in .csv. */
bool eng_folder_is_csv(const char *path, const char *name);

/*
 * Purpose: the names of the entries that the filter takes, in the order of their bytes, at most
 *          max_n; names that begin with a dot are passed over.
 * Ownership: names live in arena. Errors: NOT_FOUND, IO, LIMIT, NO_MEMORY, naming dir.
 */
enum eng_status eng_folder_read(const char *dir, eng_folder_filter *filter, size_t max_n,
                                struct eng_arena *arena, struct eng_folder_list *out,
                                struct eng_error *err);

/* Purpose: whether dir holds an entry that the filter takes. */
bool eng_folder_has(const char *dir, eng_folder_filter *filter);

/* Purpose: "dir/name" into path[PATH_MAX]. Errors: LIMIT. */
enum eng_status eng_folder_join(const char *dir, const char *name, char *path,
                                struct eng_error *err);

#endif
