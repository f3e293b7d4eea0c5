#include "api/config_hold.h"

#include "api/authorize.h"

#include <string.h>

static void fill_served(const struct srv_config *config, struct srv_served_options *out)
{
    bool wants_bf16 = strcmp(config->precision, "bf16") == 0;
    bool measures = strcmp(config->tuning, "measure") == 0;
    out->max_queue = (size_t)config->max_queue;
    out->max_batch = (int)config->max_batch;
    out->max_delay_us = config->max_delay_us;
    out->precision = wants_bf16 ? ENG_PRECISION_BF16 : ENG_PRECISION_FLOAT32;
    out->tuning = measures ? ENG_TUNING_MEASURE : ENG_TUNING_OFF;
    out->inline_below_us = config->inline_below_us;
    out->limits = eng_image_limits_default();
    out->limits.n_bytes = (size_t)config->max_body_bytes;
    out->limits.n_pixels = (uint64_t)config->max_image_pixels;
}

void srv_config_loader(const struct srv_config *config, struct srv_loader_options *out)
{
    out->models_dir = config->models;
    out->latest_versions = (size_t)config->latest_versions;
    fill_served(config, &out->served);
}

enum eng_status srv_config_prepare_files(struct srv_watched *watched,
                                         const struct srv_config *config, struct eng_error *err)
{
    const struct {
        const char *setting, *first, *second;
    } files[] = {
        {"admin_token_file", config->admin_token_file, ""},
        {"api_keys_file", config->api_keys_file, ""},
        {"tls_certificate_file", config->tls_certificate_file, config->tls_key_file},
        {"admin_tls_certificate_file", config->admin_tls_certificate_file,
         config->admin_tls_key_file},
    };
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && status == ENG_OK; i++)
        status =
            srv_watched_prepare(watched, files[i].setting, files[i].first, files[i].second, err);
    return status;
}

enum eng_status srv_config_may_hold(void *ctx, const struct srv_config *config,
                                    struct eng_error *err)
{
    const struct srv_app *app = ctx;
    enum eng_status status = srv_authorize_check(config, err);
    if (status == ENG_OK && strcmp(config->models, app->config->models) != 0)
        status = srv_loader_check(config->models, err);
    if (status == ENG_OK) status = srv_memory_check(app->memory, config, err);
    return status == ENG_OK ? srv_config_prepare_files(app->watched, config, err) : status;
}

void srv_config_hold(void *ctx, const struct srv_config *before, const struct srv_config *after)
{
    struct srv_app *app = ctx;
    struct srv_loader_options loader = {0};
    enum srv_log_level level;
    app->config = after;
    srv_watched_take(app->watched); /* what srv_config_may_hold has read */
    srv_log_set_json(app->log, strcmp(after->log_format, "json") == 0);
    /* What a call has changed since then stays, unless the setting says something new. */
    if (strcmp(before->log_level, after->log_level) != 0 &&
        srv_log_level_parse(after->log_level, &level))
        srv_log_set_level(app->log, level);
    if (strcmp(before->default_model, after->default_model) != 0 &&
        srv_registry_say_default(app->registry, after->default_model) != SRV_OK)
        srv_log_write(app->log, SRV_LOG_ERROR, "default_model not taken: out of memory", NULL, 0);
    srv_memory_apply(app->memory, after);
    srv_config_loader(after, &loader);
    srv_loader_configure(app->loader, &loader);
    srv_explainer_set_limits(app->explainer, (size_t)after->explain_concurrency,
                             after->explain_max_ms * 1000);
}
