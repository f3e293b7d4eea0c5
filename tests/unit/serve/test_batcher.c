/* The queue and the batches of one version. Blocked workers make the order of things certain. */
#include "batcher_case.h"

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

/* Late before it is queued: it takes nobody's place, not even that of one it could not have had. */
static void refuses_what_is_late_already(void **state)
{
    struct fixture *f = *state;
    struct tiny_job waiting, late;
    block_workers(f->pool);
    tiny_job_init(&waiting, f->served, MAX_QUEUE, 1);
    submit(&waiting);
    tiny_job_init(&late, f->served, 1, 2);
    late.job.deadline_us = srv_clock_us();
    assert_int_equal(srv_served_submit(&late.job), SRV_DEADLINE_EXCEEDED);
    assert_int_equal(late.job.code, SRV_DEADLINE_EXCEEDED);
    assert_string_equal(late.job.error.text, "the deadline passed; the request waited 0 ms in the "
                                             "queue of model 'tiny'");
    assert_int_equal(srv_served_queue_length(f->served), MAX_QUEUE);
    free_workers();
    tiny_job_wait(&waiting);
    assert_int_equal(late.n_done, 0);
    tiny_job_fini(&waiting);
    tiny_job_fini(&late);
}

/* Housekeeping: the first, the last and one in the middle are late; no worker is free. */
static void expires_waiting_jobs(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own[5];
    int64_t late_us = srv_clock_us() + 3600 * INT64_C(1000000);
    block_workers(f->pool);
    for (unsigned i = 0; i < 5; i++) {
        tiny_job_init(&own[i], f->served, 2, i);
        own[i].job.deadline_us = i % 2 == 0 ? late_us : 0;
        submit(&own[i]);
    }
    assert_int_equal(srv_served_look(f->served, late_us - 1), late_us - 1 + SRV_LOOK_EVERY_US);
    assert_int_equal(own[0].n_done, 0);
    assert_int_equal(srv_served_look(f->served, late_us), late_us + SRV_LOOK_EVERY_US);
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
        enum srv_code wanted = is_late     ? SRV_DEADLINE_EXCEEDED
                               : !answered ? SRV_QUEUE_FULL
                               : is_bad    ? SRV_INVALID_IMAGE
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_a_lone_picture),
        TEST(joins_jobs_in_a_batch),
        TEST(splits_a_large_job),
        TEST(refuses_when_full),
        TEST(drops_late_jobs_before_compute),
        TEST(refuses_what_is_late_already),
        TEST(expires_waiting_jobs),
        TEST(fails_a_bad_picture_alone),
        TEST(names_the_pixels_wanted),
        TEST(refuses_an_answer_that_is_not_finite),
        TEST(computes_inline_what_is_cheap),
        TEST(leaves_the_rest_to_workers),
        TEST(serves_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
