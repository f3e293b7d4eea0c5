/* Labels as people keep them: a line each, a JSON list, a JSON map. */
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "model/card_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABELS_FILE_BYTES = 16 << 20, SYNSET_DIGITS = 8 };

static enum eng_status set_labels(struct card_draft *draft, const char *const *labels, size_t n)
{
    draft->source.card.labels = labels;
    draft->source.card.n_classes = n;
    draft->source.card.origin[ENG_CARD_LABELS] = draft->origin;
    return ENG_OK;
}

/* --- JSON --- */

enum eng_status card_read_strings(const struct eng_json_place *place, const char *key,
                                  const json_t *list, const char **labels)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char name[96];
        snprintf(name, sizeof name, "%.64s[%zu]", key, i);
        enum eng_status status = eng_json_string(place, name, json_array_get(list, i), &labels[i]);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* False unless the text is a number below n, written as numbers are. */
static bool parse_index(const char *text, size_t n, size_t *index)
{
    size_t n_digits = strspn(text, "0123456789");
    if (n_digits == 0 || n_digits > 9 || text[n_digits] || (text[0] == '0' && n_digits > 1))
        return false;
    *index = strtoul(text, NULL, 10);
    return *index < n;
}

/* One entry of a map, either way round. False: it is neither. */
static bool read_entry(const char *name, const json_t *value, size_t n, size_t *index,
                       const char **label)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *index = (size_t)number;
        *label = name;
        return number >= 0 && (size_t)number < n;
    }
    const json_t *text = json_array_size(value) == 2 ? json_array_get(value, 1) : value;
    *label = json_string_value(text);
    return *label && parse_index(name, n, index);
}

static enum eng_status read_map(const struct eng_json_place *place, const char *key,
                                const json_t *map, const char **labels)
{
    size_t n = json_object_size(map), index = 0;
    const char *name, *label;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, name, value)
    {
        if (!read_entry(name, value, n, &index, &label) || labels[index]) {
            char entry[160], wanted[160];
            snprintf(entry, sizeof entry, "%.64s[\"%.64s\"]", key, name);
            snprintf(wanted, sizeof wanted, "an index from 0 to %zu with its name, each index once",
                     n - 1);
            return eng_json_fail(place, entry, value, wanted);
        }
        labels[index] = eng_arena_string(place->arena, label, strlen(label));
        if (!labels[index]) return eng_fail_memory(place->err, "labels");
    }
    return ENG_OK;
}

enum eng_status card_set_labels(const struct eng_json_place *place, const char *key,
                                const json_t *value, struct card_draft *draft)
{
    bool is_list = json_is_array(value);
    size_t n = is_list ? json_array_size(value) : json_object_size(value);
    if (json_is_string(value))
        return eng_json_fail(place, key, value,
                             "a list of strings; the name of a file stands in labels_file");
    if (n == 0) return eng_json_fail(place, key, value, "a list of strings, one for each class");
    const char **labels = eng_arena_alloc(place->arena, n, sizeof *labels);
    if (!labels) return eng_fail_memory(place->err, key);
    enum eng_status status = is_list ? card_read_strings(place, key, value, labels)
                                     : read_map(place, key, value, labels);
    return status == ENG_OK ? set_labels(draft, labels, n) : status;
}

/* --- lines --- */

/* A line of the text: not terminated. */
struct line {
    const char *text;
    size_t n;
};

/* Without the empty ones at the end: they shift nothing. */
static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines + (n > 0 && text[n - 1] != '\n');
}

/* An empty line is an error, for it would shift all that follow. */
static enum eng_status split_lines(const struct eng_json_place *place, const char *path,
                                   const char *text, size_t n, struct line *lines, size_t n_lines)
{
    for (size_t i = 0; i < n_lines; i++) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) : n, n_used = end ? length + 1 : n;
        if (length > 0 && text[length - 1] == '\r') length--;
        if (length == 0 || memchr(text, '\0', length))
            return eng_fail(place->err, ENG_FORMAT, "%s: line %zu is %s; wanted a label", path,
                            i + 1, length ? "not text" : "empty");
        lines[i] = (struct line){text, length};
        text += n_used;
        n -= n_used;
    }
    return ENG_OK;
}

/* Characters in front of the label itself: 0 if line number i has none such. */
typedef size_t prefix_fn(const struct line *line, size_t i);

/* "n01440764 tench, Tinca tinca": the WordNet id with what separates it. */
static size_t synset_prefix(const struct line *line, size_t i)
{
    (void)i;
    size_t n = 1;
    if (line->text[0] != 'n') return 0;
    while (n < line->n && isdigit((unsigned char)line->text[n]))
        n++;
    if (n != 1 + SYNSET_DIGITS) return 0;
    size_t begin = n;
    while (n < line->n && (line->text[n] == ' ' || line->text[n] == '\t'))
        n++;
    return n > begin && n < line->n ? n : 0;
}

/* "0,tench", "0 tench": the line's own index with what separates it. */
static size_t index_prefix(const struct line *line, size_t i)
{
    char index[32];
    size_t n = (size_t)snprintf(index, sizeof index, "%zu", i);
    if (line->n < n + 2 || memcmp(line->text, index, n) != 0 || !strchr(",:; \t", line->text[n]))
        return 0;
    for (n++; n < line->n && line->text[n] == ' ';)
        n++;
    return n < line->n ? n : 0;
}

/* Leaves a prefix out if every line has it: one that does not shows that it belongs to the label.
 */
static void strip(struct line *lines, size_t n_lines, prefix_fn *prefix)
{
    for (size_t i = 0; i < n_lines; i++)
        if (prefix(&lines[i], i) == 0) return;
    for (size_t i = 0; i < n_lines; i++) {
        size_t n = prefix(&lines[i], i);
        lines[i].text += n;
        lines[i].n -= n;
    }
}

static enum eng_status parse_lines(const struct eng_json_place *place, const char *path,
                                   const char *text, size_t n, struct card_draft *draft)
{
    size_t n_lines = count_lines(text, n);
    if (n_lines == 0)
        return eng_fail(place->err, ENG_FORMAT, "%s: empty; wanted one label a line", path);
    const char **labels = eng_arena_alloc(place->arena, n_lines, sizeof *labels);
    struct line *lines = eng_arena_alloc(place->arena, n_lines, sizeof *lines);
    if (!labels || !lines) return eng_fail_memory(place->err, "labels");
    enum eng_status status = split_lines(place, path, text, n, lines, n_lines);
    if (status != ENG_OK) return status;
    strip(lines, n_lines, index_prefix);
    strip(lines, n_lines, synset_prefix);
    for (size_t i = 0; i < n_lines; i++) {
        labels[i] = eng_arena_string(place->arena, lines[i].text, lines[i].n);
        if (!labels[i]) return eng_fail_memory(place->err, "labels");
    }
    return set_labels(draft, labels, n_lines);
}

/* --- files --- */

static enum eng_status parse_json(const struct eng_json_place *place, const char *path,
                                  const char *text, size_t n, struct card_draft *draft)
{
    struct eng_json_place inner = {.path = path, .arena = place->arena, .err = place->err};
    json_t *value;
    enum eng_status status = eng_json_parse(&inner, text, n, MAX_LABELS_FILE_BYTES, &value);
    if (status != ENG_OK) return status;
    status = card_set_labels(&inner, "labels", value, draft);
    json_decref(value);
    return status;
}

enum eng_status card_parse_labels(const struct eng_json_place *place, const char *path,
                                  const char *text, size_t n, struct card_draft *draft)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf"; /* Windows' editors put it there */
    if (!eng_utf8_is_valid(text, n))
        return eng_fail(place->err, ENG_FORMAT, "%s: not UTF-8 text", path);
    if (n >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    size_t begin = 0;
    while (begin < n && isspace((unsigned char)text[begin]))
        begin++;
    bool is_json = begin < n && (text[begin] == '[' || text[begin] == '{');
    return is_json ? parse_json(place, path, text, n, draft)
                   : parse_lines(place, path, text, n, draft);
}

enum eng_status card_load_labels(const struct eng_json_place *place, const char *path,
                                 struct card_draft *draft)
{
    struct eng_file file;
    enum eng_status status = eng_file_read(path, MAX_LABELS_FILE_BYTES, &file, place->err);
    if (status != ENG_OK) return status;
    status = card_parse_labels(place, path, (const char *)file.bytes, file.n_bytes, draft);
    eng_file_fini(&file);
    return status;
}
