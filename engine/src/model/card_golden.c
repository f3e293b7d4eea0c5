#include "model/card_parts.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/spelling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_GOLDEN = 1000 };

static enum eng_status read_pixels(const struct eng_json_place *place, const json_t *value,
                                   struct eng_golden *golden, size_t *n)
{
    if (!json_is_string(value)) return eng_json_fail(place, "pixels", value, "a base64 string");
    size_t n_text = json_string_length(value);
    uint8_t *bytes = eng_arena_alloc(place->arena, eng_base64_decoded_max(n_text), 1);
    if (!bytes) return eng_fail_memory(place->err, "golden samples");
    if (!eng_base64_decode(json_string_value(value), n_text, bytes, n))
        return eng_json_fail(place, "pixels", value, "base64 with its padding");
    golden->pixels = bytes;
    return ENG_OK;
}

static enum eng_status read_probabilities(const struct eng_json_place *place, const json_t *value,
                                          struct eng_golden *golden, size_t *n)
{
    size_t n_found = json_array_size(value);
    float *values = eng_arena_alloc(place->arena, n_found + 1, sizeof *values);
    if (!values) return eng_fail_memory(place->err, "golden samples");
    golden->probabilities = values;
    return eng_json_floats(place, "probabilities", value, 0, 1, 1, n_found, values, n,
                           "a list of numbers from 0 to 1");
}

static enum eng_status read_sample(const struct eng_json_place *place, const json_t *value,
                                   struct eng_golden *golden, size_t *n_bytes, size_t *n_classes)
{
    static const char *const keys[] = {"pixels", "probabilities", NULL};
    const char *name;
    json_t *item;
    json_object_foreach((json_t *)value, name, item)
    {
        if (strcmp(name, "pixels") != 0 && strcmp(name, "probabilities") != 0)
            return eng_json_fail_unknown(place, name, keys);
    }
    enum eng_status status = read_pixels(place, json_object_get(value, "pixels"), golden, n_bytes);
    if (status != ENG_OK) return status;
    return read_probabilities(place, json_object_get(value, "probabilities"), golden, n_classes);
}

/* All samples must have the size of the first, which card_golden_finish compares with the model's.
 */
static enum eng_status check_size(const struct eng_json_place *place, const char *what,
                                  size_t found, size_t wanted)
{
    if (found == wanted) return ENG_OK;
    return eng_fail(place->err, ENG_FORMAT, "%s: %s has %zu %s; wanted %zu, as the first sample",
                    place->path, place->where, found, what, wanted);
}

enum eng_status card_read_golden(const struct eng_json_place *place, const char *key,
                                 const json_t *value, struct card_draft *draft)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > MAX_GOLDEN)
        return eng_json_fail(place, key, value, "a list of at most 1000 samples");
    struct eng_golden *golden = eng_arena_alloc(place->arena, n + 1, sizeof *golden);
    if (!golden) return eng_fail_memory(place->err, "golden samples");
    for (size_t i = 0; i < n; i++) {
        char where[64];
        snprintf(where, sizeof where, "%s[%zu]", key, i);
        struct eng_json_place inner = eng_json_within(place, where);
        size_t n_bytes, n_classes;
        const json_t *sample = json_array_get(value, i);
        if (!json_is_object(sample)) return eng_json_fail(place, where, sample, "an object");
        enum eng_status status = read_sample(&inner, sample, &golden[i], &n_bytes, &n_classes);
        if (status == ENG_OK && i == 0) {
            draft->n_golden_bytes = n_bytes;
            draft->n_golden_classes = n_classes;
        }
        if (status == ENG_OK)
            status = check_size(&inner, "bytes of pixels", n_bytes, draft->n_golden_bytes);
        if (status == ENG_OK)
            status = check_size(&inner, "probabilities", n_classes, draft->n_golden_classes);
        if (status != ENG_OK) return status;
    }
    draft->source.golden = golden;
    draft->source.card.n_golden = n;
    return ENG_OK;
}

enum eng_status card_golden_finish(const struct eng_json_place *place,
                                   const struct card_draft *draft)
{
    const struct eng_card_source *source = &draft->source;
    if (source->card.n_golden == 0) return ENG_OK;
    if (!source->card.labels || !source->has_size || !source->has_color || !source->has_preprocess)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: golden samples are recorded; wanted labels and preprocess with color, "
                        "width and height beside them",
                        place->path);
    if (draft->n_golden_bytes != eng_preprocess_count(&source->card.preprocess))
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: golden samples have %zu bytes of pixels; wanted %zu (%u x %u x %u) as "
                        "preprocess says",
                        place->path, draft->n_golden_bytes,
                        eng_preprocess_count(&source->card.preprocess),
                        source->card.preprocess.height_px, source->card.preprocess.width_px,
                        eng_preprocess_channels(&source->card.preprocess));
    if (draft->n_golden_classes != source->card.n_classes)
        return eng_fail(place->err, ENG_FORMAT,
                        "%s: golden samples have %zu probabilities; wanted %zu, one for each label",
                        place->path, draft->n_golden_classes, source->card.n_classes);
    return ENG_OK;
}

static json_t *pixels_json(const struct eng_card *card, const struct eng_golden *golden)
{
    size_t n_bytes = eng_preprocess_count(&card->preprocess);
    char *text = malloc(eng_base64_encoded_length(n_bytes) + 1);
    if (!text) return NULL;
    eng_base64_encode(golden->pixels, n_bytes, text);
    json_t *string = json_string(text);
    free(text);
    return string;
}

static json_t *probabilities_json(const struct eng_card *card, const struct eng_golden *golden)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < card->n_classes; i++) {
        if (json_array_append_new(list, json_real((double)golden->probabilities[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

json_t *card_golden_json(const struct eng_card *card, const struct eng_golden *golden)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < card->n_golden; i++) {
        json_t *sample = json_pack("{so so}", "pixels", pixels_json(card, &golden[i]),
                                   "probabilities", probabilities_json(card, &golden[i]));
        if (!sample || json_array_append_new(list, sample) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
