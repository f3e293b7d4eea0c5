/* Base64 (RFC 4648, the standard alphabet, padded), by nettle. */
#ifndef ENG_BASE_BASE64_H
#define ENG_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Purpose: characters that n_bytes become, without a NUL; n_bytes at most SIZE_MAX / 2. */
size_t eng_base64_encoded_length(size_t n_bytes);

/* Purpose: writes eng_base64_encoded_length(n_bytes) characters and a NUL. */
void eng_base64_encode(const uint8_t *bytes, size_t n_bytes, char *text);

/* Purpose: the most bytes that n characters can hold: room for eng_base64_decode. */
size_t eng_base64_decoded_max(size_t n);

/*
 * Purpose: decodes n characters; white space between them is passed over.
 * Errors: false for any other character, or missing or misplaced padding; bytes is then
 * unspecified.
 */
bool eng_base64_decode(const char *text, size_t n, uint8_t *bytes, size_t *n_bytes);

#endif
