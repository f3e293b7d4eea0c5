/*
 * Explanations: what in a picture a class depends on. They run on the pool's workers, few at a
 * time, and give way to whatever waits there between two runs of the network, so that
 * classification goes on even on one worker.
 */
#ifndef SRV_SERVE_EXPLAINER_H
#define SRV_SERVE_EXPLAINER_H

#include "base/metrics.h"
#include "engine/explain.h"
#include "engine/pool.h"
#include "serve/job.h"

#include <stdbool.h>

struct srv_explainer;

/*
 * One request's explanation. The submitter zeroes it, fills the second part and keeps it and the
 * sample alive until done is called: exactly once after a successful submit, on a worker, under no
 * lock; the explainer does not touch the job afterwards.
 */
struct srv_explain_job {
    /* The explainer's own. */
    struct eng_task task;
    struct srv_explainer *explainer;

    struct srv_served *served; /* acquired by the submitter, who releases it after done */
    const struct srv_sample *sample;
    struct eng_explain_request request; /* sample, pool and go_on are the explainer's to fill */
    bool wants_drawing;
    int64_t deadline_us; /* on srv_clock_us; the explainer has one of its own besides */
    void (*done)(struct srv_explain_job *job);
    void *ctx;

    /* The answer. The submitter ends the explanation and frees the drawing. */
    enum srv_code code; /* OK, INVALID_IMAGE, NOT_EXPLAINABLE, DEADLINE_EXCEEDED ... */
    struct eng_error error;
    unsigned retry_after_s; /* when it is refused: how soon to come again */
    struct eng_explanation explanation;
    struct srv_png drawing;
    struct srv_job_times times; /* compute_us includes giving way and drawing */
};

/*
 * Purpose: at most max_running explanations at once, each at most max_us long.
 * Ownership: borrows pool and metrics (NULL: nothing is counted). End with srv_explainer_destroy.
 * Errors: NO_MEMORY.
 */
enum eng_status srv_explainer_create(struct eng_pool *pool, struct srv_metrics *metrics,
                                     size_t max_running, int64_t max_us, struct srv_explainer **out,
                                     struct eng_error *err);

/* Purpose: other bounds for those that are submitted from then on. Any thread. */
void srv_explainer_set_limits(struct srv_explainer *explainer, size_t max_running, int64_t max_us);

/* Purpose: frees it, after every job's done. NULL is accepted. */
void srv_explainer_destroy(struct srv_explainer *explainer);

/*
 * Purpose: hands the job to the pool. Any thread.
 * Errors: QUEUE_FULL while max_running are being computed; then job->code, job->error and
 *         job->retry_after_s, the mean time of an explanation of late, are set and done is never
 *         called. Else OK: done is called once.
 */
enum srv_code srv_explainer_submit(struct srv_explainer *explainer, struct srv_explain_job *job);

#endif
