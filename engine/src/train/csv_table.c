#include "train/csv_table.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/spelling.h"
#include "base/utf8.h"
#include "train/csv.h"
#include "train/dataset.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 65536, MAX_ROWS = 1 << 30 };

struct reading {
    struct eng_csv csv;
    struct eng_csv_table table;
    char **cells; /* [MAX_COLUMNS] of one row */
    size_t features_capacity, targets_capacity, lines_capacity;
};

static enum eng_status check_columns(const struct eng_csv_table *table, size_t line,
                                     struct eng_error *err)
{
    struct eng_names names = {0};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < table->n_columns && status == ENG_OK; i++) {
        const char *name = table->columns[i];
        if (!*name || !eng_utf8_is_valid(name, strlen(name)))
            status = eng_fail(err, ENG_FORMAT,
                              "%s: line %zu: column %zu has no name in UTF-8; wanted a header row",
                              table->path, line, i + 1);
        else if (eng_names_find(&names, name) >= 0)
            status =
                eng_fail(err, ENG_FORMAT, "%s: line %zu: two columns are called %.60s; wanted one",
                         table->path, line, name);
        else if (!eng_names_put(&names, name, (int)i))
            status = eng_fail_memory(err, "the columns of a table");
    }
    eng_names_fini(&names);
    return status;
}

/* The column that is none of the features. */
static enum eng_status find_other(struct eng_csv_table *table, const struct eng_csv_options *how,
                                  struct eng_error *err)
{
    struct eng_names features = {0};
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < how->n_features && good; i++)
        good = eng_names_put(&features, how->features[i], 0);
    for (size_t i = 0; i < table->n_columns && good; i++) {
        if (eng_names_find(&features, table->columns[i]) >= 0) continue;
        table->target = i;
        n++;
    }
    eng_names_fini(&features);
    if (!good) return eng_fail_memory(err, "the columns of a table");
    if (n == 1) return ENG_OK;
    return eng_fail(
        err, ENG_FORMAT,
        "%s: %zu of %zu columns are none of the model's %zu features, %.60s ...; wanted "
        "one, the target",
        table->path, n, table->n_columns, how->n_features, how->features[0]);
}

/* columns ends in NULL. */
static enum eng_status find_named(struct eng_csv_table *table, const char *target,
                                  struct eng_error *err)
{
    for (table->target = 0; table->target < table->n_columns; table->target++)
        if (strcmp(table->columns[table->target], target) == 0) return ENG_OK;
    const char *nearest = eng_text_nearest(target, (const char *const *)table->columns);
    return eng_fail(err, ENG_FORMAT, "%s: no column is called %.60s as csv.target says%s%.60s%s",
                    table->path, target, nearest ? "; did you mean " : "", nearest ? nearest : "",
                    nearest ? "?" : "");
}

static enum eng_status read_header(struct reading *r, const struct eng_csv_options *how,
                                   struct eng_error *err)
{
    struct eng_csv_table *table = &r->table;
    size_t line;
    enum eng_status status =
        eng_csv_next(&r->csv, r->cells, MAX_COLUMNS, &table->n_columns, &line, err);
    if (status != ENG_OK) return status;
    if (table->n_columns < 2)
        return eng_fail(err, ENG_FORMAT,
                        "%s: line %zu: %zu columns; wanted a header row with the target and at "
                        "least one more",
                        table->path, line, table->n_columns);
    table->columns = eng_calloc(table->n_columns + 1, sizeof *table->columns);
    if (!table->columns) return eng_fail_memory(err, "a table");
    memcpy(table->columns, r->cells, table->n_columns * sizeof *table->columns);
    status = check_columns(table, line, err);
    if (status != ENG_OK) return status;
    return how->target ? find_named(table, how->target, err) : find_other(table, how, err);
}

/* Room for one more row. */
static enum eng_status grow(struct reading *r, struct eng_error *err)
{
    struct eng_csv_table *table = &r->table;
    size_t n_features = table->n_columns - 1, n = table->n + 1;
    if (n > MAX_ROWS || n > ENG_DATASET_MAX_BYTES / sizeof(float) / n_features)
        return eng_fail(err, ENG_LIMIT,
                        "%s: more than %zu rows; the limit of a data set is %zu "
                        "bytes",
                        table->path, table->n, ENG_DATASET_MAX_BYTES);
    if (!eng_grow(&table->features, &r->features_capacity, n * n_features,
                  sizeof *table->features) ||
        !eng_grow(&table->targets, &r->targets_capacity, n, sizeof *table->targets) ||
        !eng_grow(&table->lines, &r->lines_capacity, n, sizeof *table->lines))
        return eng_fail_memory(err, "a table");
    return ENG_OK;
}

static enum eng_status add_row(struct reading *r, size_t n_cells, size_t line,
                               struct eng_error *err)
{
    struct eng_csv_table *table = &r->table;
    if (n_cells != table->n_columns)
        return eng_fail(err, ENG_FORMAT, "%s: line %zu: %zu values; wanted %zu as in the header",
                        table->path, line, n_cells, table->n_columns);
    enum eng_status status = grow(r, err);
    if (status != ENG_OK) return status;
    float *features = table->features + table->n * (table->n_columns - 1);
    for (size_t i = 0; i < n_cells; i++) {
        if (i == table->target) continue;
        if (!eng_csv_number(r->cells[i], features++))
            return eng_fail(err, ENG_FORMAT,
                            "%s: line %zu: column %.60s is \"%.60s\"; wanted a number", table->path,
                            line, table->columns[i], r->cells[i]);
    }
    table->targets[table->n] = r->cells[table->target];
    table->lines[table->n] = line;
    table->n++;
    return ENG_OK;
}

static enum eng_status read_rows(struct reading *r, struct eng_error *err)
{
    for (;;) {
        size_t n_cells, line;
        enum eng_status status = eng_csv_next(&r->csv, r->cells, MAX_COLUMNS, &n_cells, &line, err);
        if (status != ENG_OK) return status;
        if (n_cells == 0) break;
        status = add_row(r, n_cells, line, err);
        if (status != ENG_OK) return status;
    }
    if (r->table.n == 0)
        return eng_fail(err, ENG_FORMAT, "%s: no rows follow the header", r->table.path);
    return ENG_OK;
}

enum eng_status eng_csv_table_read(const char *path, const void *text, size_t n_bytes,
                                   const struct eng_csv_options *how, struct eng_csv_table *out,
                                   struct eng_error *err)
{
    struct reading r = {.table.path = path};
    r.cells = eng_calloc(MAX_COLUMNS, sizeof *r.cells);
    r.table.text = malloc(n_bytes + 1);
    enum eng_status status =
        r.cells && r.table.text ? ENG_OK : eng_fail_memory(err, "the text of a table");
    if (status == ENG_OK) {
        if (n_bytes) memcpy(r.table.text, text, n_bytes);
        r.table.text[n_bytes] = '\0';
        r.csv = eng_csv_over(path, r.table.text, n_bytes);
        status = read_header(&r, how, err);
    }
    if (status == ENG_OK) status = read_rows(&r, err);
    free(r.cells);
    if (status == ENG_OK)
        *out = r.table;
    else
        eng_csv_table_fini(&r.table);
    return status;
}

void eng_csv_table_fini(struct eng_csv_table *table)
{
    free(table->text);
    free(table->columns);
    free(table->features);
    free(table->targets);
    free(table->lines);
    memset(table, 0, sizeof *table);
}
