/* classify bench: how fast a model runs here, from tensors in place to tensors out. */
#include "base/error.h"
#include "command.h"
#include "engine/cpu.h"
#include "engine/model.h"
#include "engine/pool.h"
#include "json.h"
#include "load_report.h"
#include "measure.h"
#include "options.h"
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench_options {
    int64_t threads;
    int64_t batch;
    double seconds;
    int tuning, precision;
    bool profile;
    bool load;
    bool turns;
    bool json;
};

static const char *const tunings[] = {
    [ENG_TUNING_OFF] = "off", [ENG_TUNING_MEASURE] = "measure", NULL};

static const char *const precisions[] = {
    [ENG_PRECISION_FLOAT32] = "float32", [ENG_PRECISION_BF16] = "bf16", NULL};

static const struct tool_option options[] = {
    TOOL_INT(struct bench_options, threads, 0, 0, 1024, "N", "threads for one run; 0: every CPU"),
    TOOL_INT(struct bench_options, batch, 1, 1, 4096, "N", "samples in one run"),
    TOOL_FLOAT(struct bench_options, seconds, 3, 0.01, 3600, "S", "how long to measure"),
    TOOL_CHOICE(struct bench_options, precision, ENG_PRECISION_FLOAT32, precisions, "NAME",
                "float32 or bf16: what products may round to, if config.json does not say"),
    TOOL_CHOICE(struct bench_options, tuning, ENG_TUNING_OFF, tunings, "HOW",
                "off or measure: how ways of computing are chosen, if config.json does not say"),
    TOOL_FLAG(struct bench_options, profile, "time every node too, for as long again"),
    TOOL_FLAG(struct bench_options, load, "say what it took from the file to a first answer"),
    TOOL_FLAG(struct bench_options, turns, "run as often as each line of standard input says"),
    TOOL_FLAG(struct bench_options, json, "answer in JSON"),
};

static const struct tool_syntax syntax = {
    .arguments = "MODEL",
    .min_args = 1,
    .max_args = 1,
    .help =
        "Runs the model again and again on the same random input and times each run, after a\n"
        "warm-up of a tenth of the time. With --turns it says \"ready\" after a first run, and\n"
        "answers each number of runs that it reads with how long they took: to take turns with\n"
        "another program.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
};

/* What one call works on. */
struct bench {
    const char *path;
    struct bench_options opt;
    int n_threads, batch;
    struct tool_bench *bench;
    struct tool_load load;
};

/* --- answers --- */

static const char *precision(const struct bench *b)
{
    return precisions[eng_model_precision(tool_bench_model(b->bench))];
}

static json_t *report_json(const struct bench *b, const struct tool_measurement *m,
                           const struct tool_profile *profile)
{
    json_t *report = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "model", b->path,
        "cpu_level", eng_cpu_level(), "precision", precision(b), "threads", b->n_threads, "batch",
        b->batch, "runs", (json_int_t)m->n_runs, "min_ms", m->min_ms, "median_ms", m->median_ms,
        "p90_ms", m->p90_ms, "p99_ms", m->p99_ms, "throughput", m->samples_per_s, "flops",
        tool_bench_flops(b->bench), "gflops", m->gflops);
    bool failed = report && profile &&
                  json_object_set_new(report, "profile", tool_profile_json(profile)) != 0;
    failed |=
        report && b->opt.load && json_object_set_new(report, "load", tool_load_json(&b->load)) != 0;
    if (!failed) return report;
    json_decref(report);
    return NULL;
}

static void print_report(const struct bench *b, const struct tool_measurement *m)
{
    printf("cpu level   %s\nprecision   %s\n", eng_cpu_level(), precision(b));
    printf("threads     %d\nbatch       %d\nruns        %zu\n", b->n_threads, b->batch, m->n_runs);
    printf("latency     median %.4f ms, min %.4f ms, p90 %.4f ms, p99 %.4f ms\n", m->median_ms,
           m->min_ms, m->p90_ms, m->p99_ms);
    printf("throughput  %.1f samples/s\ncompute     %.2f GFLOP/s\n", m->samples_per_s, m->gflops);
}

static enum eng_status measure(const struct bench *b, struct eng_error *err)
{
    double seconds = b->opt.seconds;
    struct tool_measurement m;
    struct tool_profile profile = {0};
    enum eng_status status = tool_bench_run(b->bench, 1, 0.1 * seconds, &m, err);
    if (!status) status = tool_bench_run(b->bench, 1, seconds, &m, err);
    if (!status && b->opt.profile) status = tool_profile_init(b->bench, seconds, &profile, err);
    if (status) return status;
    if (b->opt.json) {
        status = tool_json_print_take(report_json(b, &m, b->opt.profile ? &profile : NULL), err);
    } else {
        if (b->opt.load) tool_load_print(&b->load);
        print_report(b, &m);
        if (b->opt.profile) tool_profile_print(&profile);
    }
    tool_profile_fini(&profile);
    return status;
}

/* --- turns --- */

static enum eng_status read_turn(const char *line, size_t *n_runs, struct eng_error *err)
{
    char *end;
    long n = strtol(line, &end, 10);
    size_t length = strcspn(line, "\n");
    if (end == line || end != line + length || n < 1 || n > TOOL_BENCH_MAX_RUNS)
        return eng_fail(err, ENG_ARGUMENT,
                        "a turn is '%.*s'; a number of runs from 1 to %d is "
                        "wanted",
                        (int)length, line, TOOL_BENCH_MAX_RUNS);
    *n_runs = (size_t)n;
    return ENG_OK;
}

static enum eng_status take_turns(const struct bench *b, struct eng_error *err)
{
    struct tool_measurement m;
    char line[64];
    enum eng_status status = tool_bench_run(b->bench, 1, 0, &m, err);
    if (!status) printf("ready flops %.0f\n", tool_bench_flops(b->bench));
    while (!status && fflush(stdout) == 0 && fgets(line, sizeof line, stdin)) {
        size_t n_runs = 0;
        status = read_turn(line, &n_runs, err);
        if (!status) status = tool_bench_run(b->bench, n_runs, 0, &m, err);
        if (!status) printf("median_ms %.6f min_ms %.6f\n", m.median_ms, m.min_ms);
    }
    return status;
}

/* A session, and what it and its first run take. */
static enum eng_status begin(struct bench *b, const struct eng_model *model, struct eng_error *err)
{
    struct tool_measurement m;
    double start_s = tool_seconds();
    enum eng_status status = tool_bench_create(model, b->n_threads, b->batch, &b->bench, err);
    double created_s = tool_seconds();
    if (!status && b->opt.load) status = tool_bench_run(b->bench, 1, 0, &m, err);
    b->load = (struct tool_load){.model = model,
                                 .session_s = created_s - start_s,
                                 .first_run_s = tool_seconds() - created_s};
    tool_load_note_peak(&b->load);
    return status;
}

static enum eng_status bench(struct bench *b, struct eng_error *err)
{
    if (b->opt.turns && (b->opt.json || b->opt.profile || b->opt.load))
        return eng_fail(err, ENG_ARGUMENT, "--turns goes without --json, --profile and --load");
    struct eng_model_options model_options = {.max_batch = b->batch,
                                              .precision = (enum eng_precision)b->opt.precision,
                                              .tuning = (enum eng_tuning)b->opt.tuning};
    struct eng_model *model;
    enum eng_status status = eng_model_open(b->path, &model_options, &model, err);
    if (status) return status;
    if (b->batch > eng_model_max_batch(model))
        status = eng_fail(err, ENG_ARGUMENT, "batch is %d, but the model is bound to %d", b->batch,
                          eng_model_max_batch(model));
    if (!status) status = begin(b, model, err);
    if (!status) status = b->opt.turns ? take_turns(b, err) : measure(b, err);
    tool_bench_destroy(b->bench);
    eng_model_destroy(model);
    return status;
}

int cmd_bench(int argc, char **argv)
{
    struct bench b = {0};
    char **args;
    size_t n_args;
    int code;
    if (!tool_options_parse(&syntax, argc, argv, &b.opt, &args, &n_args, &code)) return code;
    struct eng_error err = {0};
    b.path = args[0];
    b.n_threads = b.opt.threads ? (int)b.opt.threads : eng_pool_cpus();
    b.batch = (int)b.opt.batch;
    return bench(&b, &err) ? tool_fail(argv[0], &err) : TOOL_OK;
}
