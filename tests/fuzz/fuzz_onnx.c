/*
 * Any bytes are a model or an error sentence. What reads can be written, and reads and writes back
 * the same. What opens, and is small enough for a fuzzer, runs.
 */
#include "engine/model.h"
#include "engine/session.h"

#include "graph/plan.h"
#include "model/model_internal.h"
#include "onnx/onnx.h"
#include "onnx_mutator.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 8, MAX_ARENA_BYTES = 16 << 20 };

static const double MAX_FLOPS = 2e7;

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

/* Inputs of small whole numbers, which every element type holds. */
static void fill(struct eng_tensor *tensor)
{
    for (int d = 0; d < tensor->shape.rank; d++)
        if (tensor->shape.dim[d] < 0) tensor->shape.dim[d] = 1;
    size_t n_bytes = (size_t)eng_tensor_bytes(tensor);
    tensor->data = calloc(1, n_bytes ? n_bytes : 1);
    require(tensor->data != NULL);
    if (tensor->dtype != ENG_FLOAT32) return;
    float *values = tensor->data;
    for (size_t i = 0; i < n_bytes / sizeof *values; i++)
        values[i] = (float)(i % 7) - 3;
}

static void run(const struct eng_model *model)
{
    struct eng_tensor inputs[MAX_VALUES], outputs[MAX_VALUES];
    size_t n_in = eng_model_n_inputs(model), n_out = eng_model_n_outputs(model);
    const char *name;
    struct eng_session *session;
    if (n_in > MAX_VALUES || n_out > MAX_VALUES) return;
    require(eng_session_create(model, NULL, &session, NULL) == ENG_OK);
    for (size_t i = 0; i < n_in; i++) {
        inputs[i] = eng_model_input(model, i, &name);
        fill(&inputs[i]);
    }
    require(eng_session_run(session, inputs, n_in, outputs, n_out, NULL) == ENG_OK);
    for (size_t i = 0; i < n_in; i++)
        free(inputs[i].data);
    for (size_t i = 0; i < n_out; i++)
        require(eng_tensor_bytes(&outputs[i]) >= 0);
    const struct eng_card *card = eng_model_card(model);
    if (card->takes_images) {
        memset(eng_session_sample(session, 1, 0), 0,
               eng_preprocess_count(&card->preprocess) * sizeof(float));
        require(eng_session_classify(session, 1) != NULL);
    }
    enum eng_status golden = eng_session_check_golden(session, NULL);
    require(golden == ENG_OK || golden == ENG_MISMATCH);
    eng_session_destroy(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct onnx_model onnx;
    struct eng_model *model;
    struct eng_error err = {0};
    enum eng_status status = onnx_model_read(data, n_bytes, &onnx, &err);
    require_sentence(status, &err);
    if (status != ENG_OK) return 0;
    if (!has_other_attributes(&onnx)) write_and_read_back(&onnx);
    onnx_model_fini(&onnx);
    const struct eng_model_options options = {.max_batch = 1};
    status = eng_model_open_bytes(data, n_bytes, &options, &model, &err);
    require_sentence(status, &err);
    if (status != ENG_OK) return 0;
    if (model->arena_bytes <= MAX_ARENA_BYTES && model->plans[0]->flops <= MAX_FLOPS) run(model);
    eng_model_destroy(model);
    return 0;
}
