/* Every allocation of an explanation fails once: an error for its client, no leak. */
#include "serve/explainer.h"

#include "failing_malloc.h"
#include "temp_folder.h"
#include "tiny_model.h"

static const struct tiny_model tiny = {.weight = 1};

/* The sweep runs within a task of the pool, and yields to the explanation: all on one thread, whose
 * allocations are counted. */
struct sweep {
    struct eng_task task;
    struct eng_pool *pool;
    struct srv_explainer *explainer;
    struct srv_served *served;
    int worker;
    size_t n_allocations;
};

static void note_done(struct srv_explain_job *job)
{
    *(int *)job->ctx += 1;
}

static enum eng_status explain(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    static const float pixels[3] = {51, 0, 255};
    const struct srv_sample sample = {
        .kind = SRV_SAMPLE_PIXELS, .data = pixels, .n_bytes = sizeof pixels};
    int n_done = 0;
    struct srv_explain_job job = {.served = sweep->served,
                                  .sample = &sample,
                                  .request = eng_explain_defaults(),
                                  .wants_drawing = true,
                                  .done = note_done,
                                  .ctx = &n_done};
    job.request.method = ENG_EXPLAIN_OCCLUSION;
    assert_int_equal(srv_explainer_submit(sweep->explainer, &job), SRV_OK);
    eng_pool_yield(sweep->pool, sweep->worker);
    assert_int_equal(n_done, 1);
    assert_true((job.code == SRV_OK) == (job.error.status == ENG_OK));
    assert_true((job.code == SRV_OK) == (job.drawing.bytes != NULL));
    eng_explanation_fini(&job.explanation);
    free(job.drawing.bytes);
    *err = job.error;
    return job.error.status;
}

static void run_sweep(struct eng_task *task, int worker)
{
    struct sweep *sweep = (struct sweep *)task;
    sweep->worker = worker;
    sweep->n_allocations = failing_malloc_sweep(explain, sweep);
}

static enum eng_status create(void *ctx, struct eng_error *err)
{
    const struct sweep *sweep = ctx;
    struct srv_explainer *explainer = NULL;
    enum eng_status status = srv_explainer_create(sweep->pool, NULL, 1, 1, &explainer, err);
    srv_explainer_destroy(explainer);
    return status;
}

static void sweeps_an_explanation(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    tiny_model_write(&tiny, folder.path);
    struct sweep sweep = {.task.run = run_sweep};
    assert_int_equal(eng_pool_create(1, &sweep.pool, NULL), ENG_OK);
    assert_int_equal(
        srv_explainer_create(sweep.pool, NULL, 1, INT64_MAX / 2, &sweep.explainer, NULL), ENG_OK);
    const struct srv_served_options options = {
        .pool = sweep.pool, .max_queue = 8, .max_batch = 4, .limits = eng_image_limits_default()};
    assert_int_equal(srv_served_load("tiny", "1", folder.path, &options, &sweep.served, NULL),
                     ENG_OK);
    assert_int_equal(failing_malloc_sweep(create, &sweep), 1);
    eng_pool_submit(sweep.pool, &sweep.task);
    eng_pool_destroy(sweep.pool);
    assert_true(sweep.n_allocations > 10);
    srv_explainer_destroy(sweep.explainer);
    srv_served_destroy(sweep.served);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sweeps_an_explanation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
