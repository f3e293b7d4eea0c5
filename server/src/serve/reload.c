#include "serve/reload.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/publish.h"
#include "serve/repository.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_CHARS = 64 };

/* Where a row's strings live. */
struct row_text {
    char model[SRV_MODEL_CHARS + 1];
    char version[SRV_VERSION_CHARS + 1];
    char digest[DIGEST_CHARS + 1];
    struct eng_error reason;
};

/* What has been done so far. */
struct report {
    struct srv_reload_row *rows;
    struct row_text *texts;
    size_t n_rows;
    const struct eng_error *first_failure; /* NULL: none */
};

static bool concerns(const char *wanted, const char *model)
{
    return !wanted || strcmp(wanted, model) == 0;
}

static struct row_text *add_row(struct report *report, const char *model, const char *version)
{
    struct row_text *text = &report->texts[report->n_rows];
    snprintf(text->model, sizeof text->model, "%s", model);
    snprintf(text->version, sizeof text->version, "%s", version);
    report->rows[report->n_rows++] = (struct srv_reload_row){.model = text->model,
                                                             .version = text->version,
                                                             .digest = text->digest,
                                                             .reason = text->reason.text};
    return text;
}

static void set_digest(struct row_text *text, const struct srv_served *served)
{
    if (served)
        snprintf(text->digest, sizeof text->digest, "%s",
                 eng_model_digest(srv_served_model(served)));
}

/* Says it in the log and in the metrics. */
static void announce(const struct srv_reload *reload, const struct srv_reload_row *row,
                     int64_t took_us)
{
    const char *result = row->loaded ? "loaded" : row->removed ? "removed" : "rejected";
    const struct srv_log_field fields[] = {{.key = "model", .text = row->model},
                                           {.key = "version", .text = row->version},
                                           {.key = "result", .text = result},
                                           {.key = "serving_digest", .text = row->digest},
                                           {.key = "duration_ms", .number = took_us / 1000},
                                           {.key = "reason", .text = row->reason}};
    bool failed = !row->loaded && !row->removed;
    srv_log_write(reload->options->log, failed ? SRV_LOG_ERROR : SRV_LOG_INFO, "model reload",
                  fields, row->loaded ? 5 : 6);
    const char *labels[] = {row->model, result, NULL};
    struct srv_metrics *metrics = reload->options->served.metrics;
    if (metrics) srv_series_add(srv_metrics_series(metrics, SRV_M_RELOADS, labels), 1);
}

/* What nobody said of a version that serves now: it may answer wrongly because of it. */
static void warn_of_guesses(const struct srv_reload *reload, const struct srv_reload_row *row,
                            const struct srv_served *served)
{
    char list[160] = "";
    size_t n = 0;
    const struct eng_card *card = eng_model_card(srv_served_model(served));
    for (unsigned i = 0; i < ENG_N_CARD_ITEMS && n < sizeof list; i++)
        if (card->origin[i] == ENG_ORIGIN_GUESSED)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
                                  eng_card_item_name((enum eng_card_item)i));
    const struct srv_log_field fields[] = {
        {.key = "model", .text = row->model},
        {.key = "version", .text = row->version},
        {.key = "guessed", .text = list},
        {.key = "wanted", .text = "a config.json; classify inspect shows one"}};
    if (n > 0) srv_log_write(reload->options->log, SRV_LOG_WARN, "model guesses", fields, 4);
}

/* A precision that was asked for and is not to be had here. */
static void warn_of_precision(const struct srv_reload *reload, const struct srv_reload_row *row,
                              const struct srv_served *served)
{
    const struct eng_model *model = srv_served_model(served);
    const struct srv_log_field fields[] = {
        {.key = "model", .text = row->model},
        {.key = "version", .text = row->version},
        {.key = "wanted", .text = "bf16"},
        {.key = "found", .text = "float32: the cpu level has no instructions for bf16"}};
    if (eng_model_wanted_precision(model) != eng_model_precision(model))
        srv_log_write(reload->options->log, SRV_LOG_WARN, "model precision", fields, 4);
}

static enum eng_status load_served(const struct srv_reload *reload, const struct srv_folder *folder,
                                   struct srv_served **out, struct eng_error *err)
{
    char path[PATH_MAX];
    const struct srv_loader_options *options = reload->options;
    snprintf(path, sizeof path, "%s/%s/%s", options->models_dir, folder->model, folder->version);
    enum eng_status status =
        srv_served_load(folder->model, folder->version, path, &options->served, out, err);
    if (status != ENG_OK)
        srv_registry_fail(reload->registry, folder->model, folder->version, err->text);
    return status;
}

static struct srv_served *serving(const struct srv_registry *registry, const char *model,
                                  const char *version)
{
    for (size_t i = 0; i < srv_registry_count(registry); i++)
        if (strcmp(srv_registry_model_at(registry, i), model) == 0 &&
            strcmp(srv_registry_version_at(registry, i), version) == 0)
            return srv_registry_served_at(registry, i);
    return NULL;
}

static void load_one(const struct srv_reload *reload, const struct srv_folder *folder,
                     struct report *report)
{
    int64_t start_us = srv_clock_us();
    struct srv_reload_row *row = &report->rows[report->n_rows];
    struct row_text *text = add_row(report, folder->model, folder->version);
    struct srv_served *served = NULL;
    row->loaded = load_served(reload, folder, &served, &text->reason) == ENG_OK;
    if (row->loaded)
        srv_registry_publish_take(reload->registry, served);
    else if (!report->first_failure)
        report->first_failure = &text->reason;
    set_digest(text, serving(reload->registry, folder->model, folder->version));
    announce(reload, row, srv_clock_us() - start_us);
    if (row->loaded) warn_of_guesses(reload, row, served);
    if (row->loaded) warn_of_precision(reload, row, served);
    srv_reload_free_unused(reload->registry);
}

static bool is_listed(const struct srv_repository *repository, const char *model,
                      const char *version)
{
    for (size_t i = 0; i < repository->n_folders; i++)
        if (strcmp(repository->folders[i].model, model) == 0 &&
            strcmp(repository->folders[i].version, version) == 0)
            return true;
    return false;
}

static void remove_gone(const struct srv_reload *reload, const char *wanted,
                        const struct srv_repository *repository, struct report *report)
{
    for (size_t i = srv_registry_count(reload->registry); i > 0; i--) {
        const char *model = srv_registry_model_at(reload->registry, i - 1);
        const char *version = srv_registry_version_at(reload->registry, i - 1);
        if (!concerns(wanted, model) || is_listed(repository, model, version)) continue;
        struct srv_reload_row *row = &report->rows[report->n_rows];
        struct row_text *text = add_row(report, model, version);
        row->removed = true;
        snprintf(text->reason.text, sizeof text->reason.text, "its folder is gone");
        srv_registry_remove(reload->registry, i - 1);
        announce(reload, row, 0);
    }
    srv_reload_free_unused(reload->registry);
}

/* All new versions show as LOADING before the first of them is loaded. */
static enum eng_status announce_new(const struct srv_reload *reload, const char *wanted,
                                    const struct srv_repository *repository, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < repository->n_folders && status == ENG_OK; i++) {
        const struct srv_folder *folder = &repository->folders[i];
        if (concerns(wanted, folder->model))
            status = srv_registry_announce(reload->registry, folder->model, folder->version, err);
    }
    return status;
}

/* Its versions are loaded: what serves now may be pointed to. */
static enum eng_status take_labels(const struct srv_reload *reload, const char *model,
                                   struct eng_error *err)
{
    char path[PATH_MAX];
    struct srv_model_config config;
    snprintf(path, sizeof path, "%s/%s/config.json", reload->options->models_dir, model);
    enum eng_status status = srv_model_config_read(path, &config, err);
    return status == ENG_OK ? srv_registry_take_labels(reload->registry, model, &config, err)
                            : status;
}

static enum srv_code apply(const struct srv_reload *reload, const char *wanted,
                           const struct srv_repository *repository, struct report *report,
                           struct eng_error *err)
{
    if (announce_new(reload, wanted, repository, err) != ENG_OK) return SRV_INTERNAL;
    for (size_t i = 0; i < repository->n_folders; i++) {
        if (!concerns(wanted, repository->folders[i].model)) continue;
        if (atomic_load(reload->stopping)) {
            srv_fail(err, ENG_CANCELLED, "the server is shutting down");
            return SRV_SHUTTING_DOWN;
        }
        load_one(reload, &repository->folders[i], report);
        if (i + 1 == repository->n_folders ||
            strcmp(repository->folders[i].model, repository->folders[i + 1].model) != 0)
            take_labels(reload, repository->folders[i].model, NULL);
    }
    remove_gone(reload, wanted, repository, report);
    if (wanted && report->n_rows == 0) {
        srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s' in %.300s", wanted,
                 reload->options->models_dir);
        return SRV_MODEL_NOT_FOUND;
    }
    if (!report->first_failure) return SRV_OK;
    *err = *report->first_failure;
    return SRV_MODEL_REJECTED;
}

/* The repository could not even be listed. */
static enum srv_code fail_scan(const struct srv_reload *reload, const struct eng_error *err)
{
    const struct srv_log_field field = {.key = "reason", .text = err->text};
    srv_log_write(reload->options->log, SRV_LOG_ERROR, "models not reloaded", &field, 1);
    return err->status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_MODEL_REJECTED;
}

void srv_reload_run(const struct srv_reload *reload, const char *model, srv_reload_done *done,
                    void *ctx)
{
    struct srv_repository repository = {0};
    struct report report = {0};
    struct eng_error err = {0};
    enum srv_code code = SRV_INTERNAL;
    if (srv_repository_scan(reload->options->models_dir, reload->options->log, &repository, &err) !=
        ENG_OK) {
        code = fail_scan(reload, &err);
    } else {
        size_t n_max = repository.n_folders + srv_registry_count(reload->registry) + 1;
        report.rows = calloc(n_max, sizeof *report.rows);
        report.texts = calloc(n_max, sizeof *report.texts);
        if (report.rows && report.texts)
            code = apply(reload, model, &repository, &report, &err);
        else
            srv_fail_memory(&err, "the report of a reload");
    }
    if (done) done(ctx, code, report.rows, report.n_rows, &err);
    free(report.rows);
    free(report.texts);
    srv_repository_fini(&repository);
}

void srv_reload_free_unused(struct srv_registry *registry)
{
    bool freed = false;
    for (struct srv_served *served; (served = srv_registry_take_unused(registry)); freed = true)
        srv_served_destroy(served);
    if (freed) malloc_trim(0);
}
