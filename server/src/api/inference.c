#include "api/inference.h"

#include "api/app.h"
#include "base/clock.h"
#include "serve/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *srv_inference_create(struct srv_request *request, size_t n_bytes)
{
    struct srv_inference *inference = calloc(1, n_bytes);
    if (!inference) {
        srv_reply_error(request, SRV_INTERNAL, "out of memory");
        return NULL;
    }
    if (srv_request_read_limits(request, &inference->job.priority) &&
        srv_request_reserve_inputs(request) &&
        srv_request_acquire(request, &inference->job.served)) {
        request->seen.is_inference = true;
        request->seen.series = srv_served_request_series(inference->job.served);
        return inference;
    }
    free(inference);
    return NULL;
}

void srv_inference_destroy(struct srv_app *app, struct srv_inference *inference)
{
    if (inference->fini) inference->fini(inference);
    srv_registry_release(app->registry, inference->job.served);
    srv_pictures_fini(&inference->inputs);
    free(inference->job.probabilities);
    free(inference->job.scores);
    free(inference);
}

/* What else the sentence about a deadline wants: what it was. */
static void say_deadline(const struct srv_request *request, struct eng_error *error)
{
    size_t n = strlen(error->text);
    snprintf(error->text + n, sizeof error->text - n, "; it was wanted within %.9g ms",
             (double)(request->deadline_us - request->received_us) / 1000);
}

static void finish(struct srv_request *request)
{
    struct srv_inference *inference = request->handler_state;
    request->handler_state = NULL;
    srv_request_note_times(request, &inference->job.times);
    if (inference->job.code == SRV_OK) {
        inference->write(request, inference);
        srv_served_count_output(inference->job.served, srv_clock_us() - request->seen.answered_us);
    } else {
        if (inference->job.code == SRV_DEADLINE_EXCEEDED)
            say_deadline(request, &inference->job.error);
        srv_request_refuse(request, inference->job.code, inference->job.retry_after_s,
                           &inference->job.error);
    }
    srv_inference_destroy(request->app, inference);
}

static void job_done(struct srv_job *job)
{
    struct srv_request *request = job->ctx;
    request->resume(request);
}

/* Room for the answers and the reply's text, which doubles as it grows. What is small is part of
 * what a connection takes anyway. */
static bool reserve_answers(struct srv_request *request, size_t n_values)
{
    enum { SMALL_BYTES = 16 * 1024, TEXT_BYTES = 192 };
    size_t n_bytes = n_values * (2 * sizeof(float) + TEXT_BYTES);
    return n_bytes <= SMALL_BYTES || !request->reserve || request->reserve(request, n_bytes);
}

/* False: the reply says that there is no memory. */
static bool allocate_answers(struct srv_request *request, struct srv_inference *inference)
{
    struct srv_job *job = &inference->job;
    size_t n = job->n_samples * srv_inference_card(inference)->n_classes;
    if (!reserve_answers(request, n)) return false;
    job->probabilities = calloc(n, sizeof *job->probabilities);
    if (inference->wants_scores) job->scores = calloc(n, sizeof *job->scores);
    if (job->probabilities && (job->scores || !inference->wants_scores)) return true;
    srv_reply_error(request, SRV_INTERNAL, "out of memory");
    return false;
}

enum srv_handled srv_inference_run_take(struct srv_request *request,
                                        struct srv_inference *inference)
{
    struct srv_job *job = &inference->job;
    job->samples = inference->inputs.samples;
    job->n_samples = inference->inputs.n_samples;
    request->seen.n_pictures = job->n_samples;
    if (!allocate_answers(request, inference)) {
        srv_inference_destroy(request->app, inference);
        return SRV_DONE;
    }
    job->deadline_us = request->deadline_us;
    job->done = job_done;
    job->ctx = request;
    request->handler_state = inference;
    request->finish = finish;
    if (!srv_served_try_inline(job) && srv_served_submit(job) == SRV_OK) return SRV_LATER;
    finish(request);
    return SRV_DONE;
}

const struct eng_card *srv_inference_card(const struct srv_inference *inference)
{
    return eng_model_card(srv_served_model(inference->job.served));
}
