#include "base/config.h"

#include "base/address.h"
#include "base/config_table.h"
#include "base/fail.h"
#include "base/names.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct srv_setting srv_settings[] = {
#define ROW(key, kind, change, def, number, min, max, unit, help) \
    {#key,                                                        \
     SRV_SETTING_##kind,                                          \
     SRV_CHANGE_##change,                                         \
     offsetof(struct srv_config, key),                            \
     def,                                                         \
     number,                                                      \
     min,                                                         \
     max,                                                         \
     unit,                                                        \
     help},
#define INT(key, change, def, min, max, unit, help) \
    ROW(key, INT, change, NULL, def, min, max, unit, help)
#define TEXT(key, change, def, unit, help) ROW(key, TEXT, change, def, 0, 0, 0, unit, help)
#define CHOICE(key, change, def, choices, help) \
    ROW(key, CHOICE, change, def, 0, 0, 0, choices, help)
#include "base/settings.def"
#undef INT
#undef TEXT
#undef CHOICE
#undef ROW
};
const size_t srv_n_settings = sizeof srv_settings / sizeof srv_settings[0];

int64_t *srv_setting_number(struct srv_config *config, const struct srv_setting *setting)
{
    return (int64_t *)(void *)((char *)config + setting->offset);
}

char **srv_setting_text(struct srv_config *config, const struct srv_setting *setting)
{
    return (char **)(void *)((char *)config + setting->offset);
}

enum eng_status srv_config_init(struct srv_config *config, struct eng_error *err)
{
    *config = (struct srv_config){0};
    for (size_t i = 0; i < srv_n_settings; i++) {
        const struct srv_setting *setting = &srv_settings[i];
        if (setting->kind == SRV_SETTING_INT) {
            *srv_setting_number(config, setting) = setting->default_number;
            continue;
        }
        char *copy = strdup(setting->default_text);
        if (!copy) {
            srv_config_fini(config);
            return srv_fail_memory(err, "the settings");
        }
        *srv_setting_text(config, setting) = copy;
    }
    return ENG_OK;
}

void srv_config_fini(struct srv_config *config)
{
    for (size_t i = 0; i < srv_n_settings; i++)
        if (srv_settings[i].kind != SRV_SETTING_INT)
            free(*srv_setting_text(config, &srv_settings[i]));
    *config = (struct srv_config){0};
}

enum eng_status srv_config_copy(const struct srv_config *from, struct srv_config *to,
                                struct eng_error *err)
{
    struct srv_config copy = *from;
    bool failed = false;
    for (size_t i = 0; i < srv_n_settings; i++) {
        if (srv_settings[i].kind == SRV_SETTING_INT) continue;
        char **text = srv_setting_text(&copy, &srv_settings[i]);
        *text = strdup(*text);
        failed |= !*text;
    }
    if (failed) {
        srv_config_fini(&copy);
        return srv_fail_memory(err, "the settings");
    }
    *to = copy;
    return ENG_OK;
}

static const char *nearest_key(const char *key)
{
    const char *nearest = srv_settings[0].key;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < srv_n_settings; i++) {
        size_t distance = srv_text_distance(key, srv_settings[i].key);
        if (distance < best) {
            best = distance;
            nearest = srv_settings[i].key;
        }
    }
    return nearest;
}

enum eng_status srv_setting_find(const char *key, const char *where, const struct srv_setting **out,
                                 struct eng_error *err)
{
    for (size_t i = 0; i < srv_n_settings; i++) {
        if (strcmp(srv_settings[i].key, key) != 0) continue;
        *out = &srv_settings[i];
        return ENG_OK;
    }
    return srv_fail(err, ENG_ARGUMENT, "%s: there is no setting \"%.80s\"; the nearest is \"%s\"",
                    where, key, nearest_key(key));
}

enum eng_status srv_setting_set_number(struct srv_config *config, const struct srv_setting *setting,
                                       int64_t value, const char *where, struct eng_error *err)
{
    if (setting->kind != SRV_SETTING_INT)
        return srv_fail(err, ENG_ARGUMENT, "%s: %s is the number %" PRId64 "; wanted text", where,
                        setting->key, value);
    if (value < setting->min || value > setting->max)
        return srv_fail(err, ENG_ARGUMENT,
                        "%s: %s is %" PRId64 "; wanted %" PRId64 " to %" PRId64 " %s", where,
                        setting->key, value, setting->min, setting->max, setting->unit);
    *srv_setting_number(config, setting) = value;
    return ENG_OK;
}

/* choices: "a|b|c". */
static bool is_choice(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (const char *p = choices; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (strcspn(p, "|") == n && strncmp(p, value, n) == 0) return true;
    }
    return false;
}

enum eng_status srv_setting_set_text(struct srv_config *config, const struct srv_setting *setting,
                                     const char *value, const char *where, struct eng_error *err)
{
    if (setting->kind == SRV_SETTING_INT)
        return srv_fail(err, ENG_ARGUMENT, "%s: %s is \"%.80s\"; wanted a whole number of %s",
                        where, setting->key, value, setting->unit);
    if (setting->kind == SRV_SETTING_CHOICE && !is_choice(setting->unit, value))
        return srv_fail(err, ENG_ARGUMENT, "%s: %s is \"%.80s\"; wanted one of %s", where,
                        setting->key, value, setting->unit);
    char *copy = strdup(value);
    if (!copy) return srv_fail_memory(err, setting->key);
    free(*srv_setting_text(config, setting));
    *srv_setting_text(config, setting) = copy;
    return ENG_OK;
}

enum eng_status srv_config_set(struct srv_config *config, const char *key, const char *value,
                               const char *where, struct eng_error *err)
{
    const struct srv_setting *setting = NULL;
    enum eng_status status = srv_setting_find(key, where, &setting, err);
    if (status != ENG_OK) return status;
    if (setting->kind == SRV_SETTING_INT) {
        char *end;
        errno = 0;
        long long number = strtoll(value, &end, 10);
        bool is_number = end != value && *end == '\0' && !isspace((unsigned char)value[0]);
        if (is_number && errno == 0)
            return srv_setting_set_number(config, setting, number, where, err);
    }
    return srv_setting_set_text(config, setting, value, where, err);
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What the kubelet sets in every pod for a Service of our name. */
static bool is_from_kubernetes(const char *variable)
{
    return has_prefix(variable, "CLASSIFYD_SERVICE_") || has_prefix(variable, "CLASSIFYD_PORT=") ||
           has_prefix(variable, "CLASSIFYD_PORT_");
}

enum eng_status srv_config_read_environment(struct srv_config *config, char *const *environment,
                                            struct eng_error *err)
{
    static const char prefix[] = "CLASSIFYD_";
    for (; *environment; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (!equals || !has_prefix(variable, prefix) || is_from_kubernetes(variable)) continue;
        char key[80], where[80];
        size_t n = (size_t)(equals - variable) - strlen(prefix);
        if (n >= sizeof key - strlen(prefix)) n = sizeof key - strlen(prefix) - 1;
        for (size_t i = 0; i < n; i++)
            key[i] = (char)tolower((unsigned char)variable[strlen(prefix) + i]);
        key[n] = '\0';
        snprintf(where, sizeof where, "%.*s", (int)(equals - variable), variable);
        enum eng_status status = srv_config_set(config, key, equals + 1, where, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static enum eng_status check_tls(const char *setting, const char *certificate, const char *key,
                                 struct eng_error *err)
{
    if (!certificate[0] == !key[0]) return ENG_OK;
    return srv_fail(
        err, ENG_ARGUMENT,
        "%stls_certificate_file is \"%s\" and %stls_key_file \"%s\"; wanted both or none", setting,
        certificate, setting, key);
}

static enum eng_status check_listen(const struct srv_config *config, struct eng_error *err)
{
    struct srv_address address;
    enum eng_status status = srv_address_parse(config->listen, &address, err);
    if (status == ENG_OK && address.path[0])
        status =
            srv_fail(err, ENG_ARGUMENT,
                     "listen is %s; wanted HOST:PORT, a Unix socket is for admin", config->listen);
    if (status == ENG_OK)
        status = check_tls("", config->tls_certificate_file, config->tls_key_file, err);
    return status;
}

/* "https://example.org:8443": what a browser says of a page, RFC 6454, 6.2. */
static bool is_origin(const char *text, size_t n_chars)
{
    static const char scheme_end[] = "://";
    char origin[300];
    if (n_chars >= sizeof origin) return false;
    memcpy(origin, text, n_chars);
    origin[n_chars] = '\0';
    const char *host = strstr(origin, scheme_end);
    if (!host || host == origin || strpbrk(origin, "*?#@\\\"'<>")) return false;
    host += strlen(scheme_end);
    return *host && !strchr(host, '/');
}

static enum eng_status check_origins(const char *origins, struct eng_error *err)
{
    const char *rest = origins, *origin;
    size_t n;
    if (strcmp(origins, "*") == 0) return ENG_OK;
    while (srv_names_next(&rest, &origin, &n))
        if (!is_origin(origin, n))
            return srv_fail(err, ENG_ARGUMENT,
                            "cors_allow_origins has \"%.*s\"; wanted SCHEME://HOST or "
                            "SCHEME://HOST:PORT, nothing behind it, or * alone",
                            (int)(n < 200 ? n : 200), origin);
    return ENG_OK;
}

static enum eng_status check_admin(const struct srv_config *config, struct eng_error *err)
{
    struct srv_address address;
    enum eng_status status = srv_address_parse(config->admin, &address, err);
    if (status != ENG_OK) return status;
    if (!srv_address_is_loopback(&address) && config->admin_token_file[0] == '\0')
        return srv_fail(err, ENG_ARGUMENT,
                        "admin is %s, which others can reach; wanted an address of this machine "
                        "only, or admin_token_file, or \"\" for none",
                        config->admin);
    if (address.path[0] && config->admin_tls_certificate_file[0])
        return srv_fail(err, ENG_ARGUMENT,
                        "admin is %s and admin_tls_certificate_file is set; wanted a Unix socket "
                        "without TLS: what goes over it stays on this machine",
                        config->admin);
    return check_tls("admin_", config->admin_tls_certificate_file, config->admin_tls_key_file, err);
}

enum eng_status srv_config_check(const struct srv_config *config, struct eng_error *err)
{
    if (config->max_body_bytes > config->max_bodies_bytes)
        return srv_fail(err, ENG_ARGUMENT,
                        "max_body_bytes is %" PRId64 "; wanted at most max_bodies_bytes, which is "
                        "%" PRId64,
                        config->max_body_bytes, config->max_bodies_bytes);
    enum eng_status status = check_listen(config, err);
    if (status == ENG_OK) status = check_origins(config->cors_allow_origins, err);
    if (status == ENG_OK && config->admin[0]) status = check_admin(config, err);
    return status;
}
