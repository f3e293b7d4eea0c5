#include "secrets.h"

#include "api/authorize.h"
#include "api/routes.h"
#include "base/fail.h"
#include "http/tls.h"

static enum eng_status open_keys(struct srv_app *app, const char *setting, const char *path,
                                 enum srv_keys_form form, struct srv_keyring **out,
                                 struct eng_error *err)
{
    enum eng_status status = srv_keyring_create(setting, path, form, out, err);
    if (status == ENG_OK && path[0])
        srv_watched_add(app->watched, setting, path, NULL, srv_keyring_load, *out);
    return status;
}

static enum eng_status open_tls(struct srv_app *app, enum srv_listener listener,
                                const char *setting, const char *certificate, const char *key,
                                struct srv_tls **out, struct eng_error *err)
{
    if (!certificate[0]) return ENG_OK;
    const char *const labels[] = {srv_listener_name(listener)};
    struct srv_series *expiry = srv_metrics_series(app->metrics, SRV_M_TLS_EXPIRY, labels);
    enum eng_status status = srv_tls_create(setting, certificate, key, expiry, out, err);
    if (status == ENG_OK)
        srv_watched_add(app->watched, setting, certificate, key, srv_tls_load, *out);
    return status;
}

enum eng_status srv_secrets_open(struct srv_app *app, struct srv_secrets *out,
                                 struct eng_error *err)
{
    const struct srv_config *config = app->config;
    app->watched = srv_watched_create(app->log);
    if (!app->watched) return srv_fail_memory(err, "the list of files");
    enum eng_status status = srv_authorize_check(config, err);
    if (status == ENG_OK)
        status = open_keys(app, "admin_token_file", config->admin_token_file, SRV_KEYS_TOKEN,
                           &app->admin_tokens, err);
    if (status == ENG_OK)
        status = open_keys(app, "api_keys_file", config->api_keys_file, SRV_KEYS_LINES,
                           &app->api_keys, err);
    if (status == ENG_OK)
        status = open_tls(app, SRV_PUBLIC, "tls_certificate_file", config->tls_certificate_file,
                          config->tls_key_file, &out->public_tls, err);
    if (status == ENG_OK)
        status = open_tls(app, SRV_ADMIN, "admin_tls_certificate_file",
                          config->admin_tls_certificate_file, config->admin_tls_key_file,
                          &out->admin_tls, err);
    return status;
}

void srv_secrets_close(struct srv_app *app, struct srv_secrets *secrets)
{
    srv_watched_destroy(app->watched);
    srv_keyring_destroy(app->api_keys);
    srv_keyring_destroy(app->admin_tokens);
    srv_tls_destroy(secrets->public_tls);
    srv_tls_destroy(secrets->admin_tls);
}
