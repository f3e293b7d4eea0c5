/* The live numbers behind serve/stats.h. For the files of serve/ only. */
#ifndef SRV_SERVE_COUNTERS_H
#define SRV_SERVE_COUNTERS_H

#include "serve/job.h"

#include <stdatomic.h>

struct srv_counter {
    atomic_uint_least64_t n, us;
};

struct srv_batch_counters {
    struct srv_counter decode, compute;
};

struct srv_counters {
    atomic_int_least64_t last_unix_ms;
    struct srv_counter succeeded, failed, queue, decode, compute;
    struct srv_batch_counters batches[]; /* [max_batch], by pictures - 1 */
};

/* Purpose: all 0; NULL when out of memory. free() ends it. */
struct srv_counters *srv_counters_create(size_t max_batch);

/* Purpose: counts a batch that ran, here and in the metrics. */
void srv_served_count_batch(const struct srv_served *served, size_t n_pictures, int64_t decode_us,
                            int64_t compute_us);

/* Purpose: counts a job that is over, here and in the metrics. */
void srv_served_count_job(const struct srv_served *served, const struct srv_job *job);

#endif
