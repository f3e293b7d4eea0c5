/* The method of nearest neighbours: the training set itself becomes the model. */
#include "base/error.h"
#include "base/mem.h"
#include "base/stopwatch.h"
#include "graph/exec.h"
#include "train/method.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 1, TEST_BATCH = 256 };

static enum eng_status check(const struct eng_method_run *run, size_t *n, struct eng_error *err)
{
    const struct eng_knn_options *options = &run->recipe->knn;
    const struct eng_dataset *train = &run->data->train;
    if (train->kind != ENG_DATASET_PICTURES)
        return eng_fail(err, ENG_FORMAT,
                        "%s: method knn compares the bytes of pictures; the data set holds vectors",
                        run->recipe->path);
    if ((uint64_t)options->samples > train->n)
        return eng_fail(err, ENG_FORMAT, "%s: knn.samples is %lld; the training set has %zu",
                        run->recipe->path, (long long)options->samples, train->n);
    *n = options->samples > 0 ? (size_t)options->samples : train->n;
    if ((uint64_t)options->k > *n)
        return eng_fail(err, ENG_FORMAT, "%s: knn.k is %lld; wanted at most the %zu samples kept",
                        run->recipe->path, (long long)options->k, *n);
    return ENG_OK;
}

/* As the input is laid out: [C, H, W]. */
static void copy_planes(const struct eng_dataset *set, size_t sample, uint8_t *dst)
{
    const uint8_t *pixels = eng_dataset_sample(set, sample);
    size_t n_pixels = (size_t)set->width_px * set->height_px;
    for (size_t c = 0; c < set->n_channels; c++)
        for (size_t i = 0; i < n_pixels; i++)
            *dst++ = pixels[i * set->n_channels + c];
}

/* The references and their labels become constants of the graph. */
static enum eng_status add_samples(const struct eng_method_run *run, const uint32_t *samples,
                                   size_t n, int in[2], struct eng_error *err)
{
    const struct eng_dataset *train = &run->data->train;
    size_t n_features = eng_dataset_sample_bytes(train);
    uint8_t *pixels = eng_calloc(n, n_features);
    int64_t *labels = eng_calloc(n, sizeof *labels);
    enum eng_status status = ENG_OK;
    if (!pixels || !labels) status = eng_fail_memory(err, "the references");
    for (size_t i = 0; status == ENG_OK && i < n; i++) {
        copy_planes(train, samples[i], pixels + i * n_features);
        labels[i] = train->labels[samples[i]];
    }
    const struct eng_tensor tensors[] = {
        {.dtype = ENG_UINT8,
         .shape = {.rank = 2, .dim = {(int64_t)n, (int64_t)n_features}},
         .data = pixels},
        {.dtype = ENG_INT64, .shape = {.rank = 1, .dim = {(int64_t)n}}, .data = labels},
    };
    if (status == ENG_OK)
        status = eng_graph_add_constant(run->graph, "references", &tensors[0], &in[0], err);
    if (status == ENG_OK)
        status = eng_graph_add_constant(run->graph, "labels", &tensors[1], &in[1], err);
    free(pixels);
    free(labels);
    return status;
}

static enum eng_status add_node(const struct eng_method_run *run, const int in[3],
                                struct eng_error *err)
{
    static const char *const out[] = {"probabilities"};
    const struct eng_knn_options *options = &run->recipe->knn;
    const struct eng_attr attrs[] = {
        {.name = "k", .type = ENG_ATTR_INT, .i = options->k},
        {.name = "distance",
         .type = ENG_ATTR_STRING,
         .s = eng_fields_find(eng_knn_fields, eng_n_knn_fields, "distance")
                  ->choices[options->distance]},
        {.name = "n_classes", .type = ENG_ATTR_INT, .i = (int64_t)run->data->n_classes},
    };
    enum eng_status status =
        eng_graph_add_node(run->graph, "knearest1", "classifyd", "KNearest", OPSET, attrs,
                           sizeof attrs / sizeof *attrs, in, 3, out, 1, err);
    if (status != ENG_OK) return status;
    return eng_graph_add_output(run->graph, eng_graph_find(run->graph, out[0]), err);
}

static enum eng_status build(const struct eng_method_run *run, struct eng_error *err)
{
    const char *name = run->recipe->name;
    int input, in[3];
    size_t n = 0;
    struct eng_shape shape;
    enum eng_status status = check(run, &n, err);
    if (status != ENG_OK) return status;
    run->history->n_train = n;
    uint32_t *samples = eng_calloc(n, sizeof *samples);
    if (!samples) return eng_fail_memory(err, "the choice of samples");
    run->graph->name = eng_arena_string(&run->graph->arena, name, strlen(name));
    if (!run->graph->name) status = eng_fail_memory(err, "the graph's name");
    if (status == ENG_OK)
        status = eng_knn_choose(&run->data->train, (uint64_t)run->recipe->seed, n, samples, err);
    if (status == ENG_OK)
        status = eng_input_add_nodes(&run->data->input, run->graph, &input, &in[0], &shape, err);
    if (status == ENG_OK) status = add_samples(run, samples, n, &in[1], err);
    if (status == ENG_OK) status = add_node(run, in, err);
    free(samples);
    return status;
}

/* ---- the test set ---- */

struct test {
    const struct eng_method_run *run;
    struct eng_plan *plans[2]; /* of TEST_BATCH samples, and of what is left */
    struct eng_exec *exec;
    size_t n_correct;
};

static enum eng_status make_plans(struct test *test, size_t n, struct eng_error *err)
{
    const struct eng_graph *graph = test->run->graph;
    const size_t batches[] = {n < TEST_BATCH ? n : TEST_BATCH, n % TEST_BATCH};
    enum eng_status status = ENG_OK;
    for (size_t i = 0; i < 2 && batches[i] > 0 && status == ENG_OK; i++)
        status = eng_plan_create(graph, ENG_PLAN_INFERENCE, (int64_t)batches[i], false,
                                 &test->plans[i], err);
    if (status != ENG_OK) return status;
    size_t n_bytes = test->plans[0]->arena_bytes;
    if (test->plans[1] && test->plans[1]->arena_bytes > n_bytes)
        n_bytes = test->plans[1]->arena_bytes;
    return eng_exec_create(graph, n_bytes, test->run->options->pool, &test->exec, err);
}

static size_t count_correct(const float *shares, size_t n_classes, const uint16_t *labels, size_t n)
{
    size_t n_correct = 0;
    for (size_t i = 0; i < n; i++, shares += n_classes) {
        size_t best = 0;
        for (size_t c = 1; c < n_classes; c++)
            if (shares[c] > shares[best]) best = c;
        n_correct += best == labels[i];
    }
    return n_correct;
}

static void ask(struct test *test, size_t first, size_t n)
{
    const struct eng_data *data = test->run->data;
    const struct eng_graph *graph = test->run->graph;
    eng_exec_bind(test->exec, test->plans[n < TEST_BATCH]);
    float *input = eng_exec_value(test->exec, graph->inputs[0])->data;
    for (size_t i = 0; i < n; i++)
        eng_input_fill(&data->input, &data->test, first + i, NULL, NULL, NULL,
                       input + i * data->input.count);
    eng_exec_forward(test->exec, 0);
    test->n_correct += count_correct(eng_exec_value(test->exec, graph->outputs[0])->data,
                                     data->n_classes, data->test.labels + first, n);
}

static enum eng_status observe(const struct eng_method_run *run,
                               const struct eng_train_progress *at, struct eng_error *err)
{
    const struct eng_train_options *options = run->options;
    if (!options->observe || options->observe(options->observe_ctx, at)) return ENG_OK;
    return eng_fail(err, ENG_CANCELLED, "stopped after %zu test samples; nothing was written",
                    at->n_samples);
}

static enum eng_status ask_all(struct test *test, struct eng_train_progress *at,
                               struct eng_error *err)
{
    size_t n = test->run->data->test.n;
    double start_s = eng_stopwatch_s();
    for (size_t first = 0; first < n; first += TEST_BATCH) {
        ask(test, first, n - first < TEST_BATCH ? n - first : TEST_BATCH);
        double elapsed_s = eng_stopwatch_s() - start_s;
        at->step++;
        at->n_samples = first + TEST_BATCH < n ? first + TEST_BATCH : n;
        at->accuracy = (double)test->n_correct / (double)at->n_samples;
        at->samples_per_s = elapsed_s > 0 ? (double)at->n_samples / elapsed_s : 0;
        enum eng_status status = observe(test->run, at, err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

/* The one epoch of the history: nothing was fitted, so there is the test set's accuracy only. */
static enum eng_status evaluate(const struct eng_method_run *run, struct eng_error *err)
{
    struct test test = {.run = run};
    struct eng_train_epoch record = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    size_t n = run->data->test.n;
    struct eng_train_progress at = {
        .epoch = 1, .n_epochs = 1, .n_steps = (n + TEST_BATCH - 1) / TEST_BATCH, .loss = NAN};
    double start_s = eng_stopwatch_s();
    enum eng_status status = make_plans(&test, n, err);
    if (status == ENG_OK) status = ask_all(&test, &at, err);
    eng_exec_destroy(test.exec);
    for (size_t i = 0; i < 2; i++)
        eng_plan_destroy(test.plans[i]);
    if (status != ENG_OK) return status;
    record.test_accuracy = at.accuracy;
    record.seconds = eng_stopwatch_s() - start_s;
    run->history->kept_epoch = 1;
    at.done = &record;
    status = eng_history_add(run->history, &record, err);
    return status == ENG_OK ? observe(run, &at, err) : status;
}

static enum eng_status fit(struct eng_method_run *run, struct eng_error *err)
{
    run->history->seed = run->recipe->seed;
    run->history->n_test = run->data->test.n;
    enum eng_status status = build(run, err);
    return status == ENG_OK ? evaluate(run, err) : status;
}

static const char *const keys[] = {"knn", NULL};

const struct eng_method eng_method_knn = {.keys = keys, .raw_input = true, .fit = fit};
