/* A folder of its own for a test, under TMPDIR or /tmp; removed with everything in it. */
#ifndef TESTS_TEMP_FOLDER_H
#define TESTS_TEMP_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct temp_folder {
    char path[256];
    char file[512]; /* the last answer of temp_folder_file */
};

static inline struct temp_folder temp_folder_make(void)
{
    struct temp_folder folder = {0};
    const char *parent = getenv("TMPDIR");
    snprintf(folder.path, sizeof folder.path, "%s/classifyd-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder.path)) {
        perror(folder.path);
        exit(1);
    }
    return folder;
}

/* Purpose: the path of name inside; valid until the next call. */
static inline const char *temp_folder_file(struct temp_folder *folder, const char *name)
{
    snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);
    return folder->file;
}

static inline int temp_folder_remove_entry(const char *path, const struct stat *info, int type,
                                           struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static inline void temp_folder_remove(struct temp_folder *folder)
{
    nftw(folder->path, temp_folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
