#include "serve/queue.h"

#include "serve/policy.h"

#include <assert.h>

void srv_queue_append(struct srv_queue *queue, struct srv_job *job)
{
    assert(job->priority >= 1 && job->priority <= SRV_MAX_PRIORITY);
    size_t level = job->priority - 1;
    job->next = NULL;
    if (queue->levels[level].tail)
        queue->levels[level].tail->next = job;
    else
        queue->levels[level].head = job;
    queue->levels[level].tail = job;
    queue->levels[level].n_pictures += job->n_samples - job->n_taken;
}

static int64_t turn_us(const struct srv_job *job)
{
    return job->times.submitted_us + (int64_t)job->priority * SRV_PRIORITY_STEP_US;
}

struct srv_job *srv_queue_first(const struct srv_queue *queue)
{
    struct srv_job *first = NULL;
    for (size_t level = 0; level < SRV_MAX_PRIORITY; level++) {
        struct srv_job *job = queue->levels[level].head;
        if (job && (!first || turn_us(job) < turn_us(first))) first = job;
    }
    return first;
}

void srv_queue_take(struct srv_queue *queue, struct srv_job *first, size_t n)
{
    size_t level = first->priority - 1;
    assert(queue->levels[level].head == first && n <= first->n_samples - first->n_taken);
    first->n_taken += n;
    queue->levels[level].n_pictures -= n;
    if (first->n_taken < first->n_samples) return;
    queue->levels[level].head = first->next;
    if (!first->next) queue->levels[level].tail = NULL;
}

struct srv_job *srv_queue_remove(struct srv_queue *queue,
                                 bool (*is_over)(const struct srv_job *job, int64_t now_us),
                                 int64_t now_us)
{
    struct srv_job *removed = NULL, **end = &removed;
    for (size_t level = 0; level < SRV_MAX_PRIORITY; level++) {
        struct srv_job **link = &queue->levels[level].head;
        queue->levels[level].tail = NULL;
        while (*link) {
            struct srv_job *job = *link;
            if (is_over(job, now_us)) {
                queue->levels[level].n_pictures -= job->n_samples - job->n_taken;
                *link = job->next;
                *end = job;
                end = &job->next;
            } else {
                queue->levels[level].tail = job;
                link = &job->next;
            }
        }
    }
    *end = NULL;
    return removed;
}

int64_t srv_queue_due_us(const struct srv_queue *queue, int64_t max_delay_us)
{
    int64_t due_us = INT64_MAX;
    for (size_t level = 0; level < SRV_MAX_PRIORITY; level++)
        for (const struct srv_job *job = queue->levels[level].head; job; job = job->next) {
            int64_t own_us =
                srv_policy_due_us(job->times.submitted_us, job->deadline_us, max_delay_us);
            if (own_us < due_us) due_us = own_us;
        }
    return due_us;
}

size_t srv_queue_ahead(const struct srv_queue *queue, unsigned priority)
{
    size_t n = 0;
    for (size_t level = 0; level < priority; level++)
        n += queue->levels[level].n_pictures;
    return n;
}
