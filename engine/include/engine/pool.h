/* The one pool of compute threads: tasks for workers, and loops that idle workers help with. */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include "engine/status.h"

#include <stddef.h>

struct eng_pool;

/* A queued piece of work; embed it in the caller's own struct. Not touched after run starts. */
struct eng_task {
    void (*run)(struct eng_task *task, int worker); /* worker: 0 .. eng_pool_size - 1 */
    struct eng_task *next;                          /* the pool's own */
};

/* One piece of a loop: indices [begin, end). */
typedef void eng_loop_fn(void *ctx, size_t begin, size_t end);

/*
 * Purpose: starts n_threads workers; 0 means what the cgroup's cpu quota and the affinity mask
 * give. Ownership: end with eng_pool_destroy. Errors: NO_MEMORY, IO (no thread to be had).
 */
enum eng_status eng_pool_create(int n_threads, struct eng_pool **out, struct eng_error *err);

/* Purpose: runs every queued task, then joins the workers. NULL is accepted. No submits meanwhile.
 */
void eng_pool_destroy(struct eng_pool *pool);

/* Purpose: the number of workers; 1 for NULL. */
int eng_pool_size(const struct eng_pool *pool);

/* Purpose: how many CPUs this process may really use (affinity and cgroup v1/v2 quota), at least 1.
 */
int eng_pool_cpus(void);

/* Purpose: queues a task, first in first out; never blocks, never fails. Any thread. */
void eng_pool_submit(struct eng_pool *pool, struct eng_task *task);

/*
 * Purpose: lets a task that takes long give way: runs tasks that wait, at most as many as wait at
 * the call, and returns. Between its steps, so that others are served even by a pool of one worker.
 * Threads: only from within a task, outside of eng_pool_for; worker is the one that the task got.
 */
void eng_pool_yield(struct eng_pool *pool, int worker);

/*
 * Purpose: runs fn over [0, n) in chunks of grain, on the calling thread and on workers that have
 * no task; returns when all is done. Chunk borders depend on n and grain only, so results do not
 * depend on the number of threads. pool NULL, or a single chunk: inline on the caller. Threads:
 * any, workers included.
 */
void eng_pool_for(struct eng_pool *pool, size_t n, size_t grain, eng_loop_fn *fn, void *ctx);

/*
 * Purpose: announces a row of loops with little between them: until the run ends, workers with
 * nothing to do wait for the next loop awake, each for a fraction of a millisecond at a time; if
 * the run, of so many flops, is worth it, sleepers are woken. Begin and end come in pairs, on one
 * thread. pool NULL: nothing. Threads: any, workers included.
 */
void eng_pool_begin_run(struct eng_pool *pool, double flops);
void eng_pool_end_run(struct eng_pool *pool);

#endif
