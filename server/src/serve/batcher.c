/*
 * The queue of one version and the tasks that drain it.
 *
 * submit appends a job and, while pictures wait that no scheduled slot will take, schedules a free
 * slot on the pool. A slot's turn on a worker: take a batch (lock), decode and run it (no lock),
 * settle what is finished (lock), answer (no lock). If more waits the slot goes to the back of the
 * pool's queue, so that models share the workers. A version is freed only when all its slots are
 * free, therefore a slot may use it without holding a reference.
 */
#include "base/clock.h"
#include "base/fail.h"
#include "serve/policy.h"
#include "serve/served_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static size_t n_queued(struct srv_served *served)
{
    return atomic_load_explicit(&served->n_queued, memory_order_relaxed);
}

/* Lock held. */
static void add_queued(struct srv_served *served, size_t n)
{
    atomic_store_explicit(&served->n_queued, n_queued(served) + n, memory_order_relaxed);
}

/* Lock held: a free slot to be given to the pool, if pictures wait that nobody comes for. */
static struct srv_slot *schedule_slot(struct srv_served *served)
{
    if (!served->free || n_queued(served) <= served->n_scheduled) return NULL;
    struct srv_slot *slot = served->free;
    served->free = slot->next;
    served->n_free--;
    served->n_scheduled++;
    return slot;
}

/* Lock held. */
static void free_slot(struct srv_served *served, struct srv_slot *slot)
{
    slot->next = served->free;
    served->free = slot;
    if (++served->n_free == served->n_slots) pthread_cond_signal(&served->all_free);
}

/* --- ends of jobs --- */

struct job_list {
    struct srv_job *head, **tail;
};

static void append_job(struct job_list *list, struct srv_job *job)
{
    job->next = NULL;
    *list->tail = job;
    list->tail = &job->next;
}

/* Lock held: n pictures of the job are over; the last of them ends it. */
static void finish_pictures(struct srv_job *job, size_t n, struct job_list *ended)
{
    job->n_finished += n;
    if (job->n_finished == job->n_samples) append_job(ended, job);
}

/* Lock held: the pictures that no batch took yet will not be computed. */
static void drop_rest(struct srv_served *served, struct srv_job *job, struct job_list *ended)
{
    size_t n_left = job->n_samples - job->n_taken;
    if (job->code == SRV_OK) job->code = SRV_DEADLINE_EXCEEDED;
    job->n_taken = job->n_samples;
    add_queued(served, (size_t)0 - n_left);
    finish_pictures(job, n_left, ended);
}

static bool is_over(const struct srv_job *job, int64_t now_us)
{
    return job->code != SRV_OK || (job->deadline_us && now_us >= job->deadline_us);
}

static void answer(const struct srv_served *served, struct srv_job *job)
{
    if (job->code == SRV_DEADLINE_EXCEEDED)
        srv_fail(&job->error, ENG_CANCELLED,
                 "the deadline passed; the request waited %lld ms in the queue of model '%s'",
                 (long long)(srv_clock_us() - job->times.submitted_us) / 1000, served->name);
    srv_served_count_job(served, job);
    job->done(job);
}

/* No lock held. The last done may be the last release of served. */
static void answer_all(const struct srv_served *served, struct srv_job *job)
{
    while (job) {
        struct srv_job *next = job->next;
        answer(served, job);
        job = next;
    }
}

/* --- the queue --- */

static enum srv_code refuse(struct srv_served *served, struct srv_job *job, size_t n_waiting)
{
    size_t max = served->options.max_queue;
    if (job->n_samples > max) {
        job->code = SRV_TOO_LARGE;
        srv_fail(&job->error, ENG_LIMIT,
                 "the request has %zu pictures, the queue of model '%s' holds at most %zu",
                 job->n_samples, served->name, max);
    } else {
        job->code = SRV_QUEUE_FULL;
        srv_fail(&job->error, ENG_LIMIT,
                 "the queue of model '%s' is full: %zu of at most %zu pictures wait, the request "
                 "has %zu",
                 served->name, n_waiting, max, job->n_samples);
    }
    return job->code;
}

/* Lock held. */
static void append_to_queue(struct srv_served *served, struct srv_job *job)
{
    job->next = NULL;
    if (served->tail)
        served->tail->next = job;
    else
        served->head = job;
    served->tail = job;
    add_queued(served, job->n_samples);
}

enum srv_code srv_served_submit(struct srv_job *job)
{
    struct srv_served *served = job->served;
    struct srv_served_options options = served->options; /* served may be gone after the unlock */
    assert(job->n_samples > 0);
    job->failed_sample = SIZE_MAX;
    job->times.submitted_us = srv_clock_us();
    pthread_mutex_lock(&served->lock);
    size_t n_waiting = n_queued(served);
    if (job->n_samples > options.max_queue || n_waiting > options.max_queue - job->n_samples) {
        pthread_mutex_unlock(&served->lock);
        return refuse(served, job, n_waiting);
    }
    append_to_queue(served, job);
    struct srv_slot *slots = NULL;
    for (struct srv_slot *slot; (slot = schedule_slot(served)); slots = slot)
        slot->next = slots;
    pthread_mutex_unlock(&served->lock);

    while (slots) {
        struct srv_slot *next = slots->next;
        eng_pool_submit(options.pool, &slots->task);
        slots = next;
    }
    if (options.queued) options.queued(options.queued_ctx);
    return SRV_OK;
}

size_t srv_served_expire(struct srv_served *served, int64_t now_us)
{
    struct job_list ended = {.tail = &ended.head};
    pthread_mutex_lock(&served->lock);
    struct srv_job **link = &served->head;
    served->tail = NULL;
    while (*link) {
        struct srv_job *job = *link;
        if (is_over(job, now_us)) {
            *link = job->next;
            drop_rest(served, job, &ended);
        } else {
            served->tail = job;
            link = &job->next;
        }
    }
    size_t n_left = n_queued(served);
    pthread_mutex_unlock(&served->lock);
    answer_all(served, ended.head);
    return n_left;
}

size_t srv_served_queue_length(struct srv_served *served)
{
    return n_queued(served);
}

/* --- one batch --- */

static void pop_job(struct srv_served *served)
{
    served->head = served->head->next;
    if (!served->head) served->tail = NULL;
}

/* Lock held: moves the next pictures of the queue's first job into the batch. */
static void take_part(struct srv_served *served, struct srv_slot *slot, size_t n_wanted,
                      int64_t now_us)
{
    struct srv_job *job = served->head;
    size_t n_left = job->n_samples - job->n_taken;
    size_t n = n_left < n_wanted ? n_left : n_wanted;
    slot->parts[slot->n_parts++] =
        (struct srv_batch_part){.job = job, .first = job->n_taken, .n = n};
    slot->n_pictures += n;
    if (job->n_taken == 0) job->times.started_us = now_us;
    job->n_taken += n;
    add_queued(served, (size_t)0 - n);
    if (n == n_left) pop_job(served);
}

/* Fills the slot's batch. False when others took it all: then the slot is free again. */
static bool take_batch(struct srv_served *served, struct srv_slot *slot)
{
    struct job_list ended = {.tail = &ended.head};
    int64_t now_us = srv_clock_us();
    slot->n_parts = slot->n_pictures = 0;
    pthread_mutex_lock(&served->lock);
    served->n_scheduled--;
    size_t n_busy = served->n_slots - served->n_free - served->n_scheduled - 1;
    size_t n_wanted = srv_policy_take(n_queued(served), served->n_slots, n_busy, served->max_batch);
    while (served->head && slot->n_pictures < n_wanted) {
        if (is_over(served->head, now_us)) {
            struct srv_job *job = served->head;
            pop_job(served);
            drop_rest(served, job, &ended);
        } else {
            take_part(served, slot, n_wanted - slot->n_pictures, now_us);
        }
    }
    pthread_mutex_unlock(&served->lock);
    answer_all(served, ended.head); /* the slot is not free yet, so served stays */
    return slot->n_pictures > 0;
}

/* Records that a picture is bad; of several the first in the request counts. */
static void fail_job(struct srv_served *served, struct srv_job *job, size_t sample,
                     enum srv_code code, const struct eng_error *err)
{
    pthread_mutex_lock(&served->lock);
    if (sample < job->failed_sample) {
        job->code = code;
        job->failed_sample = sample;
        job->error = *err;
        if (job->n_samples > 1)
            snprintf(job->error.text, sizeof job->error.text, "picture %zu of %zu: %.400s",
                     sample + 1, job->n_samples, err->text);
    }
    pthread_mutex_unlock(&served->lock);
}

/* Decodes a part into rows [row, row + n) of the batch. Returns how many pictures were bad. */
static size_t prepare_part(struct srv_slot *slot, struct srv_batch_part *part, size_t row)
{
    struct srv_served *served = slot->served;
    size_t n_bad = 0;
    int64_t start_us = srv_clock_us();
    for (size_t i = 0; i < part->n; i++) {
        float *dst = eng_session_sample(slot->session, (int)slot->n_pictures, (int)(row + i));
        struct eng_error err = {0};
        size_t sample = part->first + i;
        enum srv_code code =
            srv_sample_prepare(part->job, sample, &served->options.limits, dst, &err);
        if (code != SRV_OK) {
            /* The batch goes on without it: its row is computed from zeros and read by nobody. */
            memset(dst, 0, eng_preprocess_count(served->preprocess) * sizeof *dst);
            fail_job(served, part->job, sample, code, &err);
            n_bad++;
        }
    }
    part->decode_us = srv_clock_us() - start_us;
    return n_bad;
}

static void scatter(const struct srv_slot *slot, const float *probabilities)
{
    size_t row = 0;
    for (size_t p = 0; p < slot->n_parts; p++) {
        const struct srv_batch_part *part = &slot->parts[p];
        for (size_t i = part->first; i < part->first + part->n; i++, row++) {
            struct eng_error err = {0};
            enum srv_code code =
                srv_answer_take(part->job, i, slot->session, probabilities, row, &err);
            if (code != SRV_OK) fail_job(slot->served, part->job, i, code, &err);
        }
    }
}

/* Returns the time that the network took. */
static int64_t compute_batch(struct srv_slot *slot)
{
    const struct srv_served *served = slot->served;
    size_t n_bad = 0, row = 0;
    int64_t decode_us = 0;
    for (size_t p = 0; p < slot->n_parts; p++) {
        n_bad += prepare_part(slot, &slot->parts[p], row);
        decode_us += slot->parts[p].decode_us;
        row += slot->parts[p].n;
    }
    if (n_bad == slot->n_pictures) return 0;
    int64_t start_us = srv_clock_us();
    scatter(slot, eng_session_classify(slot->session, (int)slot->n_pictures));
    int64_t compute_us = srv_clock_us() - start_us;
    srv_served_count_batch(served, slot->n_pictures, decode_us, compute_us);
    return compute_us;
}

/* Lock held. */
static void settle_part(const struct srv_slot *slot, const struct srv_batch_part *part,
                        int64_t compute_us, struct job_list *ended)
{
    struct srv_job *job = part->job;
    job->times.decode_us += part->decode_us;
    job->times.compute_us += compute_us;
    if (job->max_batch_size < slot->n_pictures) job->max_batch_size = slot->n_pictures;
    finish_pictures(job, part->n, ended);
}

void srv_batcher_run(struct eng_task *task, int worker)
{
    (void)worker; /* the session is the slot's, not the worker's */
    struct srv_slot *slot = (struct srv_slot *)task; /* its first member */
    struct srv_served *served = slot->served;
    struct job_list ended = {.tail = &ended.head};
    int64_t compute_us = take_batch(served, slot) ? compute_batch(slot) : 0;

    pthread_mutex_lock(&served->lock);
    for (size_t p = 0; p < slot->n_parts; p++)
        settle_part(slot, &slot->parts[p], compute_us, &ended);
    free_slot(served, slot);
    struct srv_slot *again = schedule_slot(served);
    struct eng_pool *pool = served->options.pool;
    pthread_mutex_unlock(&served->lock);

    if (again) /* before the answers: an idle worker may start at once */
        eng_pool_submit(pool, &again->task);
    answer_all(served, ended.head);
}
