/*
 * Files that are read again without a restart: keys, tokens, certificates. All of them at once when
 * asked (SIGHUP, POST /reload), each by itself when it has changed.
 */
#ifndef SRV_BASE_WATCHED_H
#define SRV_BASE_WATCHED_H

#include "base/log.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

struct srv_watched;

/* What became of one of them at its last load. */
struct srv_watched_row {
    const char *setting;      /* borrowed */
    struct eng_error failure; /* ENG_OK: it serves as it stands in the file */
};

enum { SRV_MAX_WATCHED = 4, SRV_MAX_WATCHED_FILES = 2 };

/* Purpose: an empty list. log is borrowed, NULL logs nothing. NULL: out of memory. */
struct srv_watched *srv_watched_create(struct srv_log *log);
void srv_watched_destroy(struct srv_watched *watched);

/*
 * Purpose: adds what has just been loaded from one file, or from two that belong together (second
 * NULL: one). load reads them again and leaves everything as it was when it fails. Ownership: the
 * texts and ctx are borrowed. Threads: before the others know the list. At most SRV_MAX_WATCHED.
 */
void srv_watched_add(struct srv_watched *watched, const char *setting, const char *first,
                     const char *second, enum eng_status (*load)(void *ctx, struct eng_error *err),
                     void *ctx);

/* Purpose: loads all again and logs each. Writes a row for each, returns how many. Any thread. */
size_t srv_watched_reload(struct srv_watched *watched,
                          struct srv_watched_row rows[SRV_MAX_WATCHED]);

/*
 * Purpose: loads those whose files are others than at their last load, once they have stayed the
 * same from one look to the next: of a certificate and its key the second may still be on its way.
 * To be called every second or so. Cost: a stat for each file.
 */
void srv_watched_look(struct srv_watched *watched);

/* Purpose: whether there is anything to look at. */
bool srv_watched_is_empty(const struct srv_watched *watched);

#endif
