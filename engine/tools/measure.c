#include "measure.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/session.h"
#include "model/model_internal.h"

#include <stdlib.h>
#include <time.h>

enum { MAX_RUNS = 10000000 };

/* The work in progress; zeroed at first. */
struct bench {
    struct eng_pool *pool;
    struct eng_session *session;
    struct eng_tensor *inputs;  /* [n_inputs], data malloc'd */
    struct eng_tensor *outputs; /* [n_outputs] views */
    size_t n_inputs, n_outputs;
    double *run_s; /* [capacity] the time of each run */
    size_t n_runs, capacity;
};

double tool_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void bench_fini(struct bench *bench)
{
    for (size_t i = 0; bench->inputs && i < bench->n_inputs; i++)
        free(bench->inputs[i].data);
    free(bench->inputs);
    free(bench->outputs);
    free(bench->run_s);
    eng_session_destroy(bench->session);
    eng_pool_destroy(bench->pool);
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

static enum eng_status bench_init(struct bench *bench, const struct eng_model *model,
                                  const struct tool_measurement *m, struct eng_error *err)
{
    enum eng_status status = ENG_OK;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    bench->n_inputs = eng_model_n_inputs(model);
    bench->n_outputs = eng_model_n_outputs(model);
    bench->inputs = eng_calloc(bench->n_inputs, sizeof *bench->inputs);
    bench->outputs = eng_calloc(bench->n_outputs, sizeof *bench->outputs);
    if (!bench->inputs || !bench->outputs) return eng_fail_memory(err, "the inputs and outputs");
    for (size_t i = 0; i < bench->n_inputs && !status; i++) {
        const char *name;
        bench->inputs[i] = eng_model_input(model, i, &name);
        status = make_input(&bench->inputs[i], m->batch, &rng, err);
    }
    if (!status && m->n_threads > 1) status = eng_pool_create(m->n_threads - 1, &bench->pool, err);
    return status ? status : eng_session_create(model, bench->pool, &bench->session, err);
}

static enum eng_status run_for(struct bench *bench, double seconds, struct eng_error *err)
{
    double start = tool_seconds(), before = start, now = start;
    bench->n_runs = 0;
    do {
        if (!eng_grow(&bench->run_s, &bench->capacity, bench->n_runs + 1, sizeof *bench->run_s))
            return eng_fail_memory(err, "the times measured");
        enum eng_status status = eng_session_run(bench->session, bench->inputs, bench->n_inputs,
                                                 bench->outputs, bench->n_outputs, err);
        if (status) return status;
        now = tool_seconds();
        bench->run_s[bench->n_runs++] = now - before;
        before = now;
    } while (now - start < seconds && bench->n_runs < MAX_RUNS);
    return ENG_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the times. */
static void summarise(struct bench *bench, double flops, struct tool_measurement *m)
{
    size_t n = bench->n_runs;
    double total_s = 0;
    for (size_t i = 0; i < n; i++)
        total_s += bench->run_s[i];
    qsort(bench->run_s, n, sizeof *bench->run_s, compare_doubles);
    m->n_runs = n;
    m->min_ms = 1e3 * bench->run_s[0];
    m->median_ms = 1e3 * bench->run_s[n / 2];
    m->p90_ms = 1e3 * bench->run_s[n * 9 / 10];
    m->p99_ms = 1e3 * bench->run_s[n * 99 / 100];
    m->samples_per_s = total_s > 0 ? (double)n * m->batch / total_s : 0;
    m->flops = flops;
    m->gflops = m->median_ms > 0 ? flops / m->median_ms * 1e-6 : 0;
}

enum eng_status tool_measure(const struct eng_model *model, double seconds,
                             struct tool_measurement *m, struct eng_error *err)
{
    struct bench bench = {0};
    enum eng_status status = bench_init(&bench, model, m, err);
    if (!status) status = run_for(&bench, 0.1 * seconds, err);
    if (!status) status = run_for(&bench, seconds, err);
    if (!status) summarise(&bench, model->plans[m->batch - 1]->flops, m);
    bench_fini(&bench);
    return status;
}
