/* A network of what answers are computed with: convolutions of every kind, pooling, squeeze and
 * excitation, then a block of a transformer. */
#ifndef TEST_SUPPORT_NET_ATTENTION_H
#define TEST_SUPPORT_NET_ATTENTION_H

#include "net_pictures.h"

enum { NET_TOKENS = 25, NET_WIDTH = 48, NET_HEADS = 4, NET_CLASSES = 10 };

/* [N, 3, 36, 36] -> [N, 48, 5, 5] */
static inline int net_attention_pictures(struct net *net, int x)
{
    x = net_simple(net, "Relu", "r0",
                   net_norm(net, "n0", net_conv(net, "stem", x, 3, 64, 3, 2, 1), 64), -1);
    int skip = x;
    x = net_simple(net, "Relu", "r1", net_conv(net, "c1", x, 64, 64, 3, 1, 1), -1);
    x = net_simple(net, "Add", "s1", net_conv(net, "c2", x, 64, 64, 3, 1, 1), skip);
    x = net_simple(net, "HardSwish", "r2", net_conv(net, "c3", x, 64, 96, 1, 1, 1), -1);
    x = net_simple(net, "Relu", "r3", net_conv(net, "c4", x, 96, 96, 3, 1, 96), -1);
    int squeeze = net_simple(net, "GlobalAveragePool", "gap", x, -1);
    squeeze = net_simple(net, "Relu", "r4", net_conv(net, "c5", squeeze, 96, 24, 1, 1, 1), -1);
    squeeze = net_simple(net, "Sigmoid", "gate", net_conv(net, "c6", squeeze, 24, 96, 1, 1, 1), -1);
    x = net_conv(net, "c7", net_simple(net, "Mul", "excite", x, squeeze), 96, 48, 1, 1, 1);
    x = net_simple(net, "Relu", "r5", net_conv(net, "c8", x, 48, 48, 3, 2, 4), -1);
    return net_pool(net, "MaxPool", "max", x, false);
}

static inline int net_reshape(struct net *net, const char *name, int x, const int64_t *dims,
                              int64_t n)
{
    char shape_name[64];
    snprintf(shape_name, sizeof shape_name, "%s.shape", name);
    int shape = net_constant(net, shape_name, ENG_INT64, NET_SHAPE(n), dims);
    return net_simple(net, "Reshape", name, x, shape);
}

/* x W + b for rows of any number of dimensions. */
static inline int net_rows(struct net *net, const char *name, int x, int64_t in, int64_t out)
{
    char names[3][64];
    static const char *const parts[] = {"w", "b", "product"};
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%s.%s", name, parts[i]);
    float scale = 1.5f / sqrtf((float)in);
    int w = net_weight(net, names[0], NET_SHAPE(in, out), -scale, scale);
    int b = net_weight(net, names[1], NET_SHAPE(out), -0.1f, 0.1f);
    return net_simple(net, "Add", name, net_simple(net, "MatMul", names[2], x, w), b);
}

static inline int net_layer_norm(struct net *net, const char *name, int x)
{
    char names[2][64];
    snprintf(names[0], sizeof names[0], "%s.scale", name);
    snprintf(names[1], sizeof names[1], "%s.shift", name);
    int in[3] = {x, net_weight(net, names[0], NET_SHAPE(NET_WIDTH), 0.5f, 1.5f),
                 net_weight(net, names[1], NET_SHAPE(NET_WIDTH), -0.2f, 0.2f)};
    return net_node(net, "LayerNormalization", name, in, 3, NULL, 0);
}

/* Rows of tokens as heads: [N, heads, tokens, width / heads], or its last two turned. */
static inline int net_heads(struct net *net, const char *name, int x, bool turned)
{
    static const int64_t dims[4] = {0, NET_TOKENS, NET_HEADS, NET_WIDTH / NET_HEADS};
    static const int64_t plain[4] = {0, 2, 1, 3}, other[4] = {0, 2, 3, 1};
    char split[64];
    snprintf(split, sizeof split, "%s.split", name);
    return net_transpose(net, name, net_reshape(net, split, x, dims, 4), turned ? other : plain);
}

static inline int net_attend(struct net *net, int x)
{
    static const int64_t back[4] = {0, 2, 1, 3}, rows[3] = {0, NET_TOKENS, NET_WIDTH};
    int normal = net_layer_norm(net, "ln1", x);
    int q = net_heads(net, "q", net_rows(net, "wq", normal, NET_WIDTH, NET_WIDTH), false);
    int k = net_heads(net, "k", net_rows(net, "wk", normal, NET_WIDTH, NET_WIDTH), true);
    int v = net_heads(net, "v", net_rows(net, "wv", normal, NET_WIDTH, NET_WIDTH), false);
    int factor = net_weight(net, "factor", (struct eng_shape){0}, 0.28f, 0.29f);
    int scores = net_simple(net, "Mul", "scaled", net_simple(net, "MatMul", "qk", q, k), factor);
    int mixed =
        net_simple(net, "MatMul", "mixed", net_simple(net, "Softmax", "soft", scores, -1), v);
    mixed = net_reshape(net, "joined", net_transpose(net, "back", mixed, back), rows, 3);
    return net_simple(net, "Add", "attended", x, net_rows(net, "wo", mixed, NET_WIDTH, NET_WIDTH));
}

/* x + W2 gelu(W1 norm(x)), gelu spelt out as exporters do. */
static inline int net_feed_forward(struct net *net, int x)
{
    int hidden = net_rows(net, "w1", net_layer_norm(net, "ln2", x), NET_WIDTH, 2 * NET_WIDTH);
    int root = net_weight(net, "root", (struct eng_shape){0}, 1.41421356f, 1.41421356f);
    int one = net_weight(net, "one", (struct eng_shape){0}, 1, 1);
    int half = net_weight(net, "half", (struct eng_shape){0}, 0.5f, 0.5f);
    int erf = net_simple(net, "Erf", "erf", net_simple(net, "Div", "over", hidden, root), -1);
    int gelu = net_simple(net, "Mul", "gelu", hidden, net_simple(net, "Add", "plus", erf, one));
    gelu = net_simple(net, "Mul", "halved", gelu, half);
    return net_simple(net, "Add", "fed", x, net_rows(net, "w2", gelu, 2 * NET_WIDTH, NET_WIDTH));
}

/* Output: probabilities of NET_CLASSES classes. */
static inline void net_attention(struct net *net)
{
    static const int64_t tokens[3] = {0, NET_WIDTH, NET_TOKENS}, turned[3] = {0, 2, 1},
                         mean[1] = {1};
    net_init(net, 21);
    int x = net_attention_pictures(net, net_input(net, "x", NET_SHAPE(-1, 3, 36, 36)));
    struct eng_attr perm = net_ints("perm", turned, 3);
    struct eng_attr over[2] = {net_ints("axes", mean, 1),
                               {.name = "keepdims", .type = ENG_ATTR_INT, .i = 0}};
    x = net_reshape(net, "flat", x, tokens, 3);
    x = net_node(net, "Transpose", "tokens", &x, 1, &perm, 1);
    x = net_feed_forward(net, net_attend(net, x));
    x = net_node(net, "ReduceMean", "mean", &x, 1, over, 2);
    x = net_rows(net, "head", x, NET_WIDTH, NET_CLASSES);
    net_output(net, net_simple(net, "Softmax", "probabilities", x, -1));
}

#endif
