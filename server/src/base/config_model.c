#include "base/config_model.h"

#include "base/fail.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 8 << 20 }; /* as the engine's: labels of classes stand there too */

uint64_t srv_version_number(const char *text)
{
    size_t n = strlen(text);
    bool is_number = n > 0 && n <= SRV_VERSION_CHARS && text[0] != '0';
    return is_number && strspn(text, "0123456789") == n ? strtoull(text, NULL, 10) : 0;
}

static bool is_word(const char *name, size_t max_chars)
{
    const char *allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t n = strlen(name);
    return n > 0 && n <= max_chars && strspn(name, allowed) == n;
}

bool srv_model_is_name(const char *name)
{
    return is_word(name, SRV_MODEL_CHARS) && name[0] != '.';
}

bool srv_label_is_name(const char *name)
{
    return is_word(name, SRV_LABEL_CHARS) && name[strspn(name, "0123456789")] != '\0';
}

/* A value as text, short enough for a sentence. */
static enum eng_status fail_value(const char *where, const char *key, const json_t *value,
                                  const char *wanted, struct eng_error *err)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    srv_fail(err, ENG_FORMAT, "%.200s: %.80s is %.60s; wanted %s", where, key,
             text ? text : "a value", wanted);
    free(text);
    return ENG_FORMAT;
}

/* 3 or "3"; 0 if it is no version. */
static uint64_t version_of(const json_t *value)
{
    char text[24];
    if (json_is_string(value)) return srv_version_number(json_string_value(value));
    if (!json_is_integer(value)) return 0;
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    return srv_version_number(text);
}

static enum eng_status read_labels(const json_t *object, const char *where,
                                   struct srv_model_config *config, struct eng_error *err)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return fail_value(where, "version_labels", object, "an object, {\"stable\": 2}", err);
    if (json_object_size(object) > SRV_MAX_VERSION_LABELS)
        return srv_fail(err, ENG_LIMIT, "%.200s: version_labels has %zu labels; wanted at most %d",
                        where, json_object_size(object), SRV_MAX_VERSION_LABELS);
    json_object_foreach((json_t *)object, name, value)
    {
        struct srv_version_label *label = &config->labels[config->n_labels++];
        if (!srv_label_is_name(name))
            return srv_fail(err, ENG_FORMAT,
                            "%.200s: version_labels has the label \"%.80s\"; wanted 1 to %d of "
                            "A-Z a-z 0-9 _ . -, and not a number",
                            where, name, SRV_LABEL_CHARS);
        snprintf(label->name, sizeof label->name, "%s", name);
        label->version = version_of(value);
        if (label->version == 0)
            return fail_value(where, name, value, "a version, a whole number from 1", err);
    }
    return ENG_OK;
}

static enum eng_status read_latest(const json_t *value, const char *where,
                                   struct srv_version_policy *policy, struct eng_error *err)
{
    const json_t *n = json_object_get(value, "n_versions");
    if (!json_is_integer(n) || json_integer_value(n) < 1 || json_object_size(value) != 1)
        return fail_value(where, "version_policy.latest", value, "{\"n_versions\": 1} or more",
                          err);
    policy->kind = SRV_VERSIONS_LATEST;
    policy->n_latest = (size_t)json_integer_value(n);
    return ENG_OK;
}

static enum eng_status read_all(const json_t *value, const char *where,
                                struct srv_version_policy *policy, struct eng_error *err)
{
    if (!json_is_object(value) || json_object_size(value) > 0)
        return fail_value(where, "version_policy.all", value, "{}", err);
    policy->kind = SRV_VERSIONS_ALL;
    return ENG_OK;
}

static enum eng_status read_specific(const json_t *value, const char *where,
                                     struct srv_version_policy *policy, struct eng_error *err)
{
    const char *wanted = "{\"versions\": [1, 3]}: 1 to 256 versions";
    const json_t *list = json_object_get(value, "versions");
    size_t n = json_array_size(list);
    if (n < 1 || n > SRV_MAX_LISTED_VERSIONS || json_object_size(value) != 1)
        return fail_value(where, "version_policy.specific", value, wanted, err);
    policy->kind = SRV_VERSIONS_SPECIFIC;
    policy->n_versions = n;
    for (size_t i = 0; i < n; i++) {
        policy->versions[i] = version_of(json_array_get(list, i));
        if (policy->versions[i] == 0)
            return fail_value(where, "version_policy.specific", value, wanted, err);
    }
    return ENG_OK;
}

static enum eng_status read_policy(const json_t *object, const char *where,
                                   struct srv_version_policy *policy, struct eng_error *err)
{
    const json_t *latest = json_object_get(object, "latest");
    const json_t *all = json_object_get(object, "all");
    const json_t *specific = json_object_get(object, "specific");
    if (json_object_size(object) == 1) {
        if (latest) return read_latest(latest, where, policy, err);
        if (all) return read_all(all, where, policy, err);
        if (specific) return read_specific(specific, where, policy, err);
    }
    return fail_value(where, "version_policy", object,
                      "an object of one key: latest, all or specific", err);
}

static enum eng_status read_root(json_t *root, const json_error_t *problem, const char *where,
                                 struct srv_model_config *out, struct eng_error *err)
{
    if (!root)
        return srv_fail(err, ENG_FORMAT, "%.200s: line %d, column %d: %.150s", where, problem->line,
                        problem->column, problem->text);
    struct srv_model_config config = {0};
    enum eng_status status = ENG_OK;
    const json_t *labels = json_object_get(root, "version_labels");
    const json_t *policy = json_object_get(root, "version_policy");
    if (!json_is_object(root))
        status = srv_fail(err, ENG_FORMAT, "%.200s: not a JSON object", where);
    if (status == ENG_OK && labels) status = read_labels(labels, where, &config, err);
    if (status == ENG_OK && policy) status = read_policy(policy, where, &config.policy, err);
    if (status == ENG_OK) *out = config;
    json_decref(root);
    return status;
}

enum eng_status srv_model_config_parse(const char *text, size_t n_bytes, const char *where,
                                       struct srv_model_config *out, struct eng_error *err)
{
    json_error_t problem;
    if (n_bytes > MAX_FILE_BYTES)
        return srv_fail(err, ENG_LIMIT, "%.200s: %zu bytes; wanted at most %d", where, n_bytes,
                        MAX_FILE_BYTES);
    json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &problem);
    return read_root(root, &problem, where, out, err);
}

/* A file that is read up to its limit and no further. */
struct bounded {
    FILE *file;
    size_t n_left;
};

static size_t read_bounded(void *buffer, size_t n, void *ctx)
{
    struct bounded *bounded = ctx;
    size_t n_read = fread(buffer, 1, n < bounded->n_left ? n : bounded->n_left, bounded->file);
    bounded->n_left -= n_read;
    return ferror(bounded->file) ? (size_t)-1 : n_read;
}

enum eng_status srv_model_config_read(const char *path, struct srv_model_config *out,
                                      struct eng_error *err)
{
    struct bounded bounded = {.file = fopen(path, "re"), .n_left = MAX_FILE_BYTES};
    if (!bounded.file && (errno == ENOENT || errno == ENOTDIR)) {
        *out = (struct srv_model_config){0};
        return ENG_OK;
    }
    if (!bounded.file) return srv_fail(err, ENG_IO, "%.300s: %s", path, strerror(errno));
    json_error_t problem;
    json_t *root = json_load_callback(read_bounded, &bounded, JSON_REJECT_DUPLICATES, &problem);
    fclose(bounded.file);
    return read_root(root, &problem, path, out, err);
}
