#include "train/dataset_csv.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/utf8.h"
#include "train/class_names.h"
#include "train/csv.h"
#include "train/csv_table.h"
#include "train/folder_list.h"
#include "train/split.h"
#include "train/streams.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const size_t MAX_FILE_BYTES = (size_t)1 << 30;

struct parsing {
    const struct eng_dataset_options *options;
    struct eng_csv_table train, test; /* test: the rows of its own, if it has any */
    const struct eng_csv_table *from; /* the one that the split is taken from */
    uint32_t *rows;                   /* [n_rows] of it */
    size_t n_rows;
    const char **classes; /* [n_classes] into the tables' texts */
    size_t n_classes;
    struct eng_names numbers; /* of the classes */
    struct eng_dataset set;   /* what is made */
};

/* --- which rows --- */

static enum eng_status check_headers(const struct parsing *p, struct eng_error *err)
{
    const struct eng_csv_table *a = &p->train, *b = &p->test;
    size_t i = 0;
    if (!b->n) return ENG_OK;
    while (i < a->n_columns && i < b->n_columns && strcmp(a->columns[i], b->columns[i]) == 0)
        i++;
    if (i == a->n_columns && i == b->n_columns) return ENG_OK;
    return eng_fail(err, ENG_FORMAT, "%s: column %zu is %.60s; wanted %.60s as in %s", b->path,
                    i + 1, i < b->n_columns ? b->columns[i] : "missing",
                    i < a->n_columns ? a->columns[i] : "none", a->path);
}

static enum eng_status choose_rows(struct parsing *p, enum eng_split split, struct eng_error *err)
{
    bool is_test = split == ENG_SPLIT_TEST, own = p->test.n > 0;
    p->from = is_test && own ? &p->test : &p->train;
    p->rows = eng_calloc(p->from->n, sizeof *p->rows);
    if (!p->rows) return eng_fail_memory(err, "the rows of a table");
    p->n_rows = p->from->n;
    if (own || p->options->csv.is_whole) {
        for (size_t i = 0; i < p->n_rows; i++)
            p->rows[i] = (uint32_t)i;
        return ENG_OK;
    }
    if (p->options->csv.test_share == 0)
        return eng_fail(err, ENG_FORMAT,
                        "%s: no rows to test with; wanted train.csv and test.csv, or a "
                        "csv.test_share in the recipe",
                        p->from->path);
    if (p->n_rows < 2)
        return eng_fail(err, ENG_FORMAT,
                        "%s: 1 row; wanted at least 2, one to train and one to test",
                        p->from->path);
    struct eng_rng rng = eng_stream_rng(p->options->seed, ENG_STREAM_SPLIT, 0, 0);
    p->n_rows = eng_split_draw(&rng, p->n_rows, p->options->csv.test_share, is_test, p->rows);
    return ENG_OK;
}

/* --- what is predicted --- */

/* A whole number of at most 18 digits. */
static bool is_whole(const char *text, long long *out)
{
    char *end;
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (digits == 0 || digits > 18) return false;
    *out = strtoll(text, &end, 10);
    return *end == '\0';
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As numbers; names of one number, such as 1 and 01, as text. */
static int compare_whole(const void *a, const void *b)
{
    long long x = 0, y = 0;
    is_whole(*(const char *const *)a, &x);
    is_whole(*(const char *const *)b, &y);
    return x == y ? compare_text(a, b) : (x > y) - (x < y);
}

static enum eng_status check_class(const struct eng_csv_table *table, size_t row,
                                   struct eng_error *err)
{
    const char *name = table->targets[row], *column = table->columns[table->target];
    long long whole;
    float number;
    if (!*name || !eng_utf8_is_valid(name, strlen(name)))
        return eng_fail(err, ENG_FORMAT,
                        "%s: line %zu: column %.60s is empty or not UTF-8; wanted the name of a "
                        "class",
                        table->path, table->lines[row], column);
    if (eng_csv_number(name, &number) && !is_whole(name, &whole))
        return eng_fail(err, ENG_FORMAT,
                        "%s: line %zu: column %.60s is %.60s; wanted the name of a class or a "
                        "whole number, or the loss mean_squared_error",
                        table->path, table->lines[row], column, name);
    return ENG_OK;
}

/* The different targets of the training table, in the order in which they are first met. */
static enum eng_status collect_classes(struct parsing *p, bool *all_whole, struct eng_error *err)
{
    size_t capacity = 0;
    long long whole;
    *all_whole = true;
    for (size_t i = 0; i < p->train.n; i++) {
        const char *name = p->train.targets[i];
        if (eng_names_find(&p->numbers, name) >= 0) continue;
        enum eng_status status = check_class(&p->train, i, err);
        if (status != ENG_OK) return status;
        if (p->n_classes == ENG_DATASET_MAX_CLASSES)
            return eng_fail(err, ENG_LIMIT, "%s: line %zu: more than %d classes", p->train.path,
                            p->train.lines[i], ENG_DATASET_MAX_CLASSES);
        if (!eng_grow(&p->classes, &capacity, p->n_classes + 1, sizeof *p->classes) ||
            !eng_names_put(&p->numbers, name, (int)p->n_classes))
            return eng_fail_memory(err, "the classes of a table");
        p->classes[p->n_classes++] = name;
        *all_whole = *all_whole && is_whole(name, &whole);
    }
    return ENG_OK;
}

static enum eng_status fill_labels(struct parsing *p, struct eng_error *err)
{
    p->set.labels = eng_calloc(p->n_rows, sizeof *p->set.labels);
    if (!p->set.labels) return eng_fail_memory(err, "a data set");
    for (size_t i = 0; i < p->n_rows; i++) {
        size_t row = p->rows[i];
        int number = eng_names_find(&p->numbers, p->from->targets[row]);
        if (number < 0)
            return eng_fail(err, ENG_FORMAT,
                            "%s: line %zu: class %.60s does not stand in %s; wanted one that the "
                            "training rows have",
                            p->from->path, p->from->lines[row], p->from->targets[row],
                            p->train.path);
        p->set.labels[i] = (uint16_t)number;
    }
    p->set.n_classes = p->n_classes;
    return eng_class_names_copy(p->classes, p->n_classes, &p->set.class_names, err);
}

static enum eng_status classify(struct parsing *p, struct eng_error *err)
{
    bool all_whole;
    enum eng_status status = collect_classes(p, &all_whole, err);
    if (status != ENG_OK) return status;
    qsort(p->classes, p->n_classes, sizeof *p->classes, all_whole ? compare_whole : compare_text);
    for (size_t c = 0; c < p->n_classes; c++)
        if (!eng_names_put(&p->numbers, p->classes[c], (int)c))
            return eng_fail_memory(err, "the classes of a table");
    return fill_labels(p, err);
}

static enum eng_status fill_targets(struct parsing *p, struct eng_error *err)
{
    p->set.targets = eng_calloc(p->n_rows, sizeof *p->set.targets);
    if (!p->set.targets) return eng_fail_memory(err, "a data set");
    for (size_t i = 0; i < p->n_rows; i++) {
        size_t row = p->rows[i];
        if (!eng_csv_number(p->from->targets[row], &p->set.targets[i]))
            return eng_fail(err, ENG_FORMAT,
                            "%s: line %zu: column %.60s is \"%.60s\"; wanted a number",
                            p->from->path, p->from->lines[row], p->from->columns[p->from->target],
                            p->from->targets[row]);
    }
    return ENG_OK;
}

/* --- the whole --- */

static enum eng_status fill_features(struct parsing *p, struct eng_error *err)
{
    struct eng_dataset *set = &p->set;
    const struct eng_csv_table *table = p->from;
    size_t n = table->n_columns - 1;
    const char **names = eng_calloc(n, sizeof *names);
    set->kind = ENG_DATASET_VECTORS;
    set->n = p->n_rows;
    set->n_features = n;
    set->features = eng_calloc(p->n_rows * n, sizeof *set->features);
    enum eng_status status = names && set->features ? ENG_OK : eng_fail_memory(err, "a data set");
    for (size_t i = 0; i < p->n_rows && status == ENG_OK; i++)
        memcpy(set->features + i * n, table->features + p->rows[i] * n, n * sizeof(float));
    for (size_t i = 0, k = 0; i <= n && status == ENG_OK; i++)
        if (i != table->target) names[k++] = table->columns[i];
    if (status == ENG_OK) status = eng_class_names_copy(names, n, &set->feature_names, err);
    free(names);
    return status;
}

enum eng_status eng_csv_parse(const char *path, const void *text, size_t n_bytes,
                              const char *test_path, const void *test_text, size_t n_test_bytes,
                              const struct eng_dataset_options *options, enum eng_split split,
                              struct eng_dataset *out, struct eng_error *err)
{
    struct parsing p = {.options = options};
    if (!options->csv.target && options->csv.n_features == 0)
        return eng_fail(err, ENG_FORMAT,
                        "%s: which column to predict is not said; wanted {\"csv\": {\"target\": "
                        "\"...\"}} in the recipe",
                        path);
    enum eng_status status = eng_csv_table_read(path, text, n_bytes, &options->csv, &p.train, err);
    if (status == ENG_OK && test_text)
        status =
            eng_csv_table_read(test_path, test_text, n_test_bytes, &options->csv, &p.test, err);
    if (status == ENG_OK) status = check_headers(&p, err);
    if (status == ENG_OK) status = choose_rows(&p, split, err);
    if (status == ENG_OK)
        status = options->is_regression ? fill_targets(&p, err) : classify(&p, err);
    if (status == ENG_OK) status = fill_features(&p, err);
    if (status == ENG_OK)
        *out = p.set;
    else
        eng_dataset_fini(&p.set);
    eng_csv_table_fini(&p.train);
    eng_csv_table_fini(&p.test);
    eng_names_fini(&p.numbers);
    free(p.classes);
    free(p.rows);
    return status;
}

/* --- files --- */

static bool recognise(const char *path)
{
    return eng_folder_is_csv(path, path) || eng_folder_has(path, eng_folder_is_csv);
}

/* The only table of a folder. */
static enum eng_status find_only(const char *dir, char path[PATH_MAX], struct eng_error *err)
{
    struct eng_arena arena;
    struct eng_folder_list files;
    eng_arena_init(&arena);
    enum eng_status status = eng_folder_read(dir, eng_folder_is_csv, 10000, &arena, &files, err);
    if (status == ENG_OK && files.n != 1)
        status = eng_fail(err, ENG_FORMAT,
                          "%s: %zu .csv files; wanted train.csv and test.csv, or the name of one "
                          "as the recipe's dataset",
                          dir, files.n);
    if (status == ENG_OK) status = eng_folder_join(dir, files.names[0], path, err);
    eng_arena_fini(&arena);
    return status;
}

/* Which files hold the rows; test_path is "" if there is but one. */
static enum eng_status find_files(const char *source, char path[PATH_MAX], char test_path[PATH_MAX],
                                  struct eng_error *err)
{
    test_path[0] = '\0';
    if (!eng_file_is_dir(source)) {
        if (strlen(source) >= PATH_MAX)
            return eng_fail(err, ENG_LIMIT, "a path of %d bytes or more", PATH_MAX);
        strcpy(path, source);
        return ENG_OK;
    }
    if (eng_folder_join(source, "train.csv", path, NULL) == ENG_OK && eng_file_exists(path) &&
        eng_folder_join(source, "test.csv", test_path, NULL) == ENG_OK &&
        eng_file_exists(test_path))
        return ENG_OK;
    test_path[0] = '\0';
    return find_only(source, path, err);
}

static enum eng_status load(const struct eng_dataset_source *source, struct eng_dataset *out,
                            struct eng_error *err)
{
    char path[PATH_MAX], test_path[PATH_MAX];
    struct eng_file file = {0}, test = {0};
    enum eng_status status = find_files(source->dir, path, test_path, err);
    if (status == ENG_OK) status = eng_file_read(path, MAX_FILE_BYTES, &file, err);
    if (status == ENG_OK && test_path[0])
        status = eng_file_read(test_path, MAX_FILE_BYTES, &test, err);
    if (status == ENG_OK)
        status = eng_csv_parse(path, file.bytes, file.n_bytes, test_path, test.bytes, test.n_bytes,
                               source->options, source->split, out, err);
    eng_file_fini(&file);
    eng_file_fini(&test);
    return status;
}

const struct eng_dataset_format eng_dataset_format_csv = {
    .name = "CSV",
    .wanted = "a .csv file, or train.csv and test.csv",
    .recognise = recognise,
    .load = load,
};
