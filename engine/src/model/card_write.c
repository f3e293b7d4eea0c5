#include "model/card.h"

#include "base/error.h"
#include "model/card_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PROPERTIES = 10 };

/* Rows as they come together. */
struct rows {
    struct onnx_property *property;
    size_t n;
    struct eng_arena *arena;
};

static enum eng_status add_text(struct rows *rows, const char *key, const char *value,
                                struct eng_error *err)
{
    const char *copy = eng_arena_string(rows->arena, value, strlen(value));
    if (!copy) return eng_fail_memory(err, "metadata");
    rows->property[rows->n++] = (struct onnx_property){.key = key, .value = copy};
    return ENG_OK;
}

/* Takes value. Nine digits bring every float back. */
static enum eng_status add_json_take(struct rows *rows, const char *key, json_t *value,
                                     struct eng_error *err)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(value);
    if (!text) return eng_fail_memory(err, "metadata");
    enum eng_status status = add_text(rows, key, text, err);
    if (strlen(text) > CARD_MAX_JSON_BYTES)
        status = eng_fail(err, ENG_LIMIT, "%s takes %zu bytes, at most %d are read back", key,
                          strlen(text), CARD_MAX_JSON_BYTES);
    free(text);
    return status;
}

/* JSON that someone else made: it must be what the reader takes. */
static enum eng_status add_object(struct rows *rows, const char *key, const char *text,
                                  struct eng_error *err)
{
    if (!text) return ENG_OK;
    const struct eng_json_place metadata = {.path = "metadata", .arena = rows->arena, .err = err};
    const struct eng_json_place place = eng_json_within(&metadata, key);
    json_t *value;
    enum eng_status status =
        eng_json_parse(&place, text, strlen(text), CARD_MAX_JSON_BYTES, &value);
    if (status != ENG_OK) return status;
    bool is_object = json_is_object(value);
    json_decref(value);
    if (!is_object) return eng_fail(err, ENG_ARGUMENT, "%s is no JSON object", key);
    return add_text(rows, key, text, err);
}

static enum eng_status add_names(struct rows *rows, const char *key, const char *const *names,
                                 size_t n, struct eng_error *err)
{
    json_t *list = json_array();
    if (!list) return eng_fail_memory(err, key);
    for (size_t i = 0; i < n; i++) {
        if (json_array_append_new(list, json_string(names[i])) == 0) continue;
        json_decref(list);
        return eng_fail(err, ENG_ARGUMENT, "%s[%zu] is not UTF-8 text, or memory is out", key, i);
    }
    return add_json_take(rows, key, list, err);
}

static enum eng_status add_preprocess(struct rows *rows, const struct eng_preprocess *pre,
                                      struct eng_error *err)
{
    const char *range = card_pixel_range(pre);
    if (pre->width_px == 0 || pre->height_px == 0)
        return eng_fail(err, ENG_ARGUMENT, "the card's picture size is %u x %u; wanted 1 or more",
                        pre->width_px, pre->height_px);
    enum eng_status status = add_text(rows, "Image.BitmapPixelFormat", card_pixel_format(pre), err);
    if (status == ENG_OK && range) status = add_text(rows, "Image.NominalPixelRange", range, err);
    if (status == ENG_OK)
        status = add_json_take(rows, "classifyd.preprocess", card_preprocess_json(pre), err);
    return status;
}

/* What was said or guessed is written, for another reader may guess otherwise. */
static bool is_open(const struct eng_card *card, enum eng_card_item item)
{
    return card->origin[item] != ENG_ORIGIN_DEFAULT;
}

enum eng_status eng_card_write(const struct eng_card *card, const struct eng_golden *golden,
                               const char *history, const char *recipe, struct eng_arena *arena,
                               struct onnx_property **out, size_t *n_out, struct eng_error *err)
{
    struct rows rows = {.arena = arena};
    rows.property = eng_arena_alloc(arena, MAX_PROPERTIES, sizeof *rows.property);
    if (!rows.property) return eng_fail_memory(err, "metadata");
    enum eng_status status = card->n_features > 0 ? add_names(&rows, "classifyd.features",
                                                              card->features, card->n_features, err)
                                                  : add_preprocess(&rows, &card->preprocess, err);
    if (status == ENG_OK && card->labels)
        status = add_names(&rows, "classifyd.labels", card->labels, card->n_classes, err);
    if (status == ENG_OK && is_open(card, ENG_CARD_OUTPUT))
        status = add_json_take(&rows, "classifyd.output", json_string(card->output), err);
    if (status == ENG_OK && (card->add_softmax || is_open(card, ENG_CARD_SOFTMAX)))
        status = add_json_take(&rows, "classifyd.softmax", json_boolean(card->add_softmax), err);
    if (status == ENG_OK && card->top > 0)
        status = add_json_take(&rows, "classifyd.top", json_integer((json_int_t)card->top), err);
    if (status == ENG_OK && card->n_golden > 0)
        status = add_json_take(&rows, "classifyd.golden", card_golden_json(card, golden), err);
    if (status == ENG_OK) status = add_object(&rows, "classifyd.history", history, err);
    if (status == ENG_OK) status = add_object(&rows, "classifyd.recipe", recipe, err);
    if (status != ENG_OK) return status;
    *out = rows.property;
    *n_out = rows.n;
    return ENG_OK;
}
