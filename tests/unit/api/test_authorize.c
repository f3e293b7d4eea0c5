#include "api/app.h"
#include "api/authorize.h"
#include "api/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *authorization, *api_key;

static const char *header(const struct srv_request *request, const char *name)
{
    (void)request;
    return strcmp(name, "X-API-Key") == 0 ? api_key : authorization;
}

/* A keyring of one plain token; asks nobody if it is "". */
static struct srv_keyring *make_keyring(const char *token)
{
    char path[] = "/tmp/classifyd_token_XXXXXX";
    void *keys = NULL;
    struct srv_keyring *keyring = srv_keyring_create("x", SRV_KEYS_TOKEN);
    assert_non_null(keyring);
    if (!token[0]) return keyring;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, token, strlen(token)), strlen(token));
    close(fd);
    assert_int_equal(srv_keyring_file.prepare(keyring, path, "", &keys, NULL), ENG_OK);
    srv_keyring_file.take(keyring, keys);
    unlink(path);
    return keyring;
}

static void ask(struct srv_app *app, enum srv_listener listener, const char *label,
                enum srv_code wanted)
{
    const struct srv_route route = {.listener = listener, .label = label};
    struct srv_request request = {.app = app, .route = &route, .header = header};
    assert_int_equal(srv_request_authorize(&request), wanted == SRV_OK);
    assert_int_equal(request.reply.code, wanted);
    srv_text_fini(&request.reply.body);
}

static void secrets_are_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *authorization, *api_key;
        enum srv_code code;
    } rows[] = {
        {NULL, NULL, SRV_UNAUTHORIZED},
        {"Basic secret", NULL, SRV_UNAUTHORIZED},
        {"Bearer", NULL, SRV_UNAUTHORIZED},
        {"Bearer ", NULL, SRV_FORBIDDEN},
        {"Bearer secre", NULL, SRV_FORBIDDEN},
        {"Bearer secret2", NULL, SRV_FORBIDDEN},
        {"Bearer Secret", NULL, SRV_FORBIDDEN},
        {"Bearer secret", NULL, SRV_OK},
        {"bearer  secret", NULL, SRV_OK},
        {NULL, "secret", SRV_OK},
        {NULL, "", SRV_FORBIDDEN},
        {"Basic secret", "secret", SRV_OK},
        {"Bearer secret", "other", SRV_FORBIDDEN},
    };
    struct srv_config config = {.api_keys_exempt = ""};
    struct srv_app app = {.config = &config, .admin_tokens = make_keyring("secret")};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        authorization = rows[i].authorization;
        api_key = rows[i].api_key;
        ask(&app, SRV_ADMIN, "models", rows[i].code);
        ask(&app, SRV_PUBLIC, "models", SRV_OK); /* has no keys */
        struct srv_app other = {.config = &config, .api_keys = app.admin_tokens};
        ask(&other, SRV_PUBLIC, "models", rows[i].code);
        ask(&other, SRV_ADMIN, "models", SRV_OK);
    }
    srv_keyring_destroy(app.admin_tokens);
}

static void some_routes_are_exempt(void **state)
{
    (void)state;
    struct srv_config config = {.api_keys_exempt = " metrics,,healthz "};
    struct srv_app app = {.config = &config, .api_keys = make_keyring("k")};
    authorization = api_key = NULL;
    ask(&app, SRV_PUBLIC, "metrics", SRV_OK);
    ask(&app, SRV_PUBLIC, "healthz", SRV_OK);
    ask(&app, SRV_PUBLIC, "health", SRV_UNAUTHORIZED);
    ask(&app, SRV_PUBLIC, "readyz", SRV_UNAUTHORIZED);
    app.admin_tokens = app.api_keys;
    ask(&app, SRV_ADMIN, "readyz", SRV_OK);
    ask(&app, SRV_ADMIN, "metrics", SRV_UNAUTHORIZED);
    srv_keyring_destroy(app.api_keys);
}

static void exempt_routes_exist(void **state)
{
    (void)state;
    static const char *const good[] = {"", "healthz", " healthz , classify", ","};
    struct srv_config config = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        config.api_keys_exempt = (char *)(uintptr_t)good[i];
        assert_int_equal(srv_authorize_check(&config, NULL), ENG_OK);
    }
    struct eng_error err = {0};
    char bad[] = "healthz,clasify";
    config.api_keys_exempt = bad;
    assert_int_equal(srv_authorize_check(&config, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "\"clasify\"; the nearest is \"classify\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_asked_for),
        cmocka_unit_test(some_routes_are_exempt),
        cmocka_unit_test(exempt_routes_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
