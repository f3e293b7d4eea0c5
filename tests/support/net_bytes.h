/* Networks that quantise: QuantizeLinear and DequantizeLinear around operators, as exporters write
 * them. */
#ifndef TEST_SUPPORT_NET_BYTES_H
#define TEST_SUPPORT_NET_BYTES_H

#include "net.h"

/* How bytes stand for numbers. */
struct net_bytes {
    enum eng_dtype dtype; /* UINT8 or INT8 */
    float scale;
    int zero;
};

static inline const char *net_name(char buffer[64], const char *name, const char *what)
{
    snprintf(buffer, 64, "%.40s.%s", name, what);
    return buffer;
}

static inline int net_scalar(struct net *net, const char *name, const char *what,
                             enum eng_dtype dtype, const void *data)
{
    char text[64];
    return net_constant(net, net_name(text, name, what), dtype, (struct eng_shape){0}, data);
}

/* Scale and zero point as constants. */
static inline void net_scale(struct net *net, const char *name, struct net_bytes q, int out[2])
{
    uint8_t zero = (uint8_t)q.zero;
    out[0] = net_scalar(net, name, "scale", ENG_FLOAT32, &q.scale);
    out[1] = net_scalar(net, name, "zero", q.dtype, &zero);
}

static inline int net_quantise(struct net *net, const char *name, int x, struct net_bytes q)
{
    char text[64];
    int in[3] = {x};
    net_scale(net, net_name(text, name, "q"), q, in + 1);
    return net_node(net, "QuantizeLinear", text, in, 3, NULL, 0);
}

static inline int net_dequantise(struct net *net, const char *name, int x, struct net_bytes q)
{
    char text[64];
    int in[3] = {x};
    net_scale(net, net_name(text, name, "dq"), q, in + 1);
    return net_node(net, "DequantizeLinear", text, in, 3, NULL, 0);
}

/* Floats that have been bytes. */
static inline int net_rounded(struct net *net, const char *name, int x, struct net_bytes q)
{
    return net_dequantise(net, name, net_quantise(net, name, x, q), q);
}

/* Random integers, low .. high. */
static inline int net_integers(struct net *net, const char *name, enum eng_dtype dtype,
                               struct eng_shape shape, int low, int high)
{
    size_t n = (size_t)eng_shape_count(&shape);
    int32_t *words = calloc(n + 1, sizeof *words);
    assert_non_null(words);
    for (size_t i = 0; i < n; i++) {
        int value = low + (int)(eng_rng_float(&net->rng) * (float)(high - low + 1));
        if (dtype == ENG_INT32)
            words[i] = value;
        else
            ((uint8_t *)words)[i] = (uint8_t)value;
    }
    int out = net_constant(net, name, dtype, shape, words);
    free(words);
    return out;
}

/* How weights are quantised. */
struct net_weights {
    enum eng_dtype dtype;
    float scale;
    int zero;
    bool by_channel; /* scales, and zero points, for each index of the axis */
    int axis;
};

static inline int net_byte_weights(struct net *net, const char *name, struct eng_shape shape,
                                   const struct net_weights *w)
{
    char text[64], at[64];
    int64_t n = w->by_channel ? shape.dim[w->axis] : 1;
    struct eng_shape list = {.rank = w->by_channel, .dim = {n}};
    float scales[512];
    uint8_t zeros[512];
    assert_true(n <= 512);
    for (int64_t i = 0; i < n; i++) {
        scales[i] = w->scale * (1 + (float)(i % 7) / 8);
        zeros[i] = (uint8_t)(w->zero + (w->zero ? i % 3 : 0));
    }
    int low = w->dtype == ENG_INT8 ? -128 : w->zero - 120, high = low + 240;
    int in[3] = {net_integers(net, net_name(text, name, "q"), w->dtype, shape, low, high),
                 net_constant(net, net_name(at, name, "scale"), ENG_FLOAT32, list, scales)};
    in[2] = net_constant(net, net_name(at, name, "zero"), w->dtype, list, zeros);
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = w->axis};
    return net_node(net, "DequantizeLinear", name, in, 3, &axis, w->by_channel);
}

/* A bias in units of the sums, off: of `off` times that. */
static inline int net_integer_bias(struct net *net, const char *name, int64_t n, float unit,
                                   float off)
{
    char text[64];
    float scale = unit * off;
    int in[2] = {net_integers(net, net_name(text, name, "q"), ENG_INT32, NET_SHAPE(n), -3000, 3000),
                 net_scalar(net, name, "scale", ENG_FLOAT32, &scale)};
    return net_node(net, "DequantizeLinear", name, in, 2, NULL, 0);
}

#endif
