#include "api/openapi.h"

#include "api/handlers.h"

#include <ctype.h>
#include <string.h>

struct operation {
    srv_handler *handler;
    const char *tag, *summary;
};

/* A body that a handler takes or answers with; schema "": bytes. */
struct content {
    srv_handler *handler;
    const char *media_type, *schema;
};

struct parameter {
    srv_handler *handler; /* NULL: a capture of any route */
    const char *place, *name, *schema, *description;
};

#define OPERATION(handler, tag, summary)
#define REQUEST(handler, media_type, schema)
#define RESPONSE(handler, media_type, schema)
#define QUERY(handler, name, description, ...)
#define HEADER(handler, name, description, ...)
#define CAPTURE(name, description)

static const struct operation operations[] = {
#undef OPERATION
#define OPERATION(handler, tag, summary) {h_##handler, tag, summary},
#include "api/openapi.def"
#undef OPERATION
#define OPERATION(handler, tag, summary)
};

static const struct content requests[] = {
#undef REQUEST
#define REQUEST(handler, media_type, schema) {h_##handler, media_type, schema},
#include "api/openapi.def"
#undef REQUEST
#define REQUEST(handler, media_type, schema)
};

static const struct content responses[] = {
#undef RESPONSE
#define RESPONSE(handler, media_type, schema) {h_##handler, media_type, schema},
#include "api/openapi.def"
#undef RESPONSE
#define RESPONSE(handler, media_type, schema)
};

static const struct parameter parameters[] = {
#undef QUERY
#undef HEADER
#undef CAPTURE
#define QUERY(handler, name, description, ...) \
    {h_##handler, "query", name, #__VA_ARGS__, description},
#define HEADER(handler, name, description, ...) \
    {h_##handler, "header", name, #__VA_ARGS__, description},
#define CAPTURE(name, description) {NULL, "path", name, "{\"type\":\"string\"}", description},
#include "api/openapi.def"
#undef QUERY
#undef HEADER
#undef CAPTURE
};

static const struct {
    const char *name, *json;
} schemas[] = {
#define SCHEMA(name, ...) {#name, #__VA_ARGS__},
#include "api/openapi_schemas.def"
#undef SCHEMA
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* --- parts of an operation --- */

/* "post_v1_models_model_predict": unique, for method and path are. */
static void write_id(const struct srv_route *route, struct srv_text *out)
{
    srv_text_puts(out, "\"operationId\":\"");
    for (const char *c = route->method; *c; c++)
        srv_text_append(out, &(char){(char)tolower((unsigned char)*c)}, 1);
    for (const char *c = route->pattern; *c; c++)
        if (*c != '{' && *c != '}') srv_text_append(out, isalnum((unsigned char)*c) ? c : "_", 1);
    srv_text_puts(out, "\"");
}

static void write_parameter(const struct parameter *parameter, struct srv_text *out)
{
    srv_text_printf(out, "{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s",
                    parameter->name, parameter->place, parameter->handler ? "false" : "true",
                    parameter->schema);
    srv_text_puts(out, ",\"description\":");
    srv_text_json(out, parameter->description);
    srv_text_puts(out, "}");
}

/* Whether the pattern has {name}. */
static bool captures(const char *pattern, const char *name)
{
    size_t n = strlen(name);
    while ((pattern = strchr(pattern, '{'))) {
        pattern++;
        if (strncmp(pattern, name, n) == 0 && pattern[n] == '}') return true;
    }
    return false;
}

static void write_parameters(const struct srv_route *route, struct srv_text *out)
{
    const char *separator = "";
    srv_text_puts(out, ",\"parameters\":[");
    for (size_t i = 0; i < COUNT(parameters); i++) {
        const struct parameter *parameter = &parameters[i];
        bool in_path = !parameter->handler;
        if (in_path ? !captures(route->pattern, parameter->name)
                    : parameter->handler != route->handler)
            continue;
        srv_text_puts(out, separator);
        write_parameter(parameter, out);
        separator = ",";
    }
    srv_text_puts(out, "]");
}

/* The handler's first row, NULL if it has none. */
static const struct content *find_content(const struct content *rows, size_t n_rows,
                                          srv_handler *handler)
{
    for (size_t i = 0; i < n_rows; i++)
        if (rows[i].handler == handler) return &rows[i];
    return NULL;
}

/* ,"content":{...}: the media types of a body. */
static void write_content(const struct content *rows, size_t n_rows, srv_handler *handler,
                          struct srv_text *out)
{
    const char *before = ",\"content\":{";
    for (size_t i = 0; i < n_rows; i++) {
        if (rows[i].handler != handler) continue;
        srv_text_puts(out, before);
        srv_text_json(out, rows[i].media_type);
        if (rows[i].schema[0])
            srv_text_printf(out, ":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}",
                            rows[i].schema);
        else
            srv_text_puts(out, ":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
        before = ",";
    }
    srv_text_puts(out, "}");
}

static void write_bodies(const struct srv_route *route, struct srv_text *out)
{
    if (find_content(requests, COUNT(requests), route->handler)) {
        srv_text_puts(out, ",\"requestBody\":{\"required\":true");
        write_content(requests, COUNT(requests), route->handler, out);
        srv_text_puts(out, "}");
    }
    srv_text_puts(out, ",\"responses\":{");
    const struct content *response = find_content(responses, COUNT(responses), route->handler);
    if (response) {
        srv_text_puts(out, "\"200\":{\"description\":\"the answer\"");
        if (response->media_type[0])
            write_content(responses, COUNT(responses), route->handler, out);
        srv_text_puts(out, "},");
    }
    srv_text_puts(out, "\"default\":{\"$ref\":\"#/components/responses/Error\"}}");
}

static void write_operation(const struct srv_route *route, struct srv_text *out)
{
    for (const char *c = route->method; *c; c++)
        srv_text_append(out, &(char){(char)tolower((unsigned char)*c)}, 1);
    srv_text_puts(out, "\":{");
    write_id(route, out);
    for (size_t i = 0; i < COUNT(operations); i++) {
        if (operations[i].handler != route->handler) continue;
        srv_text_printf(out, ",\"tags\":[\"%s\"],\"summary\":", operations[i].tag);
        srv_text_json(out, operations[i].summary);
    }
    write_parameters(route, out);
    write_bodies(route, out);
    srv_text_puts(out, "}");
}

/* --- the document --- */

/* True if a row before the i-th has its listener and pattern. */
static bool is_repeated(size_t i)
{
    const struct srv_route *route = srv_route_at(i);
    for (size_t k = 0; k < i; k++)
        if (srv_route_at(k)->listener == route->listener &&
            strcmp(srv_route_at(k)->pattern, route->pattern) == 0)
            return true;
    return false;
}

/* The operations of all methods that the i-th row's pattern takes. */
static void write_path(size_t i, struct srv_text *out)
{
    const struct srv_route *first = srv_route_at(i);
    srv_text_json(out, first->pattern);
    for (size_t k = i; k < srv_route_count(); k++) {
        const struct srv_route *route = srv_route_at(k);
        if (route->listener != first->listener || strcmp(route->pattern, first->pattern) != 0)
            continue;
        srv_text_puts(out, k == i ? ":{\"" : ",\"");
        write_operation(route, out);
    }
    srv_text_puts(out, "}");
}

static void write_components(struct srv_text *out)
{
    srv_text_puts(out, "\"components\":{\"responses\":{\"Error\":{\"description\":\"anything but "
                       "200\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
                       "\"#/components/schemas/Error\"}}}}},\"schemas\":{");
    for (size_t i = 0; i < COUNT(schemas); i++) {
        srv_text_puts(out, i ? "," : "");
        srv_text_json(out, schemas[i].name);
        srv_text_puts(out, ":");
        srv_text_puts(out, schemas[i].json);
    }
    srv_text_puts(out,
                  "},\"securitySchemes\":{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                  "\"header\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}}}");
}

void srv_openapi_write(enum srv_listener listener, struct srv_text *out)
{
    const char *separator = "";
    srv_text_printf(
        out,
        "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"classifyd, %s listener\","
        "\"version\":\"%s\",\"description\":\"What is in this picture?\"},"
        "\"servers\":[{\"url\":\"/\"}],\"security\":[{},{\"key\":[]},{\"header\":[]}],\"paths\":{",
        srv_listener_name(listener), CLASSIFYD_VERSION);
    for (size_t i = 0; i < srv_route_count(); i++) {
        if (srv_route_at(i)->listener != listener || is_repeated(i)) continue;
        srv_text_puts(out, separator);
        write_path(i, out);
        separator = ",";
    }
    srv_text_puts(out, "},");
    write_components(out);
    srv_text_puts(out, "}\n");
}

enum srv_handled h_openapi(struct srv_request *request)
{
    srv_openapi_write(request->route->listener, &request->reply.body);
    return SRV_DONE;
}
