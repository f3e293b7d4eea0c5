/* PNG: the input as it is, then with the chunks' checksums made right, to get behind them. */
#include "image_target.h"

#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void put_be32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void mend_checksums(uint8_t *png, size_t n_bytes)
{
    size_t at = 8;
    while (at + 12 <= n_bytes) {
        uint32_t n = get_be32(png + at);
        if (n > n_bytes - at - 12) return;
        put_be32(png + at + 8 + n, (uint32_t)crc32(0, png + at + 4, n + 4));
        at += (size_t)n + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    fuzz_image(data, n_bytes);
    uint8_t *mended = malloc(n_bytes + 1);
    fuzz_require(mended != NULL);
    if (n_bytes) memcpy(mended, data, n_bytes);
    mend_checksums(mended, n_bytes);
    fuzz_image(mended, n_bytes);
    free(mended);
    return 0;
}
