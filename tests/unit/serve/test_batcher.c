/* The queue and the batches of one version. Blocked workers make the order of things certain. */
#include "serve/served_parts.h"
#include "temp_folder.h"
#include "tiny_model.h"

#include <semaphore.h>

/* 3 x 1, grey: 10, 120, 250 */
static const uint8_t small_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x3e, 0x8b, 0x4b, 0x68, 0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78,
    0xda, 0x63, 0xe0, 0xaa, 0xf8, 0x05, 0x00, 0x02, 0x0c, 0x01, 0x7d, 0x2d, 0x81, 0x8c,
    0xc4, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

/* 300 x 300, grey, black */
static const uint8_t large_png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x01, 0x2c, 0x00, 0x00, 0x01, 0x2c, 0x08, 0x00, 0x00, 0x00, 0x00, 0x5c, 0x16, 0xd1,
    0xa9, 0x00, 0x00, 0x00, 0x6d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0xed, 0xc1, 0x01, 0x01, 0x00,
    0x00, 0x00, 0x82, 0x20, 0xff, 0xaf, 0x6e, 0x48, 0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xf0, 0x6e, 0x60, 0xcb, 0x00, 0x01, 0x10, 0xc6, 0xc5, 0xbd, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

enum { MAX_BATCH = 8, MAX_QUEUE = 40, N_WORKERS = 2 };

static const struct tiny_model tiny = {.weight = 2, .bias = {0.1F, 0.2F, 0.3F}};

struct fixture {
    struct temp_folder folder;
    struct eng_pool *pool;
    struct srv_served *served;
};

static struct srv_served_options options_of(const struct fixture *f)
{
    return (struct srv_served_options){.pool = f->pool,
                                       .max_queue = MAX_QUEUE,
                                       .max_batch = MAX_BATCH,
                                       .limits = eng_image_limits_default()};
}

static struct srv_served *load_with(const struct fixture *f, struct srv_served_options options)
{
    struct srv_served *served = NULL;
    struct eng_error err = {0};
    if (srv_served_load("tiny", "1", f->folder.path, &options, &served, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return served;
}

static struct srv_served *load(const struct fixture *f, int64_t inline_below_us)
{
    struct srv_served_options options = options_of(f);
    options.inline_below_us = inline_below_us;
    return load_with(f, options);
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void block(struct eng_task *task, int worker)
{
    (void)task, (void)worker;
    sem_post(&blocker.entered);
    sem_wait(&blocker.leave);
}

static void block_workers(struct eng_pool *pool)
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

static void free_worker(void)
{
    sem_post(&blocker.leave);
}

static void free_workers(void)
{
    for (int i = 0; i < N_WORKERS; i++)
        free_worker();
}

static void submit(struct tiny_job *own)
{
    assert_int_equal(srv_served_submit(&own->job), SRV_OK);
}

/* --- the tests --- */

static void answers_a_lone_picture(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    tiny_job_init(&own, f->served, 1, 5);
    submit(&own);
    tiny_job_wait(&own);
    assert_int_equal(own.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&own, &tiny));
    assert_int_equal(own.job.max_batch_size, 1);
    assert_true(own.job.times.started_us >= own.job.times.submitted_us);
    assert_int_equal(srv_served_queue_length(f->served), 0);
    tiny_job_fini(&own);
}

/* Two workers share what waits: of six, three each. */
static void joins_jobs_in_a_batch(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own[6];
    block_workers(f->pool);
    for (unsigned i = 0; i < 6; i++) {
        tiny_job_init(&own[i], f->served, 1, i);
        submit(&own[i]);
    }
    assert_int_equal(srv_served_queue_length(f->served), 6);
    free_worker();
    tiny_job_wait(&own[5]); /* the one free worker ran them all: the other's turn is left over */
    for (int i = 0; i < 6; i++) {
        tiny_job_wait(&own[i]);
        assert_int_equal(own[i].job.code, SRV_OK);
        assert_true(tiny_job_agrees(&own[i], &tiny));
    }
    assert_int_equal(own[0].job.max_batch_size, 3);
    assert_int_equal(own[2].job.max_batch_size, 3);
    assert_int_equal(own[3].job.max_batch_size, 2); /* half of the three that were left */
    free_worker();
    for (int i = 0; i < 6; i++)
        tiny_job_fini(&own[i]);
}

static void splits_a_large_job(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    for (unsigned n = 1; n <= MAX_QUEUE; n++) {
        tiny_job_init(&own, f->served, n, n);
        submit(&own);
        tiny_job_wait(&own);
        assert_int_equal(own.job.code, SRV_OK);
        assert_true(tiny_job_agrees(&own, &tiny));
        assert_in_range(own.job.max_batch_size, 1, MAX_BATCH);
        assert_int_equal(own.n_done, 1);
        tiny_job_fini(&own);
    }
}

static void refuses_when_full(void **state)
{
    struct fixture *f = *state;
    struct tiny_job waiting, too_many, one_more, larger;
    block_workers(f->pool);
    tiny_job_init(&waiting, f->served, MAX_QUEUE - 1, 1);
    submit(&waiting);
    tiny_job_init(&too_many, f->served, 2, 2);
    assert_int_equal(srv_served_submit(&too_many.job), SRV_QUEUE_FULL);
    assert_int_equal(too_many.job.code, SRV_QUEUE_FULL);
    assert_int_equal(too_many.job.retry_after_s, 1);
    assert_string_equal(too_many.job.error.text, "the queue of model 'tiny' is full: 39 of at most "
                                                 "40 pictures wait, the request has 2");
    tiny_job_init(&larger, f->served, MAX_QUEUE + 1, 3);
    assert_int_equal(srv_served_submit(&larger.job), SRV_TOO_LARGE);
    assert_string_equal(larger.job.error.text,
                        "the request has 41 pictures, the queue of model 'tiny' holds at most 40");
    tiny_job_init(&one_more, f->served, 1, 4);
    submit(&one_more);
    free_workers();
    tiny_job_wait(&waiting);
    tiny_job_wait(&one_more);
    assert_true(tiny_job_agrees(&waiting, &tiny));
    assert_true(tiny_job_agrees(&one_more, &tiny));
    assert_int_equal(too_many.n_done, 0);
    assert_int_equal(larger.n_done, 0);
    tiny_job_fini(&waiting);
    tiny_job_fini(&too_many);
    tiny_job_fini(&one_more);
    tiny_job_fini(&larger);
}

/* A worker that becomes free drops what is late and computes the rest. */
static void drops_late_jobs_before_compute(void **state)
{
    struct fixture *f = *state;
    struct tiny_job late, timely;
    block_workers(f->pool);
    tiny_job_init(&late, f->served, 3, 1);
    late.job.deadline_us = srv_clock_us() + 1000;
    submit(&late);
    tiny_job_init(&timely, f->served, 3, 2);
    timely.job.deadline_us = srv_clock_us() + 3600 * INT64_C(1000000);
    submit(&timely);
    while (srv_clock_us() < late.job.deadline_us)
        sched_yield();
    free_workers();
    tiny_job_wait(&late);
    tiny_job_wait(&timely);
    assert_int_equal(late.job.code, SRV_DEADLINE_EXCEEDED);
    assert_int_equal(late.job.max_batch_size, 0);
    assert_non_null(strstr(late.job.error.text, "the deadline passed; the request waited "));
    assert_int_equal(timely.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&timely, &tiny));
    tiny_job_fini(&late);
    tiny_job_fini(&timely);
}

/* Housekeeping: the first, the last and one in the middle are late; no worker is free. */
static void expires_waiting_jobs(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own[5];
    block_workers(f->pool);
    for (unsigned i = 0; i < 5; i++) {
        tiny_job_init(&own[i], f->served, 2, i);
        own[i].job.deadline_us = i % 2 == 0 ? 1000 : 0;
        submit(&own[i]);
    }
    assert_int_equal(srv_served_look(f->served, 999), 999 + SRV_LOOK_EVERY_US);
    assert_int_equal(own[0].n_done, 0);
    assert_int_equal(srv_served_look(f->served, 1000), 1000 + SRV_LOOK_EVERY_US);
    assert_int_equal(srv_served_queue_length(f->served), 4);
    for (int i = 0; i < 5; i += 2) {
        assert_int_equal(own[i].n_done, 1);
        assert_int_equal(own[i].job.code, SRV_DEADLINE_EXCEEDED);
    }
    struct tiny_job after; /* the queue's end is in order */
    tiny_job_init(&after, f->served, 1, 9);
    submit(&after);
    free_workers();
    tiny_job_wait(&own[1]);
    tiny_job_wait(&own[3]);
    tiny_job_wait(&after);
    assert_true(tiny_job_agrees(&own[1], &tiny));
    assert_true(tiny_job_agrees(&own[3], &tiny));
    assert_true(tiny_job_agrees(&after, &tiny));
    for (int i = 0; i < 5; i++)
        tiny_job_fini(&own[i]);
    tiny_job_fini(&after);
}

static void fails_a_bad_picture_alone(void **state)
{
    struct fixture *f = *state;
    struct tiny_job good, bad, also_good;
    const struct srv_sample junk = {
        .kind = SRV_SAMPLE_ENCODED, .data = "no picture", .n_bytes = 10};
    block_workers(f->pool);
    tiny_job_init(&good, f->served, 1, 1);
    good.samples[0] = (struct srv_sample){
        .kind = SRV_SAMPLE_ENCODED, .data = small_png, .n_bytes = sizeof small_png};
    memcpy(good.pixels[0], (float[]){10, 120, 250}, sizeof good.pixels[0]);
    tiny_job_init(&bad, f->served, 12, 2);
    bad.samples[2] = bad.samples[4] = junk; /* in one batch */
    tiny_job_init(&also_good, f->served, 2, 3);
    submit(&good);
    submit(&bad);
    submit(&also_good);
    free_workers();
    tiny_job_wait(&good);
    tiny_job_wait(&bad);
    tiny_job_wait(&also_good);
    assert_int_equal(good.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&good, &tiny));
    assert_int_equal(bad.job.code, SRV_INVALID_IMAGE);
    assert_memory_equal(bad.job.error.text, "picture 3 of 12: ", 17); /* the first of the two */
    assert_int_equal(also_good.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&also_good, &tiny));
    tiny_job_fini(&good);
    tiny_job_fini(&bad);
    tiny_job_fini(&also_good);
}

static void names_the_pixels_wanted(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    tiny_job_init(&own, f->served, 1, 1);
    own.samples[0].n_bytes = 2 * sizeof(float);
    submit(&own);
    tiny_job_wait(&own);
    assert_int_equal(own.job.code, SRV_INVALID_REQUEST);
    assert_string_equal(own.job.error.text,
                        "2 pixel values, the model takes 3 (1 high, 3 wide, 1 channels)");
    tiny_job_fini(&own);
}

/* A network that overflows answers an error, not a number. */
static void refuses_an_answer_that_is_not_finite(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    tiny_job_init(&own, f->served, 2, 1);
    own.pixels[1][0] = NAN;
    submit(&own);
    tiny_job_wait(&own);
    assert_int_equal(own.job.code, SRV_INTERNAL);
    assert_string_equal(own.job.error.text, "picture 2 of 2: model 'tiny' version 1 answered a "
                                            "probability that is not a finite number");
    tiny_job_fini(&own);
}

static void computes_inline_what_is_cheap(void **state)
{
    struct fixture *f = *state;
    struct srv_served *fast = load(f, INT64_MAX / 16);
    struct tiny_job own;
    block_workers(f->pool); /* whatever is answered now was computed here */

    tiny_job_init(&own, fast, 1, 3);
    assert_true(srv_served_try_inline(&own.job));
    assert_int_equal(own.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&own, &tiny));
    tiny_job_fini(&own);

    tiny_job_init(&own, fast, 1, 3);
    own.samples[0] = (struct srv_sample){.kind = SRV_SAMPLE_ENCODED, .data = "junk", .n_bytes = 4};
    assert_true(srv_served_try_inline(&own.job));
    assert_int_equal(own.job.code, SRV_INVALID_IMAGE);
    assert_int_equal(own.n_done, 0);
    tiny_job_fini(&own);

    free_workers();
    srv_served_destroy(fast);
}

static void leaves_the_rest_to_workers(void **state)
{
    struct fixture *f = *state;
    struct srv_served *fast = load(f, INT64_MAX / 16);
    struct tiny_job own, waiting;

    tiny_job_init(&own, f->served, 1, 3); /* inline_below_us = 0 */
    assert_false(srv_served_try_inline(&own.job));
    tiny_job_fini(&own);

    tiny_job_init(&own, fast, 2, 3); /* two pictures */
    assert_false(srv_served_try_inline(&own.job));
    tiny_job_fini(&own);

    tiny_job_init(&own, fast, 1, 3); /* a picture too large for a connection's thread */
    own.samples[0] = (struct srv_sample){
        .kind = SRV_SAMPLE_ENCODED, .data = large_png, .n_bytes = sizeof large_png};
    memset(own.pixels[0], 0, sizeof own.pixels[0]);
    assert_false(srv_served_try_inline(&own.job));
    submit(&own);
    tiny_job_wait(&own);
    assert_int_equal(own.job.code, SRV_OK);
    assert_true(tiny_job_agrees(&own, &tiny));
    tiny_job_fini(&own);

    block_workers(f->pool); /* somebody waits already */
    tiny_job_init(&waiting, fast, 1, 1);
    submit(&waiting);
    tiny_job_init(&own, fast, 1, 2);
    assert_false(srv_served_try_inline(&own.job));
    free_workers();
    tiny_job_wait(&waiting);
    tiny_job_fini(&waiting);
    tiny_job_fini(&own);
    srv_served_destroy(fast);
}

/* --- priority, delay, admission --- */

/* One worker at a time, batches of 1: the order of starting is the order of turns. */
static void the_urgent_overtake(void **state)
{
    struct fixture *f = *state;
    struct srv_served_options options = options_of(f);
    options.max_batch = 1;
    struct srv_served *served = load_with(f, options);
    static const unsigned priorities[] = {9, 0, 0, 1, 99}; /* 0: 5, the default; 99: as 10 */
    static const size_t turns[] = {3, 1, 2, 0, 4};
    struct tiny_job own[5];
    block_workers(f->pool);
    for (unsigned i = 0; i < 5; i++) {
        tiny_job_init(&own[i], served, 1, i);
        own[i].job.priority = priorities[i];
        submit(&own[i]);
    }
    free_worker();
    for (int i = 0; i < 5; i++)
        tiny_job_wait(&own[i]);
    free_worker();
    for (int i = 0; i < 5; i++) {
        size_t turn = 0;
        for (int j = 0; j < 5; j++)
            turn += own[j].job.times.started_us < own[i].job.times.started_us;
        assert_in_range(turn, 0, turns[i]); /* two may start within a microsecond */
        assert_true(tiny_job_agrees(&own[i], &tiny));
    }
    assert_true(own[3].job.times.started_us <= own[1].job.times.started_us);
    assert_true(own[1].job.times.started_us <= own[2].job.times.started_us);
    assert_true(own[2].job.times.started_us <= own[0].job.times.started_us);
    assert_true(own[0].job.times.started_us <= own[4].job.times.started_us);
    for (int i = 0; i < 5; i++)
        tiny_job_fini(&own[i]);
    srv_served_destroy(served);
}

/* Idle workers, and yet a batch waits: until it is full, or due. */
static void a_delay_fills_batches(void **state)
{
    struct fixture *f = *state;
    struct srv_served_options options = options_of(f);
    options.max_delay_us = 3600 * INT64_C(1000000);
    struct srv_served *served = load_with(f, options);
    struct tiny_job own[MAX_BATCH], late;
    for (unsigned i = 0; i < MAX_BATCH; i++) {
        tiny_job_init(&own[i], served, 1, i);
        assert_int_equal(srv_served_queue_length(served), i);
        submit(&own[i]);
    }
    for (unsigned i = 0; i < MAX_BATCH; i++) {
        tiny_job_wait(&own[i]);
        assert_true(tiny_job_agrees(&own[i], &tiny));
        assert_int_equal(own[i].job.max_batch_size, MAX_BATCH);
        tiny_job_fini(&own[i]);
    }
    tiny_job_init(&late, served, 2, 1);
    submit(&late);
    int64_t due_us = late.job.times.submitted_us + options.max_delay_us;
    assert_int_equal(srv_served_look(served, due_us - 5), due_us);
    assert_int_equal(srv_served_queue_length(served), 2);
    srv_served_look(served, due_us);
    tiny_job_wait(&late);
    assert_true(tiny_job_agrees(&late, &tiny));
    assert_int_equal(srv_served_look(served, due_us), INT64_MAX);
    tiny_job_fini(&late);
    srv_served_destroy(served);
}

static void config_says_how_to_batch(void **state)
{
    struct fixture *f = *state;
    static const char config[] = "{\"batching\": {\"max_batch\": 2, \"max_delay_us\": 1000000, "
                                 "\"max_queue\": 5, \"default_priority\": 2}}";
    char path[1024];
    snprintf(path, sizeof path, "%s/config.json", f->folder.path);
    assert_int_equal(eng_file_write(path, config, sizeof config - 1, NULL), ENG_OK);
    struct srv_served *served = load(f, INT64_MAX / 16);
    struct tiny_job own, larger;
    tiny_job_init(&larger, served, 6, 1);
    assert_int_equal(srv_served_submit(&larger.job), SRV_TOO_LARGE);
    tiny_job_init(&own, served, 1, 1);
    assert_false(srv_served_try_inline(&own.job)); /* it is to wait for others */
    tiny_job_fini(&own);
    tiny_job_init(&own, served, 4, 1);
    submit(&own);
    tiny_job_wait(&own);
    assert_int_equal(own.job.priority, 2);
    assert_int_equal(own.job.max_batch_size, 2);
    assert_true(tiny_job_agrees(&own, &tiny));
    tiny_job_fini(&own);
    tiny_job_fini(&larger);
    srv_served_destroy(served);
}

static void measures_how_fast_it_drains(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    int64_t start_us = srv_clock_us();
    for (unsigned i = 0; i < 20; i++) {
        tiny_job_init(&own, f->served, 8, i);
        submit(&own);
        tiny_job_wait(&own);
        tiny_job_fini(&own);
    }
    double took_us = (double)(srv_clock_us() - start_us);
    assert_true(srv_drain_us(&f->served->drain, 160) > 0);
    assert_true(srv_drain_us(&f->served->drain, 160) <= took_us * 1.01 + 1);
}

/* A queue that takes longer than the deadline allows refuses at once. */
static void refuses_what_cannot_be_met(void **state)
{
    struct fixture *f = *state;
    struct tiny_job waiting, hopeless, patient, urgent;
    block_workers(f->pool);
    f->served->drain = (struct srv_drain){.n_done = 1, .busy_us = 1e6}; /* a picture a second */
    tiny_job_init(&waiting, f->served, MAX_QUEUE - 4, 1);
    submit(&waiting);
    tiny_job_init(&hopeless, f->served, 1, 2);
    hopeless.job.deadline_us = srv_clock_us() + 10500000;
    assert_int_equal(srv_served_submit(&hopeless.job), SRV_OVERLOADED);
    assert_int_equal(hopeless.job.retry_after_s, 27); /* 37 s that it takes, less 10.5 */
    assert_memory_equal(hopeless.job.error.text,
                        "model 'tiny' cannot answer before the deadline: behind 36 pictures it "
                        "would take 37000 ms, the deadline is 10",
                        108);
    tiny_job_init(&patient, f->served, 1, 3);
    patient.job.deadline_us = srv_clock_us() + 60000000;
    submit(&patient);
    tiny_job_init(&urgent, f->served, 1, 4);
    urgent.job.priority = 1; /* overtakes them all */
    urgent.job.deadline_us = srv_clock_us() + 10000000;
    submit(&urgent);
    free_workers();
    tiny_job_wait(&waiting);
    tiny_job_wait(&patient);
    tiny_job_wait(&urgent);
    assert_int_equal(hopeless.n_done, 0);
    assert_int_equal(patient.job.code, SRV_OK);
    assert_int_equal(urgent.job.code, SRV_OK);
    tiny_job_fini(&waiting);
    tiny_job_fini(&hopeless);
    tiny_job_fini(&patient);
    tiny_job_fini(&urgent);
}

/* --- many at once --- */

enum { N_SUBMITTERS = 4, N_ROUNDS = 300 };

struct submitter {
    pthread_t thread;
    struct srv_served *served;
    unsigned seed;
    size_t n_wrong;
};

static void *submit_many(void *arg)
{
    struct submitter *self = arg;
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        struct tiny_job own;
        tiny_job_init(&own, self->served, 1 + (round + self->seed) % 9, self->seed + round);
        bool is_bad = round % 7 == 0, is_late = round % 11 == 5;
        if (is_bad)
            own.samples[own.job.n_samples - 1] =
                (struct srv_sample){.kind = SRV_SAMPLE_ENCODED, .data = "x", .n_bytes = 1};
        own.job.deadline_us = is_late ? 1 : 0;
        own.job.priority = round % 13;
        bool answered = srv_served_try_inline(&own.job);
        if (!answered && srv_served_submit(&own.job) == SRV_OK) {
            tiny_job_wait(&own);
            answered = true;
        }
        enum srv_code wanted = !answered ? SRV_QUEUE_FULL
                               : is_late ? SRV_DEADLINE_EXCEEDED
                               : is_bad  ? SRV_INVALID_IMAGE
                                         : SRV_OK;
        if (own.job.code != wanted || (wanted == SRV_OK && !tiny_job_agrees(&own, &tiny)))
            self->n_wrong++;
        tiny_job_fini(&own);
    }
    return NULL;
}

static void serves_many_threads(void **state)
{
    struct fixture *f = *state;
    struct srv_served *fast = load(f, INT64_MAX / 16);
    struct submitter submitters[N_SUBMITTERS];
    for (unsigned i = 0; i < N_SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.served = i % 2 ? fast : f->served, .seed = i * 1000};
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]),
                         0);
    }
    for (int i = 0; i < N_SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_int_equal(submitters[i].n_wrong, 0);
    }
    srv_served_destroy(fast);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_a_lone_picture),
        TEST(joins_jobs_in_a_batch),
        TEST(splits_a_large_job),
        TEST(refuses_when_full),
        TEST(drops_late_jobs_before_compute),
        TEST(expires_waiting_jobs),
        TEST(fails_a_bad_picture_alone),
        TEST(names_the_pixels_wanted),
        TEST(refuses_an_answer_that_is_not_finite),
        TEST(computes_inline_what_is_cheap),
        TEST(leaves_the_rest_to_workers),
        TEST(the_urgent_overtake),
        TEST(a_delay_fills_batches),
        TEST(config_says_how_to_batch),
        TEST(measures_how_fast_it_drains),
        TEST(refuses_what_cannot_be_met),
        TEST(serves_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
