#include "http/compress.h"

#include "base/fail.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
    PIECE_BYTES = 16 * 1024,
    WINDOW_BITS = 15,
    GZIP_BITS = WINDOW_BITS + 16, /* zlib's way to say gzip */
    MEMORY_LEVEL = 8,
    MAX_QUALITY = 1000
};

/* --- headers --- */

static bool is_token(const char *token, size_t n, const char *name)
{
    return n == strlen(name) && strncasecmp(token, name, n) == 0;
}

static enum srv_encoding encoding_of(const char *token, size_t n)
{
    if (is_token(token, n, "gzip") || is_token(token, n, "x-gzip")) return SRV_ENCODING_GZIP;
    if (is_token(token, n, "deflate")) return SRV_ENCODING_DEFLATE;
    return n == 0 || is_token(token, n, "identity") ? SRV_ENCODING_NONE : SRV_ENCODING_OTHER;
}

enum srv_encoding srv_encoding_parse(const char *content_encoding)
{
    if (!content_encoding) return SRV_ENCODING_NONE;
    const char *token = content_encoding + strspn(content_encoding, " \t");
    size_t n = strcspn(token, " \t,");
    return token[n + strspn(token + n, " \t")] ? SRV_ENCODING_OTHER : encoding_of(token, n);
}

/* The weight behind a coding, in thousandths: "; q=0.25". */
static int parse_quality(const char *at, const char *end)
{
    while (at < end && strchr(" \t;", *at))
        at++;
    if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=') return MAX_QUALITY;
    int quality = at[2] == '1' ? MAX_QUALITY : 0, weight = MAX_QUALITY;
    if (quality > 0 || end - at < 4 || at[3] != '.') return quality;
    for (at += 4; at < end && *at >= '0' && *at <= '9'; at++)
        quality += (*at - '0') * (weight /= 10);
    return quality;
}

enum srv_encoding srv_encoding_choose(const char *accept_encoding)
{
    int quality[SRV_ENCODING_OTHER + 1] = {-1, -1, -1, -1}; /* OTHER stands for "*" */
    for (const char *at = accept_encoding; at && *at; at += strspn(at, ",")) {
        at += strspn(at, " \t");
        size_t n = strcspn(at, " \t;,"), n_all = strcspn(at, ",");
        bool is_any = is_token(at, n, "*");
        enum srv_encoding encoding = is_any ? SRV_ENCODING_OTHER : encoding_of(at, n);
        if (n > 0 && (is_any || encoding != SRV_ENCODING_OTHER))
            quality[encoding] = parse_quality(at + n, at + n_all);
        at += n_all;
    }
    for (int i = SRV_ENCODING_GZIP; i <= SRV_ENCODING_DEFLATE; i++)
        if (quality[i] < 0) quality[i] = quality[SRV_ENCODING_OTHER];
    enum srv_encoding best = quality[SRV_ENCODING_DEFLATE] > quality[SRV_ENCODING_GZIP]
                                 ? SRV_ENCODING_DEFLATE
                                 : SRV_ENCODING_GZIP;
    bool likes = quality[best] > 0 && quality[best] >= quality[SRV_ENCODING_NONE];
    return likes ? best : SRV_ENCODING_NONE;
}

const char *srv_encoding_name(enum srv_encoding encoding)
{
    return encoding == SRV_ENCODING_GZIP ? "gzip" : "deflate";
}

/* --- inflating --- */

struct srv_inflater {
    z_stream stream;
    bool is_gzip, has_ended;
    char piece[PIECE_BYTES];
};

struct srv_inflater *srv_inflater_create(enum srv_encoding encoding)
{
    struct srv_inflater *inflater = calloc(1, sizeof *inflater);
    if (!inflater) return NULL;
    inflater->is_gzip = encoding == SRV_ENCODING_GZIP;
    if (inflateInit2(&inflater->stream, inflater->is_gzip ? GZIP_BITS : WINDOW_BITS) == Z_OK)
        return inflater;
    free(inflater);
    return NULL;
}

void srv_inflater_destroy(struct srv_inflater *inflater)
{
    if (!inflater) return;
    inflateEnd(&inflater->stream);
    free(inflater);
}

static enum eng_status fail(const struct srv_inflater *inflater, int result, struct eng_error *err)
{
    const char *reason = inflater->stream.msg ? inflater->stream.msg : "it wants a dictionary";
    if (result == Z_MEM_ERROR) return srv_fail_memory(err, "inflating a body");
    return srv_fail(err, ENG_FORMAT, "%s", reason);
}

/* A further member may follow a gzip member. */
static enum eng_status begin_next(struct srv_inflater *inflater, struct eng_error *err)
{
    if (!inflater->is_gzip) return srv_fail(err, ENG_FORMAT, "something stands behind its end");
    inflateReset(&inflater->stream);
    inflater->has_ended = false;
    return ENG_OK;
}

enum eng_status srv_inflater_add(struct srv_inflater *inflater, const char *bytes, size_t n_bytes,
                                 srv_inflater_take *take, void *ctx, struct eng_error *err)
{
    z_stream *stream = &inflater->stream;
    stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
    stream->avail_in = (uInt)n_bytes; /* a read's worth, far below 4 GiB */
    do {
        if (inflater->has_ended && stream->avail_in == 0) return ENG_OK;
        enum eng_status status = inflater->has_ended ? begin_next(inflater, err) : ENG_OK;
        if (status != ENG_OK) return status;
        stream->next_out = (Bytef *)inflater->piece;
        stream->avail_out = PIECE_BYTES;
        int result = inflate(stream, Z_NO_FLUSH);
        inflater->has_ended = result == Z_STREAM_END;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return fail(inflater, result, err);
        size_t n = PIECE_BYTES - stream->avail_out;
        if (n > 0 && !take(ctx, inflater->piece, n)) return ENG_OK;
    } while (stream->avail_in > 0 || stream->avail_out == 0);
    return ENG_OK;
}

bool srv_inflater_has_ended(const struct srv_inflater *inflater)
{
    return inflater->has_ended;
}

/* --- compressing --- */

/* True if all of it fitted into n bytes. */
static bool deflate_all(enum srv_encoding encoding, const struct srv_text *text, char *to,
                        size_t *n)
{
    z_stream stream = {0};
    int bits = encoding == SRV_ENCODING_GZIP ? GZIP_BITS : WINDOW_BITS;
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    stream.next_in = (z_const Bytef *)text->bytes;
    stream.avail_in = (uInt)text->n_bytes;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)*n;
    bool is_whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *n -= stream.avail_out;
    deflateEnd(&stream);
    return is_whole;
}

bool srv_compress_text(enum srv_encoding encoding, struct srv_text *text)
{
    if (text->n_bytes < 2 || text->n_bytes > UINT32_MAX) return false;
    struct srv_text smaller = {.capacity = text->n_bytes, .n_bytes = text->n_bytes - 1};
    smaller.bytes = malloc(smaller.capacity);
    if (!smaller.bytes || !deflate_all(encoding, text, smaller.bytes, &smaller.n_bytes)) {
        free(smaller.bytes);
        return false;
    }
    smaller.bytes[smaller.n_bytes] = '\0';
    srv_text_fini(text);
    *text = smaller;
    return true;
}
