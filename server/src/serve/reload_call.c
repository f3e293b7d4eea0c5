/* What a call asks for: one model loaded as a whole, or unloaded. */
#include "base/clock.h"
#include "base/fail.h"
#include "serve/choice.h"
#include "serve/publish.h"
#include "serve/report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loaded {
    struct srv_served *served; /* NULL: not wanted, or not loaded yet */
    int64_t took_us;
};

struct run {
    const struct srv_reload *reload;
    const char *model;
    const struct srv_override *override; /* NULL: what the folder holds */
    struct srv_repository repository;    /* holds the choice's folders */
    struct srv_choice choice;
    struct loaded *loaded; /* [choice.n] */
    struct srv_report report;
};

/* --- what there is to load --- */

static int compare_numbers(const void *a, const void *b)
{
    const struct srv_folder *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

static enum eng_status list_files(struct run *run, struct eng_error *err)
{
    const struct srv_override *override = run->override;
    struct srv_folder *folders = calloc(override->n_files, sizeof *folders);
    if (!folders) return srv_fail_memory(err, "the list of files");
    for (size_t i = 0; i < override->n_files; i++) {
        snprintf(folders[i].model, sizeof folders[i].model, "%s", run->model);
        snprintf(folders[i].version, sizeof folders[i].version, "%s", override->files[i].version);
        folders[i].number = srv_version_number(override->files[i].version);
    }
    qsort(folders, override->n_files, sizeof *folders, compare_numbers);
    run->repository = (struct srv_repository){folders, override->n_files};
    run->choice = (struct srv_choice){.folders = folders, .n = override->n_files};
    return ENG_OK;
}

static enum eng_status list_folders(struct run *run, struct eng_error *err)
{
    struct srv_repository *repository = &run->repository;
    const char *models_dir = run->reload->options->models_dir;
    enum eng_status status =
        srv_repository_scan(models_dir, run->reload->options->log, repository, err);
    if (status != ENG_OK) return status;
    size_t begin = 0, end;
    while (begin < repository->n_folders &&
           strcmp(repository->folders[begin].model, run->model) != 0)
        begin++;
    for (end = begin; end < repository->n_folders; end++)
        if (strcmp(repository->folders[end].model, run->model) != 0) break;
    if (begin == end)
        return srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s' in %.300s", run->model,
                        models_dir);
    run->choice = (struct srv_choice){.folders = &repository->folders[begin], .n = end - begin};
    return ENG_OK;
}

static enum eng_status choose(struct run *run, struct eng_error *err)
{
    const struct srv_override *override = run->override;
    bool has_files = override && override->n_files > 0;
    enum eng_status status = has_files ? list_files(run, err) : list_folders(run, err);
    if (status != ENG_OK) return status;
    if (override && override->config)
        status = srv_model_config_parse(override->config, strlen(override->config), "config",
                                        &run->choice.config, err);
    else if (!has_files)
        status = srv_choice_read_config(&run->choice, run->reload, err);
    if (status == ENG_OK)
        status =
            srv_registry_check_labels(run->reload->registry, run->model, &run->choice.config, err);
    if (status != ENG_OK) return status;
    srv_choice_make(&run->choice, run->reload, true);
    return srv_choice_check(&run->choice, err);
}

/* --- loading --- */

static const struct srv_upload *find_file(const struct srv_override *override, const char *version)
{
    for (size_t i = 0; override && i < override->n_files; i++)
        if (strcmp(override->files[i].version, version) == 0) return &override->files[i];
    return NULL;
}

static enum eng_status load_one(struct run *run, size_t i, struct eng_error *err)
{
    char path[PATH_MAX];
    const struct srv_loader_options *options = run->reload->options;
    const struct srv_folder *folder = &run->choice.folders[i];
    const struct srv_upload *file = find_file(run->override, folder->version);
    snprintf(path, sizeof path, "%s/%s/%s", options->models_dir, folder->model, folder->version);
    const struct srv_model_source source = {.folder = file ? NULL : path,
                                            .bytes = file ? file->bytes : NULL,
                                            .n_bytes = file ? file->n_bytes : 0,
                                            .config = run->override ? run->override->config : NULL};
    return srv_served_load_source(folder->model, folder->version, &source, &options->served,
                                  &run->loaded[i].served, err);
}

static enum srv_code report_failure(struct run *run, size_t i, const struct eng_error *reason,
                                    struct eng_error *err)
{
    const char *version = run->choice.folders[i].version;
    srv_report_begin(&run->report, run->model, version)->reason = *reason;
    srv_report_end(&run->report, NULL, false, false, run->loaded[i].took_us);
    srv_fail(err, reason->status, "version %s: %.440s", version, reason->text);
    return SRV_MODEL_REJECTED;
}

static enum srv_code load_all(struct run *run, struct eng_error *err)
{
    for (size_t i = 0; i < run->choice.n; i++) {
        const struct srv_folder *folder = &run->choice.folders[i];
        int64_t start_us = srv_clock_us();
        if (!folder->is_wanted) continue;
        if (atomic_load(run->reload->stopping)) {
            srv_fail(err, ENG_CANCELLED, "the server is shutting down");
            return SRV_SHUTTING_DOWN;
        }
        struct eng_error reason = {0};
        bool loaded = load_one(run, i, &reason) == ENG_OK;
        run->loaded[i].took_us = srv_clock_us() - start_us;
        if (!loaded) return report_failure(run, i, &reason, err);
    }
    return SRV_OK;
}

/* --- publishing --- */

static bool is_loaded(const struct run *run, const char *version)
{
    for (size_t i = 0; i < run->choice.n; i++)
        if (run->loaded[i].served && strcmp(run->choice.folders[i].version, version) == 0)
            return true;
    return false;
}

static void retire_others(struct run *run)
{
    struct srv_registry *registry = run->reload->registry;
    for (size_t i = srv_registry_count(registry); i > 0; i--) {
        const char *version = srv_registry_version_at(registry, i - 1);
        if (strcmp(srv_registry_model_at(registry, i - 1), run->model) != 0) continue;
        if (is_loaded(run, version)) {
            if (run->override) srv_registry_mark_overridden(registry, i - 1);
            continue;
        }
        struct srv_report_text *text = srv_report_begin(&run->report, run->model, version);
        snprintf(text->reason.text, sizeof text->reason.text, "it is not among what was loaded");
        srv_registry_remove(registry, i - 1);
        srv_report_end(&run->report, NULL, false, true, 0);
    }
}

static enum srv_code publish_all(struct run *run, struct eng_error *err)
{
    struct srv_registry *registry = run->reload->registry;
    const struct srv_choice *choice = &run->choice;
    for (size_t i = 0; i < choice->n; i++)
        if (run->loaded[i].served &&
            srv_registry_announce(registry, run->model, choice->folders[i].version, err) != ENG_OK)
            return SRV_INTERNAL;
    for (size_t i = 0; i < choice->n; i++) {
        struct srv_served *served = run->loaded[i].served;
        if (!served) continue;
        srv_registry_publish_take(registry, served);
        srv_report_begin(&run->report, run->model, choice->folders[i].version);
        srv_report_end(&run->report, served, true, false, run->loaded[i].took_us);
    }
    bool is_labelled =
        srv_registry_take_labels(registry, run->model, &choice->config, err) == ENG_OK;
    retire_others(run);
    memset(run->loaded, 0, choice->n * sizeof *run->loaded); /* the registry's */
    return is_labelled ? SRV_OK : SRV_INTERNAL;
}

static enum srv_code load(struct run *run, struct eng_error *err)
{
    enum eng_status status = choose(run, err);
    if (status == ENG_NOT_FOUND && run->choice.n == 0) return SRV_MODEL_NOT_FOUND;
    if (status != ENG_OK) return status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_MODEL_REJECTED;
    run->loaded = calloc(run->choice.n, sizeof *run->loaded);
    size_t n_max = run->choice.n + srv_registry_count(run->reload->registry);
    if (!run->loaded) srv_fail_memory(err, "the plan of a load");
    if (!run->loaded || srv_report_init(&run->report, run->reload, n_max, err) != ENG_OK)
        return SRV_INTERNAL;
    enum srv_code code = load_all(run, err);
    return code == SRV_OK ? publish_all(run, err) : code;
}

void srv_reload_load(const struct srv_reload *reload, const char *model,
                     const struct srv_override *override)
{
    struct run run = {.reload = reload, .model = model, .override = override};
    struct eng_error err = {0};
    enum srv_code code = load(&run, &err);
    for (size_t i = 0; run.loaded && i < run.choice.n; i++)
        srv_served_destroy(run.loaded[i].served);
    srv_reload_free_unused(reload->registry);
    if (reload->done) reload->done(reload->ctx, code, run.report.rows, run.report.n_rows, &err);
    free(run.loaded);
    srv_report_fini(&run.report);
    srv_repository_fini(&run.repository);
}

/* --- unloading --- */

static enum srv_code unload(struct srv_report *report, const char *model, struct eng_error *err)
{
    struct srv_registry *registry = report->reload->registry;
    for (size_t i = 0; i < srv_registry_count(registry); i++) {
        if (strcmp(srv_registry_model_at(registry, i), model) != 0) continue;
        struct srv_report_text *text =
            srv_report_begin(report, model, srv_registry_version_at(registry, i));
        snprintf(text->reason.text, sizeof text->reason.text, "a call unloaded it");
        srv_registry_unload(registry, i);
        srv_report_end(report, NULL, false, true, 0);
    }
    if (report->n_rows > 0) return SRV_OK;
    srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s'", model);
    return SRV_MODEL_NOT_FOUND;
}

void srv_reload_unload(const struct srv_reload *reload, const char *model)
{
    struct srv_report report = {0};
    struct eng_error err = {0};
    enum srv_code code = SRV_INTERNAL;
    if (srv_report_init(&report, reload, srv_registry_count(reload->registry), &err) == ENG_OK)
        code = unload(&report, model, &err);
    srv_reload_free_unused(reload->registry);
    if (reload->done) reload->done(reload->ctx, code, report.rows, report.n_rows, &err);
    srv_report_fini(&report);
}

void srv_override_destroy(struct srv_override *override)
{
    if (!override) return;
    for (size_t i = 0; i < override->n_files; i++)
        free(override->files[i].bytes);
    free(override->files);
    free(override->config);
    free(override);
}
