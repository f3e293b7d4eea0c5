#include "train/recipe_layers.h"

#include "base/error.h"
#include "train/layer.h"
#include "train/layer_names.h"
#include "train/recipe_layer.h"

#include <stdio.h>
#include <string.h>

/* One recipe's reading. */
struct reader {
    struct eng_layer_names names;
    size_t n_layers, depth;
};

/* Entries of a list once its groups are counted out, at most one more than may be. */
static size_t count_entries(const json_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list) && n <= ENG_RECIPE_MAX_LAYERS; i++) {
        const json_t *entry = json_array_get(list, i);
        size_t n_inner = count_entries(json_object_get(entry, "layers"));
        json_int_t repeat = json_integer_value(json_object_get(entry, "repeat"));
        if (repeat > ENG_RECIPE_MAX_LAYERS) repeat = ENG_RECIPE_MAX_LAYERS;
        n += (n_inner > 0 ? n_inner : 1) * (repeat > 0 ? (size_t)repeat : 1);
    }
    return n <= ENG_RECIPE_MAX_LAYERS ? n : ENG_RECIPE_MAX_LAYERS + 1;
}

static enum eng_status check_group(const struct eng_json_place *place, const json_t *group,
                                   json_int_t *repeat)
{
    const json_t *times = json_object_get(group, "repeat");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)group, key, value)
    {
        bool known = strcmp(key, "repeat") == 0 || strcmp(key, "layers") == 0;
        if (!known && strcmp(key, "name") != 0) return eng_json_fail_key(place, key, NULL);
    }
    *repeat = times ? json_integer_value(times) : 1;
    if (*repeat < 1 || *repeat > ENG_RECIPE_MAX_LAYERS)
        return eng_json_fail(place, "repeat", times, "how many times, 1 to 1000");
    if (json_array_size(json_object_get(group, "layers")) == 0)
        return eng_json_fail(place, "layers", json_object_get(group, "layers"), "a list of layers");
    return ENG_OK;
}

/* What stands before the names in repetition i: that of the group, numbered if it is repeated. */
static enum eng_status prefix_group(struct reader *reader, const struct eng_json_place *place,
                                    const json_t *group, json_int_t i, const char *prefix,
                                    char out[ENG_LAYER_FULL_NAME_BYTES + 2])
{
    const char *name, *full;
    char numbered[ENG_LAYER_NAME_BYTES + 24];
    enum eng_status status = eng_layer_names_read(place, group, &name);
    if (status != ENG_OK || !name) {
        snprintf(out, ENG_LAYER_FULL_NAME_BYTES + 2, "%s", prefix);
        return status;
    }
    if (json_object_get(group, "repeat"))
        snprintf(numbered, sizeof numbered, "%s%lld", name, (long long)i + 1);
    else
        snprintf(numbered, sizeof numbered, "%s", name);
    status = eng_layer_names_take(&reader->names, place, prefix, numbered, &full);
    if (status == ENG_OK) snprintf(out, ENG_LAYER_FULL_NAME_BYTES + 2, "%s.", full);
    return status;
}

static enum eng_status read_entries(struct reader *reader, const struct eng_json_place *place,
                                    const json_t *list, const char *prefix,
                                    struct eng_layer_list *out);

static enum eng_status enter(struct reader *reader, const struct eng_json_place *place)
{
    if (++reader->depth <= ENG_RECIPE_MAX_DEPTH) return ENG_OK;
    return eng_fail(place->err, ENG_FORMAT,
                    "%s: %s is a list of layers in %d others; wanted less depth", place->path,
                    place->where, ENG_RECIPE_MAX_DEPTH);
}

/* A group's layers, as often as it says, behind those that out holds already. */
static enum eng_status read_group(struct reader *reader, const struct eng_json_place *place,
                                  const json_t *group, const char *prefix,
                                  struct eng_layer_list *out)
{
    json_int_t repeat = 0;
    struct eng_json_place inner = *place;
    size_t used = strlen(place->where);
    snprintf(inner.where + used, sizeof inner.where - used, ".layers");
    enum eng_status status = check_group(place, group, &repeat);
    if (status == ENG_OK) status = enter(reader, &inner);
    for (json_int_t i = 0; status == ENG_OK && i < repeat; i++) {
        char own[ENG_LAYER_FULL_NAME_BYTES + 2];
        status = prefix_group(reader, place, group, i, prefix, own);
        if (status == ENG_OK)
            status = read_entries(reader, &inner, json_object_get(group, "layers"), own, out);
    }
    reader->depth--;
    return status;
}

/* A list of its own: the recipe's or a branch. */
static enum eng_status read_list(struct reader *reader, const struct eng_json_place *place,
                                 const json_t *list, const char *prefix, struct eng_layer_list *out)
{
    size_t n = count_entries(list);
    if (n > ENG_RECIPE_MAX_LAYERS)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: %s has more than %d layers with all repeats counted out; wanted fewer",
                        place->path, place->where, ENG_RECIPE_MAX_LAYERS);
    enum eng_status status = enter(reader, place);
    if (status != ENG_OK) return status;
    *out = (struct eng_layer_list){.layers =
                                       eng_arena_alloc(place->arena, n + 1, sizeof *out->layers)};
    if (!out->layers) return eng_fail_memory(place->err, "a recipe");
    status = read_entries(reader, place, list, prefix, out);
    reader->depth--;
    return status;
}

/* {"op": "Add", "branches": [[...], [...]]}: its name stands before those in its branches. */
static enum eng_status read_branches(struct reader *reader, const struct eng_json_place *place,
                                     const json_t *object, const char *prefix,
                                     struct eng_layer *layer)
{
    static const char wanted[] = "a list of 2 to 8 branches, each a list of layers";
    const json_t *value = json_object_get(object, "branches");
    char own[ENG_LAYER_FULL_NAME_BYTES + 2];
    size_t n = json_array_size(value);
    if (n < 2 || n > ENG_RECIPE_MAX_BRANCHES)
        return eng_json_fail(place, "branches", value, wanted);
    struct eng_layer_list *branches = eng_arena_alloc(place->arena, n, sizeof *branches);
    if (!branches) return eng_fail_memory(place->err, "a recipe");
    snprintf(own, sizeof own, "%s.", layer->name);
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        struct eng_json_place inner = *place;
        size_t used = strlen(place->where);
        snprintf(inner.where + used, sizeof inner.where - used, ".branches[%zu]", i);
        if (!json_is_array(json_array_get(value, i)))
            return eng_json_fail(place, "branches", value, wanted);
        status = read_list(reader, &inner, json_array_get(value, i),
                           json_object_get(object, "name") ? own : prefix, &branches[i]);
    }
    layer->branches = branches;
    layer->n_branches = n;
    return status;
}

static enum eng_status read_layer(struct reader *reader, const struct eng_json_place *place,
                                  const json_t *object, const char *prefix, struct eng_layer *layer)
{
    const char *name;
    if (++reader->n_layers > ENG_RECIPE_MAX_LAYERS)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: %s is layer %zu with all repeats and branches; wanted at most %d",
                        place->path, place->where, reader->n_layers, ENG_RECIPE_MAX_LAYERS);
    enum eng_status status = eng_recipe_read_layer(place, object, layer);
    if (status == ENG_OK) status = eng_layer_names_read(place, object, &name);
    if (status != ENG_OK) return status;
    layer->place = eng_arena_string(place->arena, place->where, strlen(place->where));
    if (!layer->place) return eng_fail_memory(place->err, "a recipe");
    status =
        name ? eng_layer_names_take(&reader->names, place, prefix, name, &layer->name)
             : eng_layer_names_number(&reader->names, place, prefix, layer->kind->op, &layer->name);
    if (status == ENG_OK && !layer->kind->inputs)
        status = read_branches(reader, place, object, prefix, layer);
    return status;
}

/* Appends the entries to out, which has room for them. */
static enum eng_status read_entries(struct reader *reader, const struct eng_json_place *place,
                                    const json_t *list, const char *prefix,
                                    struct eng_layer_list *out)
{
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < json_array_size(list) && status == ENG_OK; i++) {
        const json_t *entry = json_array_get(list, i);
        struct eng_json_place inner = *place;
        size_t used = strlen(place->where);
        snprintf(inner.where + used, sizeof inner.where - used, "[%zu]", i);
        if (!json_is_object(entry))
            return eng_fail(place->err, ENG_FORMAT, "%s: %s is not an object; wanted {\"op\": ...}",
                            place->path, inner.where);
        if (json_object_get(entry, "layers") || json_object_get(entry, "repeat"))
            status = read_group(reader, &inner, entry, prefix, out);
        else
            status = read_layer(reader, &inner, entry, prefix, &out->layers[out->n++]);
    }
    return status;
}

enum eng_status eng_recipe_read_layers(struct eng_json_place *place, const json_t *list,
                                       struct eng_recipe *recipe)
{
    struct reader reader = {0};
    struct eng_layer_list layers;
    struct eng_json_place inner = eng_json_within(place, "layers");
    if (json_array_size(list) == 0)
        return eng_fail(place->err, ENG_FORMAT, "%s: layers has 0 entries; wanted 1 to %d",
                        place->path, ENG_RECIPE_MAX_LAYERS);
    enum eng_status status = read_list(&reader, &inner, list, "", &layers);
    eng_layer_names_fini(&reader.names);
    if (status != ENG_OK) return status;
    recipe->layers = layers.layers;
    recipe->n_layers = layers.n;
    return ENG_OK;
}
