#include "train/dataset.h"

#include "base/error.h"
#include "base/file.h"
#include "train/folder_list.h"
#include "train/picture_fit.h"
#include "train/toy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATASET_FORMAT(name) extern const struct eng_dataset_format eng_dataset_format_##name;
#include "train/dataset.def"
#undef DATASET_FORMAT

static const struct eng_dataset_format *const formats[] = {
#define DATASET_FORMAT(name) &eng_dataset_format_##name,
#include "train/dataset.def"
#undef DATASET_FORMAT
};

static const size_t n_formats = sizeof formats / sizeof *formats;

static enum eng_status fail_unrecognised(const char *dir, struct eng_error *err)
{
    char wanted[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < n_formats && used < sizeof wanted; i++)
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s (%s)", i ? ", or " : "",
                                 formats[i]->wanted, formats[i]->name);
    return eng_fail(err, ENG_NOT_FOUND, "%s: no data set found; wanted %s", dir, wanted);
}

static enum eng_status load_from(const struct eng_dataset_source *source, struct eng_dataset *out,
                                 struct eng_error *err)
{
    size_t i = 0;
    while (i < n_formats && !formats[i]->recognise(source->dir))
        i++;
    if (i == n_formats) return fail_unrecognised(source->dir, err);
    struct eng_dataset set = {0};
    enum eng_status status = formats[i]->load(source, &set, err);
    if (status == ENG_OK && set.kind == ENG_DATASET_PICTURES)
        status = eng_dataset_fit(&set, source->options, source->pool, err);
    if (status == ENG_OK)
        *out = set;
    else
        eng_dataset_fini(&set);
    return status;
}

/* A model's file may give the name: it must not lead out of dir. */
static bool is_plain(const char *name)
{
    return name && *name && *name != '.' && !strchr(name, '/');
}

enum eng_status eng_dataset_load(const struct eng_dataset_source *source, struct eng_dataset *out,
                                 struct eng_error *err)
{
    static const struct eng_dataset_options defaults = {0};
    struct eng_dataset_source at = *source;
    if (!at.options) at.options = &defaults;
    const char *name = at.options->dataset;
    if (at.options->has_toy && at.dir)
        return eng_fail(err, ENG_ARGUMENT,
                        "%s: the recipe's toy makes its points itself; wanted no --data, or a "
                        "recipe without toy",
                        at.dir);
    if (at.options->has_toy)
        return eng_toy_make(&at.options->toy, at.options->seed, at.split, out, err);
    if (!at.dir)
        return eng_fail(err, ENG_ARGUMENT,
                        "no data; wanted --data with their folder, or a toy in the recipe");
    if (!eng_file_exists(at.dir))
        return eng_fail(err, ENG_NOT_FOUND,
                        "%s: no such file or folder; wanted one that holds a data set", at.dir);
    char inner[PATH_MAX];
    bool named = is_plain(name) && eng_folder_join(at.dir, name, inner, NULL) == ENG_OK;
    if (named && eng_file_exists(inner)) at.dir = inner;
    return load_from(&at, out, err);
}

void eng_dataset_fini(struct eng_dataset *set)
{
    free(set->pixels);
    free(set->features);
    free(set->labels);
    free(set->targets);
    free(set->class_names);
    free(set->feature_names);
    memset(set, 0, sizeof *set);
}

size_t eng_dataset_sample_bytes(const struct eng_dataset *set)
{
    return (size_t)set->height_px * set->width_px * set->n_channels;
}

const uint8_t *eng_dataset_sample(const struct eng_dataset *set, size_t i)
{
    return set->pixels + i * eng_dataset_sample_bytes(set);
}

const float *eng_dataset_features(const struct eng_dataset *set, size_t i)
{
    return set->features + i * set->n_features;
}

const char *eng_split_name(enum eng_split split)
{
    return split == ENG_SPLIT_TRAIN ? "train" : "test";
}
