/* Names that an operator moves: the labels of a model's versions, the model that is the default. */
#include "api/app.h"
#include "api/handlers.h"
#include "api/model_request.h"
#include "base/json_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "3" or 3, as text. */
static bool read_version(struct srv_json *json, char *to, size_t capacity)
{
    struct srv_json_text text;
    int64_t number;
    if (srv_json_peek(json) == SRV_JSON_STRING)
        return srv_json_string(json, &text) && srv_json_copy(json, &text, to, capacity);
    if (!srv_json_integer(json, 1, INT64_MAX, &number)) return false;
    snprintf(to, capacity, "%" PRId64, number);
    return true;
}

static bool read_name(struct srv_json *json, char *to, size_t capacity)
{
    struct srv_json_text text;
    return srv_json_string(json, &text) && srv_json_copy(json, &text, to, capacity);
}

/* The body's one member. On failure the reply is an error. */
static bool read_member(struct srv_request *request, const char *name,
                        bool (*read)(struct srv_json *json, char *to, size_t capacity), char *to,
                        size_t capacity)
{
    struct srv_json json;
    struct eng_error error = {0};
    bool found = false;
    if (!srv_request_is_no_form(request, "a JSON object")) return false;
    srv_json_init(&json, (const char *)request->body, request->n_body, &error);
    if (srv_json_enter(&json, SRV_JSON_OBJECT)) {
        while (srv_json_next(&json)) {
            if (!srv_json_is_key(&json, name))
                srv_json_fail(&json, "there is no such member; wanted \"%s\" only", name);
            else if (found)
                srv_json_fail(&json, "it stands there twice");
            else
                found = read(&json, to, capacity);
        }
    }
    bool ok = srv_json_end(&json) && found;
    if (!ok)
        srv_reply_error(request, SRV_INVALID_REQUEST, "%s%s",
                        error.text[0] ? error.text : "wanted a JSON object with the member ",
                        error.text[0] ? "" : name);
    return ok;
}

static void log_move(struct srv_request *request, const char *message, const char *name,
                     const char *target)
{
    const struct srv_log_field fields[] = {
        {.key = "model", .text = request->captures[0] ? request->captures[0] : target},
        {.key = "label", .text = name},
        {.key = "version", .text = target},
        {.key = "request_id", .text = request->id}};
    if (request->captures[0])
        srv_log_write(request->app->log, SRV_LOG_INFO, message, fields, 4);
    else
        srv_log_write(request->app->log, SRV_LOG_INFO, message,
                      (struct srv_log_field[]){fields[0], fields[3]}, 2);
}

enum srv_handled h_label_move(struct srv_request *request)
{
    const char *model = request->captures[0], *label = request->captures[1];
    char version[24];
    struct eng_error error = {0};
    if (!read_member(request, "version", read_version, version, sizeof version)) return SRV_DONE;
    enum srv_code code =
        srv_registry_move_label(request->app->registry, model, label, version, &error);
    if (code != SRV_OK) {
        srv_request_fail(request, code, &error);
        return SRV_DONE;
    }
    log_move(request, "label moved", label, version);
    struct srv_text *out = &request->reply.body;
    srv_text_puts(out, "{\"model\":");
    srv_text_json(out, model);
    srv_text_puts(out, ",\"label\":");
    srv_text_json(out, label);
    srv_text_printf(out, ",\"version\":\"%s\"}\n", version);
    return SRV_DONE;
}

enum srv_handled h_label_remove(struct srv_request *request)
{
    struct eng_error error = {0};
    enum srv_code code = srv_registry_remove_label(request->app->registry, request->captures[0],
                                                   request->captures[1], &error);
    if (code != SRV_OK) {
        srv_request_fail(request, code, &error);
        return SRV_DONE;
    }
    log_move(request, "label removed", request->captures[1], "");
    srv_text_puts(&request->reply.body, "{\"status\":\"ok\"}\n");
    return SRV_DONE;
}

enum srv_handled h_default_model(struct srv_request *request)
{
    char model[SRV_MODEL_CHARS + 1];
    struct eng_error error = {0};
    if (!read_member(request, "model", read_name, model, sizeof model)) return SRV_DONE;
    enum srv_code code = srv_registry_set_default(request->app->registry, model, &error);
    if (code != SRV_OK) {
        srv_request_fail(request, code, &error);
        return SRV_DONE;
    }
    log_move(request, "default model moved", "", model);
    srv_text_puts(&request->reply.body, "{\"default_model\":");
    srv_text_json(&request->reply.body, model);
    srv_text_puts(&request->reply.body, "}\n");
    return SRV_DONE;
}
