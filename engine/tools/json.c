#include "json.h"

#include "base/error.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_DIGITS = 9 }; /* enough to read the same float back */

static enum eng_status print_take(json_t *value, size_t form, struct eng_error *err)
{
    if (!value)
        return eng_fail(err, ENG_FORMAT,
                        "the answer cannot be JSON: a name is not UTF-8, or memory ran out");
    int failed = json_dumpf(value, stdout, form | JSON_REAL_PRECISION(FLOAT_DIGITS));
    json_decref(value);
    if (failed) return eng_fail(err, ENG_IO, "the JSON answer could not be written");
    puts("");
    return ENG_OK;
}

enum eng_status tool_json_print_take(json_t *value, struct eng_error *err)
{
    return print_take(value, JSON_INDENT(2), err);
}

enum eng_status tool_json_print_line_take(json_t *value, struct eng_error *err)
{
    return print_take(value, JSON_COMPACT, err);
}

json_t *tool_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static enum eng_status write_value(const json_t *value, size_t indent, size_t column, FILE *out,
                                   struct eng_error *err);

/* "key": in front of an object's entry; the column is where the value begins. */
static size_t write_key(const char *key, size_t indent, FILE *out)
{
    json_t *text = json_string(key);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);
    int n = fprintf(out, "%*s%s: ", (int)indent, "", quoted ? quoted : "");
    free(quoted);
    json_decref(text);
    return n > 0 ? (size_t)n : indent;
}

static enum eng_status write_entries(const json_t *value, size_t indent, FILE *out,
                                     struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    size_t n = json_is_object(value) ? json_object_size(value) : json_array_size(value);
    void *entry = json_object_iter((json_t *)(uintptr_t)value);
    fputs(json_is_object(value) ? "{\n" : "[\n", out);
    for (size_t i = 0; i < n && status == ENG_OK; i++) {
        const json_t *inner = entry ? json_object_iter_value(entry) : json_array_get(value, i);
        size_t column = indent + 2;
        if (entry)
            column = write_key(json_object_iter_key(entry), column, out);
        else
            fprintf(out, "%*s", (int)column, "");
        status = write_value(inner, indent + 2, column, out, err);
        fputs(i + 1 < n ? ",\n" : "\n", out);
        if (entry) entry = json_object_iter_next((json_t *)(uintptr_t)value, entry);
    }
    fprintf(out, "%*s%c", (int)indent, "", json_is_object(value) ? '}' : ']');
    return status;
}

static enum eng_status write_value(const json_t *value, size_t indent, size_t column, FILE *out,
                                   struct eng_error *err)
{
    char *line = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (!line) return eng_fail_memory(err, "JSON");
    bool fits = column + strlen(line) < TOOL_JSON_COLUMNS;
    bool nested = json_object_size(value) > 0 || json_array_size(value) > 0;
    enum eng_status status = ENG_OK;
    if (fits || !nested)
        fputs(line, out);
    else
        status = write_entries(value, indent, out, err);
    free(line);
    return status;
}

enum eng_status tool_json_write(const json_t *value, FILE *out, struct eng_error *err)
{
    return write_value(value, 0, 0, out, err);
}
