#include "base/json.h"

#include "base/error.h"
#include "base/spelling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct eng_json_place eng_json_within(const struct eng_json_place *place, const char *where)
{
    struct eng_json_place inner = *place;
    snprintf(inner.where, sizeof inner.where, "%s", where);
    return inner;
}

enum eng_status eng_json_parse(const struct eng_json_place *place, const char *text, size_t n_bytes,
                               size_t max_bytes, json_t **out)
{
    const char *colon = place->where[0] ? ": " : "";
    if (n_bytes > max_bytes)
        return eng_fail(place->err, ENG_LIMIT, "%s%s%s: %zu bytes of JSON, at most %zu are read",
                        place->path, colon, place->where, n_bytes, max_bytes);
    json_error_t error;
    json_t *json = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json) {
        *out = json;
        return ENG_OK;
    }
    if (json_error_code(&error) == json_error_out_of_memory)
        return eng_fail_memory(place->err, "JSON");
    return eng_fail(place->err, ENG_FORMAT, "%s%s%s: line %d, column %d: %s", place->path, colon,
                    place->where, error.line, error.column, error.text);
}

/* The value as the file has it, cut to n bytes. */
static const char *format_value(const json_t *value, char *buffer, size_t n)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (!text) return "a value too deep to show";
    int needed = snprintf(buffer, n, "%s", text);
    if (needed >= (int)n) memcpy(buffer + n - 4, "...", 4);
    free(text);
    return buffer;
}

static const char *dot(const struct eng_json_place *place)
{
    return place->where[0] ? "." : "";
}

enum eng_status eng_json_fail(const struct eng_json_place *place, const char *key,
                              const json_t *value, const char *wanted)
{
    char buffer[80];
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%s is %s; wanted %s", place->path,
                    place->where, dot(place), key,
                    value ? format_value(value, buffer, sizeof buffer) : "missing", wanted);
}

enum eng_status eng_json_fail_key(const struct eng_json_place *place, const char *key,
                                  const char *nearest)
{
    if (nearest)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: %s%s%.60s is not a known key; did you mean %s?", place->path,
                        place->where, dot(place), key, nearest);
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%.60s is not a known key", place->path,
                    place->where, dot(place), key);
}

enum eng_status eng_json_fail_unknown(const struct eng_json_place *place, const char *key,
                                      const char *const *names)
{
    char list[240] = "";
    const char *nearest = eng_text_nearest(key, names);
    if (nearest) return eng_json_fail_key(place, key, nearest);
    for (size_t n = 0; *names && n < sizeof list; names++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", *names);
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%.60s is not a known key; wanted one of: %s",
                    place->path, place->where, dot(place), key, list);
}

enum eng_status eng_json_string(const struct eng_json_place *place, const char *key,
                                const json_t *value, const char **out)
{
    if (!json_is_string(value)) return eng_json_fail(place, key, value, "a string");
    const char *copy =
        eng_arena_string(place->arena, json_string_value(value), json_string_length(value));
    if (!copy) return eng_fail_memory(place->err, key);
    *out = copy;
    return ENG_OK;
}

static enum eng_status set_ints(const struct eng_json_place *place, const struct eng_field *field,
                                const json_t *value, void *base, struct eng_error *err)
{
    static const char wanted[] = "a list of at most 32 integers";
    int64_t ints[ENG_MAX_INTS];
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > ENG_MAX_INTS)
        return eng_json_fail(place, field->name, value, wanted);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_integer(item)) return eng_json_fail(place, field->name, value, wanted);
        ints[i] = json_integer_value(item);
    }
    return eng_field_set_ints(field, base, ints, n, err);
}

static enum eng_status set_text(const struct eng_json_place *place, const struct eng_field *field,
                                const json_t *value, void *base, struct eng_error *err)
{
    const char *text = NULL;
    enum eng_status status = eng_json_string(place, field->name, value, &text);
    return status == ENG_OK ? eng_field_set_text(field, base, text, err) : status;
}

static enum eng_status set_scalar(const struct eng_json_place *place, const struct eng_field *field,
                                  const json_t *value, void *base, struct eng_error *err)
{
    switch (field->type) {
    case ENG_FIELD_INT:
        if (!json_is_integer(value)) return eng_json_fail(place, field->name, value, "an integer");
        return eng_field_set_int(field, base, json_integer_value(value), err);
    case ENG_FIELD_BOOL:
        if (!json_is_boolean(value))
            return eng_json_fail(place, field->name, value, "true or false");
        return eng_field_set_int(field, base, json_is_true(value), err);
    default:
        if (!json_is_number(value)) return eng_json_fail(place, field->name, value, "a number");
        return eng_field_set_number(field, base, json_number_value(value), err);
    }
}

enum eng_status eng_json_set(const struct eng_json_place *place, const struct eng_field *field,
                             const json_t *value, void *base)
{
    struct eng_error own = {0}; /* a setter's sentence knows the key, not where it stands */
    enum eng_status status;
    if (field->type == ENG_FIELD_INTS)
        status = set_ints(place, field, value, base, &own);
    else if (field->type == ENG_FIELD_STRING || field->type == ENG_FIELD_CHOICE)
        status = set_text(place, field, value, base, &own);
    else
        status = set_scalar(place, field, value, base, &own);
    if (own.text[0])
        return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%s", place->path, place->where, dot(place),
                        own.text);
    return status;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

enum eng_status eng_json_fields(const struct eng_json_place *place, const json_t *object,
                                const struct eng_field *fields, size_t n_fields,
                                const char *const *skip, void *base)
{
    eng_fields_defaults(fields, n_fields, base);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_among(key, skip)) continue;
        const struct eng_field *field = eng_fields_find(fields, n_fields, key);
        if (!field) return eng_json_fail_key(place, key, eng_fields_nearest(fields, n_fields, key));
        enum eng_status status = eng_json_set(place, field, value, base);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

enum eng_status eng_json_floats(const struct eng_json_place *place, const char *key,
                                const json_t *value, double least, double most, size_t min_n,
                                size_t max_n, float *values, size_t *n, const char *wanted)
{
    size_t n_found = json_array_size(value);
    if (!json_is_array(value) || n_found < min_n || n_found > max_n)
        return eng_json_fail(place, key, value, wanted);
    for (size_t i = 0; i < n_found; i++) {
        const json_t *item = json_array_get(value, i);
        double number = json_number_value(item);
        if (!json_is_number(item) || number < least || number > most) {
            char name[96];
            snprintf(name, sizeof name, "%.64s[%zu]", key, i);
            return eng_json_fail(place, name, item, wanted);
        }
        values[i] = (float)number;
    }
    *n = n_found;
    return ENG_OK;
}
