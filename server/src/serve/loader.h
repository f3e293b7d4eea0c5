/* The loader thread: loads, reloads, frees. */
#ifndef SRV_SERVE_LOADER_H
#define SRV_SERVE_LOADER_H

#include "base/log.h"
#include "serve/registry.h"

struct srv_loader;

struct srv_loader_options {
    const char *models_dir; /* borrowed, as long as the loader runs */
    struct srv_log *log;    /* NULL: no log lines */
    size_t latest_versions; /* of models whose config.json has no version_policy; 0: all */
    struct srv_served_options served; /* queued and queued_ctx are the loader's to fill */
};

/* How one version fared in a reload. Strings are borrowed during the callback. */
struct srv_reload_row {
    const char *model, *version;
    bool loaded;        /* a new version was published */
    bool removed;       /* it was retired */
    const char *digest; /* of what serves now, "" if nothing */
    const char *reason; /* why not, "" if loaded */
};

/* What a call wants loaded in place of what a model's folder holds. */
struct srv_override {
    char *config;             /* the text of config.json; NULL: the folder's, none for files */
    struct srv_upload *files; /* [n_files]; none: the folder's versions */
    size_t n_files;
};

struct srv_upload {
    char version[SRV_VERSION_CHARS + 1];
    uint8_t *bytes;
    size_t n_bytes;
};

enum { SRV_MAX_UPLOADS = 16 };

/* Purpose: frees it with all it holds. NULL is accepted. */
void srv_override_destroy(struct srv_override *override);

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

/* Purpose: queues a reload of one model (or all: NULL). done may be NULL; of such reloads of all
 * one that waits stands for those that follow. False: shutting down or out of memory; then done is
 * never called. Any thread. */
bool srv_loader_reload(struct srv_loader *loader, const char *model, srv_reload_done *done,
                       void *ctx);

/*
 * Purpose: queues the load of one model, as it stands in its folder (override NULL) or with
 * something in its place: all wanted versions are loaded before the first is published, or nothing
 * changes. With an override a reload of everything then leaves the model alone, until a call loads
 * or unloads it again.
 * Ownership: takes override, also on failure.
 * Errors: as srv_loader_reload; MODEL_NOT_FOUND if there is neither folder nor file.
 */
bool srv_loader_load_take(struct srv_loader *loader, const char *model,
                          struct srv_override *override, srv_reload_done *done, void *ctx);

/*
 * Purpose: queues the retirement of all versions of a model: nobody gets them from then on, those
 * who have them finish. It stays so over reloads of everything, until a call loads it.
 * Errors: as srv_loader_reload; MODEL_NOT_FOUND.
 */
bool srv_loader_unload(struct srv_loader *loader, const char *model, srv_reload_done *done,
                       void *ctx);

/* Purpose: whether a folder can be the models folder. Errors: of srv_repository_scan. */
enum eng_status srv_loader_check(const char *models_dir, struct eng_error *err);

/*
 * Purpose: takes new settings for all that is loaded from then on, and at once for what serves what
 * srv_served_apply takes. What is being loaded meanwhile takes it when that load is over. Of
 * options only what settings say counts: not log, pool, metrics, cache and the loader's own. Any
 * thread.
 */
void srv_loader_configure(struct srv_loader *loader, const struct srv_loader_options *options);

/* Purpose: waits for the first load to be over. */
void srv_loader_wait_first(struct srv_loader *loader);

/*
 * Purpose: retires everything, waits for the last release, frees, joins the thread.
 * NULL is accepted. No new request may come. Those still computing are waited for: the pool runs
 * on.
 */
void srv_loader_stop(struct srv_loader *loader);

#endif
