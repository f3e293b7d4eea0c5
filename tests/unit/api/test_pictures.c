#include "api/base64.h"
#include "api/pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The start of a PNG is enough: nothing is decoded here. */
#define PNG_BASE64 "iVBORw0KGgoAAAANSUhEUg=="
#define PNG_TEXT   "\"" PNG_BASE64 "\""
#define FOUR(x)    x "," x "," x "," x
static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                              0,    0,   0,   13,  'I',  'H',  'D',  'R'};

static const struct srv_pictures_limits limits = {.n_pictures = 3, .n_json_values = 200};

static struct eng_card card_of_size(uint32_t height, uint32_t width, enum eng_color color)
{
    return (struct eng_card){
        .preprocess = {.height_px = height, .width_px = width, .color = color}};
}

static enum srv_code read_json(const char *json, const struct eng_card *card,
                               struct srv_pictures *out, struct eng_error *err)
{
    *err = (struct eng_error){0};
    return srv_pictures_read_json(json, strlen(json), card, &limits, out, err);
}

static void check_says(const struct eng_error *err, const char *part)
{
    if (!strstr(err->text, part)) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

static void base64_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text, *bytes; /* bytes NULL: not base64 */
    } rows[] = {
        {"", ""},          {"Zg==", "f"},        {"Zm8=", "fo"},
        {"Zm9v", "foo"},   {"Zm9vYg==", "foob"}, {"Zg", NULL},
        {"Zg=", NULL},     {"Zm9v=", NULL},      {"Zm 9v", NULL},
        {"Zm9v\n", NULL},  {"Zm9 vYg=", NULL},   {"Zm-_", NULL},
        {"====", NULL},    {"Zg==Zg==", NULL},   {"Z===", NULL},
        {"Zm9\xC3", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[16];
        size_t n = 0;
        bool is_base64 = srv_base64_decode(rows[i].text, strlen(rows[i].text), out, &n);
        if (is_base64 != (rows[i].bytes != NULL))
            fail_msg("\"%s\" is%s base64", rows[i].text, is_base64 ? "" : " not");
        if (is_base64) {
            assert_int_equal(n, strlen(rows[i].bytes));
            assert_memory_equal(out, rows[i].bytes, n);
        }
    }
}

static void one_image_and_several(void **state)
{
    (void)state;
    struct eng_card card = card_of_size(2, 2, ENG_COLOR_GRAY);
    struct srv_pictures pictures;
    struct eng_error err;
    assert_int_equal(read_json("{\"image\": \"" PNG_BASE64 "\"}", &card, &pictures, &err), SRV_OK);
    assert_int_equal(pictures.n_samples, 1);
    assert_false(pictures.is_list);
    assert_int_equal(pictures.samples[0].kind, SRV_SAMPLE_ENCODED);
    assert_int_equal(pictures.samples[0].n_bytes, sizeof png);
    assert_memory_equal(pictures.samples[0].data, png, sizeof png);
    srv_pictures_fini(&pictures);

    assert_int_equal(read_json("{\"images\": [\"" PNG_BASE64 "\"]}", &card, &pictures, &err),
                     SRV_OK);
    assert_int_equal(pictures.n_samples, 1);
    assert_true(pictures.is_list);
    srv_pictures_fini(&pictures);
    assert_int_equal(
        read_json("{\"images\": [\"" PNG_BASE64 "\", \"" PNG_BASE64 "\"]}", &card, &pictures, &err),
        SRV_OK);
    assert_int_equal(pictures.n_samples, 2);
    srv_pictures_fini(&pictures);
}

static void pixels_in_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum eng_color color;
        size_t n_samples;
        bool is_list;
    } rows[] = {
        {"{\"pixels\": [0, 1, 2, 3, 4, 255]}", ENG_COLOR_GRAY, 1, false},
        {"{\"pixels\": [[0, 1, 2], [3, 4, 255]]}", ENG_COLOR_GRAY, 1, false},
        {"{\"pixels\": [[[0], [1], [2]], [[3], [4], [255.0]]]}", ENG_COLOR_GRAY, 1, false},
        {"{\"pixels\": [[0, 1, 2, 3, 4, 255]]}", ENG_COLOR_GRAY, 1, true},
        {"{\"pixels\": [[0, 1, 2, 3, 4, 255], [0, 1, 2, 3, 4, 255]]}", ENG_COLOR_GRAY, 2, true},
        {"{\"pixels\": [[[0, 1, 2], [3, 4, 255]], [[0, 1, 2], [3, 4, 255]]]}", ENG_COLOR_GRAY, 2,
         true},
        {"{\"pixels\": [[[[0], [1], [2]], [[3], [4], [255]]]]}", ENG_COLOR_GRAY, 1, true},
    };
    struct eng_card card = card_of_size(2, 3, ENG_COLOR_GRAY);
    static const float wanted[] = {0, 1, 2, 3, 4, 255};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_pictures pictures;
        struct eng_error err;
        assert_int_equal(read_json(rows[i].json, &card, &pictures, &err), SRV_OK);
        assert_int_equal(pictures.n_samples, rows[i].n_samples);
        assert_int_equal(pictures.is_list, rows[i].is_list);
        for (size_t k = 0; k < pictures.n_samples; k++) {
            assert_int_equal(pictures.samples[k].kind, SRV_SAMPLE_PIXELS);
            assert_int_equal(pictures.samples[k].n_bytes, sizeof wanted);
            assert_memory_equal(pictures.samples[k].data, wanted, sizeof wanted);
        }
        srv_pictures_fini(&pictures);
    }
}

static void pixels_in_color(void **state)
{
    (void)state;
    struct eng_card card = card_of_size(1, 2, ENG_COLOR_BGR);
    struct srv_pictures pictures;
    struct eng_error err;
    assert_int_equal(read_json("{\"pixels\": [[[1,2,3],[4,5,6]]]}", &card, &pictures, &err),
                     SRV_OK);
    assert_int_equal(pictures.n_samples, 1);
    assert_false(pictures.is_list);
    srv_pictures_fini(&pictures);
    /* [2, 3] would be a picture in grey; in colour it is none. */
    assert_int_equal(read_json("{\"pixels\": [[1,2,3],[4,5,6]]}", &card, &pictures, &err),
                     SRV_INVALID_REQUEST);
    check_says(&err, "the shape is [2, 3]; wanted [1, 2, 3]");
}

static void bad_json_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum srv_code code;
        const char *part;
    } rows[] = {
        {"", SRV_INVALID_REQUEST, "the JSON ends, wanted an object"},
        {"{", SRV_INVALID_REQUEST, "the JSON ends"},
        {"{\"image\": \"" PNG_BASE64 "\"} x", SRV_INVALID_REQUEST, "wanted the end"},
        {"[]", SRV_INVALID_REQUEST, "a list; wanted {\"image\"}"},
        {"{}", SRV_INVALID_REQUEST, "the object is empty; wanted one member"},
        {"{\"imge\": 1}", SRV_INVALID_REQUEST, "imge: wanted exactly one member: \"image\""},
        {"{\"image\": \"" PNG_BASE64 "\", \"top\": 1}", SRV_INVALID_REQUEST,
         "top: this is a second member"},
        {"{\"image\": \"" PNG_BASE64 "\", \"image\": \"\"}", SRV_INVALID_REQUEST, "second member"},
        {"{\"image\": 3}", SRV_INVALID_REQUEST, "image: this is a number, wanted a PNG"},
        {"{\"image\": \"\"}", SRV_INVALID_REQUEST, "base64, but of no PNG or JPEG"},
        {"{\"image\": \"Zm9v\"}", SRV_INVALID_REQUEST, "base64, but of no PNG or JPEG"},
        {"{\"image\": \"Zm9\"}", SRV_INVALID_REQUEST,
         "image: this is not base64: it has 3 characters and 0 of =, wanted A-Z a-z 0-9 + /, and = "
         "only to fill up the last four"},
        {"{\"image\": \"Zg=\"}", SRV_INVALID_REQUEST, "it has 2 characters and 1 of =, wanted"},
        {"{\"image\": \"Zm9vZm9v-_9v\"}", SRV_INVALID_REQUEST, "character 8 is '-', wanted A-Z"},
        {"{\"image\": \"Zm9v\\nZm9v\"}", SRV_INVALID_REQUEST, "character 4 is 0x0a, wanted"},
        {"{\"image\": \"Zg==Zg==\"}", SRV_INVALID_REQUEST, "character 4 is 'Z', wanted"},
        {"{\"image\": \"Z===\"}", SRV_INVALID_REQUEST, "character 3 is '=', wanted"},
        {"{\"image\": \"data:image/png;base64,Zm9v\"}", SRV_INVALID_REQUEST, "behind the comma"},
        {"{\"image\": \"\\u0000\"}", SRV_INVALID_REQUEST, "image: this is not base64"},
        {"{\"image\": \"\xFF\"}", SRV_INVALID_REQUEST, "image: a text is not UTF-8"},
        {"{\"images\": []}", SRV_INVALID_REQUEST, "the list \"images\" is empty"},
        {"{\"images\": \"x\"}", SRV_INVALID_REQUEST, "images: this is a text, wanted a list"},
        {"{\"images\": [\"" PNG_BASE64 "\", 7]}", SRV_INVALID_REQUEST,
         "images[1]: this is a number"},
        {"{\"images\": [" FOUR(PNG_TEXT) "]}", SRV_TOO_LARGE, "more than 3 pictures"},
        {"{\"pixels\": 3}", SRV_INVALID_REQUEST, "pixels: this is a number, wanted a list"},
        {"{\"pixels\": []}", SRV_INVALID_REQUEST, "pixels: a list is empty"},
        {"{\"pixels\": [[[[[1]]]]]}", SRV_INVALID_REQUEST, "the shape is [1, 1, 1, 1, 1]"},
        {"{\"pixels\": [1, 2, 3]}", SRV_INVALID_REQUEST, "the shape is [3]; wanted [2, 2, 1]"},
        {"{\"pixels\": [1, 2, 3, 256]}", SRV_INVALID_REQUEST,
         "number 3 is 256; wanted numbers from 0 to 255"},
        {"{\"pixels\": [1, 2, 3, -1]}", SRV_INVALID_REQUEST, "number 3 is -1"},
        {"{\"pixels\": [1, 2, 3, 1e999]}", SRV_INVALID_REQUEST,
         "pixels[3]: the number is too large"},
        {"{\"pixels\": [1, 2, 3, NaN]}", SRV_INVALID_REQUEST, "pixels[3]: found \"NaN\""},
        {"{\"pixels\": [1, 2, 3, \"4\"]}", SRV_INVALID_REQUEST, "pixels[3]: this is a text"},
        {"{\"pixels\": [1, 2, 3, [4]]}", SRV_INVALID_REQUEST, "pixels[3]: lists are nested deeper"},
        {"{\"pixels\": [[1, 2], [3]]}", SRV_INVALID_REQUEST, "pixels[1]: a list has 1 values"},
        {"{\"pixels\": [[1, 2], 3]}", SRV_INVALID_REQUEST, "pixels[1]: here is a number"},
        {"{\"pixels\": [[1,2,3,4],[1,2,3,4],[1,2,3,4],[1,2,3,4]]}", SRV_TOO_LARGE,
         "more than 3 pictures"},
        {"{\"pixels\": [[[[[[[[[1]]]]]]]]]}", SRV_INVALID_REQUEST, "nested deeper here"},
        {"{\"image\": \"]]]]}}}}[[[[[[[[[[\\\"[[[\"}", SRV_INVALID_REQUEST, "this is not base64"},
    };
    struct eng_card card = card_of_size(2, 2, ENG_COLOR_GRAY);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_pictures pictures;
        struct eng_error err;
        enum srv_code code = read_json(rows[i].json, &card, &pictures, &err);
        if (code != rows[i].code) fail_msg("%s: code %d, \"%s\"", rows[i].json, code, err.text);
        check_says(&err, rows[i].part);
    }
}

static void too_many_numbers_are_refused(void **state)
{
    (void)state;
    char json[1024] = "{\"pixels\": [1";
    for (int i = 0; i < 250; i++)
        strcat(json, ",1");
    strcat(json, "]}");
    struct eng_card card = card_of_size(2, 2, ENG_COLOR_GRAY);
    struct srv_pictures pictures;
    struct eng_error err;
    assert_int_equal(read_json(json, &card, &pictures, &err), SRV_TOO_LARGE);
    check_says(&err, "more than 200 numbers");
}

static enum srv_code read_body(const char *body, size_t n, const char *content_type,
                               struct srv_pictures *out, struct eng_error *err)
{
    struct srv_request request = {
        .content_type = content_type, .body = (const uint8_t *)body, .n_body = n};
    struct eng_card card = card_of_size(2, 2, ENG_COLOR_GRAY);
    *err = (struct eng_error){0};
    return srv_pictures_read(&request, &card, &limits, out, err);
}

static void a_body_is_told_by_its_content(void **state)
{
    (void)state;
    static const char *const types[] = {"", "image/jpeg", "application/json",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct srv_pictures pictures;
        struct eng_error err;
        assert_int_equal(read_body((const char *)png, sizeof png, types[i], &pictures, &err),
                         SRV_OK);
        assert_ptr_equal(pictures.samples[0].data, png);
        srv_pictures_fini(&pictures);
        static const char json[] = " \r\n{\"pixels\": [1, 2, 3, 4]}";
        assert_int_equal(read_body(json, strlen(json), types[i], &pictures, &err), SRV_OK);
        srv_pictures_fini(&pictures);
    }
}

static void other_bodies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body, *content_type;
        enum srv_code code;
        const char *part;
    } rows[] = {
        {"", "", SRV_INVALID_REQUEST, "the body is empty"},
        {"", "application/json", SRV_INVALID_REQUEST, "the body is empty"},
        {"GIF89a...", "image/png", SRV_UNSUPPORTED_MEDIA_TYPE, "the body is a GIF; wanted a PNG"},
        {"RIFF....WEBP", "", SRV_UNSUPPORTED_MEDIA_TYPE, "WebP"},
        {"[1, 2]", "", SRV_UNSUPPORTED_MEDIA_TYPE, "a JSON array"},
        {"[1, 2]", "application/json", SRV_INVALID_REQUEST, "this is a list"},
        {"hello", "application/json; charset=utf-8", SRV_INVALID_REQUEST, "found \"hello\""},
        {"hello", "application/jsonx", SRV_UNSUPPORTED_MEDIA_TYPE, "the body is text"},
        {"\x01\x02", "", SRV_UNSUPPORTED_MEDIA_TYPE, "no known type"},
        {"--xyz\r\n", "", SRV_UNSUPPORTED_MEDIA_TYPE, "without its Content-Type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_pictures pictures;
        struct eng_error err;
        assert_int_equal(
            read_body(rows[i].body, strlen(rows[i].body), rows[i].content_type, &pictures, &err),
            rows[i].code);
        check_says(&err, rows[i].part);
    }
}

static enum srv_code read_form(const struct srv_part *parts, size_t n, struct srv_pictures *out,
                               struct eng_error *err)
{
    struct srv_request request = {
        .content_type = "", .is_multipart = true, .parts = parts, .n_parts = n};
    struct eng_card card = card_of_size(2, 2, ENG_COLOR_GRAY);
    *err = (struct eng_error){0};
    return srv_pictures_read(&request, &card, &limits, out, err);
}

static void forms(void **state)
{
    (void)state;
    static const struct srv_part good = {"a", "a.png", png, sizeof png};
    static const struct srv_part bad = {"b", "", (const uint8_t *)"text", 4};
    const struct srv_part parts[] = {good, good, bad, good}, many[] = {good, good, good, good};
    struct srv_pictures pictures;
    struct eng_error err;
    assert_int_equal(read_form(parts, 1, &pictures, &err), SRV_OK);
    assert_false(pictures.is_list);
    srv_pictures_fini(&pictures);
    assert_int_equal(read_form(parts, 2, &pictures, &err), SRV_OK);
    assert_true(pictures.is_list);
    assert_int_equal(pictures.n_samples, 2);
    srv_pictures_fini(&pictures);
    assert_int_equal(read_form(parts, 3, &pictures, &err), SRV_UNSUPPORTED_MEDIA_TYPE);
    check_says(&err, "part 3 \"b\" of the form is text");
    assert_int_equal(read_form(many, 4, &pictures, &err), SRV_TOO_LARGE);
    assert_int_equal(read_form(parts, 0, &pictures, &err), SRV_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(one_image_and_several),
        cmocka_unit_test(pixels_in_every_shape),
        cmocka_unit_test(pixels_in_color),
        cmocka_unit_test(bad_json_is_named),
        cmocka_unit_test(too_many_numbers_are_refused),
        cmocka_unit_test(a_body_is_told_by_its_content),
        cmocka_unit_test(other_bodies_are_refused),
        cmocka_unit_test(forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
