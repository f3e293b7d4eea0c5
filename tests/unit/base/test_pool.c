/* The pool under load: every task and every chunk runs exactly once, in whatever company. */
#include "engine/pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct eng_pool *pool_of(int n_threads)
{
    struct eng_pool *pool;
    struct eng_error err = {0};
    if (eng_pool_create(n_threads, &pool, &err) != ENG_OK) fail_msg("%s", err.text);
    return pool;
}

/* A loop's record: how often each index ran, and that chunks begin and end where they must. */
struct record {
    size_t n, grain;
    atomic_uchar *times;
    atomic_int n_bad;
};

static void record_chunk(void *ctx, size_t begin, size_t end)
{
    struct record *record = ctx;
    bool last = end == record->n;
    if (begin % record->grain || end > record->n || (!last && end - begin != record->grain))
        atomic_fetch_add(&record->n_bad, 1);
    for (size_t i = begin; i < end && i < record->n; i++)
        atomic_fetch_add(&record->times[i], 1);
}

static void check_loop(struct eng_pool *pool, size_t n, size_t grain)
{
    struct record record = {.n = n, .grain = grain ? grain : 1};
    record.times = calloc(n + 1, sizeof *record.times);
    assert_non_null(record.times);
    eng_pool_for(pool, n, grain, record_chunk, &record);
    assert_int_equal(record.n_bad, 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(record.times[i], 1);
    free(record.times);
}

static void loops_cover_every_index_once(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 9, 100, 1000, 4097};
    static const size_t grains[] = {0, 1, 2, 8, 1000, SIZE_MAX};
    for (int n_threads = 0; n_threads <= 5; n_threads++) {
        struct eng_pool *pool = n_threads ? pool_of(n_threads) : NULL;
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t k = 0; k < sizeof grains / sizeof grains[0]; k++)
                check_loop(pool, sizes[i], grains[k]);
        }
        eng_pool_destroy(pool);
    }
}

static void sleep_chunk(void *ctx, size_t begin, size_t end)
{
    (void)begin, (void)end;
    pthread_t *threads = ctx;
    threads[begin] = pthread_self();
    usleep(20000);
}

static void idle_workers_help(void **state)
{
    (void)state;
    struct eng_pool *pool = pool_of(3);
    pthread_t threads[12];
    eng_pool_for(pool, 12, 1, sleep_chunk, threads);
    int n_mine = 0;
    for (int i = 0; i < 12; i++)
        n_mine += pthread_equal(threads[i], pthread_self()) != 0;
    assert_in_range(n_mine, 1, 11);
    eng_pool_destroy(pool);
}

struct count_task {
    struct eng_task task;
    struct eng_pool *pool;
    atomic_int *n_run;
    int worker;
    int order;
};

static void count(struct eng_task *task, int worker)
{
    struct count_task *t = (struct count_task *)task;
    t->worker = worker;
    t->order = atomic_load(t->n_run); /* exact with one worker */
    atomic_fetch_add(t->n_run, 1);    /* last: who waits for the count may free the task then */
}

static void tasks_run_once_in_order_before_destroy_returns(void **state)
{
    (void)state;
    enum { N = 5000 };
    static struct count_task tasks[N];
    for (int n_threads = 1; n_threads <= 4; n_threads += 3) {
        struct eng_pool *pool = pool_of(n_threads);
        atomic_int n_run = 0;
        for (int i = 0; i < N; i++) {
            tasks[i] = (struct count_task){.task.run = count, .n_run = &n_run, .worker = -1};
            eng_pool_submit(pool, &tasks[i].task);
        }
        eng_pool_destroy(pool);
        assert_int_equal(n_run, N);
        for (int i = 0; i < N; i++) {
            assert_in_range(tasks[i].worker, 0, n_threads - 1);
            if (n_threads == 1) assert_int_equal(tasks[i].order, i);
        }
    }
}

/* A task whose chunks each run a loop, from which a third level starts. */
static void inner_chunk(void *ctx, size_t begin, size_t end)
{
    atomic_fetch_add((atomic_int *)ctx, (int)(end - begin));
}

static struct eng_pool *nested_pool;

static void outer_chunk(void *ctx, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        eng_pool_for(nested_pool, 40, 3, inner_chunk, ctx);
}

static void loop_in_task(struct eng_task *task, int worker)
{
    struct count_task *t = (struct count_task *)task;
    t->worker = worker;
    eng_pool_for(t->pool, 10, 1, outer_chunk, t->n_run);
}

static void loops_nest_in_tasks_and_in_loops(void **state)
{
    (void)state;
    enum { N = 200 };
    static struct count_task tasks[N];
    nested_pool = pool_of(4);
    atomic_int n_run = 0;
    for (int i = 0; i < N; i++) {
        tasks[i] =
            (struct count_task){.task.run = loop_in_task, .pool = nested_pool, .n_run = &n_run};
        eng_pool_submit(nested_pool, &tasks[i].task);
    }
    eng_pool_for(nested_pool, 10, 1, outer_chunk, &n_run);
    eng_pool_destroy(nested_pool);
    assert_int_equal(n_run, (N + 1) * 10 * 40);
}

/* Several threads submit and loop at once. */
static void *hammer(void *arg)
{
    struct eng_pool *pool = arg;
    enum { N = 300 };
    struct count_task *tasks = calloc(N, sizeof *tasks);
    atomic_int n_run = 0, n_indices = 0;
    for (int i = 0; tasks && i < N; i++) {
        tasks[i] = (struct count_task){.task.run = count, .n_run = &n_run};
        eng_pool_submit(pool, &tasks[i].task);
        eng_pool_for(pool, (size_t)(i % 37), 2, inner_chunk, &n_indices);
    }
    while (atomic_load(&n_run) < N)
        sched_yield();
    free(tasks);
    int n_wanted = 0;
    for (int i = 0; i < N; i++)
        n_wanted += i % 37;
    return n_indices == n_wanted ? arg : NULL;
}

static void many_threads_share_one_pool(void **state)
{
    (void)state;
    struct eng_pool *pool = pool_of(3);
    pthread_t threads[6];
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, pool), 0);
    for (int i = 0; i < 6; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, pool);
    }
    eng_pool_destroy(pool);
}

/* More loops inside of each other than the board has places. */
enum { DEPTH = 100 };

struct deep {
    struct eng_pool *pool;
    int depth;
    atomic_int *n_run;
};

static void deep_chunk(void *ctx, size_t begin, size_t end)
{
    const struct deep *deep = ctx;
    struct deep below = {deep->pool, deep->depth - 1, deep->n_run};
    atomic_fetch_add(deep->n_run, (int)(end - begin));
    if (begin == 0 && below.depth > 0) eng_pool_for(below.pool, 4, 1, deep_chunk, &below);
}

static void loops_nest_deeper_than_there_are_places(void **state)
{
    (void)state;
    struct eng_pool *pool = pool_of(3);
    atomic_int n_run = 0;
    struct deep deep = {pool, DEPTH, &n_run};
    for (int i = 0; i < 20; i++)
        eng_pool_for(pool, 4, 1, deep_chunk, &deep);
    assert_int_equal(n_run, 20 * 4 * DEPTH);
    eng_pool_destroy(pool);
}

/* Everything at once: runs of loops in loops from outside and from tasks, and tasks between them.
 */
struct network {
    struct eng_task task;
    struct eng_pool *pool;
    atomic_int *n_left;
    atomic_int n_indices;
};

enum { N_LAYERS = 40, LAYER_INDICES = 61 };

static void layer_chunk(void *ctx, size_t begin, size_t end)
{
    struct network *net = ctx;
    if (begin % 20 == 0) eng_pool_for(net->pool, 7, 2, inner_chunk, &net->n_indices);
    atomic_fetch_add(&net->n_indices, (int)(end - begin));
}

static void run_network(struct network *net)
{
    eng_pool_begin_run(net->pool, 0);
    for (int i = 0; i < N_LAYERS; i++)
        eng_pool_for(net->pool, LAYER_INDICES, 5, layer_chunk, net);
    eng_pool_end_run(net->pool);
}

static void network_task(struct eng_task *task, int worker)
{
    (void)worker;
    struct network *net = (struct network *)task;
    run_network(net);
    atomic_fetch_sub(net->n_left, 1);
}

static void *network_thread(void *arg)
{
    struct eng_pool *pool = arg;
    enum { N = 30, WANTED = N_LAYERS * (LAYER_INDICES + 4 * 7) };
    static _Thread_local struct network tasks[N];
    atomic_int n_left = N;
    for (int i = 0; i < N; i++) {
        struct network own = {.pool = pool};
        tasks[i] = (struct network){.task.run = network_task, .pool = pool, .n_left = &n_left};
        eng_pool_submit(pool, &tasks[i].task);
        run_network(&own);
        if (own.n_indices != WANTED) return NULL;
    }
    while (atomic_load(&n_left) > 0)
        sched_yield();
    for (int i = 0; i < N; i++)
        if (tasks[i].n_indices != WANTED) return NULL;
    return arg;
}

static void networks_run_beside_each_other(void **state)
{
    (void)state;
    for (int n_workers = 2; n_workers <= 4; n_workers += 2) {
        struct eng_pool *pool = pool_of(n_workers);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, network_thread, pool), 0);
        for (int i = 0; i < 4; i++) {
            void *result;
            assert_int_equal(pthread_join(threads[i], &result), 0);
            assert_ptr_equal(result, pool);
        }
        eng_pool_destroy(pool);
    }
}

static double cpu_s(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (double)spent.tv_sec + 1e-9 * (double)spent.tv_nsec;
}

/* After a burst, and in the pauses of a run, workers sleep: no CPU time passes. */
static void idle_workers_use_no_cpu(void **state)
{
    (void)state;
    struct eng_pool *pool = pool_of(4);
    struct network net = {.pool = pool};
    run_network(&net);
    usleep(20000);
    double before_s = cpu_s();
    usleep(500000);
    assert_true(cpu_s() - before_s < 0.05);
    eng_pool_begin_run(pool, 1e9);
    eng_pool_for(pool, 100, 1, inner_chunk, &net.n_indices);
    usleep(20000);
    before_s = cpu_s();
    usleep(500000);
    assert_true(cpu_s() - before_s < 0.05);
    eng_pool_end_run(pool);
    eng_pool_destroy(pool);
}

/* One worker is kept busy, the other helps with a loop; a task comes in the middle of it. */
struct precedence {
    struct eng_pool *pool;
    pthread_t caller;
    atomic_bool release, submitted, task_ran, ran_in_time;
    struct precedence_task {
        struct eng_task task;
        struct precedence *test;
    } busy, urgent;
};

static void run_busy(struct eng_task *task, int worker)
{
    (void)worker;
    struct precedence *test = ((struct precedence_task *)task)->test;
    while (!atomic_load(&test->release))
        usleep(100);
}

static void run_urgent(struct eng_task *task, int worker)
{
    (void)worker;
    atomic_store(&((struct precedence_task *)task)->test->task_ran, true);
}

static void precedence_chunk(void *ctx, size_t begin, size_t end)
{
    (void)begin, (void)end;
    struct precedence *test = ctx;
    bool helper = !pthread_equal(pthread_self(), test->caller);
    if (helper && !atomic_exchange(&test->submitted, true))
        eng_pool_submit(test->pool, &test->urgent.task);
    if (atomic_load(&test->task_ran)) atomic_store(&test->ran_in_time, true);
    usleep(200);
}

static void a_task_goes_before_a_loops_other_chunks(void **state)
{
    (void)state;
    struct precedence test = {.pool = pool_of(2), .caller = pthread_self()};
    test.busy = (struct precedence_task){.task.run = run_busy, .test = &test};
    test.urgent = (struct precedence_task){.task.run = run_urgent, .test = &test};
    eng_pool_submit(test.pool, &test.busy.task);
    eng_pool_for(test.pool, 2000, 1, precedence_chunk, &test);
    atomic_store(&test.release, true);
    eng_pool_destroy(test.pool);
    assert_true(test.submitted);
    assert_true(test.ran_in_time);
}

/* A long task gives way; one of those that it lets pass queues itself again and again. */
struct yielding {
    struct eng_task task;
    struct eng_pool *pool;
    struct count_task others[3];
    struct eng_task again;
    atomic_int n_run, n_again;
    int n_after_first, n_after_second, n_again_after_second;
    bool same_worker;
};

static void run_again(struct eng_task *task, int worker)
{
    struct yielding *y = (struct yielding *)((char *)task - offsetof(struct yielding, again));
    (void)worker;
    if (atomic_fetch_add(&y->n_again, 1) < 9) eng_pool_submit(y->pool, task);
}

static void run_yielding(struct eng_task *task, int worker)
{
    struct yielding *y = (struct yielding *)task;
    eng_pool_yield(y->pool, worker);
    y->n_after_first = atomic_load(&y->n_run);
    for (size_t i = 0; i < 3; i++) {
        y->others[i] = (struct count_task){.task.run = count, .n_run = &y->n_run, .worker = -1};
        eng_pool_submit(y->pool, &y->others[i].task);
    }
    y->again.run = run_again;
    eng_pool_submit(y->pool, &y->again);
    eng_pool_yield(y->pool, worker);
    y->n_after_second = atomic_load(&y->n_run);
    y->n_again_after_second = atomic_load(&y->n_again);
    y->same_worker = y->others[0].worker == worker && y->others[2].worker == worker;
}

static void a_long_task_gives_way(void **state)
{
    (void)state;
    struct yielding y = {.task.run = run_yielding, .pool = pool_of(1)};
    eng_pool_submit(y.pool, &y.task);
    eng_pool_destroy(y.pool);
    assert_int_equal(y.n_after_first, 0);
    assert_int_equal(y.n_after_second, 3);
    assert_true(y.same_worker);
    for (int i = 0; i < 3; i++)
        assert_int_equal(y.others[i].order, i);
    assert_int_equal(y.n_again_after_second, 1); /* only what waited at the call */
    assert_int_equal(y.n_again, 10);
}

static void sizes_are_checked(void **state)
{
    (void)state;
    struct eng_pool *pool = NULL;
    struct eng_error err = {0};
    assert_int_equal(eng_pool_create(-1, &pool, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "-1 threads"));
    assert_int_equal(eng_pool_create(1000000, &pool, NULL), ENG_ARGUMENT);
    assert_null(pool);
    eng_pool_destroy(NULL);
    assert_int_equal(eng_pool_size(NULL), 1);
    pool = pool_of(0);
    assert_int_equal(eng_pool_size(pool), eng_pool_cpus());
    eng_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_cover_every_index_once),
        cmocka_unit_test(idle_workers_help),
        cmocka_unit_test(tasks_run_once_in_order_before_destroy_returns),
        cmocka_unit_test(loops_nest_in_tasks_and_in_loops),
        cmocka_unit_test(loops_nest_deeper_than_there_are_places),
        cmocka_unit_test(many_threads_share_one_pool),
        cmocka_unit_test(networks_run_beside_each_other),
        cmocka_unit_test(idle_workers_use_no_cpu),
        cmocka_unit_test(a_task_goes_before_a_loops_other_chunks),
        cmocka_unit_test(a_long_task_gives_way),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
