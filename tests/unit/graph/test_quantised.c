/* Operators on bytes in the place of those on floats: the same bytes, or one step apart where sums
 * of floats had been rounded. */
#include "graph/quantised.h"

#include "graph/channels_last.h"
#include "graph/exec.h"
#include "graph/passes.h"
#include "graph/shape.h"
#include "net_bytes.h"
#include "net_pictures.h"

#include <math.h>

#define UNSIGNED_BYTES       \
    {                        \
        ENG_UINT8, 0.05f, 37 \
    }
#define SIGNED_BYTES         \
    {                        \
        ENG_INT8, 0.04f, -11 \
    }
#define POSITIVE_BYTES      \
    {                       \
        ENG_UINT8, 0.03f, 0 \
    }
#define WIDE_BYTES            \
    {                         \
        ENG_UINT8, 0.11f, 128 \
    }

/* Both forms of a net, optimised as a model's are. */
struct both {
    struct net plain;
    struct eng_graph turned;
};

static void both_init(struct both *b)
{
    struct eng_error err = {0};
    if (eng_passes_optimise(&b->plain.graph, &err) != ENG_OK) fail_msg("%s", err.text);
    struct eng_tensor *shapes = calloc(b->plain.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    struct eng_rewrite rewrite;
    eng_graph_init(&b->turned);
    if (eng_shape_infer_symbolic(&b->plain.graph, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, &b->plain.graph, shapes, &b->turned, &err) != ENG_OK ||
        eng_quantised(&rewrite, &err) != ENG_OK || eng_channels_last(&rewrite, &err) != ENG_OK)
        fail_msg("%s", err.text);
    eng_rewrite_end(&rewrite);
    free(shapes);
}

static void both_fini(struct both *b)
{
    net_fini(&b->plain);
    eng_graph_fini(&b->turned);
}

static float *run(const struct eng_graph *graph, int64_t batch, struct eng_pool *pool, size_t *n)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_rng rng;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, batch, false, &plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, plan->arena_bytes, pool, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[0]);
    eng_rng_init(&rng, 5, 0);
    for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
        ((float *)x->data)[i] = 2 * eng_rng_normal(&rng);
    eng_exec_forward(exec, 0);
    const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[0]);
    assert_int_equal(y->dtype, ENG_FLOAT32);
    *n = (size_t)eng_shape_count(&y->shape);
    float *copy = malloc((*n + 1) * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, y->data, *n * sizeof *copy);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    return copy;
}

static size_t count(const struct eng_graph *graph, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

/* How far apart the answers are, in steps of the output's bytes: none by more than `most`, and no
 * more than a share of them at all. */
static void compare(struct both *b, const char *what, float scale, float most, double share)
{
    size_t n, n_turned, apart = 0;
    float *wanted = run(&b->plain.graph, 3, NULL, &n);
    float *found = run(&b->turned, 3, NULL, &n_turned);
    assert_int_equal(n, n_turned);
    size_t same = 0;
    for (size_t i = 0; i < n; i++) {
        float steps = fabsf(found[i] - wanted[i]) / scale;
        if (!(steps < most + 0.01f))
            fail_msg("%s: element %zu is %g, wanted %g: %g steps apart", what, i, (double)found[i],
                     (double)wanted[i], (double)steps);
        apart += steps > 0.01f;
        same += wanted[i] == wanted[0];
    }
    if ((double)apart > share * (double)n) fail_msg("%s: %zu of %zu apart", what, apart, n);
    if (same == n && n > 3) fail_msg("%s: all outputs are %g", what, (double)wanted[0]);
    free(wanted);
    free(found);
}

/* The same bits alone, and in two threads. */
static void compare_bits(struct both *b, const char *what)
{
    size_t n, n_one;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    float *three = run(&b->turned, 3, NULL, &n), *one = run(&b->turned, 1, NULL, &n_one);
    if (memcmp(three, one, n_one * sizeof *one) != 0) fail_msg("%s: the batch changes bits", what);
    free(one);
    one = run(&b->turned, 3, pool, &n_one);
    if (memcmp(three, one, n * sizeof *one) != 0) fail_msg("%s: the pool changes bits", what);
    free(one);
    free(three);
    eng_pool_destroy(pool);
}

/* --- convolutions and products --- */

enum bias_kind { NO_BIAS, IN_SUMS, OTHER_SCALE, AS_FLOATS };

struct product {
    const char *what, *op;
    struct eng_shape x, w;
    struct net_bytes in, out;
    struct net_weights weights;
    enum bias_kind bias;
    int64_t group, stride, pad;
    const char *activation; /* NULL: none */
    bool trans_b;
};

#define PER_TENSOR                          \
    {                                       \
        .dtype = ENG_INT8, .scale = 0.002f, \
    }
#define PER_CHANNEL(a)                                                       \
    {                                                                        \
        .dtype = ENG_INT8, .scale = 0.002f, .by_channel = true, .axis = (a), \
    }

#define PICTURE(c) NET_SHAPE(-1, c, 9, 11)

static int add_bias(struct net *net, const struct product *p, int64_t n)
{
    float unit = p->in.scale * p->weights.scale;
    if (p->bias == AS_FLOATS) return net_weight(net, "bias", NET_SHAPE(n), -1, 1);
    return net_integer_bias(net, "bias", n, unit, p->bias == OTHER_SCALE ? 1.7f : 1);
}

static int add_product(struct net *net, const struct product *p, int x)
{
    const int64_t pads[4] = {p->pad, p->pad, p->pad, p->pad}, strides[2] = {p->stride, p->stride};
    bool is_conv = strcmp(p->op, "Conv") == 0;
    struct eng_attr conv[3] = {net_ints("pads", pads, 4),
                               net_ints("strides", strides, 2),
                               {.name = "group", .type = ENG_ATTR_INT, .i = p->group}};
    struct eng_attr trans = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int in[3] = {x, net_byte_weights(net, "w", p->w, &p->weights)};
    int64_t n = p->w.dim[is_conv || p->trans_b ? 0 : 1];
    size_t n_in = p->bias == NO_BIAS ? 2 : 3;
    if (p->bias != NO_BIAS) in[2] = add_bias(net, p, n);
    return is_conv ? net_node(net, p->op, "product", in, n_in, conv, 3)
                   : net_node(net, p->op, "product", in, n_in, &trans, p->trans_b);
}

static void product_init(struct both *b, const struct product *p)
{
    struct net *net = &b->plain;
    net_init(net, 11);
    int x = net_rounded(net, "in", net_input(net, "x", p->x), p->in);
    int y = add_product(net, p, x);
    if (p->activation) y = net_node(net, p->activation, "activation", &y, 1, NULL, 0);
    net_output(net, net_rounded(net, "out", y, p->out));
    both_init(b);
}

static const struct product products[] = {
    {"3x3", "Conv", PICTURE(16), NET_SHAPE(24, 16, 3, 3), UNSIGNED_BYTES, WIDE_BYTES, PER_TENSOR,
     IN_SUMS, 1, 1, 1, NULL, false},
    {"3x3 by 2, per channel, ReLU", "Conv", PICTURE(5), NET_SHAPE(40, 5, 3, 3), SIGNED_BYTES,
     POSITIVE_BYTES, PER_CHANNEL(0), IN_SUMS, 1, 2, 1, "Relu", false},
    {"of three channels", "Conv", PICTURE(3), NET_SHAPE(32, 3, 3, 3), UNSIGNED_BYTES, WIDE_BYTES,
     PER_CHANNEL(0), IN_SUMS, 1, 2, 1, NULL, false},
    {"1x1, signed", "Conv", PICTURE(20), NET_SHAPE(70, 20, 1, 1), SIGNED_BYTES, SIGNED_BYTES,
     PER_CHANNEL(0), NO_BIAS, 1, 1, 0, NULL, false},
    {"grouped, uint8 weights",
     "Conv",
     PICTURE(12),
     NET_SHAPE(20, 3, 3, 3),
     UNSIGNED_BYTES,
     WIDE_BYTES,
     {ENG_UINT8, 0.003f, 124, true, 0},
     AS_FLOATS,
     4,
     1,
     1,
     "Relu",
     false},
    {"depthwise", "Conv", PICTURE(70), NET_SHAPE(70, 1, 3, 3), UNSIGNED_BYTES, WIDE_BYTES,
     PER_CHANNEL(0), OTHER_SCALE, 70, 1, 1, NULL, false},
    {"depthwise by 2", "Conv", PICTURE(33), NET_SHAPE(33, 1, 5, 5), SIGNED_BYTES, WIDE_BYTES,
     PER_TENSOR, IN_SUMS, 33, 2, 2, NULL, false},
    {"Gemm by rows", "Gemm", NET_SHAPE(-1, 37), NET_SHAPE(50, 37), UNSIGNED_BYTES, WIDE_BYTES,
     PER_CHANNEL(0), IN_SUMS, 1, 1, 0, NULL, true},
    {"Gemm by columns", "Gemm", NET_SHAPE(-1, 37), NET_SHAPE(37, 50), UNSIGNED_BYTES, SIGNED_BYTES,
     PER_CHANNEL(1), AS_FLOATS, 1, 1, 0, NULL, false},
    {"MatMul", "MatMul", NET_SHAPE(-1, 6, 40), NET_SHAPE(40, 30), SIGNED_BYTES, SIGNED_BYTES,
     PER_TENSOR, NO_BIAS, 1, 1, 0, NULL, false},
};

static void products_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        const struct product *p = &products[i];
        struct both b;
        product_init(&b, p);
        if (count(&b.turned, "QLinearConv") != 1 || count(&b.turned, "DequantizeLinear") != 1 ||
            count(&b.turned, "QuantizeLinear") != 1)
            fail_msg("%s: stays as it is", p->what);
        compare(&b, p->what, p->out.scale, 1, 0.002);
        compare_bits(&b, p->what);
        both_fini(&b);
    }
}

/* What integers cannot do, or what is unlike the pattern, stays; the answer too. */
static void others_stay(void **state)
{
    (void)state;
    struct product p = products[0];
    static const struct {
        const char *what;
        struct net_bytes in, out;
        struct net_weights weights;
        const char *activation;
    } cases[] = {
        {"a scale of 0", {ENG_UINT8, 0, 3}, WIDE_BYTES, PER_TENSOR, NULL},
        {"a negative scale", {ENG_UINT8, -0.1f, 3}, WIDE_BYTES, PER_TENSOR, NULL},
        {"a tiny scale", {ENG_UINT8, 1e-40f, 3}, WIDE_BYTES, PER_TENSOR, NULL},
        {"weights beyond 8 bits",
         UNSIGNED_BYTES,
         WIDE_BYTES,
         {ENG_UINT8, 0.002f, 20, false, 0},
         NULL},
        {"weights scaled by 0", UNSIGNED_BYTES, WIDE_BYTES, {ENG_INT8, 0, 0, false, 0}, NULL},
        {"scales along another axis",
         UNSIGNED_BYTES,
         WIDE_BYTES,
         {ENG_INT8, 0.002f, 0, true, 1},
         NULL},
        {"a function that is no clamp", UNSIGNED_BYTES, WIDE_BYTES, PER_TENSOR, "Sigmoid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct both b;
        p.in = cases[i].in;
        p.out = cases[i].out;
        p.weights = cases[i].weights;
        p.activation = cases[i].activation;
        p.bias = NO_BIAS;
        product_init(&b, &p);
        if (count(&b.turned, "QLinearConv") != 0) fail_msg("%s: is rewritten", cases[i].what);
        size_t n, n_turned;
        float *wanted = run(&b.plain.graph, 2, NULL, &n);
        float *found = run(&b.turned, 2, NULL, &n_turned);
        for (size_t k = 0; k < n; k++)
            if (fabsf(wanted[k] - found[k]) > 1.01f * p.out.scale)
                fail_msg("%s: element %zu is %g, wanted %g", cases[i].what, k, (double)found[k],
                         (double)wanted[k]);
        free(wanted);
        free(found);
        both_fini(&b);
    }
}

/* --- the other operators: the same bytes --- */

/* y is what the operator makes of two tensors of bytes, 32 channels of 9 x 11. */
typedef int build_fn(struct net *net, int a, int b);

static int add_two(struct net *net, int a, int b)
{
    return net_simple(net, "Add", "y", a, b);
}

static int add_and_cut(struct net *net, int a, int b)
{
    int sum = net_simple(net, "Add", "sum", a, b);
    return net_node(net, "Relu", "y", &sum, 1, NULL, 0);
}

/* The sum as floats has a second reader, another sum. */
static int add_three(struct net *net, int a, int b)
{
    int sum = net_simple(net, "Add", "sum", a, b);
    int bytes = net_rounded(net, "middle", sum, (struct net_bytes)SIGNED_BYTES);
    int relu = net_node(net, "Relu", "relu", &bytes, 1, NULL, 0);
    int cut = net_rounded(net, "cut", relu, (struct net_bytes)POSITIVE_BYTES);
    return net_simple(net, "Add", "y", sum, cut);
}

static int pool_two(struct net *net, int a, const char *op, const struct eng_attr *more, size_t n)
{
    static const int64_t kernel[2] = {3, 2}, strides[2] = {2, 1}, pads[4] = {1, 1, 1, 0};
    struct eng_attr attrs[4] = {net_ints("kernel_shape", kernel, 2),
                                net_ints("strides", strides, 2), net_ints("pads", pads, 4)};
    if (n > 0) attrs[3] = *more;
    return net_node(net, op, "y", &a, 1, attrs, 3 + n);
}

static int max_pool(struct net *net, int a, int b)
{
    (void)b;
    return pool_two(net, a, "MaxPool", NULL, 0);
}

static int average_pool(struct net *net, int a, int b)
{
    (void)a;
    return pool_two(net, b, "AveragePool", NULL, 0);
}

static int average_with_padding(struct net *net, int a, int b)
{
    (void)b;
    struct eng_attr include = {.name = "count_include_pad", .type = ENG_ATTR_INT, .i = 1};
    return pool_two(net, a, "AveragePool", &include, 1);
}

static int global_average(struct net *net, int a, int b)
{
    (void)a;
    return net_node(net, "GlobalAveragePool", "y", &b, 1, NULL, 0);
}

static int join(struct net *net, int a, int b)
{
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = -3};
    return net_node(net, "Concat", "y", (int[]){a, b, a}, 3, &axis, 1);
}

static int swish(struct net *net, int a, int b)
{
    (void)a;
    return net_node(net, "HardSwish", "y", &b, 1, NULL, 0);
}

static int sigmoid(struct net *net, int a, int b)
{
    (void)b;
    return net_node(net, "Sigmoid", "y", &a, 1, NULL, 0);
}

/* Only its shape is asked for, and the same bytes are wanted in another one. */
static int reshape(struct net *net, int a, int b)
{
    static const int64_t rest = -1, none = 0;
    int shape = net_node(net, "Shape", "shape", &b, 1, NULL, 0);
    int zero = net_constant(net, "zero", ENG_INT64, NET_SHAPE(1), &none);
    int n = net_node(net, "Gather", "n", (int[]){shape, zero}, 2, NULL, 0);
    int minus = net_constant(net, "minus", ENG_INT64, NET_SHAPE(1), &rest);
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    int both = net_node(net, "Concat", "both", (int[]){n, minus}, 2, &axis, 1);
    return net_node(net, "Reshape", "y", (int[]){a, both}, 2, NULL, 0);
}

/* Bytes to bytes on another scale. */
static int nothing(struct net *net, int a, int b)
{
    (void)net;
    (void)a;
    return b;
}

static const struct {
    const char *what, *op; /* that is there once afterwards */
    build_fn *build;
    struct net_bytes out;
    float most;
    double share;
} others[] = {
    {"a sum", "QLinearAdd", add_two, WIDE_BYTES, 0, 0},
    {"a sum and ReLU", "QLinearAdd", add_and_cut, POSITIVE_BYTES, 0, 0},
    {"a sum with two readers", "QLinearTable", add_three, WIDE_BYTES, 0, 0},
    {"the maximum", "QLinearMaxPool", max_pool, UNSIGNED_BYTES, 0, 0},
    {"the maximum on another scale", "QLinearTable", max_pool, WIDE_BYTES, 0, 0},
    /* On the scale of its input many means would lie halfway between two bytes. */
    {"the mean", "QLinearAveragePool", average_pool, {ENG_INT8, 0.037f, 5}, 1, 0.01},
    {"the mean with padding", "QLinearAveragePool", average_with_padding, WIDE_BYTES, 1, 0.01},
    {"the mean of planes", "QLinearGlobalAveragePool", global_average, POSITIVE_BYTES, 1, 0.03},
    {"one after the other", "Concat", join, WIDE_BYTES, 0, 0},
    {"HardSwish", "QLinearTable", swish, POSITIVE_BYTES, 0, 0},
    {"Sigmoid", "QLinearTable", sigmoid, {ENG_UINT8, 1 / 255.0f, 0}, 0, 0},
    {"another shape", "Reshape", reshape, UNSIGNED_BYTES, 0, 0},
    {"another scale", "QLinearTable", nothing, POSITIVE_BYTES, 0, 0},
};

static void same_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct both b;
        struct net *net = &b.plain;
        net_init(net, 3);
        int x = net_input(net, "x", PICTURE(32));
        int k = net_weight(net, "k", NET_SHAPE(32, 1, 1), -1, 1);
        /* Bytes that are there with channels last, and bytes that are not. */
        int a = net_rounded(net, "a", x, (struct net_bytes)UNSIGNED_BYTES);
        int other = net_rounded(net, "b", net_simple(net, "Mul", "other", x, k),
                                (struct net_bytes)SIGNED_BYTES);
        int y = others[i].build(net, a, other);
        net_output(net, net_rounded(net, "out", y, others[i].out));
        both_init(&b);
        if (count(&b.turned, others[i].op) < 1) fail_msg("%s: stays as it is", others[i].what);
        compare(&b, others[i].what, others[i].out.scale, others[i].most, others[i].share);
        compare_bits(&b, others[i].what);
        both_fini(&b);
    }
}

/* --- networks drawn at random --- */

struct drawn {
    struct net *net;
    int value; /* floats that have been bytes */
    int64_t channels;
    int earlier;    /* of the same shape, or none */
    int n;          /* layers so far, for names */
    bool is_signed; /* all bytes but those of ReLU */
};

static int draw(struct drawn *d, int n)
{
    return (int)(eng_rng_float(&d->net->rng) * (float)n);
}

static struct net_bytes draw_bytes(struct drawn *d)
{
    struct net_bytes q = {d->is_signed ? ENG_INT8 : ENG_UINT8,
                          0.03f + 0.016f * eng_rng_float(&d->net->rng), draw(d, 40) - 20};
    if (!d->is_signed) q.zero += 128;
    return q;
}

static int drawn_conv(struct drawn *d, const char *name, int64_t out, int64_t kernel, int64_t group)
{
    char text[64];
    int64_t in = d->channels / group, pad = kernel / 2, pads[4] = {pad, pad, pad, pad};
    struct net_weights weights = {ENG_INT8, 0.012f / sqrtf((float)(in * kernel * kernel)), 0,
                                  draw(d, 2) == 0, 0};
    struct eng_attr attrs[2] = {net_ints("pads", pads, 4),
                                {.name = "group", .type = ENG_ATTR_INT, .i = group}};
    int w = net_byte_weights(d->net, net_name(text, name, "w"), NET_SHAPE(out, in, kernel, kernel),
                             &weights);
    int conv = net_node(d->net, "Conv", name, (int[]){d->value, w}, 2, attrs, 2);
    d->channels = out;
    d->earlier = ENG_NO_VALUE;
    return conv;
}

static int drawn_pool(struct drawn *d, const char *op, const char *name)
{
    static const int64_t three[2] = {3, 3}, pads[4] = {1, 1, 1, 1};
    struct eng_attr attrs[2] = {net_ints("kernel_shape", three, 2), net_ints("pads", pads, 4)};
    return net_node(d->net, op, name, &d->value, 1, attrs, 2);
}

static int drawn_layer(struct drawn *d, const char *name)
{
    switch (draw(d, 8)) {
    case 0:
        return drawn_conv(d, name, 5 + draw(d, 60), 1, 1);
    case 1:
        return drawn_conv(d, name, 5 + draw(d, 60), 3, 1);
    case 2:
        return drawn_conv(d, name, d->channels, 3, d->channels);
    case 3:
        return drawn_pool(d, "MaxPool", name);
    case 4:
        return drawn_pool(d, "AveragePool", name);
    case 5:
        return net_simple(d->net, "LeakyRelu", name, d->value, -1);
    case 6:
        if (d->channels > 100) return net_simple(d->net, "HardSwish", name, d->value, -1);
        d->channels *= 2;
        d->earlier = ENG_NO_VALUE;
        struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
        return net_node(d->net, "Concat", name, (int[]){d->value, d->value}, 2, &axis, 1);
    default:
        if (d->earlier == ENG_NO_VALUE) return drawn_conv(d, name, d->channels, 3, 1);
        return net_simple(d->net, "Add", name, d->value, d->earlier);
    }
}

static void draw_net(struct both *b, uint64_t seed)
{
    struct net *net = &b->plain;
    char name[64], bytes[64];
    net_init(net, seed);
    struct drawn d = {.net = net,
                      .channels = 3 + (int64_t)seed % 30,
                      .earlier = ENG_NO_VALUE,
                      .is_signed = seed % 3 == 0};
    d.value = net_rounded(net, "in", net_input(net, "x", NET_SHAPE(-1, d.channels, 7, 8)),
                          draw_bytes(&d));
    for (d.n = 0; d.n < 6; d.n++) {
        int before = d.value;
        snprintf(name, sizeof name, "layer%d", d.n);
        int64_t channels = d.channels;
        int y = drawn_layer(&d, name);
        d.value = net_rounded(net, net_name(bytes, name, "bytes"), y, draw_bytes(&d));
        if (d.channels == channels) d.earlier = before;
    }
    net_output(net, d.value);
    both_init(b);
}

/* A step in one layer moves sums of the next: after a few layers, few bytes and by few steps. */
static void drawn_networks_stay(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct both b;
        char what[32];
        draw_net(&b, seed);
        snprintf(what, sizeof what, "network %d", (int)seed);
        if (count(&b.turned, "DequantizeLinear") != 1) fail_msg("%s: has floats inside", what);
        compare(&b, what, 0.03f, 3, 0.06);
        compare_bits(&b, what);
        both_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_stay),
        cmocka_unit_test(others_stay),
        cmocka_unit_test(same_bytes),
        cmocka_unit_test(drawn_networks_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
