#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check_json(const char *bytes, size_t n, const char *wanted)
{
    struct srv_text text = {0};
    srv_text_json_bytes(&text, bytes, n);
    assert_false(text.failed);
    assert_string_equal(text.bytes, wanted);
    srv_text_fini(&text);
}

static void json_escapes_what_must_be(void **state)
{
    (void)state;
    check_json("", 0, "\"\"");
    check_json("plain", 5, "\"plain\"");
    check_json("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
    check_json("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    check_json("\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\"");
    check_json("\xC2\x80\xC2\x9B[m\xC2\x9F\xC2\xA0", 10, "\"\\u0080\\u009b[m\\u009f\xC2\xA0\"");
    check_json("a\0b", 3, "\"a\\u0000b\"");
}

static void json_keeps_utf8_and_replaces_the_rest(void **state)
{
    (void)state;
    check_json("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9,
               "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    check_json("\xC3", 1, "\"\xEF\xBF\xBD\"");                                 /* cut short */
    check_json("\xC0\xAF", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                 /* overlong */
    check_json("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* a surrogate */
    check_json("\xF4\x90\x80\x80", 4, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    check_json("a\xFFz", 3,
               "\"a\xEF\xBF\xBD"
               "z\"");
}

static void grows_and_keeps_everything(void **state)
{
    (void)state;
    struct srv_text text = {0};
    for (int i = 0; i < 5000; i++)
        srv_text_printf(&text, "%d,", i % 10);
    assert_false(text.failed);
    assert_int_equal(text.n_bytes, 10000);
    assert_int_equal(strlen(text.bytes), 10000);
    assert_memory_equal(text.bytes + 9996, "8,9,", 4);
    size_t capacity = text.capacity;
    srv_text_clear(&text);
    assert_int_equal(text.n_bytes, 0);
    assert_int_equal(text.capacity, capacity);
    srv_text_integer(&text, INT64_MIN);
    assert_string_equal(text.bytes, "-9223372036854775808");
    srv_text_fini(&text);
}

/* A size that cannot be had marks the text; what follows is ignored, nothing is overrun. */
static void a_failed_text_stays_failed(void **state)
{
    (void)state;
    struct srv_text text = {0};
    srv_text_puts(&text, "kept");
    srv_text_append(&text, "x", SIZE_MAX - 100);
    assert_true(text.failed);
    srv_text_puts(&text, "lost");
    assert_int_equal(text.n_bytes, 4);
    assert_string_equal(text.bytes, "kept");
    srv_text_fini(&text);
}

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(srv_text_distance("", ""), 0);
    assert_int_equal(srv_text_distance("listen", "listen"), 0);
    assert_int_equal(srv_text_distance("lisen", "listen"), 1);
    assert_int_equal(srv_text_distance("kitten", "sitting"), 3);
    assert_int_equal(srv_text_distance("", "abc"), 3);
    char name[100];
    memset(name, 'a', sizeof name);
    name[99] = '\0';
    assert_true(srv_text_distance(name, "a") == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_escapes_what_must_be),
        cmocka_unit_test(json_keeps_utf8_and_replaces_the_rest),
        cmocka_unit_test(grows_and_keeps_everything),
        cmocka_unit_test(a_failed_text_stays_failed),
        cmocka_unit_test(distance_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
