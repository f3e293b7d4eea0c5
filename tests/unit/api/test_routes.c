#include "api/handlers.h"
#include "api/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct found {
    enum srv_code code;
    const struct srv_route *route;
    const char *captures[SRV_MAX_CAPTURES];
    char scratch[600], allow[64];
};

static void match(enum srv_listener listener, const char *method, const char *path,
                  struct found *out)
{
    memset(out, 0, sizeof *out);
    out->code = srv_route_match(listener, method, path, &out->route, out->captures, out->scratch,
                                sizeof out->scratch, out->allow);
}

/* "/models/{model}/reload" -> "/models/x0/reload". */
static void fill_pattern(const char *pattern, char *path)
{
    int n = 0;
    while (*pattern) {
        if (*pattern != '{') {
            *path++ = *pattern++;
            continue;
        }
        path += sprintf(path, "x%d", n++);
        pattern = strchr(pattern, '}') + 1;
    }
    *path = '\0';
}

static void every_row_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *row = srv_route_at(i);
        struct found found;
        char path[200];
        fill_pattern(row->pattern, path);
        match(row->listener, row->method, path, &found);
        assert_int_equal(found.code, SRV_OK);
        assert_ptr_equal(found.route, row);
        int n = 0;
        for (const char *p = row->pattern; (p = strchr(p, '{')); p++, n++) {
            char wanted[16];
            snprintf(wanted, sizeof wanted, "x%d", n);
            assert_true(n < SRV_MAX_CAPTURES);
            assert_string_equal(found.captures[n], wanted);
        }
        for (; n < SRV_MAX_CAPTURES; n++)
            assert_null(found.captures[n]);
    }
    assert_null(srv_route_at(srv_route_count()));
}

/* V2's root is one with a slash behind it, too. */
static bool is_row(enum srv_listener listener, const char *pattern)
{
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *row = srv_route_at(i);
        if (row->listener == listener && strcmp(row->pattern, pattern) == 0) return true;
    }
    return false;
}

static void every_row_refuses_other_methods(void **state)
{
    (void)state;
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *row = srv_route_at(i);
        struct found found;
        char path[200];
        fill_pattern(row->pattern, path);
        match(row->listener, "BREW", path, &found);
        assert_int_equal(found.code, SRV_METHOD_NOT_ALLOWED);
        assert_non_null(strstr(found.allow, row->method));
        bool has_get = strstr(found.allow, "GET") != NULL; /* another row's, perhaps */
        match(row->listener, "HEAD", path, &found);
        assert_int_equal(found.code, has_get ? SRV_OK : SRV_METHOD_NOT_ALLOWED);
        strcat(path, "/");
        match(row->listener, row->method, path, &found);
        assert_int_equal(found.code, is_row(row->listener, path) ? SRV_OK : SRV_NOT_FOUND);
    }
}

/* m:predict is no model's name, though {model} alone would take it. */
static void the_first_pattern_decides(void **state)
{
    (void)state;
    struct found found;
    match(SRV_PUBLIC, "GET", "/v1/models/m:predict", &found);
    assert_int_equal(found.code, SRV_METHOD_NOT_ALLOWED);
    assert_string_equal(found.allow, "POST");
    match(SRV_PUBLIC, "GET", "/v1/models/m", &found);
    assert_int_equal(found.code, SRV_OK);
    match(SRV_PUBLIC, "GET", "/v1/models/m%3Apredict", &found);
    assert_int_equal(found.code, SRV_OK);
    assert_string_equal(found.captures[0], "m:predict");
}

static void paths_that_are_no_routes(void **state)
{
    (void)state;
    static const char *const paths[] = {"",
                                        "*",
                                        "/classif",
                                        "/classifyx",
                                        "/classify//1",
                                        "/classify/",
                                        "classify",
                                        "/classify/a/b/c",
                                        "/healthz%",
                                        "/%68ealthz/",
                                        "/classify/%00",
                                        "/classify/a%00b",
                                        "/models/x/reload",
                                        "/reload",
                                        "http://h/classify"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct found found;
        match(SRV_PUBLIC, "POST", paths[i], &found);
        if (found.code != SRV_NOT_FOUND) fail_msg("\"%s\" is a route", paths[i]);
    }
}

static void captures_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *path, *model, *version;
    } rows[] = {
        {"/classify/a%20b", "a b", NULL},
        {"/classify/a%2Fb", "a/b", NULL},
        {"/classify/a%2fb/%31", "a/b", "1"},
        {"/classify/%", "%", NULL},
        {"/classify/%4", "%4", NULL},
        {"/classify/%zz", "%zz", NULL},
        {"/classify/..", "..", NULL},
        {"/classify/a+b", "a+b", NULL},
        {"/classify/\xC3\xA9", "\xC3\xA9", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct found found;
        match(SRV_PUBLIC, "POST", rows[i].path, &found);
        assert_int_equal(found.code, SRV_OK);
        assert_string_equal(found.captures[0], rows[i].model);
        if (rows[i].version)
            assert_string_equal(found.captures[1], rows[i].version);
        else
            assert_null(found.captures[1]);
    }
}

/* A capture that does not fit is no match, and nothing is written beyond. */
static void scratch_is_not_overrun(void **state)
{
    (void)state;
    char path[300] = "/classify/";
    memset(path + 10, 'a', 200);
    path[210] = '\0';
    for (size_t n = 0; n < 210; n++) {
        char *scratch = malloc(n + 1);
        char allow[64];
        const struct srv_route *route;
        const char *captures[SRV_MAX_CAPTURES];
        enum srv_code code =
            srv_route_match(SRV_PUBLIC, "POST", path, &route, captures, scratch, n, allow);
        assert_int_equal(code, n > 200 ? SRV_OK : SRV_NOT_FOUND);
        free(scratch);
    }
}

static char *read_docs(void)
{
    char path[1024];
    const char *source = getenv("CLASSIFYD_SOURCE");
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/docs/api.md", source);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    assert_in_range(fread(text, 1, (1 << 16) - 1, file), 1, (1 << 16) - 2);
    fclose(file);
    return text;
}

/* A table row of docs/api.md: "| listener | ... `METHOD pattern` ...". */
static void every_row_is_documented(void **state)
{
    (void)state;
    char *docs = read_docs();
    for (size_t i = 0; i < srv_route_count(); i++) {
        const struct srv_route *row = srv_route_at(i);
        char wanted[160], start[40];
        bool is_there = false;
        snprintf(wanted, sizeof wanted, "`%s %s`", row->method, row->pattern);
        snprintf(start, sizeof start, "| %s |", srv_listener_name(row->listener));
        for (const char *line = docs; line; line = strchr(line, '\n')) {
            line += *line == '\n';
            const char *at = strstr(line, wanted);
            is_there |=
                strncmp(line, start, strlen(start)) == 0 && at && at < line + strcspn(line, "\n");
        }
        if (!is_there)
            fail_msg("docs/api.md does not describe %s %s of the %s listener", row->method,
                     row->pattern, srv_listener_name(row->listener));
    }
    free(docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(every_row_refuses_other_methods),
        cmocka_unit_test(the_first_pattern_decides),
        cmocka_unit_test(paths_that_are_no_routes),
        cmocka_unit_test(captures_are_decoded),
        cmocka_unit_test(scratch_is_not_overrun),
        cmocka_unit_test(every_row_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
