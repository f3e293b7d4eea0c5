/* The loader thread: loads, reloads, frees; also the housekeeping that expires queued jobs. */
#ifndef SRV_SERVE_LOADER_H
#define SRV_SERVE_LOADER_H

#include "serve/registry.h"

struct srv_loader;

struct srv_loader_options {
    const char *models_dir; /* borrowed */
    const char *default_model;
    struct srv_served_options served;
};

/* How one version fared in a reload. Strings are borrowed during the callback. */
struct srv_reload_row {
    const char *model, *version;
    bool loaded;        /* a new version was published */
    bool removed;       /* its folder is gone and it was retired */
    const char *digest; /* of what serves now, "" if nothing */
    const char *reason; /* why not, "" if loaded */
};

/* Called once on the loader thread when a reload is over. code: OK, MODEL_NOT_FOUND (no such folder),
 * MODEL_REJECTED if any version failed. */
typedef void srv_reload_done(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                             size_t n_rows, const struct eng_error *error);

/* Purpose: starts the thread, which loads the whole repository first. */
enum eng_status srv_loader_start(const struct srv_loader_options *options,
                                 struct srv_registry *registry, struct srv_loader **out,
                                 struct eng_error *err);

/* Purpose: queues a reload of one model (or all: NULL). done may be NULL. False: shutting down, done is
 * never called. Any thread. */
bool srv_loader_reload(struct srv_loader *loader, const char *model, srv_reload_done *done, void *ctx);

/* Purpose: waits for the first load to be over. */
void srv_loader_wait_first(struct srv_loader *loader);

/* Purpose: retires everything and joins the thread. No request may be in flight. */
void srv_loader_stop(struct srv_loader *loader);

#endif
