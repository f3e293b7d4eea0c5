#include "api/repository_body.h"

#include "api/app.h"
#include "api/base64.h"
#include "base/fail.h"
#include "base/json_reader.h"

#include <stdlib.h>
#include <string.h>

/* The members of "parameters", or of the whole body. */
typedef bool read_member(struct srv_json *json, void *ctx);

static bool fail_memory(struct srv_json *json, const char *what)
{
    if (!json->failed) srv_fail_memory(json->err, what);
    json->failed = true;
    return false;
}

static bool read_object(struct srv_json *json, read_member *read, void *ctx)
{
    if (!srv_json_enter(json, SRV_JSON_OBJECT)) return false;
    while (srv_json_next(json))
        read(json, ctx);
    return !json->failed;
}

/* As good as absent: clients that are generated write it for what they do not say. */
static bool is_null(struct srv_json *json)
{
    return srv_json_peek(json) == SRV_JSON_NULL;
}

static const char wanted[] = "a JSON object";

/* What a member of the outermost object reads. */
struct parameters {
    read_member *read;
    void *ctx;
};

static bool read_parameters(struct srv_json *json, void *ctx)
{
    const struct parameters *parameters = ctx;
    if (!srv_json_is_key(json, "parameters"))
        return srv_json_fail(json, "there is no such member; wanted \"parameters\" only");
    if (is_null(json)) return srv_json_skip(json);
    return read_object(json, parameters->read, parameters->ctx);
}

/* No body, as tritonclient sends it, is an empty object. */
static bool read_body(const char *body, size_t n_bytes, read_member *read, void *ctx,
                      struct eng_error *err)
{
    struct srv_json json;
    if (n_bytes == 0) return true;
    srv_json_init(&json, body, n_bytes, err);
    read_object(&json, read, ctx);
    return srv_json_end(&json);
}

static bool reply_bad(struct srv_request *request, const struct eng_error *error)
{
    enum srv_code code = error->status == ENG_NO_MEMORY ? SRV_INTERNAL : SRV_INVALID_REQUEST;
    srv_reply_error(request, code, "%s", error->text[0] ? error->text : srv_code_text(code));
    return false;
}

/* --- index and unload --- */

static bool read_request(struct srv_request *request, read_member *read, void *ctx)
{
    struct eng_error error = {0};
    if (!srv_request_is_no_form(request, wanted)) return false;
    return read_body((const char *)request->body, request->n_body, read, ctx, &error) ||
           reply_bad(request, &error);
}

static bool read_ready(struct srv_json *json, void *ctx)
{
    if (!srv_json_is_key(json, "ready"))
        return srv_json_fail(json, "there is no such member; wanted \"ready\" only");
    return is_null(json) ? srv_json_skip(json) : srv_json_bool(json, ctx);
}

bool srv_repository_read_index(struct srv_request *request, bool *ready_only)
{
    return read_request(request, read_ready, ready_only);
}

static bool read_unload_parameter(struct srv_json *json, void *ctx)
{
    if (!srv_json_is_key(json, "unload_dependents"))
        return srv_json_fail(json, "there is no such parameter; wanted \"unload_dependents\" only");
    return is_null(json) ? srv_json_skip(json) : srv_json_bool(json, ctx);
}

bool srv_repository_read_unload(struct srv_request *request)
{
    bool ignored;
    struct parameters parameters = {read_unload_parameter, &ignored};
    return read_request(request, read_parameters, &parameters);
}

/* --- load --- */

/* The text, malloc'd, with a zero behind it. NULL with a failure. */
static char *copy_text(struct srv_json *json, size_t *n_bytes)
{
    struct srv_json_text text;
    if (!srv_json_string(json, &text)) return NULL;
    char *bytes = malloc(text.n_bytes + 1);
    if (!bytes) {
        fail_memory(json, "a parameter");
        return NULL;
    }
    *n_bytes = srv_json_unescape(&text, bytes);
    bytes[*n_bytes] = '\0';
    return bytes;
}

static bool read_config(struct srv_json *json, struct srv_override *override)
{
    size_t n_bytes;
    if (override->config) return srv_json_fail(json, "it stands there twice");
    override->config = copy_text(json, &n_bytes);
    if (override->config && strlen(override->config) < n_bytes)
        return srv_json_fail(json, "wanted text without zero bytes");
    return override->config != NULL;
}

/* "file:3/model.onnx" -> "3". */
static bool read_file_name(struct srv_json *json, const struct srv_override *override,
                           char version[SRV_VERSION_CHARS + 1])
{
    static const char before[] = "file:", behind[] = "/model.onnx";
    char name[sizeof before + sizeof behind + SRV_VERSION_CHARS];
    const struct srv_json_text *key = srv_json_key(json);
    bool fits = key->n_bytes < sizeof name && srv_json_copy(json, key, name, sizeof name);
    size_t n = fits && strncmp(name, before, strlen(before)) == 0
                   ? strcspn(name + strlen(before), "/")
                   : 0;
    char *number = name + strlen(before);
    if (n == 0 || n > SRV_VERSION_CHARS || strcmp(number + n, behind) != 0)
        return srv_json_fail(
            json, "there is no such parameter; wanted \"config\" or \"file:VERSION/model.onnx\"");
    number[n] = '\0';
    if (srv_version_number(number) == 0)
        return srv_json_fail(json, "the version is no positive integer without leading zeros");
    for (size_t i = 0; i < override->n_files; i++)
        if (strcmp(override->files[i].version, number) == 0)
            return srv_json_fail(json, "it stands there twice");
    memcpy(version, number, n + 1);
    return true;
}

static bool decode(struct srv_json *json, struct srv_upload *file)
{
    size_t n_chars;
    char *text = copy_text(json, &n_chars);
    if (!text) return false;
    file->bytes = (uint8_t *)text; /* decoded in place */
    if (!srv_base64_decode(text, n_chars, file->bytes, &file->n_bytes) || file->n_bytes == 0)
        return srv_json_fail(json, "wanted a model file as base64 text");
    return true;
}

static bool read_file(struct srv_json *json, struct srv_override *override)
{
    char version[SRV_VERSION_CHARS + 1];
    if (!read_file_name(json, override, version)) return false;
    if (override->n_files == SRV_MAX_UPLOADS)
        return srv_json_fail_limit(json, "wanted at most %d files", SRV_MAX_UPLOADS);
    if (!override->files) override->files = calloc(SRV_MAX_UPLOADS, sizeof *override->files);
    if (!override->files) return fail_memory(json, "files");
    struct srv_upload *file = &override->files[override->n_files++];
    memcpy(file->version, version, sizeof file->version);
    return decode(json, file);
}

static bool read_load_parameter(struct srv_json *json, void *ctx)
{
    return srv_json_is_key(json, "config") ? read_config(json, ctx) : read_file(json, ctx);
}

enum eng_status srv_repository_parse_load(const char *body, size_t n_bytes,
                                          struct srv_override **out, struct eng_error *err)
{
    struct eng_error error = {0};
    struct srv_override *override = calloc(1, sizeof *override);
    struct parameters parameters = {read_load_parameter, override};
    if (!override) return srv_fail_memory(err, "the parameters of a load");
    bool ok = read_body(body, n_bytes, read_parameters, &parameters, &error);
    if (ok && (override->config || override->n_files > 0)) {
        *out = override;
        return ENG_OK;
    }
    srv_override_destroy(override);
    if (ok) *out = NULL;
    return ok ? ENG_OK : srv_fail(err, error.status, "%s", error.text);
}

bool srv_repository_read_load(struct srv_request *request, struct srv_override **out)
{
    struct eng_error error = {0};
    bool is_on = strcmp(request->app->config->repository_overrides, "on") == 0;
    struct srv_override *override = NULL;
    if (!srv_request_is_no_form(request, wanted)) return false;
    /* What is made of the body is no longer than it. */
    if (request->reserve && !request->reserve(request, request->n_body)) return false;
    if (srv_repository_parse_load((const char *)request->body, request->n_body, &override,
                                  &error) != ENG_OK)
        return reply_bad(request, &error);
    if (override && !is_on) {
        srv_override_destroy(override);
        srv_reply_error(request, SRV_TURNED_OFF,
                        "a load takes no config and no files: the setting repository_overrides is "
                        "off");
        return false;
    }
    *out = override;
    return true;
}
