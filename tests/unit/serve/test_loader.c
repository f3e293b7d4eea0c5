/* The loader: what it loads, what it leaves alone, swaps under load, deadlines. */
#include "serve/loader.h"

#include "temp_folder.h"
#include "tiny_model.h"

#include "base/metrics_table.h"
#include "base/text.h"

#include <semaphore.h>
#include <stdatomic.h>

/* Two versions of a model that cannot be mistaken for each other. */
static const struct tiny_model tinies[2] = {{.bias = {0, 1, 2}}, {.bias = {2, 1, 0}}};

/* A task that holds a worker up. */
struct blocker {
    struct eng_task task;
    sem_t leave;
};

struct fixture {
    struct temp_folder folder;
    struct blocker blockers[2]; /* here, because the pool ends later than a test's stack */
    struct eng_pool *pool;
    struct srv_metrics *metrics;
    struct srv_registry *registry;
    struct srv_loader *loader;
};

static void write_model(struct fixture *f, const char *name, const struct tiny_model *tiny)
{
    tiny_model_write(tiny, temp_folder_file(&f->folder, name));
}

static void break_model(struct fixture *f, const char *name)
{
    char file[64];
    snprintf(file, sizeof file, "%s/model.onnx", name);
    assert_int_equal(eng_file_make_dirs(temp_folder_file(&f->folder, name), NULL), ENG_OK);
    assert_int_equal(eng_file_write(temp_folder_file(&f->folder, file), "junk", 4, NULL), ENG_OK);
}

static void delete_folder(struct fixture *f, const char *name)
{
    struct temp_folder gone;
    if ((size_t)snprintf(gone.path, sizeof gone.path, "%s/%s", f->folder.path, name) >=
        sizeof gone.path)
        fail_msg("the path of %s is too long", name);
    temp_folder_remove(&gone);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = temp_folder_make();
    f->metrics = srv_metrics_create(NULL);
    assert_non_null(f->metrics);
    assert_int_equal(eng_pool_create(2, &f->pool, NULL), ENG_OK);
    assert_int_equal(srv_registry_create("", &f->registry, NULL), ENG_OK);
    *state = f;
    return 0;
}

static void start(struct fixture *f)
{
    const struct srv_loader_options options = {.models_dir = f->folder.path,
                                               .served = {.pool = f->pool,
                                                          .metrics = f->metrics,
                                                          .max_queue = 64,
                                                          .max_batch = 4,
                                                          .limits = eng_image_limits_default()}};
    struct eng_error err = {0};
    if (srv_loader_start(&options, f->registry, &f->loader, &err) != ENG_OK)
        fail_msg("%s", err.text);
    srv_loader_wait_first(f->loader);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    srv_loader_stop(f->loader);
    eng_pool_destroy(f->pool);
    srv_registry_destroy(f->registry);
    srv_metrics_destroy(f->metrics);
    temp_folder_remove(&f->folder);
    free(f);
    return 0;
}

/* --- reloads that are waited for --- */

struct row {
    char name[96], digest[80], reason[480];
    bool loaded, removed;
};

struct outcome {
    sem_t over;
    enum srv_code code;
    char error[480];
    struct row rows[8];
    size_t n_rows;
};

static void keep_outcome(void *ctx, enum srv_code code, const struct srv_reload_row *rows,
                         size_t n_rows, const struct eng_error *error)
{
    struct outcome *outcome = ctx;
    outcome->code = code;
    snprintf(outcome->error, sizeof outcome->error, "%s", error->text);
    outcome->n_rows = n_rows;
    for (size_t i = 0; i < n_rows && i < 8; i++) {
        struct row *row = &outcome->rows[i];
        snprintf(row->name, sizeof row->name, "%s/%s", rows[i].model, rows[i].version);
        snprintf(row->digest, sizeof row->digest, "%s", rows[i].digest);
        snprintf(row->reason, sizeof row->reason, "%s", rows[i].reason);
        row->loaded = rows[i].loaded;
        row->removed = rows[i].removed;
    }
    sem_post(&outcome->over);
}

static struct outcome reload(struct fixture *f, const char *model)
{
    struct outcome outcome = {0};
    sem_init(&outcome.over, 0, 0);
    assert_true(srv_loader_reload(f->loader, model, keep_outcome, &outcome));
    sem_wait(&outcome.over);
    sem_destroy(&outcome.over);
    return outcome;
}

/* Signals that come while a reload waits ask for nothing more. */
static void a_reload_that_waits_is_enough(void **state)
{
    enum { N_SIGNALS = 2000 };
    struct fixture *f = *state;
    const char *const labels[] = {"m", "loaded"};
    write_model(f, "m/1", &tinies[0]);
    start(f);
    for (int i = 0; i < N_SIGNALS; i++)
        assert_true(srv_loader_reload(f->loader, NULL, NULL, NULL));
    assert_int_equal(reload(f, NULL).code, SRV_OK);
    double n = srv_series_value(srv_metrics_series(f->metrics, SRV_M_RELOADS, labels));
    assert_in_range((int)n, 3,
                    N_SIGNALS / 4); /* the first load, one for signals, that of the call */
}

/* --- what answers --- */

/* Which of the two answers; -1: neither, or not all of the job by one. */
static int answered_by(const struct tiny_job *own)
{
    for (int i = 0; i < 2; i++)
        if (tiny_job_agrees(own, &tinies[i])) return i;
    return -1;
}

static int ask(struct fixture *f, const char *model, const char *version)
{
    struct srv_served *served;
    if (srv_registry_acquire(f->registry, model, version, &served, NULL) != SRV_OK) return -1;
    struct tiny_job own;
    tiny_job_init(&own, served, 3, 1);
    assert_int_equal(srv_served_submit(&own.job), SRV_OK);
    tiny_job_wait(&own);
    assert_int_equal(own.job.code, SRV_OK);
    int answer = answered_by(&own);
    tiny_job_fini(&own);
    srv_registry_release(f->registry, served);
    return answer;
}

static void expect_metric(struct fixture *f, const char *line)
{
    struct srv_text text = {0};
    srv_metrics_write(f->metrics, &text);
    if (!strstr(text.bytes, line)) fail_msg("%s\n is not in\n%s", line, text.bytes);
    srv_text_fini(&text);
}

/* --- the tests --- */

static void loads_everything_at_start(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    write_model(f, "a/2", &tinies[1]);
    write_model(f, "b/7", &tinies[0]);
    assert_int_equal(eng_file_make_dirs(temp_folder_file(&f->folder, "recipes"), NULL), ENG_OK);
    start(f);
    assert_true(srv_registry_ready(f->registry));
    assert_int_equal(ask(f, "a", NULL), 1);
    assert_int_equal(ask(f, "a", "1"), 0);
    assert_int_equal(ask(f, "b", NULL), 0);
    assert_int_equal(ask(f, "recipes", NULL), -1);
    expect_metric(f, "classifyd_model_reloads_total{model=\"a\",result=\"loaded\"} 2\n");
}

static void serves_what_is_good(void **state)
{
    struct fixture *f = *state;
    break_model(f, "a/2");
    write_model(f, "a/1", &tinies[0]);
    break_model(f, "broken/1");
    start(f);
    assert_false(srv_registry_ready(f->registry));
    assert_int_equal(ask(f, "a", NULL), 0);
    struct srv_served *served;
    struct eng_error err = {0};
    assert_int_equal(srv_registry_acquire(f->registry, "broken", NULL, &served, &err),
                     SRV_NOT_READY);
    assert_non_null(strstr(err.text, "version 1 of model 'broken' could not be loaded"));
    assert_null(strstr(err.text, "model.onnx")); /* no file names for clients */
    write_model(f, "broken/1", &tinies[1]);
    assert_int_equal(reload(f, "broken").code, SRV_OK);
    assert_true(srv_registry_ready(f->registry));
    assert_int_equal(ask(f, "broken", "1"), 1);
}

/* What /models says of the one version, which serves. */
static void expect_reason(struct fixture *f, const char *reason)
{
    struct srv_snapshot snapshot;
    assert_int_equal(srv_registry_snapshot(f->registry, &snapshot, NULL), ENG_OK);
    assert_int_equal(snapshot.n_versions, 1);
    assert_int_equal(snapshot.versions[0].state, SRV_READY);
    assert_string_equal(snapshot.versions[0].reason, reason);
    srv_snapshot_fini(&snapshot);
}

static void a_broken_file_leaves_the_old_serving(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    break_model(f, "a/1");
    struct outcome outcome = reload(f, "a");
    assert_int_equal(outcome.code, SRV_MODEL_REJECTED);
    assert_int_equal(outcome.n_rows, 1);
    assert_false(outcome.rows[0].loaded);
    assert_int_equal(strlen(outcome.rows[0].digest), 64); /* the old one's */
    assert_non_null(strstr(outcome.rows[0].reason, "a/1/model.onnx"));
    assert_string_equal(outcome.error, outcome.rows[0].reason);
    assert_int_equal(ask(f, "a", "1"), 0);
    expect_metric(f, "classifyd_model_reloads_total{model=\"a\",result=\"rejected\"} 1\n");

    expect_reason(f, outcome.error);

    write_model(f, "a/1", &tinies[1]);
    outcome = reload(f, "a");
    assert_int_equal(outcome.code, SRV_OK);
    assert_true(outcome.rows[0].loaded);
    assert_string_equal(outcome.rows[0].reason, "");
    expect_reason(f, "");
    assert_int_equal(ask(f, "a", "1"), 1);
}

/* Well-formed files whose answers are wrong. */
static void refuses_models_that_answer_wrongly(void **state)
{
    struct fixture *f = *state;
    const struct tiny_model not_a_number = {.bias = {NAN, 0, 0}};
    const struct tiny_model good = {
        .golden = "[{\"pixels\": \"AAAA\", \"probabilities\": [0.33333, 0.33333, 0.33333]}]"};
    const struct tiny_model other = {
        .golden = "[{\"pixels\": \"AAAA\", \"probabilities\": [0.5, 0.25, 0.25]}]"};
    write_model(f, "a/1", &not_a_number);
    write_model(f, "b/1", &good);
    write_model(f, "c/1", &other);
    start(f);
    struct outcome outcome = reload(f, NULL);
    assert_int_equal(outcome.code, SRV_MODEL_REJECTED);
    assert_non_null(strstr(outcome.rows[0].reason, "a black picture sum to "));
    assert_true(outcome.rows[1].loaded);
    assert_non_null(strstr(outcome.rows[2].reason, "golden sample 0"));
}

static void follows_the_folders(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    write_model(f, "gone/1", &tinies[0]);
    start(f);
    write_model(f, "a/2", &tinies[1]);
    write_model(f, "new/1", &tinies[1]);
    delete_folder(f, "a/1");
    delete_folder(f, "gone");
    struct outcome outcome = reload(f, NULL);
    assert_int_equal(outcome.code, SRV_OK);
    assert_int_equal(outcome.n_rows, 4);
    assert_string_equal(outcome.rows[0].name, "a/2");
    assert_string_equal(outcome.rows[1].name, "new/1");
    assert_string_equal(outcome.rows[2].name, "gone/1");
    assert_true(outcome.rows[2].removed);
    assert_string_equal(outcome.rows[3].name, "a/1");
    assert_true(outcome.rows[3].removed);
    assert_int_equal(ask(f, "a", NULL), 1);
    assert_int_equal(ask(f, "new", NULL), 1);
    assert_int_equal(ask(f, "a", "1"), -1);
    assert_int_equal(ask(f, "gone", NULL), -1);
    expect_metric(f, "classifyd_model_reloads_total{model=\"gone\",result=\"removed\"} 1\n");
}

/* One model's reload touches no other. */
static void reloads_one_model(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    write_model(f, "b/1", &tinies[0]);
    write_model(f, "gone/1", &tinies[0]);
    start(f);
    write_model(f, "a/1", &tinies[1]);
    write_model(f, "b/1", &tinies[1]);
    delete_folder(f, "gone");
    assert_int_equal(reload(f, "b").n_rows, 1);
    assert_int_equal(ask(f, "gone", NULL), 0);
    assert_int_equal(ask(f, "a", NULL), 0);
    assert_int_equal(ask(f, "b", NULL), 1);
}

static void refuses_an_unknown_model(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    const char *names[] = {"b", "../a", ".", "", "a/1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct outcome outcome = reload(f, names[i]);
        assert_int_equal(outcome.code, SRV_MODEL_NOT_FOUND);
        assert_int_equal(outcome.n_rows, 0);
        assert_memory_equal(outcome.error, "there is no model '", 19);
    }
    assert_int_equal(ask(f, "a", NULL), 0);
}

static void keeps_serving_without_the_folder(void **state)
{
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    temp_folder_remove(&f->folder);
    assert_int_equal(reload(f, NULL).code, SRV_MODEL_REJECTED);
    assert_int_equal(ask(f, "a", NULL), 0);
}

static void refuses_a_folder_that_is_not_there(void **state)
{
    struct fixture *f = *state;
    const struct srv_loader_options options = {.models_dir = "/nowhere"};
    struct eng_error err = {0};
    assert_int_equal(srv_loader_start(&options, f->registry, &f->loader, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere"));
    assert_null(f->loader);
}

/* --- deadlines and stopping, with the workers held up --- */

static void block(struct eng_task *task, int worker)
{
    (void)worker;
    sem_wait(&((struct blocker *)task)->leave);
}

static void block_workers(struct fixture *f)
{
    for (int i = 0; i < 2; i++) {
        f->blockers[i].task.run = block;
        sem_init(&f->blockers[i].leave, 0, 0);
        eng_pool_submit(f->pool, &f->blockers[i].task);
    }
}

static void free_workers(struct fixture *f)
{
    for (int i = 0; i < 2; i++)
        sem_post(&f->blockers[i].leave);
}

static void answers_late_jobs_while_workers_are_busy(void **state)
{
    struct fixture *f = *state;
    struct srv_served *served;
    struct tiny_job own;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    block_workers(f);
    assert_int_equal(srv_registry_acquire(f->registry, "a", NULL, &served, NULL), SRV_OK);
    for (int round = 0; round < 3; round++) { /* the watcher falls asleep and wakes again */
        tiny_job_init(&own, served, 1, 1);
        own.job.deadline_us = srv_clock_us() + 50000;
        assert_int_equal(srv_served_submit(&own.job), SRV_OK);
        tiny_job_wait(&own);
        assert_int_equal(own.job.code, SRV_DEADLINE_EXCEEDED);
        assert_in_range(srv_clock_us() - own.job.deadline_us, 0, 2000000);
        tiny_job_fini(&own);
    }
    srv_registry_release(f->registry, served);
    free_workers(f);
}

static void *stop(void *arg)
{
    srv_loader_stop(arg);
    return NULL;
}

static void stop_waits_for_the_last_answer(void **state)
{
    struct fixture *f = *state;
    struct srv_served *served;
    struct tiny_job own;
    pthread_t thread;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    block_workers(f);
    assert_int_equal(srv_registry_acquire(f->registry, "a", NULL, &served, NULL), SRV_OK);
    tiny_job_init(&own, served, 5, 1);
    assert_int_equal(srv_served_submit(&own.job), SRV_OK);
    assert_int_equal(pthread_create(&thread, NULL, stop, f->loader), 0);
    free_workers(f);
    tiny_job_wait(&own);
    assert_int_equal(answered_by(&own), 0);
    srv_registry_release(f->registry, served);
    pthread_join(thread, NULL);
    f->loader = NULL;
    tiny_job_fini(&own);
}

/* --- swaps under load --- */

enum { N_SUBMITTERS = 4, N_SWAPS = 40 };

struct submitter {
    pthread_t thread;
    struct fixture *fixture;
    unsigned seed;
    atomic_bool *over;
    size_t n_answers[2], n_wrong;
};

static void *submit_all_along(void *arg)
{
    struct submitter *self = arg;
    for (unsigned i = self->seed; !atomic_load(self->over); i++) {
        struct srv_served *served;
        struct tiny_job own;
        if (srv_registry_acquire(self->fixture->registry, "a", NULL, &served, NULL) != SRV_OK) {
            self->n_wrong++;
            break;
        }
        tiny_job_init(&own, served, 1 + i % 11, i);
        if (srv_served_submit(&own.job) == SRV_OK) tiny_job_wait(&own);
        int answer = answered_by(&own);
        if (own.job.code != SRV_OK || answer < 0)
            self->n_wrong++;
        else
            self->n_answers[answer]++;
        tiny_job_fini(&own);
        srv_registry_release(self->fixture->registry, served);
    }
    return NULL;
}

static void swaps_under_load(void **state)
{
    struct fixture *f = *state;
    atomic_bool over = false;
    struct submitter submitters[N_SUBMITTERS];
    write_model(f, "a/1", &tinies[0]);
    start(f);
    for (unsigned i = 0; i < N_SUBMITTERS; i++) {
        submitters[i] = (struct submitter){.fixture = f, .seed = i * 100, .over = &over};
        assert_int_equal(
            pthread_create(&submitters[i].thread, NULL, submit_all_along, &submitters[i]), 0);
    }
    for (int i = 1; i <= N_SWAPS; i++) {
        if (i % 5 == 0)
            break_model(f, "a/1");
        else
            write_model(f, "a/1", &tinies[i % 2]);
        assert_int_equal(reload(f, NULL).code, i % 5 == 0 ? SRV_MODEL_REJECTED : SRV_OK);
        if (i % 5 != 0) assert_int_equal(ask(f, "a", NULL), i % 2);
    }
    atomic_store(&over, true);
    size_t n_answers[2] = {0};
    for (int i = 0; i < N_SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        assert_int_equal(submitters[i].n_wrong, 0);
        n_answers[0] += submitters[i].n_answers[0];
        n_answers[1] += submitters[i].n_answers[1];
    }
    assert_true(n_answers[0] > 0 && n_answers[1] > 0);
}

/* --- memory --- */

static size_t resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    size_t kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %zu kB", &kib) == 1) break;
    if (file) fclose(file);
    return kib;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static void gives_memory_back(void **state)
{
#ifdef SANITIZED
    (void)state;
    (void)resident_kib;
    skip(); /* the sanitizers keep freed memory on purpose */
#else
    struct fixture *f = *state;
    write_model(f, "a/1", &tinies[0]);
    start(f);
    for (int i = 0; i < 50; i++)
        reload(f, NULL);
    size_t before_kib = resident_kib();
    for (int i = 0; i < 300; i++)
        assert_int_equal(reload(f, NULL).code, SRV_OK);
    size_t after_kib = resident_kib();
    print_message("resident: %zu KiB before, %zu KiB after 300 reloads\n", before_kib, after_kib);
    assert_true(before_kib > 0);
    assert_true(after_kib < before_kib + 1024);
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loads_everything_at_start),
        TEST(serves_what_is_good),
        TEST(a_broken_file_leaves_the_old_serving),
        TEST(refuses_models_that_answer_wrongly),
        TEST(follows_the_folders),
        TEST(reloads_one_model),
        TEST(refuses_an_unknown_model),
        TEST(keeps_serving_without_the_folder),
        TEST(refuses_a_folder_that_is_not_there),
        TEST(a_reload_that_waits_is_enough),
        TEST(answers_late_jobs_while_workers_are_busy),
        TEST(stop_waits_for_the_last_answer),
        TEST(swaps_under_load),
        TEST(gives_memory_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
