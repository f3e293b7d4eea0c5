/*
 * The pool: one mutex, one condition variable to sleep on, two lists: queued tasks and loops that
 * want help. Tasks and chunks run outside the lock. A loop lives on its caller's stack: it is in
 * the list while it has chunks to give, and its caller waits until the last helper has left it. A
 * helper waits for nothing but loops that it started itself, so loops may nest.
 */
#include "engine/pool.h"

#include "base/error.h"
#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_THREADS = 1024,
    /* About 20 us: the next loop of a network usually starts sooner, and waking a sleeper costs as
       much. */
    N_SPINS = 1000,
};

struct loop {
    eng_loop_fn *fn;
    void *ctx;
    size_t n, grain, n_chunks;
    atomic_size_t next_chunk;
    atomic_int n_helpers; /* written under the mutex, as are the links */
    pthread_cond_t left;  /* the last helper tells the caller */
    struct loop *prev, *next;
};

struct worker {
    pthread_t thread;
    struct eng_pool *pool;
};

struct eng_pool {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct eng_task *first_task, *last_task;
    atomic_int n_tasks; /* queued; written under the mutex, helpers peek at it between chunks */
    struct loop *loops;
    atomic_uint n_loops_ever; /* a new one shows to those who linger */
    int n_idle;
    bool stopping;
    int n_workers;
    struct worker workers[];
};

/* Takes chunks until none is left, or, for a helper, until a task waits. */
static void run_chunks(struct loop *loop, atomic_int *n_tasks)
{
    while (!n_tasks || atomic_load_explicit(n_tasks, memory_order_relaxed) == 0) {
        size_t chunk = atomic_fetch_add_explicit(&loop->next_chunk, 1, memory_order_relaxed);
        if (chunk >= loop->n_chunks) return;
        size_t begin = chunk * loop->grain;
        size_t end = loop->n - begin > loop->grain ? begin + loop->grain : loop->n;
        loop->fn(loop->ctx, begin, end);
    }
}

static struct loop *find_loop(struct eng_pool *pool)
{
    for (struct loop *loop = pool->loops; loop; loop = loop->next) {
        size_t next = atomic_load_explicit(&loop->next_chunk, memory_order_relaxed);
        if (next < loop->n_chunks && loop->n_helpers < pool->n_workers - 1) return loop;
    }
    return NULL;
}

static void run_task(struct eng_pool *pool, int worker)
{
    struct eng_task *task = pool->first_task;
    pool->first_task = task->next;
    atomic_fetch_sub_explicit(&pool->n_tasks, 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
    task->run(task, worker);
    pthread_mutex_lock(&pool->mutex);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Waits a moment, awake, for a task or a new loop. Called and left with the mutex held. */
static void linger(struct eng_pool *pool)
{
    unsigned n_seen = atomic_load_explicit(&pool->n_loops_ever, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < N_SPINS; i++) {
        if (atomic_load_explicit(&pool->n_tasks, memory_order_relaxed) ||
            atomic_load_explicit(&pool->n_loops_ever, memory_order_relaxed) != n_seen)
            break;
        relax();
    }
    pthread_mutex_lock(&pool->mutex);
}

/* Called and left with the mutex held. */
static void help(struct eng_pool *pool, struct loop *loop)
{
    atomic_fetch_add_explicit(&loop->n_helpers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
    run_chunks(loop, &pool->n_tasks);
    pthread_mutex_lock(&pool->mutex);
    if (atomic_fetch_sub_explicit(&loop->n_helpers, 1, memory_order_relaxed) == 1)
        pthread_cond_signal(&loop->left);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct eng_pool *pool = worker->pool;
    int index = (int)(worker - pool->workers);
    bool helped = false; /* just now: loops come in rows, so the next one is near */
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        struct loop *loop;
        if (pool->first_task) {
            run_task(pool, index);
        } else if ((loop = find_loop(pool))) {
            help(pool, loop);
            helped = true;
        } else if (helped) {
            linger(pool);
            helped = false;
        } else if (pool->stopping) {
            break;
        } else {
            pool->n_idle++;
            pthread_cond_wait(&pool->work, &pool->mutex);
            pool->n_idle--;
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

/* Signals are for the program's own threads: workers start with all of them blocked. */
static int start_workers(struct eng_pool *pool, int n_threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    for (int i = 0; i < n_threads && code == 0; i++) {
        pool->workers[i].pool = pool;
        code = pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]);
        if (code == 0) pool->n_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum eng_status eng_pool_create(int n_threads, struct eng_pool **out, struct eng_error *err)
{
    if (n_threads < 0 || n_threads > MAX_THREADS)
        return eng_fail(err, ENG_ARGUMENT, "a pool of %d threads: must be 0 to %d", n_threads,
                        MAX_THREADS);
    if (n_threads == 0) n_threads = eng_pool_cpus() < MAX_THREADS ? eng_pool_cpus() : MAX_THREADS;
    struct eng_pool *pool =
        eng_calloc(1, sizeof *pool + (size_t)n_threads * sizeof pool->workers[0]);
    if (!pool) return eng_fail_memory(err, "the thread pool");
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    int code = start_workers(pool, n_threads);
    if (code != 0) {
        eng_fail(err, ENG_IO, "cannot start thread %d of %d: %s", pool->n_workers + 1, n_threads,
                 strerror(code));
        eng_pool_destroy(pool);
        return ENG_IO;
    }
    *out = pool;
    return ENG_OK;
}

void eng_pool_destroy(struct eng_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->n_workers; i++)
        pthread_join(pool->workers[i].thread, NULL);
    assert(!pool->first_task && !pool->loops);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

int eng_pool_size(const struct eng_pool *pool)
{
    return pool ? pool->n_workers : 1;
}

void eng_pool_submit(struct eng_pool *pool, struct eng_task *task)
{
    task->next = NULL;
    pthread_mutex_lock(&pool->mutex);
    if (pool->first_task)
        pool->last_task->next = task;
    else
        pool->first_task = task;
    pool->last_task = task;
    atomic_fetch_add_explicit(&pool->n_tasks, 1, memory_order_relaxed);
    if (pool->n_idle > 0) pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

void eng_pool_yield(struct eng_pool *pool, int worker)
{
    if (atomic_load_explicit(&pool->n_tasks, memory_order_relaxed) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    int n = atomic_load_explicit(&pool->n_tasks, memory_order_relaxed);
    for (; n > 0 && pool->first_task; n--)
        run_task(pool, worker);
    pthread_mutex_unlock(&pool->mutex);
}

/* Puts the loop where workers look, and wakes as many sleepers as it has chunks for. */
static void publish(struct eng_pool *pool, struct loop *loop)
{
    pthread_mutex_lock(&pool->mutex);
    loop->next = pool->loops;
    if (loop->next) loop->next->prev = loop;
    pool->loops = loop;
    atomic_fetch_add_explicit(&pool->n_loops_ever, 1, memory_order_relaxed);
    size_t n_wanted = loop->n_chunks - 1;
    for (int i = 0; i < pool->n_idle && i < pool->n_workers - 1 && (size_t)i < n_wanted; i++)
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

static bool has_helpers(struct loop *loop)
{
    return atomic_load_explicit(&loop->n_helpers, memory_order_relaxed) > 0;
}

/* Takes the loop out of the list, so that nobody joins any more, and waits for those inside. */
static void withdraw(struct eng_pool *pool, struct loop *loop)
{
    pthread_mutex_lock(&pool->mutex);
    if (loop->prev)
        loop->prev->next = loop->next;
    else
        pool->loops = loop->next;
    if (loop->next) loop->next->prev = loop->prev;
    if (has_helpers(loop)) {
        pthread_mutex_unlock(&pool->mutex);
        for (int i = 0; i < N_SPINS && has_helpers(loop); i++)
            relax();
        pthread_mutex_lock(
            &pool->mutex); /* the last helper has let go of the loop with this lock */
        while (has_helpers(loop))
            pthread_cond_wait(&loop->left, &pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
}

void eng_pool_for(struct eng_pool *pool, size_t n, size_t grain, eng_loop_fn *fn, void *ctx)
{
    if (n == 0) return;
    if (grain == 0) grain = 1;
    struct loop loop = {.fn = fn, .ctx = ctx, .n = n, .grain = grain};
    loop.n_chunks = (n - 1) / grain + 1;
    if (eng_pool_size(pool) == 1 || loop.n_chunks == 1) {
        run_chunks(&loop, NULL);
        return;
    }
    pthread_cond_init(&loop.left, NULL);
    publish(pool, &loop);
    run_chunks(&loop, NULL);
    withdraw(pool, &loop);
    pthread_cond_destroy(&loop.left);
}
