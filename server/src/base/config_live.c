#include "base/config_live.h"

#include "base/config_table.h"
#include "base/fail.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct srv_config_live {
    const struct srv_options *options;
    struct srv_log *log;
    srv_config_checker *check;
    srv_config_apply *apply;
    void *ctx;
    pthread_mutex_t lock; /* guards all below */
    const struct srv_config *running;
    struct srv_config **kept; /* [n_kept], all that ran but the first */
    size_t n_kept;
};

enum eng_status srv_config_live_create(const struct srv_options *options, struct srv_log *log,
                                       srv_config_checker *check, srv_config_apply *apply,
                                       void *ctx, struct srv_config_live **out,
                                       struct eng_error *err)
{
    struct srv_config_live *live = calloc(1, sizeof *live);
    if (!live) return srv_fail_memory(err, "the settings");
    live->options = options;
    live->log = log;
    live->check = check;
    live->apply = apply;
    live->ctx = ctx;
    live->running = &options->config;
    pthread_mutex_init(&live->lock, NULL);
    *out = live;
    return ENG_OK;
}

void srv_config_live_destroy(struct srv_config_live *live)
{
    if (!live) return;
    for (size_t i = 0; i < live->n_kept; i++) {
        srv_config_fini(live->kept[i]);
        free(live->kept[i]);
    }
    free(live->kept);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

/* --- two configs --- */

static const void *member(const struct srv_config *config, const struct srv_setting *setting)
{
    return (const char *)config + setting->offset;
}

static bool is_same(const struct srv_config *a, const struct srv_config *b,
                    const struct srv_setting *setting)
{
    if (setting->kind == SRV_SETTING_INT)
        return *(const int64_t *)member(a, setting) == *(const int64_t *)member(b, setting);
    return strcmp(*(char *const *)member(a, setting), *(char *const *)member(b, setting)) == 0;
}

static bool are_same(const struct srv_config *a, const struct srv_config *b)
{
    for (size_t i = 0; i < srv_n_settings; i++)
        if (!is_same(a, b, &srv_settings[i])) return false;
    return true;
}

/* When the value of b in place of a's holds: LIVE, LOAD or RESTART. */
static enum srv_setting_change change_of(const struct srv_config *a, const struct srv_config *b,
                                         const struct srv_setting *setting)
{
    if (setting->change != SRV_CHANGE_LIVE_WHILE_ON) return setting->change;
    bool was_on = (*(char *const *)member(a, setting))[0] != '\0';
    bool is_on = (*(char *const *)member(b, setting))[0] != '\0';
    return was_on == is_on ? SRV_CHANGE_LIVE : SRV_CHANGE_RESTART;
}

/* What needs a restart stays as it runs. */
static enum eng_status keep_what_cannot_change(struct srv_config *next,
                                               const struct srv_config *running,
                                               struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < srv_n_settings && status == ENG_OK; i++) {
        const struct srv_setting *setting = &srv_settings[i];
        if (is_same(next, running, setting) ||
            change_of(running, next, setting) != SRV_CHANGE_RESTART)
            continue;
        if (setting->kind == SRV_SETTING_INT)
            *srv_setting_number(next, setting) = *(const int64_t *)member(running, setting);
        else
            status = srv_setting_set_text(next, setting, *(char *const *)member(running, setting),
                                          "settings", err);
    }
    return status;
}

/* --- what is different --- */

static void log_change(const struct srv_config_live *live, const struct srv_setting *setting,
                       const struct srv_config *wanted)
{
    struct srv_text from = {0}, to = {0};
    srv_setting_print(live->running, setting, &from);
    srv_setting_print(wanted, setting, &to);
    const struct srv_log_field fields[] = {
        {.key = "setting", .text = setting->key},
        {.key = "from", .text = from.failed ? "" : from.bytes},
        {.key = "to", .text = to.failed ? "" : to.bytes},
        {.key = "holds",
         .text = srv_setting_change_name(change_of(live->running, wanted, setting))}};
    srv_log_write(live->log, SRV_LOG_INFO, "setting changed", fields, 4);
    srv_text_fini(&from);
    srv_text_fini(&to);
}

static void write_change(const struct srv_config_live *live, const struct srv_setting *setting,
                         const struct srv_config *wanted, struct srv_text *out)
{
    srv_text_printf(out, "{\"setting\":\"%s\",\"from\":", setting->key);
    srv_setting_print(live->running, setting, out);
    srv_text_puts(out, ",\"to\":");
    srv_setting_print(wanted, setting, out);
    srv_text_printf(out, ",\"holds\":\"%s\"}",
                    srv_setting_change_name(change_of(live->running, wanted, setting)));
}

static void report(const struct srv_config_live *live, const struct srv_config *wanted,
                   struct srv_text *changes)
{
    const char *separator = "";
    for (size_t i = 0; i < srv_n_settings; i++) {
        const struct srv_setting *setting = &srv_settings[i];
        if (is_same(live->running, wanted, setting)) continue;
        log_change(live, setting, wanted);
        if (!changes) continue;
        srv_text_puts(changes, separator);
        write_change(live, setting, wanted, changes);
        separator = ",";
    }
}

/* --- the reload --- */

static enum eng_status check(const struct srv_config_live *live, const struct srv_config *config,
                             struct eng_error *err)
{
    enum eng_status status = srv_config_check(config, err);
    return status == ENG_OK && live->check ? live->check(live->ctx, config, err) : status;
}

/* One that ran before, or NULL. */
static const struct srv_config *find_kept(const struct srv_config_live *live,
                                          const struct srv_config *config)
{
    if (are_same(config, &live->options->config)) return &live->options->config;
    for (size_t i = 0; i < live->n_kept; i++)
        if (are_same(config, live->kept[i])) return live->kept[i];
    return NULL;
}

/* A copy that lives until the end; takes what config owns on success. */
static enum eng_status keep(struct srv_config_live *live, struct srv_config *config,
                            const struct srv_config **out, struct eng_error *err)
{
    struct srv_config *copy = malloc(sizeof *copy);
    struct srv_config **kept = realloc(live->kept, (live->n_kept + 1) * sizeof *kept);
    if (kept) live->kept = kept;
    if (!copy || !kept) {
        free(copy);
        return srv_fail_memory(err, "the settings");
    }
    *copy = *config;
    *config = (struct srv_config){0};
    live->kept[live->n_kept++] = copy;
    *out = copy;
    return ENG_OK;
}

/* Lock held. wanted: what was read; next: what of it can hold. Both are the caller's to end. */
static enum eng_status take(struct srv_config_live *live, const struct srv_config *wanted,
                            struct srv_config *next, struct srv_text *changes,
                            struct eng_error *err)
{
    enum eng_status status = check(live, wanted, err);
    if (status == ENG_OK) status = keep_what_cannot_change(next, live->running, err);
    if (status == ENG_OK) status = check(live, next, err);
    if (status != ENG_OK) return status;
    const struct srv_config *before = live->running, *after = find_kept(live, next);
    if (!after) status = keep(live, next, &after, err);
    if (status != ENG_OK) return status;
    report(live, wanted, changes);
    live->running = after;
    if (after != before) live->apply(live->ctx, before, after);
    return ENG_OK;
}

enum eng_status srv_config_live_reload(struct srv_config_live *live, struct srv_text *changes,
                                       struct eng_error *err)
{
    const struct srv_options *from = live->options;
    struct srv_options wanted;
    struct srv_config next;
    enum eng_status status =
        srv_options_parse(from->argc, from->argv, from->environment, &wanted, err);
    if (status != ENG_OK) return status;
    status = srv_config_copy(&wanted.config, &next, err);
    if (status == ENG_OK) {
        pthread_mutex_lock(&live->lock);
        status = take(live, &wanted.config, &next, changes, err);
        pthread_mutex_unlock(&live->lock);
        srv_config_fini(&next);
    }
    srv_options_fini(&wanted);
    return status;
}
