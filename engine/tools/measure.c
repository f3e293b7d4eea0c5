#include "measure.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/session.h"
#include "model/model_internal.h"

#include <stdlib.h>
#include <time.h>

/* run_s is the only thing that changes after creation. */
struct tool_bench {
    const struct eng_model *model;
    int batch;
    struct eng_pool *pool;
    struct eng_session *session;
    struct eng_tensor *inputs;  /* [n_inputs], data malloc'd */
    struct eng_tensor *outputs; /* [n_outputs] views */
    size_t n_inputs, n_outputs;
    double *run_s; /* [capacity] the time of each run */
    size_t capacity;
};

double tool_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void tool_bench_destroy(struct tool_bench *bench)
{
    if (!bench) return;
    for (size_t i = 0; bench->inputs && i < bench->n_inputs; i++)
        free(bench->inputs[i].data);
    free(bench->inputs);
    free(bench->outputs);
    free(bench->run_s);
    eng_session_destroy(bench->session);
    eng_pool_destroy(bench->pool);
    free(bench);
}

/* Floats in 0..1; other types stay zero, which is a valid index, axis and flag. */
static enum eng_status make_input(struct eng_tensor *input, int batch, struct eng_rng *rng,
                                  struct eng_error *err)
{
    if (input->shape.rank > 0 && input->shape.dim[0] == -1) input->shape.dim[0] = batch;
    int64_t n_bytes = eng_tensor_bytes(input);
    if (n_bytes < 0 || !(input->data = eng_calloc((size_t)n_bytes, 1)))
        return eng_fail_memory(err, "an input");
    float *values = input->data;
    for (int64_t i = 0; input->dtype == ENG_FLOAT32 && i < eng_shape_count(&input->shape); i++)
        values[i] = eng_rng_float(rng);
    return ENG_OK;
}

static enum eng_status fill(struct tool_bench *bench, int n_threads, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    bench->n_inputs = eng_model_n_inputs(bench->model);
    bench->n_outputs = eng_model_n_outputs(bench->model);
    bench->inputs = eng_calloc(bench->n_inputs, sizeof *bench->inputs);
    bench->outputs = eng_calloc(bench->n_outputs, sizeof *bench->outputs);
    if (!bench->inputs || !bench->outputs) return eng_fail_memory(err, "the inputs and outputs");
    for (size_t i = 0; i < bench->n_inputs && !status; i++) {
        const char *name;
        bench->inputs[i] = eng_model_input(bench->model, i, &name);
        bench->inputs[i].data = NULL;
        status = make_input(&bench->inputs[i], bench->batch, &rng, err);
    }
    /* Loops run on the caller and on all workers but one. */
    if (!status && n_threads > 1) status = eng_pool_create(n_threads, &bench->pool, err);
    return status ? status : eng_session_create(bench->model, bench->pool, &bench->session, err);
}

enum eng_status tool_bench_create(const struct eng_model *model, int n_threads, int batch,
                                  struct tool_bench **out, struct eng_error *err)
{
    struct tool_bench *bench = eng_calloc(1, sizeof *bench);
    if (!bench) return eng_fail_memory(err, "a benchmark");
    bench->model = model;
    bench->batch = batch;
    enum eng_status status = fill(bench, n_threads, err);
    if (status) {
        tool_bench_destroy(bench);
        return status;
    }
    *out = bench;
    return ENG_OK;
}

const struct eng_model *tool_bench_model(const struct tool_bench *bench)
{
    return bench->model;
}

struct eng_session *tool_bench_session(struct tool_bench *bench)
{
    return bench->session;
}

bool tool_bench_has_helpers(const struct tool_bench *bench)
{
    return bench->pool != NULL;
}

int tool_bench_passes(const struct tool_bench *bench)
{
    return eng_model_runs_one_by_one(bench->model) ? bench->batch : 1;
}

const struct eng_plan *tool_bench_plan(const struct tool_bench *bench)
{
    return bench->model->plans[bench->batch / tool_bench_passes(bench) - 1];
}

double tool_bench_flops(const struct tool_bench *bench)
{
    return tool_bench_passes(bench) * tool_bench_plan(bench)->flops;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void tool_sort_numbers(double *numbers, size_t n)
{
    qsort(numbers, n, sizeof *numbers, compare_doubles);
}

/* Sorts the times. */
static struct tool_measurement summarise(const struct tool_bench *bench, size_t n)
{
    double total_s = 0, *run_s = bench->run_s;
    for (size_t i = 0; i < n; i++)
        total_s += run_s[i];
    tool_sort_numbers(run_s, n);
    double median_ms = 1e3 * run_s[n / 2];
    return (struct tool_measurement){
        .n_runs = n,
        .min_ms = 1e3 * run_s[0],
        .median_ms = median_ms,
        .p90_ms = 1e3 * run_s[n * 9 / 10],
        .p99_ms = 1e3 * run_s[n * 99 / 100],
        .samples_per_s = total_s > 0 ? (double)n * bench->batch / total_s : 0,
        .gflops = median_ms > 0 ? tool_bench_flops(bench) / median_ms * 1e-6 : 0,
    };
}

enum eng_status tool_bench_run(struct tool_bench *bench, size_t n_runs, double seconds,
                               struct tool_measurement *out, struct eng_error *err)
{
    double start = tool_seconds(), before = start, now = start;
    size_t n = 0;
    do {
        if (!eng_grow(&bench->run_s, &bench->capacity, n + 1, sizeof *bench->run_s))
            return eng_fail_memory(err, "the times measured");
        enum eng_status status = eng_session_run(bench->session, bench->inputs, bench->n_inputs,
                                                 bench->outputs, bench->n_outputs, err);
        if (status) return status;
        now = tool_seconds();
        bench->run_s[n++] = now - before;
        before = now;
    } while ((n < n_runs || now - start < seconds) && n < TOOL_BENCH_MAX_RUNS);
    *out = summarise(bench, n);
    return ENG_OK;
}
