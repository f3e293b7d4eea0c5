/* The parts of a card, each read from JSON that stands in metadata or in config.json. */
#ifndef ENG_MODEL_CARD_PARTS_H
#define ENG_MODEL_CARD_PARTS_H

#include "base/json.h"
#include "model/card.h"

enum { CARD_MAX_JSON_BYTES = 8 << 20 };

/* A card while it is being read. */
struct card_draft {
    struct eng_card_source source;
    size_t n_mean, n_std;  /* how many values were given; 0: none */
    size_t n_golden_bytes; /* of each golden sample's pixels */
    size_t n_golden_classes;
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

card_part_fn card_read_labels;
card_part_fn card_read_features;
card_part_fn card_read_preprocess;
card_part_fn card_read_softmax;
card_part_fn card_read_golden;

/* --- preprocess: card_preprocess.c --- */

/* Purpose: what holds for a card that says nothing. */
void card_preprocess_defaults(struct eng_preprocess *pre);

/* Purpose: checks what only the whole shows: channels against mean and std, the crop. */
enum eng_status card_preprocess_finish(const struct eng_json_place *place,
                                       struct card_draft *draft);

/* Purpose: the inverse of card_read_preprocess; NULL when out of memory. */
json_t *card_preprocess_json(const struct eng_preprocess *pre);

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

#endif
