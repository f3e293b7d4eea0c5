#include "serve/watcher.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct srv_watcher {
    struct srv_registry *registry;
    pthread_t thread;
    /* When the next look begins, which will see what was queued before; INT64_MAX: none is due. */
    atomic_int_least64_t look_us;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    bool stopping;
};

void srv_watcher_queued(void *arg, int64_t look_us)
{
    struct srv_watcher *watcher = arg;
    int64_t planned_us = atomic_load(&watcher->look_us);
    do {
        if (planned_us <= look_us) return;
    } while (!atomic_compare_exchange_weak(&watcher->look_us, &planned_us, look_us));
    pthread_mutex_lock(&watcher->lock); /* so that it is not between its own look and its sleep */
    pthread_cond_signal(&watcher->changed);
    pthread_mutex_unlock(&watcher->lock);
}

/* Sleeps until a look is due. False: stopping. */
static bool sleep_until_due(struct srv_watcher *watcher)
{
    pthread_mutex_lock(&watcher->lock);
    while (!watcher->stopping) {
        int64_t look_us = atomic_load(&watcher->look_us);
        if (look_us == INT64_MAX) {
            pthread_cond_wait(&watcher->changed, &watcher->lock);
        } else {
            if (srv_clock_us() >= look_us) break;
            struct timespec at = srv_clock_timespec(look_us);
            pthread_cond_timedwait(&watcher->changed, &watcher->lock, &at);
        }
    }
    bool goes_on = !watcher->stopping;
    pthread_mutex_unlock(&watcher->lock);
    return goes_on;
}

/* Returns when to look again. */
static int64_t look_at_all(struct srv_registry *registry)
{
    int64_t next_us = INT64_MAX;
    struct srv_served *served = NULL;
    while ((served = srv_registry_next(registry, served))) {
        int64_t own_us = srv_served_look(served, srv_clock_us());
        if (own_us < next_us) next_us = own_us;
    }
    return next_us;
}

static void *watcher_main(void *arg)
{
    struct srv_watcher *watcher = arg;
    while (sleep_until_due(watcher)) {
        /* Cleared before the look: who queues after it rings again. look takes each queue's lock,
         * so it sees what was queued by those who still saw this look ahead. */
        atomic_store(&watcher->look_us, INT64_MAX);
        srv_watcher_queued(watcher, look_at_all(watcher->registry));
    }
    return NULL;
}

static void destroy(struct srv_watcher *watcher)
{
    pthread_cond_destroy(&watcher->changed);
    pthread_mutex_destroy(&watcher->lock);
    free(watcher);
}

enum eng_status srv_watcher_start(struct srv_registry *registry, struct srv_watcher **out,
                                  struct eng_error *err)
{
    struct srv_watcher *watcher = calloc(1, sizeof *watcher);
    if (!watcher) return srv_fail_memory(err, "the watcher");
    watcher->registry = registry;
    atomic_init(&watcher->look_us, INT64_MAX);
    pthread_mutex_init(&watcher->lock, NULL);
    srv_clock_condition_init(&watcher->changed);
    int code = pthread_create(&watcher->thread, NULL, watcher_main, watcher);
    if (code != 0) {
        destroy(watcher);
        return srv_fail(err, ENG_IO, "cannot start the watcher thread: %s", strerror(code));
    }
    *out = watcher;
    return ENG_OK;
}

void srv_watcher_stop(struct srv_watcher *watcher)
{
    if (!watcher) return;
    pthread_mutex_lock(&watcher->lock);
    watcher->stopping = true;
    pthread_cond_signal(&watcher->changed);
    pthread_mutex_unlock(&watcher->lock);
    pthread_join(watcher->thread, NULL);
    destroy(watcher);
}
