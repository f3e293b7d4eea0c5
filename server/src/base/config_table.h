/* The rows of settings.def as data. For config*.c. */
#ifndef SRV_BASE_CONFIG_TABLE_H
#define SRV_BASE_CONFIG_TABLE_H

#include "base/config.h"
#include "base/text.h"

enum srv_setting_kind { SRV_SETTING_INT, SRV_SETTING_TEXT, SRV_SETTING_CHOICE };

/* When a value that the config file says anew holds: see settings.def. */
enum srv_setting_change {
    SRV_CHANGE_LIVE,
    SRV_CHANGE_LOAD,
    SRV_CHANGE_RESTART,
    SRV_CHANGE_LIVE_WHILE_ON,
};

struct srv_setting {
    const char *key;
    enum srv_setting_kind kind;
    enum srv_setting_change change;
    size_t offset; /* of the member in struct srv_config */
    const char *default_text;
    int64_t default_number, min, max;
    const char *unit; /* of a CHOICE: "a|b" */
    const char *help;
};

extern const struct srv_setting srv_settings[];
extern const size_t srv_n_settings;

/* Errors: ARGUMENT naming the nearest key. */
enum eng_status srv_setting_find(const char *key, const char *where, const struct srv_setting **out,
                                 struct eng_error *err);
int64_t *srv_setting_number(struct srv_config *config, const struct srv_setting *setting);
char **srv_setting_text(struct srv_config *config, const struct srv_setting *setting);

/* Purpose: the value as JSON. */
void srv_setting_print(const struct srv_config *config, const struct srv_setting *setting,
                       struct srv_text *out);

/* Purpose: "live", "load", "restart"; of LIVE_WHILE_ON a sentence for docs. */
const char *srv_setting_change_name(enum srv_setting_change change);

/* Purpose: sets it from a number, or from text. Errors: ARGUMENT naming key, value and what is
 * wanted: it is of the other kind, out of range, or none of the choices; NO_MEMORY. */
enum eng_status srv_setting_set_number(struct srv_config *config, const struct srv_setting *setting,
                                       int64_t value, const char *where, struct eng_error *err);
enum eng_status srv_setting_set_text(struct srv_config *config, const struct srv_setting *setting,
                                     const char *value, const char *where, struct eng_error *err);

#endif
