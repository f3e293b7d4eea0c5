/* Channels last: the same answers, the same names, few conversions. */
#include "graph/channels_last.h"

#include "graph/exec.h"
#include "graph/passes.h"
#include "graph/shape.h"
#include "net.h"

#include <math.h>

static int node(struct net *net, const char *op, const char *name, int a, int b)
{
    int in[2] = {a, b};
    return net_node(net, op, name, in, b == ENG_NO_VALUE ? 1 : 2, NULL, 0);
}

/* kernel x kernel, same size or half of it. */
static int conv(struct net *net, const char *name, int x, int64_t in, int64_t out, int64_t kernel,
                int64_t stride, int64_t group)
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

static int norm(struct net *net, const char *name, int x, int64_t channels)
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

static int pool(struct net *net, const char *op, const char *name, int x, bool count)
{
    static const int64_t three[2] = {3, 3}, two[2] = {2, 2}, pads[4] = {1, 1, 1, 1};
    struct eng_attr attrs[5] = {net_ints("kernel_shape", three, 2),
                                net_ints("strides", two, 2),
                                net_ints("pads", pads, 4),
                                {.name = "ceil_mode", .type = ENG_ATTR_INT, .i = 1},
                                {.name = "count_include_pad", .type = ENG_ATTR_INT, .i = 1}};
    return net_node(net, op, name, &x, 1, attrs, count ? 5 : 4);
}

static int transpose(struct net *net, const char *name, int x, const int64_t *perm)
{
    struct eng_attr attr = net_ints("perm", perm, 4);
    return net_node(net, "Transpose", name, &x, 1, &attr, 1);
}

/* A picture's way through everything that works with channels last; 32 channels where x ends. */
static int body(struct net *net, int x)
{
    static const int64_t last[4] = {0, 2, 3, 1}, first[4] = {0, 3, 1, 2};
    x = node(net, "Relu", "r0", norm(net, "n0", conv(net, "stem", x, 3, 32, 5, 2, 1), 32), -1);
    x = pool(net, "MaxPool", "max", x, false);
    int skip = x;
    x = node(net, "Relu", "r1", conv(net, "c1", x, 32, 32, 3, 1, 1), -1);
    x = node(net, "Add", "s1", conv(net, "c2", x, 32, 32, 3, 1, 1), skip);
    x = node(net, "Relu", "r2", x, -1);
    int a = conv(net, "c3", x, 32, 48, 1, 2, 1), b = conv(net, "c4", x, 32, 48, 3, 2, 4);
    x = node(net, "HardSwish", "r3", node(net, "Add", "s2", a, b), -1);
    int low = net_weight(net, "low", (struct eng_shape){0}, 0, 0);
    int high = net_weight(net, "high", (struct eng_shape){0}, 1, 1);
    int wide = conv(net, "c5", x, 48, 48, 3, 1, 48);
    x = net_node(net, "Clip", "clip", (int[]){wide, low, high}, 3, NULL, 0);
    int squeeze = node(net, "GlobalAveragePool", "gap", x, -1);
    squeeze = node(net, "Relu", "r4", conv(net, "c6", squeeze, 48, 16, 1, 1, 1), -1);
    squeeze = node(net, "HardSigmoid", "gate", conv(net, "c7", squeeze, 16, 48, 1, 1, 1), -1);
    x = node(net, "Mul", "excite", squeeze, x);
    x = node(net, "Mul", "factor", x, net_weight(net, "k1", NET_SHAPE(48, 1, 1), 0.5f, 2));
    x = node(net, "Sub", "less", net_weight(net, "k2", NET_SHAPE(1), 0.5f, 2), x);
    int joined[2] = {x, conv(net, "c8", x, 48, 16, 1, 1, 1)};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    x = net_node(net, "Concat", "joined", joined, 2, &axis, 1);
    x = node(net, "Sigmoid", "r5", norm(net, "n1", x, 64), -1);
    x = pool(net, "AveragePool", "average", x, true);
    x = conv(net, "c9", x, 64, 32, 3, 1, 1);
    int turned = node(net, "Softmax", "soft", transpose(net, "t1", x, last), -1);
    x = node(net, "Add", "s3", x, transpose(net, "t2", turned, first));
    return conv(net, "c10", x, 32, 32, 1, 1, 1);
}

/* Outputs: scores, a picture within, and what nothing else can read with channels last. */
static void make(struct net *net)
{
    net_init(net, 11);
    int x = body(net, net_input(net, "x", NET_SHAPE(-1, 3, 31, 27)));
    struct eng_attr flat = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    int pooled = node(net, "GlobalAveragePool", "end", x, -1);
    int scores = net_node(net, "Flatten", "scores", &pooled, 1, &flat, 1);
    net_output(net, scores);
    net_output(net, eng_graph_find(&net->graph, "s2"));
    net_output(net, node(net, "Softmax", "columns", eng_graph_find(&net->graph, "r1"), -1));
    assert_int_equal(eng_passes_optimise(&net->graph, NULL), ENG_OK);
}

/* The net becomes its twin; the plain one lives on in `plain`. */
static void turn(struct net *net, struct eng_graph *plain)
{
    struct eng_error err = {0};
    struct eng_tensor *shapes = calloc(net->graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    *plain = net->graph;
    eng_graph_init(&net->graph);
    if (eng_shape_infer_symbolic(plain, false, shapes, &err) != ENG_OK ||
        eng_channels_last(plain, shapes, &net->graph, &err) != ENG_OK)
        fail_msg("%s", err.text);
    free(shapes);
}

struct answer {
    float *y[3];
    size_t n[3];
};

/* The first pictures of a seeded stream. */
static void run(const struct eng_graph *graph, int64_t batch, struct answer *out)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_rng rng;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, batch, false, &plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[0]);
    eng_rng_init(&rng, 5, 0);
    for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
        ((float *)x->data)[i] = eng_rng_normal(&rng);
    eng_exec_forward(exec, 0);
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[i]);
        out->n[i] = (size_t)eng_shape_count(&y->shape);
        out->y[i] = malloc(out->n[i] * sizeof(float));
        assert_non_null(out->y[i]);
        memcpy(out->y[i], y->data, out->n[i] * sizeof(float));
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

static void answer_fini(struct answer *a)
{
    for (size_t i = 0; i < 3; i++)
        free(a->y[i]);
}

static void answers_stay(void **state)
{
    (void)state;
    struct net before, after;
    struct eng_graph plain;
    struct answer wanted, found, alone;
    make(&before);
    make(&after);
    turn(&after, &plain);
    for (size_t i = 0; i < before.graph.n_outputs; i++)
        assert_string_equal(before.graph.values[before.graph.outputs[i]].name,
                            after.graph.values[after.graph.outputs[i]].name);
    run(&before.graph, 3, &wanted);
    run(&after.graph, 3, &found);
    run(&after.graph, 1, &alone);
    for (size_t i = 0; i < before.graph.n_outputs; i++) {
        assert_int_equal(wanted.n[i], found.n[i]);
        for (size_t j = 0; j < wanted.n[i]; j++)
            if (!(fabsf(wanted.y[i][j] - found.y[i][j]) < 2e-5f))
                fail_msg("output %zu, element %zu: %g, wanted %g", i, j, (double)found.y[i][j],
                         (double)wanted.y[i][j]);
        assert_memory_equal(alone.y[i], found.y[i], alone.n[i] * sizeof(float));
    }
    answer_fini(&wanted);
    answer_fini(&found);
    answer_fini(&alone);
    net_fini(&before);
    net_fini(&after);
    eng_graph_fini(&plain);
}

static size_t count(const struct eng_graph *graph, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

/* The graph's input, the two inner outputs, and the scores' one pixel: nothing else is moved. Both
 * sums of convolutions are theirs, but for the one that is an output. */
static void little_is_moved(void **state)
{
    (void)state;
    struct net net;
    struct eng_graph plain;
    make(&net);
    size_t n_sums = count(&net.graph, "Add");
    turn(&net, &plain);
    assert_int_equal(count(&net.graph, "Transpose"), 4);
    assert_int_equal(count(&net.graph, "Add"), n_sums - 2);
    net_fini(&net);
    eng_graph_fini(&plain);
}

/* With few channels vectors would be mostly empty. */
static void few_channels_stay(void **state)
{
    (void)state;
    struct net net;
    struct eng_graph plain;
    net_init(&net, 3);
    net_residual(&net);
    turn(&net, &plain);
    assert_int_equal(net.graph.n_nodes, 0);
    net_fini(&net);
    eng_graph_fini(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_stay),
        cmocka_unit_test(little_is_moved),
        cmocka_unit_test(few_channels_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
