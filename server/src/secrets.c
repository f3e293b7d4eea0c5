#include "secrets.h"

#include "api/authorize.h"
#include "api/config_hold.h"
#include "api/routes.h"
#include "base/fail.h"
#include "http/tls.h"

static enum eng_status add_keys(struct srv_app *app, const char *setting, enum srv_keys_form form,
                                struct srv_keyring **out, struct eng_error *err)
{
    *out = srv_keyring_create(setting, form);
    if (!*out) return srv_fail_memory(err, setting);
    srv_watched_add(app->watched, setting, &srv_keyring_file, *out);
    return ENG_OK;
}

static enum eng_status add_tls(struct srv_app *app, enum srv_listener listener, const char *setting,
                               const char *certificate, struct srv_tls **out, struct eng_error *err)
{
    if (!certificate[0]) return ENG_OK;
    const char *const labels[] = {srv_listener_name(listener)};
    *out = srv_tls_create(setting, srv_metrics_series(app->metrics, SRV_M_TLS_EXPIRY, labels));
    if (!*out) return srv_fail_memory(err, setting);
    srv_watched_add(app->watched, setting, &srv_tls_files, *out);
    return ENG_OK;
}

static enum eng_status add_all(struct srv_app *app, struct srv_secrets *out, struct eng_error *err)
{
    const struct srv_config *config = app->config;
    enum eng_status status =
        add_keys(app, "admin_token_file", SRV_KEYS_TOKEN, &app->admin_tokens, err);
    if (status == ENG_OK)
        status = add_keys(app, "api_keys_file", SRV_KEYS_LINES, &app->api_keys, err);
    if (status == ENG_OK)
        status = add_tls(app, SRV_PUBLIC, "tls_certificate_file", config->tls_certificate_file,
                         &out->public_tls, err);
    if (status == ENG_OK)
        status = add_tls(app, SRV_ADMIN, "admin_tls_certificate_file",
                         config->admin_tls_certificate_file, &out->admin_tls, err);
    return status;
}

enum eng_status srv_secrets_open(struct srv_app *app, struct srv_secrets *out,
                                 struct eng_error *err)
{
    app->watched = srv_watched_create(app->log);
    if (!app->watched) return srv_fail_memory(err, "the list of files");
    enum eng_status status = srv_authorize_check(app->config, err);
    if (status == ENG_OK) status = add_all(app, out, err);
    if (status == ENG_OK) status = srv_config_prepare_files(app->watched, app->config, err);
    if (status == ENG_OK) srv_watched_take(app->watched);
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
