/* Names of classes that a data set brings with it. */
#ifndef ENG_TRAIN_CLASS_NAMES_H
#define ENG_TRAIN_CLASS_NAMES_H

#include "engine/status.h"

#include <stddef.h>

/*
 * Purpose: copies n names into one block: pointers first, text behind.
 * Ownership: *out is malloc'd, free() ends it. Errors: NO_MEMORY.
 */
enum eng_status eng_class_names_copy(const char *const *names, size_t n, const char ***out,
                                     struct eng_error *err);

/*
 * Purpose: the n names of a text, one a line, empty lines passed over; path is for sentences.
 * Ownership: as above.
 * Errors: FORMAT naming path, and line: not n names, not UTF-8, or two alike; NO_MEMORY.
 */
enum eng_status eng_class_names_parse(const char *path, const void *text, size_t n_bytes, size_t n,
                                      const char ***out, struct eng_error *err);

#endif
