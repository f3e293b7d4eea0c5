/* UTF-8 (RFC 3629). */
#ifndef ENG_BASE_UTF8_H
#define ENG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Purpose: true if the n bytes are whole, shortest-form characters, no surrogates, <= U+10FFFF. */
bool eng_utf8_is_valid(const char *text, size_t n);

#endif
