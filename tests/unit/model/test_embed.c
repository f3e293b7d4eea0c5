/* A card goes into its file: the copy says the same by itself, and its graph is untouched. */
#include "model/embed.h"

#include "base/file.h"
#include "engine/session.h"
#include "net_file.h"
#include "temp_folder.h"

/* x [N, 3, 4, 4] -> Flatten -> Gemm -> Sigmoid: three probabilities, behind outputs that are not
 * wanted. */
static void three_outputs(struct net *net)
{
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    net_init(net, 4);
    int x = net_input(net, "x", NET_SHAPE(-1, 3, 4, 4));
    int flat = net_node(net, "Flatten", "flat", &x, 1, NULL, 0);
    net_output(net, flat);
    int w = net_weight(net, "w", NET_SHAPE(3, 48), -0.1f, 0.1f);
    int scores = net_node(net, "Gemm", "scores", (int[]){flat, w}, 2, &trans_b, 1);
    net_output(net, scores);
    net_output(net, net_node(net, "Sigmoid", "likely", &scores, 1, NULL, 0));
}

struct fixture {
    struct temp_folder folder;
    char config[600];
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model;
};

static const char config[] =
    "{\"labels\": [\"a\", \"b\", \"c\"], \"output\": \"likely\", \"top\": 2, \"softmax\": false,"
    " \"description\": \"three things\","
    " \"preprocess\": {\"preset\": \"imagenet-caffe\", \"filter\": \"bicubic\","
    " \"background\": [255]}}";

static int set_up(void **state)
{
    static struct fixture f;
    static struct onnx_property old[] = {{"classifyd.labels", "[\"x\", \"y\", \"z\"]"},
                                         {"Image.NominalPixelRange", "Normalized_0_1"},
                                         {"author", "somebody"}};
    struct net net;
    f.folder = temp_folder_make();
    snprintf(f.config, sizeof f.config, "%s", temp_folder_file(&f.folder, "config.json"));
    three_outputs(&net);
    net_to_bytes(&net, old, 3, &f.bytes, &f.n_bytes);
    net_fini(&net);
    assert_int_equal(eng_file_write(f.config, config, strlen(config), NULL), ENG_OK);
    const struct eng_model_options options = {.config_path = f.config};
    struct eng_error err = {0};
    if (eng_model_open_bytes(f.bytes, f.n_bytes, &options, &f.model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    eng_model_destroy(f->model);
    free(f->bytes);
    temp_folder_remove(&f->folder);
    return 0;
}

static struct eng_model *embed(const struct fixture *f, size_t n_pictures)
{
    uint8_t pixels[2][48], *bytes;
    size_t n_bytes;
    struct eng_error err = {0};
    struct eng_model *model = NULL;
    for (size_t i = 0; i < 48; i++)
        pixels[0][i] = (uint8_t)(i * 5), pixels[1][i] = (uint8_t)(255 - i);
    if (eng_model_embed(f->model, f->bytes, f->n_bytes, (const uint8_t *[]){pixels[0], pixels[1]},
                        n_pictures, &bytes, &n_bytes, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err), ENG_OK);
    free(bytes);
    return model;
}

static void the_copy_says_it_all(void **state)
{
    struct fixture *f = *state;
    struct eng_model *model = embed(f, 2);
    const struct eng_card *was = eng_model_card(f->model), *is = eng_model_card(model);
    assert_int_equal(is->n_classes, 3);
    assert_string_equal(is->labels[1], "b");
    assert_string_equal(is->output, "likely");
    assert_string_equal(is->description, "three things");
    assert_int_equal(is->top, 2);
    assert_false(is->add_softmax);
    assert_int_equal(is->guessed, 0);
    assert_int_equal(is->n_golden, 2);
    assert_int_equal(is->preprocess.filter, ENG_FILTER_BICUBIC);
    assert_memory_equal(is->preprocess.background, "\xff\xff\xff", 3);
    assert_int_equal(is->preprocess.color, ENG_COLOR_BGR);
    assert_int_equal(is->preprocess.shorter_side_px, 4); /* 4 / 0.875, cut */
    assert_int_equal(was->preprocess.shorter_side_px, 4);
    assert_true(is->preprocess.mean[0] == 103.939f);
    for (unsigned i = 0; i < ENG_N_CARD_ITEMS; i++)
        if (is->origin[i] != ENG_ORIGIN_FILE)
            fail_msg("%s is from %s", eng_card_item_name(i), eng_origin_name(is->origin[i]));
    eng_model_destroy(model);
}

static void golden_samples_are_checked(void **state)
{
    struct fixture *f = *state;
    struct eng_model *model = embed(f, 2);
    struct eng_session *session;
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    assert_int_equal(eng_session_check_golden(session, NULL), ENG_OK);
    eng_session_destroy(session);
    eng_model_destroy(model);
    model = embed(f, 0);
    assert_int_equal(eng_model_card(model)->n_golden, 0);
    eng_model_destroy(model);
}

static void scores_are_no_probabilities(void **state)
{
    struct fixture *f = *state;
    static const char wrong[] = "{\"softmax\": false, \"output\": 1}";
    const char *path = temp_folder_file(&f->folder, "wrong.json");
    assert_int_equal(eng_file_write(path, wrong, strlen(wrong), NULL), ENG_OK);
    const struct eng_model_options options = {.config_path = path};
    struct eng_model *model;
    struct eng_error err = {0};
    uint8_t pixels[48], *bytes = NULL;
    size_t n_bytes;
    memset(pixels, 200, sizeof pixels);
    assert_int_equal(eng_model_open_bytes(f->bytes, f->n_bytes, &options, &model, &err), ENG_OK);
    assert_string_equal(eng_model_card(model)->output, "scores");
    assert_int_equal(eng_model_embed(model, f->bytes, f->n_bytes, (const uint8_t *[]){pixels}, 1,
                                     &bytes, &n_bytes, &err),
                     ENG_MISMATCH);
    assert_non_null(strstr(err.text, "output 'scores' answers"));
    assert_null(bytes);
    eng_model_destroy(model);
}

static void what_the_file_said_is_known(void **state)
{
    struct fixture *f = *state;
    unsigned said;
    assert_int_equal(eng_model_said(f->bytes, f->n_bytes, &said, NULL), ENG_OK);
    assert_int_equal(said, 1u << ENG_CARD_LABELS | 1u << ENG_CARD_VALUES);
    assert_int_equal(eng_model_said("garbage", 7, &said, NULL), ENG_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_says_it_all),
        cmocka_unit_test(golden_samples_are_checked),
        cmocka_unit_test(scores_are_no_probabilities),
        cmocka_unit_test(what_the_file_said_is_known),
    };
    return cmocka_run_group_tests_name("embed", tests, set_up, tear_down);
}
