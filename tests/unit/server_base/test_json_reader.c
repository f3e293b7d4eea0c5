/* Reading JSON: what is taken, what is refused and where, and numbers to the last bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_number.h"
#include "base/json_reader.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the text is one value; err says why not. */
static bool accepts_bytes(const char *text, size_t n, struct eng_error *err)
{
    struct srv_json json;
    *err = (struct eng_error){0};
    srv_json_init(&json, text, n, err);
    srv_json_skip(&json);
    bool accepted = srv_json_end(&json);
    assert_int_equal(accepted, err->status == ENG_OK);
    return accepted;
}

static bool accepts(const char *text, struct eng_error *err)
{
    return accepts_bytes(text, strlen(text), err);
}

static void takes_what_is_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        " [ ] ",
        "0",
        "-0",
        "1e5",
        "1E+05",
        "-0.5e-3",
        "\"\"",
        "true",
        "null",
        "false",
        "[1,2 , 3]",
        "{\"a\":{\"b\":[{}]}}",
        "\"\\u00e9\\n\\\\\\/\"",
        "\"\\uD83D\\uDE00\"",
        "\"\xC3\xA9\xF0\x9F\x98\x80\"",
        "{\"a\":1,\"a\":2}",
        "[[[[[]]]]]\r\n",
        "\"\x7F\"",
        "\"\\u0000\"",
        "123456789012345678901234567890",
        "1e-400",
        "\"\xE2\x82\xAC\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct eng_error err;
        if (!accepts(texts[i], &err)) fail_msg("%s: %s", texts[i], err.text);
    }
}

static void refuses_what_is_not(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "[1]]",
        "{}{}",
        "01",
        "-01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "-NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "1e400",
        "tru",
        "nul",
        "True",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\uD800\"",
        "\"\\uDC00\"",
        "\"\\uD800\\u0041\"",
        "\"\n\"",
        "\"\t\"",
        "\"\xFF\"",
        "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"",
        "\"\xF4\x90\x80\x80\"",
        "\"\xC3\"",
        "\xEF\xBB\xBF{}",
        "[1]a",
        "/**/1",
        "[1,//\n2]",
        "\f1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct eng_error err;
        if (accepts(texts[i], &err)) fail_msg("%s was taken", texts[i]);
        assert_true(err.text[0]);
    }
    struct eng_error err;
    assert_false(accepts_bytes("[1]\0", 4, &err));
    assert_false(accepts_bytes("\"a\0b\"", 5, &err));
    assert_false(accepts_bytes("[1,2]", 4, &err)); /* the text ends before the list does */
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[2 * SRV_JSON_MAX_DEPTH + 3];
    struct eng_error err;
    for (size_t depth = SRV_JSON_MAX_DEPTH; depth <= SRV_JSON_MAX_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(accepts_bytes(text, 2 * depth, &err), depth == SRV_JSON_MAX_DEPTH);
        text[2 * depth] = '\0';
    }
    assert_non_null(strstr(err.text, "deeper than 32"));
}

/* A member, a list, a member: the way of callers. */
static void is_read_member_by_member(void **state)
{
    (void)state;
    static const char text[] =
        "{\"id\":\"a\\u00e9\\ud83d\\ude00\\n\",\"skip\":[{\"x\":[1,{}]},null],"
        "\"n\":7,\"list\":[true,false],\"\\u0065nd\":-2.5}";
    struct srv_json json;
    struct eng_error err = {0};
    char id[32] = "", seen[16] = "";
    int64_t n = 0;
    double end = 0;
    srv_json_init(&json, text, sizeof text - 1, &err);
    assert_true(srv_json_enter(&json, SRV_JSON_OBJECT));
    while (srv_json_next(&json)) {
        struct srv_json_text value;
        if (srv_json_is_key(&json, "id")) {
            assert_true(srv_json_string(&json, &value));
            assert_true(srv_json_copy(&json, &value, id, sizeof id));
        } else if (srv_json_is_key(&json, "n")) {
            assert_true(srv_json_integer(&json, 0, 10, &n));
        } else if (srv_json_is_key(&json, "end")) {
            assert_true(srv_json_number(&json, &end));
        } else if (srv_json_is_key(&json, "list")) {
            assert_true(srv_json_enter(&json, SRV_JSON_ARRAY));
            while (srv_json_next(&json)) {
                bool value_is = false;
                assert_true(srv_json_bool(&json, &value_is));
                strcat(seen, value_is ? "t" : "f");
            }
        } else {
            assert_true(srv_json_is_key(&json, "skip"));
            assert_true(srv_json_skip(&json));
        }
    }
    assert_true(srv_json_end(&json));
    assert_string_equal(id, "a\xC3\xA9\xF0\x9F\x98\x80\n");
    assert_string_equal(seen, "tf");
    assert_int_equal(n, 7);
    assert_true(end == -2.5);
}

static void integers_are_whole_and_exact(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool taken;
    } rows[] = {{"7", true},
                {"-7", true},
                {"7.0", true},
                {"7e0", true},
                {"9007199254740991", true},
                {"9007199254740993", false}, /* the double next to it is another whole number */
                {"9223372036854775808", false},
                {"-1e300", false},
                {"7.5", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_json json;
        struct eng_error err = {0};
        int64_t value;
        srv_json_init(&json, rows[i].text, strlen(rows[i].text), &err);
        if (srv_json_integer(&json, INT64_MIN, INT64_MAX, &value) != rows[i].taken)
            fail_msg("%s: %s", rows[i].text, err.text);
        srv_json_init(&json, rows[i].text, strlen(rows[i].text), NULL);
        assert_false(srv_json_integer(&json, 8, 9, &value));
    }
}

static void copies_are_strings(void **state)
{
    (void)state;
    static const char *const texts[] = {"\"four\"", "\"a\\u0000b\""};
    static const char *const parts[] = {"4 bytes", "zero"};
    for (size_t i = 0; i < 2; i++) {
        struct srv_json json;
        struct srv_json_text text;
        struct eng_error err = {0};
        char to[16];
        srv_json_init(&json, texts[i], strlen(texts[i]), &err);
        assert_true(srv_json_string(&json, &text));
        assert_false(srv_json_copy(&json, &text, to, i == 0 ? 4 : sizeof to));
        assert_non_null(strstr(err.text, parts[i]));
    }
}

static void the_end_is_named_once(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } rows[] = {{"", "the JSON ends, wanted an object"},
                {"[1]", "the JSON: this is a list, wanted an object"},
                {"{\"x\"", "the JSON ends, wanted a colon"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_json json;
        struct eng_error err = {0};
        srv_json_init(&json, rows[i].text, strlen(rows[i].text), &err);
        assert_false(srv_json_enter(&json, SRV_JSON_OBJECT) && srv_json_next(&json));
        assert_string_equal(err.text, rows[i].wanted);
    }
}

static void texts_are_compared_as_they_are_meant(void **state)
{
    (void)state;
    static const struct {
        const char *text, *string;
        bool same;
    } rows[] = {
        {"image", "image", true},
        {"imag", "image", false},
        {"images", "image", false},
        {"\\u0069mage", "image", true},
        {"\\u0069mag", "image", false},
        {"\\u0069mages", "image", false},
        {"a\\/b\\n", "a/b\n", true},
        {"\\ud83d\\ude00", "\xF0\x9F\x98\x80", true},
        {"\\ud83d\\ude00", "\xF0\x9F\x98\x81", false},
        {"image\\u0000", "image", false},
        {"", "", true},
        {"", "x", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json_text[64];
        struct srv_json json;
        struct srv_json_text text;
        int n = snprintf(json_text, sizeof json_text, "\"%s\"", rows[i].text);
        srv_json_init(&json, json_text, (size_t)n, NULL);
        assert_true(srv_json_string(&json, &text));
        assert_int_equal(srv_json_text_is(&text, rows[i].string), rows[i].same);
    }
}

/* The sentence that reading numbers from the member "x" of `text` ends with. */
static void numbers_fail(const char *text, size_t max_n, const char *wanted)
{
    struct srv_json json;
    struct eng_error err = {0};
    struct srv_json_numbers numbers;
    srv_json_init(&json, text, strlen(text), &err);
    assert_true(srv_json_enter(&json, SRV_JSON_OBJECT) && srv_json_next(&json));
    assert_false(srv_json_read_numbers(&json, max_n, &numbers));
    if (strcmp(err.text, wanted) != 0) fail_msg("%s\nsays   %s\nwanted %s", text, err.text, wanted);
}

static void failures_say_where(void **state)
{
    (void)state;
    numbers_fail("{\"x\":[1,NaN]}", 9, "x[1]: found \"NaN\", wanted a number");
    numbers_fail("{\"x\":[[1,2],[3,-Infinity]]}", 9,
                 "x[1][1]: found \"-Infinity\", wanted a number");
    numbers_fail("{\"x\":[[1,2],[3]]}", 9, "x[1]: a list has 1 values, the one before it 2");
    numbers_fail("{\"x\":[[1,2],[3,4,5]]}", 9, "x[1]: a list has 3 values, the one before it 2");
    numbers_fail("{\"x\":[[1,2],3]}", 9, "x[1]: here is a number, wanted a list as before");
    numbers_fail("{\"x\":[1,[2]]}", 9, "x[1]: lists are nested deeper here than before");
    numbers_fail("{\"x\":[[]]}", 9, "x[0]: a list is empty");
    numbers_fail("{\"x\":[1,\"2\"]}", 9, "x[1]: this is a text, wanted a number");
    numbers_fail("{\"x\":[1,2,3]}", 2, "x[2]: there are more than 2 numbers, max_json_values");
    numbers_fail("{\"x\":[1,1e39]}", 9, "x[1]: 1e+39 is beyond the range of floats");
    numbers_fail("{\"x\":[1,1e999]}", 9, "x[1]: the number is too large");
    numbers_fail("{\"x\":{}}", 9, "x: this is an object, wanted a list of numbers");
    numbers_fail("{\"x\":[1,2", 9, "x[1]: the JSON ends, wanted a comma or ]");
    numbers_fail("{\"x\":[1,]}", 9, "x[1]: found byte 0x5d, wanted a number");
    numbers_fail("{\"x\":[01]}", 9, "x[0]: found \"01\", wanted a number");
}

static void numbers_keep_their_shape(void **state)
{
    (void)state;
    static const char text[] = " [[[1,2,3],[4 , 5,\n6]], [[7,8,9],[10,11,-12.5e0]]] ";
    struct srv_json json;
    struct eng_error err = {0};
    struct srv_json_numbers numbers;
    srv_json_init(&json, text, sizeof text - 1, &err);
    if (!srv_json_read_numbers(&json, 12, &numbers)) fail_msg("%s", err.text);
    assert_true(srv_json_end(&json));
    assert_int_equal(numbers.n, 12);
    assert_int_equal(numbers.rank, 3);
    assert_int_equal(numbers.dim[0], 2);
    assert_int_equal(numbers.dim[1], 2);
    assert_int_equal(numbers.dim[2], 3);
    for (int i = 0; i < 11; i++)
        assert_true(numbers.values[i] == (float)(i + 1));
    assert_true(numbers.values[11] == -12.5f);
    free(numbers.values);
}

static void check_float(const char *text)
{
    float found, wanted = (float)strtod(text, NULL);
    const char *end = srv_json_scan_float(text, &found);
    assert_non_null(end);
    assert_int_equal(*end, '\0');
    if (memcmp(&found, &wanted, sizeof found) != 0)
        fail_msg("%s is %a, wanted %a", text, (double)found, (double)wanted);
}

/* Every way to write a float, and the middles between two, where rounding once and twice differ. */
static void floats_are_strtods(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.000e5",
        "1e38",
        "3.4028235e38",
        "3.4028235677973366e38",
        "1e-46",
        "1e-45",
        "1.17549435e-38",
        "1.1754942e-38",
        "16777217",
        "16777217.0000000001",
        "16777216.9999999999999999999",
        "0.000000000000000000000000000000000000000000001",
        "9007199791611905",
        "1.00000005960464477539062500000001",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999e-20",
        "1e-65",
        "123e-70",
        "5e-324",
        "00000.1" + 4,
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_float(texts[i]);
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        uint32_t bits = (uint32_t)random;
        float value, next;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        next = nextafterf(value, 0);
        char text[64];
        snprintf(text, sizeof text, "%.9g", (double)value);
        check_float(text);
        snprintf(text, sizeof text, "%.17g", (double)value);
        check_float(text);
        snprintf(text, sizeof text, "%.19g", (double)value * 1.0000001); /* all digits count */
        if (fabs(strtod(text, NULL)) < 3.4e38) check_float(text);
        snprintf(text, sizeof text, "%.17g", ((double)value + (double)next) / 2);
        check_float(text);
        snprintf(text, sizeof text, "%.*g", (int)(random >> 60) + 1, (double)value * 1.0000001);
        if (fabs(strtod(text, NULL)) < 3.4e38) check_float(text);
    }
}

/* jansson, whose strictness is the measure, takes and refuses the same mutations. */
static void agrees_with_jansson(void **state)
{
    (void)state;
    static const char seed[] =
        "{\"a\":[1,-2.5e3,[true,null]],\"b\\u00e9\":\"x\\ud83d\\ude00\xC3\xA9\"}";
    static const char alphabet[] = "{}[]\",:\\u0123eE+-. tfn\x80\xC3\xED\xFF\n";
    uint64_t random = 42;
    size_t n_taken = 0;
    for (int i = 0; i < 200000; i++) {
        char text[sizeof seed];
        memcpy(text, seed, sizeof seed);
        for (int k = 0; k < 1 + i % 3; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text[(random >> 33) % (sizeof seed - 1)] =
                alphabet[(random >> 48) % (sizeof alphabet - 1)];
        }
        struct eng_error err;
        json_t *root = json_loadb(text, sizeof seed - 1, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        bool taken = accepts_bytes(text, sizeof seed - 1, &err);
        n_taken += taken;
        if (taken != (root != NULL)) fail_msg("%s: taken %d (%s)", text, taken, err.text);
        json_decref(root);
    }
    assert_true(n_taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_compared_as_they_are_meant),
        cmocka_unit_test(takes_what_is_json),
        cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(is_read_member_by_member),
        cmocka_unit_test(integers_are_whole_and_exact),
        cmocka_unit_test(copies_are_strings),
        cmocka_unit_test(the_end_is_named_once),
        cmocka_unit_test(failures_say_where),
        cmocka_unit_test(numbers_keep_their_shape),
        cmocka_unit_test(floats_are_strtods),
        cmocka_unit_test(agrees_with_jansson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
