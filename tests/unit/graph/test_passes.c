/* Passes leave the answers as they are and the graph smaller. */
#include "graph/exec.h"
#include "graph/passes.h"
#include "net.h"

#include <math.h>

/* Runs the graph at this batch on a seeded input; out holds batch x n_columns floats. */
static void run(const struct eng_graph *graph, int64_t batch, float *out, size_t n_columns)
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
    const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[0]);
    assert_int_equal(eng_shape_count(&y->shape), batch * (int64_t)n_columns);
    memcpy(out, y->data, (size_t)batch * n_columns * sizeof *out);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

static void optimised_graph_answers_alike(void **state)
{
    (void)state;
    struct net plain, optimised;
    float before[5 * 3], after[5 * 3];
    net_init(&plain, 3);
    net_residual(&plain);
    net_init(&optimised, 3);
    net_residual(&optimised);
    assert_int_equal(eng_passes_optimise(&optimised.graph, NULL), ENG_OK);
    /* Conv, MaxPool, Conv, Add, Flatten, Gemm, Softmax are left. */
    assert_int_equal(plain.graph.n_nodes, 11);
    assert_int_equal(optimised.graph.n_nodes, 7);
    run(&plain.graph, 5, before, 3);
    run(&optimised.graph, 5, after, 3);
    for (size_t i = 0; i < 15; i++)
        assert_true(fabsf(before[i] - after[i]) < 1e-5f);
    net_fini(&plain);
    net_fini(&optimised);
}

static void constant_nodes_are_folded_away(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1);
    float two = 2.0f, three = 3.0f, out[4];
    int x = net_input(&net, "x", NET_SHAPE(-1, 1));
    int a = net_constant(&net, "a", ENG_FLOAT32, NET_SHAPE(1), &two);
    int b = net_constant(&net, "b", ENG_FLOAT32, NET_SHAPE(1), &three);
    int product = net_node(&net, "Mul", "product", (int[]){a, b}, 2, NULL, 0);
    int sum = net_node(&net, "Add", "sum", (int[]){product, b}, 2, NULL, 0);
    int zero = net_node(&net, "Mul", "scaled", (int[]){x, sum}, 2, NULL, 0);
    net_output(&net, zero);
    float before[4];
    run(&net.graph, 4, before, 1);
    assert_int_equal(eng_passes_optimise(&net.graph, NULL), ENG_OK);
    assert_int_equal(net.graph.n_nodes, 1);
    run(&net.graph, 4, out, 1);
    for (int i = 0; i < 4; i++)
        assert_true(out[i] == before[i]);
    assert_int_equal(eng_graph_find(&net.graph, "product"), ENG_NO_VALUE);
    net_fini(&net);
}

/* A weight with two readers must not be scaled for one of them. */
static void shared_weight_is_left_alone(void **state)
{
    (void)state;
    struct net nets[2];
    float answers[2][2 * 4 * 8 * 8];
    static const int64_t pads[4] = {1, 1, 1, 1};
    struct eng_attr pad = net_ints("pads", pads, 4);
    for (int i = 0; i < 2; i++) {
        struct net *net = &nets[i];
        net_init(net, 9);
        int x = net_input(net, "x", NET_SHAPE(-1, 4, 8, 8));
        int w = net_weight(net, "w", NET_SHAPE(4, 4, 3, 3), -0.5f, 0.5f);
        int first = net_node(net, "Conv", "first", (int[]){x, w}, 2, &pad, 1);
        int scale = net_weight(net, "scale", NET_SHAPE(4), 2.0f, 3.0f);
        int norm = net_node(net, "BatchNormalization", "norm",
                            (int[]){first, scale, scale, scale, scale}, 5, NULL, 0);
        net_output(net, net_node(net, "Conv", "second", (int[]){norm, w}, 2, &pad, 1));
    }
    assert_int_equal(eng_passes_optimise(&nets[1].graph, NULL), ENG_OK);
    assert_int_equal(nets[1].graph.n_nodes, 3);
    for (int i = 0; i < 2; i++) {
        run(&nets[i].graph, 2, answers[i], 4 * 8 * 8);
        net_fini(&nets[i]);
    }
    assert_memory_equal(answers[0], answers[1], sizeof answers[0]);
}

/* What the file calls its outputs is what users ask for. */
static void outputs_keep_their_names(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 2));
    int relu = net_node(&net, "Relu", "inner", &x, 1, NULL, 0);
    int first = net_node(&net, "Identity", "middle", &relu, 1, NULL, 0);
    net_output(&net, net_node(&net, "Identity", "scores", &first, 1, NULL, 0));
    assert_int_equal(eng_passes_optimise(&net.graph, NULL), ENG_OK);
    assert_int_equal(net.graph.n_nodes, 2);
    assert_string_equal(net.graph.values[net.graph.outputs[0]].name, "scores");
    net_fini(&net);
}

/* Exporters make names of any length; the constants of our own must differ all the same. */
static void long_names_that_begin_alike_do_not_collide(void **state)
{
    (void)state;
    struct net net;
    char names[4][200];
    struct eng_error err = {0};
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 4, 8, 8));
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%0150d/%d", 0, i);
    for (int i = 0; i < 4; i += 2) {
        char weight[8] = {'w', (char)('0' + i)}, scale[8] = {'s', (char)('0' + i)};
        int w = net_weight(&net, weight, NET_SHAPE(4, 4, 1, 1), -0.5f, 0.5f);
        int s = net_weight(&net, scale, NET_SHAPE(4), 2.0f, 3.0f);
        x = net_node(&net, "Conv", names[i], (int[]){x, w}, 2, NULL, 0);
        x = net_node(&net, "BatchNormalization", names[i + 1], (int[]){x, s, s, s, s}, 5, NULL, 0);
    }
    net_output(&net, x);
    if (eng_passes_optimise(&net.graph, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(net.graph.n_nodes, 2);
    net_fini(&net);
}

/* x as that type plus one, through that activation, as floats again. */
static void init_typed(struct net *net, enum eng_dtype dtype, const void *one,
                       const char *activation)
{
    net_init(net, 1);
    const struct eng_attr there = {.name = "to", .type = ENG_ATTR_INT, .i = dtype};
    const struct eng_attr back = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT32};
    int x = net_input(net, "x", NET_SHAPE(-1, 3));
    int added = net_constant(net, "one", dtype, NET_SHAPE(1), one);
    int typed = net_node(net, "Cast", "typed", (int[]){x}, 1, &there, 1);
    int sum = net_node(net, "Add", "sum", (int[]){typed, added}, 2, NULL, 0);
    int active = net_node(net, activation, "active", (int[]){sum}, 1, NULL, 0);
    net_output(net, net_node(net, "Cast", "floats", (int[]){active}, 1, &back, 1));
    assert_int_equal(eng_passes_optimise(&net->graph, NULL), ENG_OK);
    assert_int_equal(net->graph.n_nodes, 3);
}

/* Types are not known when an activation is fused: what the kernel does not apply follows it. */
static void fused_activations_take_other_types(void **state)
{
    (void)state;
    const double one = 1;
    const int32_t one_integer = 1;
    struct net net;
    float found[9], wanted[9];
    struct eng_rng rng;
    init_typed(&net, ENG_FLOAT64, &one, "Relu");
    run(&net.graph, 3, found, 3);
    eng_rng_init(&rng, 5, 0);
    for (int i = 0; i < 9; i++) {
        wanted[i] = eng_rng_normal(&rng) + 1;
        assert_true(fabsf(found[i] - (wanted[i] < 0 ? 0 : wanted[i])) < 1e-6f);
    }
    net_fini(&net);
    init_typed(&net, ENG_INT32, &one_integer, "Sigmoid");
    struct eng_plan *plan;
    struct eng_error err = {0};
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 3, false, &plan, &err),
                     ENG_UNSUPPORTED);
    assert_non_null(strstr(err.text, "int32, which Sigmoid does not take"));
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(optimised_graph_answers_alike),
                                       cmocka_unit_test(outputs_keep_their_names),
                                       cmocka_unit_test(fused_activations_take_other_types),
                                       cmocka_unit_test(long_names_that_begin_alike_do_not_collide),
                                       cmocka_unit_test(constant_nodes_are_folded_away),
                                       cmocka_unit_test(shared_weight_is_left_alone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
