/* One reload: the transaction that brings the registry in line with the models folder. */
#ifndef SRV_SERVE_RELOAD_H
#define SRV_SERVE_RELOAD_H

#include "serve/loader.h"

#include <stdatomic.h>

struct srv_reload {
    const struct srv_loader_options *options;
    struct srv_registry *registry;
    const atomic_bool *stopping; /* looked at between two versions */
};

/*
 * Purpose: loads every version of model (NULL: of all), publishes those that pass, retires those
 * whose folder is gone, then calls done (NULL: nobody). On the loader's thread only.
 */
void srv_reload_run(const struct srv_reload *reload, const char *model, srv_reload_done *done,
                    void *ctx);

/* Purpose: frees what is retired and unused, and gives the memory back to the system. */
void srv_reload_free_unused(struct srv_registry *registry);

#endif
