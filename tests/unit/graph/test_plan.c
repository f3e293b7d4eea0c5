/* The memory plan: what is alive never overlaps, sharing saves memory, training keeps everything.
 */
#include "graph/exec.h"
#include "graph/plan.h"
#include "net.h"

/* A random graph of elementwise, view and branching nodes over one input. */
static void random_graph(struct net *net, uint64_t seed)
{
    net_init(net, seed);
    int values[64];
    size_t n = 0;
    values[n++] = net_input(net, "x", NET_SHAPE(-1, 3, 4));
    while (n < 40) {
        char name[16];
        snprintf(name, sizeof name, "v%zu", n);
        int a = values[eng_rng_below(&net->rng, n)], b = values[eng_rng_below(&net->rng, n)];
        switch (eng_rng_below(&net->rng, 4)) {
        case 0:
            values[n] = net_node(net, "Relu", name, &a, 1, NULL, 0);
            break;
        case 1:
            values[n] = net_node(net, "Identity", name, &a, 1, NULL, 0);
            break;
        default:
            values[n] = net_node(net, "Add", name, (int[]){a, b}, 2, NULL, 0);
        }
        n++;
    }
    net_output(net, values[n - 1]);
    net_output(net, values[n / 2]);
}

/* What every node should give, each value in memory of its own. */
static void run_naively(const struct eng_graph *graph, const float *x, size_t n, float **values)
{
    for (size_t v = 0; v < graph->n_values; v++) {
        values[v] = calloc(n, sizeof **values);
        assert_non_null(values[v]);
    }
    memcpy(values[graph->inputs[0]], x, n * sizeof *x);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        const struct eng_node *node = &graph->nodes[i];
        const float *a = values[node->in[0]], *b = values[node->in[node->n_in - 1]];
        float *y = values[node->out[0]];
        bool add = node->n_in == 2, relu = strcmp(node->op->name, "Relu") == 0;
        for (size_t e = 0; e < n; e++)
            y[e] = add ? a[e] + b[e] : relu && a[e] < 0.0f ? 0.0f : a[e];
    }
}

/* Were two live values to share memory, some output would come out wrong. */
static void random_graphs_compute_right(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct net net;
        random_graph(&net, seed);
        struct eng_plan *plan;
        struct eng_exec *exec;
        assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 2, false, &plan, NULL),
                         ENG_OK);
        assert_true(plan->arena_bytes <= plan->values_bytes + 64 * net.graph.n_values);
        assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
        eng_exec_bind(exec, plan);
        float *x = eng_exec_value(exec, net.graph.inputs[0])->data, input[24];
        for (int i = 0; i < 24; i++)
            input[i] = x[i] = eng_rng_normal(&net.rng);
        eng_exec_forward(exec, 0);
        float *wanted[64];
        run_naively(&net.graph, input, 24, wanted);
        for (size_t o = 0; o < net.graph.n_outputs; o++)
            assert_memory_equal(eng_exec_value(exec, net.graph.outputs[o])->data,
                                wanted[net.graph.outputs[o]], sizeof input);
        assert_memory_equal(x, input, sizeof input); /* inputs are pinned */
        for (size_t v = 0; v < net.graph.n_values; v++)
            free(wanted[v]);
        eng_exec_destroy(exec);
        eng_plan_destroy(plan);
        net_fini(&net);
    }
}

/* Ten Relu in a row: inference needs the pinned input and one buffer, training a value for each and
 * two gradients at a time. */
static void inference_shares_what_training_keeps(void **state)
{
    (void)state;
    struct net net;
    struct eng_plan *inference, *training;
    net_init(&net, 3);
    int value = net_input(&net, "x", NET_SHAPE(-1, 16));
    int weight = net_weight(&net, "w", NET_SHAPE(16, 16), -1.0f, 1.0f);
    value = net_node(&net, "Gemm", "gemm", (int[]){value, weight}, 2, NULL, 0);
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "relu%d", i);
        value = net_node(&net, "Relu", name, &value, 1, NULL, 0);
    }
    net_output(&net, value);
    eng_graph_mark_trainable(&net.graph);
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 4, false, &inference, NULL),
                     ENG_OK);
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_TRAINING, 4, false, &training, NULL),
                     ENG_OK);
    size_t value_bytes = 4 * 16 * sizeof(float);
    assert_int_equal(inference->values_bytes, 12 * value_bytes);
    assert_int_equal(inference->arena_bytes, 2 * value_bytes);
    assert_int_equal(training->arena_bytes, (12 + 2) * value_bytes);
    eng_plan_destroy(inference);
    eng_plan_destroy(training);
    net_fini(&net);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct net net;
    struct eng_plan *plan = NULL;
    struct eng_error err = {0};
    net_init(&net, 3);
    net_residual(&net);
    assert_int_equal(
        eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, (int64_t)1 << 40, false, &plan, &err),
        ENG_LIMIT);
    assert_null(plan);
    assert_true(strlen(err.text) > 0);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_graphs_compute_right),
                                       cmocka_unit_test(inference_shares_what_training_keeps),
                                       cmocka_unit_test(absurd_sizes_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
