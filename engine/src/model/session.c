#include "engine/session.h"

#include "base/error.h"
#include "base/mem.h"
#include "graph/exec.h"
#include "kernels/softmax.h"
#include "model/model_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct eng_session {
    const struct eng_model *model;
    struct eng_exec *exec;
    size_t arena_bytes;
    /* NULL where the graph's own memory serves: */
    float *samples;       /* [max_batch, sample_count] as callers place them */
    float *scores;        /* [max_batch, n_answers] what the graph's output says */
    float *probabilities; /* [max_batch, n_answers] of scores that need a softmax */
    char *rows; /* each output of a raw run, [max_batch] rows, one output after the other */
};

static enum eng_dtype sample_type(const struct eng_model *model)
{
    return model->symbolic[model->graph.inputs[0]].dtype;
}

static enum eng_dtype answer_type(const struct eng_model *model)
{
    return model->symbolic[model->answer].dtype;
}

/* Bytes of one sample's part of an output, where samples run one by one. */
static size_t row_bytes(const struct eng_model *model, size_t output)
{
    return (size_t)eng_tensor_bytes(&model->plans[0]->tensors[model->graph.outputs[output]]);
}

/* Room for such rows of a whole batch, with the next output's aligned behind them. */
static size_t rows_bytes(const struct eng_model *model, size_t output)
{
    return eng_align_up(row_bytes(model, output) * (size_t)model->max_batch);
}

static enum eng_status create_buffers(struct eng_session *session, struct eng_error *err)
{
    const struct eng_model *model = session->model;
    bool classifies = model->sample_count > 0, one_by_one = eng_model_runs_one_by_one(model);
    size_t n = (size_t)model->max_batch, n_bytes = 0;
    if (classifies && (one_by_one || sample_type(model) != ENG_FLOAT32)) {
        session->samples = eng_calloc(n * model->sample_count, sizeof *session->samples);
        if (!session->samples) return eng_fail_memory(err, "a session's samples");
    }
    if (classifies && (one_by_one || answer_type(model) != ENG_FLOAT32)) {
        session->scores = eng_calloc(n * model->n_answers, sizeof *session->scores);
        if (!session->scores) return eng_fail_memory(err, "a session's scores");
    }
    if (classifies && model->source.card.add_softmax) {
        session->probabilities = eng_calloc(n * model->n_answers, sizeof *session->probabilities);
        if (!session->probabilities) return eng_fail_memory(err, "a session's probabilities");
    }
    bool raw = one_by_one && model->symbolic[model->graph.inputs[0]].shape.dim[0] == -1;
    for (size_t i = 0; raw && i < model->graph.n_outputs; i++)
        n_bytes += rows_bytes(model, i);
    if (raw) session->rows = eng_alloc_aligned(n_bytes);
    return raw && !session->rows ? eng_fail_memory(err, "a session's outputs") : ENG_OK;
}

enum eng_status eng_session_create(const struct eng_model *model, struct eng_pool *pool,
                                   struct eng_session **out, struct eng_error *err)
{
    struct eng_session *session = eng_calloc(1, sizeof *session);
    if (!session) return eng_fail_memory(err, "a session");
    session->model = model;
    session->arena_bytes = model->arena_bytes;
    enum eng_status status =
        eng_exec_create(model->plans[0]->graph, model->arena_bytes, pool, &session->exec, err);
    if (status == ENG_OK && model->has_apart)
        status = eng_exec_add_lanes(session->exec, model->plans[0], (size_t)model->max_batch,
                                    &session->arena_bytes, err);
    if (status == ENG_OK) status = create_buffers(session, err);
    if (status != ENG_OK) {
        eng_session_destroy(session);
        return status;
    }
    *out = session;
    return ENG_OK;
}

void eng_session_destroy(struct eng_session *session)
{
    if (!session) return;
    eng_exec_destroy(session->exec);
    free(session->samples);
    free(session->scores);
    free(session->probabilities);
    free(session->rows);
    free(session);
}

struct eng_exec *eng_session_exec(struct eng_session *session)
{
    return session->exec;
}

size_t eng_session_arena_bytes(const struct eng_session *session)
{
    return session->arena_bytes;
}

static void bind(struct eng_session *session, int n)
{
    assert(n >= 1 && n <= session->model->n_plans);
    eng_exec_bind(session->exec, session->model->plans[n - 1]);
}

/* ---- pictures and vectors ---- */

float *eng_session_sample(struct eng_session *session, int n, int i)
{
    const struct eng_model *model = session->model;
    assert(model->sample_count > 0 && i >= 0 && i < n && n <= model->max_batch);
    if (session->samples) return session->samples + (size_t)i * model->sample_count;
    bind(session, n);
    float *input = eng_exec_value(session->exec, model->graph.inputs[0])->data;
    return input + (size_t)i * model->sample_count;
}

/* Samples first .. first + n - 1 in one run of the graph. */
static void run_part(struct eng_session *session, int first, int n)
{
    const struct eng_model *model = session->model;
    bind(session, n);
    if (session->samples)
        eng_model_put_samples(eng_exec_value(session->exec, model->graph.inputs[0]), 0,
                              session->samples + (size_t)first * model->sample_count,
                              (size_t)n * model->sample_count);
    eng_exec_forward(session->exec, 0);
    if (session->scores)
        eng_model_get_answers(eng_exec_value(session->exec, model->answer), 0,
                              session->scores + (size_t)first * model->n_answers,
                              (size_t)n * model->n_answers);
}

const float *eng_session_classify(struct eng_session *session, int n)
{
    const struct eng_model *model = session->model;
    int step = eng_model_runs_one_by_one(model) ? 1 : n;
    assert(model->sample_count > 0 && n >= 1 && n <= model->max_batch);
    for (int first = 0; first < n; first += step)
        run_part(session, first, step);
    const float *scores = eng_session_scores(session);
    if (!session->probabilities) return scores;
    struct eng_softmax rows = {.outer = (size_t)n, .n = model->n_answers, .inner = 1};
    eng_softmax_forward(&rows, scores, session->probabilities);
    return session->probabilities;
}

const float *eng_session_scores(const struct eng_session *session)
{
    return session->scores ? session->scores
                           : eng_exec_value(session->exec, session->model->answer)->data;
}

/* ---- raw tensors ---- */

/* The batch of a raw run: what stands first in the first input whose first dimension is symbolic.
 */
static enum eng_status find_batch(const struct eng_model *model, const struct eng_tensor *inputs,
                                  int *batch, struct eng_error *err)
{
    *batch = 1;
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        const struct eng_shape *wanted = &model->symbolic[model->graph.inputs[i]].shape;
        if (wanted->rank == 0 || wanted->dim[0] != -1 || inputs[i].shape.rank == 0) continue;
        int64_t n = inputs[i].shape.dim[0];
        if (n < 1 || n > model->max_batch)
            return eng_fail(err, ENG_ARGUMENT, "the batch is %lld, wanted 1 to %d", (long long)n,
                            model->max_batch);
        *batch = (int)n;
        break;
    }
    return ENG_OK;
}

/* Input i of a batch must have the model's type and shape. */
static enum eng_status check_input(const struct eng_model *model, size_t i, int batch,
                                   const struct eng_tensor *input, struct eng_error *err)
{
    struct eng_tensor wanted = model->symbolic[model->graph.inputs[i]];
    if (wanted.shape.rank > 0 && wanted.shape.dim[0] == -1) wanted.shape.dim[0] = batch;
    if (input->dtype == wanted.dtype && eng_shape_equal(&input->shape, &wanted.shape))
        return ENG_OK;
    char found_text[96], wanted_text[96];
    return eng_fail(err, ENG_ARGUMENT, "input '%s' is %s %s, wanted %s %s",
                    model->graph.values[model->graph.inputs[i]].name, eng_dtype_name(input->dtype),
                    eng_shape_format(&input->shape, found_text, sizeof found_text),
                    eng_dtype_name(wanted.dtype),
                    eng_shape_format(&wanted.shape, wanted_text, sizeof wanted_text));
}

/* The `first`th part of input i, as large as a run of n samples takes. */
static void copy_input(const struct eng_session *session, const struct eng_tensor *input, size_t i,
                       int first)
{
    const struct eng_tensor *to = eng_exec_value(session->exec, session->model->graph.inputs[i]);
    size_t n_bytes = (size_t)eng_tensor_bytes(to);
    if (n_bytes > 0) memcpy(to->data, (const char *)input->data + (size_t)first * n_bytes, n_bytes);
}

/* Where they are, or copied. */
static void place_inputs(const struct eng_session *session, const struct eng_tensor *inputs)
{
    for (size_t i = 0; i < session->model->graph.n_inputs; i++)
        if (!eng_exec_borrow_input(session->exec, session->model->graph.inputs[i], inputs[i].data))
            copy_input(session, &inputs[i], i, 0);
}

static void run_rows(struct eng_session *session, int batch, const struct eng_tensor *inputs,
                     struct eng_tensor *outputs)
{
    const struct eng_graph *graph = &session->model->graph;
    bind(session, 1);
    char *data = session->rows;
    for (size_t i = 0; i < graph->n_outputs; i++) {
        outputs[i] = *eng_exec_value(session->exec, graph->outputs[i]);
        outputs[i].shape.dim[0] = batch;
        outputs[i].data = data;
        data += rows_bytes(session->model, i);
    }
    for (int row = 0; row < batch; row++) {
        for (size_t i = 0; i < graph->n_inputs; i++)
            copy_input(session, &inputs[i], i, row);
        eng_exec_forward(session->exec, 0);
        for (size_t i = 0; i < graph->n_outputs; i++) {
            size_t n_bytes = row_bytes(session->model, i);
            const void *from = eng_exec_value(session->exec, graph->outputs[i])->data;
            if (n_bytes > 0) memcpy((char *)outputs[i].data + (size_t)row * n_bytes, from, n_bytes);
        }
    }
}

enum eng_status eng_session_run(struct eng_session *session, const struct eng_tensor *inputs,
                                size_t n_inputs, struct eng_tensor *outputs, size_t n_outputs,
                                struct eng_error *err)
{
    const struct eng_graph *graph = &session->model->graph;
    if (n_inputs != graph->n_inputs || n_outputs != graph->n_outputs)
        return eng_fail(err, ENG_ARGUMENT,
                        "%zu inputs and %zu outputs are given, wanted %zu and %zu", n_inputs,
                        n_outputs, graph->n_inputs, graph->n_outputs);
    int batch;
    enum eng_status status = find_batch(session->model, inputs, &batch, err);
    for (size_t i = 0; status == ENG_OK && i < n_inputs; i++)
        status = check_input(session->model, i, batch, &inputs[i], err);
    if (status != ENG_OK) return status;
    if (session->rows) {
        run_rows(session, batch, inputs, outputs);
        return ENG_OK;
    }
    bind(session, batch);
    place_inputs(session, inputs);
    eng_exec_forward(session->exec, 0);
    eng_exec_return_inputs(session->exec);
    for (size_t i = 0; i < n_outputs; i++)
        outputs[i] = *eng_exec_value(session->exec, graph->outputs[i]);
    return ENG_OK;
}

enum eng_status eng_session_check_golden(struct eng_session *session, struct eng_error *err)
{
    bool is_bf16 = session->model->precision == ENG_PRECISION_BF16;
    const float tolerance = is_bf16 ? 0.1f : 1e-4f;
    const struct eng_card_source *source = &session->model->source;
    for (size_t g = 0; g < source->card.n_golden; g++) {
        eng_preprocess_bytes(&source->card.preprocess, source->golden[g].pixels,
                             eng_session_sample(session, 1, 0));
        const float *found = eng_session_classify(session, 1);
        for (size_t c = 0; c < source->card.n_classes; c++)
            if (!(fabsf(found[c] - source->golden[g].probabilities[c]) <= tolerance))
                return eng_fail(err, ENG_MISMATCH,
                                "golden sample %zu: class '%s' has probability %.6f, wanted %.6f",
                                g, source->card.labels[c], (double)found[c],
                                (double)source->golden[g].probabilities[c]);
    }
    return ENG_OK;
}
