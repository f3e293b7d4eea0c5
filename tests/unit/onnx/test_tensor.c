/* TensorProto: every element type, storage, and what must be refused. */
#include "onnx/onnx.h"

#include "base/mem.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Field numbers of TensorProto. */
enum {
    DIMS = 1,
    DATA_TYPE = 2,
    SEGMENT = 3,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    STRING_DATA = 6,
    INT64_DATA = 7,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    UINT64_DATA = 11,
    EXTERNAL_DATA = 13,
    DATA_LOCATION = 14,
};

/* Types that the engine does not hold. */
enum { STRING = 8, COMPLEX64 = 14, BFLOAT16 = 16, FLOAT8E4M3FN = 17, INT4 = 22 };

struct fixture {
    struct wire wire;
    struct eng_arena arena;
    struct onnx_named_tensor out;
    struct eng_error err;
};

static int set_up(void **state)
{
    struct fixture *f = eng_calloc(1, sizeof *f);
    eng_arena_init(&f->arena);
    *state = f;
    return f ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    eng_arena_fini(&f->arena);
    free(f);
    return 0;
}

static void begin(struct fixture *f, int type, int n_dims, const int64_t *dims)
{
    f->wire.n = 0;
    f->err = (struct eng_error){0};
    wire_text(&f->wire, NAME, "weights");
    wire_int(&f->wire, DATA_TYPE, type);
    for (int i = 0; i < n_dims; i++)
        wire_int(&f->wire, DIMS, dims[i]);
}

static void begin_vector(struct fixture *f, int type, int64_t n)
{
    begin(f, type, 1, &n);
}

/* A packed list of varints. */
static void packed(struct fixture *f, unsigned field, const int64_t *values, size_t n)
{
    struct wire list = {.n = 0};
    for (size_t i = 0; i < n; i++)
        wire_varint(&list, (uint64_t)values[i]);
    wire_message(&f->wire, field, &list);
}

/* Reads exactly the bytes written, so that a sanitizer sees any step beyond. */
static enum eng_status read_tensor(struct fixture *f)
{
    uint8_t *exact = malloc(f->wire.n ? f->wire.n : 1);
    assert_non_null(exact);
    memcpy(exact, f->wire.bytes, f->wire.n);
    enum eng_status status = onnx_tensor_read(exact, f->wire.n, &f->arena, &f->out, &f->err);
    free(exact);
    return status;
}

static void assert_fails(struct fixture *f, enum eng_status wanted, const char *sentence)
{
    f->out.name = "untouched";
    assert_int_equal(read_tensor(f), wanted);
    assert_int_equal(f->err.status, wanted);
    assert_string_equal(f->err.text, sentence);
    assert_string_equal(f->out.name, "untouched");
}

static void assert_reads(struct fixture *f, enum eng_dtype dtype, const void *data, size_t n_bytes)
{
    enum eng_status status = read_tensor(f);
    if (status != ENG_OK) print_message("%s\n", f->err.text);
    assert_int_equal(status, ENG_OK);
    assert_string_equal(f->out.name, "weights");
    assert_int_equal(f->out.tensor.dtype, dtype);
    assert_int_equal((uintptr_t)f->out.tensor.data % ENG_ALIGN, 0);
    assert_int_equal(eng_tensor_bytes(&f->out.tensor), n_bytes);
    assert_memory_equal(f->out.tensor.data, data, n_bytes);
}

static void test_raw_float(void **state)
{
    struct fixture *f = *state;
    static const int64_t dims[] = {2, 3};
    static const float values[6] = {1, -2, 0.5f, 1e30f, -0.0f, 3};
    begin(f, ENG_FLOAT32, 2, dims);
    wire_bytes(&f->wire, RAW_DATA, values, sizeof values);
    assert_reads(f, ENG_FLOAT32, values, sizeof values);
    assert_int_equal(f->out.tensor.shape.rank, 2);
    assert_int_equal(f->out.tensor.shape.dim[0], 2);
    assert_int_equal(f->out.tensor.shape.dim[1], 3);
}

static void test_large_raw_is_aligned(void **state)
{
    struct fixture *f = *state;
    float values[999];
    for (int i = 0; i < 999; i++)
        values[i] = (float)i;
    begin_vector(f, ENG_FLOAT32, 999);
    wire_bytes(&f->wire, RAW_DATA, values, sizeof values);
    assert_reads(f, ENG_FLOAT32, values, sizeof values);
}

static void test_scalar_and_empty(void **state)
{
    struct fixture *f = *state;
    static const float one = 7;
    begin(f, ENG_FLOAT32, 0, NULL);
    wire_bytes(&f->wire, RAW_DATA, &one, sizeof one);
    assert_reads(f, ENG_FLOAT32, &one, sizeof one);
    assert_int_equal(f->out.tensor.shape.rank, 0);
    static const int64_t none[] = {0, 4};
    begin(f, ENG_FLOAT32, 2, none);
    assert_reads(f, ENG_FLOAT32, "", 0);
    assert_non_null(f->out.tensor.data);
}

static void test_float_data(void **state)
{
    struct fixture *f = *state;
    static const float values[3] = {1, 2, 3};
    begin_vector(f, ENG_FLOAT32, 3);
    wire_bytes(&f->wire, FLOAT_DATA, values, sizeof values); /* packed */
    assert_reads(f, ENG_FLOAT32, values, sizeof values);
    begin_vector(f, ENG_FLOAT32, 3);
    for (int i = 0; i < 3; i++)
        wire_float(&f->wire, FLOAT_DATA, values[i]); /* one by one, as old writers do */
    assert_reads(f, ENG_FLOAT32, values, sizeof values);
}

static void test_integers(void **state)
{
    struct fixture *f = *state;
    static const int64_t wide[3] = {-128, 0, 127}, positive[3] = {0, 1, 65535};
    static const int8_t i8[3] = {-128, 0, 127};
    static const int16_t i16[3] = {-128, 0, 127};
    static const int32_t i32[3] = {-128, 0, 127};
    static const uint16_t u16[3] = {0, 1, 65535};
    static const uint32_t u32[3] = {0, 1, 65535};
    static const uint64_t u64[3] = {0, 1, 65535};
    static const struct {
        enum eng_dtype dtype;
        unsigned field;
        const int64_t *values;
        const void *wanted;
    } rows[] = {
        {ENG_INT8, INT32_DATA, wide, i8},         {ENG_INT16, INT32_DATA, wide, i16},
        {ENG_INT32, INT32_DATA, wide, i32},       {ENG_UINT16, INT32_DATA, positive, u16},
        {ENG_UINT32, UINT64_DATA, positive, u32}, {ENG_UINT64, UINT64_DATA, positive, u64},
        {ENG_INT64, INT64_DATA, wide, wide},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n_bytes = 3 * eng_dtype_bytes(rows[i].dtype);
        begin_vector(f, (int)rows[i].dtype, 3);
        packed(f, rows[i].field, rows[i].values, 3);
        assert_reads(f, rows[i].dtype, rows[i].wanted, n_bytes);
        begin_vector(f, (int)rows[i].dtype, 3);
        wire_bytes(&f->wire, RAW_DATA, rows[i].wanted, n_bytes);
        assert_reads(f, rows[i].dtype, rows[i].wanted, n_bytes);
    }
}

static void test_double_and_bool(void **state)
{
    struct fixture *f = *state;
    static const double values[2] = {0.1, -1e300};
    begin_vector(f, ENG_FLOAT64, 2);
    wire_bytes(&f->wire, DOUBLE_DATA, values, sizeof values);
    assert_reads(f, ENG_FLOAT64, values, sizeof values);
    static const int64_t truths[3] = {1, 0, 1};
    static const uint8_t bools[3] = {1, 0, 1};
    begin_vector(f, ENG_BOOL, 3);
    packed(f, INT32_DATA, truths, 3);
    assert_reads(f, ENG_BOOL, bools, sizeof bools);
    begin_vector(f, ENG_BOOL, 3);
    wire_bytes(&f->wire, RAW_DATA, bools, sizeof bools);
    assert_reads(f, ENG_BOOL, bools, sizeof bools);
}

static void test_half_is_widened(void **state)
{
    struct fixture *f = *state;
    static const uint16_t halves[4] = {0x3c00, 0xc000, 0x7bff, 0x0001};
    static const float wanted[4] = {1.0f, -2.0f, 65504.0f, 0x1p-24f};
    int64_t bits[4];
    for (int i = 0; i < 4; i++)
        bits[i] = halves[i];
    begin_vector(f, ENG_FLOAT16, 4);
    wire_bytes(&f->wire, RAW_DATA, halves, sizeof halves);
    assert_reads(f, ENG_FLOAT32, wanted, sizeof wanted);
    begin_vector(f, ENG_FLOAT16, 4);
    packed(f, INT32_DATA, bits, 4);
    assert_reads(f, ENG_FLOAT32, wanted, sizeof wanted);
}

static void test_values_out_of_range(void **state)
{
    struct fixture *f = *state;
    static const int64_t v128 = 128, v2 = 2, v65536 = 65536, minus = -1;
    begin_vector(f, ENG_INT8, 1);
    packed(f, INT32_DATA, &v128, 1);
    assert_fails(
        f, ENG_FORMAT,
        "tensor 'weights': int32_data element 0 lies outside int8: 128, wanted -128 to 127");
    begin_vector(f, ENG_BOOL, 1);
    packed(f, INT32_DATA, &v2, 1);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': int32_data element 0 lies outside bool: 2, wanted 0 to 1");
    begin_vector(f, ENG_BOOL, 1);
    wire_bytes(&f->wire, RAW_DATA, "\002", 1);
    assert_fails(f, ENG_FORMAT, "tensor 'weights': raw_data element 0 is 2, wanted a bool, 0 or 1");
    begin_vector(f, ENG_FLOAT16, 1);
    packed(f, INT32_DATA, &v65536, 1);
    assert_fails(
        f, ENG_FORMAT,
        "tensor 'weights': int32_data element 0 is 65536, wanted the 16 bits of a float16");
    begin_vector(f, ENG_UINT32, 1);
    packed(f, UINT64_DATA, &minus, 1);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': uint64_data element 0 lies outside uint32: "
                 "9223372036854775807, wanted 0 to 4294967295");
}

static void test_counts(void **state)
{
    struct fixture *f = *state;
    static const int64_t dims[] = {2, 3};
    static const float values[6] = {0};
    begin(f, ENG_FLOAT32, 2, dims);
    wire_bytes(&f->wire, RAW_DATA, values, 20);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': raw_data has 20 bytes, shape [2, 3] of float wants 24");
    begin(f, ENG_FLOAT32, 2, dims);
    wire_bytes(&f->wire, FLOAT_DATA, values, 20);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': float_data has 5 elements, shape [2, 3] wants 6");
    begin(f, ENG_FLOAT32, 2, dims);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': holds no data: raw_data and float_data are empty, shape [2, 3] "
                 "wants 6 elements");
    begin(f, ENG_FLOAT32, 2, dims);
    wire_bytes(&f->wire, RAW_DATA, values, 24);
    wire_bytes(&f->wire, FLOAT_DATA, values, 24);
    assert_fails(f, ENG_FORMAT, "tensor 'weights': holds both raw_data and float_data, wanted one");
    begin(f, ENG_INT64, 2, dims);
    wire_bytes(&f->wire, FLOAT_DATA, values, 24);
    assert_fails(
        f, ENG_FORMAT,
        "tensor 'weights': holds float_data, wanted int64_data or raw_data for type int64");
}

/* A kilobyte that asks for more than any memory must fail before anything is allocated. */
static void test_absurd_shapes(void **state)
{
    struct fixture *f = *state;
    static const int64_t huge[] = {INT64_MAX, 2}, large[] = {1 << 20, 1 << 12}, below[] = {3, -1},
                         many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    begin(f, ENG_FLOAT32, 2, huge);
    assert_fails(
        f, ENG_FORMAT,
        "tensor 'weights': shape [9223372036854775807, 2] of float is larger than any memory");
    begin(f, ENG_FLOAT32, 2, large);
    wire_bytes(&f->wire, RAW_DATA, "1234", 4);
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': raw_data has 4 bytes, shape [1048576, 4096] of float wants "
                 "17179869184");
    assert_true(f->arena.total_bytes < 1 << 20);
    begin(f, ENG_FLOAT32, 2, below);
    assert_fails(f, ENG_FORMAT, "tensor 'weights': dimension 1 is -1, wanted 0 or more");
    begin(f, ENG_FLOAT32, 9, many);
    assert_fails(f, ENG_UNSUPPORTED, "tensor 'weights': has 9 dimensions, at most 8 are supported");
}

static void test_other_types(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int type;
        enum eng_status status;
        const char *what;
    } rows[] = {
        {STRING, ENG_UNSUPPORTED, "element type string is not supported"},
        {COMPLEX64, ENG_UNSUPPORTED, "element type complex64 is not supported"},
        {BFLOAT16, ENG_UNSUPPORTED, "element type bfloat16 is not supported"},
        {FLOAT8E4M3FN, ENG_UNSUPPORTED, "element type float8e4m3fn is not supported"},
        {INT4, ENG_UNSUPPORTED, "element type int4 is not supported"},
        {0, ENG_FORMAT, "element type has the unknown number 0"},
        {-5, ENG_FORMAT, "element type has the unknown number -5"},
        {99, ENG_FORMAT, "element type has the unknown number 99"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char sentence[256];
        snprintf(sentence, sizeof sentence,
                 "tensor 'weights': %s, wanted float, double, float16, bool or an integer of 8 to "
                 "64 bits",
                 rows[i].what);
        begin_vector(f, rows[i].type, 1);
        wire_bytes(&f->wire, RAW_DATA, "1234", 4);
        assert_fails(f, rows[i].status, sentence);
    }
}

static void test_data_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct wire entry = {.n = 0};
    wire_text(&entry, 1, "location");
    wire_text(&entry, 2, "weights.bin");
    static const char sentence[] =
        "tensor 'weights': its data stand in another file (external data); wanted one file with the "
        "weights inside, of at most 2 GiB: onnx.save(onnx.load('model.onnx'), 'whole.onnx')";
    begin_vector(f, ENG_FLOAT32, 1);
    wire_message(&f->wire, EXTERNAL_DATA, &entry);
    wire_int(&f->wire, DATA_LOCATION, 1);
    assert_fails(f, ENG_UNSUPPORTED, sentence);
    begin_vector(f, ENG_FLOAT32, 1);
    wire_int(&f->wire, DATA_LOCATION, 1);
    assert_fails(f, ENG_UNSUPPORTED, sentence);
    begin_vector(f, ENG_FLOAT32, 1);
    wire_int(&f->wire, DATA_LOCATION, 2);
    assert_fails(f, ENG_FORMAT, "tensor 'weights': data_location is 2, wanted 0 (default)");
    begin_vector(f, ENG_FLOAT32, 1);
    wire_bytes(&f->wire, SEGMENT, NULL, 0);
    assert_fails(f, ENG_UNSUPPORTED,
                 "tensor 'weights': is a segment of a larger tensor; wanted it whole");
    begin_vector(f, ENG_FLOAT32, 1);
    wire_text(&f->wire, STRING_DATA, "x");
    assert_fails(f, ENG_FORMAT,
                 "tensor 'weights': holds string_data, which its element type does not use");
}

static void test_bad_names(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *sentence;
    } rows[] = {
        {"a\0b", 3, "tensor name holds the control character 0x00 at byte 1"},
        {"a\nb", 3, "tensor name holds the control character 0x0a at byte 1"},
        {"\x7f", 1, "tensor name holds the control character 0x7f at byte 0"},
        {"\xc3", 1, "tensor name is not UTF-8 text"},
        {"\xed\xa0\x80", 3, "tensor name is not UTF-8 text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        f->wire.n = 0;
        f->err = (struct eng_error){0};
        wire_bytes(&f->wire, NAME, rows[i].bytes, rows[i].n);
        assert_fails(f, ENG_FORMAT, rows[i].sentence);
    }
}

static void test_unknown_field(void **state)
{
    struct fixture *f = *state;
    begin_vector(f, ENG_FLOAT32, 1);
    wire_bytes(&f->wire, RAW_DATA, "1234", 4);
    wire_int(&f->wire, 77, 1);
    assert_fails(f, ENG_FORMAT,
                 "TensorProto has field 77, which ONNX up to IR version 10 does not");
}

static void test_truncated_everywhere(void **state)
{
    struct fixture *f = *state;
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    begin_vector(f, ENG_FLOAT32, 6);
    wire_bytes(&f->wire, RAW_DATA, values, sizeof values);
    for (size_t n = f->wire.n; n-- > 0;) {
        f->wire.n = n;
        f->err = (struct eng_error){0};
        assert_int_not_equal(read_tensor(f), ENG_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_float),
        cmocka_unit_test(test_large_raw_is_aligned),
        cmocka_unit_test(test_scalar_and_empty),
        cmocka_unit_test(test_float_data),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_double_and_bool),
        cmocka_unit_test(test_half_is_widened),
        cmocka_unit_test(test_values_out_of_range),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_absurd_shapes),
        cmocka_unit_test(test_other_types),
        cmocka_unit_test(test_data_elsewhere),
        cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_unknown_field),
        cmocka_unit_test(test_truncated_everywhere),
    };
    return cmocka_run_group_tests_name("onnx tensor", tests, set_up, tear_down);
}
