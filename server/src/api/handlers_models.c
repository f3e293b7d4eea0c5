/* GET /models, on both listeners: what is there and what serves. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"

#include <inttypes.h>
#include <string.h>

static const char *state_name(enum srv_state state)
{
    switch (state) {
    case SRV_LOADING:
        return "loading";
    case SRV_READY:
        return "ready";
    case SRV_DRAINING:
        return "draining";
    case SRV_FAILED:
        return "failed";
    case SRV_UNLOADED:
        return "unloaded";
    }
    return "unknown";
}

static void write_guessed(struct srv_text *out, unsigned guessed)
{
    static const struct {
        enum eng_guess bit;
        const char *name;
    } rows[] = {{ENG_GUESS_LABELS, "labels"},
                {ENG_GUESS_PREPROCESS, "preprocess"},
                {ENG_GUESS_SOFTMAX, "softmax"}};
    const char *separator = "";
    srv_text_puts(out, ",\"guessed\":[");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!(guessed & rows[i].bit)) continue;
        srv_text_printf(out, "%s\"%s\"", separator, rows[i].name);
        separator = ",";
    }
    srv_text_puts(out, "]");
}

/* Reasons name files and folders: they are for the operator. */
static void write_version(const struct srv_version_info *v, bool for_operator, struct srv_text *out)
{
    srv_text_puts(out, "{\"version\":");
    srv_text_json(out, v->version);
    srv_text_printf(out, ",\"state\":\"%s\",\"default\":%s", state_name(v->state),
                    v->is_default ? "true" : "false");
    if (v->digest[0])
        srv_text_printf(out,
                        ",\"digest\":\"%s\",\"classes\":%zu,\"input\":{\"width\":%" PRIu32
                        ",\"height\":%" PRIu32 ",\"channels\":%" PRIu32 "}",
                        v->digest, v->n_classes, v->width_px, v->height_px, v->n_channels);
    if (v->digest[0]) write_guessed(out, v->guessed);
    if (for_operator) {
        srv_text_puts(out, ",\"reason\":");
        srv_text_json(out, v->reason);
        srv_text_printf(out,
                        ",\"loaded_unix_s\":%" PRId64 ",\"session_bytes\":%zu,\"queue_length\":%zu",
                        v->loaded_unix_s, v->session_bytes, v->queue_length);
    }
    srv_text_puts(out, "}");
}

/* {"canary":"3","stable":"2"} */
static void write_labels(const struct srv_snapshot *snapshot, const char *model,
                         struct srv_text *out)
{
    const char *separator = "";
    srv_text_puts(out, "{");
    for (size_t i = 0; i < snapshot->n_labels; i++) {
        const struct srv_label_info *info = &snapshot->labels[i];
        if (strcmp(info->model, model) != 0) continue;
        srv_text_puts(out, separator);
        srv_text_json(out, info->label);
        srv_text_printf(out, ":\"%" PRIu64 "\"", info->version);
        separator = ",";
    }
    srv_text_puts(out, "}");
}

/* What TorchServe's list of models has; the URL is the folder. */
static void write_torchserve_names(const char *model, struct srv_text *out)
{
    srv_text_puts(out, ",\"modelName\":");
    srv_text_json(out, model);
    srv_text_puts(out, ",\"modelUrl\":");
    srv_text_json(out, model);
}

static enum srv_handled reply_models(struct srv_request *request, bool for_operator)
{
    struct srv_text *out = &request->reply.body;
    struct srv_snapshot snapshot;
    if (!srv_request_snapshot(request, &snapshot)) return SRV_DONE;
    char default_model[SRV_MODEL_CHARS + 1];
    srv_registry_default(request->app->registry, default_model, sizeof default_model);
    srv_text_puts(out, "{\"default_model\":");
    srv_text_json(out, default_model);
    srv_text_puts(out, ",\"models\":[");
    for (size_t i = 0; i < snapshot.n_versions; i++) {
        const struct srv_version_info *v = &snapshot.versions[i];
        bool is_new = i == 0 || strcmp(v->model, snapshot.versions[i - 1].model) != 0;
        if (is_new) {
            srv_text_puts(out, i ? "]},{\"name\":" : "{\"name\":");
            srv_text_json(out, v->model);
            if (for_operator) write_torchserve_names(v->model, out);
            srv_text_puts(out, ",\"labels\":");
            write_labels(&snapshot, v->model, out);
            srv_text_puts(out, ",\"versions\":[");
        } else {
            srv_text_puts(out, ",");
        }
        write_version(v, for_operator, out);
    }
    srv_text_puts(out, snapshot.n_versions ? "]}]}\n" : "]}\n");
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}

enum srv_handled h_models(struct srv_request *request)
{
    return reply_models(request, false);
}

enum srv_handled h_admin_models(struct srv_request *request)
{
    return reply_models(request, true);
}
