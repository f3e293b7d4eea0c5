/* The parts of a card, each read from JSON that stands in metadata or in config.json. */
#ifndef ENG_MODEL_CARD_PARTS_H
#define ENG_MODEL_CARD_PARTS_H

#include "base/json.h"
#include "model/card.h"

enum { CARD_MAX_JSON_BYTES = 8 << 20 };

/* A card while it is being read. */
struct card_draft {
    struct eng_card_source source;
    enum eng_origin origin; /* of what is being read */
    bool has_scale;         /* somebody said what pixels are multiplied by */
    size_t n_mean, n_std;   /* how many values were given; 0: none */
    size_t n_golden_bytes;  /* of each golden sample's pixels */
    size_t n_golden_classes;
    bool config_has_no_folder; /* it is text that somebody sent */
};

/* All of these: Errors: FORMAT through place, NO_MEMORY. */
typedef enum eng_status card_part_fn(const struct eng_json_place *place, const char *key,
                                     const json_t *value, struct card_draft *draft);

/* A key and what reads its value. */
struct card_key {
    const char *name;
    card_part_fn *read;
};

/* Purpose: reads one value through the row of that name; an unknown name fails with the nearest. */
enum eng_status card_read_key(const struct eng_json_place *place, const struct card_key *rows,
                              size_t n_rows, const char *name, const json_t *value,
                              struct card_draft *draft);

card_part_fn card_read_features;
card_part_fn card_read_preprocess;
card_part_fn card_read_output;
card_part_fn card_read_softmax;
card_part_fn card_read_output;
card_part_fn card_read_top;
card_part_fn card_read_engine;
card_part_fn card_read_batching;
card_part_fn card_read_golden;

/* --- preprocess: card_preprocess.c --- */

/* Purpose: what holds for a card that says nothing. */
void card_preprocess_defaults(struct eng_preprocess *pre);

/* Purpose: checks what only the whole shows: channels against mean and std, the crop. */
enum eng_status card_preprocess_finish(const struct eng_json_place *place,
                                       struct card_draft *draft);

/* Purpose: whether preprocess has such a key. */
bool card_is_preprocess_key(const char *name);

/* Purpose: the key that does what other frameworks call by this name; NULL if none is known. */
const char *card_word_elsewhere(const char *name);

/* Purpose: the inverse of card_read_preprocess; NULL when out of memory. */
json_t *card_preprocess_json(const struct eng_preprocess *pre);

/* Purpose: sets all that the preset says. Errors: FORMAT naming the presets. */
enum eng_status card_set_preset(const struct eng_json_place *place, const char *name,
                                struct card_draft *draft);

/* --- labels: card_labels.c --- */

/*
 * Purpose: labels from JSON: a list of strings, or a map of index to name, of index to [id, name]
 * (Keras) or of name to index (class_to_idx).
 */
card_part_fn card_set_labels;

/* Purpose: the strings of a list into names, which has room for them. */
enum eng_status card_read_strings(const struct eng_json_place *place, const char *key,
                                  const json_t *list, const char **names);

/*
 * Purpose: labels from a file's text: the JSON above, or one label a line. If all lines begin with
 * a WordNet id ("n01440764 tench"), or each with its index ("0,tench"), that is left out. path
 * names the text in sentences.
 */
enum eng_status card_parse_labels(const struct eng_json_place *place, const char *path,
                                  const char *text, size_t n, struct card_draft *draft);

/* Purpose: the same from a file. Errors: FORMAT, IO, NOT_FOUND, LIMIT, naming it. */
enum eng_status card_load_labels(const struct eng_json_place *place, const char *path,
                                 struct card_draft *draft);

/* --- the spec's own Image.* keys: card_image_keys.c --- */

enum eng_status card_read_image_keys(const struct eng_json_place *place,
                                     const struct onnx_model *onnx, struct card_draft *draft);

/* Purpose: "Rgb8" and the like; "Normalized_0_1" and the like, or NULL if none says all of it. */
const char *card_pixel_format(const struct eng_preprocess *pre);
const char *card_pixel_range(const struct eng_preprocess *pre);

/* --- golden samples: card_golden.c --- */

/* Purpose: checks the samples against labels and preprocessing. */
enum eng_status card_golden_finish(const struct eng_json_place *place,
                                   const struct card_draft *draft);

/* Purpose: the inverse of card_read_golden; NULL when out of memory. */
json_t *card_golden_json(const struct eng_card *card, const struct eng_golden *golden);

/* --- config.json: card_config.c --- */

/* Purpose: reads the text of a config file; place says which, for messages and labels_file. */
enum eng_status card_parse_config(const struct eng_json_place *place, const char *text,
                                  size_t n_bytes, struct card_draft *draft);

/* Errors: FORMAT, IO, NOT_FOUND, LIMIT, naming the file. */
enum eng_status card_read_config(const char *path, struct eng_arena *arena,
                                 struct card_draft *draft, struct eng_error *err);

/* Purpose: the same from text that stands in no file: labels_file is refused. */
enum eng_status card_read_config_text(const char *text, struct eng_arena *arena,
                                      struct card_draft *draft, struct eng_error *err);

#endif
