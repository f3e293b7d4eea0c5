/* Small helpers for names. */
#ifndef ENG_BASE_SPELLING_H
#define ENG_BASE_SPELLING_H

#include <stddef.h>

/* Purpose: edit distance (insert, delete, replace), capped: names longer than 63 bytes count as
 * far. */
size_t eng_text_distance(const char *a, const char *b);

/* Purpose: which of names (NULL-terminated) name was meant to be: at most one letter in three
 * differs. NULL if none is near. */
const char *eng_text_nearest(const char *name, const char *const *names);

/* Purpose: the same for n names. */
const char *eng_text_nearest_of(const char *name, const char *const *names, size_t n);

#endif
