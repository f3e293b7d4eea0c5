#include "base/watched.h"

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

struct item {
    const char *setting;
    const char *paths[SRV_MAX_WATCHED_FILES]; /* NULL: there is no second */
    enum eng_status (*load)(void *ctx, struct eng_error *err);
    void *ctx;
    struct identity loaded[SRV_MAX_WATCHED_FILES], seen[SRV_MAX_WATCHED_FILES];
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

void srv_watched_destroy(struct srv_watched *watched)
{
    if (!watched) return;
    pthread_mutex_destroy(&watched->mutex);
    free(watched);
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

static void identify(const struct item *item, struct identity out[SRV_MAX_WATCHED_FILES])
{
    memset(out, 0, SRV_MAX_WATCHED_FILES * sizeof out[0]);
    for (size_t i = 0; i < SRV_MAX_WATCHED_FILES; i++) {
        struct stat info;
        if (!item->paths[i] || stat(item->paths[i], &info) != 0) continue;
        out[i] =
            (struct identity){info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
    }
}

void srv_watched_add(struct srv_watched *watched, const char *setting, const char *first,
                     const char *second, enum eng_status (*load)(void *ctx, struct eng_error *err),
                     void *ctx)
{
    assert(watched->n < SRV_MAX_WATCHED);
    struct item *item = &watched->items[watched->n++];
    *item = (struct item){.setting = setting, .paths = {first, second}, .load = load, .ctx = ctx};
    identify(item, item->loaded);
    memcpy(item->seen, item->loaded, sizeof item->seen);
}

/* Mutex held. */
static void load(struct srv_watched *watched, struct item *item, struct srv_watched_row *row)
{
    *row = (struct srv_watched_row){.setting = item->setting};
    identify(item, item->loaded); /* first: a change while it is read is one more to look at */
    memcpy(item->seen, item->loaded, sizeof item->seen);
    bool is_good = item->load(item->ctx, &row->failure) == ENG_OK;
    const struct srv_log_field fields[] = {
        {"setting", item->setting, 0},
        {"result", is_good ? "loaded" : "rejected", 0},
        {"reason", row->failure.text, 0},
    };
    srv_log_write(watched->log, is_good ? SRV_LOG_INFO : SRV_LOG_ERROR, "file", fields,
                  is_good ? 2 : 3);
}

size_t srv_watched_reload(struct srv_watched *watched, struct srv_watched_row rows[SRV_MAX_WATCHED])
{
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++)
        load(watched, &watched->items[i], &rows[i]);
    pthread_mutex_unlock(&watched->mutex);
    return watched->n;
}

void srv_watched_look(struct srv_watched *watched)
{
    pthread_mutex_lock(&watched->mutex);
    for (size_t i = 0; i < watched->n; i++) {
        struct item *item = &watched->items[i];
        struct identity now[SRV_MAX_WATCHED_FILES];
        struct srv_watched_row row;
        identify(item, now);
        bool is_still = are_same(now, item->seen);
        memcpy(item->seen, now, sizeof item->seen);
        if (is_still && !are_same(now, item->loaded)) load(watched, item, &row);
    }
    pthread_mutex_unlock(&watched->mutex);
}

bool srv_watched_is_empty(const struct srv_watched *watched)
{
    return watched->n == 0;
}
