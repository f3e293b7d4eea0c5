/* The model card: metadata_props and config.json <-> struct eng_card. The home of jansson here. */
#ifndef ENG_MODEL_CARD_H
#define ENG_MODEL_CARD_H

#include "base/arena.h"
#include "engine/model.h"
#include "onnx/onnx.h"

/*
 * Metadata keys that we write and read (values are JSON unless they are the spec's own):
 *   Image.BitmapPixelFormat "Gray8" | "Rgb8" | "Bgr8"   (the ONNX metadata spec's key)
 *   Image.NominalPixelRange "NominalRange_0_255"
 *   classifyd.labels      ["0", "1", ...]
 *   classifyd.preprocess  {"color": "gray", "resize": "stretch", "width": 28, "height": 28,
 *                          "layout": "chw", "scale": 0.0039, "mean": [..], "std": [..]}
 *   classifyd.golden      [{"pixels": "<base64, [H, W, C] bytes>", "probabilities": [..]}, ...]
 *   classifyd.history     {"seed":, "epochs": [{"loss":, "accuracy":, "test_accuracy":}...], ...}
 *   classifyd.recipe      the recipe's JSON, as it was
 * config.json (beside the version folders) may hold "labels", "labels_file", "preprocess", "softmax",
 * "description" with the same meaning; it wins over metadata. An unknown key is an error with the
 * nearest name.
 */
struct eng_golden {
    const uint8_t *pixels;      /* [H, W, C] of the model's size */
    const float *probabilities; /* [n_classes] */
};

/* What is known before the graph: everything optional. */
struct eng_card_source {
    struct eng_card card;           /* labels NULL, n_classes 0 when not given */
    bool has_preprocess, has_softmax; /* has_softmax: card.add_softmax was stated */
    const struct eng_golden *golden; /* [card.n_golden] */
};

/*
 * Purpose: fills from the file's metadata, then from the config file (NULL: none).
 * Ownership: strings and arrays live in arena.
 * Errors: FORMAT naming file, key, value found and wanted; IO; NO_MEMORY.
 */
enum eng_status eng_card_read(const struct onnx_model *onnx, const char *config_path,
                              struct eng_arena *arena, struct eng_card_source *out,
                              struct eng_error *err);

/*
 * Purpose: the metadata rows for a card; the trainer's half. history and recipe may be NULL.
 * Ownership: strings and rows live in arena.
 */
enum eng_status eng_card_write(const struct eng_card *card, const struct eng_golden *golden,
                               const char *history, const char *recipe, struct eng_arena *arena,
                               struct onnx_property **out, size_t *n_out, struct eng_error *err);

#endif
