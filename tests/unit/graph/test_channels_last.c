/* Channels last: the same answers, the same names, few conversions. */
#include "graph/channels_last.h"

#include "graph/exec.h"
#include "graph/shape.h"
#include "net_pictures.h"

#include <math.h>

/* Those that the rewrite says are those that are inferred. */
static void check_shapes(const struct eng_rewrite *rewrite)
{
    const struct eng_graph *graph = rewrite->graph;
    struct eng_tensor *inferred = calloc(graph->n_values, sizeof *inferred);
    assert_non_null(inferred);
    assert_int_equal(eng_shape_infer_symbolic(graph, false, inferred, NULL), ENG_OK);
    for (size_t v = 0; v < graph->n_values; v++) {
        if (inferred[v].dtype == ENG_DTYPE_NONE) continue; /* what no node computes */
        assert_int_equal(rewrite->shapes[v].dtype, inferred[v].dtype);
        assert_true(eng_shape_equal(&rewrite->shapes[v].shape, &inferred[v].shape));
    }
    free(inferred);
}

/* The net becomes its twin; the plain one lives on in `plain`. */
static void turn(struct net *net, struct eng_graph *plain)
{
    struct eng_error err = {0};
    struct eng_tensor *shapes = calloc(net->graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    *plain = net->graph;
    eng_graph_init(&net->graph);
    struct eng_rewrite rewrite;
    if (eng_shape_infer_symbolic(plain, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, plain, shapes, &net->graph, &err) != ENG_OK ||
        eng_channels_last(&rewrite, &err) != ENG_OK)
        fail_msg("%s", err.text);
    check_shapes(&rewrite);
    eng_rewrite_end(&rewrite);
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

/* Both give the same, and after gives the same bits for a picture alone. */
static void same_answers(const struct eng_graph *before, const struct eng_graph *after)
{
    struct answer wanted = {0}, found = {0}, alone = {0};
    run(before, 3, &wanted);
    run(after, 3, &found);
    run(after, 1, &alone);
    for (size_t i = 0; i < before->n_outputs; i++) {
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
}

static void answers_stay(void **state)
{
    (void)state;
    struct net before, after;
    struct eng_graph plain;
    net_pictures(&before);
    net_pictures(&after);
    turn(&after, &plain);
    for (size_t i = 0; i < before.graph.n_outputs; i++)
        assert_string_equal(before.graph.values[before.graph.outputs[i]].name,
                            after.graph.values[after.graph.outputs[i]].name);
    same_answers(&before.graph, &after.graph);
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

/* The two inner outputs, and the scores' one pixel: nothing else is moved; the graph's input is
 * turned by the convolution that reads it. Both sums of convolutions are theirs, but for the one
 * that is an output. */
static void little_is_moved(void **state)
{
    (void)state;
    struct net net;
    struct eng_graph plain;
    net_pictures(&net);
    size_t n_sums = count(&net.graph, "Add");
    turn(&net, &plain);
    assert_int_equal(count(&net.graph, "Transpose"), 3);
    assert_int_equal(count(&net.graph, "Add"), n_sums - 2);
    net_fini(&net);
    eng_graph_fini(&plain);
}

struct excited {
    int64_t size, kernel; /* of the picture, and of the convolution behind the product */
    bool twice;           /* the product is an output, too */
    bool depthwise;       /* the convolution before */
    size_t n_products, n_means;
};

/* Squeeze and excitation, then a convolution and a sum. */
static void net_excited(struct net *net, const struct excited *e)
{
    net_init(net, 5);
    int x = net_input(net, "x", NET_SHAPE(-1, 32, e->size, e->size));
    x = net_conv(net, "c0", x, 32, 32, 1, 1, 1);
    int y = net_simple(net, "HardSwish", "a1",
                       net_conv(net, "c1", x, 32, 32, 3, 1, e->depthwise ? 32 : 1), -1);
    int gate = net_simple(net, "GlobalAveragePool", "gap", y, -1);
    gate = net_simple(net, "Relu", "a2", net_conv(net, "c2", gate, 32, 16, 1, 1, 1), -1);
    gate = net_simple(net, "HardSigmoid", "a3", net_conv(net, "c3", gate, 16, 32, 1, 1, 1), -1);
    y = net_simple(net, "Mul", "product", gate, y);
    if (e->twice) net_output(net, y);
    y = net_conv(net, "c4", y, 32, 32, e->kernel, 1, 1);
    net_output(net, net_simple(net, "Relu", "a4", net_simple(net, "Add", "sum", y, x), -1));
    assert_int_equal(eng_passes_optimise(&net->graph, NULL), ENG_OK);
}

static void means_and_factors_go_into_convolutions(void **state)
{
    (void)state;
    static const struct excited nets[] = {
        {9, 1, false, true, 0, 0}, {9, 3, false, true, 1, 0},  {9, 1, true, true, 1, 0},
        {7, 1, false, true, 1, 0}, {9, 1, false, false, 0, 1},
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct net before, after;
        struct eng_graph plain;
        net_excited(&before, &nets[i]);
        net_excited(&after, &nets[i]);
        turn(&after, &plain);
        assert_int_equal(count(&after.graph, "Mul"), nets[i].n_products);
        assert_int_equal(count(&after.graph, "GlobalAveragePool"), nets[i].n_means);
        assert_int_equal(count(&after.graph, "Add"), 0);
        same_answers(&before.graph, &after.graph);
        net_fini(&before);
        net_fini(&after);
        eng_graph_fini(&plain);
    }
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
    assert_int_equal(net.graph.n_nodes, plain.n_nodes);
    assert_int_equal(count(&net.graph, "Transpose"), 0);
    net_fini(&net);
    eng_graph_fini(&plain);
}

/* A file of a kilobyte can make one large constant that a thousand nodes read: no copy for each. */
static void shared_constants_are_not_multiplied(void **state)
{
    (void)state;
    enum { N_LAYERS = 300, CHANNELS = 256 };
    static const int64_t pads[4] = {1, 1, 1, 1};
    struct eng_attr pad = net_ints("pads", pads, 4);
    struct net net;
    struct eng_graph plain;
    net_init(&net, 5);
    int x = net_input(&net, "x", NET_SHAPE(-1, CHANNELS, 12, 12));
    int w = net_weight(&net, "w", NET_SHAPE(CHANNELS, CHANNELS, 3, 3), -0.01f, 0.01f);
    int k = net_weight(&net, "k", NET_SHAPE(1, CHANNELS, 12, 12), 0.5f, 1);
    for (int i = 0; i < 2 * N_LAYERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer%d", i);
        bool is_conv = i == 0 || i > N_LAYERS;
        x = is_conv ? net_node(&net, "Conv", name, (int[]){x, w}, 2, &pad, 1)
                    : net_simple(&net, "Mul", name, x, k);
    }
    net_output(&net, x);
    turn(&net, &plain);
    assert_true(net.graph.n_nodes > 0);
    assert_true(net.graph.arena.total_bytes < (size_t)104 << 20); /* all copies: over 700 MiB */
    net_fini(&net);
    eng_graph_fini(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_stay),
        cmocka_unit_test(little_is_moved),
        cmocka_unit_test(means_and_factors_go_into_convolutions),
        cmocka_unit_test(few_channels_stay),
        cmocka_unit_test(shared_constants_are_not_multiplied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
