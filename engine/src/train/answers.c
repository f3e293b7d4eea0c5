#include "train/answers.h"

#include "base/error.h"
#include "base/mem.h"
#include "engine/model.h"
#include "engine/session.h"

#include <stdlib.h>

enum { BATCH = 32 };

struct asking {
    const struct eng_data *data;
    struct eng_tensor input; /* of BATCH samples, without data */
    size_t n_shards;
    struct eng_session **sessions; /* [n_shards] */
    float *inputs;                 /* [n_shards, BATCH, count] */
    enum eng_status *statuses;     /* [n_shards] */
    struct eng_error *errors;      /* [n_shards] */
    struct eng_answer *answers;
};

static struct eng_answer read_answer(const float *probabilities, size_t n_classes, size_t label)
{
    size_t best = 0;
    for (size_t c = 1; c < n_classes; c++)
        if (probabilities[c] > probabilities[best]) best = c;
    return (struct eng_answer){(uint16_t)best, probabilities[best], probabilities[label]};
}

static enum eng_status ask_batch(const struct asking *a, size_t shard, size_t first, size_t n,
                                 struct eng_error *err)
{
    const struct eng_dataset *test = &a->data->test;
    size_t count = a->data->input.count, n_classes = a->data->n_classes;
    struct eng_tensor input = a->input, output;
    float *values = a->inputs + shard * BATCH * count;
    input.shape.dim[0] = (int64_t)n;
    input.data = values;
    for (size_t i = 0; i < n; i++)
        eng_input_fill(&a->data->input, test, first + i, NULL, NULL, NULL, values + i * count);
    enum eng_status status = eng_session_run(a->sessions[shard], &input, 1, &output, 1, err);
    if (status != ENG_OK) return status;
    if (eng_shape_count(&output.shape) != (int64_t)(n * n_classes))
        return eng_fail(err, ENG_MISMATCH,
                        "the model gives %lld values for %zu samples; wanted %zu",
                        (long long)eng_shape_count(&output.shape), n, n * n_classes);
    const float *rows = output.data;
    for (size_t i = 0; i < n; i++)
        a->answers[first + i] =
            read_answer(rows + i * n_classes, n_classes, test->labels[first + i]);
    return ENG_OK;
}

/* Shard s takes every n_shards-th batch. */
static void ask_shards(void *ctx, size_t begin, size_t end)
{
    const struct asking *a = ctx;
    size_t n = a->data->test.n;
    for (size_t s = begin; s < end; s++)
        for (size_t first = s * BATCH; first < n && a->statuses[s] == ENG_OK;
             first += a->n_shards * BATCH)
            a->statuses[s] =
                ask_batch(a, s, first, n - first < BATCH ? n - first : BATCH, &a->errors[s]);
}

static enum eng_status prepare(struct asking *a, const struct eng_model *model,
                               struct eng_error *err)
{
    size_t n_floats = a->n_shards * BATCH; /* both small */
    const char *name;
    a->sessions = eng_calloc(a->n_shards, sizeof *a->sessions);
    a->statuses = eng_calloc(a->n_shards, sizeof *a->statuses);
    a->errors = eng_calloc(a->n_shards, sizeof *a->errors);
    if (eng_mul_size(n_floats, a->data->input.count, &n_floats))
        a->inputs = eng_calloc(n_floats, sizeof *a->inputs);
    if (!a->sessions || !a->statuses || !a->errors || !a->inputs)
        return eng_fail_memory(err, "asking the model");
    a->input = eng_model_input(model, 0, &name);
    for (size_t s = 0; s < a->n_shards; s++) {
        enum eng_status status = eng_session_create(model, NULL, &a->sessions[s], err);
        if (status != ENG_OK) return status;
    }
    return ENG_OK;
}

static void finish(struct asking *a)
{
    for (size_t s = 0; a->sessions && s < a->n_shards; s++)
        eng_session_destroy(a->sessions[s]);
    free(a->sessions);
    free(a->statuses);
    free(a->errors);
    free(a->inputs);
}

enum eng_status eng_answers_ask(const void *file, size_t n_bytes, const struct eng_data *data,
                                size_t n_shards, struct eng_pool *pool, struct eng_answer *out,
                                struct eng_error *err)
{
    const struct eng_model_options options = {.max_batch = BATCH};
    struct asking asking = {.data = data, .n_shards = n_shards, .answers = out};
    struct eng_model *model = NULL;
    enum eng_status status = eng_model_open_bytes(file, n_bytes, &options, &model, err);
    if (status == ENG_OK) status = prepare(&asking, model, err);
    if (status == ENG_OK) eng_pool_for(pool, n_shards, 1, ask_shards, &asking);
    for (size_t s = 0; status == ENG_OK && s < n_shards; s++)
        if (asking.statuses[s] != ENG_OK)
            status = eng_fail(err, asking.statuses[s], "%s", asking.errors[s].text);
    finish(&asking);
    eng_model_destroy(model);
    return status;
}
