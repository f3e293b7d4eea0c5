#include "base/digest.h"

#include <nettle/sha2.h>

void eng_digest_sha256(const void *bytes, size_t n_bytes, char hex[ENG_DIGEST_CHARS])
{
    static const char digits[] = "0123456789abcdef";
    struct sha256_ctx context;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&context);
    sha256_update(&context, n_bytes, bytes);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[ENG_DIGEST_CHARS - 1] = '\0';
}
