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
    enum eng_status status =
        eng_card_read(&f->onnx, &(struct eng_model_options){.config_path = config_path}, &f->arena,
                      &f->out, &f->err);
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

/* A labels file of that text; the labels are joined with '|'. */
static void assert_labels(struct fixture *f, const char *text, const char *wanted)
{
    char found[400] = "";
    begin(f);
    put(f, "names.txt", text);
    put(f, "config.json", "{\"labels_file\": \"names.txt\"}");
    assert_reads(f, f->config);
    for (size_t i = 0; i < f->out.card.n_classes; i++) {
        if (i > 0) strcat(found, "|");
        strcat(found, f->out.card.labels[i]);
    }
    assert_string_equal(found, wanted);
    assert_int_equal(f->out.card.origin[ENG_CARD_LABELS], ENG_ORIGIN_CONFIG);
}

static void test_labels_file(void **state)
{
    struct fixture *f = *state;
    assert_labels(f, "tench\r\ngoldfish, Carassius auratus\nh\xc3\xb6hle",
                  "tench|goldfish, Carassius auratus|h\xc3\xb6hle");
    assert_labels(f,
                  "\xef\xbb\xbf"
                  "a\nb\n",
                  "a|b");
    assert_labels(f, " [\"a\", \"b c\"]\n", "a|b c");
    assert_labels(f, "{\"1\": \"b\", \"0\": \"a\"}", "a|b");
    assert_labels(f, "{\"0\": [\"n01440764\", \"tench\"], \"1\": [\"n01443537\", \"goldfish\"]}",
                  "tench|goldfish");
    assert_labels(f, "{\"cat\": 1, \"ant\": 0, \"7\": 2}", "ant|cat|7");
    assert_labels(f, "n01440764 tench, Tinca tinca\nn01443537\tgoldfish\n",
                  "tench, Tinca tinca|goldfish");
    assert_labels(f, "n01440764 tench\nn0144353 goldfish\n", "n01440764 tench|n0144353 goldfish");
    assert_labels(f, "n01440764\nn01443537\n", "n01440764|n01443537");
    assert_labels(f, "0,tench, Tinca tinca\n1, goldfish\n", "tench, Tinca tinca|goldfish");
    assert_labels(f, "0: n01440764 tench\n1: n01443537 goldfish", "tench|goldfish");
    assert_labels(f, "1,a\n2,b\n", "1,a|2,b"); /* not their own indices */
    assert_labels(f, "0\n1\n2", "0|1|2");
    assert_labels(f, "0 a\n1  b c", "a|b c");
    assert_labels(f, "0 a\n2 b", "0 a|2 b");
    assert_labels(f, "a\nb\n\n\r\n", "a|b"); /* empty lines at the end shift nothing */
}

static void test_labels_file_mistakes(void **state)
{
    struct fixture *f = *state;
    char names[600], sentence[700];
    snprintf(names, sizeof names, "%s", temp_folder_file(&f->folder, "names.txt"));
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"", "empty; wanted one label a line"},
        {"a\n\nb\n", "line 2 is empty; wanted a label"},
        {"\n\n", "empty; wanted one label a line"},
        {"a\n\xff\n", "not UTF-8 text"},
        {"[\"a\", 7]", "labels[1] is 7; wanted a string"},
        {"[\"a\"", "line 1, column 4: ']' expected near end of file"},
        {"[]", "labels is []; wanted a list of strings, one for each class"},
        {"{\"0\": \"a\", \"2\": \"b\"}",
         "labels[\"2\"] is \"b\"; wanted an index from 0 to 1 with its name, each index once"},
        {"{\"0\": \"a\", \"00\": \"b\"}",
         "labels[\"00\"] is \"b\"; wanted an index from 0 to 1 with its name, each index once"},
        {"{\"a\": 0, \"b\": 0}",
         "labels[\"b\"] is 0; wanted an index from 0 to 1 with its name, each index once"},
        {"{\"a\": -1}",
         "labels[\"a\"] is -1; wanted an index from 0 to 0 with its name, each index once"},
        {"{\"0\": 0.5}",
         "labels[\"0\"] is 0.5; wanted an index from 0 to 0 with its name, each index once"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(f);
        put(f, "names.txt", rows[i].text);
        put(f, "config.json", "{\"labels_file\": \"names.txt\"}");
        snprintf(sentence, sizeof sentence, "%s: %s", names, rows[i].sentence);
        assert_int_equal(read_card(f, f->config), ENG_FORMAT);
        assert_string_equal(f->err.text, sentence);
    }
    begin(f);
    put(f, "config.json", "{\"labels_file\": \"absent.txt\"}");
    assert_int_equal(read_card(f, f->config), ENG_NOT_FOUND);
    assert_non_null(strstr(f->err.text, "absent.txt"));
}

/* The preset's keys, then those that refine it, then those that options say. */
static void test_presets(void **state)
{
    struct fixture *f = *state;
    begin(f);
    property(f, "classifyd.preprocess", "{\"color\": \"gray\", \"scale\": 3, \"mean\": [7]}");
    put(f, "config.json", "{\"preprocess\": {\"std\": [2, 3, 4], \"preset\": \"imagenet-caffe\"}}");
    assert_reads(f, f->config);
    const struct eng_preprocess *pre = &f->out.card.preprocess;
    assert_true(f->out.has_preprocess && f->out.has_color && !f->out.has_layout);
    assert_false(f->out.has_size);
    assert_int_equal(f->out.default_side_px, 224);
    assert_int_equal(pre->color, ENG_COLOR_BGR);
    assert_int_equal(pre->resize, ENG_RESIZE_CENTER_CROP);
    assert_true(pre->scale == 1 && pre->mean[0] == 103.939f && pre->mean[2] == 123.68f);
    assert_true(pre->std[0] == 2 && pre->std[2] == 4);
    assert_int_equal(f->out.card.origin[ENG_CARD_COLOR], ENG_ORIGIN_CONFIG);
    assert_int_equal(f->out.card.origin[ENG_CARD_LAYOUT], ENG_ORIGIN_DEFAULT);

    begin(f);
    put(f, "config.json",
        "{\"preprocess\": {\"preset\": \"mnist\", \"width\": 20, \"height\": 30}}");
    assert_reads(f, f->config);
    assert_int_equal(f->out.card.preprocess.color, ENG_COLOR_GRAY);
    assert_int_equal(f->out.card.preprocess.width_px, 20);
    assert_true(f->out.card.preprocess.std[0] == 0.3081f);

    begin(f);
    const struct eng_model_options options = {.config_path = f->config, .preset = "zero-one"};
    assert_int_equal(eng_card_read(&f->onnx, &options, &f->arena, &f->out, &f->err), ENG_OK);
    assert_true(f->out.card.preprocess.std[0] == 1 && f->out.card.preprocess.mean[0] == 0);
    assert_int_equal(f->out.card.preprocess.color, ENG_COLOR_GRAY); /* zero-one leaves it */

    begin(f);
    const struct eng_model_options wrong = {.preset = "imagenet-tensorflow"};
    assert_int_equal(eng_card_read(&f->onnx, &wrong, &f->arena, &f->out, &f->err), ENG_FORMAT);
    assert_string_equal(f->err.text,
                        "the options: preset is 'imagenet-tensorflow'; wanted one of: "
                        "imagenet-torchvision, imagenet-tf, imagenet-caffe, mnist, cifar10, "
                        "zero-one");
}

static void test_crop_percentage(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *keys;
        unsigned shorter;
    } rows[] = {
        {"\"width\": 224, \"height\": 224, \"crop_percentage\": 87.5", 256},
        {"\"width\": 224, \"height\": 180, \"crop_percentage\": 95", 235}, /* 235.8 */
        {"\"width\": 240, \"height\": 240, \"crop_percentage\": 100", 240},
        {"\"width\": 299, \"height\": 299, \"preset\": \"imagenet-tf\"", 341},
        {"\"width\": 224, \"height\": 224, \"preset\": \"imagenet-tf\", \"shorter_side\": 232",
         232},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char config[300];
        snprintf(config, sizeof config, "{\"preprocess\": {\"resize\": \"center_crop\", %s}}",
                 rows[i].keys);
        begin(f);
        put(f, "config.json", config);
        assert_reads(f, f->config);
        assert_int_equal(f->out.card.preprocess.shorter_side_px, rows[i].shorter);
    }
}

static void test_resizing_keys(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "config.json",
        "{\"preprocess\": {\"resize\": \"letterbox\", \"filter\": \"bicubic\", \"antialias\": "
        "false,"
        " \"background\": [114], \"layout\": \"nhwc\"}, \"top\": 3, \"output\": \"scores\"}");
    assert_reads(f, f->config);
    const struct eng_preprocess *pre = &f->out.card.preprocess;
    assert_int_equal(pre->resize, ENG_RESIZE_LETTERBOX);
    assert_int_equal(pre->filter, ENG_FILTER_BICUBIC);
    assert_true(pre->aliased);
    assert_memory_equal(pre->background, "rrr", 3);
    assert_int_equal(pre->layout, ENG_LAYOUT_HWC);
    assert_int_equal(f->out.card.top, 3);
    assert_string_equal(f->out.card.output, "scores");
    assert_int_equal(f->out.card.origin[ENG_CARD_TOP], ENG_ORIGIN_CONFIG);
    assert_int_equal(f->out.card.origin[ENG_CARD_FILTER], ENG_ORIGIN_CONFIG);
    assert_int_equal(f->out.card.origin[ENG_CARD_VALUES], ENG_ORIGIN_DEFAULT);
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
    assert_config_fails(f, "{\"top\": 0}", ENG_FORMAT,
                        ": top is 0; wanted a whole number from 1 to 65536");
    assert_config_fails(f, "{\"output\": -1}", ENG_FORMAT,
                        ": output is -1; wanted the name of an output or its place, 0 or more");
    assert_config_fails(f, "{\"quite_other\": true}", ENG_FORMAT,
                        ": quite_other is not a known key; wanted one of: labels, labels_file, "
                        "preprocess, output, softmax, top, description, engine, version_labels, "
                        "version_policy, batching");
    assert_config_fails(f, "{\"preset\": \"mnist\"}", ENG_FORMAT,
                        ": preset is not a known key; did you mean preprocess.preset?");
    assert_config_fails(f, "{\"labels\": \"labels.txt\"}", ENG_FORMAT,
                        ": labels is \"labels.txt\"; wanted a list of strings; the name of a file "
                        "stands in labels_file");
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
        {"7", "preprocess is 7; wanted an object, such as {\"preset\": \"imagenet-torchvision\"}"},
        {"{\"zzzzzzzzz\": 1}",
         "preprocess.zzzzzzzzz is not a known key; wanted one of: mean, std, background, preset, "
         "color, layout, width, height, resize, shorter_side, crop_percentage, filter, antialias, "
         "scale"},
        {"{\"size\": 224}", "preprocess.size is not a known key; did you mean width and height?"},
        {"{\"interpolation\": \"bicubic\"}",
         "preprocess.interpolation is not a known key; did you mean filter?"},
        {"{\"crop_pct\": 0.875}",
         "preprocess.crop_pct is not a known key; did you mean crop_percentage, 87.5 for 0.875?"},
        {"{\"mean\": [123.7, 116.3, 103.5], \"std\": 1}",
         "preprocess.mean is 123.7, and nobody says a scale, so that pixels are 0 to 1; wanted "
         "\"scale\": 1 beside it for pixels of 0 to 255"},
        {"{\"std\": 58}",
         "preprocess.std is 58, and nobody says a scale, so that pixels are 0 to 1; wanted "
         "\"scale\": 1 beside it for pixels of 0 to 255"},
        {"{\"maen\": [1]}", "preprocess.maen is not a known key; did you mean mean?"},
        {"{\"colour\": \"rgb\"}", "preprocess.colour is not a known key; did you mean color?"},
        {"{\"color\": \"cmyk\"}", "preprocess.color is 'cmyk', but must be one of: gray, rgb, bgr"},
        {"{\"color\": 3}", "preprocess.color is 3; wanted a string"},
        {"{\"width\": 0}", "preprocess.width is 0, but must lie in 1 to 65535"},
        {"{\"width\": 28.5}", "preprocess.width is 28.5; wanted an integer"},
        {"{\"width\": 28}", "preprocess.height is missing; wanted it beside width"},
        {"{\"scale\": \"1/255\"}", "preprocess.scale is \"1/255\"; wanted a number"},
        {"{\"scale\": 0}", "preprocess.scale is 0, but must lie in 1e-09 to 1e+09"},
        {"{\"mean\": \"x\"}", "preprocess.mean is \"x\"; wanted 1 or 3 numbers from -1e9 to 1e9"},
        {"{\"mean\": [1, 2]}", "preprocess.mean is [1,2]; wanted 1 or 3 numbers from -1e9 to 1e9"},
        {"{\"std\": 0}", "preprocess.std is 0; wanted 1 or 3 numbers from 1e-9 to 1e9"},
        {"{\"std\": [1, 1, 0]}", "preprocess.std[2] is 0; wanted 1 or 3 numbers from 1e-9 to 1e9"},
        {"{\"std\": [1, 1, \"x\"]}",
         "preprocess.std[2] is \"x\"; wanted 1 or 3 numbers from 1e-9 to 1e9"},
        {"{\"color\": \"gray\", \"mean\": [1, 2, 3]}",
         "preprocess.mean has 3 values; wanted 1 for color \"gray\""},
        {"{\"resize\": \"center_crop\", \"width\": 224, \"height\": 224, \"shorter_side\": 200}",
         "preprocess.shorter_side is 200; wanted 224 or more with resize \"center_crop\""},
        {"{\"resize\": \"center_crop\", \"crop_percentage\": 0.875}",
         "preprocess.crop_percentage is 0.875, but must lie in 10 to 100"},
        {"{\"resize\": \"center_crop\", \"crop_percentage\": 90, \"shorter_side\": 9}",
         "preprocess.crop_percentage is 90; wanted either it or shorter_side, not both"},
        {"{\"crop_percentage\": 90}",
         "preprocess.crop_percentage is 90; wanted resize \"center_crop\" with it"},
        {"{\"background\": [1, 2]}",
         "preprocess.background is [1,2]; wanted 1 or 3 whole numbers from 0 to 255"},
        {"{\"background\": 256}",
         "preprocess.background is 256; wanted 1 or 3 whole numbers from 0 to 255"},
        {"{\"background\": [0.5]}",
         "preprocess.background is [0.5]; wanted 1 or 3 whole numbers from 0 to 255"},
        {"{\"background\": [256]}",
         "preprocess.background[0] is 256; wanted 1 or 3 whole numbers from 0 to 255"},
        {"{\"filter\": \"lanczos\"}",
         "preprocess.filter is 'lanczos', but must be one of: bilinear, bicubic, nearest"},
        {"{\"antialias\": 1}", "preprocess.antialias is 1; wanted true or false"},
        {"{\"preset\": \"mnsit\"}",
         "preprocess.preset is 'mnsit'; wanted one of: imagenet-torchvision, imagenet-tf, "
         "imagenet-caffe, mnist, cifar10, zero-one; did you mean mnist?"},
        {"{\"preset\": 1}", "preprocess.preset is 1; wanted a string"},
        {"{\"resize\": \"center_crop\"}",
         "preprocess.shorter_side is missing; wanted it or crop_percentage with resize "
         "\"center_crop\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char config[400], sentence[400];
        snprintf(config, sizeof config, "{\"preprocess\": %s}", rows[i].json);
        snprintf(sentence, sizeof sentence, ": %s", rows[i].sentence);
        assert_config_fails(f, config, ENG_FORMAT, sentence);
    }
}

/* A scale of its own, a preset's and a range's each say what means are of. */
static void test_one_number_stands_for_all_channels(void **state)
{
    struct fixture *f = *state;
    static const char *const rows[] = {
        "{\"mean\": 33.3, \"std\": [78.6], \"scale\": 1, \"background\": 255}",
        "{\"preset\": \"imagenet-caffe\", \"mean\": 33.3, \"std\": 78.6, \"background\": [255]}"};
    for (size_t i = 0; i < 2; i++) {
        begin(f);
        property(f, "classifyd.preprocess", rows[i]);
        assert_int_equal(read_card(f, NULL), ENG_OK);
        const struct eng_preprocess *pre = &f->out.card.preprocess;
        for (size_t c = 0; c < 3; c++) {
            assert_true(pre->mean[c] == 33.3f && pre->std[c] == 78.6f);
            assert_int_equal(pre->background[c], 255);
        }
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
        cmocka_unit_test(test_labels_file_mistakes),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_crop_percentage),
        cmocka_unit_test(test_resizing_keys),
        cmocka_unit_test(test_metadata_mistakes),
        cmocka_unit_test(test_config_mistakes),
        cmocka_unit_test(test_preprocess_mistakes),
        cmocka_unit_test(test_one_number_stands_for_all_channels),
        cmocka_unit_test(test_three_means_are_a_color_picture),
    };
    return cmocka_run_group_tests_name("card", tests, set_up, tear_down);
}
