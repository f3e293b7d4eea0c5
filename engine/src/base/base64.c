#include "base/base64.h"

#include <nettle/base64.h>

size_t eng_base64_encoded_length(size_t n_bytes)
{
    return BASE64_ENCODE_RAW_LENGTH(n_bytes);
}

void eng_base64_encode(const uint8_t *bytes, size_t n_bytes, char *text)
{
    base64_encode_raw(text, n_bytes, bytes);
    text[BASE64_ENCODE_RAW_LENGTH(n_bytes)] = '\0';
}

size_t eng_base64_decoded_max(size_t n)
{
    return n / 4 * 3 + 3;
}

bool eng_base64_decode(const char *text, size_t n, uint8_t *bytes, size_t *n_bytes)
{
    struct base64_decode_ctx ctx;
    base64_decode_init(&ctx);
    size_t n_written;
    if (!base64_decode_update(&ctx, &n_written, bytes, n, text) || !base64_decode_final(&ctx))
        return false;
    *n_bytes = n_written;
    return true;
}
