/*
 * Any text as config.json, and as the value of every metadata key, is a card or an error sentence.
 * A whole card can be written, and comes back.
 */
#include "model/card.h"
#include "model/card_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = {
    "classifyd.labels",  "classifyd.preprocess",    "classifyd.softmax",       "classifyd.golden",
    "classifyd.history", "classifyd.recipe",        "classifyd.unknown",       "classifyd.output",
    "classifyd.top",     "Image.BitmapPixelFormat", "Image.NominalPixelRange",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static enum eng_status read_rows(struct onnx_property *rows, size_t n, struct eng_arena *arena,
                                 struct eng_card_source *out, struct eng_error *err)
{
    const struct onnx_model onnx = {.producer_name = "",
                                    .producer_version = "",
                                    .doc_string = "",
                                    .graph_name = "",
                                    .properties = rows,
                                    .n_properties = n};
    enum eng_status status = eng_card_read(&onnx, NULL, arena, out, err);
    require(status == err->status);
    require((status == ENG_OK) == (err->text[0] == '\0'));
    return status;
}

static void write_and_read_back(const struct eng_card_source *source, struct eng_arena *arena)
{
    struct onnx_property *rows;
    size_t n;
    struct eng_card_source back;
    struct eng_error err = {0};
    require(eng_card_write(&source->card, source->golden, source->card.history, NULL, arena, &rows,
                           &n, &err) == ENG_OK);
    require(read_rows(rows, n, arena, &back, &err) == ENG_OK);
    require(back.card.n_classes == source->card.n_classes);
    require(back.card.preprocess.width_px == source->card.preprocess.width_px);
    require(back.card.preprocess.scale == source->card.preprocess.scale);
}

static void try_metadata(const char *key, const char *text)
{
    struct onnx_property row = {.key = key, .value = text};
    struct eng_card_source source;
    struct eng_error err = {0};
    struct eng_arena arena;
    eng_arena_init(&arena);
    if (read_rows(&row, 1, &arena, &source, &err) == ENG_OK && source.has_size)
        write_and_read_back(&source, &arena);
    eng_arena_fini(&arena);
}

static void try_config(const char *text, size_t n_bytes)
{
    struct card_draft draft = {.n_mean = 0};
    struct eng_error err = {0};
    struct eng_arena arena;
    eng_arena_init(&arena);
    card_preprocess_defaults(&draft.source.card.preprocess);
    struct eng_json_place place = {
        .path = "no-such-folder/config.json", .arena = &arena, .err = &err};
    enum eng_status status = card_parse_config(&place, text, n_bytes, &draft);
    if (status == ENG_OK) status = card_preprocess_finish(&place, &draft);
    if (status == ENG_OK) status = card_golden_finish(&place, &draft);
    require(status == err.status);
    eng_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    if (n_bytes) memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    try_config(text, n_bytes);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        try_metadata(keys[i], text);
    free(text);
    return 0;
}
