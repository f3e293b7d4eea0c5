/* The live numbers behind serve/stats.h. For the files of serve/ only. */
#ifndef SRV_SERVE_COUNTERS_H
#define SRV_SERVE_COUNTERS_H

#include "serve/job.h"

#include <stdatomic.h>
#include <stdbool.h>

struct srv_counter {
    atomic_uint_least64_t n, us;
};

struct srv_batch_counters {
    struct srv_counter decode, compute;
};

/* What the threads of some CPUs counted. CPUs that wrote to one line would wait for each other. */
struct srv_counters {
    _Alignas(64) atomic_int_least64_t last_unix_ms;
    struct srv_counter succeeded, failed, queue, decode, compute;
    atomic_uint_least64_t output_us;
    struct srv_batch_counters batches[]; /* [max_batch], by pictures - 1 */
};

enum { SRV_N_STRIPES = 8 }; /* CPU i counts in stripe i % 8 */

/* Purpose: the stripes, all 0, in one piece that free() ends. False: out of memory. */
bool srv_counters_create(size_t max_batch, struct srv_counters *stripes[SRV_N_STRIPES]);

/* Purpose: counts a batch that ran, here and in the metrics. */
void srv_served_count_batch(const struct srv_served *served, size_t n_pictures, int64_t decode_us,
                            int64_t compute_us);

/* Purpose: counts a job that is over, here and in the metrics. */
void srv_served_count_job(const struct srv_served *served, const struct srv_job *job);

#endif
