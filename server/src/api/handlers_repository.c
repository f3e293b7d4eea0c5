/*
 * The repository API of Triton: index, load, unload. On the admin listener only.
 * Source: Triton's protocol/extension_model_repository.md; success is 200 with no body, every
 * failure of a model 400.
 */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "api/repository_body.h"

#include <string.h>

/* --- index --- */

static const char *state_name(enum srv_state state)
{
    switch (state) {
    case SRV_LOADING:
        return "LOADING";
    case SRV_READY:
        return "READY";
    case SRV_DRAINING:
        return "UNLOADING";
    case SRV_FAILED:
    case SRV_UNLOADED:
        break;
    }
    return "UNAVAILABLE";
}

static void write_index(const struct srv_snapshot *snapshot, bool ready_only, struct srv_text *out)
{
    const char *separator = "";
    srv_text_puts(out, "[");
    for (size_t i = 0; i < snapshot->n_versions; i++) {
        const struct srv_version_info *v = &snapshot->versions[i];
        if (ready_only ? v->state != SRV_READY : srv_snapshot_is_repeated(snapshot, i)) continue;
        srv_text_printf(out, "%s{\"name\":", separator);
        srv_text_json(out, v->model);
        srv_text_printf(out, ",\"version\":\"%s\",\"state\":\"%s\",\"reason\":", v->version,
                        state_name(v->state));
        srv_text_json(out, v->state == SRV_UNLOADED ? "unloaded" : v->reason);
        srv_text_puts(out, "}");
        separator = ",";
    }
    srv_text_puts(out, "]");
}

enum srv_handled h_repository_index(struct srv_request *request)
{
    struct srv_snapshot snapshot;
    bool ready_only = false;
    if (!srv_repository_read_index(request, &ready_only) ||
        !srv_request_snapshot(request, &snapshot))
        return SRV_DONE;
    write_index(&snapshot, ready_only, &request->reply.body);
    srv_snapshot_fini(&snapshot);
    return SRV_DONE;
}

/* --- load and unload --- */

/* verb: "load" or "unload". */
static void end_call(struct srv_request *request, const char *verb, enum srv_code code,
                     const struct eng_error *error)
{
    bool is_the_models = code == SRV_MODEL_NOT_FOUND || code == SRV_MODEL_REJECTED;
    if (is_the_models)
        srv_reply_error(request, SRV_LOAD_FAILED, "failed to %s '%.64s', %s", verb,
                        request->captures[0], error->text);
    else if (code != SRV_OK)
        srv_reply_error(request, code, "%s", error->text);
    request->resume(request);
}

static void load_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                      size_t n_rows, const struct eng_error *error)
{
    (void)rows, (void)n_rows;
    end_call(ctx, "load", code, error);
}

static void unload_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                        size_t n_rows, const struct eng_error *error)
{
    (void)rows, (void)n_rows;
    end_call(ctx, "unload", code, error);
}

enum srv_handled h_repository_load(struct srv_request *request)
{
    struct srv_override *override = NULL;
    if (!srv_model_is_name(request->captures[0])) {
        srv_reply_error(request, SRV_LOAD_FAILED,
                        "failed to load '%.64s', wanted a name of at most %d of A-Z a-z 0-9 _ . -",
                        request->captures[0], SRV_MODEL_CHARS);
        return SRV_DONE;
    }
    if (!srv_repository_read_load(request, &override)) return SRV_DONE;
    bool is_queued = srv_loader_load_take(request->app->loader, request->captures[0], override,
                                          load_done, request);
    return srv_request_wait_for_loader(request, is_queued);
}

enum srv_handled h_repository_unload(struct srv_request *request)
{
    if (!srv_repository_read_unload(request)) return SRV_DONE;
    bool is_queued =
        srv_loader_unload(request->app->loader, request->captures[0], unload_done, request);
    return srv_request_wait_for_loader(request, is_queued);
}
