#include "model/card.h"

#include "base/error.h"
#include "model/card_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The metadata keys of our own. */
static card_part_fn check_history, check_recipe;

static const struct card_key rows[] = {
    {"classifyd.labels", card_set_labels},
    {"classifyd.features", card_read_features},
    {"classifyd.preprocess", card_read_preprocess},
    {"classifyd.output", card_read_output},
    {"classifyd.softmax", card_read_softmax},
    {"classifyd.top", card_read_top},
    {"classifyd.golden", card_read_golden},
    {"classifyd.history", check_history},
    {"classifyd.recipe", check_recipe},
};

enum { N_ROWS = sizeof rows / sizeof *rows, MAX_KEYS = 16, MAX_TOP = 65536 };

enum eng_status card_read_key(const struct eng_json_place *place, const struct card_key *keys,
                              size_t n_keys, const char *name, const json_t *value,
                              struct card_draft *draft)
{
    const char *names[MAX_KEYS + 1] = {NULL};
    assert(n_keys <= MAX_KEYS);
    for (size_t i = 0; i < n_keys; i++) {
        if (strcmp(keys[i].name, name) == 0) return keys[i].read(place, name, value, draft);
        names[i] = keys[i].name;
    }
    return eng_json_fail_unknown(place, name, names);
}

/* History and recipe stay text; what they must be is objects. */
static enum eng_status check_history(const struct eng_json_place *place, const char *key,
                                     const json_t *value, struct card_draft *draft)
{
    (void)draft;
    return json_is_object(value) ? ENG_OK : eng_json_fail(place, key, value, "an object");
}

static enum eng_status check_recipe(const struct eng_json_place *place, const char *key,
                                    const json_t *value, struct card_draft *draft)
{
    return check_history(place, key, value, draft);
}

enum eng_status card_read_features(const struct eng_json_place *place, const char *key,
                                   const json_t *value, struct card_draft *draft)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n == 0)
        return eng_json_fail(place, key, value,
                             "a list of strings, one for each number of the input");
    const char **names = eng_arena_alloc(place->arena, n, sizeof *names);
    if (!names) return eng_fail_memory(place->err, key);
    enum eng_status status = card_read_strings(place, key, value, names);
    if (status != ENG_OK) return status;
    draft->source.card.features = names;
    draft->source.card.n_features = n;
    return ENG_OK;
}

enum eng_status card_read_output(const struct eng_json_place *place, const char *key,
                                 const json_t *value, struct card_draft *draft)
{
    char text[24];
    draft->source.card.origin[ENG_CARD_OUTPUT] = draft->origin;
    if (json_is_string(value))
        return eng_json_string(place, key, value, &draft->source.card.output);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return eng_json_fail(place, key, value, "the name of an output or its place, 0 or more");
    int length = snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    draft->source.card.output = eng_arena_string(place->arena, text, (size_t)length);
    return draft->source.card.output ? ENG_OK : eng_fail_memory(place->err, key);
}

enum eng_status card_read_top(const struct eng_json_place *place, const char *key,
                              const json_t *value, struct card_draft *draft)
{
    json_int_t top = json_integer_value(value);
    if (!json_is_integer(value) || top < 1 || top > MAX_TOP)
        return eng_json_fail(place, key, value, "a whole number from 1 to 65536");
    draft->source.card.top = (size_t)top;
    draft->source.card.origin[ENG_CARD_TOP] = draft->origin;
    return ENG_OK;
}

enum eng_status card_read_softmax(const struct eng_json_place *place, const char *key,
                                  const json_t *value, struct card_draft *draft)
{
    if (!json_is_boolean(value)) return eng_json_fail(place, key, value, "true or false");
    draft->source.has_softmax = true;
    draft->source.card.add_softmax = json_is_true(value);
    draft->source.card.origin[ENG_CARD_SOFTMAX] = draft->origin;
    return ENG_OK;
}

static enum eng_status read_property(const struct eng_json_place *place,
                                     const struct onnx_property *property, struct card_draft *draft)
{
    struct eng_json_place inner = eng_json_within(place, property->key);
    json_t *value;
    enum eng_status status = eng_json_parse(&inner, property->value, strlen(property->value),
                                            CARD_MAX_JSON_BYTES, &value);
    if (status != ENG_OK) return status;
    status = card_read_key(place, rows, N_ROWS, property->key, value, draft);
    json_decref(value);
    return status;
}

static enum eng_status copy_text(const char *text, struct eng_arena *arena, const char **out,
                                 struct eng_error *err)
{
    *out = eng_arena_string(arena, text, strlen(text));
    return *out ? ENG_OK : eng_fail_memory(err, "the model's card");
}

static enum eng_status read_texts(const struct onnx_model *onnx, struct eng_arena *arena,
                                  struct eng_card *card, struct eng_error *err)
{
    size_t n_producer = strlen(onnx->producer_name), n_version = strlen(onnx->producer_version);
    char *producer = eng_arena_alloc(arena, n_producer + n_version + 2, 1);
    if (!producer) return eng_fail_memory(err, "the model's card");
    memcpy(producer, onnx->producer_name, n_producer);
    if (n_version > 0) {
        producer[n_producer] = ' ';
        memcpy(producer + n_producer + 1, onnx->producer_version, n_version);
    }
    card->producer = producer;
    enum eng_status status = copy_text(onnx->graph_name, arena, &card->name, err);
    if (status == ENG_OK) status = copy_text(onnx->doc_string, arena, &card->description, err);
    for (size_t i = 0; i < onnx->n_properties && status == ENG_OK; i++) {
        const struct onnx_property *property = &onnx->properties[i];
        if (strcmp(property->key, "classifyd.history") == 0)
            status = copy_text(property->value, arena, &card->history, err);
        else if (strcmp(property->key, "classifyd.recipe") == 0)
            status = copy_text(property->value, arena, &card->recipe, err);
    }
    return status;
}

static enum eng_status read_metadata(const struct onnx_model *onnx, struct eng_arena *arena,
                                     struct card_draft *draft, struct eng_error *err)
{
    struct eng_json_place place = {.path = "metadata", .arena = arena, .err = err};
    enum eng_status status = read_texts(onnx, arena, &draft->source.card, err);
    if (status == ENG_OK) status = card_read_image_keys(&place, onnx, draft);
    for (size_t i = 0; i < onnx->n_properties && status == ENG_OK; i++) {
        if (strncmp(onnx->properties[i].key, "classifyd.", strlen("classifyd.")) == 0)
            status = read_property(&place, &onnx->properties[i], draft);
    }
    return status;
}

static enum eng_status read_options(const struct eng_json_place *place,
                                    const struct eng_model_options *options,
                                    struct card_draft *draft)
{
    const struct eng_json_place call = {
        .path = "the options", .arena = place->arena, .err = place->err};
    enum eng_status status = ENG_OK;
    draft->origin = ENG_ORIGIN_CONFIG;
    if (options->config_text)
        status = card_read_config_text(options->config_text, place->arena, draft, place->err);
    else if (options->config_path)
        status = card_read_config(options->config_path, place->arena, draft, place->err);
    if (status == ENG_OK && options->preset)
        status = card_set_preset(&call, options->preset, draft);
    if (status == ENG_OK && options->labels_path)
        status = card_load_labels(&call, options->labels_path, draft);
    return status;
}

enum eng_status eng_card_read(const struct onnx_model *onnx,
                              const struct eng_model_options *options, struct eng_arena *arena,
                              struct eng_card_source *out, struct eng_error *err)
{
    struct card_draft draft = {
        .origin = ENG_ORIGIN_FILE,
        .source.card.batching = {.max_delay_us = -1},
        .source.engine = {.tuning = ENG_CARD_UNSAID, .precision = ENG_CARD_UNSAID}};
    card_preprocess_defaults(&draft.source.card.preprocess);
    const char *config_path = options ? options->config_path : NULL;
    struct eng_json_place place = {
        .path = config_path ? config_path : "metadata", .arena = arena, .err = err};
    enum eng_status status = read_metadata(onnx, arena, &draft, err);
    if (status == ENG_OK && options) status = read_options(&place, options, &draft);
    if (status == ENG_OK) status = card_preprocess_finish(&place, &draft);
    if (status == ENG_OK) status = card_golden_finish(&place, &draft);
    if (status == ENG_OK) *out = draft.source;
    return status;
}

const char *eng_card_item_name(enum eng_card_item item)
{
    static const char *const names[] = {
#define ROW(name, text) [ENG_CARD_##name] = text,
        ENG_CARD_ITEM_MAP(ROW)
#undef ROW
    };
    return names[item];
}

const char *eng_origin_name(enum eng_origin origin)
{
    static const char *const names[] = {"default", "file", "config", "guessed"};
    return names[origin];
}
