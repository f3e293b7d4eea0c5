/* eng_card_write and back: read(write(card)) is card; golden samples and their checks. */
#include "model/card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const labels[] = {"nought", "one \"quoted\"", "zw\xc3\xb6lf"};
static const uint8_t pixels[2][6] = {{0, 1, 2, 253, 254, 255}, {9, 8, 7, 6, 5, 4}};
static const float probabilities[2][3] = {{0.1f, 0.2f, 0.7f}, {1.0f / 3, 1.0f / 3, 1e-7f}};

struct fixture {
    struct eng_arena arena;
    struct eng_card card;
    struct eng_golden golden[2];
    struct onnx_property *rows;
    size_t n_rows;
    struct eng_card_source back;
    struct eng_error err;
};

/* A grey picture of 3 x 2, three classes, two samples. */
static void begin(struct fixture *f)
{
    eng_arena_fini(&f->arena);
    *f = (struct fixture){.card = {.n_classes = 3,
                                   .labels = labels,
                                   .preprocess = {.color = ENG_COLOR_GRAY,
                                                  .width_px = 3,
                                                  .height_px = 2,
                                                  .scale = 1.0f / 255.0f,
                                                  .mean = {0.1307f},
                                                  .std = {0.3081f}},
                                   .n_golden = 2},
                          .golden = {{pixels[0], probabilities[0]}, {pixels[1], probabilities[1]}}};
}

static enum eng_status write_card(struct fixture *f, const char *history, const char *recipe)
{
    return eng_card_write(&f->card, f->golden, history, recipe, &f->arena, &f->rows, &f->n_rows,
                          &f->err);
}

static enum eng_status read_back(struct fixture *f)
{
    struct onnx_model onnx = {.producer_name = "",
                              .producer_version = "",
                              .doc_string = "",
                              .graph_name = "",
                              .properties = f->rows,
                              .n_properties = f->n_rows};
    enum eng_status status = eng_card_read(&onnx, NULL, &f->arena, &f->back, &f->err);
    if (status != ENG_OK) print_message("%s\n", f->err.text);
    return status;
}

static const char *value_of(const struct fixture *f, const char *key)
{
    for (size_t i = 0; i < f->n_rows; i++)
        if (strcmp(f->rows[i].key, key) == 0) return f->rows[i].value;
    return NULL;
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    eng_arena_fini(&f->arena);
    free(f);
    return 0;
}

static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(write_card(f, "{\"seed\": 1}", "{\"optimiser\": \"adam\"}"), ENG_OK);
    assert_int_equal(read_back(f), ENG_OK);
    const struct eng_card *card = &f->back.card;
    assert_int_equal(card->n_classes, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(card->labels[i], labels[i]);
    assert_string_equal(card->history, "{\"seed\": 1}");
    assert_string_equal(value_of(f, "classifyd.recipe"), "{\"optimiser\": \"adam\"}");
    assert_false(f->back.has_softmax);
    assert_int_equal(card->n_golden, 2);
    for (int g = 0; g < 2; g++) {
        assert_memory_equal(f->back.golden[g].pixels, pixels[g], 6);
        assert_memory_equal(f->back.golden[g].probabilities, probabilities[g], 3 * sizeof(float));
    }
}

static void assert_same_preprocess(const struct eng_preprocess *a, const struct eng_preprocess *b)
{
    assert_int_equal(a->color, b->color);
    assert_int_equal(a->resize, b->resize);
    assert_int_equal(a->layout, b->layout);
    assert_int_equal(a->filter, b->filter);
    assert_int_equal(a->aliased, b->aliased);
    assert_memory_equal(a->background, b->background, 3);
    assert_int_equal(a->width_px, b->width_px);
    assert_int_equal(a->height_px, b->height_px);
    assert_int_equal(a->shorter_side_px, b->shorter_side_px);
    assert_true(a->scale == b->scale);
    for (uint32_t c = 0; c < eng_preprocess_channels(a); c++)
        assert_true(a->mean[c] == b->mean[c] && a->std[c] == b->std[c]);
}

static void test_every_preprocess_comes_back(void **state)
{
    struct fixture *f = *state;
    static const struct eng_preprocess rows[] = {
        {.color = ENG_COLOR_GRAY,
         .width_px = 28,
         .height_px = 28,
         .scale = 1.0f / 255.0f,
         .std = {1}},
        {.color = ENG_COLOR_RGB,
         .resize = ENG_RESIZE_CENTER_CROP,
         .filter = ENG_FILTER_BICUBIC,
         .width_px = 224,
         .height_px = 224,
         .shorter_side_px = 256,
         .scale = 1.0f / 255.0f,
         .mean = {0.485f, 0.456f, 0.406f},
         .std = {0.229f, 0.224f, 0.225f}},
        {.color = ENG_COLOR_BGR,
         .resize = ENG_RESIZE_LETTERBOX,
         .layout = ENG_LAYOUT_HWC,
         .filter = ENG_FILTER_NEAREST,
         .aliased = true,
         .background = {0, 114, 255},
         .width_px = 1,
         .height_px = 65535,
         .scale = 1,
         .mean = {103.939f, 1e-8f, -7},
         .std = {1, 1, 1e8f}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(f);
        f->card.n_golden = 0;
        f->card.preprocess = rows[i];
        assert_int_equal(write_card(f, NULL, NULL), ENG_OK);
        assert_int_equal(read_back(f), ENG_OK);
        assert_same_preprocess(&f->back.card.preprocess, &rows[i]);
        assert_true(f->back.has_preprocess && f->back.has_color && f->back.has_layout &&
                    f->back.has_size);
    }
}

static void test_spec_keys(void **state)
{
    struct fixture *f = *state;
    begin(f);
    assert_int_equal(write_card(f, NULL, NULL), ENG_OK);
    assert_string_equal(value_of(f, "Image.BitmapPixelFormat"), "Gray8");
    assert_null(value_of(f, "Image.NominalPixelRange")); /* mean and std say more than it can */
    assert_null(value_of(f, "classifyd.softmax"));
    begin(f);
    f->card.preprocess.color = ENG_COLOR_BGR;
    f->card.n_golden = 0;
    f->card.add_softmax = true;
    for (int c = 0; c < 3; c++) {
        f->card.preprocess.mean[c] = 0;
        f->card.preprocess.std[c] = 1;
    }
    assert_int_equal(write_card(f, NULL, NULL), ENG_OK);
    assert_string_equal(value_of(f, "Image.BitmapPixelFormat"), "Bgr8");
    assert_string_equal(value_of(f, "Image.NominalPixelRange"), "Normalized_0_1");
    assert_string_equal(value_of(f, "classifyd.softmax"), "true");
    f->card.preprocess.scale = 1;
    assert_int_equal(write_card(f, NULL, NULL), ENG_OK);
    assert_string_equal(value_of(f, "Image.NominalPixelRange"), "NominalRange_0_255");
    assert_int_equal(read_back(f), ENG_OK);
    assert_true(f->back.has_softmax && f->back.card.add_softmax);
}

static void test_write_refusals(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"a", "\xff", "c"};
    begin(f);
    assert_int_equal(write_card(f, "[1]", NULL), ENG_ARGUMENT);
    assert_string_equal(f->err.text, "classifyd.history is no JSON object");
    begin(f);
    assert_int_equal(write_card(f, NULL, "{"), ENG_FORMAT);
    begin(f);
    f->card.labels = bad;
    assert_int_equal(write_card(f, NULL, NULL), ENG_ARGUMENT);
    assert_string_equal(f->err.text, "classifyd.labels[1] is not UTF-8 text, or memory is out");
    begin(f);
    f->card.preprocess.width_px = 0;
    assert_int_equal(write_card(f, NULL, NULL), ENG_ARGUMENT);
    assert_string_equal(f->err.text, "the card's picture size is 0 x 2; wanted 1 or more");
}

/* Replaces the value of one row, or drops it, and reads. */
static void assert_changed_fails(struct fixture *f, const char *key, const char *value,
                                 const char *sentence)
{
    begin(f);
    assert_int_equal(write_card(f, NULL, NULL), ENG_OK);
    for (size_t i = 0; i < f->n_rows; i++) {
        if (strcmp(f->rows[i].key, key) != 0) continue;
        if (value)
            f->rows[i].value = value;
        else
            f->rows[i] = f->rows[--f->n_rows];
    }
    struct onnx_model onnx = {.producer_name = "",
                              .producer_version = "",
                              .doc_string = "",
                              .graph_name = "",
                              .properties = f->rows,
                              .n_properties = f->n_rows};
    assert_int_equal(eng_card_read(&onnx, NULL, &f->arena, &f->back, &f->err), ENG_FORMAT);
    assert_string_equal(f->err.text, sentence);
}

static void test_golden_must_fit(void **state)
{
    struct fixture *f = *state;
    static const char beside[] = "metadata: golden samples are recorded; wanted labels and "
                                 "preprocess with color, width and height beside them";
    assert_changed_fails(f, "classifyd.labels", NULL, beside);
    assert_changed_fails(f, "classifyd.preprocess", NULL, beside);
    assert_changed_fails(
        f, "classifyd.labels", "[\"a\"]",
        "metadata: golden samples have 3 probabilities; wanted 1, one for each label");
    assert_changed_fails(f, "classifyd.preprocess",
                         "{\"color\": \"gray\", \"width\": 4, \"height\": 2}",
                         "metadata: golden samples have 6 bytes of pixels; wanted 8 (2 x 4 x 1) as "
                         "preprocess says");
}

static void test_golden_mistakes(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *json, *sentence;
    } rows[] = {
        {"{}", " is {}; wanted a list of at most 1000 samples"},
        {"[7]", "[0] is 7; wanted an object"},
        {"[{}]", "[0].pixels is missing; wanted a base64 string"},
        {"[{\"pixels\": \"AAAA\"}]",
         "[0].probabilities is missing; wanted a list of numbers from 0 to 1"},
        {"[{\"pixels\": \"AAA\", \"probabilities\": [1]}]",
         "[0].pixels is \"AAA\"; wanted base64 with its padding"},
        {"[{\"pixels\": \"A*AA\", \"probabilities\": [1]}]",
         "[0].pixels is \"A*AA\"; wanted base64 with its padding"},
        {"[{\"pixels\": \"AAAA\", \"probabilities\": [1.5]}]",
         "[0].probabilities[0] is 1.5; wanted a list of numbers from 0 to 1"},
        {"[{\"pixels\": \"AAAA\", \"probabilities\": [1], \"label\": 1}]",
         "[0].label is not a known key; wanted one of: pixels, probabilities"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sentence[200];
        snprintf(sentence, sizeof sentence, "metadata: classifyd.golden%s", rows[i].sentence);
        assert_changed_fails(f, "classifyd.golden", rows[i].json, sentence);
    }
    assert_changed_fails(
        f, "classifyd.golden",
        "[{\"pixels\": \"AAAA\", \"probabilities\": [1]}, {\"pixels\": "
        "\"AAAAAA==\", \"probabilities\": [1]}]",
        "metadata: classifyd.golden[1] has 4 bytes of pixels; wanted 3, as the first "
        "sample");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_every_preprocess_comes_back),
        cmocka_unit_test(test_spec_keys),       cmocka_unit_test(test_write_refusals),
        cmocka_unit_test(test_golden_must_fit), cmocka_unit_test(test_golden_mistakes),
    };
    return cmocka_run_group_tests_name("card write", tests, set_up, tear_down);
}
