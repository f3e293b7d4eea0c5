/* A copy of the table for /models. */
#include "base/fail.h"
#include "engine/model.h"
#include "serve/table.h"

#include <stdlib.h>
#include <string.h>

static void describe(struct srv_served *served, struct srv_version_info *info)
{
    const struct eng_card *card = eng_model_card(srv_served_model(served));
    info->n_classes = card->n_classes;
    info->session_bytes = srv_served_session_bytes(served);
    info->queue_length = srv_served_queue_length(served);
    info->guessed = card->guessed;
    info->width_px = card->preprocess.width_px;
    info->height_px = card->preprocess.height_px;
    info->n_channels = eng_preprocess_channels(&card->preprocess);
}

/* Lock held. False: out of memory; info is then for srv_snapshot_fini all the same. */
static bool fill(struct srv_version_info *info, const char *model, const char *version,
                 struct srv_served *served, const char *reason)
{
    info->model = strdup(model);
    info->version = strdup(version);
    info->digest = strdup(served ? eng_model_digest(srv_served_model(served)) : "");
    info->reason = strdup(reason);
    if (served) describe(served, info);
    return info->model && info->version && info->digest && info->reason;
}

/* Lock held. */
static bool fill_rows(const struct srv_registry *registry, struct srv_snapshot *snapshot)
{
    for (size_t begin = 0, end; begin < registry->n_rows; begin = end) {
        srv_table_find(registry, registry->rows[begin].model, &end);
        const struct srv_row *def = srv_table_default(registry, begin, end);
        for (size_t i = begin; i < end; i++) {
            const struct srv_row *row = &registry->rows[i];
            struct srv_version_info *info = &snapshot->versions[snapshot->n_versions++];
            info->state = row->state;
            info->is_default = row == def;
            info->loaded_unix_s = row->loaded_unix_s;
            if (!fill(info, row->model, row->version, row->served, row->failure.text)) return false;
        }
    }
    return true;
}

/* Lock held: those that only finish what they began. */
static bool fill_draining(const struct srv_registry *registry, struct srv_snapshot *snapshot)
{
    for (struct srv_served *s = registry->all; s; s = srv_served_link(s)->next) {
        if (!srv_served_link(s)->retired) continue;
        struct srv_version_info *info = &snapshot->versions[snapshot->n_versions++];
        info->state = SRV_DRAINING;
        if (!fill(info, srv_served_name(s), srv_served_version(s), s, "")) return false;
    }
    return true;
}

/* Lock held. */
static bool fill_labels(const struct srv_registry *registry, struct srv_snapshot *snapshot)
{
    snapshot->labels = calloc(registry->n_labels + 1, sizeof *snapshot->labels);
    if (!snapshot->labels) return false;
    for (size_t i = 0; i < registry->n_labels; i++) {
        const struct srv_label_row *row = &registry->labels[i];
        if (row->version == 0) continue;
        struct srv_label_info *info = &snapshot->labels[snapshot->n_labels++];
        memcpy(info->model, row->model, sizeof info->model);
        memcpy(info->label, row->label, sizeof info->label);
        info->version = row->version;
    }
    return true;
}

/* By model and number; what serves stands before what drains. */
static int compare(const void *a, const void *b)
{
    const struct srv_version_info *left = a, *right = b;
    uint64_t left_number = strtoull(left->version, NULL, 10);
    uint64_t right_number = strtoull(right->version, NULL, 10);
    int order = strcmp(left->model, right->model);
    if (order == 0) order = (left_number > right_number) - (left_number < right_number);
    if (order == 0) order = (left->state == SRV_DRAINING) - (right->state == SRV_DRAINING);
    return order;
}

enum eng_status srv_registry_snapshot(struct srv_registry *registry, struct srv_snapshot *out,
                                      struct eng_error *err)
{
    struct srv_snapshot snapshot = {0};
    pthread_mutex_lock(&registry->lock);
    size_t n = registry->n_rows + 1;
    for (struct srv_served *s = registry->all; s; s = srv_served_link(s)->next)
        n += srv_served_link(s)->retired;
    snapshot.versions = calloc(n, sizeof *snapshot.versions);
    bool filled = snapshot.versions && fill_rows(registry, &snapshot) &&
                  fill_draining(registry, &snapshot) && fill_labels(registry, &snapshot);
    pthread_mutex_unlock(&registry->lock);
    if (!filled) {
        srv_snapshot_fini(&snapshot);
        return srv_fail_memory(err, "the list of models");
    }
    qsort(snapshot.versions, snapshot.n_versions, sizeof *snapshot.versions, compare);
    *out = snapshot;
    return ENG_OK;
}

void srv_snapshot_fini(struct srv_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        free(snapshot->versions[i].model);
        free(snapshot->versions[i].version);
        free(snapshot->versions[i].digest);
        free(snapshot->versions[i].reason);
    }
    free(snapshot->versions);
    free(snapshot->labels);
    *snapshot = (struct srv_snapshot){0};
}

bool srv_snapshot_is_repeated(const struct srv_snapshot *snapshot, size_t i)
{
    const struct srv_version_info *info = &snapshot->versions[i];
    return i > 0 && strcmp(info[-1].model, info->model) == 0 &&
           strcmp(info[-1].version, info->version) == 0;
}
