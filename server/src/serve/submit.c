/* The way into the queue of one version, and out of it for what waited too long. */
#include "base/clock.h"
#include "base/fail.h"
#include "serve/policy.h"
#include "serve/served_parts.h"

#include <assert.h>

/* What is known of the queue when a job comes. */
struct outlook {
    size_t n_waiting, n_ahead;
    double drain_us;    /* until all that waits is done */
    double expected_us; /* until the job itself is */
};

static enum srv_code refuse_too_large(const struct srv_served *served, struct srv_job *job)
{
    srv_fail(&job->error, ENG_LIMIT,
             "the request has %zu pictures, the queue of model '%s' holds at most %zu",
             job->n_samples, served->name, (size_t)served->max_queue);
    return job->code = SRV_TOO_LARGE;
}

static enum srv_code refuse_full(const struct srv_served *served, struct srv_job *job,
                                 const struct outlook *outlook)
{
    srv_series_add(served->queue_full, 1);
    job->retry_after_s = srv_admission_retry_after_s(outlook->drain_us);
    srv_fail(&job->error, ENG_LIMIT,
             "the queue of model '%s' is full: %zu of at most %zu pictures wait, the request "
             "has %zu",
             served->name, outlook->n_waiting, (size_t)served->max_queue, job->n_samples);
    return job->code = SRV_QUEUE_FULL;
}

static enum srv_code refuse_late(const struct srv_served *served, struct srv_job *job)
{
    job->code = SRV_DEADLINE_EXCEEDED;
    srv_batcher_close(served, job);
    return job->code;
}

static enum srv_code refuse_overloaded(const struct srv_served *served, struct srv_job *job,
                                       const struct outlook *outlook)
{
    int64_t left_us = job->deadline_us - job->times.submitted_us;
    srv_series_add(served->overloaded, 1);
    job->retry_after_s = srv_admission_retry_after_s(outlook->expected_us - (double)left_us);
    srv_fail(&job->error, ENG_LIMIT,
             "model '%s' cannot answer before the deadline: behind %zu pictures it would take "
             "%.0f ms, the deadline is %lld ms ahead",
             served->name, outlook->n_ahead, outlook->expected_us / 1000,
             (long long)(left_us / 1000));
    return job->code = SRV_OVERLOADED;
}

/* Lock held. */
static struct outlook look_ahead(const struct srv_served *served, const struct srv_job *job)
{
    size_t n_waiting = srv_served_queue_length(served);
    size_t n_ahead = srv_queue_ahead(&served->queue, job->priority);
    return (struct outlook){.n_waiting = n_waiting,
                            .n_ahead = n_ahead,
                            .drain_us = srv_drain_us(&served->drain, n_waiting),
                            .expected_us = srv_drain_us(&served->drain, n_ahead + job->n_samples)};
}

/* Lock held. Who comes late already must not take others' places in the queue. */
static enum srv_code admit(const struct srv_served *served, const struct srv_job *job,
                           const struct outlook *outlook)
{
    size_t max_queue = served->max_queue;
    int64_t left_us = job->deadline_us - job->times.submitted_us;
    if (job->n_samples > max_queue) return SRV_TOO_LARGE;
    if (job->deadline_us && left_us <= 0) return SRV_DEADLINE_EXCEEDED;
    if (outlook->n_waiting > max_queue - job->n_samples) return SRV_QUEUE_FULL;
    if (job->deadline_us == 0) return SRV_OK;
    bool can_meet =
        srv_admission_can_meet(&served->drain, outlook->n_ahead, job->n_samples, left_us);
    return can_meet ? SRV_OK : SRV_OVERLOADED;
}

static enum srv_code refuse(const struct srv_served *served, struct srv_job *job,
                            enum srv_code code, const struct outlook *outlook)
{
    if (code == SRV_TOO_LARGE) return refuse_too_large(served, job);
    if (code == SRV_DEADLINE_EXCEEDED) return refuse_late(served, job);
    if (code == SRV_QUEUE_FULL) return refuse_full(served, job, outlook);
    return refuse_overloaded(served, job, outlook);
}

static void prepare(const struct srv_served *served, struct srv_job *job)
{
    assert(job->n_samples > 0);
    job->failed_sample = SIZE_MAX;
    job->times.submitted_us = srv_clock_us();
    if (job->priority == 0) job->priority = served->default_priority;
    if (job->priority > SRV_MAX_PRIORITY) job->priority = SRV_MAX_PRIORITY;
}

/* The watcher looks so soon at the latest after a job has come. */
static int64_t look_after_us(int64_t now_us, int64_t due_us)
{
    return due_us > now_us && due_us < now_us + SRV_LOOK_EVERY_US ? due_us
                                                                  : now_us + SRV_LOOK_EVERY_US;
}

enum srv_code srv_served_submit(struct srv_job *job)
{
    struct srv_served *served = job->served;
    struct srv_served_options options = served->options; /* served may be gone after the unlock */
    prepare(served, job);
    int64_t now_us = job->times.submitted_us, due_us = now_us;
    if (served->max_delay_us > 0)
        due_us = srv_policy_due_us(now_us, job->deadline_us, served->max_delay_us);
    pthread_mutex_lock(&served->lock);
    struct outlook outlook = look_ahead(served, job);
    enum srv_code code = admit(served, job, &outlook);
    if (code != SRV_OK) {
        pthread_mutex_unlock(&served->lock);
        return refuse(served, job, code, &outlook);
    }
    srv_queue_append(&served->queue, job);
    srv_batcher_add_queued(served, job->n_samples);
    struct srv_slot *slots = srv_batcher_schedule(served, now_us);
    pthread_mutex_unlock(&served->lock);

    srv_batcher_start(options.pool, slots);
    if (options.queued) options.queued(options.queued_ctx, look_after_us(now_us, due_us));
    return SRV_OK;
}

/* Lock held: ends what is late. */
static void expire(struct srv_served *served, int64_t now_us, struct srv_job_list *ended)
{
    struct srv_job *job = srv_queue_remove(&served->queue, srv_batcher_is_over, now_us);
    for (struct srv_job *next; job; job = next) {
        next = job->next;
        srv_batcher_give_up(served, job, job->n_samples - job->n_taken, ended);
    }
}

int64_t srv_served_look(struct srv_served *served, int64_t now_us)
{
    struct srv_job_list ended = {.tail = &ended.head};
    struct eng_pool *pool = served->options.pool;
    int64_t next_us = INT64_MAX;
    pthread_mutex_lock(&served->lock);
    expire(served, now_us, &ended);
    struct srv_slot *slots = srv_batcher_schedule(served, now_us);
    if (srv_served_queue_length(served) > 0) {
        int64_t due_us = now_us;
        if (served->max_delay_us > 0)
            due_us = srv_queue_due_us(&served->queue, served->max_delay_us);
        next_us = look_after_us(now_us, due_us);
    }
    pthread_mutex_unlock(&served->lock);
    srv_batcher_start(pool, slots);
    srv_batcher_answer(served, ended.head);
    return next_us;
}

size_t srv_served_queue_length(const struct srv_served *served)
{
    return atomic_load_explicit(&served->n_queued, memory_order_relaxed);
}
