/* Values of the card's JSON: parsed, checked, copied; sentences name file, key, found and wanted.
 */
#ifndef ENG_MODEL_CARD_JSON_H
#define ENG_MODEL_CARD_JSON_H

#include "base/arena.h"
#include "base/fields.h"
#include "engine/status.h"

#include <jansson.h>

enum { CARD_JSON_MAX_BYTES = 8 << 20 };

/* Where a value stands: "config.json: preprocess.scale". */
struct card_place {
    const char *path;  /* the file, or "metadata" */
    const char *where; /* the keys down to the object at hand, "" at the top */
    struct eng_arena *arena;
    struct eng_error *err;
};

/* Purpose: parses a text that stands at place. End *out with json_decref.
 * Errors: FORMAT with line and column, a duplicate key included; LIMIT; NO_MEMORY. */
enum eng_status card_json_parse(const struct card_place *place, const char *text, size_t n_bytes,
                                json_t **out);

/* Purpose: fails with "<path>: <where>.<key> is <value>; wanted <wanted>"; value NULL: missing. */
enum eng_status card_json_fail(const struct card_place *place, const char *key, const json_t *value,
                               const char *wanted);

/* Purpose: fails for a key that is not among names (NULL-terminated), with the nearest of them. */
enum eng_status card_json_fail_key(const struct card_place *place, const char *key,
                                   const char *const *names);

/* Purpose: sets one member of the struct at base: an INT, FLOAT or CHOICE row. */
enum eng_status card_json_set(const struct card_place *place, const struct eng_field *field,
                              const json_t *value, void *base);

/* Purpose: a copy of a string in the arena. */
enum eng_status card_json_string(const struct card_place *place, const char *key,
                                 const json_t *value, const char **out);

/* Purpose: a list of min_n to max_n numbers in [least, most] into values; wanted: for the message.
 */
enum eng_status card_json_floats(const struct card_place *place, const char *key,
                                 const json_t *value, double least, double most, size_t min_n,
                                 size_t max_n, float *values, size_t *n, const char *wanted);

#endif
