/* The loader's half: the table changes here and nowhere else. */
#include "base/fail.h"
#include "serve/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- rows --- */

/* Where the version is, or belongs; *found says which. */
static size_t locate(const struct srv_registry *registry, const char *model, const char *version,
                     bool *found)
{
    uint64_t number = srv_version_number(version);
    size_t end, i = srv_table_find(registry, model, &end);
    while (i < end && registry->rows[i].number < number)
        i++;
    *found = i < end && registry->rows[i].number == number;
    return i;
}

/* The row of an announced version. */
static struct srv_row *row_of(struct srv_registry *registry, const char *model, const char *version)
{
    bool found;
    size_t i = locate(registry, model, version, &found);
    assert(found);
    return &registry->rows[i];
}

/* Room for one row more. The new array is made first: requests may be reading the old one. */
static bool grow_rows(struct srv_registry *registry)
{
    if (registry->n_rows < registry->rows_capacity) return true;
    size_t capacity = registry->rows_capacity ? registry->rows_capacity * 2 : 8;
    struct srv_row *rows = calloc(capacity, sizeof *rows), *old = registry->rows;
    if (!rows) return false;
    if (old) memcpy(rows, old, registry->n_rows * sizeof *rows);
    pthread_mutex_lock(&registry->lock);
    registry->rows = rows;
    registry->rows_capacity = capacity;
    pthread_mutex_unlock(&registry->lock);
    free(old);
    return true;
}

enum eng_status srv_registry_announce(struct srv_registry *registry, const char *model,
                                      const char *version, struct eng_error *err)
{
    bool found;
    size_t i = locate(registry, model, version, &found);
    if (found) {
        pthread_mutex_lock(&registry->lock);
        if (registry->rows[i].state == SRV_UNLOADED) registry->rows[i].state = SRV_LOADING;
        pthread_mutex_unlock(&registry->lock);
        return ENG_OK;
    }
    struct srv_row row = {.model = strdup(model),
                          .version = strdup(version),
                          .number = srv_version_number(version),
                          .state = SRV_LOADING,
                          .is_first = !registry->first_load_over};
    if (!row.model || !row.version || !grow_rows(registry)) {
        free(row.model);
        free(row.version);
        return srv_fail_memory(err, "a row of the registry");
    }
    pthread_mutex_lock(&registry->lock);
    struct srv_row *at = &registry->rows[i];
    memmove(at + 1, at, (registry->n_rows - i) * sizeof *at);
    *at = row;
    registry->n_rows++;
    pthread_mutex_unlock(&registry->lock);
    return ENG_OK;
}

/* Lock held. */
static void retire(struct srv_served *served)
{
    if (served) srv_served_link(served)->retired = true;
}

void srv_registry_publish_take(struct srv_registry *registry, struct srv_served *served)
{
    int64_t now_s = (int64_t)time(NULL);
    struct srv_row *row = row_of(registry, srv_served_name(served), srv_served_version(served));
    pthread_mutex_lock(&registry->lock);
    retire(row->served);
    row->served = served;
    row->state = SRV_READY;
    row->is_overridden = false;
    row->failure = (struct eng_error){0};
    row->loaded_unix_s = now_s;
    srv_served_link(served)->next = registry->all;
    registry->all = served;
    pthread_mutex_unlock(&registry->lock);
}

void srv_registry_fail(struct srv_registry *registry, const char *model, const char *version,
                       const char *reason)
{
    struct srv_row *row = row_of(registry, model, version);
    struct eng_error failure = {0};
    srv_fail(&failure, ENG_FORMAT, "%s", reason);
    pthread_mutex_lock(&registry->lock);
    row->failure = failure;
    if (!row->served) row->state = SRV_FAILED;
    pthread_mutex_unlock(&registry->lock);
}

void srv_registry_unload(struct srv_registry *registry, size_t i)
{
    struct srv_row *row = &registry->rows[i];
    pthread_mutex_lock(&registry->lock);
    retire(row->served);
    row->served = NULL;
    row->state = SRV_UNLOADED;
    row->is_overridden = false;
    row->failure = (struct eng_error){0};
    pthread_mutex_unlock(&registry->lock);
}

void srv_registry_mark_overridden(struct srv_registry *registry, size_t i)
{
    registry->rows[i].is_overridden = true; /* the loader's own: nobody else looks */
}

bool srv_registry_is_held(const struct srv_registry *registry, const char *model)
{
    size_t end, i = srv_table_find(registry, model, &end);
    bool is_held = false;
    for (; i < end && !is_held; i++)
        is_held = registry->rows[i].state == SRV_UNLOADED || registry->rows[i].is_overridden;
    return is_held;
}

void srv_registry_remove(struct srv_registry *registry, size_t i)
{
    struct srv_row gone = registry->rows[i];
    pthread_mutex_lock(&registry->lock);
    retire(gone.served);
    struct srv_row *at = &registry->rows[i];
    memmove(at, at + 1, (registry->n_rows - i - 1) * sizeof *at);
    registry->n_rows--;
    size_t end, begin = srv_table_find(registry, gone.model, &end);
    if (begin == end) srv_table_forget_labels(registry, gone.model);
    pthread_mutex_unlock(&registry->lock);
    free(gone.model);
    free(gone.version);
}

/* --- what the loader asks of its own table: no lock, nobody else writes it --- */

size_t srv_registry_count(const struct srv_registry *registry)
{
    return registry->n_rows;
}

const char *srv_registry_model_at(const struct srv_registry *registry, size_t i)
{
    return registry->rows[i].model;
}

const char *srv_registry_version_at(const struct srv_registry *registry, size_t i)
{
    return registry->rows[i].version;
}

struct srv_served *srv_registry_served_at(const struct srv_registry *registry, size_t i)
{
    return registry->rows[i].served;
}

bool srv_registry_has_served(const struct srv_registry *registry)
{
    return registry->all != NULL;
}

/* --- freeing and sleeping --- */

struct srv_served *srv_registry_take_unused(struct srv_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    struct srv_served **at = &registry->all;
    while (*at && (!srv_served_link(*at)->retired || srv_served_link(*at)->n_references > 0))
        at = &srv_served_link(*at)->next;
    struct srv_served *unused = *at;
    if (unused) *at = srv_served_link(unused)->next;
    pthread_mutex_unlock(&registry->lock);
    return unused;
}

void srv_registry_end_first_load(struct srv_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    registry->first_load_over = true;
    pthread_mutex_unlock(&registry->lock);
}

void srv_registry_wait(struct srv_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    while (!registry->woken)
        pthread_cond_wait(&registry->wake, &registry->lock);
    registry->woken = false;
    pthread_mutex_unlock(&registry->lock);
}

void srv_registry_wake(struct srv_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    registry->woken = true;
    pthread_cond_signal(&registry->wake);
    pthread_mutex_unlock(&registry->lock);
}
