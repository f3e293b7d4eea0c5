#include "train/data.h"

#include "base/error.h"
#include "train/validation.h"

#include <stdio.h>
#include <string.h>

/* What the checks are about. */
struct loading {
    const char *dir; /* for sentences */
    const struct eng_recipe *recipe;
    struct eng_data *data;
    struct eng_error *err;
};

static enum eng_status check_sizes(const struct loading *l)
{
    const struct eng_dataset *a = &l->data->train, *b = &l->data->test;
    if (a->n_features != b->n_features)
        return eng_fail(l->err, ENG_FORMAT,
                        "%s: test samples have %zu features; wanted %zu as the training samples",
                        l->dir, b->n_features, a->n_features);
    if (a->width_px == b->width_px && a->height_px == b->height_px &&
        a->n_channels == b->n_channels)
        return ENG_OK;
    return eng_fail(l->err, ENG_FORMAT,
                    "%s: test pictures are %u x %u x %u; wanted %u x %u x %u as the "
                    "training pictures",
                    l->dir, b->width_px, b->height_px, b->n_channels, a->width_px, a->height_px,
                    a->n_channels);
}

static enum eng_status number_classes(const struct loading *l, size_t n)
{
    const char **labels = eng_arena_alloc(&l->data->arena, n, sizeof *labels);
    for (size_t i = 0; labels && i < n; i++) {
        char text[24];
        int length = snprintf(text, sizeof text, "%zu", i);
        labels[i] = eng_arena_string(&l->data->arena, text, (size_t)length);
        if (!labels[i]) labels = NULL;
    }
    l->data->labels = labels;
    return labels ? ENG_OK : eng_fail_memory(l->err, "labels");
}

/* There is one score, and no class. */
static enum eng_status check_regression(const struct loading *l)
{
    l->data->n_outputs = 1;
    if (l->recipe->n_labels == 0) return ENG_OK;
    return eng_fail(l->err, ENG_FORMAT, "%s: labels are given; wanted none for %s", l->recipe->path,
                    eng_loss_kinds[l->recipe->loss.kind].name);
}

static enum eng_status name_classes(const struct loading *l)
{
    struct eng_data *data = l->data;
    size_t n = data->train.n_classes;
    if (data->train.targets) return check_regression(l);
    if (data->test.n_classes > n) n = data->test.n_classes;
    if (l->recipe->n_labels > 0) {
        data->n_classes = data->n_outputs = l->recipe->n_labels;
        data->labels = l->recipe->labels;
        return ENG_OK;
    }
    if (n < 2)
        return eng_fail(l->err, ENG_FORMAT, "%s: every label is 0; wanted at least two classes",
                        l->dir);
    data->n_classes = data->n_outputs = n;
    if (!data->train.class_names) return number_classes(l, n);
    data->labels = data->train.class_names;
    return ENG_OK;
}

/* A recipe that names fewer classes than there are would train wrong answers. */
static enum eng_status check_labels(const struct loading *l, const struct eng_dataset *set,
                                    enum eng_split split)
{
    size_t n = l->data->n_classes, i = 0;
    if (set->n_classes <= n) return ENG_OK;
    while (i < set->n && set->labels[i] < n)
        i++;
    if (i == set->n)
        return eng_fail(l->err, ENG_FORMAT, "%s: %zu classes; wanted %zu, as many as %s names",
                        l->dir, set->n_classes, n, l->recipe->path);
    return eng_fail(l->err, ENG_FORMAT,
                    "%s: %s record %zu has label %u; wanted 0 to %zu, %s names %zu classes", l->dir,
                    eng_split_name(split), i, set->labels[i], n - 1, l->recipe->path, n);
}

/* What the loss compares with, and what the samples have. */
static enum eng_status check_loss(const struct loading *l)
{
    int kind = l->recipe->loss.kind;
    bool has_labels = l->data->train.labels != NULL;
    if (eng_loss_wants_values(kind) != has_labels) return ENG_OK;
    return eng_fail(l->err, ENG_FORMAT,
                    "%s: loss.kind is \"%s\"; wanted %s, since the samples have %s",
                    l->recipe->path, eng_loss_kinds[kind].name,
                    has_labels ? "\"cross_entropy\" or \"hinge\"" : "\"mean_squared_error\"",
                    has_labels ? "labels" : "numbers as targets");
}

static enum eng_status load(const struct loading *l, const char *dir, struct eng_pool *pool)
{
    struct eng_data *data = l->data;
    struct eng_dataset_options options = l->recipe->data;
    if (l->recipe->from) {
        enum eng_status opened = eng_base_model_open(l->recipe->from, &data->base, l->err);
        if (opened != ENG_OK) return opened;
        eng_base_model_fit(data->base, &options);
    }
    struct eng_dataset_source source = {
        .dir = dir, .options = &options, .split = ENG_SPLIT_TRAIN, .pool = pool};
    enum eng_status status = eng_dataset_load(&source, &data->train, l->err);
    source.split = ENG_SPLIT_TEST;
    if (status == ENG_OK) status = eng_dataset_load(&source, &data->test, l->err);
    if (status == ENG_OK) status = check_loss(l);
    if (status == ENG_OK) status = check_sizes(l);
    if (status == ENG_OK) status = name_classes(l);
    if (status == ENG_OK) status = check_labels(l, &data->train, ENG_SPLIT_TRAIN);
    if (status == ENG_OK) status = check_labels(l, &data->test, ENG_SPLIT_TEST);
    /* Before the input is prepared: what is held out has no say in mean and deviation. */
    if (status == ENG_OK && l->recipe->validation > 0)
        status = eng_validation_split(&data->train, l->recipe->validation,
                                      (uint64_t)l->recipe->seed, &data->validation, l->err);
    if (status == ENG_OK)
        status = eng_input_prepare(l->recipe, &data->train, data->base, &data->input, l->err);
    return status;
}

enum eng_status eng_data_load(const char *dir, const struct eng_recipe *recipe,
                              struct eng_pool *pool, struct eng_data *out, struct eng_error *err)
{
    struct eng_data data = {0};
    eng_arena_init(&data.arena);
    const struct loading loading = {dir ? dir : recipe->path, recipe, &data, err};
    enum eng_status status = load(&loading, dir, pool);
    if (status == ENG_OK)
        *out = data;
    else
        eng_data_fini(&data);
    return status;
}

void eng_data_fini(struct eng_data *data)
{
    eng_dataset_fini(&data->train);
    eng_dataset_fini(&data->test);
    eng_input_fini(&data->input);
    eng_dataset_fini(&data->validation);
    eng_base_model_destroy(data->base);
    eng_arena_fini(&data->arena);
    memset(data, 0, sizeof *data);
}
