#include "train/recipe_sections.h"

#include "base/error.h"
#include "train/method.h"
#include "train/recipe_json.h"
#include "train/recipe_layers.h"

#include <stdio.h>
#include <string.h>

#define N(array) (sizeof(array) / sizeof *(array))

static const struct eng_field input_fields[] = {
    ENG_F_FLOAT(struct eng_recipe_input, scale, 1.0 / 255, 1e-9, 1e9,
                "what a pixel is multiplied by"),
};

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

/* value is NULL for a key that is left out. */
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

_Static_assert(N(sections) == ENG_RECIPE_N_SECTIONS, "as many as the header says");

const char *eng_recipe_section_name(size_t i)
{
    return sections[i].name;
}

enum eng_status eng_recipe_read_sections(struct eng_json_place *place, const json_t *root,
                                         struct eng_recipe *recipe)
{
    for (size_t i = 0; i < ENG_RECIPE_N_SECTIONS; i++) {
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
