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

/*
 * x [N, 3, 12, 10] -> Dropout -> Conv -> BatchNormalization -> HardSwish -> MaxPool -> two
 * branches, Conv -> Sigmoid and Conv -> LeakyRelu -> Concat -> BatchNormalization -> Add the pooled
 * map -> Relu -> Dropout -> GlobalAveragePool -> Flatten -> Gemm(4) -> Softmax. Activations that
 * fuse, ones that do not, and a Dropout and a BatchNormalization that no pass takes away.
 */
static inline int made_norm(struct net *net, const char *name, int x, int64_t n)
{
    char text[4][32];
    int in[5] = {x};
    for (int k = 0; k < 4; k++) {
        snprintf(text[k], sizeof text[k], "%s.%d", name, k);
        in[k + 1] = net_weight(net, text[k], NET_SHAPE(n), k == 0 || k == 3 ? 0.5f : -0.5f,
                               k == 0 || k == 3 ? 1.5f : 0.5f);
    }
    return net_node(net, "BatchNormalization", name, in, 5, NULL, 0);
}

static inline int made_conv(struct net *net, const char *name, int x, int64_t in, int64_t out)
{
    static const int64_t pads[4] = {1, 1, 1, 1};
    struct eng_attr pad = net_ints("pads", pads, 4);
    char text[32];
    snprintf(text, sizeof text, "%s.w", name);
    int w = net_weight(net, text, NET_SHAPE(out, in, 3, 3), -0.5f, 0.5f);
    return net_node(net, "Conv", name, (int[]){x, w}, 2, &pad, 1);
}

static inline struct eng_model *made_branches(void)
{
    static const int64_t two[2] = {2, 2};
    struct net net;
    net_init(&net, 21);
    struct eng_attr pool[2] = {net_ints("kernel_shape", two, 2), net_ints("strides", two, 2)};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int dropped = net_node(&net, "Dropout", "dropped", &x, 1, NULL, 0);
    int first = made_norm(&net, "first.norm", made_conv(&net, "first", dropped, 3, 6), 6);
    int swish = net_node(&net, "HardSwish", "swish", &first, 1, NULL, 0);
    int pooled = net_node(&net, "MaxPool", "pooled", &swish, 1, pool, 2);
    int left = made_conv(&net, "left", pooled, 6, 4),
        right = made_conv(&net, "right", pooled, 6, 2);
    int sigmoid = net_node(&net, "Sigmoid", "sigmoid", &left, 1, NULL, 0);
    int leaky = net_node(&net, "LeakyRelu", "leaky", &right, 1, NULL, 0);
    int both = net_node(&net, "Concat", "both", (int[]){sigmoid, leaky}, 2, &axis, 1);
    int norm = made_norm(&net, "norm", both, 6);
    int sum = net_node(&net, "Add", "sum", (int[]){norm, pooled}, 2, NULL, 0);
    int relu = net_node(&net, "Relu", "relu", &sum, 1, NULL, 0);
    int again = net_node(&net, "Dropout", "again", &relu, 1, NULL, 0);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &again, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &mean, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(4, 6), -1, 1);
    int logits = net_node(&net, "Gemm", "logits", (int[]){flat, w}, 2, &trans_b, 1);
    net_output(&net, net_node(&net, "Softmax", "probabilities", &logits, 1, NULL, 0));
    return made_model(&net);
}

#endif
