/* A version that serves, and workers that are blocked so that the order of things is certain. */
#ifndef TESTS_BATCHER_CASE_H
#define TESTS_BATCHER_CASE_H

#include "temp_folder.h"
#include "tiny_model.h"

#include <semaphore.h>

enum { MAX_BATCH = 8, MAX_QUEUE = 40, N_WORKERS = 2 };

static const struct tiny_model tiny = {.weight = 2, .bias = {0.1F, 0.2F, 0.3F}};

struct fixture {
    struct temp_folder folder;
    struct eng_pool *pool;
    struct srv_served *served;
};

static inline struct srv_served_options options_of(const struct fixture *f)
{
    return (struct srv_served_options){.pool = f->pool,
                                       .max_queue = MAX_QUEUE,
                                       .max_batch = MAX_BATCH,
                                       .limits = eng_image_limits_default()};
}

static inline struct srv_served *load_with(const struct fixture *f,
                                           struct srv_served_options options)
{
    struct srv_served *served = NULL;
    struct eng_error err = {0};
    if (srv_served_load("tiny", "1", f->folder.path, &options, &served, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return served;
}

static inline struct srv_served *load(const struct fixture *f, int64_t inline_below_us)
{
    struct srv_served_options options = options_of(f);
    options.inline_below_us = inline_below_us;
    return load_with(f, options);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(eng_pool_create(N_WORKERS, &f->pool, NULL), ENG_OK);
    f->served = load(f, 0);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    srv_served_destroy(f->served);
    eng_pool_destroy(f->pool);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

/* --- workers that wait for us --- */

struct blocker {
    struct eng_task tasks[N_WORKERS];
    sem_t entered, leave;
};

static struct blocker blocker;

static inline void block(struct eng_task *task, int worker)
{
    (void)task, (void)worker;
    sem_post(&blocker.entered);
    sem_wait(&blocker.leave);
}

static inline void block_workers(struct eng_pool *pool)
{
    sem_init(&blocker.entered, 0, 0);
    sem_init(&blocker.leave, 0, 0);
    for (int i = 0; i < N_WORKERS; i++) {
        blocker.tasks[i].run = block;
        eng_pool_submit(pool, &blocker.tasks[i]);
    }
    for (int i = 0; i < N_WORKERS; i++)
        sem_wait(&blocker.entered);
}

static inline void free_worker(void)
{
    sem_post(&blocker.leave);
}

static inline void free_workers(void)
{
    for (int i = 0; i < N_WORKERS; i++)
        free_worker();
}

static inline void submit(struct tiny_job *own)
{
    assert_int_equal(srv_served_submit(&own->job), SRV_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
