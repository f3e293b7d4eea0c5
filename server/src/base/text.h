/* Text that grows; an append that fails marks it and later ones do nothing. */
#ifndef SRV_BASE_TEXT_H
#define SRV_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct srv_text {
    char *bytes; /* NUL-terminated once something was appended */
    size_t n_bytes, capacity;
    bool failed; /* out of memory */
};

void srv_text_fini(struct srv_text *text);
/* Purpose: empties it and keeps the memory. */
void srv_text_clear(struct srv_text *text);
void srv_text_append(struct srv_text *text, const char *bytes, size_t n_bytes);
/* Here, so that the length of a literal is known to the compiler. */
static inline void srv_text_puts(struct srv_text *text, const char *string)
{
    srv_text_append(text, string, strlen(string));
}
void srv_text_integer(struct srv_text *text, int64_t value);
/* Purpose: as printf's %.9g, which reads back as the same float; null if it is not finite. Quick
 * for what most of our numbers are, 0..1. */
void srv_text_float(struct srv_text *text, float value);
void srv_text_printf(struct srv_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Purpose: the string as a JSON string literal, quotes included; all control characters are
 * escaped, bad UTF-8 becomes U+FFFD. */
void srv_text_json(struct srv_text *text, const char *string);
/* Purpose: the same for n bytes that need not end in NUL. */
void srv_text_json_bytes(struct srv_text *text, const char *bytes, size_t n_bytes);

/* Purpose: edit distance (insert, delete, replace) for "did you mean"; long names count as far. */
size_t srv_text_distance(const char *a, const char *b);

#endif
