/* Tensors among pictures, and what is counted of both. */
#include "serve/stats.h"
#include "temp_folder.h"
#include "tiny_model.h"

enum { MAX_BATCH = 4 };

static const struct tiny_model tiny = {.weight = 2, .bias = {0.1F, 0.2F, 0.3F}};

struct fixture {
    struct temp_folder folder;
    struct eng_pool *pool;
    struct srv_served *served;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    tiny_model_write(&tiny, f->folder.path);
    assert_int_equal(eng_pool_create(1, &f->pool, NULL), ENG_OK);
    const struct srv_served_options options = {.pool = f->pool,
                                               .max_queue = 16,
                                               .max_batch = MAX_BATCH,
                                               .inline_below_us = INT64_MAX / 16,
                                               .limits = eng_image_limits_default()};
    assert_int_equal(srv_served_load("tiny", "1", f->folder.path, &options, &f->served, NULL),
                     ENG_OK);
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

static struct srv_stats read_stats(const struct fixture *f)
{
    struct srv_stats stats;
    assert_int_equal(srv_served_stats(f->served, &stats, NULL), ENG_OK);
    return stats;
}

static void run(struct tiny_job *own, struct srv_served *served, size_t n)
{
    tiny_job_init(own, served, n, 3);
    assert_int_equal(srv_served_submit(&own->job), SRV_OK);
    tiny_job_wait(own);
}

static void counts_what_runs(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    struct srv_stats stats = read_stats(f);
    assert_true(stats.n_pictures == 0 && stats.n_batches == 0 && stats.n_sizes == 0);
    assert_true(stats.succeeded.n == 0 && stats.failed.n == 0 && stats.last_unix_ms == 0);
    srv_stats_fini(&stats);

    run(&own, f->served, 3);
    tiny_job_fini(&own);
    run(&own, f->served, 6); /* 4 and 2 */
    tiny_job_fini(&own);
    tiny_job_init(&own, f->served, 1, 1);
    assert_true(srv_served_try_inline(&own.job));
    tiny_job_fini(&own);

    stats = read_stats(f);
    assert_int_equal(stats.n_pictures, 10);
    assert_int_equal(stats.n_batches, 4);
    assert_int_equal(stats.succeeded.n, 3);
    assert_int_equal(stats.failed.n, 0);
    assert_int_equal(stats.queue.n, 3);
    assert_int_equal(stats.compute.n, 3);
    assert_int_equal(stats.n_sizes, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(stats.batches[i].n_pictures, i + 1);
        assert_int_equal(stats.batches[i].compute.n, 1);
    }
    assert_true(stats.succeeded.us >= stats.decode.us + stats.compute.us);
    assert_int_equal(stats.output_us, 0);
    assert_true(stats.last_unix_ms > 1600000000000);
    srv_stats_fini(&stats);
}

/* Writing is part of a request that succeeded; a clock that steps back takes nothing away. */
static void counts_the_writing_of_answers(void **state)
{
    const struct fixture *f = *state;
    srv_served_count_output(f->served, 70);
    srv_served_count_output(f->served, -5);
    srv_served_count_output(f->served, 30);
    struct srv_stats stats = read_stats(f);
    assert_int_equal(stats.output_us, 100);
    assert_int_equal(stats.succeeded.us, 100);
    assert_int_equal(stats.succeeded.n, 0);
    srv_stats_fini(&stats);
}

static void counts_failures_apart(void **state)
{
    struct fixture *f = *state;
    struct tiny_job own;
    tiny_job_init(&own, f->served, 1, 1);
    own.samples[0] = (struct srv_sample){.kind = SRV_SAMPLE_ENCODED, .data = "junk", .n_bytes = 4};
    assert_true(srv_served_try_inline(&own.job));
    assert_int_equal(own.job.code, SRV_INVALID_IMAGE);
    tiny_job_fini(&own);
    struct srv_stats stats = read_stats(f);
    assert_int_equal(stats.failed.n, 1);
    assert_int_equal(stats.succeeded.n, 0);
    assert_int_equal(stats.n_batches, 0);
    assert_int_equal(stats.compute.n, 0);
    srv_stats_fini(&stats);
}

/* The answer to one tensor. */
static void ask(const struct fixture *f, struct tiny_job *own, struct srv_sample sample)
{
    tiny_job_init(own, f->served, 1, 1);
    own->samples[0] = sample;
    assert_true(srv_served_try_inline(&own->job));
}

/* The tiny model divides pixels by 255 before the graph sees them. */
static void a_tensor_is_not_preprocessed(void **state)
{
    struct fixture *f = *state;
    struct tiny_job pixels, floats, doubles;
    static const float raw[3] = {0, 51, 255};
    static const float floats_in[3] = {0, 0.2f, 1};
    const double doubles_in[3] = {0, (double)0.2f, 1};
    ask(f, &pixels,
        (struct srv_sample){.kind = SRV_SAMPLE_PIXELS, .data = raw, .n_bytes = sizeof raw});
    ask(f, &floats,
        (struct srv_sample){
            .kind = SRV_SAMPLE_TENSOR, .data = floats_in, .n_bytes = sizeof floats_in});
    ask(f, &doubles,
        (struct srv_sample){.kind = SRV_SAMPLE_TENSOR,
                            .dtype = ENG_FLOAT64,
                            .data = doubles_in,
                            .n_bytes = sizeof doubles_in});
    assert_int_equal(floats.job.code, SRV_OK);
    assert_memory_equal(floats.answers[0], pixels.answers[0], sizeof pixels.answers[0]);
    assert_memory_equal(doubles.answers[0], floats.answers[0], sizeof floats.answers[0]);
    tiny_job_fini(&pixels);
    tiny_job_fini(&floats);
    tiny_job_fini(&doubles);
}

static void bad_tensors_are_the_clients_fault(void **state)
{
    struct fixture *f = *state;
    static const struct {
        float values[3];
        size_t n;
        const char *why;
    } rows[] = {
        {{0, NAN, 1}, 3, "element 1 of input 'pixels' is nan; wanted finite numbers"},
        {{0, 1, 1}, 2, "2 numbers, the model's input takes 3"},
        {{3e38f, -3e38f, 3e38f},
         3,
         "model 'tiny' version 1 answered a probability that is not a finite number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tiny_job own;
        ask(f, &own,
            (struct srv_sample){.kind = SRV_SAMPLE_TENSOR,
                                .data = rows[i].values,
                                .n_bytes = rows[i].n * sizeof(float)});
        assert_int_equal(own.job.code, SRV_INVALID_REQUEST);
        assert_non_null(strstr(own.job.error.text, rows[i].why));
        tiny_job_fini(&own);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(counts_what_runs),
        TEST(counts_the_writing_of_answers),
        TEST(counts_failures_apart),
        TEST(a_tensor_is_not_preprocessed),
        TEST(bad_tensors_are_the_clients_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
