/* What a free worker takes from the queue: a pure function, tested without threads. */
#ifndef SRV_SERVE_POLICY_H
#define SRV_SERVE_POLICY_H

#include <stddef.h>

/*
 * Purpose: how many of the waiting pictures the next run takes.
 * n_waiting: pictures queued; n_workers: workers of the pool; n_busy: those running this model now,
 * without the asker; max_batch: the model's, at least 1.
 * Returns 1 .. min(n_waiting, max_batch), 0 if none waits. A lone worker takes all there is; while
 * others are idle the pictures are shared out evenly.
 */
size_t srv_policy_take(size_t n_waiting, size_t n_workers, size_t n_busy, size_t max_batch);

#endif
