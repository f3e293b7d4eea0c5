/* Labels: names of versions that move, such as stable and canary. Any thread. */
#include "base/fail.h"
#include "serve/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct srv_label_row *row, const char *model, const char *label)
{
    int order = strcmp(row->model, model);
    return order != 0 ? order : strcmp(row->label, label);
}

/* Lock held: where the label is, or belongs; "" finds where a model's begin. */
static size_t locate(const struct srv_registry *registry, const char *model, const char *label)
{
    size_t low = 0, high = registry->n_labels;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&registry->labels[middle], model, label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Lock held: NULL if there is none. */
static struct srv_label_row *find(const struct srv_registry *registry, const char *model,
                                  const char *label)
{
    size_t i = locate(registry, model, label);
    bool found = i < registry->n_labels && compare(&registry->labels[i], model, label) == 0;
    return found ? &registry->labels[i] : NULL;
}

/* Lock held: found or made. NULL: no memory, or the model has too many. */
static struct srv_label_row *provide(struct srv_registry *registry, const char *model,
                                     const char *label, struct eng_error *err)
{
    size_t i = locate(registry, model, label), n = 0;
    for (size_t at = locate(registry, model, "");
         at < registry->n_labels && strcmp(registry->labels[at].model, model) == 0; at++)
        n++;
    if (find(registry, model, label)) return &registry->labels[i];
    if (n == SRV_MAX_VERSION_LABELS) {
        srv_fail(err, ENG_LIMIT, "model '%s' has %d labels; wanted no more", model,
                 SRV_MAX_VERSION_LABELS);
        return NULL;
    }
    struct srv_label_row *rows =
        realloc(registry->labels, (registry->n_labels + 1) * sizeof *registry->labels);
    if (!rows) {
        srv_fail_memory(err, "a label");
        return NULL;
    }
    registry->labels = rows;
    memmove(rows + i + 1, rows + i, (registry->n_labels++ - i) * sizeof *rows);
    rows[i] = (struct srv_label_row){0};
    snprintf(rows[i].model, sizeof rows[i].model, "%s", model);
    snprintf(rows[i].label, sizeof rows[i].label, "%s", label);
    return &rows[i];
}

/* Lock held: a label that nobody says anything of any more. */
static void forget_if_unsaid(struct srv_registry *registry, struct srv_label_row *row)
{
    if (row->version > 0 || row->said > 0) return;
    size_t i = (size_t)(row - registry->labels);
    memmove(row, row + 1, (--registry->n_labels - i) * sizeof *row);
}

uint64_t srv_table_label(const struct srv_registry *registry, const char *model, const char *label)
{
    const struct srv_label_row *row = find(registry, model, label);
    return row ? row->version : 0;
}

void srv_table_list_labels(const struct srv_registry *registry, const char *model, char *text,
                           size_t n)
{
    size_t used = 0;
    snprintf(text, n, "none");
    for (size_t i = locate(registry, model, "");
         i < registry->n_labels && strcmp(registry->labels[i].model, model) == 0 && used < n; i++)
        if (registry->labels[i].version > 0)
            used += (size_t)snprintf(text + used, n - used, "%s%s", used > 0 ? ", " : "",
                                     registry->labels[i].label);
}

void srv_table_forget_labels(struct srv_registry *registry, const char *model)
{
    size_t begin = locate(registry, model, ""), end = begin;
    while (end < registry->n_labels && strcmp(registry->labels[end].model, model) == 0)
        end++;
    if (end == begin) return;
    memmove(registry->labels + begin, registry->labels + end,
            (registry->n_labels - end) * sizeof *registry->labels);
    registry->n_labels -= end - begin;
}

/* --- what an operator asks for --- */

/* Lock held: the rows of a model that exists. */
static enum srv_code find_model(const struct srv_registry *registry, const char *model,
                                size_t *begin, size_t *end, struct eng_error *err)
{
    *begin = srv_table_find(registry, model, end);
    if (*begin < *end) return SRV_OK;
    srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s'", model);
    return SRV_MODEL_NOT_FOUND;
}

/* Lock held. */
static bool serves(const struct srv_registry *registry, const char *model, uint64_t version)
{
    size_t end = 0;
    for (size_t i = srv_table_find(registry, model, &end); i < end; i++)
        if (registry->rows[i].number == version) return registry->rows[i].served != NULL;
    return false;
}

/* Lock held. */
static enum srv_code check_target(const struct srv_registry *registry, const char *model,
                                  const char *label, const char *version, struct eng_error *err)
{
    size_t begin = 0, end = 0;
    enum srv_code code = find_model(registry, model, &begin, &end, err);
    if (code != SRV_OK) return code;
    if (serves(registry, model, srv_version_number(version))) return SRV_OK;
    const struct srv_row *serving = srv_table_default(registry, begin, end);
    srv_fail(err, ENG_ARGUMENT,
             "label '%s' of model '%s' cannot point to version '%.32s', which does not serve; the "
             "highest that does is %s",
             label, model, version, serving ? serving->version : "none");
    return SRV_CONFLICT;
}

/* Lock held. */
static enum srv_code move_label(struct srv_registry *registry, const char *model, const char *label,
                                const char *version, struct eng_error *err)
{
    enum srv_code code = check_target(registry, model, label, version, err);
    if (code != SRV_OK) return code;
    struct eng_error why = {0};
    struct srv_label_row *row = provide(registry, model, label, &why);
    if (row)
        row->version = srv_version_number(version);
    else
        srv_fail(err, why.status, "%s", why.text);
    return row ? SRV_OK : why.status == ENG_LIMIT ? SRV_CONFLICT : SRV_INTERNAL;
}

enum srv_code srv_registry_move_label(struct srv_registry *registry, const char *model,
                                      const char *label, const char *version, struct eng_error *err)
{
    if (!srv_label_is_name(label)) {
        srv_fail(err, ENG_ARGUMENT,
                 "the label is '%.64s'; wanted 1 to %d of A-Z a-z 0-9 _ . -, and not a number",
                 label, SRV_LABEL_CHARS);
        return SRV_INVALID_REQUEST;
    }
    pthread_mutex_lock(&registry->lock);
    enum srv_code code = move_label(registry, model, label, version, err);
    pthread_mutex_unlock(&registry->lock);
    return code;
}

/* Lock held. */
static enum srv_code remove_label(struct srv_registry *registry, const char *model,
                                  const char *label, struct eng_error *err)
{
    size_t begin = 0, end = 0;
    char labels[256];
    enum srv_code code = find_model(registry, model, &begin, &end, err);
    if (code != SRV_OK) return code;
    struct srv_label_row *row = find(registry, model, label);
    if (!row || row->version == 0) {
        srv_table_list_labels(registry, model, labels, sizeof labels);
        srv_fail(err, ENG_NOT_FOUND, "model '%s' has no label '%.64s'; it has: %s", model, label,
                 labels);
        return SRV_MODEL_NOT_FOUND;
    }
    row->version = 0;
    forget_if_unsaid(registry, row);
    return SRV_OK;
}

enum srv_code srv_registry_remove_label(struct srv_registry *registry, const char *model,
                                        const char *label, struct eng_error *err)
{
    pthread_mutex_lock(&registry->lock);
    enum srv_code code = remove_label(registry, model, label, err);
    pthread_mutex_unlock(&registry->lock);
    return code;
}

/* --- what config.json says --- */

static uint64_t version_said(const struct srv_model_config *config, const char *label)
{
    for (size_t i = 0; i < config->n_labels; i++)
        if (strcmp(config->labels[i].name, label) == 0) return config->labels[i].version;
    return 0;
}

/* Lock held. */
static void take_label(const struct srv_registry *registry, struct srv_label_row *row,
                       uint64_t said)
{
    if (row->said == said) return; /* what an operator said since then holds */
    /* A version that was rejected must not take requests from one that answers them. */
    if (said > 0 && !serves(registry, row->model, said) &&
        serves(registry, row->model, row->version))
        return;
    row->said = row->version = said;
}

enum eng_status srv_registry_check_labels(struct srv_registry *registry, const char *model,
                                          const struct srv_model_config *config,
                                          struct eng_error *err)
{
    size_t n = config->n_labels;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < registry->n_labels; i++) {
        const struct srv_label_row *row = &registry->labels[i];
        bool is_a_calls = row->said == 0 && version_said(config, row->label) == 0;
        n += strcmp(row->model, model) == 0 && is_a_calls;
    }
    pthread_mutex_unlock(&registry->lock);
    if (n <= SRV_MAX_VERSION_LABELS) return ENG_OK;
    return srv_fail(err, ENG_LIMIT,
                    "model '%s' would have %zu labels: %zu of its config.json, the others made by "
                    "calls; wanted at most %d",
                    model, n, config->n_labels, SRV_MAX_VERSION_LABELS);
}

enum eng_status srv_registry_take_labels(struct srv_registry *registry, const char *model,
                                         const struct srv_model_config *config,
                                         struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = registry->n_labels; i > 0; i--) {
        struct srv_label_row *row = &registry->labels[i - 1];
        if (strcmp(row->model, model) != 0) continue;
        take_label(registry, row, version_said(config, row->label));
        forget_if_unsaid(registry, row);
    }
    for (size_t i = 0; i < config->n_labels && status == ENG_OK; i++) {
        struct eng_error why = {0};
        struct srv_label_row *row = provide(registry, model, config->labels[i].name, &why);
        if (row)
            take_label(registry, row, config->labels[i].version);
        else
            status = srv_fail(err, why.status, "%s", why.text);
    }
    pthread_mutex_unlock(&registry->lock);
    return status;
}

bool srv_registry_says_anew(struct srv_registry *registry, const char *model, const char *label,
                            uint64_t version)
{
    pthread_mutex_lock(&registry->lock);
    const struct srv_label_row *row = find(registry, model, label);
    bool is_news = !row || row->said != version;
    pthread_mutex_unlock(&registry->lock);
    return is_news;
}

size_t srv_registry_labelled(struct srv_registry *registry, const char *model,
                             uint64_t versions[SRV_MAX_VERSION_LABELS])
{
    size_t n = 0;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = locate(registry, model, "");
         i < registry->n_labels && strcmp(registry->labels[i].model, model) == 0; i++)
        if (registry->labels[i].version > 0) versions[n++] = registry->labels[i].version;
    pthread_mutex_unlock(&registry->lock);
    return n;
}
