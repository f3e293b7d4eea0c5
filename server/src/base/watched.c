#include "base/watched.h"

#include "base/fail.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* By what two states of a file are told apart; all zero if there is none. */
struct identity {
    dev_t device;
    ino_t inode;
    off_t n_bytes;
    struct timespec modified, changed;
};

/* "" and NULL: there is none. */
struct files {
    char *paths[SRV_MAX_WATCHED_FILES];
    struct identity seen[SRV_MAX_WATCHED_FILES];
};

struct item {
    const char *setting;
    const struct srv_watched_kind *kind;
    void *ctx;
    struct files files;
    struct identity loaded[SRV_MAX_WATCHED_FILES];
    bool has_next; /* prepared, not taken */
    struct files next_files;
    void *next;
};

struct srv_watched {
    struct srv_log *log;
    pthread_mutex_t mutex; /* guards the items, and lets only one load at a time */
    struct item items[SRV_MAX_WATCHED];
    size_t n;
};

struct srv_watched *srv_watched_create(struct srv_log *log)
{
    struct srv_watched *watched = calloc(1, sizeof *watched);
    if (!watched) return NULL;
    watched->log = log;
    pthread_mutex_init(&watched->mutex, NULL);
    return watched;
}

static void free_paths(struct files *files)
{
    for (size_t i = 0; i < SRV_MAX_WATCHED_FILES; i++)
        free(files->paths[i]);
    *files = (struct files){0};
}

static void drop_next(struct item *item)
{
    if (item->next) item->kind->drop(item->next);
    free_paths(&item->next_files);
    item->next = NULL;
    item->has_next = false;
}

void srv_watched_destroy(struct srv_watched *watched)
{
    if (!watched) return;
    for (size_t i = 0; i < watched->n; i++) {
        drop_next(&watched->items[i]);
        free_paths(&watched->items[i].files);
    }
    pthread_mutex_destroy(&watched->mutex);
    free(watched);
}

/* --- files --- */

static bool is_named(const char *path)
{
    return path && path[0] != '\0';
}

static bool is_path(const char *path, const char *wanted)
{
    return strcmp(path ? path : "", wanted) == 0;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same_file(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->n_bytes == b->n_bytes &&
           is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

static bool are_same(const struct identity *a, const struct identity *b)
{
    for (size_t i = 0; i < SRV_MAX_WATCHED_FILES; i++)
        if (!is_same_file(&a[i], &b[i])) return false;
    return true;
}

static void identify(const struct files *files, struct identity out[SRV_MAX_WATCHED_FILES])
{
    memset(out, 0, SRV_MAX_WATCHED_FILES * sizeof out[0]);
    for (size_t i = 0; i < SRV_MAX_WATCHED_FILES; i++) {
        struct stat info;
        if (!is_named(files->paths[i]) || stat(files->paths[i], &info) != 0) continue;
        out[i] =
            (struct identity){info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
    }
}

/* --- which files --- */

void srv_watched_add(struct srv_watched *watched, const char *setting,
                     const struct srv_watched_kind *kind, void *ctx)
{
    assert(watched->n < SRV_MAX_WATCHED);
    watched->items[watched->n++] = (struct item){.setting = setting, .kind = kind, .ctx = ctx};
}

/* Mutex held. */
static enum eng_status prepare(struct item *item, const char *first, const char *second,
                               struct eng_error *err)
{
    drop_next(item);
    if (is_path(item->files.paths[0], first) && is_path(item->files.paths[1], second))
        return ENG_OK;
    item->next_files = (struct files){.paths = {strdup(first), strdup(second)}};
    enum eng_status status = ENG_OK;
    if (!item->next_files.paths[0] || !item->next_files.paths[1])
        status = srv_fail_memory(err, item->setting);
    identify(&item->next_files, item->next_files.seen); /* first: see load */
    if (status == ENG_OK && is_named(first))
        status = item->kind->prepare(item->ctx, first, second, &item->next, err);
    item->has_next = status == ENG_OK;
    if (status != ENG_OK) drop_next(item);
    return status;
}

enum eng_status srv_watched_prepare(struct srv_watched *watched, const char *setting,
                                    const char *first, const char *second, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++)
        if (strcmp(watched->items[i].setting, setting) == 0)
            status = prepare(&watched->items[i], first, second, err);
    pthread_mutex_unlock(&watched->mutex);
    return status;
}

void srv_watched_take(struct srv_watched *watched)
{
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++) {
        struct item *item = &watched->items[i];
        if (!item->has_next) continue;
        item->kind->take(item->ctx, item->next);
        free_paths(&item->files);
        item->files = item->next_files;
        memcpy(item->loaded, item->files.seen, sizeof item->loaded);
        item->next_files = (struct files){0};
        item->next = NULL;
        item->has_next = false;
    }
    pthread_mutex_unlock(&watched->mutex);
}

/* --- what they hold --- */

/* Mutex held. */
static void load(struct srv_watched *watched, struct item *item, struct srv_watched_row *row)
{
    void *loaded = NULL;
    *row = (struct srv_watched_row){.setting = item->setting};
    identify(&item->files, item->loaded); /* first: a change while it is read is one more to see */
    memcpy(item->files.seen, item->loaded, sizeof item->loaded);
    bool is_good = item->kind->prepare(item->ctx, item->files.paths[0], item->files.paths[1],
                                       &loaded, &row->failure) == ENG_OK;
    if (is_good) item->kind->take(item->ctx, loaded);
    const struct srv_log_field fields[] = {
        {.key = "setting", .text = item->setting},
        {.key = "result", .text = is_good ? "loaded" : "rejected"},
        {.key = "reason", .text = row->failure.text},
    };
    srv_log_write(watched->log, is_good ? SRV_LOG_INFO : SRV_LOG_ERROR, "file", fields,
                  is_good ? 2 : 3);
}

size_t srv_watched_reload(struct srv_watched *watched, struct srv_watched_row rows[SRV_MAX_WATCHED])
{
    size_t n_rows = 0;
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++)
        if (is_named(watched->items[i].files.paths[0]))
            load(watched, &watched->items[i], &rows[n_rows++]);
    pthread_mutex_unlock(&watched->mutex);
    return n_rows;
}

void srv_watched_look(struct srv_watched *watched)
{
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++) {
        struct item *item = &watched->items[i];
        struct identity now[SRV_MAX_WATCHED_FILES];
        struct srv_watched_row row;
        if (!is_named(item->files.paths[0])) continue;
        identify(&item->files, now);
        bool is_still = are_same(now, item->files.seen);
        memcpy(item->files.seen, now, sizeof now);
        if (is_still && !are_same(now, item->loaded)) load(watched, item, &row);
    }
    pthread_mutex_unlock(&watched->mutex);
}
