/* Filling struct eng_error on the daemon's side, which does not see the engine's own helpers. */
#ifndef SRV_BASE_FAIL_H
#define SRV_BASE_FAIL_H

#include "engine/status.h"

/* Purpose: writes the sentence unless err is NULL or already set. Returns status. */
enum eng_status srv_fail(struct eng_error *err, enum eng_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Purpose: the same for "out of memory", naming what was wanted. */
enum eng_status srv_fail_memory(struct eng_error *err, const char *what);

#endif
