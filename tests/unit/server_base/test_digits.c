#include "base/digits.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t numbers[] = {
    0,  1,  9,   10,   99,         100,       1000000007, INT32_MAX,     INT64_MAX, INT64_MAX - 1,
    -1, -9, -10, -100, -123456789, INT32_MIN, INT64_MIN,  INT64_MIN + 1,
};

static void decimal_is_what_printf_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char wanted[32], found[SRV_DECIMAL_CHARS];
        size_t n = (size_t)snprintf(wanted, sizeof wanted, "%" PRId64, numbers[i]);
        assert_int_equal(srv_decimal(numbers[i], found), n);
        assert_memory_equal(found, wanted, n);
    }
}

static void hex_is_what_printf_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char wanted[SRV_HEX_CHARS + 1], found[SRV_HEX_CHARS];
        snprintf(wanted, sizeof wanted, "%016" PRIx64, (uint64_t)numbers[i]);
        srv_hex((uint64_t)numbers[i], found);
        assert_memory_equal(found, wanted, sizeof found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_is_what_printf_writes),
        cmocka_unit_test(hex_is_what_printf_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
