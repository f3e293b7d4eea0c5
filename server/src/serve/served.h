/*
 * One version that serves: the engine's model, a session per worker, the queue. Made by the loader,
 * published by the registry, freed by the loader after the last release.
 */
#ifndef SRV_SERVE_SERVED_H
#define SRV_SERVE_SERVED_H

#include "engine/model.h"
#include "engine/pool.h"
#include "serve/job.h"

#include <stdbool.h>

struct srv_served_options {
    struct eng_pool *pool;
    size_t max_queue;
    int max_batch;
    struct eng_image_limits limits;
};

/*
 * Purpose: the whole load: open the version folder, sessions for every worker, warm-up, golden samples.
 * Errors: the engine's; the sentence names path and reason.
 */
enum eng_status srv_served_load(const char *model_name, const char *version, const char *folder,
                                const struct srv_served_options *options, struct srv_served **out,
                                struct eng_error *err);

/* Purpose: frees it. No job and no reference may be left: only the loader calls this. */
void srv_served_destroy(struct srv_served *served);

const char *srv_served_name(const struct srv_served *served);
const char *srv_served_version(const struct srv_served *served);
const struct eng_model *srv_served_model(const struct srv_served *served);

/*
 * Purpose: queues a job. Any thread.
 * Errors: returns QUEUE_FULL (and done is never called); else OK and done will be called once.
 */
enum srv_code srv_served_submit(struct srv_served *served, struct srv_job *job);

/* Purpose: ends the waiting jobs whose deadline has passed (housekeeping). */
void srv_served_expire(struct srv_served *served, int64_t now_us);

/* Purpose: pictures waiting now. */
size_t srv_served_queue_length(const struct srv_served *served);

#endif
