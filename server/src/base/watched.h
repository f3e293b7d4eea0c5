/*
 * Files that are read again without a restart: keys, tokens, certificates. All of them at once when
 * asked (SIGHUP, POST /reload), each by itself when it has changed, and others in their place when
 * the settings name others.
 */
#ifndef SRV_BASE_WATCHED_H
#define SRV_BASE_WATCHED_H

#include "base/log.h"
#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

struct srv_watched;

/* How files become what the daemon goes by. Calls for one ctx do not overlap. */
struct srv_watched_kind {
    /* Reads one file, or two that belong together (second "": one), into something new. On an error
     * everything stays as it was. */
    enum eng_status (*prepare)(void *ctx, const char *first, const char *second, void **prepared,
                               struct eng_error *err);
    /* Lets it hold in place of what did; NULL: the settings name no file. */
    void (*take)(void *ctx, void *prepared);
    /* Frees what was prepared and not taken. */
    void (*drop)(void *prepared);
};

/* What became of one of them at its last load. */
struct srv_watched_row {
    const char *setting;      /* borrowed */
    struct eng_error failure; /* ENG_OK: it serves as it stands in the file */
};

enum { SRV_MAX_WATCHED = 4, SRV_MAX_WATCHED_FILES = 2 };

/* Purpose: an empty list. log is borrowed, NULL logs nothing. NULL: out of memory. */
struct srv_watched *srv_watched_create(struct srv_log *log);
void srv_watched_destroy(struct srv_watched *watched);

/* Purpose: adds a setting that names no file yet. Ownership: all is borrowed. Threads: before the
 * others know the list. At most SRV_MAX_WATCHED. */
void srv_watched_add(struct srv_watched *watched, const char *setting,
                     const struct srv_watched_kind *kind, void *ctx);

/*
 * Purpose: reads the files that a setting names from now on ("": none), to hold with the next
 * srv_watched_take; what was prepared for it before is dropped. Files that it names already are not
 * read, and a setting that is not in the list is passed over. Errors: of the kind's prepare,
 * NO_MEMORY. Threads: one at a time, from the first prepare to the take; beside reload and look.
 */
enum eng_status srv_watched_prepare(struct srv_watched *watched, const char *setting,
                                    const char *first, const char *second, struct eng_error *err);
/* Purpose: lets hold what was prepared. */
void srv_watched_take(struct srv_watched *watched);

/* Purpose: loads all again and logs each. Writes a row for each that names a file, returns how
 * many. Any thread. */
size_t srv_watched_reload(struct srv_watched *watched,
                          struct srv_watched_row rows[SRV_MAX_WATCHED]);

/*
 * Purpose: loads those whose files are others than at their last load, once they have stayed the
 * same from one look to the next: of a certificate and its key the second may still be on its way.
 * To be called every second or so. Cost: a stat for each file.
 */
void srv_watched_look(struct srv_watched *watched);

#endif
