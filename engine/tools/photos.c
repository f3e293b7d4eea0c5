#include "photos.h"

#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 64 << 20, MAX_COLUMNS = 64 };

static const char list_name[] = "classes.tsv";

/* A walk over the list's text, which is cut into cells in place. */
struct list {
    const char *dir;
    char path[PATH_MAX];
    char *at, *end; /* *end is a NUL */
    size_t line;    /* of the row that was read last, from 1 */
    char *cells[MAX_COLUMNS];
    size_t n_cells;
    size_t file_column, class_column;
};

static bool join(const char *dir, const char *name, char path[PATH_MAX])
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX;
}

bool tool_photos_are_in(const char *dir)
{
    char path[PATH_MAX];
    return join(dir, list_name, path) && eng_file_exists(path);
}

/* The next row that is not empty into cells; n_cells is 0 at the end. */
static enum eng_status next_row(struct list *list, struct eng_error *err)
{
    list->n_cells = 0;
    while (list->at < list->end && list->n_cells == 0) {
        char *row = list->at, *stop = memchr(row, '\n', (size_t)(list->end - row));
        list->at = stop ? stop + 1 : list->end;
        if (!stop) stop = list->end;
        if (stop > row && stop[-1] == '\r') stop--;
        *stop = '\0';
        list->line++;
        for (char *rest = *row ? row : NULL; rest;) {
            if (list->n_cells == MAX_COLUMNS)
                return eng_fail(err, ENG_LIMIT, "%s: line %zu has more than %d columns", list->path,
                                list->line, MAX_COLUMNS);
            list->cells[list->n_cells++] = strsep(&rest, "\t");
        }
    }
    return ENG_OK;
}

static enum eng_status find_column(const struct list *list, const char *name, size_t *out,
                                   struct eng_error *err)
{
    for (size_t i = 0; i < list->n_cells; i++) {
        if (strcmp(list->cells[i], name) != 0) continue;
        *out = i;
        return ENG_OK;
    }
    return eng_fail(err, ENG_FORMAT,
                    "%s: the header has no column '%s'; wanted 'file' and 'class_index', parted by "
                    "tabs",
                    list->path, name);
}

static enum eng_status parse_class(const struct list *list, const char *text, uint16_t *out,
                                   struct eng_error *err)
{
    size_t n_digits = strspn(text, "0123456789");
    unsigned long value = n_digits > 0 && n_digits < 6 ? strtoul(text, NULL, 10) : ULONG_MAX;
    if (text[n_digits] != '\0' || value > UINT16_MAX)
        return eng_fail(err, ENG_FORMAT, "%s: line %zu: class_index is '%.40s', wanted 0 to %d",
                        list->path, list->line, text, UINT16_MAX);
    *out = (uint16_t)value;
    return ENG_OK;
}

/* What the rows are gathered in. */
struct rows {
    size_t paths_capacity, labels_capacity;
    struct tool_photos *photos;
};

static enum eng_status add_row(const struct list *list, struct rows *rows, struct eng_error *err)
{
    struct tool_photos *photos = rows->photos;
    size_t wanted =
        1 + (list->file_column > list->class_column ? list->file_column : list->class_column);
    if (list->n_cells < wanted)
        return eng_fail(err, ENG_FORMAT, "%s: line %zu has %zu columns, wanted at least %zu",
                        list->path, list->line, list->n_cells, wanted);
    uint16_t label = 0;
    enum eng_status status = parse_class(list, list->cells[list->class_column], &label, err);
    if (status) return status;
    char path[PATH_MAX];
    const char *name = list->cells[list->file_column];
    if (!*name || !join(list->dir, name, path))
        return eng_fail(err, ENG_FORMAT,
                        "%s: line %zu: file is '%.40s', wanted a path below the folder", list->path,
                        list->line, name);
    const char *copy = eng_arena_string(&photos->arena, path, strlen(path));
    if (!copy ||
        !eng_grow(&photos->paths, &rows->paths_capacity, photos->n + 1, sizeof *photos->paths) ||
        !eng_grow(&photos->labels, &rows->labels_capacity, photos->n + 1, sizeof *photos->labels))
        return eng_fail_memory(err, "the list of pictures");
    photos->paths[photos->n] = copy;
    photos->labels[photos->n++] = label;
    return ENG_OK;
}

static enum eng_status read_rows(struct list *list, struct tool_photos *photos,
                                 struct eng_error *err)
{
    struct rows rows = {.photos = photos};
    enum eng_status status = next_row(list, err);
    if (!status) status = find_column(list, "file", &list->file_column, err);
    if (!status) status = find_column(list, "class_index", &list->class_column, err);
    while (!status && !(status = next_row(list, err)) && list->n_cells > 0)
        status = add_row(list, &rows, err);
    if (!status && photos->n == 0)
        return eng_fail(err, ENG_FORMAT, "%s: lists no pictures; wanted a row for each",
                        list->path);
    return status;
}

enum eng_status tool_photos_read(const char *dir, struct tool_photos *out, struct eng_error *err)
{
    struct list list = {.dir = dir};
    struct eng_file file;
    if (!join(dir, list_name, list.path))
        return eng_fail(err, ENG_LIMIT, "%.200s...: the path is longer than %d bytes", dir,
                        PATH_MAX);
    enum eng_status status = eng_file_read(list.path, MAX_BYTES, &file, err);
    if (status) return status;
    char *text = malloc(file.n_bytes + 1);
    if (!text) {
        eng_file_fini(&file);
        return eng_fail_memory(err, "the list of pictures");
    }
    memcpy(text, file.bytes, file.n_bytes);
    list.at = text;
    list.end = text + file.n_bytes;
    *list.end = '\0';
    eng_file_fini(&file);
    struct tool_photos photos = {0};
    eng_arena_init(&photos.arena);
    status = read_rows(&list, &photos, err);
    free(text);
    if (status)
        tool_photos_fini(&photos);
    else
        *out = photos;
    return status;
}

void tool_photos_fini(struct tool_photos *photos)
{
    free(photos->paths);
    free(photos->labels);
    eng_arena_fini(&photos->arena);
    *photos = (struct tool_photos){0};
}
