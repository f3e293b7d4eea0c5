/* Whether a graph computes several samples together, each as it does alone. */
#include "graph/batch.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "graph/exec.h"
#include "graph/rows.h"
#include "model/model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One by one, more samples at a time only cost memory. */
enum { MAX_ONE_BY_ONE = 32 };

/* Nodes and values in the plans of all batch sizes: some 200 MB. */
enum { MAX_PLANNED = 1280000 };

/* A file of a kilobyte can ask for hours of work. Networks of photographs take 1e8 to 4e10 for two
 * samples, on the slow side a second. */
static const double MAX_TRIAL_WORK = 5e10;
static const size_t MAX_TRIAL_BYTES = (size_t)1 << 30;

/* Two samples alone and together, in the memory of one session. */
struct trial {
    const struct eng_graph *graph;
    struct eng_plan *plans[2]; /* for one sample and for two */
    struct eng_exec *exec;
    char *alone[2]; /* the outputs of each sample, one after the other */
};

/* ---- numbers that depend on the sample and the place only ---- */

static void fill_element(enum eng_dtype dtype, struct eng_rng *rng, void *at)
{
    switch (dtype) {
    case ENG_FLOAT32:
        *(float *)at = eng_rng_normal(rng);
        break;
    case ENG_FLOAT64:
        *(double *)at = (double)eng_rng_normal(rng);
        break;
    case ENG_UINT8:
        *(uint8_t *)at = (uint8_t)eng_rng_below(rng, 256);
        break;
    default: /* an index or a flag: 0 or 1 is in every range; little endian */
        memset(at, 0, eng_dtype_bytes(dtype));
        *(uint8_t *)at = (uint8_t)eng_rng_below(rng, 2);
    }
}

/* Fills the `row`th of n_rows equal parts of every input with a sample's numbers. */
static void place_sample(const struct trial *trial, int sample, int row, int n_rows)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 7, (uint64_t)sample);
    for (size_t i = 0; i < trial->graph->n_inputs; i++) {
        const struct eng_tensor *input = eng_exec_value(trial->exec, trial->graph->inputs[i]);
        size_t n = (size_t)eng_shape_count(&input->shape) / (size_t)n_rows;
        size_t element_bytes = eng_dtype_bytes(input->dtype);
        char *at = (char *)input->data + (size_t)row * n * element_bytes;
        for (size_t k = 0; k < n; k++)
            fill_element(input->dtype, &rng, at + k * element_bytes);
    }
}

/* ---- comparing ---- */

static double real_at(const struct eng_tensor *tensor, const char *data, size_t k)
{
    return tensor->dtype == ENG_FLOAT32 ? (double)((const float *)(const void *)data)[k]
                                        : ((const double *)(const void *)data)[k];
}

/* Equal but for the rounding of sums: a millionth of the largest finite number. What is not a
 * number is equal to itself. */
static bool same_reals(const struct eng_tensor *tensor, const char *a, const char *b, size_t n)
{
    double largest = 0;
    for (size_t k = 0; k < n; k++)
        if (isfinite(real_at(tensor, a, k))) largest = fmax(largest, fabs(real_at(tensor, a, k)));
    for (size_t k = 0; k < n; k++) {
        double x = real_at(tensor, a, k), y = real_at(tensor, b, k);
        if (!(fabs(x - y) <= 1e-6 * largest) && x != y && !(isnan(x) && isnan(y))) return false;
    }
    return true;
}

/* The part of an output that belongs to a row. */
static bool same_row(const struct eng_tensor *together, int row, const char *alone, size_t n_bytes)
{
    const char *data = (const char *)together->data + (size_t)row * n_bytes;
    if (together->dtype == ENG_FLOAT32 || together->dtype == ENG_FLOAT64)
        return same_reals(together, data, alone, n_bytes / eng_dtype_bytes(together->dtype));
    return memcmp(data, alone, n_bytes) == 0;
}

static bool same_outputs(const struct trial *trial)
{
    size_t offset = 0;
    for (size_t i = 0; i < trial->graph->n_outputs; i++) {
        const struct eng_tensor *output = eng_exec_value(trial->exec, trial->graph->outputs[i]);
        size_t n_bytes = (size_t)eng_tensor_bytes(output) / 2;
        for (int row = 0; row < 2; row++)
            if (!same_row(output, row, trial->alone[row] + offset, n_bytes)) return false;
        offset += n_bytes;
    }
    return true;
}

/* ---- the trial ---- */

static bool trial_run_alone(struct trial *trial, int sample)
{
    eng_exec_bind(trial->exec, trial->plans[0]);
    place_sample(trial, sample, 0, 1);
    eng_exec_forward(trial->exec, 0);
    size_t n_bytes = 0;
    for (size_t i = 0; i < trial->graph->n_outputs; i++)
        n_bytes += (size_t)eng_tensor_bytes(eng_exec_value(trial->exec, trial->graph->outputs[i]));
    char *copy = trial->alone[sample] = eng_calloc(1, n_bytes + 1);
    for (size_t i = 0; copy && i < trial->graph->n_outputs; i++) {
        const struct eng_tensor *output = eng_exec_value(trial->exec, trial->graph->outputs[i]);
        size_t n = (size_t)eng_tensor_bytes(output);
        memcpy(copy, output->data, n);
        copy += n;
    }
    return trial->alone[sample] != NULL;
}

static enum eng_status trial_run(struct trial *trial, bool *same, struct eng_error *err)
{
    const struct eng_plan *one = trial->plans[0], *two = trial->plans[1];
    size_t n_bytes = one->arena_bytes > two->arena_bytes ? one->arena_bytes : two->arena_bytes;
    enum eng_status status = eng_exec_create(trial->graph, n_bytes, NULL, &trial->exec, err);
    if (status != ENG_OK) return status;
    if (!trial_run_alone(trial, 0) || !trial_run_alone(trial, 1))
        return eng_fail_memory(err, "a trial of two samples");
    eng_exec_bind(trial->exec, two);
    for (int row = 0; row < 2; row++)
        place_sample(trial, row, row, 2);
    eng_exec_forward(trial->exec, 0);
    *same = same_outputs(trial);
    return ENG_OK;
}

/* An output has a row for each sample, of the same shape however many there are; a value that grows
 * with the batch need not. */
static bool rows_are_samples(const struct trial *trial, struct eng_error *why)
{
    for (size_t i = 0; i < trial->graph->n_outputs; i++) {
        int value = trial->graph->outputs[i];
        struct eng_shape one = trial->plans[0]->tensors[value].shape;
        bool has_one = one.dim[0] == 1;
        one.dim[0] = 2;
        if (has_one && eng_shape_equal(&one, &trial->plans[1]->tensors[value].shape)) continue;
        eng_fail(why, ENG_MISMATCH, "output '%s' has no row for each sample",
                 trial->graph->values[value].name);
        return false;
    }
    return true;
}

/* Tries what a look at the graph leaves open. */
static enum eng_status try_mixer(struct trial *trial, size_t mixer, bool *same,
                                 struct eng_error *why)
{
    const struct eng_node *node = &trial->graph->nodes[mixer];
    const struct eng_plan *two = trial->plans[1];
    *same = false;
    if (two->work > MAX_TRIAL_WORK || two->arena_bytes > MAX_TRIAL_BYTES) {
        eng_fail(why, ENG_LIMIT,
                 "node '%s' (%s) may mix samples, and trying two together would take %.3g "
                 "operations and %zu MiB",
                 node->name, node->op->name, two->work, two->arena_bytes >> 20);
        return ENG_OK;
    }
    enum eng_status status = trial_run(trial, same, why);
    if (status == ENG_OK && !*same)
        eng_fail(why, ENG_MISMATCH,
                 "two samples together give other answers than each alone; node '%s' (%s) may mix "
                 "them",
                 node->name, node->op->name);
    return status;
}

/* Whether two samples together give what each gives alone: because no node can mix them (*told),
 * else by trying, else (where that takes too long) it is denied. */
static enum eng_status check_two(struct trial *trial, bool *same, bool *told, struct eng_error *why)
{
    enum eng_status status = ENG_OK;
    size_t mixer;
    *same = *told = false;
    for (int i = 0; status == ENG_OK && i < 2; i++)
        status =
            eng_plan_create(trial->graph, ENG_PLAN_INFERENCE, i + 1, true, &trial->plans[i], why);
    if (status != ENG_OK || !rows_are_samples(trial, why)) return status;
    status = eng_rows_find_mixer(trial->plans[0], trial->plans[1], &mixer, why);
    *same = *told = status == ENG_OK && mixer == trial->graph->n_nodes;
    return status == ENG_OK && !*same ? try_mixer(trial, mixer, same, why) : status;
}

static enum eng_status try_two(const struct eng_graph *graph, bool *same, bool *told,
                               struct eng_error *why)
{
    struct trial trial = {.graph = graph};
    enum eng_status status = check_two(&trial, same, told, why);
    eng_exec_destroy(trial.exec);
    for (int i = 0; i < 2; i++) {
        free(trial.alone[i]);
        eng_plan_destroy(trial.plans[i]);
    }
    return status;
}

/* ---- the decision ---- */

static bool follow_batch(const struct eng_graph *graph, const char *kind, const int *values,
                         size_t n, const struct eng_tensor *symbolic, struct eng_error *why)
{
    for (size_t i = 0; i < n; i++) {
        const struct eng_shape *shape = &symbolic[values[i]].shape;
        char text[96];
        if (shape->rank > 0 && shape->dim[0] == -1) continue;
        eng_fail(why, ENG_MISMATCH, "%s '%s' has shape %s, whatever the batch", kind,
                 graph->values[values[i]].name, eng_shape_format(shape, text, sizeof text));
        return false;
    }
    return true;
}

/* Whether every input takes a batch and every output follows it. */
static bool follows_batch(const struct eng_graph *graph, const struct eng_tensor *symbolic,
                          struct eng_error *why)
{
    return graph->n_inputs > 0 &&
           follow_batch(graph, "input", graph->inputs, graph->n_inputs, symbolic, why) &&
           follow_batch(graph, "output", graph->outputs, graph->n_outputs, symbolic, why);
}

static enum eng_status allocate_symbolic(struct eng_model *model, struct eng_error *err)
{
    model->symbolic =
        eng_arena_alloc(&model->arena, model->graph.n_values + 1, sizeof *model->symbolic);
    return model->symbolic ? ENG_OK : eng_fail_memory(err, "the model's shapes");
}

/* Whether the graph as it stands takes batches; why it does not. One sample at a time needs no
 * trial. Errors: NO_MEMORY. */
static enum eng_status takes_batches(struct eng_model *model, int wanted, bool *takes,
                                     struct eng_error *why)
{
    *takes = false;
    enum eng_status status = allocate_symbolic(model, why);
    if (status == ENG_OK)
        status = eng_shape_infer_symbolic(&model->graph, true, model->symbolic, why);
    if (status == ENG_OK && follows_batch(&model->graph, model->symbolic, why)) {
        *takes = true;
        if (wanted > 1) status = try_two(&model->graph, takes, &model->samples_apart, why);
    }
    return status == ENG_NO_MEMORY ? status : ENG_OK;
}

/* Whether each of these values has one row. */
static bool have_one_row(const struct eng_tensor *tensors, const int *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (tensors[values[i]].shape.rank == 0 || tensors[values[i]].shape.dim[0] != 1)
            return false;
    return n > 0;
}

/* One sample at a time. Raw runs have batches too where inputs and outputs have a place for them.
 */
static enum eng_status settle_for_one(struct eng_model *model, int wanted,
                                      const struct eng_error *why, struct eng_error *err)
{
    const struct eng_graph *graph = &model->graph;
    struct eng_node_plan *nodes = eng_arena_alloc(&model->arena, graph->n_nodes + 1, sizeof *nodes);
    model->why_one_by_one = eng_arena_string(&model->arena, why->text, strlen(why->text));
    if (!nodes || !model->why_one_by_one) return eng_fail_memory(err, "the model's shapes");
    enum eng_status status = allocate_symbolic(model, err);
    if (status == ENG_OK)
        status =
            eng_shape_infer(graph, 1, false, false, &model->arena, model->symbolic, nodes, err);
    if (status != ENG_OK) return status;
    model->n_plans = model->max_batch = 1;
    if (!have_one_row(model->symbolic, graph->inputs, graph->n_inputs)) return ENG_OK;
    model->max_batch = wanted < MAX_ONE_BY_ONE ? wanted : MAX_ONE_BY_ONE;
    if (!have_one_row(model->symbolic, graph->outputs, graph->n_outputs)) return ENG_OK;
    for (size_t i = 0; i < graph->n_inputs; i++)
        model->symbolic[graph->inputs[i]].shape.dim[0] = -1;
    for (size_t i = 0; i < graph->n_outputs; i++)
        model->symbolic[graph->outputs[i]].shape.dim[0] = -1;
    return ENG_OK;
}

enum eng_status eng_model_find_batch(struct eng_model *model, int wanted, struct eng_error *err)
{
    bool takes;
    struct eng_error why = {0};
    size_t most = MAX_PLANNED / (model->graph.n_nodes + model->graph.n_values + 1);
    if ((size_t)wanted > most) wanted = most > 1 ? (int)most : 1;
    enum eng_status status = takes_batches(model, wanted, &takes, &why);
    if (status == ENG_OK && !takes) {
        size_t n_found;
        status = eng_batch_follow(&model->graph, &n_found, err);
        if (status != ENG_OK) return status;
        model->follows_batch = n_found > 0;
        if (n_found > 0) {
            why = (struct eng_error){0};
            status = takes_batches(model, wanted, &takes, &why);
        }
    }
    if (status != ENG_OK) return eng_fail(err, status, "%s", why.text);
    if (!takes) return settle_for_one(model, wanted, &why, err);
    model->override_batch = true;
    model->n_plans = model->max_batch = wanted;
    return ENG_OK;
}
