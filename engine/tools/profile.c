#include "profile.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/exec.h"
#include "model/model_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNS = 1000, MAX_TIMES = 1 << 22 };

/* The times of all nodes in all runs, and the run that is under way. */
struct recording {
    struct tool_bench *bench;
    size_t n_nodes, n_runs, max_runs;
    double *node_s; /* [max_runs, n_nodes] */
    double *run_s;  /* [max_runs] for medians */
};

static enum eng_status recording_init(struct tool_bench *bench, struct recording *r,
                                      struct eng_error *err)
{
    size_t n_nodes = tool_bench_model(bench)->plans[0]->graph->n_nodes;
    size_t max_runs = MAX_TIMES / (n_nodes + 1) + 1;
    *r = (struct recording){
        .bench = bench, .n_nodes = n_nodes, .max_runs = max_runs < MAX_RUNS ? max_runs : MAX_RUNS};
    r->node_s = eng_calloc(r->max_runs * n_nodes + 1, sizeof *r->node_s);
    r->run_s = eng_calloc(r->max_runs, sizeof *r->run_s);
    return r->node_s && r->run_s ? ENG_OK : eng_fail_memory(err, "the times of the nodes");
}

static void recording_fini(struct recording *r)
{
    free(r->node_s);
    free(r->run_s);
}

static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static enum eng_status record(struct recording *r, double seconds, struct eng_error *err)
{
    struct eng_exec *exec = eng_session_exec(tool_bench_session(r->bench));
    double (*clock_s)(void) = tool_bench_has_helpers(r->bench) ? tool_seconds : thread_seconds;
    double start = tool_seconds();
    enum eng_status status;
    do {
        struct tool_measurement ignored;
        eng_exec_time_nodes(exec, clock_s, r->node_s + r->n_runs * r->n_nodes);
        status = tool_bench_run(r->bench, 1, 0, &ignored, err);
        r->n_runs++;
    } while (!status && r->n_runs < r->max_runs && tool_seconds() - start < seconds);
    eng_exec_time_nodes(exec, NULL, NULL);
    return status;
}

static double median_ms(struct recording *r, size_t node)
{
    for (size_t run = 0; run < r->n_runs; run++)
        r->run_s[run] = r->node_s[run * r->n_nodes + node];
    tool_sort_numbers(r->run_s, r->n_runs);
    return 1e3 * r->run_s[r->n_runs / 2];
}

static double bytes_of(const struct eng_plan *plan, const int *values, size_t n)
{
    double bytes = 0;
    for (size_t k = 0; k < n; k++)
        if (values[k] != ENG_NO_VALUE) bytes += (double)eng_tensor_bytes(&plan->tensors[values[k]]);
    return bytes;
}

static void cost_node(struct recording *r, size_t i, struct tool_node_cost *out)
{
    struct eng_exec *exec = eng_session_exec(tool_bench_session(r->bench));
    const struct eng_plan *plan = tool_bench_plan(r->bench);
    const struct eng_node *node = &plan->graph->nodes[i];
    double passes = tool_bench_passes(r->bench);
    out->node = node;
    eng_exec_describe(exec, i, out->algorithm, sizeof out->algorithm);
    if (!eng_exec_runs(exec, i)) return;
    out->cost.ms = median_ms(r, i);
    out->cost.flops = passes * plan->nodes[i].flops;
    out->cost.bytes =
        passes * (bytes_of(plan, node->in, node->n_in) + bytes_of(plan, node->out, node->n_out));
}

/* --- kinds --- */

static bool same_kind(const struct tool_node_cost *a, const struct tool_node_cost *b)
{
    return a->node->op == b->node->op && strcmp(a->algorithm, b->algorithm) == 0;
}

static void add_to_kinds(struct tool_profile *profile, const struct tool_node_cost *node)
{
    size_t k = 0;
    while (k < profile->n_kinds && !same_kind(profile->kinds[k].first, node))
        k++;
    struct tool_kind_cost *kind = &profile->kinds[k];
    if (k == profile->n_kinds) profile->kinds[profile->n_kinds++].first = node;
    kind->n_nodes++;
    kind->cost.ms += node->cost.ms;
    kind->cost.flops += node->cost.flops;
    kind->cost.bytes += node->cost.bytes;
}

static int slowest_first(const void *a, const void *b)
{
    double x = ((const struct tool_kind_cost *)a)->cost.ms;
    double y = ((const struct tool_kind_cost *)b)->cost.ms;
    return (x < y) - (x > y);
}

enum eng_status tool_profile_init(struct tool_bench *bench, double seconds,
                                  struct tool_profile *out, struct eng_error *err)
{
    struct recording r;
    enum eng_status status = recording_init(bench, &r, err);
    if (!status) status = record(&r, seconds, err);
    struct tool_profile profile = {.n_runs = r.n_runs, .n_nodes = r.n_nodes};
    if (!status) {
        profile.nodes = eng_calloc(r.n_nodes + 1, sizeof *profile.nodes);
        profile.kinds = eng_calloc(r.n_nodes + 1, sizeof *profile.kinds);
        if (!profile.nodes || !profile.kinds) status = eng_fail_memory(err, "a profile");
    }
    for (size_t i = 0; !status && i < r.n_nodes; i++) {
        cost_node(&r, i, &profile.nodes[i]);
        profile.ms += profile.nodes[i].cost.ms;
        add_to_kinds(&profile, &profile.nodes[i]);
    }
    recording_fini(&r);
    if (status) {
        tool_profile_fini(&profile);
        return status;
    }
    qsort(profile.kinds, profile.n_kinds, sizeof *profile.kinds, slowest_first);
    *out = profile;
    return ENG_OK;
}

void tool_profile_fini(struct tool_profile *profile)
{
    free(profile->nodes);
    free(profile->kinds);
}
