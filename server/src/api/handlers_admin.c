/* Reloads. */
#include "api/app.h"
#include "api/handlers.h"

#include <string.h>

static const char *result_name(const struct srv_reload_row *row)
{
    if (row->loaded) return "loaded";
    return row->removed ? "removed" : "rejected";
}

static void write_rows(struct srv_text *out, const struct srv_reload_row *rows, size_t n_rows)
{
    srv_text_puts(out, "\"models\":[");
    for (size_t i = 0; i < n_rows; i++) {
        const struct srv_reload_row *row = &rows[i];
        srv_text_puts(out, i ? ",{\"model\":" : "{\"model\":");
        srv_text_json(out, row->model);
        srv_text_puts(out, ",\"version\":");
        srv_text_json(out, row->version);
        srv_text_printf(out, ",\"result\":\"%s\",\"digest\":\"%s\",\"reason\":", result_name(row),
                        row->digest);
        srv_text_json(out, row->reason);
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, "]}\n");
}

static void reload_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                        size_t n_rows, const struct eng_error *error)
{
    struct srv_request *request = ctx;
    struct srv_text *out = &request->reply.body;
    if (code == SRV_OK || code == SRV_MODEL_REJECTED) {
        srv_text_puts(out, "{");
        if (code == SRV_OK)
            srv_text_puts(out, "\"status\":\"ok\"");
        else
            srv_reply_error_members(request, code, error->text);
        srv_text_puts(out, ",");
        write_rows(out, rows, n_rows);
    } else {
        srv_reply_error(request, code, "%s", error->text);
    }
    request->resume(request);
}

/* The reply is written by reload_done: the rows live no longer. */
static void finish_reload(struct srv_request *request)
{
    (void)request;
}

static enum srv_handled reload(struct srv_request *request, const char *model)
{
    request->finish = finish_reload;
    if (srv_loader_reload(request->app->loader, model, reload_done, request)) return SRV_LATER;
    bool is_ending = atomic_load(&request->app->shutting_down);
    enum srv_code code = is_ending ? SRV_SHUTTING_DOWN : SRV_INTERNAL;
    srv_reply_error(request, code, "%s", is_ending ? srv_code_text(code) : "out of memory");
    return SRV_DONE;
}

enum srv_handled h_reload_all(struct srv_request *request)
{
    return reload(request, NULL);
}

enum srv_handled h_reload_model(struct srv_request *request)
{
    return reload(request, request->captures[0]);
}
