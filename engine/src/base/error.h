/* Filling struct eng_error: the first sentence wins, callers may put context before it. */
#ifndef ENG_BASE_ERROR_H
#define ENG_BASE_ERROR_H

#include "engine/status.h"

/* Purpose: writes the sentence unless err is NULL or already set. Returns status. */
enum eng_status eng_fail(struct eng_error *err, enum eng_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Purpose: the same for "out of memory", naming what was wanted. */
enum eng_status eng_fail_memory(struct eng_error *err, const char *what);

/* Purpose: puts "<context>: " before the sentence, if there is one. */
void eng_error_context(struct eng_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
