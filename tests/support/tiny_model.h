/*
 * Models made for tests: pictures 3 wide, 1 high, grey; three classes with
 * probabilities = softmax(weight * pixels / 255 + bias). With weight 0 the answer is a constant, by
 * which a version can be told. And jobs that are waited for.
 */
#ifndef TESTS_TINY_MODEL_H
#define TESTS_TINY_MODEL_H

#include "base/clock.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "serve/served.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { TINY_CLASSES = 3 };

struct tiny_model {
    float weight;
    float bias[TINY_CLASSES];
    const char *golden; /* the recorded samples, JSON as in model/card.h; NULL: none */
};

/* Serialises; the caller frees *bytes. */
static inline void tiny_model_bytes(const struct tiny_model *tiny, uint8_t **bytes, size_t *n_bytes)
{
    float w[9] = {tiny->weight, 0, 0, 0, tiny->weight, 0, 0, 0, tiny->weight};
    float b[3] = {tiny->bias[0], tiny->bias[1], tiny->bias[2]};
    const char *flatten_in[] = {"pixels"}, *flatten_out[] = {"flat"};
    const char *gemm_in[] = {"flat", "w", "b"}, *gemm_out[] = {"scores"};
    const char *softmax_out[] = {"probabilities"};
    struct onnx_node nodes[] = {
        {.name = "flatten",
         .op_type = "Flatten",
         .domain = "",
         .inputs = flatten_in,
         .n_inputs = 1,
         .outputs = flatten_out,
         .n_outputs = 1},
        {.name = "gemm",
         .op_type = "Gemm",
         .domain = "",
         .inputs = gemm_in,
         .n_inputs = 3,
         .outputs = gemm_out,
         .n_outputs = 1},
        {.name = "softmax",
         .op_type = "Softmax",
         .domain = "",
         .inputs = gemm_out,
         .n_inputs = 1,
         .outputs = softmax_out,
         .n_outputs = 1},
    };
    struct onnx_named_tensor initializers[] = {
        {"w", {.dtype = ENG_FLOAT32, .shape = {2, {3, 3}}, .data = w}},
        {"b", {.dtype = ENG_FLOAT32, .shape = {1, {3}}, .data = b}},
    };
    struct onnx_value_info input = {"pixels", ENG_FLOAT32, {4, {-1, 1, 1, 3}}};
    struct onnx_value_info output = {"probabilities", ENG_FLOAT32, {2, {-1, 3}}};
    struct onnx_property card[] = {
        {"classifyd.golden", tiny->golden},
        {"classifyd.labels", "[\"a\", \"b\", \"c\"]"},
        {"classifyd.preprocess", "{\"color\": \"gray\", \"width\": 3, \"height\": 1}"}};
    struct onnx_opset opset = {"", 13};
    struct onnx_model model = {.ir_version = 8,
                               .producer_name = "test",
                               .producer_version = "",
                               .doc_string = "",
                               .graph_name = "tiny",
                               .opsets = &opset,
                               .n_opsets = 1,
                               .nodes = nodes,
                               .n_nodes = 3,
                               .initializers = initializers,
                               .n_initializers = 2,
                               .inputs = &input,
                               .n_inputs = 1,
                               .outputs = &output,
                               .n_outputs = 1};
    if (tiny->golden) {
        model.properties = card;
        model.n_properties = 3;
    }
    eng_arena_init(&model.arena);
    struct eng_error err = {0};
    if (onnx_model_write(&model, bytes, n_bytes, &err) != ENG_OK) fail_msg("%s", err.text);
    eng_arena_fini(&model.arena);
}

/* Writes FOLDER/model.onnx, the folder made as needed, the file replaced whole. */
static inline void tiny_model_write(const struct tiny_model *tiny, const char *folder)
{
    char path[1024];
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_error err = {0};
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    tiny_model_bytes(tiny, &bytes, &n_bytes);
    if (eng_file_make_dirs(folder, &err) != ENG_OK ||
        eng_file_write(path, bytes, n_bytes, &err) != ENG_OK)
        fail_msg("%s", err.text);
    free(bytes);
}

/* What the model answers to three pixels. */
static inline void tiny_model_answer(const struct tiny_model *tiny, const float *pixels, float *out)
{
    float sum = 0;
    for (int c = 0; c < TINY_CLASSES; c++)
        sum += out[c] = expf(tiny->weight * pixels[c] / 255 + tiny->bias[c]);
    for (int c = 0; c < TINY_CLASSES; c++)
        out[c] /= sum;
}

static inline bool tiny_model_agrees(const struct tiny_model *tiny, const float *pixels,
                                     const float *answer)
{
    float wanted[TINY_CLASSES];
    tiny_model_answer(tiny, pixels, wanted);
    for (int c = 0; c < TINY_CLASSES; c++)
        if (!(fabsf(wanted[c] - answer[c]) < 1e-5f)) return false;
    return true;
}

/* --- jobs that are waited for --- */

enum { TINY_MAX_SAMPLES = 96 };

struct tiny_job {
    struct srv_job job;
    struct srv_sample samples[TINY_MAX_SAMPLES];
    float pixels[TINY_MAX_SAMPLES][3];
    float answers[TINY_MAX_SAMPLES][TINY_CLASSES];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int n_done;
};

static inline void tiny_job_done(struct srv_job *job)
{
    struct tiny_job *own = job->ctx;
    pthread_mutex_lock(&own->lock);
    own->n_done++;
    pthread_cond_signal(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

/* n pictures whose pixels depend on seed. */
static inline void tiny_job_init(struct tiny_job *own, struct srv_served *served, size_t n,
                                 unsigned seed)
{
    memset(own, 0, sizeof *own);
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->changed, NULL);
    for (size_t i = 0; i < n; i++) {
        for (unsigned p = 0; p < 3; p++)
            own->pixels[i][p] = (float)((seed * 31 + (unsigned)i * 7 + p * 89) % 256);
        own->samples[i] = (struct srv_sample){
            .kind = SRV_SAMPLE_PIXELS, .data = own->pixels[i], .n_bytes = 3 * sizeof(float)};
    }
    own->job = (struct srv_job){.served = served,
                                .samples = own->samples,
                                .n_samples = n,
                                .probabilities = own->answers[0],
                                .done = tiny_job_done,
                                .ctx = own};
}

static inline void tiny_job_wait(struct tiny_job *own)
{
    pthread_mutex_lock(&own->lock);
    while (own->n_done == 0)
        pthread_cond_wait(&own->changed, &own->lock);
    pthread_mutex_unlock(&own->lock);
}

static inline void tiny_job_fini(struct tiny_job *own)
{
    pthread_mutex_lock(&own->lock); /* done has left it */
    pthread_mutex_unlock(&own->lock);
    pthread_cond_destroy(&own->changed);
    pthread_mutex_destroy(&own->lock);
}

/* Every picture of the job has the answer of this model. */
static inline bool tiny_job_agrees(const struct tiny_job *own, const struct tiny_model *tiny)
{
    for (size_t i = 0; i < own->job.n_samples; i++)
        if (!tiny_model_agrees(tiny, own->pixels[i], own->answers[i])) return false;
    return true;
}

#endif
