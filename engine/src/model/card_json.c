#include "model/card_json.h"

#include "base/error.h"
#include "base/spelling.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *dot(const struct card_place *place)
{
    return place->where[0] ? "." : "";
}

enum eng_status card_json_parse(const struct card_place *place, const char *text, size_t n_bytes,
                                json_t **out)
{
    const char *colon = place->where[0] ? ": " : "";
    if (n_bytes > CARD_JSON_MAX_BYTES)
        return eng_fail(place->err, ENG_LIMIT, "%s%s%s: %zu bytes of JSON, at most %d are read",
                        place->path, colon, place->where, n_bytes, CARD_JSON_MAX_BYTES);
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

/* The value as the file has it, cut to n bytes; lists and objects by their kind. */
static const char *format_value(const json_t *value, char *buffer, size_t n)
{
    if (!value) return "missing";
    if (json_is_array(value)) {
        snprintf(buffer, n, "a list of %zu", json_array_size(value));
        return buffer;
    }
    if (json_is_object(value)) return "an object";
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (!text) return "a value without memory to show it";
    if (snprintf(buffer, n, "%s", text) >= (int)n) memcpy(buffer + n - 4, "...", 4);
    free(text);
    return buffer;
}

enum eng_status card_json_fail(const struct card_place *place, const char *key, const json_t *value,
                               const char *wanted)
{
    char found[80];
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%s is %s; wanted %s", place->path,
                    place->where, dot(place), key, format_value(value, found, sizeof found),
                    wanted);
}

enum eng_status card_json_fail_key(const struct card_place *place, const char *key,
                                   const char *const *names)
{
    const char *nearest = NULL;
    size_t least = strlen(key) / 3 + 2; /* near: about one letter in three differs */
    for (; *names; names++) {
        size_t distance = eng_text_distance(*names, key);
        if (distance >= least) continue;
        least = distance;
        nearest = *names;
    }
    return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%.80s is not a known key%s%s%s", place->path,
                    place->where, dot(place), key, nearest ? "; did you mean '" : "",
                    nearest ? nearest : "", nearest ? "'?" : "");
}

enum eng_status card_json_string(const struct card_place *place, const char *key,
                                 const json_t *value, const char **out)
{
    if (!json_is_string(value)) return card_json_fail(place, key, value, "a string");
    const char *copy =
        eng_arena_string(place->arena, json_string_value(value), json_string_length(value));
    if (!copy) return eng_fail_memory(place->err, key);
    *out = copy;
    return ENG_OK;
}

static enum eng_status set_value(const struct card_place *place, const struct eng_field *field,
                                 const json_t *value, void *base, struct eng_error *err)
{
    switch (field->type) {
    case ENG_FIELD_INT:
        if (!json_is_integer(value)) return card_json_fail(place, field->name, value, "an integer");
        return eng_field_set_int(field, base, json_integer_value(value), err);
    case ENG_FIELD_CHOICE:
        if (!json_is_string(value)) return card_json_fail(place, field->name, value, "a string");
        return eng_field_set_text(field, base, json_string_value(value), err);
    default:
        if (!json_is_number(value)) return card_json_fail(place, field->name, value, "a number");
        return eng_field_set_number(field, base, json_number_value(value), err);
    }
}

enum eng_status card_json_set(const struct card_place *place, const struct eng_field *field,
                              const json_t *value, void *base)
{
    struct eng_error own = {0}; /* the setter knows the key, not where it stands */
    enum eng_status status = set_value(place, field, value, base, &own);
    if (own.status != ENG_OK)
        return eng_fail(place->err, ENG_FORMAT, "%s: %s%s%s", place->path, place->where, dot(place),
                        own.text);
    return status;
}

enum eng_status card_json_floats(const struct card_place *place, const char *key,
                                 const json_t *value, double least, double most, size_t min_n,
                                 size_t max_n, float *values, size_t *n, const char *wanted)
{
    size_t n_found = json_array_size(value);
    if (!json_is_array(value) || n_found < min_n || n_found > max_n)
        return card_json_fail(place, key, value, wanted);
    for (size_t i = 0; i < n_found; i++) {
        const json_t *item = json_array_get(value, i);
        double number = json_number_value(item);
        if (!json_is_number(item) || number < least || number > most) {
            char name[96];
            snprintf(name, sizeof name, "%.64s[%zu]", key, i);
            return card_json_fail(place, name, item, wanted);
        }
        values[i] = (float)number;
    }
    *n = n_found;
    return ENG_OK;
}
