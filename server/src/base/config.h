/*
 * Settings: rows of settings.def. Defaults < file (JSON object) < environment CLASSIFYD_<KEY> <
 * flags. config_json.c is the home of jansson in base/.
 */
#ifndef SRV_BASE_CONFIG_H
#define SRV_BASE_CONFIG_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* One member per row of settings.def, named as the key. Strings are owned by the config. */
struct srv_config {
#define INT(key, change, def, min, max, unit, help) int64_t key;
#define TEXT(key, change, def, unit, help)          char *key;
#define CHOICE(key, change, def, choices, help)     char *key;
#include "base/settings.def"
#undef INT
#undef TEXT
#undef CHOICE
};

/* Purpose: the defaults. End with srv_config_fini. Errors: NO_MEMORY. */
enum eng_status srv_config_init(struct srv_config *config, struct eng_error *err);
void srv_config_fini(struct srv_config *config);

/* Purpose: a config of its own with the same values. Errors: NO_MEMORY; *to is untouched then. */
enum eng_status srv_config_copy(const struct srv_config *from, struct srv_config *to,
                                struct eng_error *err);

/* Purpose: sets one key from text. where ("--set", "file x.json", "CLASSIFYD_LISTEN") begins the
 * error. Errors: ARGUMENT: unknown key (naming the nearest), bad number, out of range (naming it).
 */
enum eng_status srv_config_set(struct srv_config *config, const char *key, const char *value,
                               const char *where, struct eng_error *err);

/* Purpose: what srv_config_read_json does with the text of a file. Errors: also IO, LIMIT. */
enum eng_status srv_config_read_file(struct srv_config *config, const char *path,
                                     struct eng_error *err);
/* Purpose: a JSON object of settings, each of its row's type. Nothing is set unless all is
 * well-formed JSON. Errors: FORMAT naming the line, those of srv_config_set. */
enum eng_status srv_config_read_json(struct srv_config *config, const char *json, size_t n_bytes,
                                     const char *where, struct eng_error *err);

/* Purpose: CLASSIFYD_<KEY>=value for every key; environment ends with NULL. The variables that
 * Kubernetes makes for a Service named "classifyd" (CLASSIFYD_SERVICE_HOST, CLASSIFYD_PORT ...) are
 * no settings and pass. */
enum eng_status srv_config_read_environment(struct srv_config *config, char *const *environment,
                                            struct eng_error *err);

/* Purpose: cross-checks: addresses are addresses, admin beyond loopback needs a token file. */
enum eng_status srv_config_check(const struct srv_config *config, struct eng_error *err);

/* Purpose: the settings as a JSON object that read_file takes back. False: it could not be written.
 */
bool srv_config_print(const struct srv_config *config, FILE *out);
/* Purpose: one line a setting for --help: flag, default, range, unit, help. */
void srv_config_help(FILE *out);
/* Purpose: docs/settings.md. */
void srv_config_document(FILE *out);

#endif
