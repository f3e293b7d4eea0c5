/* Blocks of transformers and of ConvNeXt as exporters write them. */
#ifndef TEST_SUPPORT_NET_BLOCKS_H
#define TEST_SUPPORT_NET_BLOCKS_H

#include "net.h"

enum { BLOCK_CHANNELS = 24, BLOCK_HEADS = 3, BLOCK_TOKENS = 7 };

static inline int net_two(struct net *net, const char *op, const char *name, int a, int b)
{
    return net_node(net, op, name, (int[]){a, b}, 2, NULL, 0);
}

static inline int net_number(struct net *net, const char *name, float value)
{
    return net_constant(net, name, ENG_FLOAT32, (struct eng_shape){.rank = 0}, &value);
}

static inline int net_turn(struct net *net, const char *name, int x, const int64_t *perm, size_t n)
{
    struct eng_attr attr = net_ints("perm", perm, n);
    return net_node(net, "Transpose", name, &x, 1, &attr, 1);
}

static inline int net_layer_norm(struct net *net, const char *name, int x, int64_t n)
{
    char scale[64], bias[64];
    snprintf(scale, sizeof scale, "%s.scale", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    int in[3] = {x, net_weight(net, scale, NET_SHAPE(n), 0.5f, 1.5f),
                 net_weight(net, bias, NET_SHAPE(n), -0.5f, 0.5f)};
    return net_node(net, "LayerNormalization", name, in, 3, NULL, 0);
}

/* MatMul and Add. */
static inline int net_linear(struct net *net, const char *name, int x, int64_t in, int64_t out)
{
    char weight[64], product[64], bias[64];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(product, sizeof product, "%s.product", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    int y = net_two(net, "MatMul", product, x,
                    net_weight(net, weight, NET_SHAPE(in, out), -0.4f, 0.4f));
    return net_two(net, "Add", name, net_weight(net, bias, NET_SHAPE(out), -0.5f, 0.5f), y);
}

static inline int net_gelu(struct net *net, int x)
{
    int scaled = net_two(net, "Div", "gelu.scaled", x, net_number(net, "root2", 1.41421356f));
    int erf = net_node(net, "Erf", "gelu.erf", &scaled, 1, NULL, 0);
    int sum = net_two(net, "Add", "gelu.sum", erf, net_number(net, "one", 1));
    return net_two(net, "Mul", "gelu", net_two(net, "Mul", "gelu.product", x, sum),
                   net_number(net, "half", 0.5f));
}

static inline int net_feed_forward(struct net *net, int x)
{
    int inner = net_linear(net, "first", x, BLOCK_CHANNELS, 3 * BLOCK_CHANNELS);
    return net_linear(net, "second", net_gelu(net, inner), 3 * BLOCK_CHANNELS, BLOCK_CHANNELS);
}

/* x [N, 7, 24]: heads [.., 7, 8] out of part i of a projection. */
static inline int net_heads(struct net *net, const char *name, int parts, int64_t i)
{
    char index[64];
    snprintf(index, sizeof index, "%s.index", name);
    int at = net_constant(net, index, ENG_INT64, (struct eng_shape){.rank = 0}, &i);
    return net_two(net, "Gather", name, parts, at);
}

static inline void net_transformer(struct net *net)
{
    static const int64_t split[5] = {-1, BLOCK_TOKENS, 3, BLOCK_HEADS,
                                     BLOCK_CHANNELS / BLOCK_HEADS},
                         parts_first[5] = {2, 0, 3, 1, 4}, keys[4] = {0, 1, 3, 2},
                         tokens[4] = {0, 2, 1, 3}, joined[3] = {-1, BLOCK_TOKENS, BLOCK_CHANNELS};
    int x = net_input(net, "x", NET_SHAPE(-1, BLOCK_TOKENS, BLOCK_CHANNELS));
    int all = net_linear(net, "all", net_layer_norm(net, "norm1", x, BLOCK_CHANNELS),
                         BLOCK_CHANNELS, 3 * BLOCK_CHANNELS);
    int list = net_constant(net, "split", ENG_INT64, NET_SHAPE(5), split);
    int parts = net_turn(net, "parts", net_two(net, "Reshape", "cut", all, list), parts_first, 5);
    int q =
        net_two(net, "Mul", "q", net_heads(net, "q0", parts, 0), net_number(net, "scale", 0.35f));
    int k = net_turn(net, "k", net_heads(net, "k0", parts, 1), keys, 4);
    int scores = net_two(net, "MatMul", "scores", q, k);
    int p = net_node(net, "Softmax", "p", &scores, 1, NULL, 0);
    int y = net_two(net, "MatMul", "heads", p, net_heads(net, "v0", parts, 2));
    list = net_constant(net, "joined", ENG_INT64, NET_SHAPE(3), joined);
    y = net_two(net, "Reshape", "join", net_turn(net, "tokens", y, tokens, 4), list);
    y = net_two(net, "Add", "sum1", x, net_linear(net, "out", y, BLOCK_CHANNELS, BLOCK_CHANNELS));
    int z = net_feed_forward(net, net_layer_norm(net, "norm2", y, BLOCK_CHANNELS));
    net_output(net, net_two(net, "Add", "sum2", z, y));
}

/* x [N, 24, 6, 6]. */
static inline void net_convnext(struct net *net)
{
    static const int64_t last[4] = {0, 2, 3, 1}, first[4] = {0, 3, 1, 2}, pads[4] = {3, 3, 3, 3};
    struct eng_attr attrs[2] = {net_ints("pads", pads, 4),
                                {.name = "group", .type = ENG_ATTR_INT, .i = BLOCK_CHANNELS}};
    int input = net_input(net, "x", NET_SHAPE(-1, BLOCK_CHANNELS, 6, 6));
    int stem =
        net_weight(net, "stem.w", NET_SHAPE(BLOCK_CHANNELS, BLOCK_CHANNELS, 1, 1), -0.3f, 0.3f);
    int x = net_node(net, "Conv", "stem", (int[]){input, stem}, 2, NULL, 0);
    int w = net_weight(net, "w", NET_SHAPE(BLOCK_CHANNELS, 1, 7, 7), -0.2f, 0.2f);
    int y = net_node(net, "Conv", "conv", (int[]){x, w}, 2, attrs, 2);
    y = net_layer_norm(net, "norm", net_turn(net, "last", y, last, 4), BLOCK_CHANNELS);
    y = net_turn(net, "first_again", net_feed_forward(net, y), first, 4);
    int scale = net_weight(net, "layer_scale", NET_SHAPE(BLOCK_CHANNELS, 1, 1), 0.1f, 0.3f);
    y = net_two(net, "Add", "sum", net_two(net, "Mul", "scaled", scale, y), x);
    net_output(net, net_node(net, "GlobalAveragePool", "pooled", &y, 1, NULL, 0));
}

#endif
