/* Lists in settings: "a, b,c", names between commas and blanks. */
#ifndef SRV_BASE_NAMES_H
#define SRV_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Purpose: the next name, n_chars long, of what is left of a list; moves *list behind it. False:
 * there is none. */
bool srv_names_next(const char **list, const char **name, size_t *n_chars);

/* Purpose: whether wanted is one of them. */
bool srv_names_have(const char *list, const char *wanted);

#endif
