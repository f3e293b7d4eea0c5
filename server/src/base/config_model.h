/*
 * What the daemon reads of models/NAME/config.json: which versions serve, and under which labels.
 * The engine reads the other keys, and refuses those that nobody knows.
 *
 *   {"version_labels": {"stable": 2, "canary": 3},
 *    "version_policy": {"latest": {"n_versions": 2}} | {"all": {}} | {"specific": {"versions":
 * [1]}}}
 */
#ifndef SRV_BASE_CONFIG_MODEL_H
#define SRV_BASE_CONFIG_MODEL_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SRV_MODEL_CHARS = 63,
    SRV_LABEL_CHARS = 63,
    SRV_VERSION_CHARS = 18,      /* digits: fits int64_t */
    SRV_MAX_VERSION_LABELS = 64, /* of one model */
    SRV_MAX_LISTED_VERSIONS = 256
};

/* DEFAULT: nothing was said, the daemon's setting latest_versions holds. */
enum srv_version_policy_kind {
    SRV_VERSIONS_DEFAULT,
    SRV_VERSIONS_LATEST,
    SRV_VERSIONS_ALL,
    SRV_VERSIONS_SPECIFIC
};

struct srv_version_policy {
    enum srv_version_policy_kind kind;
    size_t n_latest;                            /* LATEST */
    uint64_t versions[SRV_MAX_LISTED_VERSIONS]; /* SPECIFIC: [n_versions] */
    size_t n_versions;
};

struct srv_version_label {
    char name[SRV_LABEL_CHARS + 1];
    uint64_t version;
};

struct srv_model_config {
    struct srv_version_policy policy;
    struct srv_version_label labels[SRV_MAX_VERSION_LABELS]; /* [n_labels] */
    size_t n_labels;
};

/* Purpose: the number of a version, a positive integer without leading zeros; 0 if it is none. */
uint64_t srv_version_number(const char *text);

/* Purpose: whether a model may be called so: 1 to 63 of A-Z a-z 0-9 _ . -, not beginning with a
 * dot.
 */
bool srv_model_is_name(const char *name);

/* Purpose: whether a label may be called so: 1 to 63 of A-Z a-z 0-9 _ . -, and not a number. */
bool srv_label_is_name(const char *name);

/*
 * Purpose: the two keys of a config.json's text; where begins the error. A key that is not there
 * leaves its default: no labels, SRV_VERSIONS_DEFAULT.
 * Errors: FORMAT naming the key, the value found and the value wanted; LIMIT.
 */
enum eng_status srv_model_config_parse(const char *text, size_t n_bytes, const char *where,
                                       struct srv_model_config *out, struct eng_error *err);

/* Purpose: the same from a file; one that does not exist says nothing. Errors: also IO. */
enum eng_status srv_model_config_read(const char *path, struct srv_model_config *out,
                                      struct eng_error *err);

#endif
