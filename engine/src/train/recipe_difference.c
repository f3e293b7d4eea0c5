#include "train/recipe_difference.h"

#include "base/error.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys, and what lies below them, that a resumed run may have otherwise. */
static const char *const may_change[] = {
    "epochs",
    "schedule",
    "optimiser.learning_rate",
    "clip_gradient_norm",
};

struct comparison {
    const char *checkpoint, *path;
    size_t epoch;
    json_t *changes; /* list of sentences */
    struct eng_error *err;
};

static bool is_allowed(const char *key)
{
    for (size_t i = 0; i < sizeof may_change / sizeof *may_change; i++) {
        size_t n = strlen(may_change[i]);
        if (strncmp(key, may_change[i], n) == 0 && (key[n] == '\0' || key[n] == '.')) return true;
    }
    return false;
}

static void show(const json_t *value, char *text, size_t n)
{
    char *dumped = value
                       ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9))
                       : strdup("not given");
    snprintf(text, n, "%s", dumped ? dumped : "...");
    free(dumped);
}

static enum eng_status note(const struct comparison *c, const char *key, const json_t *was,
                            const json_t *now)
{
    char before[80], after[80], sentence[320];
    show(was, before, sizeof before);
    show(now, after, sizeof after);
    if (!is_allowed(key))
        return eng_fail(c->err, ENG_FORMAT,
                        "%s is of another recipe: its %s is %s; %s has %s. Only epochs, schedule, "
                        "optimiser.learning_rate and clip_gradient_norm may change on --resume",
                        c->checkpoint, key, before, c->path, after);
    snprintf(sentence, sizeof sentence, "from epoch %zu on %s is %s; it was %s", c->epoch, key,
             after, before);
    if (json_array_append_new(c->changes, json_string(sentence)) != 0)
        return eng_fail_memory(c->err, "the changes of a resumed run");
    return ENG_OK;
}

static enum eng_status compare(const struct comparison *c, const char *key, const json_t *was,
                               const json_t *now);

static enum eng_status compare_member(const struct comparison *c, const char *parent,
                                      const char *name, const json_t *was, const json_t *now)
{
    char key[200];
    snprintf(key, sizeof key, "%s%s%s", parent, *parent ? "." : "", name);
    return compare(c, key, was, now);
}

static enum eng_status compare_objects(const struct comparison *c, const char *key,
                                       const json_t *was, const json_t *now)
{
    const char *name;
    json_t *value;
    enum eng_status status = ENG_OK;
    json_object_foreach((json_t *)was, name, value)
    {
        if (status == ENG_OK)
            status = compare_member(c, key, name, value, json_object_get(now, name));
    }
    json_object_foreach((json_t *)now, name, value)
    {
        if (status == ENG_OK && !json_object_get(was, name))
            status = compare_member(c, key, name, NULL, value);
    }
    return status;
}

static enum eng_status compare_lists(const struct comparison *c, const char *key, const json_t *was,
                                     const json_t *now)
{
    size_t n =
        json_array_size(was) > json_array_size(now) ? json_array_size(was) : json_array_size(now);
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        status = compare_member(c, key, number, json_array_get(was, i), json_array_get(now, i));
    }
    return status;
}

/* json_equal tells 1 from 1.0, which mean the same here. */
static bool is_same(const json_t *was, const json_t *now)
{
    if (json_is_number(was) && json_is_number(now))
        return json_number_value(was) == json_number_value(now);
    return json_equal(was, now);
}

/* Recipes nest only a few levels: their reader has refused deeper ones. */
static enum eng_status compare(const struct comparison *c, const char *key, const json_t *was,
                               const json_t *now)
{
    if (json_is_object(was) && json_is_object(now)) return compare_objects(c, key, was, now);
    if (json_is_array(was) && json_is_array(now)) return compare_lists(c, key, was, now);
    return is_same(was, now) ? ENG_OK : note(c, key, was, now);
}

static enum eng_status write_changes(const struct comparison *c, char **out)
{
    if (json_array_size(c->changes) == 0) {
        *out = NULL;
        return ENG_OK;
    }
    *out = json_dumps(c->changes, JSON_COMPACT);
    return *out ? ENG_OK : eng_fail_memory(c->err, "the changes of a resumed run");
}

enum eng_status eng_recipe_compare(const char *checkpoint, const char *was, const char *path,
                                   const char *now, size_t epoch, const char *changes, char **out,
                                   struct eng_error *err)
{
    const struct eng_json_place place = {.path = checkpoint, .err = err};
    json_t *before = NULL, *after = NULL, *list = NULL;
    enum eng_status status = eng_json_parse(&place, was, strlen(was), SIZE_MAX, &before);
    if (status == ENG_OK) status = eng_json_parse(&place, now, strlen(now), SIZE_MAX, &after);
    if (!changes || !*changes) changes = "[]";
    if (status == ENG_OK)
        status = eng_json_parse(&place, changes, strlen(changes), SIZE_MAX, &list);
    if (status == ENG_OK && !json_is_array(list))
        status = eng_fail(err, ENG_FORMAT, "%s: its changes are no list", checkpoint);
    const struct comparison comparison = {checkpoint, path, epoch, list, err};
    if (status == ENG_OK) status = compare(&comparison, "", before, after);
    if (status == ENG_OK) status = write_changes(&comparison, out);
    json_decref(before);
    json_decref(after);
    json_decref(list);
    return status;
}
