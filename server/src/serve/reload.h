/* The loader's commands: transactions that change what serves. On the loader's thread only. */
#ifndef SRV_SERVE_RELOAD_H
#define SRV_SERVE_RELOAD_H

#include "serve/loader.h"

#include <stdatomic.h>

struct srv_reload {
    const struct srv_loader_options *options;
    struct srv_registry *registry;
    const atomic_bool *stopping; /* looked at between two versions */
    srv_reload_done *done;       /* NULL: nobody. Called once by each of these */
    void *ctx;
};

/*
 * Purpose: brings the registry in line with the models folder: loads every version of model (NULL:
 * of all that no call holds) that its policy wants, publishes those that pass, moves labels that
 * config.json says anew, retires those whose folder is gone. Those that the policy does not want
 * are retired once all that it wants serve.
 */
void srv_reload_run(const struct srv_reload *reload, const char *model);

/* Purpose: srv_loader_load_take: all of it, or nothing changes. */
void srv_reload_load(const struct srv_reload *reload, const char *model,
                     const struct srv_override *override);

/* Purpose: srv_loader_unload. */
void srv_reload_unload(const struct srv_reload *reload, const char *model);

/* Purpose: frees what is retired and unused; whether there was any. */
bool srv_reload_free_unused(struct srv_registry *registry);

#endif
