/* Grad-CAM against its closed form, and where it looks in networks of several shapes. */
#include "explain/layer.h"
#include "made_model.h"
#include "model/model_internal.h"

/* x [N, 3, 12, 10] -> Conv(5) -> Relu -> GlobalAveragePool -> Flatten -> Gemm(4): no softmax. */
static struct eng_model *pooled_model(void)
{
    struct net net;
    net_init(&net, 31);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    static const int64_t strides[2] = {2, 2};
    struct eng_attr stride = net_ints("strides", strides, 2);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int kernel = net_weight(&net, "kernel", NET_SHAPE(5, 3, 3, 3), -1, 1);
    int conv = net_node(&net, "Conv", "conv", (int[]){x, kernel}, 2, &stride, 1);
    int relu = net_node(&net, "Relu", "relu", &conv, 1, NULL, 0);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &relu, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &mean, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(4, 5), -1, 1);
    net_output(&net, net_node(&net, "Gemm", "scores", (int[]){flat, w}, 2, &trans_b, 1));
    return made_model(&net);
}

static const float *constant(const struct eng_model *model, const char *name)
{
    return model->graph.values[eng_graph_find(&model->graph, name)].tensor.data;
}

/* Relu of a 3 x 3 convolution in steps of 2. */
static double feature(const float *kernel, const float *x, int channel, int row, int column)
{
    double sum = 0;
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++)
                sum += (double)kernel[((channel * 3 + c) * 3 + i) * 3 + k] *
                       (double)x[(c * 12 + 2 * row + i) * 10 + 2 * column + k];
    return sum > 0 ? sum : 0;
}

/* Behind a mean over positions a channel's weight is Gemm's, divided by their number: CAM. */
static double map_at(const struct eng_model *model, const float *x, int class_index, int row,
                     int column)
{
    enum { ROWS = 5, COLUMNS = 4 };
    const float *kernel = constant(model, "kernel"), *w = constant(model, "w") + class_index * 5;
    row = row < 0 ? 0 : row >= ROWS ? ROWS - 1 : row;
    column = column < 0 ? 0 : column >= COLUMNS ? COLUMNS - 1 : column;
    double sum = 0;
    for (int c = 0; c < 5; c++)
        sum += (double)w[c] / (ROWS * COLUMNS) * feature(kernel, x, c, row, column);
    return sum > 0 ? sum : 0;
}

static void mean_of_positions_gives_class_activation_map(void **state)
{
    (void)state;
    struct eng_model *model = pooled_model();
    float *x = made_sample(model, 3);
    struct eng_explain_request request = eng_explain_defaults();
    request.method = ENG_EXPLAIN_GRADCAM;
    request.sample = x;
    for (int c = 0; c < 4; c++) {
        request.class_index = c;
        struct eng_explanation found = made_explanation(model, &request);
        assert_string_equal(found.layer_name, "relu");
        assert_string_equal(found.score_name, "scores");
        assert_int_equal(found.layer_width, 4);
        assert_int_equal(found.layer_height, 5);
        assert_true(found.is_logit && !found.is_signed); /* a softmax is added to such a graph */
        for (int y = 0; y < 12; y++)
            for (int k = 0; k < 10; k++) {
                double row = (y + 0.5) * 5 / 12 - 0.5, column = (k + 0.5) * 4 / 10 - 0.5;
                int top = (int)floor(row), left = (int)floor(column);
                double down = row - top, right = column - left;
                double wanted = (1 - down) * ((1 - right) * map_at(model, x, c, top, left) +
                                              right * map_at(model, x, c, top, left + 1)) +
                                down * ((1 - right) * map_at(model, x, c, top + 1, left) +
                                        right * map_at(model, x, c, top + 1, left + 1));
                assert_true(fabs((double)found.map[y * 10 + k] - wanted) < 1e-5);
            }
        eng_explanation_fini(&found);
    }
    free(x);
    eng_model_destroy(model);
}

/* The sum of the joined branches with the shortcut, and the activation behind it: no single
 * convolution has all of it. */
static void branches_are_seen_where_they_are_one(void **state)
{
    (void)state;
    struct eng_model *model = made_branches();
    int layer;
    assert_int_equal(eng_explain_find_layer(model, &layer, NULL), ENG_OK);
    assert_string_equal(model->graph.values[layer].name, "relu");
    eng_model_destroy(model);
}

static void check_layer(struct net *net, const char *wanted)
{
    struct eng_model *model = made_model(net);
    int layer;
    assert_int_equal(eng_explain_find_layer(model, &layer, NULL), ENG_OK);
    assert_string_equal(model->graph.values[layer].name, wanted);
    eng_model_destroy(model);
}

static int joined(struct net *net, int left, int right)
{
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    int pooled[2] = {net_node(net, "GlobalAveragePool", "left", &left, 1, NULL, 0),
                     net_node(net, "GlobalMaxPool", "right", &right, 1, NULL, 0)};
    return net_node(net, "Concat", "both", pooled, 2, &axis, 1);
}

/* The last convolution's map, when a shortcut goes round it; and the map before two ways part, not
 * the later one on one of them. */
static void ways_that_part_are_seen_before(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 2);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int first = made_conv(&net, "first", x, 3, 4), last = made_conv(&net, "last", first, 4, 2);
    int relu = net_node(&net, "Relu", "relu", &last, 1, NULL, 0);
    int both = joined(&net, relu, first);
    net_output(&net, net_node(&net, "Flatten", "flat", &both, 1, NULL, 0));
    check_layer(&net, "relu"); /* fused into the convolution */
    net_init(&net, 2);
    x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    last = made_conv(&net, "last", x, 3, 4);
    relu = net_node(&net, "Relu", "relu", &last, 1, NULL, 0);
    int square = net_node(&net, "Mul", "square", (int[]){relu, relu}, 2, NULL, 0);
    both = joined(&net, relu, square);
    net_output(&net, net_node(&net, "Flatten", "flat", &both, 1, NULL, 0));
    check_layer(&net, "relu");
}

/* A convolution of one position, and a Transpose that has the map's size by chance, are no maps. */
static void only_maps_of_places_count(void **state)
{
    (void)state;
    static const int64_t to_pixels[4] = {0, 2, 3, 1};
    struct net net;
    struct eng_attr perm = net_ints("perm", to_pixels, 4);
    net_init(&net, 2);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int first = made_conv(&net, "first", x, 3, 4);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &first, 1, NULL, 0);
    int classes = net_weight(&net, "classes", NET_SHAPE(2, 4, 1, 1), -1, 1);
    int last = net_node(&net, "Conv", "last", (int[]){mean, classes}, 2, NULL, 0);
    net_output(&net, net_node(&net, "Flatten", "flat", &last, 1, NULL, 0));
    check_layer(&net, "first");
    net_init(&net, 2);
    x = net_input(&net, "x", NET_SHAPE(-1, 3, 6, 6));
    first = made_conv(&net, "first", x, 3, 6);
    int turned = net_node(&net, "Transpose", "turned", &first, 1, &perm, 1);
    int tanh = net_node(&net, "Tanh", "tanh", &turned, 1, NULL, 0);
    net_output(&net, net_node(&net, "Flatten", "flat", &tanh, 1, NULL, 0));
    check_layer(&net, "first");
}

static void network_without_convolution_is_refused(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(1, 3);
    struct eng_error err = {0};
    enum eng_explain_method method;
    assert_int_equal(eng_explain_choose(model, ENG_EXPLAIN_GRADCAM, &method, &err),
                     ENG_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no convolution (Conv)"));
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_of_positions_gives_class_activation_map),
        cmocka_unit_test(branches_are_seen_where_they_are_one),
        cmocka_unit_test(ways_that_part_are_seen_before),
        cmocka_unit_test(only_maps_of_places_count),
        cmocka_unit_test(network_without_convolution_is_refused),
    };
    return cmocka_run_group_tests_name("Grad-CAM", tests, NULL, NULL);
}
