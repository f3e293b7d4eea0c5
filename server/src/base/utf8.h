/* UTF-8 (RFC 3629). */
#ifndef SRV_BASE_UTF8_H
#define SRV_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Purpose: the bytes of the character that begins at text, of which n can be read: 1 to 4, or 0 if
 * it is none (overlong, a surrogate, beyond U+10FFFF, cut). */
size_t srv_utf8_bytes(const char *text, size_t n);

/* Purpose: writes the character, at most U+10FFFF, and returns its bytes, 1 to 4. */
size_t srv_utf8_encode(uint32_t character, char to[4]);

#endif
