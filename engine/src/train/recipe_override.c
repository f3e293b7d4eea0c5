#include "train/recipe_override.h"

#include "base/error.h"
#include "base/spelling.h"
#include "base/utf8.h"
#include "train/recipe.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATH_BYTES = 200, MAX_NAMES = 100 };

/* One "path=value". */
struct setting {
    const struct eng_json_place *place;
    const char *text;  /* whole, for sentences */
    const char *value; /* behind the '=' */
    char path[MAX_PATH_BYTES];
};

static enum eng_status split(const struct eng_json_place *place, const char *text,
                             struct setting *out)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    if (n == 0 || n >= sizeof out->path)
        return eng_fail(place->err, ENG_FORMAT,
                        "'%.100s' is no setting; wanted PATH=VALUE, such as "
                        "optimiser.learning_rate=0.1",
                        text);
    *out = (struct setting){.place = place, .text = text, .value = equals + 1};
    memcpy(out->path, text, n);
    return ENG_OK;
}

/* "layers.1" -> the list's item 1; NULL: there is none. position: the digits of a list's key. */
static json_t *child(json_t *parent, const char *key)
{
    if (json_is_object(parent)) return json_object_get(parent, key);
    char *end;
    unsigned long position = strtoul(key, &end, 10);
    bool is_number = *key >= '0' && *key <= '9' && !*end;
    return is_number ? json_array_get(parent, position) : NULL;
}

static const char *nearest_key(const json_t *object, const char *key)
{
    const char *names[MAX_NAMES + 1] = {NULL};
    const char *name;
    json_t *value;
    size_t n = 0;
    json_object_foreach((json_t *)object, name, value)
    {
        if (n < MAX_NAMES) names[n++] = name;
    }
    return eng_text_nearest(key, names);
}

static enum eng_status fail_path(const struct setting *s, const char *key, const json_t *parent)
{
    if (json_is_array(parent))
        return eng_fail(s->place->err, ENG_FORMAT,
                        "%s: %.100s: the list has %zu items, and none is number %.40s (the first "
                        "is 0)",
                        s->place->path, s->text, json_array_size(parent), key);
    if (!json_is_object(parent))
        return eng_fail(s->place->err, ENG_FORMAT,
                        "%s: %.100s: what stands before %.40s is neither an object nor a list",
                        s->place->path, s->text, key);
    const char *nearest = nearest_key(parent, key);
    return eng_fail(s->place->err, ENG_FORMAT, "%s: %.100s: the recipe has no %.40s%s%.40s%s",
                    s->place->path, s->text, key, nearest ? "; did you mean " : "",
                    nearest ? nearest : "", nearest ? "?" : "");
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object",    [JSON_ARRAY] = "a list",  [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number",    [JSON_REAL] = "a number", [JSON_TRUE] = "true or false",
        [JSON_FALSE] = "true or false", [JSON_NULL] = "nothing"};
    return names[json_typeof(value)];
}

/* What stands there now says how the text is meant: beside a text, 7 is a text too. */
static json_t *read_value(const struct setting *s, const json_t *old)
{
    json_t *value = json_loads(s->value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(old);
    bool wants_text = text && text[0] != '$';
    if (value && !(wants_text && !json_is_string(value))) return value;
    json_decref(value);
    return json_string(s->value);
}

static enum eng_status check_type(const struct setting *s, const json_t *old, const json_t *value)
{
    const char *text = json_string_value(old);
    if (!old || (text && text[0] == '$') || strcmp(type_name(old), type_name(value)) == 0)
        return ENG_OK;
    return eng_fail(s->place->err, ENG_FORMAT, "%s: %.100s is %s; wanted %s, as the recipe has",
                    s->place->path, s->text, type_name(value), type_name(old));
}

static enum eng_status put(const struct setting *s, json_t *parent, const char *key)
{
    json_t *old = child(parent, key);
    if (!old && !json_is_object(parent)) return fail_path(s, key, parent);
    json_t *value = read_value(s, old);
    if (!value)
        return eng_fail(s->place->err, ENG_FORMAT, "%s: %.100s is not UTF-8, or memory ran out",
                        s->place->path, s->text);
    enum eng_status status = check_type(s, old, value);
    if (status != ENG_OK) {
        json_decref(value);
        return status;
    }
    int failed = json_is_object(parent) ? json_object_set_new(parent, key, value)
                                        : json_array_set_new(parent, strtoul(key, NULL, 10), value);
    return failed ? eng_fail_memory(s->place->err, "a recipe") : ENG_OK;
}

static enum eng_status apply(struct setting *s, json_t *root)
{
    json_t *parent = root, *variables = json_object_get(root, "variables");
    char *key = s->path, *dot = strchr(key, '.');
    if (!dot && json_object_get(variables, key)) return put(s, variables, key);
    if (!dot && !json_object_get(root, key) && nearest_key(variables, key))
        return fail_path(s, key, variables);
    for (; dot; dot = strchr(key, '.')) {
        *dot = '\0';
        json_t *next = child(parent, key);
        if (!next) return fail_path(s, key, parent);
        parent = next;
        key = dot + 1;
    }
    return put(s, parent, key);
}

static enum eng_status apply_all(const struct eng_json_place *place, json_t *root,
                                 const char *const *settings, size_t n_settings)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n_settings && status == ENG_OK; i++) {
        struct setting setting;
        status = split(place, settings[i], &setting);
        if (status == ENG_OK) status = apply(&setting, root);
    }
    return status;
}

/* A text of the command line's as JSON. */
static enum eng_status make_text(const struct eng_json_place *place, const char *text, json_t **out)
{
    if (!eng_utf8_is_valid(text, strlen(text)))
        return eng_fail(place->err, ENG_ARGUMENT, "'%.200s' is not UTF-8, which recipes are in",
                        text);
    *out = json_string(text);
    return *out ? ENG_OK : eng_fail_memory(place->err, "a recipe");
}

/* The command line's model takes the place of the network, and its names join the recipe's. */
static enum eng_status apply_finetuning(const struct eng_json_place *place, json_t *root,
                                        const struct eng_recipe_overrides *overrides)
{
    json_t *text = NULL;
    bool good = true;
    enum eng_status status = ENG_OK;
    if (overrides->from) {
        json_object_del(root, "layers");
        status = make_text(place, overrides->from, &text);
        if (status == ENG_OK) good = json_object_set_new(root, "from", text) == 0;
    }
    if (overrides->n_freeze > 0 && !json_object_get(root, "freeze"))
        good = good && json_object_set_new(root, "freeze", json_array()) == 0;
    json_t *freeze = json_object_get(root, "freeze");
    for (size_t i = 0; status == ENG_OK && json_is_array(freeze) && i < overrides->n_freeze; i++) {
        status = make_text(place, overrides->freeze[i], &text);
        if (status == ENG_OK) good &= json_array_append_new(freeze, text) == 0;
    }
    if (status == ENG_OK && !good) status = eng_fail_memory(place->err, "a recipe");
    return status;
}

static enum eng_status set_number(const struct eng_json_place *place, json_t *root, const char *key,
                                  int64_t number)
{
    bool good = json_object_set_new(root, key, json_integer(number)) == 0;
    return good ? ENG_OK : eng_fail_memory(place->err, "a recipe");
}

enum eng_status eng_recipe_override(const struct eng_json_place *place, json_t *root,
                                    const struct eng_recipe_overrides *overrides)
{
    enum eng_status status = eng_recipe_check_variables(place, root);
    if (status == ENG_OK && overrides)
        status = apply_all(place, root, overrides->settings, overrides->n_settings);
    if (status == ENG_OK) status = eng_recipe_fill_variables(place, root);
    if (status != ENG_OK || !overrides) return status;
    status = apply_finetuning(place, root, overrides);
    if (status == ENG_OK && overrides->seed >= 0)
        status = set_number(place, root, "seed", overrides->seed);
    if (status == ENG_OK && overrides->epochs > 0)
        status = set_number(place, root, "epochs", overrides->epochs);
    return status;
}
