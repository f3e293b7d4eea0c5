#include "base/json_reader.h"

#include "base/fail.h"
#include "base/json_number.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void srv_json_init(struct srv_json *json, const char *text, size_t n_bytes, struct eng_error *err)
{
    json->at = text;
    json->end = text + n_bytes;
    json->err = err;
    json->failed = false;
    json->depth = 0;
}

/* --- failures --- */

/* "inputs[0].data[17]"; a path that is longer than n loses its end. */
static void write_path(const struct srv_json *json, char *to, size_t n)
{
    size_t used = 0;
    to[0] = '\0';
    for (size_t i = 0; i < json->depth && used < n; i++) {
        const struct srv_json_level *level = &json->levels[i];
        if (!level->has_begun) break;
        int added = level->is_array
                        ? snprintf(to + used, n - used, "[%zu]", level->index)
                        : snprintf(to + used, n - used, "%s%.*s", i > 0 ? "." : "",
                                   level->key.n_bytes < 40 ? (int)level->key.n_bytes : 40,
                                   level->key.bytes);
        used += added > 0 ? (size_t)added : 0;
    }
}

static bool fail(struct srv_json *json, enum eng_status status, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static bool fail(struct srv_json *json, enum eng_status status, const char *format, va_list args)
{
    static const char whole[] = "the JSON";
    char path[200], sentence[300];
    if (json->failed) return false;
    vsnprintf(sentence, sizeof sentence, format, args);
    write_path(json, path, sizeof path);
    if (!path[0] && strncmp(sentence, whole, strlen(whole)) == 0) /* says so itself */
        srv_fail(json->err, status, "%s", sentence);
    else
        srv_fail(json->err, status, "%s: %s", path[0] ? path : whole, sentence);
    json->failed = true;
    return false;
}

bool srv_json_fail(struct srv_json *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(json, ENG_FORMAT, format, args);
    va_end(args);
    return false;
}

bool srv_json_fail_limit(struct srv_json *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fail(json, ENG_LIMIT, format, args);
    va_end(args);
    return false;
}

/* What stands where something else was wanted, as far as it can be shown. */
static bool fail_at(struct srv_json *json, const char *wanted)
{
    if (json->at >= json->end) return srv_json_fail(json, "the JSON ends, wanted %s", wanted);
    char found[12];
    size_t n = 0;
    while (n + 1 < sizeof found && json->at + n < json->end && json->at[n] > ' ' &&
           json->at[n] <= '~' && !strchr(",]}", json->at[n]))
        n++;
    memcpy(found, json->at, n);
    found[n] = '\0';
    if (n == 0)
        return srv_json_fail(json, "found byte 0x%02x, wanted %s", (unsigned char)*json->at,
                             wanted);
    return srv_json_fail(json, "found \"%s\", wanted %s", found, wanted);
}

/* --- what comes next --- */

static void skip_blanks(struct srv_json *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t'))
        json->at++;
}

enum srv_json_kind srv_json_peek(struct srv_json *json)
{
    if (json->failed) return SRV_JSON_NONE;
    skip_blanks(json);
    if (json->at >= json->end) return SRV_JSON_NONE;
    switch (*json->at) {
    case '{':
        return SRV_JSON_OBJECT;
    case '[':
        return SRV_JSON_ARRAY;
    case '"':
        return SRV_JSON_STRING;
    case 't':
        return SRV_JSON_TRUE;
    case 'f':
        return SRV_JSON_FALSE;
    case 'n':
        return SRV_JSON_NULL;
    default:
        return *json->at == '-' || (*json->at >= '0' && *json->at <= '9') ? SRV_JSON_NUMBER
                                                                          : SRV_JSON_NONE;
    }
}

const char *srv_json_kind_name(enum srv_json_kind kind)
{
    static const char *const names[] = {"no value", "an object", "a list", "a text",
                                        "a number", "true",      "false",  "null"};
    return names[kind];
}

/* True if the next value is of the kind. */
static bool expect(struct srv_json *json, enum srv_json_kind kind)
{
    enum srv_json_kind found = srv_json_peek(json);
    if (json->failed) return false;
    if (found == kind) return true;
    if (found == SRV_JSON_NONE) return fail_at(json, srv_json_kind_name(kind));
    return srv_json_fail(json, "this is %s, wanted %s", srv_json_kind_name(found),
                         srv_json_kind_name(kind));
}

bool srv_json_enter(struct srv_json *json, enum srv_json_kind kind)
{
    if (!expect(json, kind)) return false;
    if (json->depth == SRV_JSON_MAX_DEPTH)
        return srv_json_fail(json, "nested deeper than %d", SRV_JSON_MAX_DEPTH);
    json->levels[json->depth++] = (struct srv_json_level){.is_array = kind == SRV_JSON_ARRAY};
    json->at++;
    return true;
}

static bool read_key(struct srv_json *json, struct srv_json_level *level)
{
    struct srv_json_text key;
    if (!srv_json_string(json, &key)) return false;
    level->key = key;
    skip_blanks(json);
    if (json->at >= json->end || *json->at != ':') return fail_at(json, "a colon");
    json->at++;
    return true;
}

bool srv_json_next(struct srv_json *json)
{
    if (json->failed) return false;
    struct srv_json_level *level = &json->levels[json->depth - 1];
    char close = level->is_array ? ']' : '}';
    skip_blanks(json);
    if (json->at < json->end && *json->at == close) {
        json->at++;
        json->depth--;
        return false;
    }
    if (level->has_begun) {
        if (json->at >= json->end || *json->at != ',')
            return fail_at(json, level->is_array ? "a comma or ]" : "a comma or }");
        json->at++;
        level->index++;
    }
    if (!level->is_array && !read_key(json, level)) return false;
    level->has_begun = true;
    return true;
}

const struct srv_json_text *srv_json_key(const struct srv_json *json)
{
    return &json->levels[json->depth - 1].key;
}

bool srv_json_is_key(const struct srv_json *json, const char *name)
{
    return srv_json_text_is(srv_json_key(json), name);
}

/* --- texts --- */

static int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i], lower = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9'           ? c - '0'
                    : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                   : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_high_surrogate(int unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low_surrogate(int unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* The escape behind a backslash; n bytes are left of the text. Returns its bytes, 0 if it is none.
 */
static size_t escape_bytes(const char *at, size_t n)
{
    if (n > 0 && *at != 'u') return *at && strchr("\"\\/bfnrt", *at) ? 1 : 0;
    if (n < 5) return 0;
    int unit = hex4(at + 1);
    if (unit < 0 || is_low_surrogate(unit)) return 0;
    if (!is_high_surrogate(unit)) return 5;
    return n >= 11 && at[5] == '\\' && at[6] == 'u' && is_low_surrogate(hex4(at + 7)) ? 11 : 0;
}

bool srv_json_string(struct srv_json *json, struct srv_json_text *out)
{
    if (!expect(json, SRV_JSON_STRING)) return false;
    const char *at = json->at + 1;
    struct srv_json_text text = {.bytes = at};
    while (at < json->end && *at != '"') {
        unsigned char c = (unsigned char)*at;
        size_t n = 1;
        if (c == '\\') {
            n = escape_bytes(at + 1, (size_t)(json->end - at - 1));
            if (n == 0) return srv_json_fail(json, "a text has a bad escape");
            n++;
            text.has_escapes = true;
        } else if (c < ' ') {
            return srv_json_fail(json, "a text has the control character 0x%02x", c);
        } else if (c >= 0x80) {
            n = srv_utf8_bytes(at, (size_t)(json->end - at));
            if (n == 0) return srv_json_fail(json, "a text is not UTF-8");
        }
        at += n;
    }
    if (at >= json->end) return srv_json_fail(json, "a text does not end");
    text.n_bytes = (size_t)(at - text.bytes);
    json->at = at + 1;
    *out = text;
    return true;
}

/* Behind the backslash. Moves *at to the escape's end; returns the character. */
static uint32_t read_escape(const char **at)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = *(*at)++;
    if (c != 'u') {
        const char *found = strchr(from, c);
        return (uint32_t)(unsigned char)(found ? to[found - from] : c);
    }
    int unit = hex4(*at);
    *at += 4;
    if (!is_high_surrogate(unit)) return (uint32_t)unit;
    int low = hex4(*at + 2);
    *at += 6;
    return 0x10000u + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
}

size_t srv_json_unescape(const struct srv_json_text *text, char *to)
{
    const char *at = text->bytes, *end = at + text->n_bytes;
    char *begin = to;
    if (!text->has_escapes) {
        memcpy(to, at, text->n_bytes);
        return text->n_bytes;
    }
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++;
        to += srv_utf8_encode(read_escape(&at), to);
    }
    return (size_t)(to - begin);
}

bool srv_json_text_is(const struct srv_json_text *text, const char *string)
{
    const char *at = text->bytes, *end = at + text->n_bytes;
    if (!text->has_escapes)
        return strlen(string) == text->n_bytes && memcmp(at, string, text->n_bytes) == 0;
    while (at < end) {
        char character[4] = {*at++};
        size_t n = 1;
        if (*character == '\\') n = srv_utf8_encode(read_escape(&at), character);
        if (*character == '\0' || strncmp(string, character, n) != 0) return false;
        string += n;
    }
    return *string == '\0';
}

bool srv_json_copy(struct srv_json *json, const struct srv_json_text *text, char *to,
                   size_t capacity)
{
    if (text->n_bytes >= capacity)
        return srv_json_fail(json, "the text has %zu bytes, wanted at most %zu", text->n_bytes,
                             capacity - 1);
    size_t n = srv_json_unescape(text, to);
    if (memchr(to, '\0', n)) return srv_json_fail(json, "the text holds a zero byte");
    to[n] = '\0';
    return true;
}

/* --- other values --- */

bool srv_json_number(struct srv_json *json, double *out)
{
    if (!expect(json, SRV_JSON_NUMBER)) return false;
    double value;
    const char *end = srv_json_scan_double(json->at, &value);
    if (!end) return fail_at(json, "a number");
    if (value - value != 0) return srv_json_fail(json, "the number is too large");
    json->at = end;
    *out = value;
    return true;
}

bool srv_json_integer(struct srv_json *json, int64_t min, int64_t max, int64_t *out)
{
    double value = 0;
    if (!srv_json_number(json, &value)) return false;
    /* From 2^53 on a double may stand for another whole number than the text. */
    bool is_whole = value > -0x1p53 && value < 0x1p53 && value == (double)(int64_t)value;
    if (!is_whole || (int64_t)value < min || (int64_t)value > max)
        return srv_json_fail(json, "this is %.17g, wanted a whole number of %lld to %lld", value,
                             (long long)min, (long long)max);
    *out = (int64_t)value;
    return true;
}

static bool read_word(struct srv_json *json, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(json->end - json->at) < n || memcmp(json->at, word, n) != 0)
        return fail_at(json, "a value");
    json->at += n;
    return true;
}

bool srv_json_bool(struct srv_json *json, bool *out)
{
    enum srv_json_kind kind = srv_json_peek(json);
    if (json->failed) return false;
    if (kind != SRV_JSON_TRUE && kind != SRV_JSON_FALSE)
        return srv_json_fail(json, "this is %s, wanted true or false", srv_json_kind_name(kind));
    if (!read_word(json, kind == SRV_JSON_TRUE ? "true" : "false")) return false;
    *out = kind == SRV_JSON_TRUE;
    return true;
}

/* A value that holds no others. */
static bool skip_plain(struct srv_json *json, enum srv_json_kind kind)
{
    struct srv_json_text text;
    double number;
    switch (kind) {
    case SRV_JSON_STRING:
        return srv_json_string(json, &text);
    case SRV_JSON_NUMBER:
        return srv_json_number(json, &number);
    case SRV_JSON_TRUE:
        return read_word(json, "true");
    case SRV_JSON_FALSE:
        return read_word(json, "false");
    case SRV_JSON_NULL:
        return read_word(json, "null");
    default:
        return fail_at(json, "a value");
    }
}

bool srv_json_skip(struct srv_json *json)
{
    size_t depth = json->depth;
    do {
        enum srv_json_kind kind = srv_json_peek(json);
        if (json->failed) return false;
        bool opens = kind == SRV_JSON_OBJECT || kind == SRV_JSON_ARRAY;
        if (opens ? !srv_json_enter(json, kind) : !skip_plain(json, kind)) return false;
        /* To the next value that is still inside, or out. */
        while (json->depth > depth && !srv_json_next(json))
            if (json->failed) return false;
    } while (json->depth > depth);
    return true;
}

bool srv_json_end(struct srv_json *json)
{
    if (json->failed) return false;
    skip_blanks(json);
    return json->at == json->end || fail_at(json, "the end of the JSON");
}
