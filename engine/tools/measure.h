/* Timing a model. */
#ifndef TOOLS_MEASURE_H
#define TOOLS_MEASURE_H

#include "engine/status.h"

#include <stdbool.h>
#include <stddef.h>

struct eng_model;
struct eng_plan;
struct eng_session;

/* Purpose: seconds of the monotonic clock. */
double tool_seconds(void);

/* Purpose: the smallest first. */
void tool_sort_numbers(double *numbers, size_t n);

/* A model with a session, helpers and random inputs, ready to run. */
struct tool_bench;

/*
 * Purpose: fills the inputs and makes room; runs nothing.
 * n_threads: the caller and n_threads - 1 helpers. batch must not exceed the model's largest.
 * Ownership: borrows the model; end with tool_bench_destroy.
 * Errors: NO_MEMORY, LIMIT, IO (no thread to be had).
 */
enum eng_status tool_bench_create(const struct eng_model *model, int n_threads, int batch,
                                  struct tool_bench **out, struct eng_error *err);
void tool_bench_destroy(struct tool_bench *bench);

enum { TOOL_BENCH_MAX_RUNS = 10000000 };

struct tool_measurement {
    size_t n_runs;
    double min_ms, median_ms, p90_ms, p99_ms;
    double samples_per_s; /* over the whole time measured */
    double gflops;        /* GFLOP/s at the median */
};

/*
 * Purpose: runs one after another until n_runs are done and seconds have passed; at least one, at
 *          most TOOL_BENCH_MAX_RUNS.
 * Errors: NO_MEMORY.
 */
enum eng_status tool_bench_run(struct tool_bench *bench, size_t n_runs, double seconds,
                               struct tool_measurement *out, struct eng_error *err);

/* Purpose: what one run computes: multiply-adds x 2. */
double tool_bench_flops(const struct tool_bench *bench);

/* Purpose: whether helpers share the work of a run. */
bool tool_bench_has_helpers(const struct tool_bench *bench);

/* Purpose: how often one run goes through the graph: the batch if samples run one by one, else 1.
 */
int tool_bench_passes(const struct tool_bench *bench);

const struct eng_model *tool_bench_model(const struct tool_bench *bench);
struct eng_session *tool_bench_session(struct tool_bench *bench);
const struct eng_plan *tool_bench_plan(const struct tool_bench *bench);

#endif
