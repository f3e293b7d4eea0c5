#include "api/routes.h"

#include "api/handlers.h"

#include <stdio.h>
#include <string.h>

enum body_policy { NO_BODY, BODY };

static const struct srv_route routes[] = {
#define ROUTE(listener, method, pattern, handler, body, label) \
    {SRV_##listener, #method, pattern, h_##handler, body == BODY, label},
#include "api/routes.def"
#undef ROUTE
};
enum { N_ROUTES = sizeof routes / sizeof routes[0] };

size_t srv_route_count(void)
{
    return N_ROUTES;
}

const struct srv_route *srv_route_at(size_t i)
{
    return i < N_ROUTES ? &routes[i] : NULL;
}

const char *srv_listener_name(enum srv_listener listener)
{
    return listener == SRV_PUBLIC ? "public" : "admin";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Where captures are written: [at, end). */
struct scratch {
    char *at, *end;
};

/*
 * Decodes the segment that begins at path and ends before stop, a slash or the end. Returns where
 * it ends; NULL if it is empty, holds a zero byte or does not fit.
 */
static const char *capture(const char *path, char stop, struct scratch *scratch, const char **out)
{
    char *to = scratch->at;
    while (*path && *path != '/' && *path != stop) {
        char c = *path++;
        int high = c == '%' ? hex_digit(path[0]) : -1;
        int low = high >= 0 ? hex_digit(path[1]) : -1;
        if (low >= 0) {
            c = (char)(high * 16 + low);
            path += 2;
        }
        if (c == '\0' || scratch->end - to < 2) return NULL;
        *to++ = c;
    }
    if (to == scratch->at) return NULL;
    *to++ = '\0';
    *out = scratch->at;
    scratch->at = to;
    return path;
}

static bool matches(const char *pattern, const char *path, struct scratch scratch,
                    const char *captures[SRV_MAX_CAPTURES])
{
    size_t n_captures = 0;
    memset(captures, 0, SRV_MAX_CAPTURES * sizeof captures[0]);
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++) return false;
            continue;
        }
        pattern = strchr(pattern, '}') + 1;
        path = capture(path, *pattern, &scratch, &captures[n_captures++]);
        if (!path) return false;
    }
    return *path == '\0';
}

static void append_allow(char allow[64], const char *method)
{
    size_t n = strlen(allow);
    snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", method);
}

enum srv_code srv_route_match(enum srv_listener listener, const char *method, const char *path,
                              const struct srv_route **out, const char *captures[SRV_MAX_CAPTURES],
                              char *scratch, size_t n, char allow[64])
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const char *pattern = NULL; /* that matches */
    allow[0] = '\0';
    for (size_t i = 0; i < N_ROUTES; i++) {
        const struct srv_route *route = &routes[i];
        if (route->listener != listener) continue;
        if (pattern
                ? strcmp(route->pattern, pattern) != 0
                : !matches(route->pattern, path, (struct scratch){scratch, scratch + n}, captures))
            continue;
        pattern = route->pattern;
        if (strcmp(route->method, wanted) == 0) {
            *out = route;
            return SRV_OK;
        }
        append_allow(allow, route->method);
        if (strcmp(route->method, "GET") == 0) append_allow(allow, "HEAD");
    }
    return allow[0] ? SRV_METHOD_NOT_ALLOWED : SRV_NOT_FOUND;
}
