/* JSON values into structs and arrays, checked; sentences name file, key, found and wanted. */
#ifndef ENG_BASE_JSON_H
#define ENG_BASE_JSON_H

#include "base/arena.h"
#include "base/fields.h"
#include "engine/status.h"

#include <jansson.h>

/* Where a value stands, for sentences: "recipe.json: optimiser.momentum". */
struct eng_json_place {
    const char *path;        /* the file, or what else holds the text */
    struct eng_arena *arena; /* strings are copied here */
    struct eng_error *err;
    char where[160]; /* "optimiser", "layers[3].branches[1][0]"; "" at the top */
};

/* Purpose: a place one step further in. */
struct eng_json_place eng_json_within(const struct eng_json_place *place, const char *where);

/* Purpose: parses a text of at most max_bytes. End *out with json_decref.
 * Errors: FORMAT with line and column, a key that stands twice included; LIMIT; NO_MEMORY. */
enum eng_status eng_json_parse(const struct eng_json_place *place, const char *text, size_t n_bytes,
                               size_t max_bytes, json_t **out);

/* Purpose: fails with "<path>: <where>.<key> is <value>; wanted <wanted>"; value NULL: missing. */
enum eng_status eng_json_fail(const struct eng_json_place *place, const char *key,
                              const json_t *value, const char *wanted);

/* Purpose: fails for a key that no table has, naming nearest unless that is NULL. */
enum eng_status eng_json_fail_key(const struct eng_json_place *place, const char *key,
                                  const char *nearest);

/* Purpose: the same, naming the nearest of names (NULL-terminated), or all if none is near. */
enum eng_status eng_json_fail_unknown(const struct eng_json_place *place, const char *key,
                                      const char *const *names);

/* Purpose: sets one member from a value, checking its type and range. */
enum eng_status eng_json_set(const struct eng_json_place *place, const struct eng_field *field,
                             const json_t *value, void *base);

/* Purpose: a copy in the arena, never NULL on success. */
enum eng_status eng_json_string(const struct eng_json_place *place, const char *key,
                                const json_t *value, const char **out);

/* Purpose: a list of min_n to max_n numbers in [least, most] into values; wanted: for the message.
 */
enum eng_status eng_json_floats(const struct eng_json_place *place, const char *key,
                                const json_t *value, double least, double most, size_t min_n,
                                size_t max_n, float *values, size_t *n, const char *wanted);

/*
 * Purpose: writes the defaults, then every key of the object but those in skip (NULL-terminated,
 * NULL: none), which the caller reads itself. object NULL: defaults only.
 */
enum eng_status eng_json_fields(const struct eng_json_place *place, const json_t *object,
                                const struct eng_field *fields, size_t n_fields,
                                const char *const *skip, void *base);

#endif
