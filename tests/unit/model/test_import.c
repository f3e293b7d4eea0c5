/* What files made elsewhere leave open, call by other types, or ask for and do not get. */
#include "engine/session.h"
#include "net_file.h"

#include <math.h>

/* x [N, 3, 8, 8] -> Conv -> GlobalAveragePool -> Flatten: four scores of a picture of any size. */
static void pooled_net(struct net *net)
{
    net_init(net, 4);
    int x = net_input(net, "x", NET_SHAPE(-1, 3, 8, 8));
    int w = net_weight(net, "w", NET_SHAPE(4, 3, 3, 3), -1.0f, 1.0f);
    int y = net_node(net, "Conv", "conv", (int[]){x, w}, 2, NULL, 0);
    y = net_node(net, "GlobalAveragePool", "pooled", &y, 1, NULL, 0);
    net_output(net, net_node(net, "Flatten", "scores", &y, 1, NULL, 0));
}

/* Opens the file of the net with its first input declared so. */
static struct eng_model *open_declared(struct net *net, const struct eng_shape *shape,
                                       const char *preprocess, struct eng_error *err)
{
    struct onnx_model onnx;
    struct eng_model *model = NULL;
    struct onnx_property property = {"classifyd.preprocess", preprocess};
    uint8_t *bytes;
    size_t n_bytes;
    assert_int_equal(eng_convert_export(&net->graph, &onnx, NULL), ENG_OK);
    if (shape) onnx.inputs[0].shape = *shape;
    onnx.properties = &property;
    onnx.n_properties = preprocess != NULL;
    assert_int_equal(onnx_model_write(&onnx, &bytes, &n_bytes, NULL), ENG_OK);
    onnx_model_fini(&onnx);
    enum eng_status status = eng_model_open_bytes(bytes, n_bytes, NULL, &model, err);
    assert_true((status == ENG_OK) == (model != NULL));
    free(bytes);
    net_fini(net);
    return model;
}

static void open_sides_follow_the_card(void **state)
{
    (void)state;
    struct net net;
    struct eng_error err = {0};
    struct eng_tensor input;
    const char *name;
    pooled_net(&net);
    struct eng_model *model =
        open_declared(&net, &NET_SHAPE(-1, 3, -1, -1), "{\"width\": 7, \"height\": 5}", &err);
    if (!model) fail_msg("%s", err.text);
    input = eng_model_input(model, 0, &name);
    assert_true(eng_shape_equal(&input.shape, &NET_SHAPE(-1, 3, 5, 7)));
    assert_int_equal(eng_model_card(model)->preprocess.width_px, 7);
    eng_model_destroy(model);

    pooled_net(&net);
    model = open_declared(&net, &NET_SHAPE(-1, -1, -1, 9),
                          "{\"color\": \"bgr\", \"width\": 9, \"height\": 6}", &err);
    if (!model) fail_msg("%s", err.text);
    input = eng_model_input(model, 0, &name);
    assert_true(eng_shape_equal(&input.shape, &NET_SHAPE(-1, 3, 6, 9)));
    eng_model_destroy(model);
}

static void a_preset_has_a_size_for_open_sides_only(void **state)
{
    (void)state;
    static const struct {
        int64_t height, width, shorter;
    } rows[] = {{-1, -1, 256}, {299, 299, 341}, {-1, 100, 256}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net net;
        struct eng_error err = {0};
        pooled_net(&net);
        struct eng_model *model =
            open_declared(&net, &NET_SHAPE(-1, 3, rows[i].height, rows[i].width),
                          "{\"preset\": \"imagenet-torchvision\"}", &err);
        if (!model) fail_msg("%s", err.text);
        const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
        assert_int_equal(pre->height_px, rows[i].height == -1 ? 224 : rows[i].height);
        assert_int_equal(pre->width_px, rows[i].width == -1 ? 224 : rows[i].width);
        assert_int_equal(pre->shorter_side_px, rows[i].shorter);
        eng_model_destroy(model);
    }
}

/* Flattening the convolution makes the net one of a single size. */
static void sized_net(struct net *net, int64_t n_channels, int64_t side)
{
    net_init(net, 4);
    int x = net_input(net, "x", NET_SHAPE(-1, n_channels, side, side));
    int w = net_weight(net, "w", NET_SHAPE(2, n_channels, 3, 3), -1.0f, 1.0f);
    int y = net_node(net, "Conv", "conv", (int[]){x, w}, 2, NULL, 0);
    y = net_node(net, "Flatten", "flat", &y, 1, NULL, 0);
    w = net_weight(net, "head", NET_SHAPE(2 * (side - 2) * (side - 2), 4), -1.0f, 1.0f);
    net_output(net, net_node(net, "Gemm", "scores", (int[]){y, w}, 2, NULL, 0));
}

/* What nobody says is guessed among usual sizes, as far as the graph computes them. */
static void open_sides_take_what_the_graph_computes(void **state)
{
    (void)state;
    static const struct {
        int64_t n_channels, side; /* of a net of one size; 0: of any */
        struct eng_shape declared;
        int64_t found;
    } rows[] = {
        {3, 0, NET_SHAPE(-1, 3, -1, -1), 224},  {3, 32, NET_SHAPE(-1, 3, -1, -1), 32},
        {3, 96, NET_SHAPE(-1, -1, -1, -1), 96}, {1, 28, NET_SHAPE(-1, 1, -1, -1), 28},
        {1, 32, NET_SHAPE(-1, -1, -1, -1), 32}, {3, 0, NET_SHAPE(-1, 3, 50, -1), 50},
        {3, 0, NET_SHAPE(-1, -1, 50, 50), 50},  {1, 41, NET_SHAPE(-1, -1, 41, 41), 41},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct net net;
        struct eng_error err = {0};
        const char *name;
        if (rows[i].side)
            sized_net(&net, rows[i].n_channels, rows[i].side);
        else
            pooled_net(&net);
        struct eng_model *model = open_declared(&net, &rows[i].declared, NULL, &err);
        if (!model) fail_msg("row %zu: %s", i, err.text);
        const struct eng_card *card = eng_model_card(model);
        assert_int_equal(card->preprocess.width_px, rows[i].found);
        assert_int_equal(card->preprocess.height_px, rows[i].found);
        assert_int_equal(eng_preprocess_channels(&card->preprocess), rows[i].n_channels);
        assert_int_equal(eng_model_input(model, 0, &name).shape.dim[2], rows[i].found);
        bool known = rows[i].declared.dim[2] != -1 && rows[i].declared.dim[3] != -1;
        assert_int_equal(card->origin[ENG_CARD_SIZE], known ? ENG_ORIGIN_FILE : ENG_ORIGIN_GUESSED);
        eng_model_destroy(model);
    }
}

static void open_sides_that_nothing_usual_fits_are_refused(void **state)
{
    (void)state;
    static const struct eng_shape declared[] = {
        NET_SHAPE(-1, 3, -1, -1), NET_SHAPE(-1, -1, -1, -1), NET_SHAPE(-1, 3, -1, 40),
        NET_SHAPE(-1, 3, 100000, -1), NET_SHAPE(-1, 4, -1, -1)};
    struct net net;
    struct eng_error err;
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
        err = (struct eng_error){0};
        sized_net(&net, 3, 41);
        assert_null(open_declared(&net, &declared[i], NULL, &err));
        assert_int_equal(err.status, ENG_UNSUPPORTED);
        if (!strstr(err.text, "leaves a picture's size open, and no usual size fits the graph; set "
                              "it in config.json"))
            fail_msg("%s", err.text);
    }
    err = (struct eng_error){0};
    sized_net(&net, 3, 41);
    assert_null(open_declared(&net, &NET_SHAPE(-1, -1, 40, 40), NULL, &err));
    assert_non_null(strstr(err.text, "[N, N, 40, 40], which leaves a picture's channels open"));
    err = (struct eng_error){0};
    pooled_net(&net); /* one side says something else than the card */
    assert_null(
        open_declared(&net, &NET_SHAPE(-1, 3, -1, 9), "{\"width\": 7, \"height\": 5}", &err));
    assert_non_null(strstr(err.text, "has shape [N, 3, 5, 9]"));
}

/* [N, H, W, C] that is said to be [C, H, W] would be read in the wrong order. */
static void layouts_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct net net;
    struct eng_error err = {0};
    pooled_net(&net);
    assert_null(open_declared(&net, NULL, "{\"layout\": \"hwc\"}", &err));
    assert_non_null(strstr(err.text, "layout hwc"));
}

/* Bytes and doubles in, doubles out, with labels before the scores: [N, 4] through Identity. */
static void add_typed_net(struct net *net, enum eng_dtype dtype)
{
    struct eng_shape shape = NET_SHAPE(-1, 1, 2, 2);
    struct eng_attr to = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT64};
    int x;
    net_init(net, 4);
    assert_int_equal(eng_graph_add_input(&net->graph, "x", dtype, &shape, &x, NULL), ENG_OK);
    int real = dtype == ENG_FLOAT64 ? x : net_node(net, "Cast", "real", &x, 1, &to, 1);
    int scores = net_node(net, "Flatten", "scores", &real, 1, NULL, 0);
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    int label = net_node(net, "ArgMax", "label", &scores, 1, &axis, 1);
    net_output(net, label);
    net_output(net, scores);
    net_output(net, net_node(net, "Neg", "others", &scores, 1, NULL, 0));
}

static void check_types(enum eng_dtype dtype, const float *sample, const double *wanted)
{
    struct net net;
    struct eng_error err = {0};
    struct eng_session *session;
    add_typed_net(&net, dtype);
    struct eng_model *model = open_declared(&net, NULL, NULL, &err);
    if (!model) fail_msg("%s", err.text);
    const struct eng_card *card = eng_model_card(model);
    assert_true(card->takes_images && card->n_classes == 4);
    assert_string_equal(card->output, "scores");
    assert_true(card->preprocess.scale == (dtype == ENG_UINT8 ? 1.0f : 1.0f / 255));
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    for (int i = 0; i < 3; i++)
        memcpy(eng_session_sample(session, 3, i), sample, 4 * sizeof *sample);
    const float *found = eng_session_classify(session, 3);
    double sum = 0;
    for (int k = 0; k < 4; k++)
        sum += exp(wanted[k] - wanted[2]);
    for (int k = 0; k < 12; k++)
        assert_true(fabs((double)found[k] - exp(wanted[k % 4] - wanted[2]) / sum) < 1e-6);
    eng_session_destroy(session);
    eng_model_destroy(model);
}

static void bytes_and_doubles_are_samples_too(void **state)
{
    (void)state;
    check_types(ENG_FLOAT64, (float[]){-0.5f, 0.25f, 1.5f, 1.0f}, (double[]){-0.5, 0.25, 1.5, 1.0});
    check_types(ENG_UINT8, (float[]){254.6f, -3.0f, 300.0f, 252.4f}, (double[]){255, 0, 255, 252});
}

/* By name or place; labels are no answers. */
static void the_output_can_be_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *said, *chosen, *refusal;
    } cases[] = {
        {"\"others\"", "others", NULL},
        {"1", "scores", NULL},
        {"2", "others", NULL},
        {"0", NULL, "output 'label' holds int64; wanted one that holds floats"},
        {"3", NULL, "output is '3', but the graph has no output of that name; wanted one of its 3"},
        {"\"score\"", NULL, "output is 'score', but"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net net;
        struct eng_error err = {0};
        struct eng_model *model = NULL;
        struct onnx_property property = {"classifyd.output", cases[i].said};
        uint8_t *bytes;
        size_t n_bytes;
        add_typed_net(&net, ENG_FLOAT64);
        net_to_bytes(&net, &property, 1, &bytes, &n_bytes);
        eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err);
        free(bytes);
        net_fini(&net);
        if (cases[i].refusal) {
            assert_null(model);
            if (!strstr(err.text, cases[i].refusal)) fail_msg("%s", err.text);
            continue;
        }
        if (!model) fail_msg("%s", err.text);
        assert_string_equal(eng_model_card(model)->output, cases[i].chosen);
        eng_model_destroy(model);
    }
}

/* Operators that stay out say why. */
static void absent_operators_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *domain, *op_type, *advice;
    } cases[] = {
        {"", "If", "node 'odd' (If): has 2 inputs, wanted 1, the condition"},
        {"", "Scan", "node 'odd' (Scan): decides while the model runs"},
        {"", "Loop", "export the traced module"},
        {"", "SequenceAt", "wanted tensors only"},
        {"", "NonZero", "without its post-processing"},
        {"ai.onnx.ml", "ZipMap", "'zipmap': False"},
        {"ai.onnx.ml", "TreeEnsembleClassifier", "classical machine learning"},
        {"com.microsoft", "FusedMatMul", "before ONNX Runtime optimised it"},
        {"", "Frobnicate", "operator 'Frobnicate' of domain 'ai.onnx' is not known"},
        {"org.example", "Odd", "imports no operator set of 'org.example'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net net;
        struct onnx_model onnx;
        struct eng_graph graph;
        struct eng_error err = {0};
        pooled_net(&net);
        assert_int_equal(eng_convert_export(&net.graph, &onnx, NULL), ENG_OK);
        onnx.nodes[0].name = "odd";
        onnx.nodes[0].op_type = cases[i].op_type;
        onnx.nodes[0].domain = cases[i].domain;
        eng_graph_init(&graph);
        assert_int_not_equal(eng_convert_import(&onnx, &graph, &err), ENG_OK);
        if (!strstr(err.text, cases[i].advice)) fail_msg("%s: %s", cases[i].op_type, err.text);
        eng_graph_fini(&graph);
        onnx_model_fini(&onnx);
        net_fini(&net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_sides_follow_the_card),
        cmocka_unit_test(a_preset_has_a_size_for_open_sides_only),
        cmocka_unit_test(open_sides_take_what_the_graph_computes),
        cmocka_unit_test(open_sides_that_nothing_usual_fits_are_refused),
        cmocka_unit_test(layouts_that_do_not_fit_are_refused),
        cmocka_unit_test(bytes_and_doubles_are_samples_too),
        cmocka_unit_test(the_output_can_be_chosen),
        cmocka_unit_test(absent_operators_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
