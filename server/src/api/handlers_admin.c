/* Reloads. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"

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
    srv_text_puts(out, "]");
}

static void write_files(struct srv_text *out, const struct srv_watched_row *rows, size_t n_rows)
{
    srv_text_puts(out, ",\"files\":[");
    for (size_t i = 0; i < n_rows; i++) {
        bool is_good = rows[i].failure.status == ENG_OK;
        srv_text_printf(out, "%s{\"setting\":\"%s\",\"result\":\"%s\",\"reason\":", i ? "," : "",
                        rows[i].setting, is_good ? "loaded" : "rejected");
        srv_text_json(out, rows[i].failure.text);
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, "]");
}

/* The first file that was rejected, NULL if none was. */
static const struct srv_watched_row *find_rejected(const struct srv_watched_row *rows,
                                                   size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].failure.status != ENG_OK) return &rows[i];
    return NULL;
}

static void reload_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                        size_t n_rows, const struct eng_error *error)
{
    struct srv_request *request = ctx;
    struct srv_text *out = &request->reply.body;
    struct srv_watched_row files[SRV_MAX_WATCHED];
    bool is_all = request->captures[0] == NULL;
    size_t n_files = is_all ? srv_watched_reload(request->app->watched, files) : 0;
    const struct srv_watched_row *bad_file = find_rejected(files, n_files);
    if (code == SRV_OK || code == SRV_MODEL_REJECTED) {
        srv_text_puts(out, "{");
        if (code == SRV_OK && bad_file)
            srv_reply_error_members(request, SRV_FILE_REJECTED, bad_file->failure.text);
        else if (code == SRV_OK)
            srv_text_puts(out, "\"status\":\"ok\"");
        else
            srv_reply_error_members(request, code, error->text);
        srv_text_puts(out, ",");
        write_rows(out, rows, n_rows);
        if (n_files > 0) write_files(out, files, n_files);
        srv_text_puts(out, "}\n");
    } else {
        srv_reply_error(request, code, "%s", error->text);
    }
    request->resume(request);
}

static enum srv_handled reload(struct srv_request *request, const char *model)
{
    bool is_queued = srv_loader_reload(request->app->loader, model, reload_done, request);
    return srv_request_wait_for_loader(request, is_queued);
}

enum srv_handled h_reload_all(struct srv_request *request)
{
    return reload(request, NULL);
}

enum srv_handled h_reload_model(struct srv_request *request)
{
    return reload(request, request->captures[0]);
}
