/*
 * The tasks that drain the queue of one version; submit.c fills it.
 *
 * While pictures wait that no scheduled slot will take, free slots are scheduled on the pool. A
 * slot's turn on a worker: take a batch (lock), decode and run it (no lock), settle what is
 * finished (lock), answer (no lock). If more waits the slot goes to the back of the pool's queue,
 * so that models share the workers. A version is freed only when all its slots are free, therefore
 * a slot may use it without holding a reference.
 */
#include "base/clock.h"
#include "base/fail.h"
#include "serve/policy.h"
#include "serve/served_parts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static size_t n_queued(const struct srv_served *served)
{
    return atomic_load_explicit(&served->n_queued, memory_order_relaxed);
}

void srv_batcher_add_queued(struct srv_served *served, size_t n)
{
    atomic_store_explicit(&served->n_queued, n_queued(served) + n, memory_order_relaxed);
}

/* Lock held: whether pictures wait that no scheduled slot will take. Where batches wait to fill, a
 * slot takes a full one, or what there is when it has waited for as long as it may. */
static bool wants_slot(const struct srv_served *served, int64_t now_us)
{
    size_t n = n_queued(served), n_scheduled = served->n_scheduled;
    if (served->max_delay_us == 0) return n > n_scheduled;
    if (n >= (n_scheduled + 1) * served->max_batch) return true;
    return n_scheduled == 0 && srv_queue_due_us(&served->queue, served->max_delay_us) <= now_us;
}

/* Lock held. */
static void end_rest(struct srv_served *served, int64_t now_us)
{
    srv_drain_rest(&served->drain, now_us - served->counted_us);
    served->counted_us = now_us;
}

struct srv_slot *srv_batcher_schedule(struct srv_served *served, int64_t now_us)
{
    struct srv_slot *slots = NULL;
    while (served->free && wants_slot(served, now_us)) {
        struct srv_slot *slot = served->free;
        if (served->n_free == served->n_slots) end_rest(served, now_us);
        served->free = slot->next;
        served->n_free--;
        served->n_scheduled++;
        slot->next = slots;
        slots = slot;
    }
    return slots;
}

void srv_batcher_start(struct eng_pool *pool, struct srv_slot *slots)
{
    while (slots) {
        struct srv_slot *next = slots->next;
        eng_pool_submit(pool, &slots->task);
        slots = next;
    }
}

/* Lock held. */
static void free_slot(struct srv_served *served, struct srv_slot *slot)
{
    slot->next = served->free;
    served->free = slot;
    if (++served->n_free == served->n_slots) pthread_cond_signal(&served->all_free);
}

/* --- ends of jobs --- */

static void append_job(struct srv_job_list *list, struct srv_job *job)
{
    job->next = NULL;
    *list->tail = job;
    list->tail = &job->next;
}

/* Lock held: n pictures of the job are over; the last of them ends it. */
static void finish_pictures(struct srv_job *job, size_t n, struct srv_job_list *ended)
{
    job->n_finished += n;
    if (job->n_finished == job->n_samples) append_job(ended, job);
}

void srv_batcher_give_up(struct srv_served *served, struct srv_job *job, size_t n,
                         struct srv_job_list *ended)
{
    if (job->code == SRV_OK) job->code = SRV_DEADLINE_EXCEEDED;
    job->n_taken = job->n_samples;
    srv_batcher_add_queued(served, (size_t)0 - n);
    finish_pictures(job, n, ended);
}

bool srv_batcher_is_over(const struct srv_job *job, int64_t now_us)
{
    return job->code != SRV_OK || (job->deadline_us && now_us >= job->deadline_us);
}

void srv_batcher_close(const struct srv_served *served, struct srv_job *job)
{
    if (job->code == SRV_DEADLINE_EXCEEDED) {
        srv_series_add(served->expired, 1);
        srv_fail(&job->error, ENG_CANCELLED,
                 "the deadline passed; the request waited %lld ms in the queue of model '%s'",
                 (long long)(srv_clock_us() - job->times.submitted_us) / 1000, served->name);
    }
    srv_served_count_job(served, job);
}

void srv_batcher_answer(const struct srv_served *served, struct srv_job *ended)
{
    while (ended) {
        struct srv_job *next = ended->next;
        srv_batcher_close(served, ended);
        ended->done(ended);
        ended = next;
    }
}

/* --- one batch --- */

/* Lock held: moves the next pictures of the queue's first job into the batch. */
static void take_part(struct srv_served *served, struct srv_slot *slot, struct srv_job *job,
                      size_t n_wanted, int64_t now_us)
{
    size_t n_left = job->n_samples - job->n_taken;
    size_t n = n_left < n_wanted ? n_left : n_wanted;
    slot->parts[slot->n_parts++] =
        (struct srv_batch_part){.job = job, .first = job->n_taken, .n = n};
    slot->n_pictures += n;
    if (job->n_taken == 0) job->times.started_us = now_us;
    srv_batcher_add_queued(served, (size_t)0 - n);
    srv_queue_take(&served->queue, job, n);
}

/* Fills the slot's batch. False when others took it all: then the slot is free again. */
static bool take_batch(struct srv_served *served, struct srv_slot *slot)
{
    struct srv_job_list ended = {.tail = &ended.head};
    int64_t now_us = srv_clock_us();
    slot->n_parts = slot->n_pictures = 0;
    pthread_mutex_lock(&served->lock);
    served->n_scheduled--;
    size_t n_busy = served->n_slots - served->n_free - served->n_scheduled - 1;
    size_t n_sharing =
        served->max_delay_us > 0 ? 1 : served->n_slots; /* a filled batch stays one */
    size_t n_wanted = srv_policy_take(n_queued(served), n_sharing, n_busy, served->max_batch);
    for (struct srv_job *job;
         slot->n_pictures < n_wanted && (job = srv_queue_first(&served->queue));) {
        size_t n_left = job->n_samples - job->n_taken;
        if (srv_batcher_is_over(job, now_us)) {
            srv_queue_take(&served->queue, job, n_left);
            srv_batcher_give_up(served, job, n_left, &ended);
        } else {
            take_part(served, slot, job, n_wanted - slot->n_pictures, now_us);
        }
    }
    pthread_mutex_unlock(&served->lock);
    srv_batcher_answer(served, ended.head); /* the slot is not free yet, so served stays */
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
    const struct eng_image_limits limits = srv_served_limits(served);
    size_t n_bad = 0;
    int64_t start_us = srv_clock_us();
    for (size_t i = 0; i < part->n; i++) {
        float *dst = eng_session_sample(slot->session, (int)slot->n_pictures, (int)(row + i));
        struct eng_error err = {0};
        size_t sample = part->first + i;
        enum srv_code code = srv_sample_prepare(part->job, sample, &limits, dst, &err);
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
                        int64_t compute_us, struct srv_job_list *ended)
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
    struct srv_job_list ended = {.tail = &ended.head};
    int64_t compute_us = take_batch(served, slot) ? compute_batch(slot) : 0;

    int64_t now_us = srv_clock_us();
    pthread_mutex_lock(&served->lock);
    for (size_t p = 0; p < slot->n_parts; p++)
        settle_part(slot, &slot->parts[p], compute_us, &ended);
    srv_drain_note(&served->drain, slot->n_pictures, now_us - served->counted_us);
    served->counted_us = now_us;
    free_slot(served, slot);
    struct srv_slot *again = srv_batcher_schedule(served, now_us);
    struct eng_pool *pool = served->options.pool;
    pthread_mutex_unlock(&served->lock);

    srv_batcher_start(pool, again); /* before the answers: an idle worker may start at once */
    srv_batcher_answer(served, ended.head);
}
