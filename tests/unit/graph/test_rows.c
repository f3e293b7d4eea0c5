/* What the shapes and operators of a graph tell of its samples: that they stay apart, or nothing.
 */
#include "graph/rows.h"
#include "net.h"

static void check(struct net *net, int output, bool wanted)
{
    struct eng_plan *plan;
    struct eng_error err = {0};
    net_output(net, output);
    struct eng_tensor *symbolic = calloc(net->graph.n_values, sizeof *symbolic);
    assert_non_null(symbolic);
    if (eng_plan_create(&net->graph, ENG_PLAN_INFERENCE, 2, true, &plan, &err) != ENG_OK ||
        eng_shape_infer_symbolic(&net->graph, true, symbolic, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_rows_are_independent(plan, symbolic), wanted);
    eng_plan_destroy(plan);
    free(symbolic);
    net_fini(net);
}

static int begin(struct net *net, struct eng_shape shape)
{
    net_init(net, 4);
    return net_input(net, "x", shape);
}

static void networks_keep_samples_apart(void **state)
{
    (void)state;
    struct net net;
    static const int64_t pads[4] = {1, 1, 1, 1}, two[2] = {2, 2};
    struct eng_attr pad = net_ints("pads", pads, 4), kernel = net_ints("kernel_shape", two, 2);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = begin(&net, NET_SHAPE(-1, 2, 8, 8));
    int w = net_weight(&net, "w", NET_SHAPE(2, 2, 3, 3), -1.0f, 1.0f);
    int y = net_node(&net, "Conv", "conv", (int[]){x, w}, 2, &pad, 1);
    y = net_node(&net, "Relu", "relu", &y, 1, NULL, 0);
    y = net_node(&net, "Add", "skip", (int[]){x, y}, 2, NULL, 0);
    y = net_node(&net, "MaxPool", "pooled", &y, 1, &kernel, 1);
    y = net_node(&net, "GlobalAveragePool", "mean", &y, 1, NULL, 0);
    y = net_node(&net, "Flatten", "flat", &y, 1, NULL, 0);
    int v = net_weight(&net, "v", NET_SHAPE(3, 2), -1.0f, 1.0f);
    check(&net, net_node(&net, "Gemm", "scores", (int[]){y, v}, 2, &trans_b, 1), true);
}

static void quantised_networks_keep_samples_apart(void **state)
{
    (void)state;
    struct net net;
    float one[1] = {0.5f};
    uint8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    int x = begin(&net, NET_SHAPE(-1, 3, 4, 4));
    int scale = net_constant(&net, "scale", ENG_FLOAT32, (struct eng_shape){0}, one);
    int zero = net_constant(&net, "zero", ENG_UINT8, (struct eng_shape){0}, bytes);
    int w = net_constant(&net, "w", ENG_UINT8, NET_SHAPE(2, 3, 1, 1), bytes);
    int v = net_constant(&net, "v", ENG_UINT8, NET_SHAPE(4, 3), bytes);
    int y = net_node(&net, "QuantizeLinear", "q", (int[]){x, scale, zero}, 3, NULL, 0);
    y = net_node(&net, "QLinearConv", "c", (int[]){y, scale, zero, w, scale, zero, scale, zero}, 8,
                 NULL, 0);
    y = net_node(&net, "QLinearMatMul", "m", (int[]){y, scale, zero, v, scale, zero, scale, zero},
                 8, NULL, 0);
    check(&net, net_node(&net, "DequantizeLinear", "y", (int[]){y, scale, zero}, 3, NULL, 0), true);
}

/* [N, 1] + [N] is [N, N]: each row of it knows all samples. */
static void meeting_at_another_dimension_is_not_known(void **state)
{
    (void)state;
    struct net net;
    int64_t one[1] = {-1};
    int x = begin(&net, NET_SHAPE(-1, 1));
    int to = net_constant(&net, "to", ENG_INT64, NET_SHAPE(1), one);
    int flat = net_node(&net, "Reshape", "flat", (int[]){x, to}, 2, NULL, 0);
    check(&net, net_node(&net, "Add", "table", (int[]){x, flat}, 2, NULL, 0), false);
}

static void work_along_the_batch_is_not_known(void **state)
{
    (void)state;
    struct net net;
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    int x = begin(&net, NET_SHAPE(-1, 3));
    check(&net, net_node(&net, "Softmax", "y", &x, 1, &axis, 1), false);

    static const int64_t first[1] = {0};
    struct eng_attr axes = net_ints("axes", first, 1);
    x = begin(&net, NET_SHAPE(-1, 3));
    int mean = net_node(&net, "ReduceMean", "mean", &x, 1, &axes, 1);
    check(&net, net_node(&net, "Sub", "y", (int[]){x, mean}, 2, NULL, 0), false);
}

/* A value that is known beforehand can differ from row to row. */
static void places_in_the_batch_are_not_samples(void **state)
{
    (void)state;
    struct net net;
    int x = begin(&net, NET_SHAPE(-1, 3));
    int shape = net_node(&net, "Shape", "shape", &x, 1, NULL, 0);
    int ones = net_node(&net, "ConstantOfShape", "ones", &shape, 1, NULL, 0);
    check(&net, net_node(&net, "Add", "y", (int[]){x, ones}, 2, NULL, 0), false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_keep_samples_apart),
        cmocka_unit_test(quantised_networks_keep_samples_apart),
        cmocka_unit_test(meeting_at_another_dimension_is_not_known),
        cmocka_unit_test(work_along_the_batch_is_not_known),
        cmocka_unit_test(places_in_the_batch_are_not_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
