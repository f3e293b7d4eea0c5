/*
 * The jobs that wait for one version, in the order in which they get their turn. No lock and no
 * thread of its own: the owner's lock guards it.
 *
 * A step of priority is worth SRV_PRIORITY_STEP_US of waiting: a job goes before another if its
 * time of arrival plus its steps lies earlier. So a job of priority p waits at most for those that
 * came before it and those more urgent ones that came up to (p - 1) steps after it, and never
 * starves.
 */
#ifndef SRV_SERVE_QUEUE_H
#define SRV_SERVE_QUEUE_H

#include "serve/job.h"

#include <stdbool.h>

#define SRV_PRIORITY_STEP_US INT64_C(1000000)

struct srv_queue {
    /* [priority - 1], first come first served among equals. */
    struct {
        struct srv_job *head, *tail;
        size_t n_pictures; /* that no batch took yet */
    } levels[SRV_MAX_PRIORITY];
};

/* Purpose: adds a job; its priority is 1 to SRV_MAX_PRIORITY. */
void srv_queue_append(struct srv_queue *queue, struct srv_job *job);

/* Purpose: whose turn it is; NULL: nobody waits. */
struct srv_job *srv_queue_first(const struct srv_queue *queue);

/* Purpose: notes that n pictures of the first job were taken, or given up: it leaves the queue with
 * its last one. */
void srv_queue_take(struct srv_queue *queue, struct srv_job *first, size_t n);

/* Purpose: takes out the jobs that is_over holds for, n_taken and all; returns them as a list. */
struct srv_job *srv_queue_remove(struct srv_queue *queue,
                                 bool (*is_over)(const struct srv_job *job, int64_t now_us),
                                 int64_t now_us);

/* Purpose: when the first of the jobs has waited for a fuller batch for as long as it may
 * (policy.h); INT64_MAX: nobody waits. Cost: linear in the jobs. */
int64_t srv_queue_due_us(const struct srv_queue *queue, int64_t max_delay_us);

/* Purpose: the pictures that get their turn before a job of this priority that comes now; of less
 * urgent ones, which may be overtaken, none is counted. */
size_t srv_queue_ahead(const struct srv_queue *queue, unsigned priority);

#endif
