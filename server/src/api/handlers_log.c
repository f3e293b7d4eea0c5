/* GET and PUT /log_level: what is logged, changed while the daemon runs. */
#include "api/app.h"
#include "api/handlers.h"
#include "base/json_reader.h"

static const char wanted[] = "wanted {\"level\": \"debug\"}, or info, warn, error";

enum srv_handled h_log_level(struct srv_request *request)
{
    const char *name = srv_log_level_name(srv_log_get_level(request->app->log));
    srv_text_printf(&request->reply.body, "{\"level\":\"%s\"}\n", name);
    return SRV_DONE;
}

static bool read_level(struct srv_json *json, enum srv_log_level *out)
{
    struct srv_json_text text;
    char name[16];
    bool found = false;
    if (srv_json_peek(json) != SRV_JSON_OBJECT) return srv_json_fail(json, "%s", wanted);
    srv_json_enter(json, SRV_JSON_OBJECT);
    while (srv_json_next(json)) {
        if (found || !srv_json_is_key(json, "level"))
            srv_json_fail(json, "one member too many; %s", wanted);
        else if (srv_json_string(json, &text) && srv_json_copy(json, &text, name, sizeof name)) {
            found = srv_log_level_parse(name, out);
            if (!found) srv_json_fail(json, "there is no level \"%s\"; %s", name, wanted);
        }
    }
    if (!json->failed && !found) srv_json_fail(json, "there is no level; %s", wanted);
    return srv_json_end(json);
}

enum srv_handled h_set_log_level(struct srv_request *request)
{
    struct eng_error error = {0};
    struct srv_json json;
    enum srv_log_level level;
    if (!srv_request_is_no_form(request, "a JSON object")) return SRV_DONE;
    srv_json_init(&json, (const char *)request->body, request->n_body, &error);
    if (!read_level(&json, &level)) {
        srv_reply_error(request, SRV_INVALID_REQUEST, "%s", error.text);
        return SRV_DONE;
    }
    struct srv_log *log = request->app->log;
    const struct srv_log_field fields[] = {
        {.key = "from", .text = srv_log_level_name(srv_log_get_level(log))},
        {.key = "to", .text = srv_log_level_name(level)},
        {.key = "id", .text = request->id},
    };
    srv_log_write(log, SRV_LOG_WARN, "log level changed", fields, 3);
    srv_log_set_level(log, level);
    return h_log_level(request);
}
