#include "serve/repository.h"

#include "base/fail.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct scan {
    struct srv_log *log;
    struct srv_repository found;
    size_t capacity;
};

/* Symbolic links are followed: that is how volumes are often mounted. */
static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void note_ignored(struct srv_log *log, const char *what, const char *path,
                         const char *wanted)
{
    char message[32];
    const struct srv_log_field fields[] = {{.key = what, .text = path},
                                           {.key = "wanted", .text = wanted}};
    snprintf(message, sizeof message, "%s ignored", what);
    srv_log_write(log, SRV_LOG_WARN, message, fields, 2);
}

/* A model where no version is: people put it there and wonder. */
static void visit_file(const struct scan *scan, const char *path)
{
    static const char suffix[] = ".onnx";
    size_t n = strlen(path), n_suffix = strlen(suffix);
    if (n > n_suffix && strcmp(path + n - n_suffix, suffix) == 0)
        note_ignored(scan->log, "file", path, "NAME/VERSION/model.onnx in the models folder");
}

static enum eng_status add_folder(struct scan *scan, const char *model, const char *version,
                                  struct eng_error *err)
{
    struct srv_repository *found = &scan->found;
    if (found->n_folders == SRV_MAX_VERSIONS)
        return srv_fail(err, ENG_LIMIT, "the repository has more than %d versions",
                        SRV_MAX_VERSIONS);
    if (found->n_folders == scan->capacity) {
        size_t capacity = scan->capacity ? scan->capacity * 2 : 16;
        struct srv_folder *folders = realloc(found->folders, capacity * sizeof *folders);
        if (!folders) return srv_fail_memory(err, "the list of versions");
        found->folders = folders;
        scan->capacity = capacity;
    }
    struct srv_folder *folder = &found->folders[found->n_folders++];
    snprintf(folder->model, sizeof folder->model, "%s", model);
    snprintf(folder->version, sizeof folder->version, "%s", version);
    folder->number = srv_version_number(version);
    return ENG_OK;
}

typedef enum eng_status visit_folder(struct scan *scan, const char *path, const char *parent,
                                     const char *name, struct eng_error *err);

/* Calls visit for each folder in path whose name does not begin with a dot, and looks at files. */
static enum eng_status each_folder(struct scan *scan, const char *path, const char *name,
                                   visit_folder *visit, struct eng_error *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return srv_fail(err, errno == ENOENT || errno == ENOTDIR ? ENG_NOT_FOUND : ENG_IO,
                        "%.300s: cannot be read as a folder: %s", path, strerror(errno));
    enum eng_status status = ENG_OK;
    for (struct dirent *entry; status == ENG_OK && (errno = 0, entry = readdir(dir));) {
        char child[PATH_MAX];
        if (entry->d_name[0] == '.') continue;
        int n = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (n < 0 || (size_t)n >= sizeof child)
            status = srv_fail(err, ENG_LIMIT, "%.200s/%.100s: the path is longer than %d bytes",
                              path, entry->d_name, PATH_MAX - 1);
        else if (is_folder(child))
            status = visit(scan, child, name, entry->d_name, err);
        else
            visit_file(scan, child);
        errno = 0;
    }
    if (status == ENG_OK && errno != 0)
        status = srv_fail(err, ENG_IO, "%.300s: cannot be listed: %s", path, strerror(errno));
    closedir(dir);
    return status;
}

static enum eng_status visit_version(struct scan *scan, const char *path, const char *model,
                                     const char *name, struct eng_error *err)
{
    if (srv_version_number(name) > 0) return add_folder(scan, model, name, err);
    note_ignored(scan->log, "folder", path, "a version: a positive integer without leading zeros");
    return ENG_OK;
}

static enum eng_status visit_model(struct scan *scan, const char *path, const char *repository,
                                   const char *name, struct eng_error *err)
{
    (void)repository;
    if (srv_model_is_name(name)) return each_folder(scan, path, name, visit_version, err);
    note_ignored(scan->log, "folder", path, "a model name: at most 63 of A-Z a-z 0-9 _ . -");
    return ENG_OK;
}

static int compare_folders(const void *a, const void *b)
{
    const struct srv_folder *left = a, *right = b;
    int order = strcmp(left->model, right->model);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

enum eng_status srv_repository_scan(const char *models_dir, struct srv_log *log,
                                    struct srv_repository *out, struct eng_error *err)
{
    struct scan scan = {.log = log};
    enum eng_status status = each_folder(&scan, models_dir, "", visit_model, err);
    if (status != ENG_OK) {
        srv_repository_fini(&scan.found);
        return status;
    }
    if (scan.found.n_folders > 0)
        qsort(scan.found.folders, scan.found.n_folders, sizeof *scan.found.folders,
              compare_folders);
    *out = scan.found;
    return ENG_OK;
}

void srv_repository_fini(struct srv_repository *repository)
{
    free(repository->folders);
    *repository = (struct srv_repository){0};
}
