/*
 * One version that serves: the engine's model, a session per worker, the queue. Made by the loader,
 * published by the registry, freed by the loader after the last release.
 */
#ifndef SRV_SERVE_SERVED_H
#define SRV_SERVE_SERVED_H

#include "base/memory.h"
#include "base/metrics.h"
#include "engine/model.h"
#include "engine/pool.h"
#include "serve/job.h"

#include <stdbool.h>

struct srv_served_options {
    struct eng_pool *pool;
    struct srv_metrics *metrics; /* NULL: nothing is counted */
    struct srv_memory *memory;   /* what the model takes is counted there; NULL: nowhere */
    /* The model's config.json may say otherwise of these. */
    size_t max_queue;     /* pictures */
    int max_batch;        /* 0: the engine's default */
    int64_t max_delay_us; /* how long a batch waits to fill; 0: a lone request never waits */
    enum eng_precision precision;
    enum eng_tuning tuning;
    struct eng_tuning_cache *tuning_cache; /* shared by all models */
    int64_t inline_below_us; /* a model that runs one picture faster may run inline; 0 = never */
    struct eng_image_limits limits;
    /* The loader's own: called after a submit, outside the lock, so that somebody calls
     * srv_served_look at look_us at the latest. NULL: nobody watches. */
    void (*queued)(void *ctx, int64_t look_us);
    void *queued_ctx;
};

/* What is known of a request only when its answer is on its way: counted by http/, in series that
 * outlive the version. NULL: not counted. */
struct srv_request_series {
    struct srv_series *inference_seconds, *encode_seconds;
};

/* The registry's share of a version, guarded by the registry's lock. */
struct srv_served_link {
    size_t n_references;
    bool retired;            /* no longer published: to be freed after the last release */
    struct srv_served *next; /* in the list of all that exist */
};

/* Where a version comes from: a folder, or bytes and config.json's text that somebody sent. */
struct srv_model_source {
    const char *folder;
    const void *bytes; /* NULL: the folder's model.onnx */
    size_t n_bytes;
    const char *config; /* NULL: the folder's, if there is a folder */
};

/*
 * Purpose: the whole load: open the version folder, a session per worker, warm-up, golden samples.
 * Errors: the engine's; UNSUPPORTED for a model that takes no pictures; MISMATCH for one that does
 *         not answer probabilities.
 * Cost: the model, one session per worker, and as many again when it may run inline.
 */
enum eng_status srv_served_load(const char *model_name, const char *version, const char *folder,
                                const struct srv_served_options *options, struct srv_served **out,
                                struct eng_error *err);

/* Purpose: the same from any source, which may go afterwards. */
enum eng_status srv_served_load_source(const char *model_name, const char *version,
                                       const struct srv_model_source *source,
                                       const struct srv_served_options *options,
                                       struct srv_served **out, struct eng_error *err);

/*
 * Purpose: frees it, after waiting for the worker that is about to find its queue empty. NULL is
 * accepted. No job and no reference may be left: only the loader calls this.
 */
void srv_served_destroy(struct srv_served *served);

/* Purpose: takes what may change while it serves: max_queue, unless the model's config.json says
 * one, and limits. Any thread. */
void srv_served_apply(struct srv_served *served, const struct srv_served_options *options);

const char *srv_served_name(const struct srv_served *served);
const char *srv_served_version(const struct srv_served *served);
const struct eng_model *srv_served_model(const struct srv_served *served);
struct srv_served_link *srv_served_link(struct srv_served *served);
struct srv_request_series srv_served_request_series(const struct srv_served *served);

/* Purpose: bytes of one session's arena. */
size_t srv_served_session_bytes(const struct srv_served *served);

/* Purpose: how many batches of it may run at once, and of how many pictures one is at most. */
size_t srv_served_n_workers(const struct srv_served *served);
size_t srv_served_max_batch(const struct srv_served *served);

/* Purpose: what holds of its batching, by its config.json or else by the settings. */
struct srv_served_batching {
    size_t max_queue; /* pictures */
    int64_t max_delay_us;
    unsigned default_priority;
};
struct srv_served_batching srv_served_batching(const struct srv_served *served);

/*
 * Purpose: queues job for job->served. Any thread.
 * Errors: returns QUEUE_FULL, DEADLINE_EXCEEDED if it has passed, OVERLOADED if it cannot be met
 *         (admission.h), or TOO_LARGE for more pictures than the queue ever holds; then job->code,
 *         job->error and job->retry_after_s are set and done is never called. Else OK: done is
 *         called once.
 * Cost: one lock, no allocation; another thread is woken only if one sleeps.
 */
enum srv_code srv_served_submit(struct srv_job *job);

/*
 * Purpose: answers a single small picture on the calling thread when that is cheaper than handing
 * it over: the model is fast enough (inline_below_us), nobody waits and a session is free.
 * True: the answer is in the job and done is not called. False: the job is untouched, submit it.
 * Threads: any. Never blocks. Source: docs/decisions/011-own-thread.md.
 */
bool srv_served_try_inline(struct srv_job *job);

/*
 * Purpose: ends the waiting jobs whose deadline has passed, and runs the batches that have waited
 * long enough to fill. Returns when to look again; INT64_MAX: nobody waits.
 */
enum { SRV_LOOK_EVERY_US = 20000 };
int64_t srv_served_look(struct srv_served *served, int64_t now_us);

/* Purpose: pictures waiting now. */
size_t srv_served_queue_length(const struct srv_served *served);

#endif
