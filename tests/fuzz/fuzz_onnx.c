/*
 * Any bytes are a model or an error sentence. What reads can be written, and reads and writes back
 * the same. What opens, and is small enough for a fuzzer, runs: alone, in batches and backwards.
 */
#include "engine/model.h"
#include "engine/session.h"

#include "graph/exec.h"
#include "graph/place.h"
#include "graph/plan.h"
#include "model/convert.h"
#include "model/model_internal.h"
#include "onnx/onnx.h"
#include "onnx_mutator.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 8, MAX_ARENA_BYTES = 4 << 20 };

static const double MAX_WORK = 1e6;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n_bytes, size_t max_bytes, unsigned seed);

/* Three of four times by structure, else by bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n_bytes, size_t max_bytes, unsigned seed)
{
    size_t n = seed % 4 ? mutate_model(data, n_bytes, max_bytes, seed) : 0;
    return n ? n : LLVMFuzzerMutate(data, n_bytes, max_bytes);
}

static void require(int condition)
{
    if (!condition) abort();
}

static void require_sentence(enum eng_status status, const struct eng_error *err)
{
    require(status == err->status);
    require((status == ENG_OK) == (err->text[0] == '\0'));
}

static void write_and_read_back(const struct onnx_model *model)
{
    uint8_t *first, *second;
    size_t n_first, n_second;
    struct onnx_model back;
    require(onnx_model_write(model, &first, &n_first, NULL) == ENG_OK);
    require(onnx_model_read(first, n_first, &back, NULL) == ENG_OK);
    require(onnx_model_write(&back, &second, &n_second, NULL) == ENG_OK);
    require(n_first == n_second && memcmp(first, second, n_first) == 0);
    onnx_model_fini(&back);
    free(first);
    free(second);
}

/* Attributes that are refused later (graphs and the like) are read, but not written. */
static int has_other_attributes(const struct onnx_model *model)
{
    for (size_t i = 0; i < model->n_nodes; i++)
        for (size_t k = 0; k < model->nodes[i].n_attrs; k++)
            if (model->nodes[i].attrs[k].type == ENG_ATTR_OTHER) return 1;
    return 0;
}

/* Numbers that kernels may trip over, in the width of the element type; little endian. */
static void fill_element(enum eng_dtype dtype, size_t i, void *at)
{
    static const double reals[] = {-3, 0, 1e9, 0.5, (double)NAN, -1e300, 2, (double)INFINITY, -0.5};
    static const int64_t integers[] = {1, 0, -1, 2, INT64_MIN, 5, INT64_MAX, -7, 1 << 20};
    double real = reals[i % (sizeof reals / sizeof *reals)];
    int64_t integer = integers[i % (sizeof integers / sizeof *integers)];
    float single = (float)fmax(-1e30, fmin(real, 1e30));
    if (isnan(real)) single = NAN;
    if (dtype == ENG_BOOL) integer &= 1;
    const void *from = dtype == ENG_FLOAT32   ? (const void *)&single
                       : dtype == ENG_FLOAT64 ? (const void *)&real
                                              : (const void *)&integer;
    memcpy(at, from, eng_dtype_bytes(dtype));
}

static void fill(const struct eng_tensor *tensor, bool with_zeros)
{
    size_t n_bytes = (size_t)eng_tensor_bytes(tensor), n_each = eng_dtype_bytes(tensor->dtype);
    if (with_zeros) memset(tensor->data, 0, n_bytes);
    for (size_t i = 0; !with_zeros && i < n_bytes / n_each; i++)
        fill_element(tensor->dtype, i, (char *)tensor->data + i * n_each);
}

/* One sample of an input. */
static void make_input(struct eng_tensor *tensor, bool with_zeros)
{
    for (int d = 0; d < tensor->shape.rank; d++)
        if (tensor->shape.dim[d] < 0) tensor->shape.dim[d] = 1;
    size_t n_bytes = (size_t)eng_tensor_bytes(tensor);
    tensor->data = malloc(n_bytes ? n_bytes : 1);
    require(tensor->data != NULL);
    fill(tensor, with_zeros);
}

static void run_raw(const struct eng_model *model, struct eng_session *session, bool with_zeros)
{
    struct eng_tensor inputs[MAX_VALUES], outputs[MAX_VALUES];
    size_t n_in = eng_model_n_inputs(model), n_out = eng_model_n_outputs(model);
    const char *name;
    for (size_t i = 0; i < n_in; i++) {
        inputs[i] = eng_model_input(model, i, &name);
        make_input(&inputs[i], with_zeros);
    }
    require(eng_session_run(session, inputs, n_in, outputs, n_out, NULL) == ENG_OK);
    for (size_t i = 0; i < n_in; i++)
        free(inputs[i].data);
    for (size_t i = 0; i < n_out; i++)
        require(eng_tensor_bytes(&outputs[i]) >= 0);
}

static void run(const struct eng_model *model)
{
    struct eng_session *session;
    if (eng_model_n_inputs(model) > MAX_VALUES || eng_model_n_outputs(model) > MAX_VALUES) return;
    require(eng_session_create(model, NULL, &session, NULL) == ENG_OK);
    run_raw(model, session, true);
    run_raw(model, session, false);
    const struct eng_card *card = eng_model_card(model);
    int n = eng_model_max_batch(model);
    if (card->takes_images) {
        for (int i = 0; i < n; i++)
            memset(eng_session_sample(session, n, i), 0,
                   eng_preprocess_count(&card->preprocess) * sizeof(float));
        require(eng_session_classify(session, n) != NULL);
    }
    enum eng_status golden = eng_session_check_golden(session, NULL);
    require(golden == ENG_OK || golden == ENG_MISMATCH);
    eng_session_destroy(session);
}

static bool is_small(size_t arena_bytes, double work)
{
    return arena_bytes <= MAX_ARENA_BYTES && work <= MAX_WORK;
}

/* Opens for batches of up to max_batch; runs what is small. */
static bool open_and_run(const uint8_t *data, size_t n_bytes, int max_batch)
{
    const struct eng_model_options options = {.max_batch = max_batch};
    struct eng_model *model;
    struct eng_error err = {0};
    enum eng_status status = eng_model_open_bytes(data, n_bytes, &options, &model, &err);
    require_sentence(status, &err);
    if (status != ENG_OK) return false;
    bool small = is_small(model->arena_bytes, model->plans[model->n_plans - 1]->work);
    if (small) run(model);
    eng_model_destroy(model);
    return small;
}

/* ---- gradients ---- */

static void run_backward(const struct eng_graph *graph, const struct eng_plan *plan)
{
    struct eng_exec *exec;
    require(eng_exec_create(graph, plan->arena_bytes, NULL, &exec, NULL) == ENG_OK);
    float **grads = calloc(graph->n_values + 1, sizeof *grads);
    require(grads != NULL);
    eng_exec_bind(exec, plan);
    for (size_t i = 0; i < graph->n_inputs; i++)
        fill(eng_exec_value(exec, graph->inputs[i]), false);
    for (size_t v = 0; v < graph->n_values; v++) {
        if (!graph->values[v].trainable) continue;
        grads[v] = calloc((size_t)eng_tensor_bytes(&graph->values[v].tensor) + 1, 1);
        require(grads[v] != NULL);
    }
    eng_exec_bind_grads(exec, grads);
    eng_exec_forward(exec, 1);
    int answer = graph->outputs[0];
    if (plan->grad_offset[answer] != ENG_NO_PLACE) {
        float *seed = eng_exec_seed_grad(exec, answer);
        if (eng_tensor_bytes(&plan->tensors[answer]) > 0) seed[0] = 1;
        eng_exec_backward(exec);
    }
    eng_exec_commit(&exec, 1);
    for (size_t v = 0; v < graph->n_values; v++)
        free(grads[v]);
    free(grads);
    eng_exec_destroy(exec);
}

/* As fine-tuning does. */
static void train(const struct onnx_model *onnx)
{
    struct eng_graph graph;
    struct eng_plan *plan;
    eng_graph_init(&graph);
    if (eng_convert_import(onnx, &graph, NULL) == ENG_OK) {
        eng_graph_mark_trainable(&graph);
        if (eng_plan_create(&graph, ENG_PLAN_TRAINING, 2, false, &plan, NULL) == ENG_OK) {
            if (is_small(plan->arena_bytes, plan->work)) run_backward(&graph, plan);
            eng_plan_destroy(plan);
        }
    }
    eng_graph_fini(&graph);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct onnx_model onnx;
    struct eng_error err = {0};
    enum eng_status status = onnx_model_read(data, n_bytes, &onnx, &err);
    require_sentence(status, &err);
    if (status != ENG_OK) return 0;
    if (!has_other_attributes(&onnx)) write_and_read_back(&onnx);
    if (open_and_run(data, n_bytes, 1)) {
        open_and_run(data, n_bytes, 3);
        train(&onnx);
    }
    onnx_model_fini(&onnx);
    return 0;
}
