/* Made-up networks as loaded models, and pictures for them. Every call asserts success. */
#ifndef TEST_UNIT_EXPLAIN_MADE_MODEL_H
#define TEST_UNIT_EXPLAIN_MADE_MODEL_H

#include "engine/explain.h"
#include "net_file.h"

#include <math.h>

/* Ends the net. */
static inline struct eng_model *made_model(struct net *net)
{
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model;
    struct eng_error err = {0};
    net_to_bytes(net, NULL, 0, &bytes, &n_bytes);
    net_fini(net);
    if (eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    free(bytes);
    return model;
}

/* Uniform in -1 to 1. The caller frees it. */
static inline float *made_sample(const struct eng_model *model, uint64_t seed)
{
    size_t n = eng_preprocess_count(&eng_model_card(model)->preprocess);
    float *sample = malloc(n * sizeof *sample);
    struct eng_rng rng;
    eng_rng_init(&rng, seed, 0);
    assert_non_null(sample);
    for (size_t i = 0; i < n; i++)
        sample[i] = 2 * eng_rng_float(&rng) - 1;
    return sample;
}

static inline struct eng_explanation made_explanation(const struct eng_model *model,
                                                      const struct eng_explain_request *request)
{
    struct eng_explanation found;
    struct eng_error err = {0};
    if (eng_explain(model, request, &found, &err) != ENG_OK) fail_msg("%s", err.text);
    return found;
}

/* x [N, channels, 12, 10] -> Flatten -> Gemm(n_classes) -> Softmax. */
static inline struct eng_model *made_linear(int64_t channels, int64_t n_classes)
{
    struct net net;
    net_init(&net, 5);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(&net, "x", NET_SHAPE(-1, channels, 12, 10));
    int flat = net_node(&net, "Flatten", "flat", &x, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(n_classes, channels * 120), -1, 1);
    int b = net_weight(&net, "b", NET_SHAPE(n_classes), -1, 1);
    int logits = net_node(&net, "Gemm", "logits", (int[]){flat, w, b}, 3, &trans_b, 1);
    net_output(&net, net_node(&net, "Softmax", "probabilities", &logits, 1, NULL, 0));
    return made_model(&net);
}

#endif
