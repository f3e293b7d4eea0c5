#include "api/openapi.h"

#include "api/handlers.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *read_document(enum srv_listener listener)
{
    struct srv_text text = {0};
    json_error_t problem;
    srv_openapi_write(listener, &text);
    assert_false(text.failed);
    json_t *root = json_loadb(text.bytes, text.n_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (!root) fail_msg("line %d, column %d: %s", problem.line, problem.column, problem.text);
    srv_text_fini(&text);
    return root;
}

static json_t *find_operation(const json_t *document, const struct srv_route *route)
{
    char method[16];
    size_t n = strlen(route->method);
    assert_in_range(n, 1, sizeof method - 1);
    for (size_t i = 0; i <= n; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    const json_t *path = json_object_get(json_object_get(document, "paths"), route->pattern);
    return json_object_get(path, method);
}

static bool has_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && text[0];
}

static void check_operation(const struct srv_route *route, const json_t *operation)
{
    const json_t *answer = json_object_get(json_object_get(operation, "responses"), "200");
    if (!has_text(operation, "summary") || !has_text(operation, "operationId") ||
        json_array_size(json_object_get(operation, "tags")) != 1 ||
        !has_text(answer, "description"))
        fail_msg("openapi.def does not describe %s %s of the %s listener", route->method,
                 route->pattern, srv_listener_name(route->listener));
    if (json_object_get(operation, "requestBody") && !route->takes_body)
        fail_msg("openapi.def describes a body of %s %s", route->method, route->pattern);
}

static void every_route_is_described(void **state)
{
    (void)state;
    json_t *documents[] = {read_document(SRV_PUBLIC), read_document(SRV_ADMIN)};
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *route = srv_route_at(i);
        const json_t *operation = find_operation(documents[route->listener], route);
        assert_non_null(operation);
        check_operation(route, operation);
    }
    json_decref(documents[0]);
    json_decref(documents[1]);
}

/* What is in the documents is in the table, once. */
static void nothing_else_is_described(void **state)
{
    (void)state;
    for (enum srv_listener listener = SRV_PUBLIC; listener <= SRV_ADMIN; listener++) {
        json_t *document = read_document(listener);
        json_t *ids = json_object();
        size_t n_operations = 0, n_routes = 0;
        const char *pattern, *method;
        json_t *path, *operation;
        json_object_foreach(json_object_get(document, "paths"), pattern, path)
        {
            json_object_foreach(path, method, operation)
            {
                const char *id = json_string_value(json_object_get(operation, "operationId"));
                assert_null(json_object_get(ids, id));
                json_object_set_new(ids, id, json_true());
                n_operations++;
            }
        }
        for (size_t i = 0; i < srv_route_count(); i++)
            n_routes += srv_route_at(i)->listener == listener;
        assert_int_equal(n_operations, n_routes);
        json_decref(ids);
        json_decref(document);
    }
}

static void check_captures(const struct srv_route *route, const json_t *operation)
{
    const json_t *parameters = json_object_get(operation, "parameters");
    size_t n_captures = 0, n_in_path = 0, i;
    const json_t *parameter;
    for (const char *at = route->pattern; (at = strchr(at, '{')); at++)
        n_captures++;
    json_array_foreach(parameters, i, parameter)
    {
        char capture[80];
        const char *name = json_string_value(json_object_get(parameter, "name"));
        if (strcmp(json_string_value(json_object_get(parameter, "in")), "path") != 0) continue;
        snprintf(capture, sizeof capture, "{%s}", name);
        assert_non_null(strstr(route->pattern, capture));
        assert_true(json_is_true(json_object_get(parameter, "required")));
        n_in_path++;
    }
    if (n_captures != n_in_path) fail_msg("openapi.def lacks a CAPTURE of %s", route->pattern);
}

static void every_capture_is_described(void **state)
{
    (void)state;
    json_t *documents[] = {read_document(SRV_PUBLIC), read_document(SRV_ADMIN)};
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *route = srv_route_at(i);
        check_captures(route, find_operation(documents[route->listener], route));
    }
    json_decref(documents[0]);
    json_decref(documents[1]);
}

/* Removes the schemas that a value names. */
static void strike_references(const json_t *value, json_t *unused, const json_t *schemas)
{
    static const char prefix[] = "#/components/schemas/";
    const char *key;
    json_t *member;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        const char *text = json_string_value(member);
        if (strcmp(key, "$ref") == 0 && text && strncmp(text, prefix, strlen(prefix)) == 0) {
            const char *name = text + strlen(prefix);
            if (!json_object_get(schemas, name)) fail_msg("there is no schema %s", name);
            json_object_del(unused, name);
        }
        strike_references(member, unused, schemas);
    }
    json_array_foreach(value, i, member) strike_references(member, unused, schemas);
}

static void schemas_are_there_and_used(void **state)
{
    (void)state;
    json_t *documents[] = {read_document(SRV_PUBLIC), read_document(SRV_ADMIN)};
    const json_t *schemas = json_object_get(json_object_get(documents[0], "components"), "schemas");
    json_t *unused = json_copy((json_t *)(uintptr_t)schemas);
    const char *name;
    json_t *schema;
    for (size_t i = 0; i < 2; i++)
        strike_references(documents[i], unused, schemas);
    json_object_foreach(unused, name, schema) fail_msg("nothing refers to the schema %s", name);
    json_decref(unused);
    json_decref(documents[0]);
    json_decref(documents[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(nothing_else_is_described),
        cmocka_unit_test(every_capture_is_described),
        cmocka_unit_test(schemas_are_there_and_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
