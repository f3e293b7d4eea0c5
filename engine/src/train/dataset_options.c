#include "train/dataset_options.h"

#include "base/error.h"
#include "train/dataset.h"
#include "train/loss.h"

#include <stdio.h>
#include <string.h>

/* In the orders of enum eng_cifar100_labels and enum eng_toy_kind. */
static const char *const cifar100_labels[] = {"fine", "coarse", NULL};
static const char *const toy_kinds[] = {"spiral", "circle", "moons", NULL};

const struct eng_field eng_dataset_fields[] = {
    ENG_F_STRING(struct eng_dataset_options, dataset,
                 "the folder or file of the data below --data"),
    ENG_F_CHOICE(struct eng_dataset_options, cifar100_labels, ENG_CIFAR100_FINE, cifar100_labels,
                 "which of the two labels of a CIFAR-100 record"),
    ENG_F_FLOAT(struct eng_dataset_options, test_share, 0, 0, 0.9,
                "of each class folder, where there are no train and test"),
};

const struct eng_field eng_csv_fields[] = {
    ENG_F_STRING(struct eng_csv_options, target, "the column to predict"),
    ENG_F_FLOAT(struct eng_csv_options, test_share, 0, 0, 0.9,
                "of the rows, where there is no test.csv"),
};

const struct eng_field eng_toy_fields[] = {
    ENG_F_CHOICE(struct eng_toy_options, kind, ENG_TOY_SPIRAL, toy_kinds, "the figure"),
    ENG_F_INT(struct eng_toy_options, samples, 300, 2, 1000000, "points of each split"),
    ENG_F_INT(struct eng_toy_options, classes, 2, 2, 100, "arms of the spiral"),
    ENG_F_FLOAT(struct eng_toy_options, noise, 0.1, 0, 10, "standard deviation"),
};

#define N(array) (sizeof(array) / sizeof *(array))

const size_t eng_n_dataset_fields = N(eng_dataset_fields);
const size_t eng_n_csv_fields = N(eng_csv_fields);
const size_t eng_n_toy_fields = N(eng_toy_fields);

const char *const eng_dataset_keys[ENG_DATASET_N_KEYS] = {"dataset", "cifar100_labels",
                                                          "test_share", "csv", "toy"};

/* A key that holds an object; *given says whether it is there. */
static enum eng_status read_object(const struct eng_json_place *place, const json_t *recipe,
                                   const char *key, const struct eng_field *fields, size_t n_fields,
                                   bool *given, void *base)
{
    const json_t *value = json_object_get(recipe, key);
    const struct eng_json_place inner = eng_json_within(place, key);
    *given = value != NULL;
    if (value && !json_is_object(value)) return eng_json_fail(place, key, value, "an object");
    return eng_json_fields(&inner, value, fields, n_fields, NULL, base);
}

static bool is_side(const json_t *value)
{
    json_int_t n = json_integer_value(value);
    return json_is_integer(value) && n >= 1 && n <= ENG_DATASET_MAX_SIDE_PX;
}

static enum eng_status read_input(const struct eng_json_place *place, const json_t *input,
                                  struct eng_dataset_options *options)
{
    const struct eng_json_place inner = eng_json_within(place, "input");
    const json_t *size = json_object_get(input, "size"), *n = json_object_get(input, "channels");
    const json_t *height = json_array_get(size, 0), *width = json_array_get(size, 1);
    json_int_t n_channels = json_integer_value(n);
    if (size && (json_array_size(size) != 2 || !is_side(height) || !is_side(width)))
        return eng_json_fail(&inner, "size", size, "[height, width], each from 1 to 4096");
    if (n && n_channels != 1 && n_channels != 3)
        return eng_json_fail(&inner, "channels", n, "1 (grey) or 3 (RGB)");
    options->height_px = (uint32_t)json_integer_value(height);
    options->width_px = (uint32_t)json_integer_value(width);
    options->n_channels = (uint32_t)n_channels;
    return ENG_OK;
}

static enum eng_status check(const struct eng_json_place *place,
                             const struct eng_dataset_options *options)
{
    if (options->has_csv && !options->csv.target)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: csv.target is missing; wanted the column to "
                        "predict",
                        place->path);
    if (options->has_csv && options->has_toy)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: both csv and toy are given; wanted one of them", place->path);
    if (options->has_toy && options->toy.kind != ENG_TOY_SPIRAL && options->toy.classes != 2)
        return eng_fail(place->err, ENG_FORMAT, "%s: toy.classes is %lld; wanted 2 for a %s",
                        place->path, (long long)options->toy.classes, toy_kinds[options->toy.kind]);
    if (options->has_toy && options->toy.samples < options->toy.classes)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: toy.samples is %lld; wanted at least one for each of the %lld classes",
                        place->path, (long long)options->toy.samples,
                        (long long)options->toy.classes);
    return ENG_OK;
}

/* Whether the loss is a regression's. One that does not exist is refused elsewhere. */
static bool wants_values(const json_t *loss)
{
    const char *name = json_string_value(json_object_get(loss, "kind"));
    for (size_t i = 0; name && i < eng_n_loss_kinds; i++)
        if (strcmp(eng_loss_kinds[i].name, name) == 0) return eng_loss_wants_values((int)i);
    return false;
}

enum eng_status eng_dataset_options_read(const struct eng_json_place *place, const json_t *recipe,
                                         struct eng_dataset_options *out)
{
    struct eng_dataset_options o = {0};
    enum eng_status status = ENG_OK;
    json_int_t seed = json_integer_value(json_object_get(recipe, "seed"));
    eng_fields_defaults(eng_dataset_fields, N(eng_dataset_fields), &o);
    for (size_t i = 0; i < N(eng_dataset_fields) && status == ENG_OK; i++) {
        const json_t *value = json_object_get(recipe, eng_dataset_fields[i].name);
        if (value) status = eng_json_set(place, &eng_dataset_fields[i], value, &o);
    }
    if (status == ENG_OK)
        status = read_object(place, recipe, "csv", eng_csv_fields, N(eng_csv_fields), &o.has_csv,
                             &o.csv);
    if (status == ENG_OK)
        status = read_object(place, recipe, "toy", eng_toy_fields, N(eng_toy_fields), &o.has_toy,
                             &o.toy);
    if (status == ENG_OK) status = read_input(place, json_object_get(recipe, "input"), &o);
    if (status == ENG_OK) status = check(place, &o);
    o.is_regression = wants_values(json_object_get(recipe, "loss"));
    o.seed = seed > 0 ? (uint64_t)seed : 0;
    if (status == ENG_OK) *out = o;
    return status;
}
