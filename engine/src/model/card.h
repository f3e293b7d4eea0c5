/* The model card: metadata_props and config.json <-> struct eng_card. */
#ifndef ENG_MODEL_CARD_H
#define ENG_MODEL_CARD_H

#include "base/arena.h"
#include "engine/model.h"
#include "graph/ways.h"
#include "onnx/onnx.h"

/*
 * Metadata keys that we write and read (values are JSON unless they are the spec's own):
 *   Image.BitmapPixelFormat "Gray8" | "Rgb8" | "Bgr8"   (the ONNX metadata spec's key)
 *   Image.NominalPixelRange "NominalRange_0_255" | "Normalized_0_1" | "Normalized_1_1" |
 *                           "NominalRange_16_235"       written when it says the whole truth
 *   Image.ColorSpaceGamma   "SRGB"                      read only; anything else is refused
 *   classifyd.labels      ["0", "1", ...]
 *   classifyd.features    ["area", ...]: the input is [N, features], not a picture; without labels
 *                         the output is a number for each sample, [N, 1]
 *   classifyd.preprocess  {"color": "gray" | "rgb" | "bgr", "layout": "chw" | "hwc" (or "nchw",
 *                          "nhwc"), "resize": "stretch" | "center_crop" | "letterbox",
 *                          "filter": "bilinear" | "bicubic" | "nearest", "antialias": true,
 *                          "background": [0, 0, 0], "width": 28, "height": 28,
 *                          "shorter_side": 256 | "crop_percentage": 87.5, "scale": 0.0039,
 *                          "mean": [..], "std": [..], "preset": "imagenet-tf"}
 *   classifyd.output      "scores": the output that holds the answers, or its place, 0 the first
 *   classifyd.top         5: classes to show when nobody says how many
 *   classifyd.softmax     true: that output holds scores, not probabilities
 *   classifyd.golden      [{"pixels": "<base64, [H, W, C] bytes>", "probabilities": [..]}, ...]
 *   classifyd.history     {"seed":, "epochs": [{"loss":, "accuracy":, "test_accuracy":}...], ...}
 *   classifyd.recipe      the recipe's JSON, as it was
 * config.json (in the version folder, or beside it) may hold "labels", "labels_file" (beside
 * config.json, in the forms of card_labels.c), "preprocess", "output", "softmax", "top",
 * "description" with the same meaning, "engine", which says how to compute, "batching", and
 * "version_labels" and "version_policy", which classifyd reads; it wins over metadata, key by key,
 * and a preset counts as all its keys. An unknown key is an error with the nearest name.
 * docs/preprocessing.md is for users.
 */
struct eng_golden {
    const uint8_t *pixels;      /* [H, W, C] of the model's size */
    const float *probabilities; /* [n_classes] */
};

enum { ENG_CARD_UNSAID = -1 };

/* How config.json wants the model computed: "engine". */
struct eng_card_engine {
    int tuning;           /* of enum eng_tuning, or ENG_CARD_UNSAID */
    int precision;        /* of enum eng_precision, or ENG_CARD_UNSAID */
    struct eng_pin *pins; /* [n_pins] */
    size_t n_pins;
};

/*
 * What is known before the graph: everything optional. card.preprocess always holds a whole: what
 * was not said is stretch, scale 1/255, mean 0, std 1; what has_... says was left open follows the
 * input.
 */
struct eng_card_source {
    /* labels NULL, n_classes 0, output NULL when not given; output may be a place, "1". */
    struct eng_card card;
    bool
        has_preprocess; /* the values' range was said: a preprocess object or a NominalPixelRange */
    bool has_color, has_layout, has_size;
    bool has_softmax;         /* card.add_softmax was stated */
    uint32_t default_side_px; /* of a preset: a square, if neither card nor graph tell the size */
    double crop_percentage;   /* of CENTER_CROP: stands for shorter_side_px; 0: not said */
    const struct eng_golden
        *golden; /* [card.n_golden]; then labels, color and size are known too */
    struct eng_card_engine engine;
};

/*
 * Purpose: fills from the file's metadata, then from the config file, then from options.preset and
 * options.labels_path (options NULL: from metadata alone).
 * Ownership: strings and arrays live in arena.
 * Errors: FORMAT naming file, key, value found and wanted; UNSUPPORTED; LIMIT; IO; NO_MEMORY.
 */
enum eng_status eng_card_read(const struct onnx_model *onnx,
                              const struct eng_model_options *options, struct eng_arena *arena,
                              struct eng_card_source *out, struct eng_error *err);

/*
 * Purpose: what follows from the size, once card.preprocess has it: the crop's shorter side.
 * Errors: FORMAT for one that does not fit.
 */
enum eng_status eng_card_settle_size(struct eng_card_source *source, struct eng_error *err);

/* Purpose: takes scale, mean and std of a preset of colour pictures that exists, in the order of
 * the card's color; a color that was guessed, too. */
void eng_card_take_values(struct eng_card_source *source, const char *preset);

/*
 * Purpose: the metadata rows for a card; the trainer's half. history and recipe may be NULL.
 * Ownership: strings and rows live in arena.
 * Errors: ARGUMENT (text that is not UTF-8 or not JSON), LIMIT, NO_MEMORY.
 */
enum eng_status eng_card_write(const struct eng_card *card, const struct eng_golden *golden,
                               const char *history, const char *recipe, struct eng_arena *arena,
                               struct onnx_property **out, size_t *n_out, struct eng_error *err);

#endif
