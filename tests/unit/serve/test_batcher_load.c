/* The queue under load: priorities, batches that wait to fill, what cannot be met. */
#include "batcher_case.h"
#include "serve/served_parts.h"

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
    tiny_job_init(&waiting, f->served, MAX_QUEUE - 4, 1);
    submit(&waiting);
    f->served->drain = (struct srv_drain){.n_done = 1, .busy_us = 1e6}; /* a picture a second */
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

/* What was measured long ago refuses nobody: the first job after silence ends its trust. */
static void a_burst_after_silence_is_tried(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own[3];
    block_workers(f->pool);
    f->served->drain = (struct srv_drain){.n_done = 2, .busy_us = 2e6}; /* a picture a second */
    f->served->counted_us = srv_clock_us() - 600 * INT64_C(1000000);
    for (unsigned i = 0; i < 3; i++) {
        tiny_job_init(&own[i], f->served, 10, i);
        own[i].job.deadline_us = srv_clock_us() + 9000000;
        submit(&own[i]);
    }
    free_workers();
    for (unsigned i = 0; i < 3; i++) {
        tiny_job_wait(&own[i]);
        assert_int_equal(own[i].job.code, SRV_OK);
        tiny_job_fini(&own[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_urgent_overtake),        TEST(a_delay_fills_batches),
        TEST(config_says_how_to_batch),   TEST(measures_how_fast_it_drains),
        TEST(refuses_what_cannot_be_met), TEST(a_burst_after_silence_is_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
