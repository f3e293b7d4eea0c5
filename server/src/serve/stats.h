/* What one version has done since it was loaded, for the statistics that clients ask for. */
#ifndef SRV_SERVE_STATS_H
#define SRV_SERVE_STATS_H

#include "serve/served.h"

struct srv_stats_sum {
    uint64_t n, us;
};

/* Runs of one batch size. */
struct srv_stats_batch {
    size_t n_pictures;
    struct srv_stats_sum decode, compute;
};

struct srv_stats {
    int64_t last_unix_ms; /* when the last request ended; 0: none did */
    uint64_t n_pictures;  /* computed */
    uint64_t n_batches;   /* that they took */
    /* Requests, by how they ended: from submitting to answering; and by phase. */
    struct srv_stats_sum succeeded, failed, queue, decode, compute;
    uint64_t output_us;              /* writing answers, which is part of succeeded */
    struct srv_stats_batch *batches; /* sizes that came up */
    size_t n_sizes;
};

/* Purpose: counts the writing of an answer to a job that succeeded. Threads: any. */
void srv_served_count_output(const struct srv_served *served, int64_t us);

/*
 * Purpose: what has been counted by now. While requests run, numbers of one call may be of slightly
 * different moments.
 * Ownership: end with srv_stats_fini. Errors: NO_MEMORY. Threads: any.
 */
enum eng_status srv_served_stats(const struct srv_served *served, struct srv_stats *out,
                                 struct eng_error *err);
void srv_stats_fini(struct srv_stats *stats);

#endif
