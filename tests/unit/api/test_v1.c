#include "api/v1_reply.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The start of a PNG is enough: nothing is decoded here. */
#define B64  "{\"b64\": \"iVBORw0KGgoAAAANSUhEUg==\"}"
#define SIX  "[1, 2, 3, 4, 5, 6]"
#define ROWS "[[[1, 2, 3], [4, 5, 6]]]"
/* The same as MIME and Android write it, and without padding. */
#define LOOSE   "{\"b64\": \" iVBORw0KGgoA\\r\\n\\tAAANSUhE\\nUg\"}"
#define NAMED   "{\"image\": " B64 "}"
#define FOUR(x) x ", " x ", " x ", " x

static const struct srv_pictures_limits limits = {.n_pictures = 3, .n_json_values = 30};
static const struct srv_v1_input input = {"image", {.rank = 3, .dim = {1, 2, 3}}};
static const float six[] = {1, 2, 3, 4, 5, 6};

struct read {
    struct srv_pictures pictures;
    bool is_column;
    struct eng_error err;
};

static enum srv_code read_predict(const char *body, struct read *out)
{
    *out = (struct read){.is_column = false};
    return srv_v1_read_predict(body, strlen(body), &input, &limits, &out->pictures, &out->is_column,
                               &out->err);
}

static enum srv_code read_classify(const char *body, struct read *out)
{
    *out = (struct read){.is_column = false};
    return srv_v1_read_classify(body, strlen(body), &input, &limits, &out->pictures, &out->err);
}

/* "tp": a tensor of six, a picture. */
static void check_samples(const char *body, const struct srv_pictures *pictures, const char *kinds)
{
    if (pictures->n_samples != strlen(kinds)) fail_msg("%s: %zu", body, pictures->n_samples);
    for (size_t i = 0; i < pictures->n_samples; i++) {
        const struct srv_sample *sample = &pictures->samples[i];
        bool is_tensor = kinds[i] == 't';
        assert_int_equal(sample->kind, is_tensor ? SRV_SAMPLE_TENSOR : SRV_SAMPLE_ENCODED);
        assert_int_equal(sample->n_bytes, is_tensor ? sizeof six : 16);
        if (is_tensor) assert_memory_equal(sample->data, six, sizeof six);
    }
    assert_true(pictures->is_list);
}

static void predict_takes_rows_and_columns(void **state)
{
    (void)state;
    static const struct {
        const char *body, *kinds;
        bool is_column;
    } rows[] = {
        {"{\"instances\": [" SIX "]}", "t", false},
        {"{\"instances\": [" ROWS ", " ROWS "]}", "tt", false},
        {"{\"instances\": [{\"image\": " SIX "}, {\"image\": " ROWS "}]}", "tt", false},
        {"{\"instances\": [{\"image\": " SIX "}, " SIX ", " B64 "]}", "ttp", false},
        {"{\"instances\": [" B64 ", " NAMED "]}", "pp", false},
        {"{\"inputs\": [" SIX ", " SIX "]}", "tt", true},
        {"{\"inputs\": [" ROWS "]}", "t", true},
        {"{\"inputs\": {\"image\": [" SIX "]}}", "t", true},
        {"{\"inputs\": {\"image\": [" B64 ", " B64 "]}}", "pp", true},
        {"{\"inputs\": {\"image\": " B64 "}}", "p", true},
        {"{\"inputs\": " B64 "}", "p", true},
        {"{\"inputs\": " LOOSE "}", "p", true},
        {"{\"inputs\": [" B64 "]}", "p", true},
        {"{\"signature_name\": \"serving_default\", \"instances\": [" SIX "]}", "t", false},
        {"{\"instances\": [" SIX "], \"signature_name\": \"\"}", "t", false},
        {"{\"parameters\": {\"x\": [1, null]}, \"instances\": [" SIX "]}", "t", false},
        {"{\"insta\\u006eces\": [{\"im\\u0061ge\": " SIX "}]}", "t", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct read read;
        enum srv_code code = read_predict(rows[i].body, &read);
        if (code != SRV_OK) fail_msg("%s: %s", rows[i].body, read.err.text);
        check_samples(rows[i].body, &read.pictures, rows[i].kinds);
        assert_int_equal(read.is_column, rows[i].is_column);
        srv_pictures_fini(&read.pictures);
    }
}

static void classify_takes_examples(void **state)
{
    (void)state;
    struct read read;
    assert_int_equal(read_classify("{\"signature_name\": \"serving_default\", \"examples\": [" NAMED
                                   ", {\"image\": " SIX "}, " B64 "]}",
                                   &read),
                     SRV_OK);
    check_samples("examples", &read.pictures, "ptp");
    srv_pictures_fini(&read.pictures);
}

struct refusal {
    const char *body;
    enum srv_code code;
    const char *part;
};

static void check_refusals(enum srv_code (*read)(const char *, struct read *),
                           const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct read out;
        enum srv_code code = read(rows[i].body, &out);
        if (code != rows[i].code || !strstr(out.err.text, rows[i].part))
            fail_msg("%s: code %d, \"%s\"", rows[i].body, code, out.err.text);
        assert_null(out.pictures.samples);
        assert_null(out.pictures.blocks);
    }
}

static void bad_predicts_are_named(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"", SRV_INVALID_REQUEST, "the JSON ends"},
        {"[]", SRV_INVALID_REQUEST, "this is a list, wanted an object"},
        {"{}", SRV_INVALID_REQUEST, "wanted exactly one of \"instances\" (rows) and \"inputs\""},
        {"{\"examples\": [" SIX "]}", SRV_INVALID_REQUEST, "the object has no input"},
        {"{\"instances\": [" SIX "], \"inputs\": [" SIX "]}", SRV_INVALID_REQUEST,
         "inputs: this is a second input"},
        {"{\"inputs\": [" SIX "], \"inputs\": [" SIX "]}", SRV_INVALID_REQUEST, "second input"},
        {"{\"instances\": [" SIX "]} x", SRV_INVALID_REQUEST, "wanted the end"},
        {"{\"instances\": [" SIX "], \"x\": [}", SRV_INVALID_REQUEST, "x"},
        {"{\"instances\": []}", SRV_INVALID_REQUEST, "instances: a list is empty"},
        {"{\"instances\": 3}", SRV_INVALID_REQUEST, "instances: this is a number; wanted lists"},
        {"{\"instances\": [\"iVBO\"]}", SRV_INVALID_REQUEST, "instances[0]: this is a text"},
        {"{\"instances\": {\"b64\": \"\"}}", SRV_INVALID_REQUEST, "instances: this is an object"},
        {"{\"instances\": [null]}", SRV_INVALID_REQUEST, "instances[0]"},
        {"{\"instances\": [1, 2, 3, 4, 5, 6]}", SRV_INVALID_REQUEST,
         "instances: the shape is [6]; input \"image\" takes [N, 1, 2, 3], or its 6 numbers flat"},
        {"{\"instances\": [[1, 2, 3]]}", SRV_INVALID_REQUEST, "the shape is [1, 3]"},
        {"{\"instances\": [[[1, 2], [3, 4], [5, 6]]]}", SRV_INVALID_REQUEST, "shape is [1, 3, 2]"},
        {"{\"instances\": [[[1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6]]]}", SRV_INVALID_REQUEST,
         "shape is [1, 6, 2]"},
        {"{\"instances\": [{\"image\": [1, 2]}]}", SRV_INVALID_REQUEST,
         "instances[0].image: the shape is [2]; input \"image\" takes [1, 2, 3]"},
        {"{\"instances\": [[1, 2, 3, 4, 5, NaN]]}", SRV_INVALID_REQUEST,
         "instances[0][5]: found \"NaN\""},
        {"{\"instances\": [{\"image\": [1, 2, -Infinity]}]}", SRV_INVALID_REQUEST,
         "instances[0].image[2]: found \"-Infinity\""},
        {"{\"instances\": [[1, 2, 3, 4, 5, 1e39]]}", SRV_INVALID_REQUEST, "beyond the range"},
        {"{\"instances\": [{}]}", SRV_INVALID_REQUEST, "instances[0]: the object is empty"},
        {"{\"instances\": [{\"imag\": " SIX "}]}", SRV_INVALID_REQUEST,
         "instances[0].imag: the model has no such input; wanted \"image\" or \"b64\""},
        {"{\"instances\": [{\"image\": {\"image\": " SIX "}}]}", SRV_INVALID_REQUEST,
         "instances[0].image.image: wanted \"b64\""},
        {"{\"instances\": [{\"image\": " SIX ", \"image\": " SIX "}]}", SRV_INVALID_REQUEST,
         "instances[0].image: this is a second member"},
        {"{\"instances\": [{\"b64\": 7}]}", SRV_INVALID_REQUEST,
         "instances[0].b64: this is a number"},
        {"{\"instances\": [{\"b64\": \"Zm9v\"}]}", SRV_INVALID_REQUEST, "of no PNG or JPEG"},
        {"{\"instances\": [" B64 ", {\"b64\": \"?\"}]}", SRV_INVALID_REQUEST,
         "instances[1].b64: this is not base64: character 0 is '?'"},
        {"{\"instances\": [{\"b64\": \"Zm9v\\n Zg=\"}]}", SRV_INVALID_REQUEST,
         "it has 6 characters and 1 of =, wanted"},
        {"{\"instances\": [{\"b64\": \"Zm9v\\nZ\"}]}", SRV_INVALID_REQUEST, "this is not base64"},
        {"{\"instances\": [{\"b64\": \"Zm\\u00009v\"}]}", SRV_INVALID_REQUEST,
         "character 2 is 0x00"},
        {"{\"inputs\": {\"image\": {\"image\": " SIX "}}}", SRV_INVALID_REQUEST,
         "inputs.image.image: wanted \"b64\""},
        {"{\"inputs\": {\"image\": " SIX "}}", SRV_INVALID_REQUEST,
         "inputs.image: the shape is [6]; input \"image\" takes [N, 1, 2, 3]"},
        {"{\"inputs\": [" NAMED "]}", SRV_INVALID_REQUEST, "inputs[0].image: wanted \"b64\""},
        {"{\"inputs\": true}", SRV_INVALID_REQUEST, "inputs: this is true"},
        {"{\"signature_name\": \"other\", \"instances\": [" SIX "]}", SRV_INVALID_REQUEST,
         "signature_name: this is \"other\"; the model has one signature, \"serving_default\""},
        {"{\"signature_name\": 3, \"instances\": [" SIX "]}", SRV_INVALID_REQUEST,
         "signature_name: this is a number"},
        {"{\"instances\": [" FOUR(SIX) "]}", SRV_TOO_LARGE, "more than 3 pictures"},
        {"{\"instances\": [" FOUR(B64) "]}", SRV_TOO_LARGE, "more than 3 pictures"},
        {"{\"instances\": [" FOUR(SIX) ", " SIX ", " SIX "]}", SRV_TOO_LARGE,
         "more than 30 numbers"},
        {"{\"instances\": [{\"image\": [" FOUR(SIX) ", " SIX "]}, {\"image\": " SIX "}]}",
         SRV_INVALID_REQUEST, "the shape is [5, 6]"},
    };
    check_refusals(read_predict, rows, sizeof rows / sizeof rows[0]);
}

static void bad_classifies_are_named(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"{}", SRV_INVALID_REQUEST, "the object has no \"examples\""},
        {"{\"instances\": [" SIX "]}", SRV_INVALID_REQUEST, "the object has no \"examples\""},
        {"{\"examples\": []}", SRV_INVALID_REQUEST, "examples: a list is empty"},
        {"{\"examples\": [" NAMED "], \"examples\": [" NAMED "]}", SRV_INVALID_REQUEST,
         "examples: this is a second input"},
        {"{\"context\": {}, \"examples\": [" NAMED "]}", SRV_INVALID_REQUEST,
         "context: there is one input, \"image\""},
        {"{\"signature_name\": \"x\", \"examples\": [" NAMED "]}", SRV_INVALID_REQUEST,
         "signature_name: this is \"x\""},
    };
    check_refusals(read_classify, rows, sizeof rows / sizeof rows[0]);
}

/* Each list keeps the limit of numbers, so does their sum. */
static void numbers_are_counted_over_all_lists(void **state)
{
    (void)state;
    const struct srv_pictures_limits wide = {.n_pictures = 100, .n_json_values = 30};
    char body[1000] = "{\"instances\": [{\"image\": " SIX "}";
    for (int i = 1; i <= 5; i++) {
        struct srv_pictures pictures;
        bool is_column;
        struct eng_error err = {0};
        char whole[1010];
        snprintf(whole, sizeof whole, "%s]}", body);
        enum srv_code code =
            srv_v1_read_predict(whole, strlen(whole), &input, &wide, &pictures, &is_column, &err);
        assert_int_equal(code, SRV_OK);
        srv_pictures_fini(&pictures);
        strcat(body, ", {\"image\": " SIX "}");
    }
    strcat(body, "]}");
    struct srv_pictures pictures;
    bool is_column;
    struct eng_error err = {0};
    assert_int_equal(
        srv_v1_read_predict(body, strlen(body), &input, &wide, &pictures, &is_column, &err),
        SRV_TOO_LARGE);
    assert_non_null(strstr(err.text, "instances[5].image: there are more than 30 numbers"));
}

static void answers_read_back_as_the_same_floats(void **state)
{
    (void)state;
    static const float p[] = {0.1f, 0.7000001f, 0.1999999f, 1e-30f, 0.5f, 0.4999999f};
    for (int column = 0; column <= 1; column++) {
        struct srv_text text = {0};
        srv_v1_write_predict(p, 2, 3, column, &text);
        json_t *root = json_loads(text.bytes, JSON_REJECT_DUPLICATES, NULL);
        assert_int_equal(json_object_size(root), 1);
        const json_t *list = json_object_get(root, column ? "outputs" : "predictions");
        assert_int_equal(json_array_size(list), 2);
        for (size_t i = 0; i < 6; i++) {
            const json_t *row = json_array_get(list, i / 3);
            assert_int_equal(json_array_size(row), 3);
            float value = (float)json_number_value(json_array_get(row, i % 3));
            assert_memory_equal(&value, &p[i], sizeof value);
        }
        json_decref(root);
        srv_text_fini(&text);
    }
}

static void results_are_sorted(void **state)
{
    (void)state;
    static const char *const labels[] = {"zero", "o\"ne", "two"};
    static const struct eng_card card = {.n_classes = 3, .labels = labels};
    static const float p[] = {0.25f, 0.5f, 0.25f, 0.125f, 0.125f, 0.75f};
    struct srv_text text = {0};
    srv_v1_write_classify(p, 2, &card, 2, &text);
    assert_string_equal(text.bytes, "{\"results\":[[[\"o\\\"ne\",0.5],[\"zero\",0.25]],"
                                    "[[\"two\",0.75],[\"zero\",0.125]]]}\n");
    srv_text_fini(&text);
}

#define VERSION(name, number, what)                                                 \
    {                                                                               \
        .model = name, .version = number, .digest = "", .reason = "", .state = what \
    }

static void status_has_the_highest_version_first(void **state)
{
    (void)state;
    struct srv_version_info versions[] = {
        VERSION("a", "1", SRV_FAILED),    VERSION("m", "1", SRV_LOADING),
        VERSION("m", "2", SRV_READY),     VERSION("m", "2", SRV_DRAINING),
        VERSION("m", "10", SRV_DRAINING), VERSION("u", "1", SRV_UNLOADED)};
    const struct srv_snapshot snapshot = {.versions = versions, .n_versions = 6};
    struct srv_text text = {0};
    assert_true(srv_v1_write_status(&snapshot, "m", NULL, &text));
    assert_string_equal(
        text.bytes, "{\"model_version_status\":["
                    "{\"version\":\"10\",\"state\":\"UNLOADING\",\"status\":{\"error_code\":\"OK\","
                    "\"error_message\":\"\"}},"
                    "{\"version\":\"2\",\"state\":\"AVAILABLE\",\"status\":{\"error_code\":\"OK\","
                    "\"error_message\":\"\"}},"
                    "{\"version\":\"1\",\"state\":\"LOADING\",\"status\":{\"error_code\":\"OK\","
                    "\"error_message\":\"\"}}],\"name\":\"m\",\"ready\":true}\n");
    srv_text_clear(&text);
    assert_true(srv_v1_write_status(&snapshot, "m", "1", &text));
    assert_non_null(strstr(text.bytes, "\"ready\":false"));
    assert_null(strstr(text.bytes, "AVAILABLE"));
    srv_text_clear(&text);
    assert_true(srv_v1_write_status(&snapshot, "a", NULL, &text));
    assert_non_null(strstr(text.bytes, "\"state\":\"END\",\"status\":{\"error_code\":\"FAILED_"));
    srv_text_clear(&text);
    assert_true(srv_v1_write_status(&snapshot, "u", NULL, &text));
    assert_non_null(strstr(text.bytes, "\"state\":\"END\",\"status\":{\"error_code\":\"OK\""));
    assert_non_null(strstr(text.bytes, "\"ready\":false"));
    srv_text_clear(&text);
    assert_false(srv_v1_write_status(&snapshot, "m", "3", &text));
    assert_false(srv_v1_write_status(&snapshot, "b", NULL, &text));
    assert_int_equal(text.n_bytes, 0);
    srv_v1_write_names(&snapshot, &text);
    assert_string_equal(text.bytes, "{\"models\":[\"a\",\"m\",\"u\"]}\n");
    srv_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predict_takes_rows_and_columns),
        cmocka_unit_test(classify_takes_examples),
        cmocka_unit_test(bad_predicts_are_named),
        cmocka_unit_test(bad_classifies_are_named),
        cmocka_unit_test(numbers_are_counted_over_all_lists),
        cmocka_unit_test(answers_read_back_as_the_same_floats),
        cmocka_unit_test(results_are_sorted),
        cmocka_unit_test(status_has_the_highest_version_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
