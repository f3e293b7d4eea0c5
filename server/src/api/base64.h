/* Strict base64 (RFC 4648 section 4): the standard alphabet, padding wanted, no blanks. */
#ifndef SRV_API_BASE64_H
#define SRV_API_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Purpose: decodes text; out has n_chars / 4 * 3 bytes of room at least, and may be text itself.
 * Returns false if it is not base64.
 */
bool srv_base64_decode(const char *text, size_t n_chars, uint8_t *out, size_t *n_out);

/*
 * Purpose: takes blanks and line ends out of text, and puts the padding behind it that it lacks:
 * what TensorFlow Serving takes becomes what is taken here. Returns how many characters it has
 * then; there is room for 3 more than n_chars.
 */
size_t srv_base64_tidy(char *text, size_t n_chars);

/* Purpose: what keeps the text from being base64, in words: out [n_out], for people. */
void srv_base64_explain(const char *text, size_t n_chars, char *out, size_t n_out);

#endif
