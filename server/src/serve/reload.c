/* Reloads from the models folder, version by version: what passes is published. */
#include "serve/reload.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/choice.h"
#include "serve/publish.h"
#include "serve/report.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model of the repository that is to be brought in line. */
struct group {
    struct srv_choice choice;
    struct eng_error problem; /* of its config.json: nothing is loaded, nothing retired */
};

struct run {
    const struct srv_reload *reload;
    const char *wanted; /* NULL: every model that no call holds */
    struct srv_repository repository;
    struct group *groups; /* [n_groups] */
    size_t n_groups;
    struct srv_report report;
};

static bool concerns(const struct run *run, const char *model)
{
    if (run->wanted) return strcmp(run->wanted, model) == 0;
    return !srv_registry_is_held(run->reload->registry, model);
}

/* Where the model's folders end that begin at i. */
static size_t end_of_model(const struct srv_repository *repository, size_t i)
{
    const char *model = repository->folders[i].model;
    while (i < repository->n_folders && strcmp(repository->folders[i].model, model) == 0)
        i++;
    return i;
}

static void want_all(struct srv_choice *choice)
{
    for (size_t i = 0; i < choice->n; i++)
        choice->folders[i].is_wanted = true;
}

static void choose(struct group *group, const struct srv_reload *reload)
{
    struct srv_choice *choice = &group->choice;
    if (srv_choice_read_config(choice, reload, &group->problem) == ENG_OK)
        srv_registry_check_labels(reload->registry, choice->folders[0].model, &choice->config,
                                  &group->problem);
    srv_choice_make(choice, reload, true);
    if (srv_choice_check(choice, &group->problem) != ENG_OK) want_all(choice);
}

static enum eng_status make_groups(struct run *run, struct eng_error *err)
{
    struct srv_repository *repository = &run->repository;
    size_t n = 0;
    for (size_t i = 0; i < repository->n_folders; i = end_of_model(repository, i))
        n += concerns(run, repository->folders[i].model);
    run->groups = calloc(n + 1, sizeof *run->groups);
    if (!run->groups) return srv_fail_memory(err, "the plan of a reload");
    for (size_t i = 0, end; i < repository->n_folders; i = end) {
        end = end_of_model(repository, i);
        if (!concerns(run, repository->folders[i].model)) continue;
        struct group *group = &run->groups[run->n_groups++];
        group->choice = (struct srv_choice){.folders = &repository->folders[i], .n = end - i};
        choose(group, run->reload);
    }
    return ENG_OK;
}

/* --- one version --- */

static enum eng_status load_served(const struct srv_reload *reload, const struct srv_folder *folder,
                                   struct srv_served **out, struct eng_error *err)
{
    char path[PATH_MAX];
    const struct srv_loader_options *options = reload->options;
    snprintf(path, sizeof path, "%s/%s/%s", options->models_dir, folder->model, folder->version);
    return srv_served_load(folder->model, folder->version, path, &options->served, out, err);
}

static struct srv_served *serving(const struct srv_registry *registry,
                                  const struct srv_folder *folder)
{
    for (size_t i = 0; i < srv_registry_count(registry); i++)
        if (strcmp(srv_registry_model_at(registry, i), folder->model) == 0 &&
            strcmp(srv_registry_version_at(registry, i), folder->version) == 0)
            return srv_registry_served_at(registry, i);
    return NULL;
}

static void load_one(struct run *run, const struct group *group, const struct srv_folder *folder)
{
    struct srv_registry *registry = run->reload->registry;
    int64_t start_us = srv_clock_us();
    struct srv_report_text *text = srv_report_begin(&run->report, folder->model, folder->version);
    struct srv_served *served = NULL;
    if (group->problem.status != ENG_OK)
        text->reason = group->problem;
    else
        load_served(run->reload, folder, &served, &text->reason);
    if (served)
        srv_registry_publish_take(registry, served);
    else
        srv_registry_fail(registry, folder->model, folder->version, text->reason.text);
    srv_report_end(&run->report, serving(registry, folder), served != NULL, false,
                   srv_clock_us() - start_us);
    srv_reload_free_unused(registry);
}

/* --- one model --- */

/* What its labels and its policy let go of may go once all that they want serves. */
static enum eng_status settle(const struct run *run, struct group *group, struct eng_error *err)
{
    struct srv_registry *registry = run->reload->registry;
    struct srv_choice *choice = &group->choice;
    enum eng_status status = ENG_OK;
    bool is_whole = group->problem.status == ENG_OK;
    if (is_whole)
        status = srv_registry_take_labels(registry, choice->folders[0].model, &choice->config, err);
    srv_choice_make(choice, run->reload, false);
    is_whole &= srv_choice_check(choice, NULL) == ENG_OK;
    for (size_t i = 0; i < choice->n; i++)
        is_whole &= !choice->folders[i].is_wanted || serving(registry, &choice->folders[i]);
    if (!is_whole) want_all(choice);
    return status;
}

static enum srv_code load_group(struct run *run, struct group *group, struct eng_error *err)
{
    for (size_t i = 0; i < group->choice.n; i++) {
        if (!group->choice.folders[i].is_wanted) continue;
        if (atomic_load(run->reload->stopping)) {
            srv_fail(err, ENG_CANCELLED, "the server is shutting down");
            return SRV_SHUTTING_DOWN;
        }
        load_one(run, group, &group->choice.folders[i]);
    }
    return settle(run, group, err) == ENG_OK ? SRV_OK : SRV_INTERNAL;
}

/* --- all --- */

/* All new versions show as LOADING before the first of them is loaded. */
static enum eng_status announce_new(const struct run *run, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t g = 0; g < run->n_groups; g++) {
        const struct srv_choice *choice = &run->groups[g].choice;
        for (size_t i = 0; i < choice->n && status == ENG_OK; i++)
            if (choice->folders[i].is_wanted)
                status = srv_registry_announce(run->reload->registry, choice->folders[i].model,
                                               choice->folders[i].version, err);
    }
    return status;
}

static const struct srv_folder *find_folder(const struct srv_repository *repository,
                                            const char *model, const char *version)
{
    for (size_t i = 0; i < repository->n_folders; i++)
        if (strcmp(repository->folders[i].model, model) == 0 &&
            strcmp(repository->folders[i].version, version) == 0)
            return &repository->folders[i];
    return NULL;
}

static void retire_unwanted(struct run *run)
{
    struct srv_registry *registry = run->reload->registry;
    for (size_t i = srv_registry_count(registry); i > 0; i--) {
        const char *model = srv_registry_model_at(registry, i - 1);
        const char *version = srv_registry_version_at(registry, i - 1);
        const struct srv_folder *folder = find_folder(&run->repository, model, version);
        if (!concerns(run, model) || (folder && folder->is_wanted)) continue;
        struct srv_report_text *text = srv_report_begin(&run->report, model, version);
        snprintf(text->reason.text, sizeof text->reason.text, "%s",
                 folder ? "the version policy leaves it out" : "its folder is gone");
        srv_registry_remove(registry, i - 1);
        srv_report_end(&run->report, NULL, false, true, 0);
    }
    srv_reload_free_unused(registry);
}

static enum srv_code apply(struct run *run, struct eng_error *err)
{
    if (announce_new(run, err) != ENG_OK) return SRV_INTERNAL;
    for (size_t g = 0; g < run->n_groups; g++) {
        enum srv_code code = load_group(run, &run->groups[g], err);
        if (code != SRV_OK) return code;
    }
    retire_unwanted(run);
    if (run->wanted && run->report.n_rows == 0) {
        srv_fail(err, ENG_NOT_FOUND, "there is no model '%.64s' in %.300s", run->wanted,
                 run->reload->options->models_dir);
        return SRV_MODEL_NOT_FOUND;
    }
    if (!run->report.first_failure) return SRV_OK;
    *err = *run->report.first_failure;
    return SRV_MODEL_REJECTED;
}

/* The repository could not even be listed. */
static enum srv_code fail_scan(const struct srv_reload *reload, const struct eng_error *err)
{
    const struct srv_log_field field = {.key = "reason", .text = err->text};
    srv_log_write(reload->options->log, SRV_LOG_ERROR, "models not reloaded", &field, 1);
    return err->status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_MODEL_REJECTED;
}

void srv_reload_run(const struct srv_reload *reload, const char *model)
{
    struct run run = {.reload = reload, .wanted = model};
    struct eng_error err = {0};
    enum srv_code code = SRV_INTERNAL;
    const struct srv_loader_options *options = reload->options;
    if (srv_repository_scan(options->models_dir, options->log, &run.repository, &err) != ENG_OK) {
        code = fail_scan(reload, &err);
    } else {
        /* What is loaded may be retired at once: a label leaves it in the same reload. */
        size_t n_max = 2 * run.repository.n_folders + srv_registry_count(reload->registry);
        if (make_groups(&run, &err) == ENG_OK &&
            srv_report_init(&run.report, reload, n_max, &err) == ENG_OK)
            code = apply(&run, &err);
    }
    if (reload->done) reload->done(reload->ctx, code, run.report.rows, run.report.n_rows, &err);
    srv_report_fini(&run.report);
    free(run.groups);
    srv_repository_fini(&run.repository);
}

bool srv_reload_free_unused(struct srv_registry *registry)
{
    bool freed = false;
    for (struct srv_served *served; (served = srv_registry_take_unused(registry)); freed = true)
        srv_served_destroy(served);
    return freed;
}
