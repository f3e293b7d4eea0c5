/* A network that meets all that packed products take in, and what they leave. */
#ifndef TEST_SUPPORT_NET_PRODUCTS_H
#define TEST_SUPPORT_NET_PRODUCTS_H

#include "graph/passes.h"
#include "net.h"

enum { PRODUCTS_DEPTH = 70, PRODUCTS_TOKENS = 5 };

static inline int products_simple(struct net *net, const char *op, const char *name, int a, int b)
{
    int in[2] = {a, b};
    return net_node(net, op, name, in, b == ENG_NO_VALUE ? 1 : 2, NULL, 0);
}

static inline int products_row(struct net *net, const char *name, struct eng_shape shape)
{
    return net_weight(net, name, shape, 0.5f, 1.5f);
}

static inline int products_gemm(struct net *net, const char *name, const int *in, size_t n_in,
                                bool trans_a, bool trans_b, float alpha, float beta)
{
    struct eng_attr attrs[4] = {{.name = "transA", .type = ENG_ATTR_INT, .i = trans_a},
                                {.name = "transB", .type = ENG_ATTR_INT, .i = trans_b},
                                {.name = "alpha", .type = ENG_ATTR_FLOAT, .f = alpha},
                                {.name = "beta", .type = ENG_ATTR_FLOAT, .f = beta}};
    return net_node(net, "Gemm", name, in, n_in, attrs, 4);
}

/* Gemms: plain, with factors, what is added computed, transposed A, and a row that comes first. */
static inline void net_gemms(struct net *net)
{
    int x = net_input(net, "x", NET_SHAPE(-1, PRODUCTS_DEPTH));
    int w1 = net_weight(net, "w1", NET_SHAPE(40, PRODUCTS_DEPTH), -0.2f, 0.2f);
    int b1 = net_weight(net, "b1", NET_SHAPE(1, 40), -0.5f, 0.5f);
    int hidden = products_gemm(net, "hidden", (int[]){x, w1, b1}, 3, false, true, 1, 1);
    hidden = products_simple(net, "Relu", "relu", hidden, ENG_NO_VALUE);
    int w2 = net_weight(net, "w2", NET_SHAPE(40, 40), -0.2f, 0.2f);
    int b2 = net_weight(net, "b2", NET_SHAPE(1), -0.5f, 0.5f);
    int scaled = products_gemm(net, "scaled", (int[]){hidden, w2, b2}, 3, false, false, 0.75f, 2);
    int more = products_gemm(net, "more", (int[]){scaled, w2, hidden}, 3, false, false, 0.5f, 1);
    int halved = products_gemm(net, "halved", (int[]){more, w2, hidden}, 3, false, true, 1, 0.5f);
    int turned = products_simple(net, "Transpose", "turned", halved, ENG_NO_VALUE);
    int w3 = net_weight(net, "w3", NET_SHAPE(40, 11), -0.2f, 0.2f);
    int last = products_gemm(net, "last", (int[]){turned, w3}, 2, true, false, 1, 1);
    int one = products_row(net, "one", NET_SHAPE(11));
    net_output(net, products_simple(net, "Sub", "less", one, last));
}

/* MatMuls of tokens: chains of rows, a sum with what came before, with a later one, an output in
 * the middle, a value read twice, factors that are not moderate, and a row that is no row. */
static inline void net_tokens(struct net *net)
{
    int64_t n = 48;
    int x = net_input(net, "x", NET_SHAPE(-1, PRODUCTS_TOKENS, n));
    int w = net_weight(net, "w", NET_SHAPE(n, n), -0.2f, 0.2f);
    int v = products_simple(net, "MatMul", "chain", x, w);
    v = products_simple(net, "Mul", "by", v, products_row(net, "r1", NET_SHAPE(1, 1, n)));
    v = products_simple(net, "Add", "plus", products_row(net, "r2", NET_SHAPE(n)), v);
    v = products_simple(net, "Div", "over", v, products_row(net, "r3", NET_SHAPE(1)));
    v = products_simple(net, "Sub", "minus", v, products_row(net, "r4", NET_SHAPE(1, n)));
    v = products_simple(net, "Add", "skip", v, x);
    v = products_simple(net, "Relu", "relu", v, ENG_NO_VALUE);
    int a = products_simple(net, "MatMul", "a", v, w),
        b = products_simple(net, "MatMul", "b", v, w);
    int sum = products_simple(net, "Add", "sum", a, b);
    net_output(net, sum);
    int c = products_simple(net, "MatMul", "c", sum, w);
    net_output(net, c);
    c = products_simple(net, "Mul", "scaled", c, products_row(net, "r5", NET_SHAPE(n)));
    int d = products_simple(net, "MatMul", "d", c, w);
    d = products_simple(net, "Mul", "square", d, d);
    int large = net_weight(net, "large", NET_SHAPE(n), 1e8f, 2e8f);
    d = products_simple(net, "Mul", "enlarged", products_simple(net, "MatMul", "e", d, w), large);
    int column = products_row(net, "column", NET_SHAPE(PRODUCTS_TOKENS, 1));
    d = products_simple(net, "Add", "columns", products_simple(net, "MatMul", "f", d, w), column);
    net_output(net, d);
}

#endif
