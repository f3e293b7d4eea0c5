/* The requests' half: acquire and release. */
#include "base/fail.h"
#include "serve/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum eng_status srv_registry_create(const char *default_model, struct srv_registry **out,
                                    struct eng_error *err)
{
    struct srv_registry *registry = calloc(1, sizeof *registry);
    char *name = strdup(default_model ? default_model : "");
    if (!registry || !name) {
        free(registry);
        free(name);
        return srv_fail_memory(err, "the registry");
    }
    registry->default_model = name;
    pthread_mutex_init(&registry->lock, NULL);
    pthread_cond_init(&registry->wake, NULL);
    *out = registry;
    return ENG_OK;
}

void srv_registry_destroy(struct srv_registry *registry)
{
    if (!registry) return;
    assert(!registry->all); /* the loader has freed them */
    for (size_t i = 0; i < registry->n_rows; i++) {
        free(registry->rows[i].model);
        free(registry->rows[i].version);
    }
    free(registry->rows);
    free(registry->labels);
    free(registry->default_model);
    pthread_cond_destroy(&registry->wake);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

size_t srv_table_find(const struct srv_registry *registry, const char *model, size_t *end)
{
    size_t low = 0, high = registry->n_rows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(registry->rows[middle].model, model) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *end = low;
    while (*end < registry->n_rows && strcmp(registry->rows[*end].model, model) == 0)
        ++*end;
    return low;
}

struct srv_row *srv_table_default(const struct srv_registry *registry, size_t begin, size_t end)
{
    for (size_t i = end; i > begin; i--)
        if (registry->rows[i - 1].served) return &registry->rows[i - 1];
    return NULL;
}

/* --- acquire --- */

/* Lock held: "mnist, fashion-mnist", cut to n bytes. */
static const char *list_models(const struct srv_registry *registry, char *text, size_t n)
{
    size_t used = 0;
    snprintf(text, n, "none");
    for (size_t i = 0; i < registry->n_rows && used < n; i++) {
        const char *model = registry->rows[i].model;
        if (i > 0 && strcmp(model, registry->rows[i - 1].model) == 0) continue;
        used += (size_t)snprintf(text + used, n - used, "%s%s", i > 0 ? ", " : "", model);
    }
    return text;
}

/* Lock held. */
static enum srv_code fail_unknown(const struct srv_registry *registry, const char *model,
                                  struct eng_error *err)
{
    char models[256];
    if (!registry->first_load_over) {
        srv_fail(err, ENG_NOT_FOUND, "the models are still being loaded");
        return SRV_NOT_READY;
    }
    list_models(registry, models, sizeof models);
    if (!model)
        srv_fail(err, ENG_NOT_FOUND,
                 "the request names no model and there is no default; there is: %s", models);
    else
        srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s'; there is: %s", model, models);
    return SRV_MODEL_NOT_FOUND;
}

/* Lock held: the model of a request that names none: the default, or the only one, or NULL. */
static const char *choose_model(const struct srv_registry *registry)
{
    if (registry->default_model[0]) return registry->default_model;
    size_t n = registry->n_rows;
    if (n == 0 || strcmp(registry->rows[0].model, registry->rows[n - 1].model) != 0) return NULL;
    return registry->rows[0].model;
}

/* The reason names files, so clients are not told: it stands in the log and on the admin listener.
 */
static enum srv_code fail_not_ready(const struct srv_row *row, struct eng_error *err)
{
    if (row->state == SRV_UNLOADED) {
        srv_fail(err, ENG_NOT_FOUND, "model '%s' is unloaded", row->model);
        return SRV_MODEL_NOT_FOUND;
    }
    if (row->state == SRV_FAILED)
        srv_fail(
            err, ENG_NOT_FOUND,
            "version %s of model '%s' could not be loaded; the admin listener's /models says why",
            row->version, row->model);
    else
        srv_fail(err, ENG_NOT_FOUND, "version %s of model '%s' is still being loaded", row->version,
                 row->model);
    return SRV_NOT_READY;
}

/* Lock held. */
static struct srv_row *row_of_number(const struct srv_registry *registry, size_t begin, size_t end,
                                     uint64_t number)
{
    for (size_t i = begin; i < end; i++)
        if (registry->rows[i].number == number) return &registry->rows[i];
    return NULL;
}

/* Its version was taken away. */
static enum srv_code fail_label(const char *model, const char *label, uint64_t number,
                                struct eng_error *err)
{
    srv_fail(err, ENG_NOT_FOUND,
             "label '%s' of model '%s' points to version %" PRIu64 ", which there is not", label,
             model, number);
    return SRV_MODEL_NOT_FOUND;
}

/* Lock held: the version of rows [begin, end), which are not empty. */
static enum srv_code choose_version(const struct srv_registry *registry, size_t begin, size_t end,
                                    const char *version, struct srv_row **out,
                                    struct eng_error *err)
{
    struct srv_row *row = NULL;
    if (version) {
        const char *model = registry->rows[begin].model;
        uint64_t number = srv_version_number(version);
        uint64_t labelled = number == 0 ? srv_table_label(registry, model, version) : 0;
        row = row_of_number(registry, begin, end, number + labelled);
        if (!row && labelled > 0) return fail_label(model, version, labelled, err);
        if (!row) {
            srv_fail(err, ENG_NOT_FOUND, "model '%s' has no version '%.32s'; the highest is %s",
                     model, version, registry->rows[end - 1].version);
            return SRV_MODEL_NOT_FOUND;
        }
    } else {
        row = srv_table_default(registry, begin, end);
    }
    if (!row || !row->served) return fail_not_ready(row ? row : &registry->rows[end - 1], err);
    *out = row;
    return SRV_OK;
}

static enum srv_code find_row(const struct srv_registry *registry, const char *model,
                              const char *version, struct srv_row **out, struct eng_error *err)
{
    if (!model) model = choose_model(registry);
    size_t end = 0, begin = model ? srv_table_find(registry, model, &end) : 0;
    if (begin == end) return fail_unknown(registry, model, err);
    return choose_version(registry, begin, end, version, out, err);
}

enum srv_code srv_registry_acquire(struct srv_registry *registry, const char *model,
                                   const char *version, struct srv_served **out,
                                   struct eng_error *err)
{
    struct srv_row *row = NULL;
    pthread_mutex_lock(&registry->lock);
    enum srv_code code = find_row(registry, model && *model ? model : NULL,
                                  version && *version ? version : NULL, &row, err);
    if (code == SRV_OK) {
        srv_served_link(row->served)->n_references++;
        *out = row->served;
    }
    pthread_mutex_unlock(&registry->lock);
    return code;
}

/* Lock held. */
static enum srv_code find_labelled(const struct srv_registry *registry, const char *model,
                                   const char *label, struct srv_row **out, struct eng_error *err)
{
    char labels[256];
    if (!model) model = choose_model(registry);
    size_t end = 0, begin = model ? srv_table_find(registry, model, &end) : 0;
    if (begin == end) return fail_unknown(registry, model, err);
    uint64_t number = srv_table_label(registry, model, label);
    struct srv_row *row = number > 0 ? row_of_number(registry, begin, end, number) : NULL;
    srv_table_list_labels(registry, model, labels, sizeof labels);
    if (number == 0)
        srv_fail(err, ENG_NOT_FOUND, "model '%s' has no label '%.64s'; it has: %s", model, label,
                 labels);
    else if (!row)
        return fail_label(model, label, number, err);
    if (!row) return SRV_MODEL_NOT_FOUND;
    if (!row->served) return fail_not_ready(row, err);
    *out = row;
    return SRV_OK;
}

enum srv_code srv_registry_acquire_label(struct srv_registry *registry, const char *model,
                                         const char *label, struct srv_served **out,
                                         struct eng_error *err)
{
    struct srv_row *row = NULL;
    pthread_mutex_lock(&registry->lock);
    enum srv_code code = find_labelled(registry, model && *model ? model : NULL, label, &row, err);
    if (code == SRV_OK) {
        srv_served_link(row->served)->n_references++;
        *out = row->served;
    }
    pthread_mutex_unlock(&registry->lock);
    return code;
}

enum srv_code srv_registry_say_default(struct srv_registry *registry, const char *model)
{
    char *name = strdup(model);
    if (!name) return SRV_INTERNAL;
    pthread_mutex_lock(&registry->lock);
    char *old = registry->default_model;
    registry->default_model = name;
    pthread_mutex_unlock(&registry->lock);
    free(old);
    return SRV_OK;
}

enum srv_code srv_registry_set_default(struct srv_registry *registry, const char *model,
                                       struct eng_error *err)
{
    enum srv_code code = SRV_OK;
    pthread_mutex_lock(&registry->lock);
    size_t end, begin = srv_table_find(registry, model, &end);
    if (model[0] && begin == end) code = fail_unknown(registry, model, err);
    pthread_mutex_unlock(&registry->lock);
    return code == SRV_OK ? srv_registry_say_default(registry, model) : code;
}

void srv_registry_default(struct srv_registry *registry, char *text, size_t n)
{
    pthread_mutex_lock(&registry->lock);
    snprintf(text, n, "%s", registry->default_model);
    pthread_mutex_unlock(&registry->lock);
}

/* Lock held. The signal goes out under the lock: afterwards the loader may free what it likes. */
static void release(struct srv_registry *registry, struct srv_served *served)
{
    struct srv_served_link *link = srv_served_link(served);
    assert(link->n_references > 0);
    if (--link->n_references == 0 && link->retired) {
        registry->woken = true;
        pthread_cond_signal(&registry->wake);
    }
}

void srv_registry_release(struct srv_registry *registry, struct srv_served *served)
{
    pthread_mutex_lock(&registry->lock);
    release(registry, served);
    pthread_mutex_unlock(&registry->lock);
}

struct srv_served *srv_registry_next(struct srv_registry *registry, struct srv_served *previous)
{
    pthread_mutex_lock(&registry->lock);
    struct srv_served *next = previous ? srv_served_link(previous)->next : registry->all;
    if (next) srv_served_link(next)->n_references++;
    if (previous) release(registry, previous);
    pthread_mutex_unlock(&registry->lock);
    return next;
}

/* Lock held. */
static bool is_ready(const struct srv_registry *registry, size_t begin, size_t end)
{
    bool is_awaited = false;
    for (size_t i = begin; i < end; i++) {
        if (registry->rows[i].served) return true;
        is_awaited |= registry->rows[i].is_first && registry->rows[i].state != SRV_UNLOADED;
    }
    return !is_awaited;
}

bool srv_registry_ready(struct srv_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    bool ready = registry->first_load_over;
    for (size_t begin = 0, end; begin < registry->n_rows && ready; begin = end) {
        srv_table_find(registry, registry->rows[begin].model, &end);
        ready = is_ready(registry, begin, end);
    }
    pthread_mutex_unlock(&registry->lock);
    return ready;
}
