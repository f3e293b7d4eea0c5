/* classify bench: how fast a model runs here, from tensors in place to tensors out. */
#include "base/error.h"
#include "command.h"
#include "engine/pool.h"
#include "json.h"
#include "measure.h"
#include "model/model_internal.h"
#include "options.h"

#include <stdio.h>

struct bench_options {
    int64_t threads;
    int64_t batch;
    double seconds;
    bool json;
};

static const struct tool_option options[] = {
    TOOL_INT(struct bench_options, threads, 0, 0, 1024, "N", "threads for one run; 0: every CPU"),
    TOOL_INT(struct bench_options, batch, 1, 1, 4096, "N", "samples in one run"),
    TOOL_FLOAT(struct bench_options, seconds, 3, 0.01, 3600, "S", "how long to measure"),
    TOOL_FLAG(struct bench_options, json, "answer in JSON"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL",
    .min_args = 1,
    .max_args = 1,
    .help = "Runs the model again and again on the same random input and times each run, after a\n"
            "warm-up of a tenth of the time.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

static json_t *report_json(const char *path, const struct tool_measurement *m)
{
    return json_pack("{s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "model", path,
                     "threads", m->n_threads, "batch", m->batch, "runs", (json_int_t)m->n_runs,
                     "min_ms", m->min_ms, "median_ms", m->median_ms, "p90_ms", m->p90_ms, "p99_ms",
                     m->p99_ms, "throughput", m->samples_per_s, "flops", m->flops, "gflops",
                     m->gflops);
}

static void print_report(const struct tool_measurement *m)
{
    printf("threads     %d\nbatch       %d\nruns        %zu\n", m->n_threads, m->batch, m->n_runs);
    printf("latency     median %.4f ms, min %.4f ms, p90 %.4f ms, p99 %.4f ms\n", m->median_ms,
           m->min_ms, m->p90_ms, m->p99_ms);
    printf("throughput  %.1f samples/s\ncompute     %.2f GFLOP/s\n", m->samples_per_s, m->gflops);
}

static enum eng_status bench(const char *path, const struct bench_options *opt,
                             struct eng_error *err)
{
    struct eng_model_options model_options = {.max_batch = (int)opt->batch};
    struct eng_model *model;
    enum eng_status status = eng_model_open(path, &model_options, &model, err);
    if (status) return status;
    struct tool_measurement m = {
        .n_threads = opt->threads ? (int)opt->threads : eng_pool_cpus(),
        .batch = (int)opt->batch,
    };
    if (m.batch > eng_model_max_batch(model))
        status = eng_fail(err, ENG_ARGUMENT, "batch is %d, but the model is bound to %d", m.batch,
                          eng_model_max_batch(model));
    else
        status = tool_measure(model, opt->seconds, &m, err);
    eng_model_destroy(model);
    if (status) return status;
    if (opt->json) return tool_json_print_take(report_json(path, &m), err);
    print_report(&m);
    return ENG_OK;
}

int cmd_bench(int argc, char **argv)
{
    struct bench_options opt;
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    return bench(args[0], &opt, &err) ? tool_fail(argv[0], &err) : TOOL_OK;
}
