#include "base/error.h"
#include "base/mem.h"
#include "base/spelling.h"
#include "train/recipe_override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text takes no more room than this, so that many uses of one cannot fill the memory. */
enum { MAX_VARIABLES = 100, MAX_TEXT_BYTES = 100 };

/* Names and values borrowed from "variables"; the name after the last is NULL. */
struct variables {
    const struct eng_json_place *place;
    const char *names[MAX_VARIABLES + 1];
    json_t *values[MAX_VARIABLES];
    size_t n;
};

static enum eng_status list(struct variables *v, json_t *object)
{
    const struct eng_json_place within = eng_json_within(v->place, "variables");
    const char *name;
    json_t *value;
    if (object && !json_is_object(object))
        return eng_json_fail(v->place, "variables", object, "an object");
    json_object_foreach(object, name, value)
    {
        bool scalar = json_is_number(value) || json_is_boolean(value) ||
                      (json_is_string(value) && json_string_length(value) <= MAX_TEXT_BYTES);
        if (!scalar)
            return eng_json_fail(&within, name, value,
                                 "a number, true or false, or a text of at most 100 bytes");
        if (v->n == MAX_VARIABLES)
            return eng_fail(v->place->err, ENG_LIMIT, "%s: %zu variables, at most %d are read",
                            v->place->path, json_object_size(object), MAX_VARIABLES);
        v->names[v->n] = name;
        v->values[v->n++] = value;
    }
    return ENG_OK;
}

/* *out: a new reference to the value of the text "$name"; NULL for any other value. */
static enum eng_status look_up(struct variables *v, const char *key, const json_t *value,
                               json_t **out)
{
    const char *text = json_string_value(value);
    *out = NULL;
    if (!text || text[0] != '$') return ENG_OK;
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->names[i], text + 1) == 0) {
            *out = json_incref(v->values[i]);
            return ENG_OK;
        }
    const char *nearest = eng_text_nearest(text + 1, v->names);
    return eng_fail(v->place->err, ENG_FORMAT,
                    "%s: %.60s is \"%.60s\", but there is no such variable%s%s%s", v->place->path,
                    key, text, nearest ? "; did you mean $" : "", nearest ? nearest : "",
                    nearest ? "?" : "");
}

static enum eng_status fill(struct variables *v, const char *key, json_t *value);

static enum eng_status fill_object(struct variables *v, json_t *object)
{
    const char *key;
    json_t *value, *found;
    json_object_foreach(object, key, value)
    {
        enum eng_status status = look_up(v, key, value, &found);
        if (status == ENG_OK && !found) status = fill(v, key, value);
        if (status != ENG_OK) return status;
        if (found && json_object_set_new(object, key, found) != 0)
            return eng_fail_memory(v->place->err, "a recipe");
    }
    return ENG_OK;
}

static enum eng_status fill_list(struct variables *v, const char *key, json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i), *found;
        enum eng_status status = look_up(v, key, item, &found);
        if (status == ENG_OK && !found) status = fill(v, key, item);
        if (status != ENG_OK) return status;
        if (found && json_array_set_new(items, i, found) != 0)
            return eng_fail_memory(v->place->err, "a recipe");
    }
    return ENG_OK;
}

/* The parser bounds the depth. */
static enum eng_status fill(struct variables *v, const char *key, json_t *value)
{
    if (json_is_object(value)) return fill_object(v, value);
    return json_is_array(value) ? fill_list(v, key, value) : ENG_OK;
}

enum eng_status eng_recipe_fill_variables(const struct eng_json_place *place, json_t *root)
{
    struct variables v = {.place = place};
    json_t *object = json_incref(json_object_get(root, "variables"));
    enum eng_status status = list(&v, object);
    if (status == ENG_OK && object) json_object_del(root, "variables");
    if (status == ENG_OK) status = fill(&v, "", root);
    json_decref(object);
    return status;
}

static bool uses(const json_t *value, const char *name)
{
    const char *text = json_string_value(value), *key;
    json_t *inner;
    size_t i;
    if (text) return text[0] == '$' && strcmp(text + 1, name) == 0;
    json_array_foreach(value, i, inner)
    {
        if (uses(inner, name)) return true;
    }
    json_object_foreach((json_t *)value, key, inner)
    {
        if (uses(inner, name)) return true;
    }
    return false;
}

/* A variable's own value does not count: it is never looked into. */
static bool recipe_uses(const json_t *root, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value)
    {
        if (strcmp(key, "variables") != 0 && uses(value, name)) return true;
    }
    return false;
}

enum eng_status eng_recipe_check_variables(const struct eng_json_place *place, const json_t *root)
{
    struct variables v = {.place = place};
    enum eng_status status = list(&v, json_object_get(root, "variables"));
    for (size_t i = 0; i < v.n && status == ENG_OK; i++)
        if (!recipe_uses(root, v.names[i]))
            status = eng_fail(place->err, ENG_FORMAT,
                              "%s: variables.%.60s is used nowhere; wanted \"$%.60s\" in the place "
                              "of a value",
                              place->path, v.names[i], v.names[i]);
    return status;
}
