#include "base/log_line.h"

#include "base/digits.h"
#include "base/text.h"

#include <string.h>

enum {
    MAX_VALUE_BYTES = 1024,
    MAX_KEY_BYTES = SRV_LOG_KEY_BYTES + 4, /* ,"key": */
    END_BYTES = 2                          /* "}\n" */
};

/* False: it does not fit. */
static bool put(struct srv_log_line *line, const char *bytes, size_t n)
{
    if (n > SRV_LOG_LINE_BYTES - END_BYTES - line->n_bytes) return false;
    memcpy(line->bytes + line->n_bytes, bytes, n);
    line->n_bytes += n;
    return true;
}

/* A separator, the key and what stands before its value. The key is copied with what fills it up: a
 * length known to the compiler needs no loop. */
static bool put_key(struct srv_log_line *line, bool json, const char key[SRV_LOG_KEY_BYTES])
{
    if (MAX_KEY_BYTES > SRV_LOG_LINE_BYTES - END_BYTES - line->n_bytes) return false;
    char *to = line->bytes + line->n_bytes;
    unsigned char n = 0; /* no wider than the key's elements, for vector code */
    for (size_t i = 0; i < SRV_LOG_KEY_BYTES; i++)
        n = (unsigned char)(n + (key[i] != '\0'));
    to[0] = json ? ',' : ' ';
    to[1] = '"';
    to += 1 + json;
    memcpy(to, key, SRV_LOG_KEY_BYTES);
    to += n;
    to[0] = json ? '"' : '=';
    to[1] = ':';
    line->n_bytes += n + (json ? 4u : 2u);
    return true;
}

static bool put_number(struct srv_log_line *line, int64_t value)
{
    if (SRV_DECIMAL_CHARS > SRV_LOG_LINE_BYTES - END_BYTES - line->n_bytes) return false;
    line->n_bytes += srv_decimal(value, line->bytes + line->n_bytes);
    return true;
}

/* Whether a value may stand there as it is: in logfmt plain words may, bare; in JSON, in quotes,
 * what needs no escape. */
static bool is_plain(const char *value, size_t n, bool json)
{
    unsigned char blank = json ? ' ' - 1 : ' ', equals = json ? '"' : '=';
    unsigned n_bad = 0; /* counted to the end: without a way out of it the loop is vector code */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value[i];
        n_bad += (c <= blank) | (c >= 0x7F) | (c == '"') | (c == '\\') | (c == equals);
    }
    return n > 0 && n_bad == 0;
}

static bool put_value(struct srv_log_line *line, bool json, const char *value, bool is_word)
{
    size_t n = strnlen(value, MAX_VALUE_BYTES);
    if (is_word || is_plain(value, n, json))
        return json ? put(line, "\"", 1) && put(line, value, n) && put(line, "\"", 1)
                    : put(line, value, n);
    struct srv_text quoted = {0};
    srv_text_json_bytes(&quoted, value, n);
    bool fits = !quoted.failed && put(line, quoted.bytes, quoted.n_bytes);
    srv_text_fini(&quoted);
    return fits;
}

static void put_field(struct srv_log_line *line, bool json, const struct srv_log_field *field)
{
    size_t begin = line->n_bytes;
    bool fits = put_key(line, json, field->key) &&
                (field->text ? put_value(line, json, field->text, field->is_word)
                             : put_number(line, field->number));
    if (!fits) line->n_bytes = begin;
}

void srv_log_line_format(struct srv_log_line *line, bool json, enum srv_log_level level,
                         const char *message, const struct srv_log_field *fields, size_t n_fields)
{
    line->n_bytes = 0;
    put_field(line, json,
              &(struct srv_log_field){.key = "level", .text = srv_log_level_name(level)});
    put_field(line, json, &(struct srv_log_field){.key = "msg", .text = message});
    for (size_t i = 0; i < n_fields; i++)
        put_field(line, json, &fields[i]);
    if (json) line->bytes[line->n_bytes++] = '}';
    line->bytes[line->n_bytes++] = '\n';
}
