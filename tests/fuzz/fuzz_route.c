/*
 * "METHOD path" on both listeners: a match gives the captures that its pattern has, none of them
 * empty, in the scratch it was given; a wrong method names the right ones.
 */
#include "api/routes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static size_t count_captures(const char *pattern)
{
    size_t n = 0;
    for (; (pattern = strchr(pattern, '{')); pattern++)
        n++;
    return n;
}

static void check(enum srv_listener listener, const char *method, const char *path,
                  size_t n_scratch)
{
    char *scratch = malloc(n_scratch), allow[64];
    require(scratch != NULL);
    const struct srv_route *route = NULL;
    const char *captures[SRV_MAX_CAPTURES];
    enum srv_code code =
        srv_route_match(listener, method, path, &route, captures, scratch, n_scratch, allow);
    require((code == SRV_OK) == (route != NULL));
    require((code != SRV_METHOD_NOT_ALLOWED) || allow[0]);
    if (route) {
        require(route->listener == listener);
        size_t n = count_captures(route->pattern);
        for (size_t i = 0; i < SRV_MAX_CAPTURES; i++)
            require((i < n) == (captures[i] != NULL));
        for (size_t i = 0; i < n; i++)
            require(captures[i][0] && captures[i] + strlen(captures[i]) < scratch + n_scratch);
    }
    free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    char *space = strchr(text, ' ');
    const char *path = space ? space + 1 : "";
    if (space) *space = '\0';
    for (enum srv_listener listener = SRV_PUBLIC; listener <= SRV_ADMIN; listener++) {
        check(listener, text, path, strlen(path) + SRV_MAX_CAPTURES);
        check(listener, text, path, 1 + strlen(path) / 2);
    }
    free(text);
    return 0;
}
