/* What served.c, batcher.c, inline.c, sample.c and explainer.c share of one version. Not for
 * others. */
#ifndef SRV_SERVE_SERVED_PARTS_H
#define SRV_SERVE_SERVED_PARTS_H

#include "engine/session.h"
#include "serve/admission.h"
#include "serve/counters.h"
#include "serve/queue.h"
#include "serve/served.h"

#include <pthread.h>
#include <stdatomic.h>

/* Pictures [first, first + n) of one job, in a batch. */
struct srv_batch_part {
    struct srv_job *job;
    size_t first, n;
    int64_t decode_us;
};

/*
 * A slot runs one batch at a time: the pool's task, a session, the batch. There are as many as the
 * pool has workers, so every worker can run this version. Guarded by the lock while it is free, its
 * task's own while it is scheduled.
 */
struct srv_slot {
    struct eng_task task;
    struct srv_served *served;
    struct eng_session *session;
    struct srv_slot *next;        /* among the free ones */
    struct srv_batch_part *parts; /* [max_batch] */
    size_t n_parts, n_pictures;
};

/* A session for the threads of connections; a line of its own, so that taking one disturbs none. */
struct srv_inline {
    _Alignas(64) atomic_flag taken;
    struct eng_session *session;
};

struct srv_served {
    char *name, *version;
    struct eng_model *model;
    const struct eng_preprocess *preprocess; /* the model's */
    size_t n_classes, max_batch;
    bool has_own_queue;      /* its config.json says max_queue */
    atomic_size_t max_queue; /* pictures; written under the lock */
    /* In place of those of options.limits: settings change them. */
    atomic_size_t image_bytes;
    _Atomic uint64_t image_pixels;
    int64_t max_delay_us;
    unsigned default_priority;
    struct srv_served_options options;
    struct srv_served_link link;

    size_t memory_bytes; /* counted in options.memory */

    struct srv_slot *slots; /* [n_slots] */
    size_t n_slots;
    struct srv_batch_part *parts; /* the slots' parts, in one piece */
    struct srv_inline *inlines;   /* [n_inline] */
    size_t n_inline;

    struct srv_counters *counters[SRV_N_STRIPES];
    /* NULL: not counted. */
    struct srv_series *batch_size, *queue_seconds, *decode_seconds, *compute_seconds;
    struct srv_series *request_compute_seconds;
    struct srv_request_series request_series;
    struct srv_series *queue_full, *overloaded, *expired;

    /* The lock guards what follows, the free slots and the batcher's part of queued jobs. */
    pthread_mutex_t lock;
    pthread_cond_t all_free; /* signalled when the last slot comes free */
    struct srv_queue queue;
    atomic_size_t n_queued; /* pictures; written under the lock, read anywhere */
    struct srv_slot *free;
    size_t n_free;
    size_t n_scheduled; /* slots that wait for a worker */
    struct srv_drain drain;
    int64_t counted_us; /* until when drain has counted: busy time, or silence if all are free */
};

/*
 * Purpose: decodes and preprocesses a picture to dst, eng_preprocess_count floats; seen, unless it
 * is NULL, becomes the picture as the model sees it.
 * Ownership: on success the caller ends seen with eng_image_fini.
 * Errors: the code for the client, the sentence in err; dst is unspecified and seen unchanged then.
 */
enum srv_code srv_sample_read(const struct srv_served *served, const struct srv_sample *sample,
                              const struct eng_image_limits *limits, float *dst,
                              struct eng_image *seen, struct eng_error *err);

/*
 * Purpose: decodes and preprocesses picture i of a job to dst, eng_preprocess_count floats, and to
 * job->seen[i] if the job wants that.
 * Errors: the code for the client, the sentence in err; dst is unspecified and seen unchanged then.
 */
enum srv_code srv_sample_prepare(const struct srv_job *job, size_t i,
                                 const struct eng_image_limits *limits, float *dst,
                                 struct eng_error *err);

/* Purpose: puts the answer to picture i of a job, from row `row` of what the session ran last,
 * where the job wants it. Errors: if it is not finite, the network overflowed: INVALID_REQUEST for
 * a tensor, INTERNAL for a picture. */
enum srv_code srv_answer_take(struct srv_job *job, size_t i, const struct eng_session *session,
                              const float *probabilities, size_t row, struct eng_error *err);

/* Purpose: the pool's entry into the batcher, for served.c to put into the slots. */
void srv_batcher_run(struct eng_task *task, int worker);

/* footprint.c: counts against options.memory what the model's file will take, before it is read,
 * and what a session takes, before it is used; and gives bytes of memory_bytes back. Errors: LIMIT.
 */
enum eng_status srv_footprint_take_file(struct srv_served *served,
                                        const struct srv_model_source *source,
                                        struct eng_error *err);
enum eng_status srv_footprint_take_session(struct srv_served *served,
                                           const struct eng_session *session,
                                           struct eng_error *err);
void srv_footprint_give(struct srv_served *served, size_t n_bytes);

/* Jobs that are over, one after the other. */
struct srv_job_list {
    struct srv_job *head, **tail;
};

/* Purpose: lock held: so many more pictures wait; fewer if n wraps around. */
void srv_batcher_add_queued(struct srv_served *served, size_t n);

/* Purpose: lock held: of a job, n pictures that have left the queue will not be computed. */
void srv_batcher_give_up(struct srv_served *served, struct srv_job *job, size_t n,
                         struct srv_job_list *ended);

/* Purpose: whether nothing more of the job is to be computed. */
bool srv_batcher_is_over(const struct srv_job *job, int64_t now_us);

/* Purpose: lock held: the free slots for pictures that nobody comes for, those that may wait for a
 * fuller batch apart; linked by next. */
struct srv_slot *srv_batcher_schedule(struct srv_served *served, int64_t now_us);

/* Purpose: the bounds of a picture. */
struct eng_image_limits srv_served_limits(const struct srv_served *served);

/* Purpose: counts a job that is over, and says so if its deadline has passed. No lock held. */
void srv_batcher_close(const struct srv_served *served, struct srv_job *job);

/* Purpose: gives scheduled slots to the pool; and answers. No lock held; srv_batcher_answer may be
 * the last release of served. */
void srv_batcher_start(struct eng_pool *pool, struct srv_slot *slots);
void srv_batcher_answer(const struct srv_served *served, struct srv_job *ended);

#endif
