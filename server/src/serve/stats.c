#include "serve/stats.h"

#include "base/clock.h"
#include "base/fail.h"
#include "serve/counters.h"
#include "serve/served_parts.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- counting --- */

static void add(struct srv_counter *counter, int64_t us)
{
    atomic_fetch_add_explicit(&counter->n, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counter->us, us > 0 ? (uint64_t)us : 0, memory_order_relaxed);
}

bool srv_counters_create(size_t max_batch, struct srv_counters *stripes[SRV_N_STRIPES])
{
    enum { LINE = _Alignof(struct srv_counters) };
    size_t n = sizeof(struct srv_counters) + max_batch * sizeof(struct srv_batch_counters);
    size_t stride = (n + LINE - 1) / LINE * LINE;
    char *block = aligned_alloc(LINE, SRV_N_STRIPES * stride);
    if (!block) return false;
    memset(block, 0, SRV_N_STRIPES * stride);
    for (size_t i = 0; i < SRV_N_STRIPES; i++)
        stripes[i] = (struct srv_counters *)(void *)(block + i * stride);
    return true;
}

/* Where this thread had better count; any stripe would do. */
static struct srv_counters *stripe_of(const struct srv_served *served)
{
    return served->counters[(unsigned)sched_getcpu() % SRV_N_STRIPES];
}

void srv_served_count_batch(const struct srv_served *served, size_t n_pictures, int64_t decode_us,
                            int64_t compute_us)
{
    struct srv_counters *counters = stripe_of(served);
    struct srv_batch_counters *batch = &counters->batches[n_pictures - 1];
    add(&batch->decode, decode_us);
    add(&batch->compute, compute_us);
    srv_series_observe(served->batch_size, (double)n_pictures);
    srv_series_observe(served->compute_seconds, (double)compute_us * 1e-6);
}

void srv_served_count_job(const struct srv_served *served, const struct srv_job *job)
{
    const struct srv_job_times *times = &job->times;
    struct srv_counters *counters = stripe_of(served);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    atomic_store_explicit(&counters->last_unix_ms,
                          (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, memory_order_relaxed);
    add(job->code == SRV_OK ? &counters->succeeded : &counters->failed,
        srv_clock_us() - times->submitted_us);
    if (times->started_us == 0) return; /* dropped before any of it ran */
    int64_t queue_us = times->started_us - times->submitted_us;
    add(&counters->queue, queue_us);
    if (job->max_batch_size > 0) { /* else no picture could be decoded */
        add(&counters->decode, times->decode_us);
        add(&counters->compute, times->compute_us);
    }
    srv_series_observe(served->queue_seconds, (double)queue_us * 1e-6);
    srv_series_observe(served->decode_seconds, (double)times->decode_us * 1e-6);
    srv_series_add(served->request_compute_seconds, (double)times->compute_us * 1e-6);
}

void srv_served_count_output(const struct srv_served *served, int64_t us)
{
    struct srv_counters *counters = stripe_of(served);
    uint64_t more = us > 0 ? (uint64_t)us : 0;
    atomic_fetch_add_explicit(&counters->output_us, more, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->succeeded.us, more, memory_order_relaxed);
}

/* --- reading --- */

static void read_counter(const struct srv_counter *counter, struct srv_stats_sum *sum)
{
    sum->n += atomic_load_explicit(&counter->n, memory_order_relaxed);
    sum->us += atomic_load_explicit(&counter->us, memory_order_relaxed);
}

static void read_stripe(const struct srv_counters *counters, struct srv_stats *stats)
{
    int64_t last = atomic_load_explicit(&counters->last_unix_ms, memory_order_relaxed);
    if (last > stats->last_unix_ms) stats->last_unix_ms = last;
    read_counter(&counters->succeeded, &stats->succeeded);
    read_counter(&counters->failed, &stats->failed);
    read_counter(&counters->queue, &stats->queue);
    read_counter(&counters->decode, &stats->decode);
    read_counter(&counters->compute, &stats->compute);
    stats->output_us += atomic_load_explicit(&counters->output_us, memory_order_relaxed);
}

static struct srv_stats_batch read_batch(const struct srv_served *served, size_t n_pictures)
{
    struct srv_stats_batch row = {.n_pictures = n_pictures};
    for (size_t i = 0; i < SRV_N_STRIPES; i++) {
        const struct srv_batch_counters *batch = &served->counters[i]->batches[n_pictures - 1];
        read_counter(&batch->decode, &row.decode);
        read_counter(&batch->compute, &row.compute);
    }
    return row;
}

enum eng_status srv_served_stats(const struct srv_served *served, struct srv_stats *out,
                                 struct eng_error *err)
{
    struct srv_stats stats = {.batches = calloc(served->max_batch, sizeof *stats.batches)};
    if (!stats.batches) return srv_fail_memory(err, "the statistics of a model");
    for (size_t i = 0; i < SRV_N_STRIPES; i++)
        read_stripe(served->counters[i], &stats);
    for (size_t n = 1; n <= served->max_batch; n++) {
        const struct srv_stats_batch row = read_batch(served, n);
        if (row.compute.n == 0) continue;
        stats.batches[stats.n_sizes++] = row;
        stats.n_batches += row.compute.n;
        stats.n_pictures += row.compute.n * n;
    }
    *out = stats;
    return ENG_OK;
}

void srv_stats_fini(struct srv_stats *stats)
{
    free(stats->batches);
    *stats = (struct srv_stats){0};
}
