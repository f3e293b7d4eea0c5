/* JSON objects into structs through field tables; with recipe*.c the home of jansson in train/. */
#ifndef ENG_TRAIN_RECIPE_JSON_H
#define ENG_TRAIN_RECIPE_JSON_H

#include "base/arena.h"
#include "base/fields.h"
#include "train/kinds.h"

#include <jansson.h>

/* Where a value stands, for sentences: "recipe.json: optimiser.momentum". */
struct eng_json_place {
    const char *path;
    struct eng_arena *arena; /* strings are copied here */
    struct eng_error *err;
    char where[64]; /* "optimiser", "layer 3 (Conv)"; "" at the top */
};

/* Purpose: fails with "<path>: <where>.<key> is <value>; wanted <wanted>". */
enum eng_status eng_json_fail(const struct eng_json_place *place, const char *key,
                              const json_t *value, const char *wanted);

/* Purpose: fails for a key that no table has, naming nearest unless that is NULL. */
enum eng_status eng_json_fail_key(const struct eng_json_place *place, const char *key,
                                  const char *nearest);

/* Purpose: sets one member from a value, checking its type and range. */
enum eng_status eng_json_set(const struct eng_json_place *place, const struct eng_field *field,
                             const json_t *value, void *base);

/* Purpose: a copy in the arena, never NULL on success. */
enum eng_status eng_json_string(const struct eng_json_place *place, const char *key,
                                const json_t *value, const char **out);

/*
 * Purpose: writes the defaults, then every key of the object but those in skip (NULL-terminated,
 * NULL: none), which the caller reads itself. object NULL: defaults only.
 */
enum eng_status eng_json_fields(const struct eng_json_place *place, const json_t *object,
                                const struct eng_field *fields, size_t n_fields,
                                const char *const *skip, void *base);

/* Purpose: the "kind" key (missing: the first kind), then the keys of that kind. */
enum eng_status eng_json_kind(const struct eng_json_place *place, const json_t *object,
                              const struct eng_kind *kinds, size_t n_kinds, int *kind, void *base);

#endif
