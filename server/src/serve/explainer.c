#include "serve/explainer.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/admission.h"
#include "serve/served_parts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct srv_explainer {
    struct eng_pool *pool;
    struct srv_metrics *metrics;
    struct srv_series *running; /* NULL: not counted */
    atomic_size_t max_running;
    _Atomic int64_t max_us;
    atomic_size_t n_running; /* submitted and not done */
    pthread_mutex_t lock;    /* guards drain: explanations, each with its own time */
    struct srv_drain drain;
    bool is_busy[]; /* [workers] explains just now; each worker's own */
};

/* One explanation under way. */
struct turn {
    struct srv_explain_job *job;
    int worker;
    double share_done;
};

enum eng_status srv_explainer_create(struct eng_pool *pool, struct srv_metrics *metrics,
                                     size_t max_running, int64_t max_us, struct srv_explainer **out,
                                     struct eng_error *err)
{
    size_t n_workers = (size_t)eng_pool_size(pool);
    struct srv_explainer *explainer =
        calloc(1, sizeof *explainer + n_workers * sizeof explainer->is_busy[0]);
    if (!explainer) return srv_fail_memory(err, "the explainer");
    pthread_mutex_init(&explainer->lock, NULL);
    explainer->pool = pool;
    explainer->metrics = metrics;
    explainer->running = srv_metrics_series(metrics, SRV_M_EXPLAIN_RUNNING, NULL);
    explainer->max_running = max_running;
    explainer->max_us = max_us;
    *out = explainer;
    return ENG_OK;
}

void srv_explainer_set_limits(struct srv_explainer *explainer, size_t max_running, int64_t max_us)
{
    explainer->max_running = max_running;
    explainer->max_us = max_us;
}

void srv_explainer_destroy(struct srv_explainer *explainer)
{
    if (explainer) pthread_mutex_destroy(&explainer->lock);
    free(explainer);
}

/* --- on a worker --- */

static bool go_on(void *ctx, double share_done)
{
    struct turn *turn = ctx;
    turn->share_done = share_done;
    eng_pool_yield(turn->job->explainer->pool, turn->worker);
    return srv_clock_us() < turn->job->deadline_us;
}

static enum srv_code code_of(enum eng_status status)
{
    switch (status) {
    case ENG_UNSUPPORTED:
    case ENG_LIMIT:
    case ENG_MISMATCH: /* the file was changed, and the model not reloaded */
    case ENG_IO:
        return SRV_NOT_EXPLAINABLE;
    case ENG_CANCELLED:
        return SRV_DEADLINE_EXCEEDED;
    default:
        return srv_code_of_status(status);
    }
}

static enum eng_status draw(struct srv_explain_job *job, const struct eng_image *picture)
{
    const struct eng_explain_view view = {.picture = picture};
    struct eng_image drawing;
    enum eng_status status =
        eng_explanation_draw(&job->explanation, job->served->model, &view, &drawing, &job->error);
    if (status != ENG_OK) return status;
    status =
        eng_image_encode_png(&drawing, &job->drawing.bytes, &job->drawing.n_bytes, &job->error);
    eng_image_fini(&drawing);
    return status;
}

static void fail_late(struct srv_explain_job *job, double share_done)
{
    job->error = (struct eng_error){0};
    srv_fail(&job->error, ENG_CANCELLED,
             "the explanation was stopped after %lld ms, %.0f %% done; explain_max_ms is %lld, and "
             "request_timeout_ms may be less",
             (long long)(srv_clock_us() - job->times.submitted_us) / 1000, 100 * share_done,
             (long long)job->explainer->max_us / 1000);
}

static enum srv_code compute(struct srv_explain_job *job, int worker, const float *sample,
                             const struct eng_image *picture)
{
    struct turn turn = {.job = job, .worker = worker};
    struct eng_explain_request request = job->request;
    request.sample = sample;
    request.pool = job->explainer->pool;
    request.go_on = go_on;
    request.go_on_ctx = &turn;
    int64_t start_us = srv_clock_us();
    enum eng_status status =
        eng_explain(job->served->model, &request, &job->explanation, &job->error);
    if (status == ENG_CANCELLED) fail_late(job, turn.share_done);
    if (status == ENG_OK && job->wants_drawing) status = draw(job, picture);
    job->times.compute_us = srv_clock_us() - start_us;
    return code_of(status);
}

static enum srv_code explain(struct srv_explain_job *job, int worker)
{
    struct srv_served *served = job->served;
    job->times.started_us = srv_clock_us();
    if (job->times.started_us >= job->deadline_us) {
        fail_late(job, 0);
        return SRV_DEADLINE_EXCEEDED;
    }
    float *sample = calloc(eng_preprocess_count(served->preprocess), sizeof *sample);
    if (!sample) return srv_code_of_status(srv_fail_memory(&job->error, "a picture"));
    struct eng_image picture = {0};
    const struct eng_image_limits limits = srv_served_limits(served);
    enum srv_code code = srv_sample_read(served, job->sample, &limits, sample,
                                         job->wants_drawing ? &picture : NULL, &job->error);
    job->times.decode_us = srv_clock_us() - job->times.started_us;
    if (code == SRV_OK) code = compute(job, worker, sample, &picture);
    eng_image_fini(&picture);
    free(sample);
    return code;
}

static void count(const struct srv_explain_job *job)
{
    if (job->code != SRV_OK) return;
    const char *const labels[] = {job->served->name,
                                  eng_explain_method_name(job->explanation.method)};
    srv_series_observe(srv_metrics_series(job->explainer->metrics, SRV_M_EXPLAIN_SECONDS, labels),
                       (double)job->times.compute_us * 1e-6);
}

static void note_drain(struct srv_explainer *explainer, int64_t took_us)
{
    pthread_mutex_lock(&explainer->lock);
    srv_drain_note(&explainer->drain, 1, took_us);
    pthread_mutex_unlock(&explainer->lock);
}

/* How long one explanation takes of late. */
static double mean_us(struct srv_explainer *explainer)
{
    pthread_mutex_lock(&explainer->lock);
    double us = srv_drain_us(&explainer->drain, 1);
    pthread_mutex_unlock(&explainer->lock);
    return us;
}

static void run(struct eng_task *task, int worker)
{
    struct srv_explain_job *job = (struct srv_explain_job *)task; /* its first member */
    struct srv_explainer *explainer = job->explainer;
    /* Another explanation is giving way on this very thread: behind what waits, or elsewhere. */
    if (explainer->is_busy[worker]) {
        eng_pool_submit(explainer->pool, task);
        return;
    }
    explainer->is_busy[worker] = true;
    job->code = explain(job, worker);
    explainer->is_busy[worker] = false;
    count(job);
    note_drain(explainer, srv_clock_us() - job->times.started_us);
    /* First free, then answered: who sends the next one upon the answer is not refused. */
    srv_series_add(explainer->running, -1);
    atomic_fetch_sub(&explainer->n_running, 1);
    job->done(job);
}

/* --- on any thread --- */

enum srv_code srv_explainer_submit(struct srv_explainer *explainer, struct srv_explain_job *job)
{
    size_t max_running = explainer->max_running;
    if (atomic_fetch_add(&explainer->n_running, 1) >= max_running) {
        atomic_fetch_sub(&explainer->n_running, 1);
        srv_fail(&job->error, ENG_LIMIT,
                 "%zu explanations are being computed; explain_concurrency allows no more",
                 max_running);
        job->retry_after_s = srv_admission_retry_after_s(mean_us(explainer));
        return job->code = SRV_QUEUE_FULL;
    }
    srv_series_add(explainer->running, 1);
    job->explainer = explainer;
    job->task.run = run;
    job->times.submitted_us = srv_clock_us();
    int64_t own_us = job->times.submitted_us + explainer->max_us;
    if (job->deadline_us == 0 || own_us < job->deadline_us) job->deadline_us = own_us;
    eng_pool_submit(explainer->pool, &job->task);
    return SRV_OK;
}
