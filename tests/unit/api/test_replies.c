#include "api/app.h"
#include "api/predictions.h"
#include "api/routes.h"

#include <float.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const labels[] = {"zero", "o\"ne", "two"};
static const struct eng_card card = {.n_classes = 3, .labels = labels};

static json_t *write(const float *probabilities, size_t n_pictures, bool is_list, size_t n_top)
{
    struct srv_answer answer = {.model = "m",
                                .version = "2",
                                .digest = "d",
                                .card = &card,
                                .probabilities = probabilities,
                                .n_pictures = n_pictures,
                                .is_list = is_list,
                                .n_top = n_top};
    struct srv_text text = {0};
    srv_predictions_write(&answer, &text);
    assert_false(text.failed);
    json_t *root = json_loads(text.bytes, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    srv_text_fini(&text);
    return root;
}

static void check_row(const json_t *list, size_t i, int index, float probability)
{
    const json_t *row = json_array_get(list, i);
    assert_int_equal(json_integer_value(json_object_get(row, "index")), index);
    assert_string_equal(json_string_value(json_object_get(row, "label")), labels[index]);
    float read = (float)json_number_value(json_object_get(row, "probability"));
    assert_memory_equal(&read, &probability, sizeof read);
}

static void predictions_are_sorted_and_exact(void **state)
{
    (void)state;
    static const float p[] = {0.1f, 0.7000001f, 0.1999999f};
    json_t *root = write(p, 1, false, 3);
    assert_string_equal(json_string_value(json_object_get(root, "model")), "m");
    assert_string_equal(json_string_value(json_object_get(root, "version")), "2");
    assert_string_equal(json_string_value(json_object_get(root, "digest")), "d");
    const json_t *list = json_object_get(root, "predictions");
    assert_int_equal(json_array_size(list), 3);
    check_row(list, 0, 1, p[1]);
    check_row(list, 1, 2, p[2]);
    check_row(list, 2, 0, p[0]);
    json_decref(root);
}

static void equal_ones_keep_their_order(void **state)
{
    (void)state;
    static const float p[] = {FLT_MIN, 0.5f, 0.5f};
    json_t *root = write(p, 1, false, 2);
    const json_t *list = json_object_get(root, "predictions");
    assert_int_equal(json_array_size(list), 2);
    check_row(list, 0, 1, p[1]);
    check_row(list, 1, 2, p[2]);
    json_decref(root);
}

static void several_pictures_are_a_list_of_lists(void **state)
{
    (void)state;
    static const float p[] = {1, 0, 0, 0, 0, 1};
    json_t *root = write(p, 2, true, 1);
    const json_t *lists = json_object_get(root, "predictions");
    assert_int_equal(json_array_size(lists), 2);
    check_row(json_array_get(lists, 0), 0, 0, 1);
    check_row(json_array_get(lists, 1), 0, 2, 1);
    json_decref(root);
    root = write(p, 1, true, 3);
    assert_true(json_is_array(json_array_get(json_object_get(root, "predictions"), 0)));
    json_decref(root);
}

static void an_error_is_json_whatever_it_says(void **state)
{
    (void)state;
    for (enum srv_code code = SRV_INVALID_REQUEST; code < SRV_N_CODES; code++) {
        struct srv_request request = {.id = "abc"};
        srv_text_puts(&request.reply.body, "half a reply");
        srv_reply_error(&request, code, "a \"%s\"\n", "quote");
        json_t *root = json_loads(request.reply.body.bytes, 0, NULL);
        assert_non_null(root);
        assert_int_equal(json_object_size(root), 3);
        assert_string_equal(json_string_value(json_object_get(root, "error")), "a \"quote\"\n");
        assert_string_equal(json_string_value(json_object_get(root, "code")), srv_code_wire(code));
        assert_string_equal(json_string_value(json_object_get(root, "request_id")), "abc");
        assert_int_equal(request.reply.code, code);
        assert_in_range(srv_code_http(code), 400, 599);
        json_decref(root);
        srv_text_fini(&request.reply.body);
    }
}

static void any_text_may_be_a_header(void **state)
{
    (void)state;
    char ascii[400], accents[400];
    memset(ascii, 'x', sizeof ascii - 1);
    ascii[sizeof ascii - 1] = '\0';
    for (size_t i = 0; i + 1 < sizeof accents; i += 2)
        memcpy(accents + i, "\xC3\xA9", 2);
    accents[sizeof accents - 2] = '\0';
    const struct {
        const char *value, *wanted;
    } rows[] = {{"", ""},
                {"tench, Tinca", "tench, Tinca"},
                {"100 %\r\nX-Evil: 1\x7f", "100 %25%0D%0AX-Evil: 1%7F"},
                {"\xC3\xA9", "%C3%A9"},
                {ascii, NULL},
                {accents, NULL}};
    struct srv_request request = {.id = "abc"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        srv_text_clear(&request.reply.headers);
        srv_reply_header(&request, "X-Label", rows[i].value);
        const char *name = request.reply.headers.bytes, *value = name + strlen(name) + 1;
        assert_string_equal(name, "X-Label");
        assert_int_equal(request.reply.headers.n_bytes, strlen(name) + strlen(value) + 2);
        if (rows[i].wanted) assert_string_equal(value, rows[i].wanted);
        if (rows[i].value == ascii) assert_int_equal(strlen(value), SRV_HEADER_CHARS);
        /* "%C3%A9" is never cut in two. */
        if (rows[i].value == accents) assert_int_equal(strlen(value), SRV_HEADER_CHARS / 6 * 6);
    }
    srv_reply_error(&request, SRV_INTERNAL, "sorry");
    assert_int_equal(request.reply.headers.n_bytes, 0);
    srv_text_fini(&request.reply.headers);
    srv_text_fini(&request.reply.body);
}

/* What a client says never makes a deadline later. */
static void a_deadline_only_comes_nearer(void **state)
{
    (void)state;
    struct srv_request request = {.received_us = 1000, .deadline_us = 31000};
    srv_request_limit_time(&request, 40000);
    assert_int_equal(request.deadline_us, 31000);
    srv_request_limit_time(&request, 20000);
    assert_int_equal(request.deadline_us, 21000);
    srv_request_limit_time(&request, 25000);
    assert_int_equal(request.deadline_us, 21000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_sorted_and_exact),
        cmocka_unit_test(equal_ones_keep_their_order),
        cmocka_unit_test(several_pictures_are_a_list_of_lists),
        cmocka_unit_test(an_error_is_json_whatever_it_says),
        cmocka_unit_test(any_text_may_be_a_header),
        cmocka_unit_test(a_deadline_only_comes_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
