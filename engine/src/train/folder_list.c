#include "train/folder_list.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), n_ending = strlen(ending);
    return n > n_ending && strcasecmp(name + n - n_ending, ending) == 0;
}

bool eng_folder_is_folder(const char *path, const char *name)
{
    (void)name;
    return eng_file_is_dir(path);
}

bool eng_folder_is_picture(const char *path, const char *name)
{
    return (ends_in(name, ".png") || ends_in(name, ".jpg") || ends_in(name, ".jpeg")) &&
           is_file(path);
}

bool eng_folder_is_csv(const char *path, const char *name)
{
    return ends_in(name, ".csv") && is_file(path);
}

enum eng_status eng_folder_join(const char *dir, const char *name, char *path,
                                struct eng_error *err)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    if (n > 0 && n < PATH_MAX) return ENG_OK;
    return eng_fail(err, ENG_LIMIT, "%.200s...: the path is longer than %d bytes", dir, PATH_MAX);
}

/* The next entry that the filter takes; NULL at the end. A path that is too long is no file. */
static const char *next_entry(DIR *stream, const char *dir, eng_folder_filter *filter)
{
    char path[PATH_MAX];
    struct dirent *entry;
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.' && eng_folder_join(dir, entry->d_name, path, NULL) == ENG_OK &&
            filter(path, entry->d_name))
            return entry->d_name;
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names into *list as it grows; they stay in arena. */
static enum eng_status collect(DIR *stream, const char *dir, eng_folder_filter *filter,
                               size_t max_n, struct eng_arena *arena, struct eng_folder_list *list,
                               struct eng_error *err)
{
    size_t capacity = 0;
    const char *name;
    while ((name = next_entry(stream, dir, filter))) {
        if (list->n == max_n)
            return eng_fail(err, ENG_LIMIT, "%s: more than %zu entries", dir, max_n);
        const char *copy = eng_arena_string(arena, name, strlen(name));
        if (!copy || !eng_grow(&list->names, &capacity, list->n + 1, sizeof *list->names))
            return eng_fail_memory(err, dir);
        list->names[list->n++] = copy;
    }
    return ENG_OK;
}

enum eng_status eng_folder_read(const char *dir, eng_folder_filter *filter, size_t max_n,
                                struct eng_arena *arena, struct eng_folder_list *out,
                                struct eng_error *err)
{
    DIR *stream = opendir(dir);
    if (!stream)
        return eng_fail(err, errno == ENOENT ? ENG_NOT_FOUND : ENG_IO, "%s: cannot be listed: %s",
                        dir, strerror(errno));
    struct eng_folder_list list = {0};
    enum eng_status status = collect(stream, dir, filter, max_n, arena, &list, err);
    closedir(stream);
    const char **names = eng_arena_alloc(arena, list.n + 1, sizeof *names);
    if (status == ENG_OK && !names) status = eng_fail_memory(err, dir);
    if (status == ENG_OK && list.n > 0) {
        qsort(list.names, list.n, sizeof *list.names, compare);
        memcpy(names, list.names, list.n * sizeof *names);
    }
    if (status == ENG_OK) *out = (struct eng_folder_list){names, list.n};
    free(list.names);
    return status;
}

bool eng_folder_has(const char *dir, eng_folder_filter *filter)
{
    DIR *stream = opendir(dir);
    if (!stream) return false;
    bool found = next_entry(stream, dir, filter) != NULL;
    closedir(stream);
    return found;
}
