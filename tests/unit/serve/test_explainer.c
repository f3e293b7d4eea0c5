/* Explanations on one worker: how many, how long, and who goes first. */
#include "serve/explainer.h"

#include "temp_folder.h"
#include "tiny_model.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { MAX_RUNNING = 2, MAX_MS = 3600000 };

static const struct tiny_model tiny = {.weight = 2, .bias = {0.1F, 0.2F, 0.3F}};

struct fixture {
    struct temp_folder folder;
    struct eng_pool *pool;
    struct srv_served *served;
    struct srv_explainer *explainer;
    struct eng_task blocker;
    sem_t entered, leave, done;
    atomic_int n_done;
};

static void block(struct eng_task *task, int worker)
{
    (void)worker;
    struct fixture *f = (struct fixture *)((char *)task - offsetof(struct fixture, blocker));
    sem_post(&f->entered);
    sem_wait(&f->leave);
}

static void block_worker(struct fixture *f)
{
    f->blocker.run = block;
    eng_pool_submit(f->pool, &f->blocker);
    sem_wait(&f->entered);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(eng_pool_create(1, &f->pool, NULL), ENG_OK);
    const struct srv_served_options options = {
        .pool = f->pool, .max_queue = 8, .max_batch = 4, .limits = eng_image_limits_default()};
    struct eng_error err = {0};
    if (srv_served_load("tiny", "1", f->folder.path, &options, &f->served, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(srv_explainer_create(f->pool, NULL, MAX_RUNNING, MAX_MS * INT64_C(1000),
                                          &f->explainer, NULL),
                     ENG_OK);
    sem_init(&f->entered, 0, 0);
    sem_init(&f->leave, 0, 0);
    sem_init(&f->done, 0, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    srv_served_destroy(f->served);
    eng_pool_destroy(f->pool);
    srv_explainer_destroy(f->explainer);
    sem_destroy(&f->entered);
    sem_destroy(&f->leave);
    sem_destroy(&f->done);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

/* A job, its pixels, and as which of all it was done. */
struct own_job {
    struct srv_explain_job job;
    struct fixture *fixture;
    struct srv_sample sample;
    float pixels[3];
    int order;
    const struct tiny_job *other; /* NULL, or one of which is noted whether it was done before */
    bool other_was_first;
};

static void note_done(struct srv_explain_job *job)
{
    struct own_job *own = job->ctx;
    own->order = atomic_fetch_add(&own->fixture->n_done, 1);
    own->other_was_first = own->other && own->other->n_done > 0; /* by this very worker */
    sem_post(&own->fixture->done);
}

static void init(struct own_job *own, struct fixture *f)
{
    *own = (struct own_job){.fixture = f, .pixels = {51, 0, 255}, .order = -1};
    own->sample = (struct srv_sample){
        .kind = SRV_SAMPLE_PIXELS, .data = own->pixels, .n_bytes = sizeof own->pixels};
    own->job.served = f->served;
    own->job.sample = &own->sample;
    own->job.request = eng_explain_defaults();
    own->job.request.method = ENG_EXPLAIN_OCCLUSION;
    own->job.request.patch = own->job.request.stride = 1;
    own->job.done = note_done;
    own->job.ctx = own;
}

static void fini(struct own_job *own)
{
    eng_explanation_fini(&own->job.explanation);
    free(own->job.drawing.bytes);
}

static void submit(struct own_job *own)
{
    assert_int_equal(srv_explainer_submit(own->fixture->explainer, &own->job), SRV_OK);
}

/* Covering a pixel takes its share from its own class and nothing else. */
static void check_answer(const struct own_job *own)
{
    const struct eng_explanation *explanation = &own->job.explanation;
    if (own->job.code != SRV_OK) fail_msg("%s", own->job.error.text);
    assert_int_equal(explanation->class_index, 2);
    assert_int_equal(explanation->width_px, 3);
    assert_int_equal(explanation->height_px, 1);
    assert_true(fabsf(explanation->map[2] - 2) < 1e-4F);
    assert_true(fabsf(explanation->map[0]) < 1e-4F && fabsf(explanation->map[1]) < 1e-4F);
    assert_true(own->job.times.started_us >= own->job.times.submitted_us);
}

static void answers_with_and_without_a_drawing(void **state)
{
    struct fixture *f = *state;
    for (int drawn = 0; drawn < 2; drawn++) {
        struct own_job own;
        init(&own, f);
        own.job.wants_drawing = drawn;
        submit(&own);
        sem_wait(&f->done);
        check_answer(&own);
        const char *type =
            drawn ? eng_image_type(own.job.drawing.bytes, own.job.drawing.n_bytes) : "png";
        assert_string_equal(type, "png");
        assert_int_equal(own.job.drawing.bytes != NULL, drawn);
        fini(&own);
    }
}

static void refuses_more_than_it_may(void **state)
{
    struct fixture *f = *state;
    struct own_job own[MAX_RUNNING + 1];
    block_worker(f);
    for (int i = 0; i <= MAX_RUNNING; i++)
        init(&own[i], f);
    for (int i = 0; i < MAX_RUNNING; i++)
        submit(&own[i]);
    struct own_job *refused = &own[MAX_RUNNING];
    assert_int_equal(srv_explainer_submit(f->explainer, &refused->job), SRV_QUEUE_FULL);
    assert_int_equal(refused->job.code, SRV_QUEUE_FULL);
    assert_non_null(strstr(refused->job.error.text, "explain_concurrency"));
    sem_post(&f->leave);
    /* Neither begins within the other, however often the first gives way. */
    for (int i = 0; i < MAX_RUNNING; i++)
        sem_wait(&f->done);
    for (int i = 0; i < MAX_RUNNING; i++) {
        check_answer(&own[i]);
        assert_int_equal(own[i].order, i);
    }
    assert_int_equal(refused->order, -1);
    init(refused, f); /* there is room again */
    submit(refused);
    sem_wait(&f->done);
    check_answer(refused);
    for (int i = 0; i <= MAX_RUNNING; i++)
        fini(&own[i]);
}

static void lets_classification_go_first(void **state)
{
    struct fixture *f = *state;
    struct own_job own;
    struct tiny_job classified;
    block_worker(f);
    init(&own, f);
    tiny_job_init(&classified, f->served, 3, 1);
    own.other = &classified;
    submit(&own);
    assert_int_equal(srv_served_submit(&classified.job), SRV_OK);
    sem_post(&f->leave);
    sem_wait(&f->done);
    check_answer(&own);
    tiny_job_wait(&classified);
    assert_true(tiny_job_agrees(&classified, &tiny));
    assert_true(own.other_was_first); /* though it came second */
    tiny_job_fini(&classified);
    fini(&own);
}

static void ends_what_is_late(void **state)
{
    struct fixture *f = *state;
    struct own_job own;
    block_worker(f);
    init(&own, f);
    own.job.deadline_us = srv_clock_us() + 1000;
    submit(&own);
    while (srv_clock_us() < own.job.deadline_us)
        sched_yield();
    sem_post(&f->leave);
    sem_wait(&f->done);
    assert_int_equal(own.job.code, SRV_DEADLINE_EXCEEDED);
    assert_non_null(strstr(own.job.error.text, "0 % done"));
    assert_null(own.job.explanation.map);
    fini(&own);
}

/* The explainer's own deadline, met while it computes: more pictures than 1 ms is enough for. */
static void ends_what_takes_long(void **state)
{
    struct fixture *f = *state;
    struct srv_explainer *hasty;
    struct own_job own;
    assert_int_equal(srv_explainer_create(f->pool, NULL, 1, 1, &hasty, NULL), ENG_OK);
    init(&own, f);
    own.job.deadline_us = INT64_MAX;
    assert_int_equal(srv_explainer_submit(hasty, &own.job), SRV_OK);
    sem_wait(&f->done);
    assert_int_equal(own.job.code, SRV_DEADLINE_EXCEEDED);
    assert_non_null(strstr(own.job.error.text, "explain_max_ms is 0"));
    fini(&own);
    srv_explainer_destroy(hasty);
}

static void says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum srv_code code;
        enum eng_explain_method method;
        const char *part, *bytes;
    } rows[] = {
        {SRV_NOT_EXPLAINABLE, ENG_EXPLAIN_NEIGHBOURS, "neighbours", NULL},
        {SRV_NOT_EXPLAINABLE, ENG_EXPLAIN_GRADCAM, "convolution", NULL},
        {SRV_INVALID_IMAGE, ENG_EXPLAIN_OCCLUSION, "PNG", "no picture"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct own_job own;
        init(&own, f);
        own.job.request.method = rows[i].method;
        own.job.wants_drawing = true;
        if (rows[i].bytes)
            own.sample = (struct srv_sample){.kind = SRV_SAMPLE_ENCODED,
                                             .data = rows[i].bytes,
                                             .n_bytes = strlen(rows[i].bytes)};
        submit(&own);
        sem_wait(&f->done);
        assert_int_equal(own.job.code, rows[i].code);
        if (!strstr(own.job.error.text, rows[i].part))
            fail_msg("\"%s\" does not say \"%s\"", own.job.error.text, rows[i].part);
        assert_null(own.job.drawing.bytes);
        fini(&own);
    }
    struct own_job own;
    init(&own, f);
    own.job.request.class_index = TINY_CLASSES;
    submit(&own);
    sem_wait(&f->done);
    assert_int_equal(own.job.code, SRV_INVALID_REQUEST);
    fini(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_with_and_without_a_drawing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_more_than_it_may, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lets_classification_go_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_what_is_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_what_takes_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_wrong, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
