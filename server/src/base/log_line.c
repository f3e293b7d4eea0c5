#include "base/log_line.h"

#include "base/digits.h"
#include "base/text.h"

#include <string.h>

enum {
    MAX_VALUE_BYTES = 1024,
    MAX_KEY_BYTES = SRV_LOG_KEY_BYTES + 4, /* ,"key": */
    N_QUOTES = 2,
    END_BYTES = 2 /* "}\n" */
};

static size_t room_of(const struct srv_log_line *line)
{
    return SRV_LOG_LINE_BYTES - END_BYTES - line->n_bytes;
}

/* A separator, the key and what stands before its value. False: it does not fit. */
static bool put_key(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES])
{
    if (room_of(line) < MAX_KEY_BYTES) return false;
    char *to = line->bytes + line->n_bytes;
    unsigned char n = 0; /* no wider than the key's elements, for vector code */
    for (size_t i = 0; i < SRV_LOG_KEY_BYTES; i++)
        n = (unsigned char)(n + (key[i] != '\0'));
    to[0] = line->is_json ? ',' : ' ';
    to[1] = '"';
    to += 1 + line->is_json;
    memcpy(to, key, SRV_LOG_KEY_BYTES);
    to += n;
    to[0] = line->is_json ? '"' : '=';
    to[1] = ':';
    line->n_bytes += n + (line->is_json ? 4u : 2u);
    return true;
}

/* Whether a value may stand there as it is: in logfmt plain words may, bare; in JSON, in quotes,
 * what needs no escape. */
static bool is_plain(const char *value, size_t n, bool is_json)
{
    unsigned char blank = is_json ? ' ' - 1 : ' ', equals = is_json ? '"' : '=';
    unsigned n_bad = 0; /* counted to the end: without a way out of it the loop is vector code */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value[i];
        n_bad += (c <= blank) | (c >= 0x7F) | (c == '"') | (c == '\\') | (c == equals);
    }
    return n > 0 && n_bad == 0;
}

static bool put_bare(struct srv_log_line *line, const char *value, size_t n)
{
    if (room_of(line) < n + N_QUOTES) return false;
    char *to = line->bytes + line->n_bytes;
    if (line->is_json) *to++ = '"';
    memcpy(to, value, n);
    if (line->is_json) to[n] = '"';
    line->n_bytes += n + (line->is_json ? N_QUOTES : 0u);
    return true;
}

static bool put_quoted(struct srv_log_line *line, const char *value, size_t n)
{
    struct srv_text quoted = {0};
    srv_text_json_bytes(&quoted, value, n);
    bool fits = !quoted.failed && quoted.n_bytes <= room_of(line);
    if (fits) {
        memcpy(line->bytes + line->n_bytes, quoted.bytes, quoted.n_bytes);
        line->n_bytes += quoted.n_bytes;
    }
    srv_text_fini(&quoted);
    return fits;
}

void srv_log_line_text(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                       const char *text)
{
    size_t begin = line->n_bytes, n = strnlen(text, MAX_VALUE_BYTES);
    bool fits =
        put_key(line, key) &&
        (is_plain(text, n, line->is_json) ? put_bare(line, text, n) : put_quoted(line, text, n));
    if (!fits) line->n_bytes = begin;
}

void srv_log_line_word(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                       const char *word)
{
    size_t begin = line->n_bytes;
    if (!put_key(line, key) || !put_bare(line, word, strnlen(word, MAX_VALUE_BYTES)))
        line->n_bytes = begin;
}

void srv_log_line_number(struct srv_log_line *line, const char key[SRV_LOG_KEY_BYTES],
                         int64_t number)
{
    if (room_of(line) < MAX_KEY_BYTES + SRV_DECIMAL_CHARS || !put_key(line, key)) return;
    line->n_bytes += srv_decimal(number, line->bytes + line->n_bytes);
}

void srv_log_line_begin(struct srv_log_line *line, bool is_json, enum srv_log_level level,
                        const char *message)
{
    line->is_json = is_json;
    line->n_bytes = 0;
    srv_log_line_word(line, SRV_LOG_KEY("level"), srv_log_level_name(level));
    srv_log_line_text(line, SRV_LOG_KEY("msg"), message);
}

void srv_log_line_end(struct srv_log_line *line)
{
    if (line->is_json) line->bytes[line->n_bytes++] = '}';
    line->bytes[line->n_bytes++] = '\n';
}
