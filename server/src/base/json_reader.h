/*
 * Reads JSON (RFC 8259) value by value, in order, without building it in memory: for the bodies of
 * inference requests, of which numbers and pictures make up nearly all. What is refused: all that
 * the RFC does, nesting deeper than SRV_JSON_MAX_DEPTH, text that is not UTF-8, lone surrogates,
 * numbers that a double cannot hold. Duplicate names are for the caller to see.
 *
 *     srv_json_init(&json, text, n_bytes, &err);
 *     if (srv_json_enter(&json, SRV_JSON_OBJECT))
 *         while (srv_json_next(&json))
 *             if (srv_json_is_key(&json, "id")) srv_json_string(&json, &id);
 *             else srv_json_skip(&json);
 *     if (!srv_json_end(&json)) ... err says why
 *
 * After the first failure every call returns false, and loops end. Errors begin with the path of
 * the value: "inputs[0].data[17]: found NaN, wanted a number".
 */
#ifndef SRV_BASE_JSON_READER_H
#define SRV_BASE_JSON_READER_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SRV_JSON_MAX_DEPTH = 32 };

enum srv_json_kind {
    SRV_JSON_NONE, /* nothing that begins a value */
    SRV_JSON_OBJECT,
    SRV_JSON_ARRAY,
    SRV_JSON_STRING,
    SRV_JSON_NUMBER,
    SRV_JSON_TRUE,
    SRV_JSON_FALSE,
    SRV_JSON_NULL
};

/* Text as it stands between the quotes, in valid UTF-8 with valid escapes. Borrowed. */
struct srv_json_text {
    const char *bytes;
    size_t n_bytes;
    bool has_escapes;
};

/* An object or array that is being read. */
struct srv_json_level {
    bool is_array, has_begun;
    size_t index;             /* of the element */
    struct srv_json_text key; /* of the member */
};

struct srv_json {
    const char *at, *end;
    struct eng_error *err;
    bool failed;
    size_t depth;
    struct srv_json_level levels[SRV_JSON_MAX_DEPTH];
};

/* Purpose: begins to read. text[n_bytes] must be readable and 0. err may be NULL. */
void srv_json_init(struct srv_json *json, const char *text, size_t n_bytes, struct eng_error *err);

/* Purpose: what the next value is; consumes white space only. */
enum srv_json_kind srv_json_peek(struct srv_json *json);

/* Purpose: "an object", "a number" ... for sentences. */
const char *srv_json_kind_name(enum srv_json_kind kind);

/* Purpose: goes into the object or array that must come next. */
bool srv_json_enter(struct srv_json *json, enum srv_json_kind kind);

/* Purpose: the next member or element of the innermost object or array, whose value is to be read
 * then. False: it has ended, or a failure. */
bool srv_json_next(struct srv_json *json);

/* Purpose: whether the member that srv_json_next came to has this name. */
bool srv_json_is_key(const struct srv_json *json, const char *name);

/* Purpose: the name of the member. Borrowed. */
const struct srv_json_text *srv_json_key(const struct srv_json *json);

/* Purpose: reads the value, which must be of the kind. */
bool srv_json_string(struct srv_json *json, struct srv_json_text *out);
bool srv_json_number(struct srv_json *json, double *out);
bool srv_json_bool(struct srv_json *json, bool *out);
/* A whole number of min to max, of less than 2^53: what is larger is not read exactly. */
bool srv_json_integer(struct srv_json *json, int64_t min, int64_t max, int64_t *out);

/* Purpose: passes over a value of any kind, which is checked. */
bool srv_json_skip(struct srv_json *json);

/* Purpose: true if the text ended after the value, and nothing failed. */
bool srv_json_end(struct srv_json *json);

/* Purpose: makes err the path of the value that is being read and the sentence; returns false. */
bool srv_json_fail(struct srv_json *json, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Purpose: the same with ENG_LIMIT, for what is well-formed but too much. */
bool srv_json_fail_limit(struct srv_json *json, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Purpose: the bytes that the text stands for; to has room for text->n_bytes, which they never
 * exceed. Returns how many there are. */
size_t srv_json_unescape(const struct srv_json_text *text, char *to);

/* Purpose: whether the text stands for this string. */
bool srv_json_text_is(const struct srv_json_text *text, const char *string);

/* Purpose: unescapes to a string of capacity bytes with its zero; fails if it does not fit, or
 * holds a zero byte. */
bool srv_json_copy(struct srv_json *json, const struct srv_json_text *text, char *to,
                   size_t capacity);

enum { SRV_JSON_MAX_RANK = 8 };

/* Numbers of nested lists. */
struct srv_json_numbers {
    float *values; /* malloc'd */
    size_t n;
    size_t rank, dim[SRV_JSON_MAX_RANK]; /* lists at one depth are of one length */
};

/*
 * Purpose: reads nested lists of numbers (rank 1 and more) as floats, each the double that strtod
 * gives, rounded.
 * Ownership: the caller frees out->values. Errors: more than max_n numbers, lists of unequal
 * length, anything but finite numbers, numbers beyond a float's range; the sentence says where.
 * Cost: 10 to 20 ns a number.
 */
bool srv_json_read_numbers(struct srv_json *json, size_t max_n, struct srv_json_numbers *out);

#endif
