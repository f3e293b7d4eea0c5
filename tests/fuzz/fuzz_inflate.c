/* Any bytes as a compressed body: in one piece or in several, the same bytes come out, in pieces
 * that are bounded, until somebody has enough. The first byte says in which coding and pieces. */
#include "http/compress.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum { MAX_PIECE = 16 * 1024, MAX_BYTES = 1 << 20 };

struct sum {
    size_t n_bytes;
    uint32_t hash;
};

static void require(int condition)
{
    if (!condition) abort();
}

static bool take(void *ctx, const char *bytes, size_t n_bytes)
{
    struct sum *sum = ctx;
    require(n_bytes > 0 && n_bytes <= MAX_PIECE);
    for (size_t i = 0; i < n_bytes; i++)
        sum->hash = sum->hash * 31 + (uint8_t)bytes[i];
    sum->n_bytes += n_bytes;
    return sum->n_bytes <= MAX_BYTES;
}

/* Whether it was a whole stream. */
static bool run(enum srv_encoding encoding, const char *bytes, size_t n_bytes, size_t step,
                struct sum *sum)
{
    struct srv_inflater *inflater = srv_inflater_create(encoding);
    struct eng_error err = {0};
    enum eng_status status = ENG_OK;
    if (!inflater) return false;
    for (size_t at = 0; at < n_bytes && status == ENG_OK && sum->n_bytes <= MAX_BYTES; at += step) {
        size_t n = n_bytes - at < step ? n_bytes - at : step;
        status = srv_inflater_add(inflater, bytes + at, n, take, sum, &err);
    }
    require((status == ENG_OK) == (err.text[0] == '\0'));
    bool is_whole = status == ENG_OK && srv_inflater_has_ended(inflater);
    srv_inflater_destroy(inflater);
    return is_whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes < 2) return 0;
    enum srv_encoding encoding = data[0] & 1 ? SRV_ENCODING_GZIP : SRV_ENCODING_DEFLATE;
    const char *bytes = (const char *)data + 1;
    struct sum whole = {0}, parts = {0};
    bool is_whole = run(encoding, bytes, n_bytes - 1, n_bytes, &whole);
    bool are_whole = run(encoding, bytes, n_bytes - 1, (size_t)(data[0] >> 1) + 1, &parts);
    if (whole.n_bytes > MAX_BYTES || parts.n_bytes > MAX_BYTES) return 0;
    require(is_whole == are_whole);
    if (is_whole) require(whole.n_bytes == parts.n_bytes && whole.hash == parts.hash);
    return 0;
}
