/* Floats as text: what printf writes, and they read back as the same float. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text of value; valid until the next call. */
static const char *format(float value)
{
    static char buf[64];
    struct srv_text text = {0};
    srv_text_float(&text, value);
    assert_false(text.failed);
    snprintf(buf, sizeof buf, "%s", text.bytes);
    srv_text_fini(&text);
    return buf;
}

static void writes_the_ends_of_the_range(void **state)
{
    (void)state;
    assert_string_equal(format(0), "0");
    assert_string_equal(format(1), "1");
    assert_string_equal(format(0.5f), "0.5");
    assert_string_equal(format(nextafterf(1, 0)), "0.99999994");
    assert_string_equal(format(0.0001f), "9.99999975e-05");
    assert_string_equal(format(nextafterf(0, 1)), "1.40129846e-45");
    assert_string_equal(format(2), "2");
    assert_string_equal(format(-0.25f), "-0.25");
}

static void writes_null_for_what_json_lacks(void **state)
{
    (void)state;
    assert_string_equal(format(NAN), "null");
    assert_string_equal(format(-INFINITY), "null");
}

/* A prime step through all floats of 0..1; a tie in the tenth digit may be rounded the other way.
 */
static void reads_back_as_the_same_float(void **state)
{
    (void)state;
    for (uint32_t bits = 1; bits <= 0x3f800000; bits += 40009) {
        float value, back;
        memcpy(&value, &bits, sizeof value);
        const char *text = format(value);
        back = strtof(text, NULL);
        if (memcmp(&back, &value, sizeof value) != 0)
            fail_msg("%s is not %.9g", text, (double)value);
        char printed[64];
        snprintf(printed, sizeof printed, "%.9g", (double)value);
        assert_int_equal(strlen(text), strlen(printed));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_ends_of_the_range),
        cmocka_unit_test(writes_null_for_what_json_lacks),
        cmocka_unit_test(reads_back_as_the_same_float),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
