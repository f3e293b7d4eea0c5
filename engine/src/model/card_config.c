#include "model/card_parts.h"

#include "base/error.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

static card_part_fn read_labels_file, read_description, leave_to_server;

static const struct card_key rows[] = {
    {"labels", card_set_labels},          {"labels_file", read_labels_file},
    {"preprocess", card_read_preprocess}, {"output", card_read_output},
    {"softmax", card_read_softmax},       {"top", card_read_top},
    {"description", read_description},    {"engine", card_read_engine},
    {"version_labels", leave_to_server},  {"version_policy", leave_to_server},
    {"batching", card_read_batching},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

/* Which versions serve and what they are called is no matter of the model: classifyd reads it. */
static enum eng_status leave_to_server(const struct eng_json_place *place, const char *key,
                                       const json_t *value, struct card_draft *draft)
{
    (void)place, (void)key, (void)value, (void)draft;
    return ENG_OK;
}

static enum eng_status read_description(const struct eng_json_place *place, const char *key,
                                        const json_t *value, struct card_draft *draft)
{
    return eng_json_string(place, key, value, &draft->source.card.description);
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
    if (draft->config_has_no_folder)
        return eng_json_fail(place, key, value, "labels: this config stands in no folder");
    char *path = beside(place->path, name, place->arena);
    if (!path) return eng_fail_memory(place->err, "labels");
    status = card_load_labels(place, path, draft);
    bool unread = status != ENG_OK && status != ENG_FORMAT;
    if (unread) eng_error_context(place->err, "%s: %s", place->path, key);
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
        char inside[64];
        snprintf(inside, sizeof inside, "preprocess.%.40s", name);
        enum eng_status status = card_is_preprocess_key(name)
                                     ? eng_json_fail_key(place, name, inside)
                                     : card_read_key(place, rows, N_ROWS, name, value, draft);
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

enum eng_status card_read_config_text(const char *text, struct eng_arena *arena,
                                      struct card_draft *draft, struct eng_error *err)
{
    const struct eng_json_place place = {.path = "config", .arena = arena, .err = err};
    draft->config_has_no_folder = true;
    return card_parse_config(&place, text, strlen(text), draft);
}
