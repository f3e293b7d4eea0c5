/* Opening models: what is read, what is guessed, what is refused; sessions over them. */
#include "engine/session.h"
#include "base/file.h"
#include "net_file.h"
#include "temp_folder.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static struct eng_model *open_net(const struct net *net, struct onnx_property *properties,
                                  size_t n_properties, struct eng_error *err)
{
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model = NULL;
    net_to_bytes(net, properties, n_properties, &bytes, &n_bytes);
    eng_model_open_bytes(bytes, n_bytes, NULL, &model, err);
    free(bytes);
    return model;
}

/* x [N, 1, 4, 4] -> Flatten -> Gemm: three scores. batch: -1 or a number. */
static void linear_net(struct net *net, int64_t batch)
{
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    net_init(net, 4);
    int x = net_input(net, "x", NET_SHAPE(batch, 1, 4, 4));
    int flat = net_node(net, "Flatten", "flat", &x, 1, NULL, 0);
    int w = net_weight(net, "w", NET_SHAPE(3, 16), -1.0f, 1.0f);
    net_output(net, net_node(net, "Gemm", "scores", (int[]){flat, w}, 2, &trans_b, 1));
}

static void bare_file_is_completed_by_guessing(void **state)
{
    (void)state;
    struct net net;
    linear_net(&net, -1);
    struct eng_model *model = open_net(&net, NULL, 0, NULL);
    assert_non_null(model);
    const struct eng_card *card = eng_model_card(model);
    assert_true(card->takes_images);
    assert_int_equal(card->guessed, ENG_GUESS_LABELS | ENG_GUESS_PREPROCESS | ENG_GUESS_SOFTMAX);
    assert_int_equal(card->n_classes, 3);
    assert_string_equal(card->labels[2], "2");
    assert_int_equal(card->preprocess.width_px, 4);
    assert_int_equal(card->preprocess.color, ENG_COLOR_GRAY);
    assert_int_equal(eng_model_max_batch(model), 32);
    assert_int_equal(strlen(eng_model_digest(model)), 64);
    const char *name;
    struct eng_tensor input = eng_model_input(model, 0, &name);
    assert_string_equal(name, "x");
    assert_int_equal(input.shape.dim[0], -1);
    eng_model_destroy(model);
    net_fini(&net);
}

static void softmax_is_not_added_twice(void **state)
{
    (void)state;
    struct net net;
    linear_net(&net, -1);
    int scores = net.graph.outputs[0];
    net.graph.outputs[0] = net_node(&net, "Softmax", "probabilities", &scores, 1, NULL, 0);
    struct eng_model *model = open_net(&net, NULL, 0, NULL);
    assert_non_null(model);
    assert_false(eng_model_card(model)->add_softmax);
    eng_model_destroy(model);
    net_fini(&net);
}

/* A file that declares batch 1 takes more; test_batch.c has the graphs that do not. */
static void declared_batch_of_one_is_widened(void **state)
{
    (void)state;
    struct net net;
    linear_net(&net, 1);
    struct eng_model *model = open_net(&net, NULL, 0, NULL);
    assert_int_equal(eng_model_max_batch(model), 32);
    assert_false(eng_model_runs_one_by_one(model));
    eng_model_destroy(model);
    net_fini(&net);
}

/* The scores, of which the model's probabilities are the softmax, are kept. */
static void check_scores(const float *scores, const float *probabilities, int n)
{
    for (int i = 0; i < 3 * n; i += 3) {
        float sum = expf(scores[i]) + expf(scores[i + 1]) + expf(scores[i + 2]);
        assert_true(fabsf(sum - 1) > 1e-3f);
        for (int k = 0; k < 3; k++)
            assert_true(fabsf(expf(scores[i + k]) / sum - probabilities[i + k]) < 1e-6f);
    }
}

static void classify_gives_probabilities_whatever_the_batch(void **state)
{
    (void)state;
    struct net net;
    struct eng_session *session;
    linear_net(&net, -1);
    struct eng_model *model = open_net(&net, NULL, 0, NULL);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    uint8_t pixels[5][16];
    float alone[5][3];
    for (int i = 0; i < 80; i++)
        pixels[i / 16][i % 16] = (uint8_t)(i * 37 % 256);
    for (int i = 0; i < 5; i++) {
        eng_preprocess_bytes(&eng_model_card(model)->preprocess, pixels[i],
                             eng_session_sample(session, 1, 0));
        memcpy(alone[i], eng_session_classify(session, 1), sizeof alone[i]);
        assert_true(fabsf(alone[i][0] + alone[i][1] + alone[i][2] - 1.0f) < 1e-6f);
    }
    for (int i = 0; i < 5; i++)
        eng_preprocess_bytes(&eng_model_card(model)->preprocess, pixels[i],
                             eng_session_sample(session, 5, i));
    const float *together = eng_session_classify(session, 5);
    assert_memory_equal(together, alone, sizeof alone);
    check_scores(eng_session_scores(session), together, 5);
    eng_session_destroy(session);
    eng_model_destroy(model);
    net_fini(&net);
}

static void raw_runs_check_type_and_shape(void **state)
{
    (void)state;
    struct net net;
    struct eng_session *session;
    struct eng_error err = {0};
    linear_net(&net, -1);
    struct eng_model *model = open_net(&net, NULL, 0, NULL);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    float data[2 * 16] = {0};
    struct eng_tensor output,
        input = {.dtype = ENG_FLOAT32, .shape = NET_SHAPE(2, 1, 4, 4), .data = data};
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, &err), ENG_OK);
    assert_int_equal(output.shape.dim[0], 2);
    assert_int_equal(output.shape.dim[1], 3);
    input.shape = NET_SHAPE(2, 1, 4, 2);
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "[2, 1, 4, 2]"));
    assert_non_null(strstr(err.text, "[2, 1, 4, 4]"));
    input.shape = NET_SHAPE(33, 1, 4, 4);
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, NULL), ENG_ARGUMENT);
    input = (struct eng_tensor){.dtype = ENG_INT64, .shape = NET_SHAPE(2, 1, 4, 4), .data = data};
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, NULL), ENG_ARGUMENT);
    assert_int_equal(eng_session_run(session, &input, 0, &output, 1, NULL), ENG_ARGUMENT);
    eng_session_destroy(session);
    eng_model_destroy(model);
    net_fini(&net);
}

/* Metadata must fit the graph; the sentence names both sides. */
static void metadata_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct net net;
    struct eng_error err = {0};
    linear_net(&net, -1);
    struct onnx_property labels = {"classifyd.labels", "[\"a\", \"b\"]"};
    assert_null(open_net(&net, &labels, 1, &err));
    assert_non_null(strstr(err.text, "2 labels"));
    assert_non_null(strstr(err.text, "3 classes"));
    err = (struct eng_error){0};
    struct onnx_property pre = {
        "classifyd.preprocess",
        "{\"color\": \"gray\", \"resize\": \"stretch\", \"width\": 5, \"height\": 4, \"layout\": "
        "\"chw\", \"scale\": 1, \"mean\": [0], \"std\": [1]}"};
    assert_null(open_net(&net, &pre, 1, &err));
    assert_non_null(strstr(err.text, "20 values"));
    net_fini(&net);
}

static void golden_samples_are_compared(void **state)
{
    (void)state;
    struct net net;
    struct eng_error err = {0};
    linear_net(&net, -1);
    /* 16 zero bytes: all scores are 0 without a bias, so each class has a third. */
    struct onnx_property right = {"classifyd.golden",
                                  "[{\"pixels\": \"AAAAAAAAAAAAAAAAAAAAAA==\", \"probabilities\": "
                                  "[0.333333, 0.333333, 0.333333]}]"};
    struct onnx_property wrong = {"classifyd.golden",
                                  "[{\"pixels\": \"AAAAAAAAAAAAAAAAAAAAAA==\", \"probabilities\": "
                                  "[0.5, 0.25, 0.25]}]"};
    struct onnx_property pre = {
        "classifyd.preprocess",
        "{\"color\": \"gray\", \"resize\": \"stretch\", \"width\": 4, \"height\": 4, \"layout\": "
        "\"chw\", \"scale\": 1, \"mean\": [0], \"std\": [1]}"};
    struct onnx_property labels = {"classifyd.labels", "[\"a\", \"b\", \"c\"]"};
    for (int i = 0; i < 2; i++) {
        struct eng_session *session;
        struct onnx_property rows[3] = {pre, labels, i == 0 ? right : wrong};
        struct eng_model *model = open_net(&net, rows, 3, &err);
        assert_non_null(model);
        assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
        assert_int_equal(eng_session_check_golden(session, &err), i == 0 ? ENG_OK : ENG_MISMATCH);
        eng_session_destroy(session);
        eng_model_destroy(model);
    }
    assert_non_null(strstr(err.text, "class 'a'"));
    net_fini(&net);
}

static void put(struct temp_folder *folder, const char *name, const void *bytes, size_t n_bytes)
{
    struct eng_error err = {0};
    if (eng_file_write(temp_folder_file(folder, name), bytes, n_bytes, &err) != ENG_OK)
        fail_msg("%s", err.text);
}

/* The model's config.json counts, also where the version is a link to a folder elsewhere. */
static void config_lies_above_the_version_or_in_it(void **state)
{
    (void)state;
    static const char config[] = "{\"labels\": [\"a\", \"b\", \"c\"]}", bad[] = "[]",
                      own[] = "{\"top\": 2}";
    static const char *const paths[] = {"m/1", "m/1/", "m/2", "m/2//", "m/1/.", "m/1/../1"};
    struct temp_folder folder = temp_folder_make();
    struct net net;
    uint8_t *bytes;
    size_t n_bytes;
    linear_net(&net, -1);
    net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
    assert_int_equal(mkdir(temp_folder_file(&folder, "m"), 0755), 0);
    assert_int_equal(mkdir(temp_folder_file(&folder, "m/1"), 0755), 0);
    assert_int_equal(mkdir(temp_folder_file(&folder, "elsewhere"), 0755), 0);
    assert_int_equal(symlink("../elsewhere", temp_folder_file(&folder, "m/2")), 0);
    put(&folder, "m/config.json", config, strlen(config));
    put(&folder, "config.json", bad, strlen(bad)); /* of nobody */
    put(&folder, "m/1/model.onnx", bytes, n_bytes);
    put(&folder, "elsewhere/model.onnx", bytes, n_bytes);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct eng_error err = {0};
        struct eng_model *model = NULL;
        if (eng_model_open(temp_folder_file(&folder, paths[i]), NULL, &model, &err) != ENG_OK)
            fail_msg("%s: %s", paths[i], err.text);
        assert_string_equal(eng_model_card(model)->labels[2], "c");
        eng_model_destroy(model);
    }
    put(&folder, "m/1/config.json", own, strlen(own)); /* stands for the model's */
    for (int version = 1; version <= 2; version++) {
        struct eng_model *model = NULL;
        const char *path = temp_folder_file(&folder, version == 1 ? "m/1" : "m/2");
        assert_int_equal(eng_model_open(path, NULL, &model, NULL), ENG_OK);
        assert_int_equal(eng_model_card(model)->top, version == 1 ? 2 : 0);
        assert_string_equal(eng_model_card(model)->labels[2], version == 1 ? "2" : "c");
        eng_model_destroy(model);
    }
    free(bytes);
    net_fini(&net);
    temp_folder_remove(&folder);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    struct eng_model *model = NULL;
    struct eng_error err = {0};
    assert_int_equal(eng_model_open("no/such/model.onnx", NULL, &model, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, "no/such/model.onnx"));
    assert_null(model);
    err = (struct eng_error){0};
    assert_int_equal(eng_model_open_bytes("garbage", 7, NULL, &model, &err), ENG_FORMAT);
    assert_true(strlen(err.text) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_file_is_completed_by_guessing),
        cmocka_unit_test(softmax_is_not_added_twice),
        cmocka_unit_test(declared_batch_of_one_is_widened),
        cmocka_unit_test(classify_gives_probabilities_whatever_the_batch),
        cmocka_unit_test(raw_runs_check_type_and_shape),
        cmocka_unit_test(metadata_that_do_not_fit_are_refused),
        cmocka_unit_test(golden_samples_are_compared),
        cmocka_unit_test(config_lies_above_the_version_or_in_it),
        cmocka_unit_test(missing_files_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
