/* What every handler may use. Made by main.c, outlives all requests. */
#ifndef SRV_API_APP_H
#define SRV_API_APP_H

#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "serve/explainer.h"
#include "serve/loader.h"
#include "serve/registry.h"

#include <stdatomic.h>

struct srv_app {
    const struct srv_config *config;
    const char *admin_token; /* "" = none is asked for */
    struct srv_log *log;
    struct srv_metrics *metrics;
    struct srv_registry *registry;
    struct srv_loader *loader;
    struct srv_explainer *explainer;
    atomic_bool shutting_down; /* readyz says 503, replies close their connections */
};

#endif
