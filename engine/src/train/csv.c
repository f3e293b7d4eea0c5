#include "train/csv.h"

#include "base/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct eng_csv eng_csv_over(const char *path, char *text, size_t n_bytes)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t n_mark = n_bytes >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    return (struct eng_csv){.path = path, .at = text + n_mark, .end = text + n_bytes, .line = 1};
}

static enum eng_status fail(const struct eng_csv *csv, const char *what, struct eng_error *err)
{
    return eng_fail(err, ENG_FORMAT, "%s: line %zu: %s", csv->path, csv->line, what);
}

/* From behind the opening quote to behind the closing one; returns where the text ends, or NULL. */
static char *unquote(struct eng_csv *csv)
{
    char *to = csv->at;
    for (; csv->at < csv->end; csv->at++) {
        if (*csv->at == '"') {
            csv->at++;
            if (csv->at == csv->end || *csv->at != '"') return to;
        }
        csv->line += *csv->at == '\n';
        *to++ = *csv->at;
    }
    return NULL;
}

/* What stands behind a cell. */
enum delimiter { COMMA, ROW_END, NEITHER };

/* Takes the delimiter; one line end may be CR LF. */
static enum delimiter take_delimiter(struct eng_csv *csv)
{
    if (csv->at == csv->end) return ROW_END;
    if (*csv->at == '\r' && csv->at + 1 < csv->end && csv->at[1] == '\n') csv->at++;
    char found = *csv->at;
    if (found != ',' && found != '\n') return NEITHER;
    csv->at++;
    csv->line += found == '\n';
    return found == ',' ? COMMA : ROW_END;
}

/* One cell and what ends it. */
static enum eng_status read_cell(struct eng_csv *csv, char **cell, enum delimiter *delimiter,
                                 struct eng_error *err)
{
    char *start = csv->at, *stop;
    struct eng_csv opening = *csv;
    if (start < csv->end && *start == '"') {
        start = ++csv->at;
        stop = unquote(csv);
        if (!stop) return fail(&opening, "the quote is not closed", err);
    } else {
        while (csv->at < csv->end && *csv->at != ',' && *csv->at != '\n')
            if (*csv->at++ == '"') return fail(csv, "a quote inside an unquoted value", err);
        stop = csv->at;
        if (stop > start && stop[-1] == '\r' && (csv->at == csv->end || *csv->at == '\n')) stop--;
    }
    if (memchr(start, '\0', (size_t)(stop - start))) return fail(&opening, "a NUL byte", err);
    *delimiter = take_delimiter(csv);
    if (*delimiter == NEITHER)
        return fail(csv, "text behind a closing quote; wanted a comma or the end of the line", err);
    *stop = '\0';
    *cell = start;
    return ENG_OK;
}

static void skip_empty_lines(struct eng_csv *csv)
{
    for (;;) {
        char *at = csv->at;
        if (at < csv->end && *at == '\r') at++;
        if (at == csv->end) csv->at = at;
        if (at == csv->end || *at != '\n') return;
        csv->at = at + 1;
        csv->line++;
    }
}

enum eng_status eng_csv_next(struct eng_csv *csv, char **cells, size_t max_cells, size_t *n,
                             size_t *line, struct eng_error *err)
{
    skip_empty_lines(csv);
    size_t found = 0, at_line = csv->line;
    enum delimiter delimiter = csv->at < csv->end ? COMMA : ROW_END;
    while (delimiter == COMMA) {
        if (found == max_cells)
            return eng_fail(err, ENG_LIMIT, "%s: line %zu: more than %zu values", csv->path,
                            at_line, max_cells);
        enum eng_status status = read_cell(csv, &cells[found], &delimiter, err);
        if (status != ENG_OK) return status;
        found++;
    }
    *n = found;
    *line = at_line;
    return ENG_OK;
}

bool eng_csv_number(const char *cell, float *out)
{
    static const char space[] = " \t\r\n";
    char *end;
    cell += strspn(cell, space);
    if (!strchr("+-.0123456789", *cell) || !*cell || strpbrk(cell, "xXnN")) return false;
    float value = strtof(cell, &end);
    end += strspn(end, space);
    if (*end || !isfinite(value)) return false;
    *out = value;
    return true;
}
