/*
 * The pool: a mutex and a condition variable to sleep on, a queue of tasks, and a board of loops
 * (base/loops.h). Loops are found, helped with and ended without the lock as long as nobody sleeps.
 * A helper waits for nothing but loops that it started itself, so loops may nest.
 *
 * A worker with nothing to do stays awake for a moment while networks run, whose loops follow each
 * other closely, and sleeps otherwise. As many are awake or at work as there are workers, callers
 * from outside included: each of those takes the place of one worker, which sleeps.
 */
#include "engine/pool.h"

#include "base/cpus.h"
#include "base/error.h"
#include "base/loops.h"
#include "base/mem.h"
#include "base/share.h"
#include "base/stopwatch.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_THREADS = 1024,
    /* Between two loops of a run. What takes longer is worth a wake-up. */
    RUN_SPIN_US = 200,
    /* After the last loop, and for the last helper: what a wake-up takes. From then on others that
     * wait for this CPU go first. */
    SPIN_US = 50,
    LOOKS_A_CLOCK = 16, /* some 0.4 us */
};

/* What sharing takes, in microseconds. */
static const double chunk_us = 1;     /* joining and leaving a loop takes a quarter of it */
static const double wake_us = 30;     /* work that a sleeper would come to in time */
static const double flops_a_us = 8e4; /* one core's pace in a good kernel */
static const double bytes_a_us = 5e4; /* and from a cache, its own or another's */
enum {
    MAX_CHUNKS = 128,
    LARGE = 1024, /* so many in a chunk are single numbers: chunks are whole vectors */
    ALIGNED = 64
};

struct worker {
    pthread_t thread;
    struct eng_pool *pool;
};

struct eng_pool {
    struct eng_loops loops;
    /* Written under the mutex, but for the counts of runs; others peek. */
    _Alignas(ENG_ALIGN) atomic_int n_tasks; /* queued */
    atomic_int n_busy;                      /* tasks under way */
    atomic_int n_sleeping;                  /* and not called yet */
    atomic_int n_runs, n_outside;           /* under way; of them on threads that are not ours */
    atomic_int run_cpu;                     /* where the last one began or went on; -1: none is */
    pthread_mutex_t mutex;
    pthread_cond_t work, left; /* a worker is called; the last helper has left a loop */
    struct eng_task *first_task, *last_task;
    int n_called; /* and not up yet */
    bool stopping;
    int n_workers;
    struct worker workers[];
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int peek(const atomic_int *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* ---- workers ---- */

/* Called and left with the mutex held. */
static void run_task(struct eng_pool *pool, int worker)
{
    struct eng_task *task = pool->first_task;
    pool->first_task = task->next;
    atomic_fetch_add_explicit(&pool->n_busy, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&pool->n_tasks, 1, memory_order_relaxed);
    pthread_mutex_unlock(&pool->mutex);
    task->run(task, worker);
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_sub_explicit(&pool->n_busy, 1, memory_order_relaxed);
}

static bool try_task(struct eng_pool *pool, int worker)
{
    if (peek(&pool->n_tasks) == 0) return false;
    pthread_mutex_lock(&pool->mutex);
    bool any = pool->first_task;
    if (any) run_task(pool, worker);
    pthread_mutex_unlock(&pool->mutex);
    return any;
}

static bool try_help(struct eng_pool *pool, int worker)
{
    enum eng_loops_help how = eng_loops_help(&pool->loops, (size_t)worker, &pool->n_tasks);
    if (how == ENG_LOOPS_LAST_OUT) {
        pthread_mutex_lock(&pool->mutex); /* the owner looked before it slept, with the lock */
        pthread_cond_broadcast(&pool->left);
        pthread_mutex_unlock(&pool->mutex);
    }
    return how != ENG_LOOPS_NONE;
}

/* Workers that have to sleep because of n_outside callers: one for each, but workers that tasks
 * have or will have do as well. */
static int n_replaced(const struct eng_pool *pool, int n_outside)
{
    int n_busy = peek(&pool->n_tasks) + peek(&pool->n_busy);
    return n_outside > n_busy ? n_outside - n_busy : 0;
}

/* A thread that wakes may be put onto the CPU of who woke it, and stay there for a whole time slice
 * and longer, though another CPU is free or does what can wait. */
static void leave_run_cpu(const struct eng_pool *pool)
{
    int cpu = peek(&pool->run_cpu);
    if (cpu >= 0 && cpu == sched_getcpu()) eng_cpus_leave(cpu);
}

static void note_run_cpu(struct eng_pool *pool)
{
    atomic_store_explicit(&pool->run_cpu, sched_getcpu(), memory_order_relaxed);
}

/* Waits a moment, awake; false: nothing came, or enough others are awake. */
static bool spin(struct eng_pool *pool)
{
    double start_s = eng_stopwatch_s(), waited_us;
    do {
        if (peek(&pool->n_sleeping) < n_replaced(pool, peek(&pool->n_outside))) return false;
        for (int i = 0; i < LOOKS_A_CLOCK; i++) {
            if (peek(&pool->n_tasks) > 0 || eng_loops_want_help(&pool->loops)) return true;
            relax();
        }
        leave_run_cpu(pool);
        waited_us = 1e6 * (eng_stopwatch_s() - start_s);
        if (waited_us > SPIN_US) sched_yield();
    } while (waited_us < (peek(&pool->n_runs) > 0 ? RUN_SPIN_US : SPIN_US));
    return false;
}

/* Until called; false: the pool ends. Who publishes work looks for sleepers afterwards, and who
 * goes to sleep looks for work after it has said so: one sees the other. */
static bool sleep_until_called(struct eng_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->n_sleeping, 1);
    bool any = pool->first_task || eng_loops_want_help(&pool->loops);
    while (!any && pool->n_called == 0 && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->mutex);
    if (!any && pool->n_called > 0)
        pool->n_called--;
    else
        atomic_fetch_sub(&pool->n_sleeping, 1);
    bool goes_on = any || pool->first_task || !pool->stopping;
    pthread_mutex_unlock(&pool->mutex);
    return goes_on;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct eng_pool *pool = worker->pool;
    int index = (int)(worker - pool->workers);
    bool helped = false; /* just now: loops come in rows, so the next one is near */
    for (;;) {
        if (try_task(pool, index)) continue;
        if (try_help(pool, index)) {
            helped = true;
            continue;
        }
        if ((helped || peek(&pool->n_runs) > 0) && spin(pool)) continue;
        helped = false;
        if (!sleep_until_called(pool)) return NULL;
        leave_run_cpu(pool);
    }
}

/* Calls up to n sleepers, under the mutex. */
static void call(struct eng_pool *pool, int n)
{
    int n_sleeping = peek(&pool->n_sleeping);
    if (n > n_sleeping) n = n_sleeping;
    if (n <= 0) return;
    atomic_fetch_sub(&pool->n_sleeping, n);
    pool->n_called += n;
    for (int i = 0; i < n; i++)
        pthread_cond_signal(&pool->work);
}

/* ---- the pool ---- */

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
    if (n_threads == 0) n_threads = eng_pool_cpus();
    if (n_threads > MAX_THREADS) n_threads = MAX_THREADS;
    size_t n_bytes = sizeof(struct eng_pool) + (size_t)n_threads * sizeof(struct worker);
    struct eng_pool *pool = eng_alloc_aligned(n_bytes);
    if (!pool) return eng_fail_memory(err, "the thread pool");
    memset(pool, 0, n_bytes);
    eng_loops_init(&pool->loops, (unsigned)n_threads - 1);
    atomic_init(&pool->run_cpu, -1);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->left, NULL);
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
    assert(!pool->first_task && !atomic_load(&pool->loops.taken) && peek(&pool->n_runs) == 0);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

int eng_pool_size(const struct eng_pool *pool)
{
    return pool ? pool->n_workers : 1;
}

/* ---- tasks ---- */

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
    call(pool, 1);
    pthread_mutex_unlock(&pool->mutex);
}

void eng_pool_yield(struct eng_pool *pool, int worker)
{
    if (peek(&pool->n_tasks) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    int n = peek(&pool->n_tasks);
    for (; n > 0 && pool->first_task; n--)
        run_task(pool, worker);
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- loops ---- */

static double item_us(double flops, double bytes)
{
    return flops / flops_a_us + bytes / bytes_a_us;
}

static bool is_outside(const struct eng_pool *pool)
{
    for (int i = 0; i < pool->n_workers; i++)
        if (pthread_equal(pool->workers[i].thread, pthread_self())) return false;
    return true;
}

/* Calls up to n sleepers, but those whose places callers from outside take. */
static void call_helpers(struct eng_pool *pool, double n)
{
    if (n < 1 || atomic_load(&pool->n_sleeping) == 0) return;
    int n_outside = peek(&pool->n_outside);
    if (n_outside == 0 && is_outside(pool)) n_outside = 1;
    int n_stay = n_replaced(pool, n_outside);
    if (peek(&pool->n_sleeping) <= n_stay) return;
    pthread_mutex_lock(&pool->mutex);
    int n_spare = peek(&pool->n_sleeping) - n_stay;
    call(pool, n < n_spare ? (int)n : n_spare);
    pthread_mutex_unlock(&pool->mutex);
}

void eng_pool_begin_run(struct eng_pool *pool, double flops)
{
    if (eng_pool_size(pool) == 1) return;
    if (is_outside(pool)) atomic_fetch_add_explicit(&pool->n_outside, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->n_runs, 1, memory_order_relaxed);
    note_run_cpu(pool);
    call_helpers(pool, item_us(flops, 0) / wake_us);
}

void eng_pool_end_run(struct eng_pool *pool)
{
    if (eng_pool_size(pool) == 1) return;
    if (is_outside(pool)) atomic_fetch_sub_explicit(&pool->n_outside, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&pool->n_runs, 1, memory_order_relaxed);
    atomic_store_explicit(&pool->run_cpu, -1, memory_order_relaxed);
}

static void wait_for_helpers(struct eng_pool *pool, struct eng_loop *loop)
{
    double start_s = eng_stopwatch_s();
    do
        for (int i = 0; i < LOOKS_A_CLOCK; i++) {
            if (!eng_loop_is_busy(loop)) return;
            relax();
        }
    while (1e6 * (eng_stopwatch_s() - start_s) < SPIN_US);
    pthread_mutex_lock(&pool->mutex);
    if (eng_loop_sleep(loop))
        while (eng_loop_is_busy(loop))
            pthread_cond_wait(&pool->left, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
    if (peek(&pool->n_runs) > 0) note_run_cpu(pool);
}

static void run_alone(size_t n, size_t grain, eng_loop_fn *fn, void *ctx)
{
    for (size_t begin = 0; begin < n;) {
        size_t end = n - begin > grain ? begin + grain : n;
        fn(ctx, begin, end);
        begin = end;
    }
}

/* n_wanted: helpers that are worth a wake-up. */
static void run_loop(struct eng_pool *pool, size_t n, size_t grain, double n_wanted,
                     eng_loop_fn *fn, void *ctx)
{
    size_t n_chunks = (n - 1) / grain + 1;
    struct eng_loop *loop = NULL;
    if (eng_pool_size(pool) > 1 && n_chunks > 1)
        loop = eng_loops_open(&pool->loops, n, grain, n_chunks, fn, ctx);
    if (!loop) {
        run_alone(n, grain, fn, ctx);
        return;
    }
    double n_most = (double)n_chunks - 1;
    call_helpers(pool, n_wanted < n_most ? n_wanted : n_most);
    if (!eng_loops_run(&pool->loops, loop)) wait_for_helpers(pool, loop);
    eng_loops_close(&pool->loops, loop);
}

void eng_pool_for(struct eng_pool *pool, size_t n, size_t grain, eng_loop_fn *fn, void *ctx)
{
    if (n > 0) run_loop(pool, n, grain > 0 ? grain : 1, (double)n, fn, ctx);
}

/* ---- loops that say what they cost ---- */

size_t eng_share_grain(size_t n, double flops, double bytes)
{
    double n_chunks = (double)n * item_us(flops, bytes) / chunk_us;
    if (n_chunks < 2) return n > 0 ? n : 1;
    if (n_chunks > MAX_CHUNKS) n_chunks = MAX_CHUNKS;
    size_t whole = (size_t)n_chunks, grain = n / whole + (n % whole != 0);
    return grain > LARGE ? (grain + ALIGNED - 1) / ALIGNED * ALIGNED : grain;
}

void eng_share(struct eng_pool *pool, size_t n, double flops, double bytes, eng_loop_fn *fn,
               void *ctx)
{
    if (n == 0) return;
    double n_wanted = (double)n * item_us(flops, bytes) / wake_us;
    run_loop(pool, n, eng_share_grain(n, flops, bytes), n_wanted, fn, ctx);
}
