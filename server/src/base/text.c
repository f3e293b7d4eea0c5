#include "base/text.h"

#include "base/digits.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 512, MAX_NAME_CHARS = 63 };

void srv_text_fini(struct srv_text *text)
{
    free(text->bytes);
    *text = (struct srv_text){0};
}

void srv_text_clear(struct srv_text *text)
{
    text->n_bytes = 0;
    text->failed = false;
    if (text->bytes) text->bytes[0] = '\0';
}

/* Seldom: apart from reserve, so that this one is a comparison where it is called. */
static __attribute__((noinline)) bool grow(struct srv_text *text, size_t n)
{
    size_t wanted = text->capacity ? text->capacity : FIRST_CAPACITY;
    while (wanted <= SIZE_MAX / 2 && wanted - text->n_bytes <= n)
        wanted *= 2;
    char *larger = wanted - text->n_bytes > n ? realloc(text->bytes, wanted) : NULL;
    if (!larger) {
        text->failed = true;
        return false;
    }
    text->bytes = larger;
    text->capacity = wanted;
    return true;
}

/* Makes room for n more bytes and the NUL. */
static inline bool reserve(struct srv_text *text, size_t n)
{
    return !text->failed && (n < text->capacity - text->n_bytes || grow(text, n));
}

void srv_text_append(struct srv_text *text, const char *bytes, size_t n_bytes)
{
    if (!reserve(text, n_bytes)) return;
    if (n_bytes > 0) memcpy(text->bytes + text->n_bytes, bytes, n_bytes);
    text->n_bytes += n_bytes;
    text->bytes[text->n_bytes] = '\0';
}

void srv_text_integer(struct srv_text *text, int64_t value)
{
    if (!reserve(text, SRV_DECIMAL_CHARS)) return;
    text->n_bytes += srv_decimal(value, text->bytes + text->n_bytes);
    text->bytes[text->n_bytes] = '\0';
}

void srv_text_printf(struct srv_text *text, const char *format, ...)
{
    /* Mostly what is written fits already; else its length is known now, and it is written again.
     */
    for (int attempt = 0; attempt < 2 && !text->failed; attempt++) {
        size_t room = text->capacity - text->n_bytes;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(room ? text->bytes + text->n_bytes : NULL, room, format, args);
        va_end(args);
        if (n < 0) {
            text->failed = true;
        } else if ((size_t)n < room) {
            text->n_bytes += (size_t)n;
            return;
        } else {
            reserve(text, (size_t)n);
        }
    }
    if (text->capacity > text->n_bytes) text->bytes[text->n_bytes] = '\0'; /* what was cut off */
}

static void append_escaped(struct srv_text *text, unsigned char c)
{
    static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof short_form; i += 2) {
        if (c == (unsigned char)short_form[i]) {
            char escaped[2] = {'\\', short_form[i + 1]};
            srv_text_append(text, escaped, 2);
            return;
        }
    }
    srv_text_printf(text, "\\u%04x", c);
}

/* Of ASCII. */
static bool is_plain(unsigned char c)
{
    return c >= ' ' && c != '"' && c != '\\' && c != 0x7F;
}

/* Counted to the end: without a way out of it the loop is vector code. */
static bool are_plain(const char *bytes, size_t n_bytes)
{
    unsigned n_others = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)bytes[i];
        n_others += (c < ' ') | (c >= 0x7F) | (c == '"') | (c == '\\');
    }
    return n_others == 0;
}

/* What needs no escape, as nearly all that is written. */
static void append_quoted(struct srv_text *text, const char *bytes, size_t n_bytes)
{
    if (!reserve(text, n_bytes + 2)) return;
    char *to = text->bytes + text->n_bytes;
    *to++ = '"';
    if (n_bytes > 0) memcpy(to, bytes, n_bytes);
    memcpy(to + n_bytes, "\"", 2);
    text->n_bytes += n_bytes + 2;
}

void srv_text_json_bytes(struct srv_text *text, const char *bytes, size_t n_bytes)
{
    if (are_plain(bytes, n_bytes)) {
        append_quoted(text, bytes, n_bytes);
        return;
    }
    const unsigned char *p = (const unsigned char *)bytes;
    size_t plain = 0; /* bytes[plain, i) need no escape */
    srv_text_append(text, "\"", 1);
    for (size_t i = 0; i < n_bytes;) {
        bool is_ascii = p[i] < 0x80;
        size_t length = is_ascii ? is_plain(p[i]) : srv_utf8_bytes(bytes + i, n_bytes - i);
        /* U+0080 to U+009F: a terminal that shows the log would obey U+009B. */
        bool is_control = length == 2 && p[i] == 0xC2 && p[i + 1] < 0xA0;
        if (length > 0 && !is_control) {
            i += length;
            continue;
        }
        srv_text_append(text, bytes + plain, i - plain);
        if (is_ascii || is_control)
            append_escaped(text, p[is_ascii ? i : i + 1]);
        else
            srv_text_puts(text, "\xEF\xBF\xBD");
        i += is_control ? 2 : 1;
        plain = i;
    }
    srv_text_append(text, bytes + plain, n_bytes - plain);
    srv_text_append(text, "\"", 1);
}

void srv_text_json(struct srv_text *text, const char *string)
{
    srv_text_json_bytes(text, string, strlen(string));
}

size_t srv_text_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), row[MAX_NAME_CHARS + 1];
    if (n > MAX_NAME_CHARS || m > MAX_NAME_CHARS) return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}
