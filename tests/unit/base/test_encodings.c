/* UTF-8 and base64: the RFCs' own examples, and everything that must be refused. */
#include "base/base64.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void utf8_is_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "plain",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "a\xc3\xb6z",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(eng_utf8_is_valid(good[i], strlen(good[i])));
    assert_true(eng_utf8_is_valid("a\0b", 3));
}

static void other_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",     /* continues nothing */
        "\xc0\xaf", /* longer than needed: two, three, four bytes */
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", /* half of a surrogate pair */
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "\xc3", /* cut */
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3z", /* broken off */
        "\xe2\x82z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(eng_utf8_is_valid(bad[i], strlen(bad[i])));
    assert_false(eng_utf8_is_valid("a\xc3\xb6", 2)); /* ends within the character */
}

static void base64_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *encoded;
    } rows[] = {
        /* RFC 4648, section 10 */
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t n = strlen(rows[i].plain), n_back = 99;
        assert_int_equal(eng_base64_encoded_length(n), strlen(rows[i].encoded));
        eng_base64_encode((const uint8_t *)rows[i].plain, n, text);
        assert_string_equal(text, rows[i].encoded);
        assert_true(eng_base64_decoded_max(strlen(text)) <= sizeof bytes);
        assert_true(eng_base64_decode(text, strlen(text), bytes, &n_back));
        assert_int_equal(n_back, n);
        if (n) assert_memory_equal(bytes, rows[i].plain, n);
    }
}

static void base64_with_white_space(void **state)
{
    (void)state;
    uint8_t bytes[16];
    size_t n;
    assert_true(eng_base64_decode("Zm9v\r\n Yg==\n", 12, bytes, &n));
    assert_int_equal(n, 4);
    assert_memory_equal(bytes, "foob", 4);
}

static void broken_base64_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",    "Zg",       "Zg=",      "Zm9",
        "Z===", "Zg==Zg==", "Zm9v=",    "Zh==", /* bits left over */
        "Zm-_", "Zm9v*",    "\xc3\xb6",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t bytes[16];
        size_t n = 99;
        assert_false(eng_base64_decode(bad[i], strlen(bad[i]), bytes, &n));
        assert_int_equal(n, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_taken),
        cmocka_unit_test(other_bytes_are_refused),
        cmocka_unit_test(base64_there_and_back),
        cmocka_unit_test(base64_with_white_space),
        cmocka_unit_test(broken_base64_is_refused),
    };
    return cmocka_run_group_tests_name("encodings", tests, NULL, NULL);
}
