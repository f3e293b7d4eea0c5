/* The card: metadata and config.json in, metadata out, and sentences for what is wrong. */
#include "model/card.h"

#include "base/file.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_PROPERTIES = 8 };

struct fixture {
    struct eng_arena arena;
    struct onnx_model onnx;
    struct onnx_property properties[MAX_PROPERTIES];
    struct eng_card_source out;
    struct eng_error err;
    struct temp_folder folder;
    char config[600];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    f->folder = temp_folder_make();
    snprintf(f->config, sizeof f->config, "%s/config.json", f->folder.path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    temp_folder_remove(&f->folder);
    eng_arena_fini(&f->arena);
    free(f);
    return 0;
}

/* A model file without metadata. */
static void begin(struct fixture *f)
{
    f->err = (struct eng_error){0};
    f->out = (struct eng_card_source){0};
    f->onnx = (struct onnx_model){.producer_name = "pytorch",
                                  .producer_version = "1.13",
                                  .doc_string = "a net",
                                  .graph_name = "main",
                                  .properties = f->properties};
}

static void property(struct fixture *f, const char *key, const char *value)
{
    assert_true(f->onnx.n_properties < MAX_PROPERTIES);
    f->properties[f->onnx.n_properties++] = (struct onnx_property){key, value};
}

static void put(struct fixture *f, const char *name, const char *text)
{
    assert_int_equal(eng_file_write(temp_folder_file(&f->folder, name), text, strlen(text), NULL),
                     ENG_OK);
}

static enum eng_status read_card(struct fixture *f, const char *config_path)
{
    enum eng_status status = eng_card_read(&f->onnx, config_path, &f->arena, &f->out, &f->err);
    if (status != ENG_OK && f->err.status == ENG_OK) print_message("no sentence\n");
    return status;
}

/* One property, nothing else. */
static void assert_property_fails(struct fixture *f, const char *key, const char *value,
                                  enum eng_status status, const char *sentence)
{
    begin(f);
    property(f, key, value);
    assert_int_equal(read_card(f, NULL), status);
    assert_string_equal(f->err.text, sentence);
    assert_null(f->out.card.name); /* untouched */
}

/* config.json alone; the sentence follows its path. */
static void assert_config_fails(struct fixture *f, const char *config, enum eng_status status,
                                const char *sentence)
{
    char wanted[1024];
    begin(f);
    put(f, "config.json", config);
    snprintf(wanted, sizeof wanted, "%s%s", f->config, sentence);
    assert_int_equal(read_card(f, f->config), status);
    assert_string_equal(f->err.text, wanted);
}

static void assert_reads(struct fixture *f, const char *config_path)
{
    enum eng_status status = read_card(f, config_path);
    if (status != ENG_OK) print_message("%s\n", f->err.text);
    assert_int_equal(status, ENG_OK);
}

static void test_nothing_said(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(f, "author", "somebody");
    assert_reads(f, NULL);
    const struct eng_card *card = &f->out.card;
    assert_string_equal(card->name, "main");
    assert_string_equal(card->producer, "pytorch 1.13");
    assert_string_equal(card->description, "a net");
    assert_null(card->labels);
    assert_null(card->history);
    assert_null(card->recipe);
    assert_int_equal(card->n_classes, 0);
    assert_int_equal(card->n_golden, 0);
    assert_false(f->out.has_preprocess || f->out.has_color || f->out.has_layout ||
                 f->out.has_size || f->out.has_softmax);
    assert_true(card->preprocess.scale == 1.0f / 255.0f);
    assert_true(card->preprocess.std[2] == 1.0f && card->preprocess.mean[0] == 0.0f);
}

static void test_strings_are_copies(void **state)
{
    struct fixture *f = *state;
    char name[] = "main", history[] = "{\"epochs\": []}";
    begin(f);
    f->onnx.graph_name = name;
    property(f, "classifyd.history", history);
    property(f, "classifyd.recipe", "{\"dataset\": \"mnist\"}");
    assert_reads(f, NULL);
    memset(name, 'x', sizeof name - 1);
    memset(history, 'x', sizeof history - 1);
    assert_string_equal(f->out.card.name, "main");
    assert_string_equal(f->out.card.history, "{\"epochs\": []}");
    assert_string_equal(f->out.card.recipe, "{\"dataset\": \"mnist\"}");
}

static void test_preprocess(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(
        f, "classifyd.preprocess",
        "{\"color\": \"bgr\", \"resize\": \"center_crop\", \"layout\": \"hwc\", \"width\": 224,"
        " \"height\": 220, \"shorter_side\": 256, \"scale\": 1, \"mean\": [1, 2.5, -3],"
        " \"std\": [0.5]}");
    assert_reads(f, NULL);
    const struct eng_preprocess *pre = &f->out.card.preprocess;
    assert_true(f->out.has_preprocess && f->out.has_color && f->out.has_layout && f->out.has_size);
    assert_int_equal(pre->color, ENG_COLOR_BGR);
    assert_int_equal(pre->resize, ENG_RESIZE_CENTER_CROP);
    assert_int_equal(pre->layout, ENG_LAYOUT_HWC);
    assert_int_equal(pre->width_px, 224);
    assert_int_equal(pre->height_px, 220);
    assert_int_equal(pre->shorter_side_px, 256);
    assert_true(pre->scale == 1 && pre->mean[1] == 2.5f && pre->mean[2] == -3);
    assert_true(pre->std[0] == 0.5f && pre->std[1] == 0.5f && pre->std[2] == 0.5f);
}

static void test_image_keys(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(f, "Image.BitmapPixelFormat", "Bgr8");
    property(f, "Image.ColorSpaceGamma", "SRGB");
    assert_reads(f, NULL);
    assert_true(f->out.has_color && !f->out.has_preprocess);
    assert_int_equal(f->out.card.preprocess.color, ENG_COLOR_BGR);
    static const struct {
        const char *name;
        float black, white; /* what pixels 0 and 255 become */
    } rows[] = {
        {"NominalRange_0_255", 0, 255},
        {"Normalized_0_1", 0, 1},
        {"Normalized_1_1", -1, 1},
        {"NominalRange_16_235", 16, 235},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(f);
        property(f, "Image.NominalPixelRange", rows[i].name);
        assert_reads(f, NULL);
        const struct eng_preprocess *pre = &f->out.card.preprocess;
        assert_true(f->out.has_preprocess && !f->out.has_color);
        assert_float_equal((0 - pre->mean[1]) / pre->std[1], rows[i].black, 1e-4);
        assert_float_equal((255 * pre->scale - pre->mean[2]) / pre->std[2], rows[i].white, 1e-4);
    }
    assert_property_fails(
        f, "Image.BitmapPixelFormat", "Rgba8", ENG_UNSUPPORTED,
        "metadata: Image.BitmapPixelFormat is 'Rgba8'; wanted Gray8, Rgb8 or Bgr8");
    assert_property_fails(f, "Image.NominalPixelRange", "odd", ENG_UNSUPPORTED,
                          "metadata: Image.NominalPixelRange is 'odd'; wanted NominalRange_0_255, "
                          "Normalized_0_1, Normalized_1_1 or NominalRange_16_235");
    assert_property_fails(f, "Image.ColorSpaceGamma", "Linear", ENG_UNSUPPORTED,
                          "metadata: Image.ColorSpaceGamma is 'Linear'; wanted SRGB");
}

static void test_config_wins_key_by_key(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(f, "classifyd.labels", "[\"a\", \"b\"]");
    property(f, "classifyd.preprocess", "{\"color\": \"rgb\", \"width\": 8, \"height\": 6}");
    property(f, "classifyd.softmax", "true");
    put(f, "config.json",
        "{\"labels\": [\"cat\", \"dog\", \"h\\u00f6hle\"], \"preprocess\": {\"color\": \"bgr\","
        " \"mean\": [0.5]}, \"softmax\": false, \"description\": \"animals\"}");
    assert_reads(f, f->config);
    const struct eng_card *card = &f->out.card;
    assert_int_equal(card->n_classes, 3);
    assert_string_equal(card->labels[2], "h\xc3\xb6hle");
    assert_string_equal(card->description, "animals");
    assert_true(f->out.has_softmax && !card->add_softmax);
    assert_int_equal(card->preprocess.color, ENG_COLOR_BGR);
    assert_int_equal(card->preprocess.width_px, 8);
    assert_true(card->preprocess.mean[2] == 0.5f);
}

static void test_labels_file(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "names.txt", "tench\r\ngoldfish, Carassius auratus\nh\xc3\xb6hle");
    put(f, "config.json", "{\"labels_file\": \"names.txt\"}");
    assert_reads(f, f->config);
    assert_int_equal(f->out.card.n_classes, 3);
    assert_string_equal(f->out.card.labels[0], "tench");
    assert_string_equal(f->out.card.labels[1], "goldfish, Carassius auratus");
    assert_string_equal(f->out.card.labels[2], "h\xc3\xb6hle");

    char names[600], sentence[700];
    snprintf(names, sizeof names, "%s", temp_folder_file(&f->folder, "names.txt"));
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"", "empty; wanted one label a line"},
        {"a\n\nb\n", "line 2 is empty; wanted a label"},
        {"a\n\xff\n", "not UTF-8 text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(f);
        put(f, "names.txt", rows[i].text);
        snprintf(sentence, sizeof sentence, "%s: %s", names, rows[i].sentence);
        assert_int_equal(read_card(f, f->config), ENG_FORMAT);
        assert_string_equal(f->err.text, sentence);
    }
    begin(f);
    put(f, "config.json", "{\"labels_file\": \"absent.txt\"}");
    assert_int_equal(read_card(f, f->config), ENG_NOT_FOUND);
    assert_non_null(strstr(f->err.text, "absent.txt"));
}

static void test_metadata_mistakes(void **state)
{
    struct fixture *f = *state;
    assert_property_fails(f, "classifyd.lables", "[]", ENG_FORMAT,
                          "metadata: classifyd.lables is not a known key; did you mean "
                          "classifyd.labels?");
    assert_property_fails(f, "classifyd.labels", "[\"a\"", ENG_FORMAT,
                          "metadata: classifyd.labels: line 1, column 4: ']' expected near end of "
                          "file");
    assert_property_fails(f, "classifyd.labels", "{}", ENG_FORMAT,
                          "metadata: classifyd.labels is {}; wanted a list of strings, one for "
                          "each class");
    assert_property_fails(f, "classifyd.labels", "[]", ENG_FORMAT,
                          "metadata: classifyd.labels is []; wanted a list of strings, one "
                          "for each class");
    assert_property_fails(f, "classifyd.labels", "[\"a\", 7]", ENG_FORMAT,
                          "metadata: classifyd.labels[1] is 7; wanted a string");
    assert_property_fails(f, "classifyd.softmax", "1", ENG_FORMAT,
                          "metadata: classifyd.softmax is 1; wanted true or false");
    assert_property_fails(f, "classifyd.history", "[]", ENG_FORMAT,
                          "metadata: classifyd.history is []; wanted an object");
    assert_property_fails(f, "classifyd.recipe", "no JSON", ENG_FORMAT,
                          "metadata: classifyd.recipe: line 1, column 2: invalid token near 'no'");
}

static void test_config_mistakes(void **state)
{
    struct fixture *f = *state;
    assert_config_fails(f, "[]", ENG_FORMAT, ": not a JSON object");
    assert_config_fails(f, "{\"softmaxx\": true}", ENG_FORMAT,
                        ": softmaxx is not a known key; did you mean softmax?");
    assert_config_fails(f, "{\"quite_other\": true}", ENG_FORMAT,
                        ": quite_other is not a known key");
    assert_config_fails(f, "{\"labels\": [\"a\"], \"labels_file\": \"x\"}", ENG_FORMAT,
                        ": has both labels and labels_file; wanted one");
    assert_config_fails(f, "{\"softmax\": true, \"softmax\": true}", ENG_FORMAT,
                        ": line 1, column 27: duplicate object key near '\"softmax\"'");
    assert_config_fails(f, "{\"description\": \"a\\u0000b\"}", ENG_FORMAT,
                        ": line 1, column 26: \\u0000 is not allowed without JSON_ALLOW_NUL near "
                        "'\"a\\u0000b\"'");
    begin(f);
    assert_int_equal(read_card(f, temp_folder_file(&f->folder, "absent.json")), ENG_NOT_FOUND);
}

static void test_preprocess_mistakes(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *json, *sentence;
    } rows[] = {
        {"7", "preprocess is 7; wanted an object"},
        {"{\"maen\": [1]}", "preprocess.maen is not a known key; did you mean mean?"},
        {"{\"colour\": \"rgb\"}", "preprocess.colour is not a known key; did you mean color?"},
        {"{\"color\": \"cmyk\"}", "preprocess.color is 'cmyk', but must be one of: gray, rgb, bgr"},
        {"{\"color\": 3}", "preprocess.color is 3; wanted a string"},
        {"{\"width\": 0}", "preprocess.width is 0, but must lie in 1 to 65535"},
        {"{\"width\": 28.5}", "preprocess.width is 28.5; wanted an integer"},
        {"{\"width\": 28}", "preprocess.height is missing; wanted it beside width"},
        {"{\"scale\": \"1/255\"}", "preprocess.scale is \"1/255\"; wanted a number"},
        {"{\"scale\": 0}", "preprocess.scale is 0, but must lie in 1e-09 to 1e+09"},
        {"{\"mean\": 0.5}", "preprocess.mean is 0.5; wanted 1 or 3 numbers from -1e9 to 1e9"},
        {"{\"mean\": [1, 2]}", "preprocess.mean is [1,2]; wanted 1 or 3 numbers"},
        {"{\"std\": [1, 1, 0]}", "preprocess.std[2] is 0; wanted 1 or 3 numbers from 1e-9 to 1e9"},
        {"{\"std\": [1, 1, \"x\"]}",
         "preprocess.std[2] is \"x\"; wanted 1 or 3 numbers from 1e-9 to 1e9"},
        {"{\"color\": \"gray\", \"mean\": [1, 2, 3]}",
         "preprocess.mean has 3 values; wanted 1 for color \"gray\""},
        {"{\"resize\": \"center_crop\", \"width\": 224, \"height\": 224, \"shorter_side\": 200}",
         "preprocess.shorter_side is 200; wanted 224 or more with resize \"center_crop\""},
        {"{\"resize\": \"center_crop\"}",
         "preprocess.shorter_side is 0; wanted 1 or more with resize \"center_crop\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char config[300], sentence[300];
        snprintf(config, sizeof config, "{\"preprocess\": %s}", rows[i].json);
        snprintf(sentence, sizeof sentence, ": %s", rows[i].sentence);
        assert_config_fails(f, config, ENG_FORMAT, sentence);
    }
}

static void test_three_means_are_a_color_picture(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(f, "classifyd.preprocess", "{\"mean\": [0.4, 0.5, 0.6]}");
    assert_reads(f, NULL);
    assert_true(f->out.has_color);
    assert_int_equal(f->out.card.preprocess.color, ENG_COLOR_RGB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_strings_are_copies),
        cmocka_unit_test(test_preprocess),
        cmocka_unit_test(test_image_keys),
        cmocka_unit_test(test_config_wins_key_by_key),
        cmocka_unit_test(test_labels_file),
        cmocka_unit_test(test_metadata_mistakes),
        cmocka_unit_test(test_config_mistakes),
        cmocka_unit_test(test_preprocess_mistakes),
        cmocka_unit_test(test_three_means_are_a_color_picture),
    };
    return cmocka_run_group_tests_name("card", tests, set_up, tear_down);
}
