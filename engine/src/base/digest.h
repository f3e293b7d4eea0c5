/* SHA-256 (FIPS 180-4), by nettle. */
#ifndef ENG_BASE_DIGEST_H
#define ENG_BASE_DIGEST_H

#include <stddef.h>

enum { ENG_DIGEST_CHARS = 65 }; /* 64 hex digits and the NUL */

void eng_digest_sha256(const void *bytes, size_t n_bytes, char hex[ENG_DIGEST_CHARS]);

#endif
