/* The loader thread: loads, reloads, frees. */
#ifndef SRV_SERVE_LOADER_H
#define SRV_SERVE_LOADER_H

#include "base/log.h"
#include "serve/registry.h"

struct srv_loader;

struct srv_loader_options {
    const char *models_dir;           /* copied */
    struct srv_log *log;              /* NULL: no log lines */
    struct srv_served_options served; /* queued and queued_ctx are the loader's to fill */
};

/* How one version fared in a reload. Strings are borrowed during the callback. */
struct srv_reload_row {
    const char *model, *version;
    bool loaded;        /* a new version was published */
    bool removed;       /* its folder is gone and it was retired */
    const char *digest; /* of what serves now, "" if nothing */
    const char *reason; /* why not, "" if loaded */
};

/*
 * Called once on the loader thread when a reload is over. code: OK, MODEL_NOT_FOUND (no such
 * folder), MODEL_REJECTED if any version failed or the repository could not be read, SHUTTING_DOWN.
 */
typedef void srv_reload_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                             size_t n_rows, const struct eng_error *error);

/*
 * Purpose: starts the thread, which loads the whole repository first, in name order.
 * Ownership: borrows registry, pool, log and metrics. End with srv_loader_stop.
 * Errors: NOT_FOUND, IO (the models folder cannot be read), NO_MEMORY.
 */
enum eng_status srv_loader_start(const struct srv_loader_options *options,
                                 struct srv_registry *registry, struct srv_loader **out,
                                 struct eng_error *err);

/* Purpose: queues a reload of one model (or all: NULL). done may be NULL. False: shutting down or
 * out of memory; then done is never called. Any thread. */
bool srv_loader_reload(struct srv_loader *loader, const char *model, srv_reload_done *done,
                       void *ctx);

/* Purpose: waits for the first load to be over. */
void srv_loader_wait_first(struct srv_loader *loader);

/*
 * Purpose: retires everything, waits for the last release, frees, joins the thread.
 * NULL is accepted. No new request may come. Those still computing are waited for: the pool runs
 * on.
 */
void srv_loader_stop(struct srv_loader *loader);

#endif
