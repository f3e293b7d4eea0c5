/* Timing a model. */
#ifndef TOOLS_MEASURE_H
#define TOOLS_MEASURE_H

#include "engine/status.h"

#include <stddef.h>

struct eng_model;

struct tool_measurement {
    int n_threads, batch; /* set by the caller */
    size_t n_runs;
    double min_ms, median_ms, p90_ms, p99_ms;
    double samples_per_s; /* over the whole time measured */
    double flops;         /* of one run */
    double gflops;        /* GFLOP/s at the median */
};

/* Purpose: seconds of the monotonic clock. */
double tool_seconds(void);

/*
 * Purpose: fills inputs with random values, warms up, then times runs one after another for as long
 * as seconds says (at least one, at most ten million).
 * n_threads: the caller and n_threads - 1 helpers. batch must not exceed the model's largest.
 * Errors: NO_MEMORY, LIMIT, IO (no thread to be had).
 */
enum eng_status tool_measure(const struct eng_model *model, double seconds,
                             struct tool_measurement *m, struct eng_error *err);

#endif
