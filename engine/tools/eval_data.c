#include "eval_data.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { AMBIGUOUS = INT_MAX }; /* the number of a name that stands twice */

static enum eng_status number_names(const char *const *names, size_t n, struct eng_names *out,
                                    struct eng_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int number = eng_names_find(out, names[i]) >= 0 ? AMBIGUOUS : (int)i;
        if (!eng_names_put(out, names[i], number)) return eng_fail_memory(err, "the model's names");
    }
    return ENG_OK;
}

/* Every row becomes row[order[0]], row[order[1]] ... */
static void reorder(struct eng_dataset *set, const size_t *order, float *row)
{
    for (size_t i = 0; i < set->n; i++) {
        float *features = set->features + i * set->n_features;
        for (size_t k = 0; k < set->n_features; k++)
            row[k] = features[order[k]];
        memcpy(features, row, set->n_features * sizeof *row);
    }
}

static enum eng_status find_features(const struct eng_card *card, const char *dir,
                                     const struct eng_dataset *set, size_t *order,
                                     struct eng_error *err)
{
    struct eng_names columns = {0};
    enum eng_status status = number_names(set->feature_names, set->n_features, &columns, err);
    for (size_t k = 0; k < set->n_features && status == ENG_OK; k++) {
        int column = eng_names_find(&columns, card->features[k]);
        order[k] = (size_t)column;
        if (column < 0)
            status = eng_fail(err, ENG_MISMATCH,
                              "%s: no feature is called %.60s; wanted all that the model takes",
                              dir, card->features[k]);
    }
    eng_names_fini(&columns);
    return status;
}

/* Another number of features is refused by the evaluation. */
static enum eng_status fit_features(const struct eng_card *card, const char *dir,
                                    struct eng_dataset *set, struct eng_error *err)
{
    size_t n = set->n_features;
    if (set->kind != ENG_DATASET_VECTORS || card->n_features != n) return ENG_OK;
    size_t *order = eng_calloc(n, sizeof *order);
    float *row = eng_calloc(n, sizeof *row);
    enum eng_status status = order && row ? find_features(card, dir, set, order, err)
                                          : eng_fail_memory(err, "the order of columns");
    if (status == ENG_OK) reorder(set, order, row);
    free(order);
    free(row);
    return status;
}

/* The data's class c is the model's numbers[c]. */
static void renumber(struct eng_dataset *set, const int *numbers, size_t n_classes)
{
    for (size_t i = 0; i < set->n; i++)
        set->labels[i] = (uint16_t)numbers[set->labels[i]];
    set->n_classes = n_classes;
    free(set->class_names);
    set->class_names = NULL;
}

/* Whether names or numbers say which class is which. */
enum naming {
    NAMES_ONLY,   /* tables number their classes anew, by what is in them */
    NAMES_IF_ANY, /* the model's labels are the training data's names, or numbers if it had none */
    NAMES_OR_NUMBER /* somebody gave the labels, by number: other words may be the same classes */
};

/* Of two labels that are alike the one at the class's own number is meant, or nobody knows. */
static int number_of(const struct eng_card *card, const struct eng_names *labels, const char *name,
                     size_t c)
{
    if (c < card->n_classes && strcmp(card->labels[c], name) == 0) return (int)c;
    int number = eng_names_find(labels, name);
    return number == AMBIGUOUS ? -1 : number;
}

/* The model's numbers of the data's classes. *n_moved: those known under another number;
 * *unknown: a class that is not known. Returns how many are known. */
static size_t number_classes(const struct eng_card *card, const struct eng_names *labels,
                             const struct eng_dataset *set, int *numbers, size_t *n_moved,
                             size_t *unknown)
{
    size_t n_known = 0;
    *n_moved = *unknown = 0;
    for (size_t c = 0; c < set->n_classes; c++) {
        numbers[c] = number_of(card, labels, set->class_names[c], c);
        if (numbers[c] < 0) *unknown = c;
        n_known += numbers[c] >= 0;
        *n_moved += numbers[c] >= 0 && (size_t)numbers[c] != c;
    }
    return n_known;
}

static enum eng_status fit_classes(const struct eng_card *card, const char *dir, enum naming naming,
                                   struct eng_dataset *set, struct eng_error *err)
{
    struct eng_names labels = {0};
    size_t n_moved, unknown, n_known;
    if (!set->class_names || card->n_classes == 0) return ENG_OK;
    int *numbers = eng_calloc(set->n_classes, sizeof *numbers);
    enum eng_status status = numbers ? number_names(card->labels, card->n_classes, &labels, err)
                                     : eng_fail_memory(err, "the numbers of classes");
    if (status == ENG_OK) {
        n_known = number_classes(card, &labels, set, numbers, &n_moved, &unknown);
        if (n_known == set->n_classes)
            renumber(set, numbers, card->n_classes);
        else if (naming == NAMES_ONLY || n_moved > 0 || (naming == NAMES_IF_ANY && n_known > 0))
            status = eng_fail(err, ENG_MISMATCH,
                              "%s: class %.60s is not one of the model's %zu; wanted %.60s, %.60s "
                              "...",
                              dir, set->class_names[unknown], card->n_classes, card->labels[0],
                              card->labels[card->n_classes > 1]);
    }
    eng_names_fini(&labels);
    free(numbers);
    return status;
}

/* How data that the recipe knows nothing of are read. */
static void expect_table(const struct eng_card *card, struct eng_dataset_options *options)
{
    options->has_toy = false;
    options->csv.features = card->features;
    options->csv.n_features = card->n_features;
    options->csv.is_whole = true;
    options->is_regression = card->n_classes == 0;
}

enum eng_status tool_eval_data_load(const char *model_path, const struct eng_card *card,
                                    const char *dir, enum eng_split split, struct eng_dataset *out,
                                    struct eng_error *err)
{
    struct eng_arena arena;
    eng_arena_init(&arena);
    const struct eng_json_place place = {.path = model_path, .arena = &arena, .err = err};
    json_t *recipe = card->recipe ? json_loads(card->recipe, 0, NULL) : NULL;
    struct eng_dataset_options options;
    struct eng_dataset set = {0};
    enum eng_status status = eng_dataset_options_read(&place, recipe, &options);
    if (status == ENG_OK && dir && !options.has_csv && card->n_features > 0)
        expect_table(card, &options);
    const struct eng_dataset_source source = {.dir = dir, .options = &options, .split = split};
    if (status == ENG_OK) status = eng_dataset_load(&source, &set, err);
    if (status == ENG_OK) status = fit_features(card, dir, &set, err);
    enum naming naming = !recipe || json_object_get(recipe, "labels") ? NAMES_OR_NUMBER
                         : set.kind == ENG_DATASET_VECTORS            ? NAMES_ONLY
                                                                      : NAMES_IF_ANY;
    if (status == ENG_OK) status = fit_classes(card, dir, naming, &set, err);
    json_decref(recipe);
    eng_arena_fini(&arena);
    if (status == ENG_OK)
        *out = set;
    else
        eng_dataset_fini(&set);
    return status;
}
