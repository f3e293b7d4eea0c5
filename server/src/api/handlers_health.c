/* Probes and metrics. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"

#include <string.h>

enum srv_handled h_healthz(struct srv_request *request)
{
    srv_text_puts(&request->reply.body, "{\"status\":\"ok\"}\n");
    return SRV_DONE;
}

static bool serves(const struct srv_version_info *version)
{
    return version->state == SRV_READY;
}

/* Which models have no version that serves; the snapshot is sorted by model. Why is for the admin
 * listener: the sentence names files. */
static void list_missing(const struct srv_snapshot *snapshot, struct srv_text *out)
{
    for (size_t i = 0; i < snapshot->n_versions;) {
        const struct srv_version_info *first = &snapshot->versions[i];
        bool any_serves = false, is_gone = true; /* only finishes what it began */
        bool has_failed = false;
        for (; i < snapshot->n_versions && !strcmp(snapshot->versions[i].model, first->model);
             i++) {
            const struct srv_version_info *version = &snapshot->versions[i];
            any_serves |= serves(version);
            is_gone &= version->state == SRV_DRAINING || version->state == SRV_UNLOADED;
            has_failed |= version->reason[0] != '\0';
        }
        if (!any_serves && !is_gone)
            srv_text_printf(out, "; %s has no version that serves: %s", first->model,
                            has_failed ? "it could not be loaded" : "still loading");
    }
}

enum srv_handled h_readyz(struct srv_request *request)
{
    struct srv_app *app = request->app;
    if (atomic_load(&app->shutting_down)) {
        srv_reply_error(request, SRV_SHUTTING_DOWN, "%s", srv_code_text(SRV_SHUTTING_DOWN));
        return SRV_DONE;
    }
    if (srv_registry_ready(app->registry)) {
        srv_text_puts(&request->reply.body, "{\"status\":\"ready\"}\n");
        return SRV_DONE;
    }
    struct srv_snapshot snapshot = {0};
    struct srv_text reasons = {0};
    srv_text_puts(&reasons, "not every model serves");
    if (srv_registry_snapshot(app->registry, &snapshot, NULL) == ENG_OK)
        list_missing(&snapshot, &reasons);
    srv_reply_error(request, SRV_NOT_READY, "%s",
                    reasons.failed ? srv_code_text(SRV_NOT_READY) : reasons.bytes);
    srv_snapshot_fini(&snapshot);
    srv_text_fini(&reasons);
    return SRV_DONE;
}

/* What the registry knows is read at scrape time: versions come and go, series would pile up. */
static void write_registry(const struct srv_snapshot *snapshot, struct srv_text *out)
{
    double n_serving = 0;
    for (size_t i = 0; i < snapshot->n_versions; i++)
        n_serving += serves(&snapshot->versions[i]);
    srv_metrics_write_head(SRV_M_MODELS_LOADED, out);
    srv_metrics_write_value(SRV_M_MODELS_LOADED, NULL, n_serving, out);
    if (n_serving == 0) return;
    srv_metrics_write_head(SRV_M_MODEL_INFO, out);
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        const struct srv_version_info *v = &snapshot->versions[i];
        const char *const labels[] = {v->model, v->version, v->digest};
        if (serves(v)) srv_metrics_write_value(SRV_M_MODEL_INFO, labels, 1, out);
    }
    srv_metrics_write_head(SRV_M_QUEUE_LENGTH, out);
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        const struct srv_version_info *v = &snapshot->versions[i];
        const char *const labels[] = {v->model, v->version};
        if (serves(v))
            srv_metrics_write_value(SRV_M_QUEUE_LENGTH, labels, (double)v->queue_length, out);
    }
}

static void write_aliases(struct srv_app *app, const struct srv_snapshot *snapshot,
                          struct srv_text *out)
{
    unsigned dialects = srv_metrics_dialects(app->config->metrics_aliases);
    if (dialects == SRV_NO_DIALECT) return;
    srv_metrics_write_aliases(app->metrics, dialects, out);
    if (!(dialects & SRV_TRITON)) return;
    srv_metrics_write_pending_head(out);
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        const struct srv_version_info *v = &snapshot->versions[i];
        if (serves(v))
            srv_metrics_write_pending(v->model, v->version, (double)v->queue_length, out);
    }
}

enum srv_handled h_metrics(struct srv_request *request)
{
    struct srv_app *app = request->app;
    struct srv_text *out = &request->reply.body;
    struct srv_snapshot snapshot;
    if (!srv_request_snapshot(request, &snapshot)) return SRV_DONE;
    request->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    srv_metrics_write(app->metrics, out);
    write_registry(&snapshot, out);
    srv_memory_write_metrics(app->memory, out);
    srv_metrics_write_head(SRV_M_LOG_DROPPED, out);
    srv_metrics_write_value(SRV_M_LOG_DROPPED, NULL, (double)srv_log_dropped(app->log), out);
    write_aliases(app, &snapshot, out);
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}
