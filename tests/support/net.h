/* Small networks for tests: a graph, values by name, weights from a seed. Every call asserts
 * success. */
#ifndef TEST_SUPPORT_NET_H
#define TEST_SUPPORT_NET_H

#include "base/rng.h"
#include "graph/graph.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { NET_OPSET = 17 };

struct net {
    struct eng_graph graph;
    struct eng_rng rng;
};

static inline void net_init(struct net *net, uint64_t seed)
{
    eng_graph_init(&net->graph);
    eng_rng_init(&net->rng, seed, 0);
}

static inline void net_fini(struct net *net)
{
    eng_graph_fini(&net->graph);
}

static inline int net_input(struct net *net, const char *name, struct eng_shape shape)
{
    int value;
    struct eng_error err = {0};
    if (eng_graph_add_input(&net->graph, name, ENG_FLOAT32, &shape, &value, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return value;
}

static inline int net_constant(struct net *net, const char *name, enum eng_dtype dtype,
                               struct eng_shape shape, const void *data)
{
    int value;
    struct eng_error err = {0};
    struct eng_tensor tensor = {.dtype = dtype, .shape = shape, .data = (void *)(uintptr_t)data};
    if (eng_graph_add_constant(&net->graph, name, &tensor, &value, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return value;
}

/* A float constant, uniform in [low, high). */
static inline int net_weight(struct net *net, const char *name, struct eng_shape shape, float low,
                             float high)
{
    size_t n = (size_t)eng_shape_count(&shape);
    float *data = malloc((n + 1) * sizeof *data);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++)
        data[i] = low + (high - low) * eng_rng_float(&net->rng);
    int value = net_constant(net, name, ENG_FLOAT32, shape, data);
    free(data);
    return value;
}

/* A node with one output, called `name` like the node. in: n_in values. */
static inline int net_node(struct net *net, const char *op_type, const char *name, const int *in,
                           size_t n_in, const struct eng_attr *attrs, size_t n_attrs)
{
    struct eng_error err = {0};
    if (eng_graph_add_node(&net->graph, name, "", op_type, NET_OPSET, attrs, n_attrs, in, n_in,
                           &name, 1, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return net->graph.nodes[net->graph.n_nodes - 1].out[0];
}

static inline void net_output(struct net *net, int value)
{
    assert_int_equal(eng_graph_add_output(&net->graph, value, NULL), ENG_OK);
}

static inline struct eng_attr net_ints(const char *name, const int64_t *values, size_t n)
{
    return (struct eng_attr){.name = name, .type = ENG_ATTR_INTS, .ints = values, .n = n};
}

#define NET_SHAPE(...)                                                                            \
    (struct eng_shape)                                                                            \
    {                                                                                             \
        .rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), .dim = { __VA_ARGS__ } \
    }

/* x [N, 2, 8, 8] -> Conv(4, 3x3) -> BatchNormalization -> Relu -> MaxPool -> Conv -> + skip ->
 * Flatten
 * -> Gemm(3) -> Softmax. Covers views, in-place nodes, a skip connection and every pass. */
static inline void net_residual(struct net *net)
{
    static const int64_t pads[4] = {1, 1, 1, 1}, two[2] = {2, 2};
    struct eng_attr pad = net_ints("pads", pads, 4);
    struct eng_attr pool[2] = {net_ints("kernel_shape", two, 2), net_ints("strides", two, 2)};
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(net, "x", NET_SHAPE(-1, 2, 8, 8));
    int w1 = net_weight(net, "w1", NET_SHAPE(4, 2, 3, 3), -0.5f, 0.5f);
    int conv1 = net_node(net, "Conv", "conv1", (int[]){x, w1}, 2, &pad, 1);
    int scale = net_weight(net, "scale", NET_SHAPE(4), 0.5f, 1.5f);
    int shift = net_weight(net, "shift", NET_SHAPE(4), -0.5f, 0.5f);
    int mean = net_weight(net, "mean", NET_SHAPE(4), -0.2f, 0.2f);
    int var = net_weight(net, "var", NET_SHAPE(4), 0.5f, 1.5f);
    int norm = net_node(net, "BatchNormalization", "norm", (int[]){conv1, scale, shift, mean, var},
                        5, NULL, 0);
    int relu1 = net_node(net, "Relu", "relu1", &norm, 1, NULL, 0);
    int pooled = net_node(net, "MaxPool", "pooled", &relu1, 1, pool, 2);
    int w2 = net_weight(net, "w2", NET_SHAPE(4, 4, 3, 3), -0.3f, 0.3f);
    int b2 = net_weight(net, "b2", NET_SHAPE(4), -0.3f, 0.3f);
    int conv2 = net_node(net, "Conv", "conv2", (int[]){pooled, w2, b2}, 3, &pad, 1);
    int relu2 = net_node(net, "Relu", "relu2", &conv2, 1, NULL, 0);
    int sum = net_node(net, "Add", "sum", (int[]){relu2, pooled}, 2, NULL, 0);
    int same = net_node(net, "Identity", "same", &sum, 1, NULL, 0);
    int flat = net_node(net, "Flatten", "flat", &same, 1, NULL, 0);
    int w3 = net_weight(net, "w3", NET_SHAPE(3, 64), -0.2f, 0.2f);
    int b3 = net_weight(net, "b3", NET_SHAPE(3), -0.2f, 0.2f);
    int logits = net_node(net, "Gemm", "logits", (int[]){flat, w3, b3}, 3, &trans_b, 1);
    net_output(net, net_node(net, "Softmax", "probabilities", &logits, 1, NULL, 0));
}

#endif
