/* When a batch runs and what it takes: pure functions, tested without threads. */
#ifndef SRV_SERVE_POLICY_H
#define SRV_SERVE_POLICY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Purpose: how many of the waiting pictures the next run takes.
 * n_waiting: pictures queued; n_workers: workers of the pool; n_busy: those running this model now,
 * without the asker; max_batch: the model's, at least 1.
 * Returns 1 .. min(n_waiting, max_batch), 0 if none waits. A lone worker takes all there is; while
 * others are idle the pictures are shared out evenly.
 */
size_t srv_policy_take(size_t n_waiting, size_t n_workers, size_t n_busy, size_t max_batch);

/*
 * Purpose: how long a job may wait for others to fill its batch: until max_delay_us after it came,
 * but never beyond the middle between that and its deadline (0: none), so that time to compute is
 * left. A batch runs when one of its jobs is due, or when it is full.
 * Without a delay: at once.
 */
int64_t srv_policy_due_us(int64_t submitted_us, int64_t deadline_us, int64_t max_delay_us);

#endif
