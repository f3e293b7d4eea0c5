#include "train/recipe.h"

#include "base/error.h"
#include "base/file.h"
#include "base/spelling.h"
#include "graph/exec.h"
#include "train/layer.h"
#include "train/method.h"
#include "train/recipe_json.h"
#include "train/recipe_layers.h"
#include "train/recipe_override.h"

#include <stdio.h>
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

static const struct eng_field input_fields[] = {
    ENG_F_FLOAT(struct eng_recipe_input, scale, 1.0 / 255, 1e-9, 1e9,
                "what a pixel is multiplied by"),
};

#define N(array) (sizeof(array) / sizeof *(array))

/* A list of min_n to max_n strings. */
static enum eng_status read_strings(const struct eng_json_place *place, const char *key,
                                    const json_t *value, size_t min_n, size_t max_n,
                                    const char *wanted, const char *const **out, size_t *n_out)
{
    size_t n = json_array_size(value);
    if (n < min_n || n > max_n) return eng_json_fail(place, key, value, wanted);
    const char **strings = eng_arena_alloc(place->arena, n + 1, sizeof *strings);
    if (!strings) return eng_fail_memory(place->err, key);
    for (size_t i = 0; i < n; i++) {
        enum eng_status status = eng_json_string(place, key, json_array_get(value, i), &strings[i]);
        if (status != ENG_OK) return status;
    }
    *out = strings;
    *n_out = n;
    return ENG_OK;
}

static enum eng_status read_labels(struct eng_json_place *place, const json_t *value,
                                   struct eng_recipe *recipe)
{
    return read_strings(place, "labels", value, 2, 65536, "a list of 2 to 65536 names",
                        &recipe->labels, &recipe->n_labels);
}

static enum eng_status read_freeze(struct eng_json_place *place, const json_t *value,
                                   struct eng_recipe *recipe)
{
    return read_strings(place, "freeze", value, 0, 1000,
                        "a list of at most 1000 names of layers or parameters", &recipe->freeze,
                        &recipe->n_freeze);
}

static enum eng_status read_channels(const struct eng_json_place *place, const json_t *object,
                                     const char *key, double min, float out[3], size_t *n_out)
{
    const json_t *value = json_object_get(object, key);
    size_t n = json_array_size(value);
    if (!value) return ENG_OK;
    bool good = n == 1 || n == 3;
    for (size_t i = 0; i < n && good; i++) {
        const json_t *item = json_array_get(value, i);
        double number = json_number_value(item);
        good = json_is_number(item) && number >= min && number <= 1e9;
        out[i] = (float)number;
    }
    if (!good)
        return eng_json_fail(place, key, value,
                             min > 0 ? "1 or 3 numbers above 0, one per channel"
                                     : "1 or 3 numbers, one per channel");
    *n_out = n;
    return ENG_OK;
}

/* true is the usual way: per channel. */
static enum eng_status read_standardise(const struct eng_json_place *place, const json_t *object,
                                        struct eng_recipe_input *input)
{
    static const char *const names[] = {
        [ENG_STANDARDISE_CHANNEL] = "channel", [ENG_STANDARDISE_PIXEL] = "pixel"};
    const json_t *value = json_object_get(object, "standardise");
    const char *text = json_string_value(value);
    input->standardise = ENG_STANDARDISE_CHANNEL;
    if (!value || json_is_true(value)) return ENG_OK;
    input->standardise = ENG_STANDARDISE_NONE;
    if (json_is_false(value)) return ENG_OK;
    for (size_t i = 1; text && i < N(names); i++)
        if (strcmp(names[i], text) == 0) input->standardise = (int)i;
    if (input->standardise != ENG_STANDARDISE_NONE) return ENG_OK;
    return eng_json_fail(place, "standardise", value, "true, false, \"channel\" or \"pixel\"");
}

static enum eng_status read_input(struct eng_json_place *place, const json_t *value,
                                  struct eng_recipe *recipe)
{
    static const char *const skip[] = {"standardise", "mean", "std", "size", "channels", NULL};
    struct eng_recipe_input *input = &recipe->input;
    if (eng_method_at(recipe->method)->raw_input) {
        *input = (struct eng_recipe_input){.scale = 1};
        return eng_json_fields(place, value, NULL, 0, skip + 2, input);
    }
    for (size_t i = 0; i < 3; i++)
        input->is_given |= json_object_get(value, skip[i]) != NULL;
    input->is_given |= json_object_get(value, "scale") != NULL;
    enum eng_status status =
        eng_json_fields(place, value, input_fields, N(input_fields), skip, input);
    if (status == ENG_OK) status = read_standardise(place, value, input);
    if (status == ENG_OK)
        status = read_channels(place, value, "mean", -1e9, input->mean, &input->n_mean);
    if (status == ENG_OK)
        status = read_channels(place, value, "std", 1e-9, input->std, &input->n_std);
    if (status == ENG_OK && input->n_mean != input->n_std)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: input.mean has %zu numbers and input.std %zu; wanted as many of both",
                        place->path, input->n_mean, input->n_std);
    return status;
}

static enum eng_status read_augment(struct eng_json_place *place, const json_t *value,
                                    struct eng_recipe *recipe)
{
    return eng_json_fields(place, value, eng_augment_fields, eng_n_augment_fields, NULL,
                           &recipe->augment);
}

static enum eng_status read_class_weights(const struct eng_json_place *place, const json_t *value,
                                          struct eng_loss_options *loss)
{
    static const char wanted[] = "\"balanced\" or a list of 2 to 65536 numbers from 0 to 1e6";
    if (!value) return ENG_OK;
    if (json_is_string(value) && strcmp(json_string_value(value), "balanced") == 0) {
        loss->balanced = true;
        return ENG_OK;
    }
    size_t n = json_array_size(value);
    if (n < 2 || n > 65536) return eng_json_fail(place, "class_weights", value, wanted);
    float *weights = eng_arena_alloc(place->arena, n, sizeof *weights);
    if (!weights) return eng_fail_memory(place->err, "class weights");
    loss->class_weights = weights;
    return eng_json_floats(place, "class_weights", value, 0, 1e6, 2, n, weights,
                           &loss->n_class_weights, wanted);
}

static enum eng_status read_loss(struct eng_json_place *place, const json_t *value,
                                 struct eng_recipe *recipe)
{
    struct eng_loss_options *loss = &recipe->loss;
    enum eng_status status = eng_json_kind(place, value, eng_loss_kinds, eng_n_loss_kinds,
                                           "class_weights", &loss->kind, loss);
    const json_t *weights = json_object_get(value, "class_weights");
    if (status == ENG_OK && weights && eng_loss_wants_values(loss->kind))
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: loss.class_weights goes with labels; %s wants none", place->path,
                        eng_loss_kinds[loss->kind].name);
    return status == ENG_OK ? read_class_weights(place, weights, loss) : status;
}

static enum eng_status read_optimiser(struct eng_json_place *place, const json_t *value,
                                      struct eng_recipe *recipe)
{
    return eng_json_kind(place, value, eng_optimiser_kinds, eng_n_optimiser_kinds, NULL,
                         &recipe->optimiser.kind, &recipe->optimiser);
}

static enum eng_status read_schedule(struct eng_json_place *place, const json_t *value,
                                     struct eng_recipe *recipe)
{
    return eng_json_kind(place, value, eng_schedule_kinds, eng_n_schedule_kinds, NULL,
                         &recipe->schedule.kind, &recipe->schedule);
}

static enum eng_status read_knn(struct eng_json_place *place, const json_t *value,
                                struct eng_recipe *recipe)
{
    return eng_json_fields(place, value, eng_knn_fields, eng_n_knn_fields, NULL, &recipe->knn);
}

static enum eng_status read_early_stopping(struct eng_json_place *place, const json_t *value,
                                           struct eng_recipe *recipe)
{
    recipe->early_stopping.on = value;
    if (value && !(recipe->validation > 0))
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: early_stopping looks at the validation set; wanted validation above 0",
                        place->path);
    return eng_json_fields(place, value, eng_early_stopping_fields, eng_n_early_stopping_fields,
                           NULL, &recipe->early_stopping);
}

static enum eng_status read_average(struct eng_json_place *place, const json_t *value,
                                    struct eng_recipe *recipe)
{
    recipe->average.on = value;
    return eng_json_fields(place, value, eng_average_fields, eng_n_average_fields, NULL,
                           &recipe->average);
}

/* Keys of the top level whose values are not plain: how each is read, NULL for one left out. */
static const struct section {
    const char *name;
    enum eng_status (*read)(struct eng_json_place *place, const json_t *value,
                            struct eng_recipe *recipe);
    bool is_list, required;
} sections[] = {
    {"labels", read_labels, true, false},
    {"input", read_input, false, false},
    {"augment", read_augment, false, false},
    {"loss", read_loss, false, false},
    {"optimiser", read_optimiser, false, false},
    {"schedule", read_schedule, false, false},
    {"early_stopping", read_early_stopping, false, false},
    {"average", read_average, false, false},
    {"layers", eng_recipe_read_layers, true, true},
    {"knn", read_knn, false, false},
    {"freeze", read_freeze, true, false},
};

static const struct section *find_section(const char *name)
{
    for (size_t i = 0; i < N(sections); i++)
        if (strcmp(sections[i].name, name) == 0) return &sections[i];
    return NULL;
}

static bool is_data_key(const char *key)
{
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        if (strcmp(eng_dataset_keys[i], key) == 0) return true;
    return false;
}

static enum eng_status fail_unknown(const struct eng_json_place *place, const char *key)
{
    const char *names[N(top_fields) + N(sections) + ENG_DATASET_N_KEYS + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < N(top_fields); i++)
        names[n++] = top_fields[i].name;
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        names[n++] = eng_dataset_keys[i];
    for (size_t i = 0; i < N(sections); i++)
        names[n++] = sections[i].name;
    return eng_json_fail_key(place, key, eng_text_nearest(key, names));
}

static enum eng_status read_sections(struct eng_json_place *place, const json_t *root,
                                     struct eng_recipe *recipe)
{
    for (size_t i = 0; i < N(sections); i++) {
        const json_t *value = json_object_get(root, sections[i].name);
        bool right = sections[i].is_list ? json_is_array(value) : json_is_object(value);
        bool required = sections[i].required && !recipe->from &&
                        eng_method_takes(recipe->method, sections[i].name);
        if (value ? !right : required)
            return eng_json_fail(place, sections[i].name, value,
                                 sections[i].is_list ? "a list" : "an object");
        if (!value && sections[i].is_list) continue;
        struct eng_json_place inner = *place;
        if (!sections[i].is_list) snprintf(inner.where, sizeof inner.where, "%s", sections[i].name);
        enum eng_status status = sections[i].read(&inner, value, recipe);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
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
        if (find_section(key) || is_data_key(key)) continue;
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
    return status == ENG_OK ? read_sections(place, root, recipe) : status;
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
