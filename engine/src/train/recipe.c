#include "train/recipe.h"

#include "base/error.h"
#include "base/file.h"
#include "base/spelling.h"
#include "graph/exec.h"
#include "train/method.h"
#include "train/recipe_override.h"
#include "train/recipe_sections.h"

#include <stdlib.h>
#include <string.h>

static const struct eng_field top_fields[] = {
    ENG_F_STRING(struct eng_recipe, name, "the model's name"),
    ENG_F_STRING(struct eng_recipe, description, "one line about the model"),
    ENG_F_STRING(struct eng_recipe, from, "the model that training goes on from"),
    ENG_F_CHOICE(struct eng_recipe, method, 0, eng_method_names, "how the model comes to answer"),
    ENG_F_INT(struct eng_recipe, seed, 0, 0, 9e15, "of every random number"),
    ENG_F_INT(struct eng_recipe, epochs, 10, 1, 100000, "passes over the training set"),
    ENG_F_INT(struct eng_recipe, batch, 128, 1, 65536, "samples per step"),
    ENG_F_INT(struct eng_recipe, shards, 2, 1, ENG_EXEC_MAX_SHARDS,
              "parts of a batch that are computed side by side; changes the result"),
    ENG_F_INT(struct eng_recipe, golden, 4, 0, 100, "test samples recorded with their answers"),
    ENG_F_FLOAT(struct eng_recipe, clip_gradient_norm, 0, 0, 1e9,
                "a longer gradient is shortened to this; 0: never"),
    ENG_F_FLOAT(struct eng_recipe, validation, 0, 0, 0.5,
                "share of the training set that is held out, to choose by"),
    ENG_F_INT(struct eng_recipe, evaluate_every_epochs, 1, 1, 100000,
              "epochs from one evaluation of the test set to the next"),
};

#define N(array) (sizeof(array) / sizeof *(array))

static bool is_section(const char *key)
{
    for (size_t i = 0; i < ENG_RECIPE_N_SECTIONS; i++)
        if (strcmp(eng_recipe_section_name(i), key) == 0) return true;
    return false;
}

static bool is_data_key(const char *key)
{
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        if (strcmp(eng_dataset_keys[i], key) == 0) return true;
    return false;
}

static enum eng_status fail_unknown(const struct eng_json_place *place, const char *key)
{
    const char *names[N(top_fields) + ENG_RECIPE_N_SECTIONS + ENG_DATASET_N_KEYS + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < N(top_fields); i++)
        names[n++] = top_fields[i].name;
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        names[n++] = eng_dataset_keys[i];
    for (size_t i = 0; i < ENG_RECIPE_N_SECTIONS; i++)
        names[n++] = eng_recipe_section_name(i);
    return eng_json_fail_unknown(place, key, names);
}

static enum eng_status check_keys_of_method(const struct eng_json_place *place, const json_t *root,
                                            const struct eng_recipe *recipe)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value)
    {
        if (!eng_method_takes(recipe->method, key))
            return eng_fail(place->err, ENG_FORMAT, "%s: %s is no key of method %s", place->path,
                            key, eng_method_names[recipe->method]);
    }
    return ENG_OK;
}

static enum eng_status read_top(struct eng_json_place *place, const json_t *root,
                                struct eng_recipe *recipe)
{
    eng_fields_defaults(top_fields, N(top_fields), recipe);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value)
    {
        if (is_section(key) || is_data_key(key)) continue;
        const struct eng_field *field = eng_fields_find(top_fields, N(top_fields), key);
        if (!field) return fail_unknown(place, key);
        enum eng_status status = eng_json_set(place, field, value, recipe);
        if (status != ENG_OK) return status;
    }
    if (!recipe->name || !*recipe->name)
        return eng_json_fail(place, "name", json_object_get(root, "name"), "the model's name");
    if (recipe->batch % recipe->shards != 0)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: batch is %lld; wanted a multiple of shards, %lld", place->path,
                        (long long)recipe->batch, (long long)recipe->shards);
    if (recipe->from && json_object_get(root, "layers"))
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: both from and layers are given; wanted one of them, the network is "
                        "that of the model",
                        place->path);
    enum eng_status status = check_keys_of_method(place, root, recipe);
    if (status == ENG_OK) status = eng_dataset_options_read(place, root, &recipe->data);
    return status == ENG_OK ? eng_recipe_read_sections(place, root, recipe) : status;
}

/* The text that goes into the model says what was really run. */
static enum eng_status keep_text(json_t *root, struct eng_recipe *recipe, struct eng_error *err)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
    recipe->text = text ? eng_arena_string(&recipe->arena, text, strlen(text)) : NULL;
    free(text);
    return recipe->text ? ENG_OK : eng_fail_memory(err, "a recipe");
}

static enum eng_status read_root(json_t *root, const struct eng_recipe_overrides *overrides,
                                 const char *path, struct eng_recipe *recipe, struct eng_error *err)
{
    struct eng_json_place place = {.path = path, .arena = &recipe->arena, .err = err};
    if (!json_is_object(root)) return eng_fail(err, ENG_FORMAT, "%s: wanted a JSON object", path);
    recipe->path = eng_arena_string(&recipe->arena, path, strlen(path));
    if (!recipe->path) return eng_fail_memory(err, "a recipe");
    enum eng_status status = eng_recipe_override(&place, root, overrides);
    if (status == ENG_OK) status = keep_text(root, recipe, err);
    return status == ENG_OK ? read_top(&place, root, recipe) : status;
}

enum eng_status eng_recipe_parse(const char *path, const void *bytes, size_t n_bytes,
                                 const struct eng_recipe_overrides *overrides,
                                 struct eng_recipe *out, struct eng_error *err)
{
    const struct eng_json_place place = {.path = path, .err = err};
    json_t *root;
    enum eng_status status = eng_json_parse(&place, bytes, n_bytes, ENG_RECIPE_MAX_BYTES, &root);
    if (status != ENG_OK) return status;
    struct eng_recipe recipe = {0};
    eng_arena_init(&recipe.arena);
    status = read_root(root, overrides, path, &recipe, err);
    json_decref(root);
    if (status == ENG_OK)
        *out = recipe;
    else
        eng_recipe_fini(&recipe);
    return status;
}

enum eng_status eng_recipe_load(const char *path, const struct eng_recipe_overrides *overrides,
                                struct eng_recipe *out, struct eng_error *err)
{
    struct eng_file file;
    enum eng_status status = eng_file_read(path, ENG_RECIPE_MAX_BYTES, &file, err);
    if (status != ENG_OK) return status;
    status = eng_recipe_parse(path, file.bytes, file.n_bytes, overrides, out, err);
    eng_file_fini(&file);
    return status;
}

void eng_recipe_fini(struct eng_recipe *recipe)
{
    eng_arena_fini(&recipe->arena);
    memset(recipe, 0, sizeof *recipe);
}
