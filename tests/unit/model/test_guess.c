/* Files that say nothing: what is seen in the graph, what is guessed, what is declined and why. */
#include "engine/session.h"
#include "net_file.h"

#include <math.h>

/* What a bare file holds: one graph from a picture to answers. */
struct made {
    struct eng_shape input;
    enum eng_dtype dtype;
    const char *first; /* an operator with a constant in front of the network; NULL: none */
    float constant;
    int64_t n_classes;
    const char *last;     /* an operator behind the scores; NULL: none */
    const char *producer; /* NULL: ours */
};

static int add_first(struct net *net, const struct made *made, int value)
{
    struct eng_attr to = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT32};
    if (made->dtype != ENG_FLOAT32) value = net_node(net, "Cast", "real", &value, 1, &to, 1);
    if (!made->first) return value;
    int constant = net_constant(net, "constant", ENG_FLOAT32, NET_SHAPE(1), &made->constant);
    return net_node(net, made->first, "scaled", (int[]){value, constant}, 2, NULL, 0);
}

/* -> [Cast] -> [first] -> [Transpose of N, H, W, C] -> Conv -> mean -> Gemm -> [last] */
static void make(struct net *net, const struct made *made)
{
    bool last = made->input.dim[1] != 1 && made->input.dim[1] != 3;
    struct eng_shape shape = made->input;
    int64_t n_channels = shape.dim[last ? 3 : 1];
    const int64_t order[] = {0, 3, 1, 2};
    struct eng_attr perm = net_ints("perm", order, 4);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x;
    net_init(net, 4);
    assert_int_equal(eng_graph_add_input(&net->graph, "x", made->dtype, &shape, &x, NULL), ENG_OK);
    int y = add_first(net, made, x);
    if (last) y = net_node(net, "Transpose", "turned", &y, 1, &perm, 1);
    int w = net_weight(net, "w", NET_SHAPE(4, n_channels, 3, 3), -1.0f, 1.0f);
    y = net_node(net, "Conv", "conv", (int[]){y, w}, 2, NULL, 0);
    y = net_node(net, "GlobalAveragePool", "pooled", &y, 1, NULL, 0);
    y = net_node(net, "Flatten", "flat", &y, 1, NULL, 0);
    w = net_weight(net, "head", NET_SHAPE(made->n_classes, 4), -1.0f, 1.0f);
    y = net_node(net, "Gemm", "scores", (int[]){y, w}, 2, &trans_b, 1);
    if (made->last) y = net_node(net, made->last, "answers", &y, 1, NULL, 0);
    net_output(net, y);
}

static struct eng_model *open_made(const struct made *made, const char *key, const char *value,
                                   struct eng_error *err)
{
    struct net net;
    struct onnx_property property = {key, value};
    struct eng_model *model = NULL;
    uint8_t *bytes;
    size_t n_bytes;
    struct onnx_model onnx;
    make(&net, made);
    assert_int_equal(eng_convert_export(&net.graph, &onnx, NULL), ENG_OK);
    if (made->producer) onnx.producer_name = made->producer;
    onnx.properties = &property;
    onnx.n_properties = key != NULL;
    assert_int_equal(onnx_model_write(&onnx, &bytes, &n_bytes, NULL), ENG_OK);
    onnx_model_fini(&onnx);
    eng_model_open_bytes(bytes, n_bytes, NULL, &model, err);
    free(bytes);
    net_fini(&net);
    return model;
}

static struct eng_model *must_open(const struct made *made)
{
    struct eng_error err = {0};
    struct eng_model *model = open_made(made, NULL, NULL, &err);
    if (!model) fail_msg("%s", err.text);
    return model;
}

static const struct {
    struct made made;
    float scale, mean, std; /* of the first channel */
    enum eng_resize resize;
} value_rows[] = {
    {{NET_SHAPE(-1, 3, 224, 224), ENG_FLOAT32, NULL, 0, 1000, NULL, NULL},
     1.0f / 255,
     0.485f,
     0.229f,
     ENG_RESIZE_CENTER_CROP},
    {{NET_SHAPE(-1, 128, 160, 3), ENG_FLOAT32, NULL, 0, 1001, "Softmax", NULL},
     1.0f / 127.5f,
     1,
     1,
     ENG_RESIZE_CENTER_CROP},
    /* ten classes, or pictures too small for photographs, or grey ones: nothing is known */
    {{NET_SHAPE(-1, 3, 224, 224), ENG_FLOAT32, NULL, 0, 10, NULL, NULL},
     1.0f / 255,
     0,
     1,
     ENG_RESIZE_STRETCH},
    {{NET_SHAPE(-1, 3, 64, 64), ENG_FLOAT32, NULL, 0, 1000, NULL, NULL},
     1.0f / 255,
     0,
     1,
     ENG_RESIZE_STRETCH},
    {{NET_SHAPE(-1, 1, 224, 224), ENG_FLOAT32, NULL, 0, 1000, NULL, NULL},
     1.0f / 255,
     0,
     1,
     ENG_RESIZE_STRETCH},
    /* the graph scales for itself */
    {{NET_SHAPE(-1, 224, 224, 3), ENG_FLOAT32, "Mul", 1.0f / 255, 1000, NULL, NULL},
     1,
     0,
     1,
     ENG_RESIZE_CENTER_CROP},
    {{NET_SHAPE(-1, 3, 32, 32), ENG_FLOAT32, "Div", 127.5f, 10, NULL, NULL},
     1,
     0,
     1,
     ENG_RESIZE_STRETCH},
    {{NET_SHAPE(-1, 3, 32, 32), ENG_FLOAT32, "Sub", 103.9f, 10, NULL, NULL},
     1,
     0,
     1,
     ENG_RESIZE_STRETCH},
    {{NET_SHAPE(-1, 3, 32, 32), ENG_FLOAT32, "Add", -103.9f, 10, NULL, NULL},
     1,
     0,
     1,
     ENG_RESIZE_STRETCH},
    {{NET_SHAPE(-1, 3, 224, 224), ENG_FLOAT32, "Sub", 0.485f, 1000, NULL, NULL},
     1.0f / 255,
     0,
     1,
     ENG_RESIZE_CENTER_CROP},
    {{NET_SHAPE(-1, 3, 32, 32), ENG_FLOAT32, "Mul", 2, 10, NULL, NULL},
     1.0f / 255,
     0,
     1,
     ENG_RESIZE_STRETCH},
    /* bytes are the pixels as they are */
    {{NET_SHAPE(-1, 224, 224, 3), ENG_UINT8, NULL, 0, 1000, NULL, NULL},
     1,
     0,
     1,
     ENG_RESIZE_CENTER_CROP},
};

static void values_follow_classes_and_the_first_nodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_rows / sizeof *value_rows; i++) {
        struct eng_model *model = must_open(&value_rows[i].made);
        const struct eng_card *card = eng_model_card(model);
        const struct eng_preprocess *pre = &card->preprocess;
        assert_true(card->takes_images && card->guessed & ENG_GUESS_PREPROCESS);
        assert_int_equal(card->origin[ENG_CARD_VALUES], ENG_ORIGIN_GUESSED);
        assert_true(pre->scale == value_rows[i].scale);
        assert_true(pre->mean[0] == value_rows[i].mean && pre->std[0] == value_rows[i].std);
        assert_int_equal(pre->resize, value_rows[i].resize);
        if (pre->resize == ENG_RESIZE_CENTER_CROP)
            assert_int_equal(pre->shorter_side_px, pre->width_px * 8 / 7);
        eng_model_destroy(model);
    }
}

static void caffes_networks_are_bgr(void **state)
{
    (void)state;
    struct made made = {.input = NET_SHAPE(-1, 3, 224, 224),
                        .dtype = ENG_FLOAT32,
                        .n_classes = 1000,
                        .producer = "onnx-caffe2"};
    struct eng_model *model = must_open(&made);
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    assert_int_equal(pre->color, ENG_COLOR_BGR);
    assert_true(pre->scale == 1 && pre->mean[0] == 103.939f && pre->mean[2] == 123.68f);
    eng_model_destroy(model);
    model = open_made(&made, "Image.BitmapPixelFormat", "Rgb8", NULL);
    assert_non_null(model);
    pre = &eng_model_card(model)->preprocess;
    assert_int_equal(pre->color, ENG_COLOR_RGB);
    assert_true(pre->mean[0] == 123.68f && pre->mean[2] == 103.939f);
    eng_model_destroy(model);
    made.n_classes = 10; /* no photographs */
    model = must_open(&made);
    assert_int_equal(eng_model_card(model)->preprocess.color, ENG_COLOR_RGB);
    eng_model_destroy(model);
}

/* Of what somebody says nothing is guessed; the means of a guess stand in the order that is said.
 */
static void what_is_said_is_not_guessed(void **state)
{
    (void)state;
    const struct made made = {NET_SHAPE(-1, 3, 224, 224), ENG_FLOAT32, NULL, 0, 1000, NULL, NULL};
    struct eng_model *model = open_made(&made, "classifyd.preprocess",
                                        "{\"color\": \"bgr\", \"resize\": \"letterbox\"}", NULL);
    assert_non_null(model);
    const struct eng_card *card = eng_model_card(model);
    assert_true(card->preprocess.mean[0] == 0.406f && card->preprocess.mean[2] == 0.485f);
    assert_true(card->preprocess.std[0] == 0.225f && card->preprocess.std[2] == 0.229f);
    assert_int_equal(card->preprocess.resize, ENG_RESIZE_LETTERBOX);
    assert_int_equal(card->origin[ENG_CARD_RESIZE], ENG_ORIGIN_FILE);
    eng_model_destroy(model);
    model = open_made(&made, "classifyd.preprocess", "{\"scale\": 1}", NULL);
    assert_non_null(model);
    card = eng_model_card(model);
    assert_true(card->preprocess.scale == 1 && card->preprocess.mean[0] == 0);
    assert_int_equal(card->guessed & ENG_GUESS_PREPROCESS, 0);
    eng_model_destroy(model);
}

static void answers_are_what_the_last_node_makes(void **state)
{
    (void)state;
    static const struct {
        const char *last;
        int64_t n_classes;
        bool softmax, independent, guessed;
    } rows[] = {
        {NULL, 5, true, false, true},        {"LogSoftmax", 5, true, false, false},
        {"Softmax", 5, false, false, false}, {"Sigmoid", 5, false, true, false},
        {"Sigmoid", 1, false, true, false},  {"Relu", 5, true, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct made made = {NET_SHAPE(-1, 3, 8, 8), ENG_FLOAT32,  NULL, 0,
                                  rows[i].n_classes,      rows[i].last, NULL};
        struct eng_model *model = must_open(&made);
        const struct eng_card *card = eng_model_card(model);
        struct eng_session *session;
        double sum = 0;
        assert_int_equal(card->add_softmax, rows[i].softmax);
        assert_int_equal(card->independent, rows[i].independent);
        assert_int_equal((card->guessed & ENG_GUESS_SOFTMAX) != 0, rows[i].guessed);
        assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
        memset(eng_session_sample(session, 1, 0), 0, 192 * sizeof(float));
        const float *answer = eng_session_classify(session, 1);
        for (int64_t k = 0; k < rows[i].n_classes; k++)
            sum += (double)answer[k];
        /* without bias all scores of nothing are 0 */
        assert_true(fabs(sum - (rows[i].independent ? 0.5 * (double)rows[i].n_classes : 1)) < 1e-6);
        eng_session_destroy(session);
        eng_model_destroy(model);
    }
}

/* A graph that nobody said to classify pictures opens for raw tensors, and says why it does not. */
static void what_takes_no_pictures_says_why(void **state)
{
    (void)state;
    static const struct {
        struct made made;
        const char *why;
    } rows[] = {
        {{NET_SHAPE(-1, 8, 8, 4), ENG_FLOAT32, NULL, 0, 5, NULL, NULL},
         "input 'x' has shape [N, 8, 8, 4]; wanted 1 or 3 channels"},
        {{NET_SHAPE(2, 3, 8, 8), ENG_FLOAT32, NULL, 0, 5, NULL, NULL},
         "input 'x' has shape [2, 3, 8, 8]; wanted a batch of 1, or an open one, as its first "
         "dimension: export it so"},
        {{NET_SHAPE(-1, 3, 8, 8), ENG_INT64, NULL, 0, 5, NULL, NULL},
         "input 'x' holds int64; wanted floats or bytes (uint8)"},
        {{NET_SHAPE(-1, 3, 8, 8), ENG_FLOAT32, NULL, 0, 1, NULL, NULL},
         "output 'scores' gives one number, and a softmax of one score is always 1; wanted a graph "
         "that ends in a Sigmoid"},
        {{NET_SHAPE(-1, 3, 8, 8), ENG_FLOAT32, NULL, 0, 70000, NULL, NULL},
         "output 'scores' has 70000 classes, wanted 1 to 65536"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eng_model *model = must_open(&rows[i].made);
        const struct eng_card *card = eng_model_card(model);
        assert_false(card->takes_images);
        if (!strstr(card->no_pictures, rows[i].why)) fail_msg("%s", card->no_pictures);
        eng_model_destroy(model);
        struct eng_error err = {0};
        assert_null(open_made(&rows[i].made, "classifyd.preprocess", "{\"scale\": 1}", &err));
        if (!strstr(err.text, rows[i].why)) fail_msg("%s", err.text);
    }
}

static void labels_that_do_not_fit_bring_advice(void **state)
{
    (void)state;
    static const struct {
        int64_t n_classes;
        const char *last, *text;
    } rows[] = {
        {3, NULL, "2 labels, but output 'scores' has 3 classes; TensorFlow's networks often"},
        {5, NULL, "2 labels, but output 'scores' has 5 classes"},
        {1, "Sigmoid", "2 labels, but output 'answers' has 1 class; wanted the one label"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct made made = {NET_SHAPE(-1, 3, 8, 8), ENG_FLOAT32,  NULL, 0,
                                  rows[i].n_classes,      rows[i].last, NULL};
        struct eng_error err = {0};
        assert_null(open_made(&made, "classifyd.labels", "[\"cat\", \"dog\"]", &err));
        if (!strstr(err.text, rows[i].text)) fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_classes_and_the_first_nodes),
        cmocka_unit_test(caffes_networks_are_bgr),
        cmocka_unit_test(what_is_said_is_not_guessed),
        cmocka_unit_test(answers_are_what_the_last_node_makes),
        cmocka_unit_test(what_takes_no_pictures_says_why),
        cmocka_unit_test(labels_that_do_not_fit_bring_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
