/*
 * A thread that ends waiting jobs when their deadline passes, even while every worker and the
 * loader are busy, and starts batches that have waited to fill. It looks every 20 ms while jobs
 * wait, sooner where a batch is due, and sleeps otherwise.
 */
#ifndef SRV_SERVE_WATCHER_H
#define SRV_SERVE_WATCHER_H

#include "serve/registry.h"

struct srv_watcher;

/* Purpose: starts the thread. Borrows registry. Errors: NO_MEMORY, IO (no thread to be had). */
enum eng_status srv_watcher_start(struct srv_registry *registry, struct srv_watcher **out,
                                  struct eng_error *err);

/* Purpose: joins the thread. NULL is accepted. Nothing may be submitted any more. */
void srv_watcher_stop(struct srv_watcher *watcher);

/* Purpose: says that a job was queued, and when to look at the latest; fits
 * srv_served_options.queued. Any thread. Cost: a load; a wake-up only if no look lies ahead by
 * then.
 */
void srv_watcher_queued(void *watcher, int64_t look_us);

#endif
