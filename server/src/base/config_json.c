#include "base/config_table.h"
#include "base/fail.h"
#include "base/small_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20 };

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_REAL:
        return "a fraction";
    case JSON_NULL:
        return "null";
    default:
        return "true or false";
    }
}

static enum eng_status set_value(struct srv_config *config, const char *key, const json_t *value,
                                 const char *where, struct eng_error *err)
{
    const struct srv_setting *setting;
    enum eng_status status = srv_setting_find(key, where, &setting, err);
    if (status != ENG_OK) return status;
    if (json_is_integer(value))
        return srv_setting_set_number(config, setting, json_integer_value(value), where, err);
    if (json_is_string(value))
        return srv_setting_set_text(config, setting, json_string_value(value), where, err);
    return srv_fail(err, ENG_ARGUMENT, "%s: %s is %s; wanted %s", where, key, type_name(value),
                    setting->kind == SRV_SETTING_INT ? "a whole number" : "text");
}

enum eng_status srv_config_read_json(struct srv_config *config, const char *json, size_t n_bytes,
                                     const char *where, struct eng_error *err)
{
    json_error_t problem;
    json_t *root = json_loadb(json, n_bytes, JSON_REJECT_DUPLICATES, &problem);
    if (!root)
        return srv_fail(err, ENG_FORMAT, "%s: line %d, column %d: %s", where, problem.line,
                        problem.column, problem.text);
    enum eng_status status = ENG_OK;
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        status = srv_fail(err, ENG_FORMAT, "%s: wanted a JSON object of settings", where);
    json_object_foreach(root, key, value)
    {
        status = set_value(config, key, value, where, err);
        if (status != ENG_OK) break;
    }
    json_decref(root);
    return status;
}

enum eng_status srv_config_read_file(struct srv_config *config, const char *path,
                                     struct eng_error *err)
{
    char *bytes = NULL;
    size_t n_bytes = 0;
    enum eng_status status =
        srv_small_file_read("config file", path, MAX_FILE_BYTES, &bytes, &n_bytes, err);
    if (status == ENG_OK) status = srv_config_read_json(config, bytes, n_bytes, path, err);
    free(bytes);
    return status;
}
