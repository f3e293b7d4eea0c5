/* Elements of every type become the right floats. */
#include "serve/tensor.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* At an odd address, to be sure that any will do. */
static void check(enum eng_dtype dtype, const void *from, size_t n, const float *wanted)
{
    size_t n_bytes = n * srv_tensor_bytes(dtype);
    char *odd = malloc(n_bytes + 1);
    float *found = malloc(n * sizeof *found);
    assert_true(odd && found);
    memcpy(odd + 1, from, n_bytes);
    srv_tensor_read(dtype, odd + 1, n, found);
    assert_memory_equal(found, wanted, n * sizeof *found);
    free(odd);
    free(found);
}

static void whole_numbers(void **state)
{
    (void)state;
    check(ENG_UINT8, (uint8_t[]){0, 1, 255}, 3, (float[]){0, 1, 255});
    check(ENG_INT8, (int8_t[]){-128, -1, 127}, 3, (float[]){-128, -1, 127});
    check(ENG_UINT16, (uint16_t[]){0, 65535}, 2, (float[]){0, 65535});
    check(ENG_INT16, (int16_t[]){-32768, 32767}, 2, (float[]){-32768, 32767});
    check(ENG_UINT32, (uint32_t[]){7, 4294967295u}, 2, (float[]){7, 4294967296.0f});
    check(ENG_INT32, (int32_t[]){-7, 16777217}, 2, (float[]){-7, 16777216});
    check(ENG_UINT64, (uint64_t[]){9, UINT64_MAX}, 2, (float[]){9, 0x1p64f});
    check(ENG_INT64, (int64_t[]){-9, INT64_MIN}, 2, (float[]){-9, -0x1p63f});
}

static void real_numbers(void **state)
{
    (void)state;
    check(ENG_FLOAT32, (float[]){0.1f, -FLT_MAX}, 2, (float[]){0.1f, -FLT_MAX});
    check(ENG_FLOAT64, (double[]){0.1, 1e300, -0.0}, 3, (float[]){0.1f, INFINITY, -0.0f});
}

/* Values of IEEE 754-2019, table 3.5 and around. */
static void halves(void **state)
{
    (void)state;
    static const uint16_t from[] = {0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00,
                                    0xC000, 0x3555, 0x7BFF, 0x7C00, 0xFC00};
    static const float wanted[] = {0.0f, -0.0f,      0x1p-24f, 0x3FFp-24f, 0x1p-14f, 1,
                                   -2,   0x555p-12f, 65504.0f, INFINITY,   -INFINITY};
    check(ENG_FLOAT16, from, sizeof from / sizeof from[0], wanted);
    float nan;
    srv_tensor_read(ENG_FLOAT16, (uint16_t[]){0x7C01}, 1, &nan);
    assert_true(isnan(nan));
}

static void types_that_are_no_numbers(void **state)
{
    (void)state;
    assert_int_equal(srv_tensor_bytes(ENG_BOOL), 0);
    assert_int_equal(srv_tensor_bytes(ENG_DTYPE_NONE), 0);
    assert_int_equal(srv_tensor_bytes(ENG_FLOAT16), 2);
    assert_int_equal(srv_tensor_bytes(ENG_INT64), 8);
}

static void bad_values_are_found(void **state)
{
    (void)state;
    float values[37];
    for (size_t i = 0; i < 37; i++)
        values[i] = (float)i * 7;
    assert_int_equal(srv_tensor_find_bad(values, 37, false), 37);
    assert_int_equal(srv_tensor_find_bad(values, 37, true), 37);
    values[30] = -INFINITY;
    assert_int_equal(srv_tensor_find_bad(values, 37, false), 30);
    values[17] = NAN;
    assert_int_equal(srv_tensor_find_bad(values, 37, false), 17);
    values[17] = FLT_MAX;
    assert_int_equal(srv_tensor_find_bad(values, 37, false), 30);
    static const float bad_bytes[] = {255.5f, 256, -1, 0.25f, NAN};
    for (size_t i = 0; i < sizeof bad_bytes / sizeof bad_bytes[0]; i++) {
        values[3] = bad_bytes[i];
        assert_int_equal(srv_tensor_find_bad(values, 37, true), 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(real_numbers),
        cmocka_unit_test(halves),
        cmocka_unit_test(types_that_are_no_numbers),
        cmocka_unit_test(bad_values_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
