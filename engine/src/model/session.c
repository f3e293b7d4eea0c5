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
    float *probabilities; /* [max_batch, n_classes]; NULL unless softmax is added */
};

enum eng_status eng_session_create(const struct eng_model *model, struct eng_pool *pool,
                                   struct eng_session **out, struct eng_error *err)
{
    struct eng_session *session = eng_calloc(1, sizeof *session);
    if (!session) return eng_fail_memory(err, "a session");
    session->model = model;
    enum eng_status status =
        eng_exec_create(&model->graph, model->arena_bytes, pool, &session->exec, err);
    if (status == ENG_OK && model->source.card.add_softmax) {
        size_t n = (size_t)model->max_batch * model->source.card.n_classes;
        session->probabilities = eng_calloc(n, sizeof *session->probabilities);
        if (!session->probabilities) status = eng_fail_memory(err, "a session");
    }
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
    free(session->probabilities);
    free(session);
}

size_t eng_session_arena_bytes(const struct eng_session *session)
{
    return session->model->arena_bytes;
}

static void bind(struct eng_session *session, int n)
{
    assert(n >= 1 && n <= session->model->max_batch);
    eng_exec_bind(session->exec, session->model->plans[n - 1]);
}

float *eng_session_sample(struct eng_session *session, int n, int i)
{
    assert(session->model->sample_count > 0 && i >= 0 && i < n);
    bind(session, n);
    float *input = eng_exec_value(session->exec, session->model->graph.inputs[0])->data;
    return input + (size_t)i * session->model->sample_count;
}

const float *eng_session_classify(struct eng_session *session, int n)
{
    const struct eng_model *model = session->model;
    bind(session, n);
    eng_exec_forward(session->exec, 0);
    const float *scores = eng_exec_value(session->exec, model->answer)->data;
    if (!session->probabilities) return scores;
    struct eng_softmax rows = {.outer = (size_t)n, .n = model->source.card.n_classes, .inner = 1};
    eng_softmax_forward(&rows, scores, session->probabilities);
    return session->probabilities;
}

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

static enum eng_status copy_input(const struct eng_session *session, size_t i,
                                  const struct eng_tensor *input, struct eng_error *err)
{
    int value = session->model->graph.inputs[i];
    const struct eng_tensor *wanted = eng_exec_value(session->exec, value);
    if (input->dtype != wanted->dtype || !eng_shape_equal(&input->shape, &wanted->shape)) {
        char found_text[96], wanted_text[96];
        return eng_fail(err, ENG_ARGUMENT, "input '%s' is %s %s, wanted %s %s",
                        session->model->graph.values[value].name, eng_dtype_name(input->dtype),
                        eng_shape_format(&input->shape, found_text, sizeof found_text),
                        eng_dtype_name(wanted->dtype),
                        eng_shape_format(&wanted->shape, wanted_text, sizeof wanted_text));
    }
    memcpy(wanted->data, input->data, (size_t)eng_tensor_bytes(input));
    return ENG_OK;
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
    if (status != ENG_OK) return status;
    bind(session, batch);
    for (size_t i = 0; i < n_inputs; i++) {
        status = copy_input(session, i, &inputs[i], err);
        if (status != ENG_OK) return status;
    }
    eng_exec_forward(session->exec, 0);
    for (size_t i = 0; i < n_outputs; i++)
        outputs[i] = *eng_exec_value(session->exec, graph->outputs[i]);
    return ENG_OK;
}

enum eng_status eng_session_check_golden(struct eng_session *session, struct eng_error *err)
{
    static const float TOLERANCE = 1e-4f;
    const struct eng_card_source *source = &session->model->source;
    for (size_t g = 0; g < source->card.n_golden; g++) {
        eng_preprocess_bytes(&source->card.preprocess, source->golden[g].pixels,
                             eng_session_sample(session, 1, 0));
        const float *found = eng_session_classify(session, 1);
        for (size_t c = 0; c < source->card.n_classes; c++)
            if (!(fabsf(found[c] - source->golden[g].probabilities[c]) <= TOLERANCE))
                return eng_fail(err, ENG_MISMATCH,
                                "golden sample %zu: class '%s' has probability %.6f, wanted %.6f",
                                g, source->card.labels[c], (double)found[c],
                                (double)source->golden[g].probabilities[c]);
    }
    return ENG_OK;
}
