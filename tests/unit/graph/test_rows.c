/* What the shapes and operators of a graph tell of its samples: that they stay apart, or nothing.
 */
#include "graph/rows.h"
#include "net.h"

/* mixer: the name of the first node that may mix samples, NULL if none does. */
static void check(struct net *net, int output, const char *mixer)
{
    struct eng_plan *plans[2];
    struct eng_error err = {0};
    size_t found;
    net_output(net, output);
    for (int n = 1; n <= 2; n++)
        if (eng_plan_create(&net->graph, ENG_PLAN_INFERENCE, n, true, &plans[n - 1], &err))
            fail_msg("%s", err.text);
    assert_int_equal(eng_rows_find_mixer(plans[0], plans[1], &found, &err), ENG_OK);
    if (mixer && found < net->graph.n_nodes)
        assert_string_equal(net->graph.nodes[found].name, mixer);
    else
        assert_int_equal(found, mixer ? -1 : (int)net->graph.n_nodes);
    for (int i = 0; i < 2; i++)
        eng_plan_destroy(plans[i]);
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
    check(&net, net_node(&net, "Gemm", "scores", (int[]){y, v}, 2, &trans_b, 1), NULL);
}

static int reshape(struct net *net, const char *name, int x, const int64_t *to, int n)
{
    char shape[32];
    snprintf(shape, sizeof shape, "%s.to", name);
    int value = net_constant(net, shape, ENG_INT64, NET_SHAPE(n), to);
    return net_node(net, "Reshape", name, (int[]){x, value}, 2, NULL, 0);
}

static int transpose(struct net *net, const char *name, int x, const int64_t *perm, size_t n)
{
    struct eng_attr attr = net_ints("perm", perm, n);
    return net_node(net, "Transpose", name, &x, 1, &attr, 1);
}

/* As torch.nn.MultiheadAttention has it: the samples stand second, and twice as many matrices as
 * samples are multiplied. sum: the axis of the Softmax. */
static void check_attention(int64_t sum, const char *mixer)
{
    struct net net;
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = sum};
    int x = begin(&net, NET_SHAPE(-1, 5, 6));
    int y = transpose(&net, "words_first", x, (int64_t[]){1, 0, 2}, 3);
    y = reshape(&net, "heads", y, (int64_t[]){5, -1, 3}, 3);
    int a = transpose(&net, "queries", y, (int64_t[]){1, 0, 2}, 3);
    int b = transpose(&net, "keys", y, (int64_t[]){1, 2, 0}, 3);
    int p = net_node(&net, "MatMul", "scores", (int[]){a, b}, 2, NULL, 0);
    p = net_node(&net, "Softmax", "weights", &p, 1, &axis, 1);
    y = net_node(&net, "MatMul", "mixed", (int[]){p, a}, 2, NULL, 0);
    y = transpose(&net, "words_again", y, (int64_t[]){1, 0, 2}, 3);
    y = reshape(&net, "joined", y, (int64_t[]){5, -1, 6}, 3);
    int w = net_weight(&net, "w", NET_SHAPE(6, 4), -1.0f, 1.0f);
    y = reshape(&net, "words_of_samples", y, (int64_t[]){-1, 6}, 2);
    y = net_node(&net, "MatMul", "projected", (int[]){y, w}, 2, NULL, 0);
    y = reshape(&net, "words_and_samples", y, (int64_t[]){5, -1, 4}, 3);
    check(&net, transpose(&net, "samples_first", y, (int64_t[]){1, 0, 2}, 3), mixer);
}

static void attention_keeps_samples_apart(void **state)
{
    (void)state;
    check_attention(-1, NULL);
    check_attention(0, "weights");
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
    check(&net, net_node(&net, "DequantizeLinear", "y", (int[]){y, scale, zero}, 3, NULL, 0), NULL);
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
    check(&net, net_node(&net, "Add", "table", (int[]){x, flat}, 2, NULL, 0), "table");
}

static void work_along_the_batch_is_not_known(void **state)
{
    (void)state;
    struct net net;
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    int x = begin(&net, NET_SHAPE(-1, 3));
    check(&net, net_node(&net, "Softmax", "y", &x, 1, &axis, 1), "y");

    static const int64_t first[1] = {0};
    struct eng_attr axes = net_ints("axes", first, 1);
    x = begin(&net, NET_SHAPE(-1, 3));
    int mean = net_node(&net, "ReduceMean", "mean", &x, 1, &axes, 1);
    check(&net, net_node(&net, "Sub", "y", (int[]){x, mean}, 2, NULL, 0), "mean");
}

/* What is known beforehand may be the same for every sample, or count them. */
static void numbers_of_the_batch_are_not_samples(void **state)
{
    (void)state;
    struct net net;
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    struct eng_attr to = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT32};
    int64_t zero = 0, one = 1;
    int x = begin(&net, NET_SHAPE(-1, 3));
    int shape = net_node(&net, "Shape", "shape", &x, 1, NULL, 0);
    int same = net_node(&net, "ConstantOfShape", "same", &shape, 1, NULL, 0);
    check(&net, net_node(&net, "Add", "y", (int[]){x, same}, 2, NULL, 0), NULL);

    x = begin(&net, NET_SHAPE(-1, 3));
    shape = net_node(&net, "Shape", "shape", &x, 1, NULL, 0);
    int first = net_constant(&net, "zero", ENG_INT64, (struct eng_shape){0}, &zero);
    int count = net_node(&net, "Gather", "count", (int[]){shape, first}, 2, &axis, 1);
    int real = net_node(&net, "Cast", "real", &count, 1, &to, 1);
    check(&net, net_node(&net, "Div", "y", (int[]){x, real}, 2, NULL, 0), "y");

    x = begin(&net, NET_SHAPE(-1, 1));
    shape = net_node(&net, "Shape", "shape", &x, 1, NULL, 0);
    first = net_constant(&net, "zero", ENG_INT64, (struct eng_shape){0}, &zero);
    count = net_node(&net, "Gather", "count", (int[]){shape, first}, 2, &axis, 1);
    int step = net_constant(&net, "one", ENG_INT64, (struct eng_shape){0}, &one);
    int places = net_node(&net, "Range", "places", (int[]){first, count, step}, 3, NULL, 0);
    places = net_node(&net, "Cast", "real", &places, 1, &to, 1);
    places = reshape(&net, "column", places, (int64_t[]){-1, 1}, 2);
    check(&net, net_node(&net, "Add", "y", (int[]){x, places}, 2, NULL, 0), "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_keep_samples_apart),
        cmocka_unit_test(quantised_networks_keep_samples_apart),
        cmocka_unit_test(attention_keeps_samples_apart),
        cmocka_unit_test(meeting_at_another_dimension_is_not_known),
        cmocka_unit_test(work_along_the_batch_is_not_known),
        cmocka_unit_test(numbers_of_the_batch_are_not_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
