/* Who may ask: API keys on the public listener, tokens on the admin listener. */
#include "api/app.h"
#include "api/authorize.h"
#include "api/routes.h"
#include "base/fail.h"
#include "base/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* NULL: the request shows none. */
static const char *shown_secret(const struct srv_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *key = request->header(request, "X-API-Key");
    if (key) return key;
    const char *given = request->header(request, "Authorization");
    if (!given || strncasecmp(given, scheme, strlen(scheme)) != 0) return NULL;
    given += strlen(scheme);
    return given + strspn(given, " ");
}

/* Probes have no token; they are told which models do not serve, no more. */
static const char admin_exempt[] = "healthz,readyz";

bool srv_request_authorize(struct srv_request *request)
{
    const struct srv_app *app = request->app;
    bool is_public = request->route->listener == SRV_PUBLIC;
    struct srv_keyring *keyring = is_public ? app->api_keys : app->admin_tokens;
    if (!srv_keyring_asks(keyring)) return true;
    if (srv_names_have(is_public ? app->config->api_keys_exempt : admin_exempt,
                       request->route->label))
        return true;
    const char *secret = shown_secret(request);
    if (!secret) {
        srv_reply_error(request, SRV_UNAUTHORIZED,
                        "the %s listener wants the header Authorization: Bearer <%s>, or "
                        "X-API-Key: <%s>",
                        srv_listener_name(request->route->listener), is_public ? "key" : "token",
                        is_public ? "key" : "token");
        return false;
    }
    if (srv_keyring_match(keyring, secret, request->client_key)) return true;
    srv_reply_error(request, SRV_FORBIDDEN, "the %s is not one that %s holds",
                    is_public ? "API key" : "bearer token",
                    is_public ? "api_keys_file" : "admin_token_file");
    return false;
}

/* The label nearest to a name; *is_same: it is that one. */
static const char *nearest_label(const char *name, bool *is_same)
{
    const char *nearest = "";
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < srv_route_count(); i++) {
        size_t distance = srv_text_distance(name, srv_route_at(i)->label);
        if (distance >= best) continue;
        best = distance;
        nearest = srv_route_at(i)->label;
    }
    *is_same = strcmp(nearest, name) == 0;
    return nearest;
}

enum eng_status srv_authorize_check(const struct srv_config *config, struct eng_error *err)
{
    const char *list = config->api_keys_exempt, *start;
    size_t n;
    while (srv_names_next(&list, &start, &n)) {
        char name[64];
        bool is_same;
        snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name), start);
        const char *nearest = nearest_label(name, &is_same);
        if (!is_same)
            return srv_fail(err, ENG_ARGUMENT,
                            "api_keys_exempt: no route has the label \"%s\"; the nearest is \"%s\"",
                            name, nearest);
    }
    return ENG_OK;
}
