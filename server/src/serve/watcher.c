#include "serve/watcher.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/publish.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 20 };

struct srv_watcher {
    struct srv_registry *registry;
    pthread_t thread;
    atomic_bool awake; /* a look lies ahead that will see what was queued before now */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    bool queued, stopping;
};

void srv_watcher_queued(void *arg)
{
    struct srv_watcher *watcher = arg;
    if (atomic_load(&watcher->awake) || atomic_exchange(&watcher->awake, true)) return;
    pthread_mutex_lock(&watcher->lock);
    watcher->queued = true;
    pthread_cond_signal(&watcher->changed);
    pthread_mutex_unlock(&watcher->lock);
}

/* Sleeps until something is queued, then one interval more. False: stopping. */
static bool sleep_interval(struct srv_watcher *watcher)
{
    pthread_mutex_lock(&watcher->lock);
    while (!watcher->queued && !watcher->stopping)
        pthread_cond_wait(&watcher->changed, &watcher->lock);
    watcher->queued = false;
    struct timespec at = srv_clock_after_ms(INTERVAL_MS);
    int code = 0;
    while (!watcher->stopping && code == 0)
        code = pthread_cond_timedwait(&watcher->changed, &watcher->lock, &at);
    bool goes_on = !watcher->stopping;
    pthread_mutex_unlock(&watcher->lock);
    return goes_on;
}

/* Returns how many pictures still wait. */
static size_t expire_all(struct srv_registry *registry)
{
    size_t n_waiting = 0;
    struct srv_served *served = NULL;
    while ((served = srv_registry_next(registry, served)))
        n_waiting += srv_served_expire(served, srv_clock_us());
    return n_waiting;
}

static void *watcher_main(void *arg)
{
    struct srv_watcher *watcher = arg;
    while (sleep_interval(watcher)) {
        /* Cleared before the look: who queues after it rings again. expire takes each queue's lock,
         * so it sees what was queued by those who still saw the flag set. */
        atomic_store(&watcher->awake, false);
        if (expire_all(watcher->registry) > 0) srv_watcher_queued(watcher);
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
