/* Element types, shapes and their products. */
#include "engine/tensor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void dtypes_have_sizes_and_names(void **state)
{
    (void)state;
    static const struct {
        enum eng_dtype dtype;
        size_t n_bytes;
        const char *name;
    } rows[] = {
        {ENG_FLOAT32, 4, "float"},  {ENG_UINT8, 1, "uint8"},   {ENG_INT8, 1, "int8"},
        {ENG_UINT16, 2, "uint16"},  {ENG_INT16, 2, "int16"},   {ENG_INT32, 4, "int32"},
        {ENG_INT64, 8, "int64"},    {ENG_BOOL, 1, "bool"},     {ENG_FLOAT16, 2, "float16"},
        {ENG_FLOAT64, 8, "double"}, {ENG_UINT32, 4, "uint32"}, {ENG_UINT64, 8, "uint64"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(eng_dtype_bytes(rows[i].dtype), rows[i].n_bytes);
        assert_string_equal(eng_dtype_name(rows[i].dtype), rows[i].name);
    }
    const int none[] = {-1, 0, 8, 14, 1000}; /* 8 is ONNX's string */
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(eng_dtype_bytes((enum eng_dtype)none[i]), 0);
        assert_non_null(eng_dtype_name((enum eng_dtype)none[i]));
    }
}

static int64_t count2(int64_t a, int64_t b)
{
    return eng_shape_count(&(struct eng_shape){.rank = 2, .dim = {a, b}});
}

static void counts_are_checked(void **state)
{
    (void)state;
    assert_int_equal(eng_shape_count(&(struct eng_shape){0}), 1);
    assert_int_equal(count2(3, 5), 15);
    assert_int_equal(count2(0, 5), 0);
    assert_int_equal(count2(-1, 5), -1);
    assert_int_equal(count2(5, -1), -1);
    assert_int_equal(count2(0, -1), -1);
    assert_int_equal(count2((int64_t)1 << 40, 1), (int64_t)1 << 40);
    assert_int_equal(count2(((int64_t)1 << 40) + 1, 1), -1);
    assert_int_equal(count2(INT64_MAX / 2 + 1, 2), -1);
    struct eng_shape hidden = {.rank = 3, .dim = {INT64_MAX, INT64_MAX, 0}};
    assert_int_equal(eng_shape_count(&hidden), -1);
    struct eng_shape wrapped = {.rank = 3, .dim = {INT64_MAX, 2, 1}};
    assert_int_equal(eng_shape_count(&wrapped), -1);
}

static void bytes_are_checked(void **state)
{
    (void)state;
    struct eng_tensor t = {.dtype = ENG_FLOAT32, .shape = {.rank = 1, .dim = {10}}};
    assert_int_equal(eng_tensor_bytes(&t), 40);
    t.shape.dim[0] = (int64_t)1 << 40;
    assert_int_equal(eng_tensor_bytes(&t), (int64_t)1 << 42);
    t.shape.dim[0]++;
    assert_int_equal(eng_tensor_bytes(&t), -1);
    t.shape.dim[0] = -1;
    assert_int_equal(eng_tensor_bytes(&t), -1);
    t = (struct eng_tensor){.dtype = ENG_DTYPE_NONE};
    assert_int_equal(eng_tensor_bytes(&t), -1);
}

static void shapes_compare_by_rank_and_dimensions(void **state)
{
    (void)state;
    struct eng_shape a = {.rank = 2, .dim = {2, 3, 9}}, b = {.rank = 2, .dim = {2, 3, 7}};
    assert_true(eng_shape_equal(&a, &b));
    b.rank = 3;
    assert_false(eng_shape_equal(&a, &b));
    b = (struct eng_shape){.rank = 2, .dim = {2, 4}};
    assert_false(eng_shape_equal(&a, &b));
}

static void shapes_are_written_and_cut(void **state)
{
    (void)state;
    char text[256];
    struct eng_shape shape = {.rank = 4, .dim = {-1, 3, 28, 28}};
    assert_string_equal(eng_shape_format(&shape, text, sizeof text), "[N, 3, 28, 28]");
    assert_string_equal(eng_shape_format(&(struct eng_shape){0}, text, sizeof text), "[]");
    assert_string_equal(eng_shape_format(&shape, text, 6), "[N, 3");
    shape.rank = ENG_MAX_RANK;
    for (int i = 0; i < ENG_MAX_RANK; i++)
        shape.dim[i] = INT64_MIN;
    eng_shape_format(&shape, text, sizeof text);
    assert_int_equal(strlen(text), 2 + 8 * 20 + 7 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dtypes_have_sizes_and_names),
        cmocka_unit_test(counts_are_checked),
        cmocka_unit_test(bytes_are_checked),
        cmocka_unit_test(shapes_compare_by_rank_and_dimensions),
        cmocka_unit_test(shapes_are_written_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
