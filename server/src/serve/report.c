#include "serve/report.h"

#include "base/fail.h"
#include "engine/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum eng_status srv_report_init(struct srv_report *report, const struct srv_reload *reload,
                                size_t n_max, struct eng_error *err)
{
    *report = (struct srv_report){.reload = reload,
                                  .rows = calloc(n_max + 1, sizeof *report->rows),
                                  .texts = calloc(n_max + 1, sizeof *report->texts)};
    if (report->rows && report->texts) return ENG_OK;
    srv_report_fini(report);
    return srv_fail_memory(err, "the report of a reload");
}

void srv_report_fini(struct srv_report *report)
{
    free(report->rows);
    free(report->texts);
    *report = (struct srv_report){0};
}

struct srv_report_text *srv_report_begin(struct srv_report *report, const char *model,
                                         const char *version)
{
    struct srv_report_text *text = &report->texts[report->n_rows];
    snprintf(text->model, sizeof text->model, "%s", model);
    snprintf(text->version, sizeof text->version, "%s", version);
    report->rows[report->n_rows++] = (struct srv_reload_row){.model = text->model,
                                                             .version = text->version,
                                                             .digest = text->digest,
                                                             .reason = text->reason.text};
    return text;
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

void srv_report_end(struct srv_report *report, const struct srv_served *served, bool loaded,
                    bool removed, int64_t took_us)
{
    struct srv_reload_row *row = &report->rows[report->n_rows - 1];
    struct srv_report_text *text = &report->texts[report->n_rows - 1];
    row->loaded = loaded;
    row->removed = removed;
    if (!loaded && !removed && !report->first_failure) report->first_failure = &text->reason;
    if (served)
        snprintf(text->digest, sizeof text->digest, "%s",
                 eng_model_digest(srv_served_model(served)));
    announce(report->reload, row, took_us);
    if (loaded) warn_of_guesses(report->reload, row, served);
    if (loaded) warn_of_precision(report->reload, row, served);
}
