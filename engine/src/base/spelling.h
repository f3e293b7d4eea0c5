/* Small helpers for names. */
#ifndef ENG_BASE_SPELLING_H
#define ENG_BASE_SPELLING_H

#include <stddef.h>

/* Purpose: edit distance (insert, delete, replace), capped: names longer than 63 bytes count as far. */
size_t eng_text_distance(const char *a, const char *b);

#endif
