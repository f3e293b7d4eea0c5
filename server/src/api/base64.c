#include "api/base64.h"

#include <nettle/base64.h>
#include <string.h>

bool srv_base64_decode(const char *text, size_t n_chars, uint8_t *out, size_t *n_out)
{
    /* nettle skips blanks; here they are errors. */
    if (n_chars % 4 != 0) return false;
    for (size_t i = 0; i < n_chars; i++)
        if ((unsigned char)text[i] <= ' ') return false;
    struct base64_decode_ctx ctx;
    size_t n = n_chars / 4 * 3;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, out, n_chars, text)) return false;
    if (!base64_decode_final(&ctx)) return false;
    *n_out = n;
    return true;
}
