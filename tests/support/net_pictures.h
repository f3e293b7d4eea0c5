/* A network that meets all that works with channels last, and what does not. */
#ifndef TEST_SUPPORT_NET_PICTURES_H
#define TEST_SUPPORT_NET_PICTURES_H

#include "graph/passes.h"
#include "net.h"

#include <math.h>

static inline int net_simple(struct net *net, const char *op, const char *name, int a, int b)
{
    int in[2] = {a, b};
    return net_node(net, op, name, in, b == ENG_NO_VALUE ? 1 : 2, NULL, 0);
}

/* kernel x kernel, same size or half of it. */
static inline int net_conv(struct net *net, const char *name, int x, int64_t in, int64_t out,
                           int64_t kernel, int64_t stride, int64_t group)
{
    char w_name[64], b_name[64];
    snprintf(w_name, sizeof w_name, "%s.w", name);
    snprintf(b_name, sizeof b_name, "%s.b", name);
    float scale = 1.0f / sqrtf((float)(in / group * kernel * kernel));
    int w = net_weight(net, w_name, NET_SHAPE(out, in / group, kernel, kernel), -scale, scale);
    int b = net_weight(net, b_name, NET_SHAPE(out), -0.1f, 0.1f);
    int64_t pad = kernel / 2, pads[4] = {pad, pad, pad, pad}, strides[2] = {stride, stride};
    struct eng_attr attrs[3] = {net_ints("pads", pads, 4),
                                net_ints("strides", strides, 2),
                                {.name = "group", .type = ENG_ATTR_INT, .i = group}};
    return net_node(net, "Conv", name, (int[]){x, w, b}, 3, attrs, 3);
}

static inline int net_norm(struct net *net, const char *name, int x, int64_t channels)
{
    char names[4][64];
    static const char *const parts[] = {"scale", "shift", "mean", "var"};
    int in[5] = {x};
    for (int i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "%s.%s", name, parts[i]);
        in[i + 1] = net_weight(net, names[i], NET_SHAPE(channels), i % 3 ? -0.2f : 0.5f,
                               i % 3 ? 0.2f : 1.5f);
    }
    return net_node(net, "BatchNormalization", name, in, 5, NULL, 0);
}

static inline int net_pool(struct net *net, const char *op, const char *name, int x, bool count)
{
    static const int64_t three[2] = {3, 3}, two[2] = {2, 2}, pads[4] = {1, 1, 1, 1};
    struct eng_attr attrs[5] = {net_ints("kernel_shape", three, 2),
                                net_ints("strides", two, 2),
                                net_ints("pads", pads, 4),
                                {.name = "ceil_mode", .type = ENG_ATTR_INT, .i = 1},
                                {.name = "count_include_pad", .type = ENG_ATTR_INT, .i = 1}};
    return net_node(net, op, name, &x, 1, attrs, count ? 5 : 4);
}

static inline int net_transpose(struct net *net, const char *name, int x, const int64_t *perm)
{
    struct eng_attr attr = net_ints("perm", perm, 4);
    return net_node(net, "Transpose", name, &x, 1, &attr, 1);
}

/* A picture's way through everything that works with channels last; 32 channels where x ends. */
static inline int net_pictures_body(struct net *net, int x)
{
    static const int64_t last[4] = {0, 2, 3, 1}, first[4] = {0, 3, 1, 2};
    x = net_simple(net, "Relu", "r0",
                   net_norm(net, "n0", net_conv(net, "stem", x, 3, 32, 5, 2, 1), 32), -1);
    x = net_pool(net, "MaxPool", "max", x, false);
    int skip = x;
    x = net_simple(net, "Relu", "r1", net_conv(net, "c1", x, 32, 32, 3, 1, 1), -1);
    x = net_simple(net, "Add", "s1", net_conv(net, "c2", x, 32, 32, 3, 1, 1), skip);
    x = net_simple(net, "Relu", "r2", x, -1);
    int a = net_conv(net, "c3", x, 32, 48, 1, 2, 1), b = net_conv(net, "c4", x, 32, 48, 3, 2, 4);
    x = net_simple(net, "HardSwish", "r3", net_simple(net, "Add", "s2", a, b), -1);
    int low = net_weight(net, "low", (struct eng_shape){0}, 0, 0);
    int high = net_weight(net, "high", (struct eng_shape){0}, 1, 1);
    int wide = net_conv(net, "c5", x, 48, 48, 3, 1, 48);
    x = net_node(net, "Clip", "clip", (int[]){wide, low, high}, 3, NULL, 0);
    int squeeze = net_simple(net, "GlobalAveragePool", "gap", x, -1);
    squeeze = net_simple(net, "Relu", "r4", net_conv(net, "c6", squeeze, 48, 16, 1, 1, 1), -1);
    squeeze =
        net_simple(net, "HardSigmoid", "gate", net_conv(net, "c7", squeeze, 16, 48, 1, 1, 1), -1);
    x = net_simple(net, "Mul", "excite", squeeze, x);
    x = net_simple(net, "Mul", "factor", x, net_weight(net, "k1", NET_SHAPE(48, 1, 1), 0.5f, 2));
    x = net_simple(net, "Sub", "less", net_weight(net, "k2", NET_SHAPE(1), 0.5f, 2), x);
    int joined[2] = {x, net_conv(net, "c8", x, 48, 16, 1, 1, 1)};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    x = net_node(net, "Concat", "joined", joined, 2, &axis, 1);
    x = net_simple(net, "Sigmoid", "r5", net_norm(net, "n1", x, 64), -1);
    x = net_pool(net, "AveragePool", "average", x, true);
    x = net_conv(net, "c9", x, 64, 32, 3, 1, 1);
    int turned = net_simple(net, "Softmax", "soft", net_transpose(net, "t1", x, last), -1);
    x = net_simple(net, "Add", "s3", x, net_transpose(net, "t2", turned, first));
    return net_conv(net, "c10", x, 32, 32, 1, 1, 1);
}

/* Outputs: scores, a picture within, and what nothing else can read with channels last. */
static inline void net_pictures(struct net *net)
{
    net_init(net, 11);
    int x = net_pictures_body(net, net_input(net, "x", NET_SHAPE(-1, 3, 31, 27)));
    struct eng_attr flat = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    int pooled = net_simple(net, "GlobalAveragePool", "end", x, -1);
    int scores = net_node(net, "Flatten", "scores", &pooled, 1, &flat, 1);
    net_output(net, scores);
    net_output(net, eng_graph_find(&net->graph, "s2"));
    net_output(net, net_simple(net, "Softmax", "columns", eng_graph_find(&net->graph, "r1"), -1));
    assert_int_equal(eng_passes_optimise(&net->graph, NULL), ENG_OK);
}

#endif
