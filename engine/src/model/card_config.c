#include "model/card_parts.h"

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

#include <string.h>

enum { MAX_LABELS_FILE_BYTES = 16 << 20 };

static card_part_fn read_labels_file, read_description;

static const struct card_key rows[] = {
    {"labels", card_read_labels},         {"labels_file", read_labels_file},
    {"preprocess", card_read_preprocess}, {"softmax", card_read_softmax},
    {"description", read_description},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

static enum eng_status read_description(const struct eng_json_place *place, const char *key,
                                        const json_t *value, struct card_draft *draft)
{
    return eng_json_string(place, key, value, &draft->source.card.description);
}

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines + (n > 0 && text[n - 1] != '\n');
}

/* One label a line; an empty line is an error, for it would shift all that follow. */
static enum eng_status split_labels(const struct eng_json_place *place, const char *path,
                                    const char *text, size_t n, struct card_draft *draft)
{
    size_t n_lines = count_lines(text, n), at = 0;
    if (n_lines == 0)
        return eng_fail(place->err, ENG_FORMAT, "%s: empty; wanted one label a line", path);
    const char **labels = eng_arena_alloc(place->arena, n_lines, sizeof *labels);
    if (!labels) return eng_fail_memory(place->err, "labels");
    for (size_t i = 0; i < n_lines; i++) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t next = end ? (size_t)(end - text) + 1 : n, length = (end ? next - 1 : n) - at;
        if (length > 0 && text[at + length - 1] == '\r') length--;
        if (length == 0 || memchr(text + at, '\0', length))
            return eng_fail(place->err, ENG_FORMAT, "%s: line %zu is %s; wanted a label", path,
                            i + 1, length ? "not text" : "empty");
        labels[i] = eng_arena_string(place->arena, text + at, length);
        if (!labels[i]) return eng_fail_memory(place->err, "labels");
        at = next;
    }
    draft->source.card.labels = labels;
    draft->source.card.n_classes = n_lines;
    return ENG_OK;
}

/* "labels.txt" beside "models/mnist/config.json" -> "models/mnist/labels.txt". */
static char *beside(const char *config_path, const char *name, struct eng_arena *arena)
{
    const char *slash = strrchr(config_path, '/');
    size_t n_folder = slash && *name != '/' ? (size_t)(slash - config_path) + 1 : 0;
    size_t n_name = strlen(name);
    char *path = eng_arena_alloc(arena, n_folder + n_name + 1, 1);
    if (!path) return NULL;
    memcpy(path, config_path, n_folder);
    memcpy(path + n_folder, name, n_name);
    return path;
}

static enum eng_status read_labels_file(const struct eng_json_place *place, const char *key,
                                        const json_t *value, struct card_draft *draft)
{
    const char *name;
    enum eng_status status = eng_json_string(place, key, value, &name);
    if (status != ENG_OK) return status;
    char *path = beside(place->path, name, place->arena);
    if (!path) return eng_fail_memory(place->err, "labels");
    struct eng_file file;
    status = eng_file_read(path, MAX_LABELS_FILE_BYTES, &file, place->err);
    if (status != ENG_OK) {
        eng_error_context(place->err, "%s: %s", place->path, key);
        return status;
    }
    const char *text = (const char *)file.bytes;
    status = eng_utf8_is_valid(text, file.n_bytes)
                 ? split_labels(place, path, text, file.n_bytes, draft)
                 : eng_fail(place->err, ENG_FORMAT, "%s: not UTF-8 text", path);
    eng_file_fini(&file);
    return status;
}

static enum eng_status read_keys(const struct eng_json_place *place, const json_t *config,
                                 struct card_draft *draft)
{
    if (!json_is_object(config))
        return eng_fail(place->err, ENG_FORMAT, "%s: not a JSON object", place->path);
    if (json_object_get(config, "labels") && json_object_get(config, "labels_file"))
        return eng_fail(place->err, ENG_FORMAT, "%s: has both labels and labels_file; wanted one",
                        place->path);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)config, name, value)
    {
        enum eng_status status = card_read_key(place, rows, N_ROWS, name, value, draft);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

enum eng_status card_parse_config(const struct eng_json_place *place, const char *text,
                                  size_t n_bytes, struct card_draft *draft)
{
    json_t *config;
    enum eng_status status = eng_json_parse(place, text, n_bytes, CARD_MAX_JSON_BYTES, &config);
    if (status != ENG_OK) return status;
    status = read_keys(place, config, draft);
    json_decref(config);
    return status;
}

enum eng_status card_read_config(const char *path, struct eng_arena *arena,
                                 struct card_draft *draft, struct eng_error *err)
{
    const struct eng_json_place place = {.path = path, .arena = arena, .err = err};
    struct eng_file file;
    enum eng_status status = eng_file_read(path, CARD_MAX_JSON_BYTES, &file, err);
    if (status != ENG_OK) return status;
    status = card_parse_config(&place, (const char *)file.bytes, file.n_bytes, draft);
    eng_file_fini(&file);
    return status;
}
