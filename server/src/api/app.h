/* What every handler may use. Made by main.c, outlives all requests. */
#ifndef SRV_API_APP_H
#define SRV_API_APP_H

#include "base/config_live.h"
#include "base/keyring.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metrics.h"
#include "base/watched.h"
#include "serve/explainer.h"
#include "serve/loader.h"
#include "serve/registry.h"

#include <stdatomic.h>

struct srv_app {
    /* Replaced whole by a reload of the config; old ones live as long. One decision that reads it
     * more than once takes the pointer first. */
    const struct srv_config *_Atomic config;
    struct srv_config_live *config_live;
    struct srv_keyring *api_keys, *admin_tokens;
    struct srv_watched *watched; /* files that a reload reads again */
    struct srv_log *log;
    struct srv_metrics *metrics;
    struct srv_memory *memory;
    struct srv_registry *registry;
    struct srv_loader *loader;
    struct srv_explainer *explainer;
    atomic_bool shutting_down; /* readyz says 503, replies close their connections */
};

#endif
