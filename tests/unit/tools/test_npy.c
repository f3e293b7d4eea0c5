/* .npy files: what is read, what is written, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 512 };

struct npy {
    uint8_t bytes[FILE_BYTES];
    size_t n;
};

/* A file of the given version from its dict and its elements. */
static struct npy make(uint8_t major, const char *dict, const void *elements, size_t n_bytes)
{
    struct npy npy = {.bytes = "\x93NUMPY"};
    size_t n_dict = strlen(dict), prefix = major == 1 ? 10 : 12;
    assert_true(prefix + n_dict + n_bytes <= FILE_BYTES);
    npy.bytes[6] = major;
    npy.bytes[8] = (uint8_t)n_dict;
    npy.bytes[9] = (uint8_t)(n_dict >> 8);
    memcpy(npy.bytes + prefix, dict, n_dict);
    if (n_bytes) memcpy(npy.bytes + prefix + n_dict, elements, n_bytes);
    npy.n = prefix + n_dict + n_bytes;
    return npy;
}

/* Parses an exact copy, so that the sanitizer sees a read past the end. */
static enum eng_status parse(const struct npy *npy, struct eng_tensor *out, struct eng_error *err)
{
    uint8_t *copy = malloc(npy->n ? npy->n : 1);
    assert_non_null(copy);
    memcpy(copy, npy->bytes, npy->n);
    enum eng_status status = tool_npy_parse(copy, npy->n, out, err);
    free(copy);
    return status;
}

static void reads_every_element_type(void **state)
{
    (void)state;
    static const struct {
        const char *descr;
        enum eng_dtype dtype;
        size_t bytes;
    } cases[] = {
        {"<f4", ENG_FLOAT32, 4}, {"<f8", ENG_FLOAT64, 8}, {"<f2", ENG_FLOAT16, 2},
        {"|b1", ENG_BOOL, 1},    {"|i1", ENG_INT8, 1},    {"<i2", ENG_INT16, 2},
        {"<i4", ENG_INT32, 4},   {"<i8", ENG_INT64, 8},   {"|u1", ENG_UINT8, 1},
        {"<u2", ENG_UINT16, 2},  {"<u4", ENG_UINT32, 4},  {"<u8", ENG_UINT64, 8},
        {"<u1", ENG_UINT8, 1},
    };
    const uint8_t elements[16] = {1, 0, 1, 1, 0, 0, 1};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char dict[128];
        snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }\n",
                 cases[i].descr);
        struct npy npy = make(1, dict, elements, 2 * cases[i].bytes);
        struct eng_tensor t;
        assert_int_equal(parse(&npy, &t, NULL), ENG_OK);
        assert_int_equal(t.dtype, cases[i].dtype);
        assert_int_equal(t.shape.rank, 1);
        assert_int_equal(t.shape.dim[0], 2);
        assert_memory_equal(t.data, elements, 2 * cases[i].bytes);
        free(t.data);
    }
}

static void reads_versions_and_other_spellings(void **state)
{
    (void)state;
    static const char *const dicts[] = {
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }  \n",
        "{\"shape\":(1,2,),\"fortran_order\":False,\"descr\":\"<i2\"}",
        "  { 'fortran_order' : False , 'shape' : ( 1 , 2 ) , 'descr' : '<i2' } ",
    };
    const int16_t elements[2] = {7, -8};
    for (uint8_t major = 1; major <= 3; major++)
        for (size_t i = 0; i < sizeof dicts / sizeof dicts[0]; i++) {
            struct npy npy = make(major, dicts[i], elements, sizeof elements);
            struct eng_tensor t;
            assert_int_equal(parse(&npy, &t, NULL), ENG_OK);
            assert_int_equal(t.shape.rank, 2);
            assert_memory_equal(t.data, elements, sizeof elements);
            free(t.data);
        }
}

static void transposes_fortran_order(void **state)
{
    (void)state;
    /* a[i][j][k] = 100 i + 10 j + k of shape (2, 3, 2), first index fastest. */
    const uint8_t fortran[12] = {0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121};
    const uint8_t expected[12] = {0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121};
    struct npy npy = make(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }\n",
                          fortran, sizeof fortran);
    struct eng_tensor t;
    assert_int_equal(parse(&npy, &t, NULL), ENG_OK);
    assert_memory_equal(t.data, expected, sizeof expected);
    free(t.data);
}

static void reads_scalars_and_empty_arrays(void **state)
{
    (void)state;
    const double value = 2.5;
    struct npy npy =
        make(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n", &value, 8);
    struct eng_tensor t;
    assert_int_equal(parse(&npy, &t, NULL), ENG_OK);
    assert_int_equal(t.shape.rank, 0);
    assert_true(*(double *)t.data == value);
    free(t.data);
    npy = make(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (3, 0), }\n", NULL, 0);
    assert_int_equal(parse(&npy, &t, NULL), ENG_OK);
    assert_int_equal(eng_shape_count(&t.shape), 0);
    free(t.data);
}

static void refuses_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *dict;
        enum eng_status status;
        const char *says;
    } cases[] = {
        {"", ENG_FORMAT, "not a dict"},
        {"[1, 2]", ENG_FORMAT, "not a dict"},
        {"{", ENG_FORMAT, "not a dict of"},
        {"{'descr': '<f4'}", ENG_FORMAT, "lacks 'fortran_order'"},
        {"{'descr': '<f4', 'fortran_order': False}", ENG_FORMAT, "lacks 'shape'"},
        {"{'fortran_order': False, 'shape': (1,)}", ENG_FORMAT, "lacks 'descr'"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", ENG_FORMAT,
         "'descr' twice"},
        {"{'descr': '<f4', 'order': False, 'shape': (1,)}", ENG_FORMAT, "key 'order'"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", ENG_FORMAT, "comma"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", ENG_FORMAT, "True nor False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", ENG_FORMAT, "wanted a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", ENG_FORMAT, "not a tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", ENG_FORMAT, "dimension 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", ENG_FORMAT, "comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", ENG_FORMAT,
         "dimension 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", ENG_FORMAT,
         "too many elements"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", ENG_UNSUPPORTED,
         "more than 8 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", ENG_FORMAT, "follow"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", ENG_UNSUPPORTED, "big endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", ENG_UNSUPPORTED, "'<c8'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", ENG_UNSUPPORTED,
         "not one plain"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", ENG_FORMAT, "4 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", ENG_FORMAT, "4 bytes"},
    };
    const float element = 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct npy npy = make(1, cases[i].dict, &element, sizeof element);
        struct eng_tensor t;
        struct eng_error err = {0};
        enum eng_status status = parse(&npy, &t, &err);
        if (status != cases[i].status || !strstr(err.text, cases[i].says))
            fail_msg("%s: status %d, \"%s\"", cases[i].dict, status, err.text);
    }
}

static void refuses_other_files(void **state)
{
    (void)state;
    static const char dict[] = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }\n";
    const uint8_t elements[2] = {1, 2};
    struct eng_tensor t;
    struct eng_error err = {0};
    struct npy npy = make(1, dict, elements, 2);
    assert_int_equal(parse(&npy, &t, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "element 1 of a bool array is 2"));
    npy = make(4, dict, elements, 2);
    assert_int_equal(parse(&npy, &t, NULL), ENG_UNSUPPORTED);
    npy = make(1, dict, elements, 2);
    npy.bytes[7] = 1;
    assert_int_equal(parse(&npy, &t, NULL), ENG_UNSUPPORTED);
    npy = make(2, dict, elements, 2);
    npy.bytes[11] = 0x7f; /* a header of 2 GB */
    assert_int_equal(parse(&npy, &t, NULL), ENG_FORMAT);
    npy = make(1, dict, elements, 2);
    npy.bytes[0] = 'x';
    assert_int_equal(parse(&npy, &t, NULL), ENG_FORMAT);
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    const float elements[3] = {1, 2, 3};
    struct npy npy = make(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n",
                          elements, sizeof elements);
    for (size_t n = npy.n; n-- > 0;) {
        struct eng_tensor t;
        struct eng_error err = {0};
        npy.n = n;
        assert_int_not_equal(parse(&npy, &t, &err), ENG_OK);
        assert_int_not_equal(err.text[0], '\0');
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    int64_t elements[24];
    for (int i = 0; i < 24; i++)
        elements[i] = i - 5;
    struct eng_tensor t = {ENG_INT64, {.rank = 8, .dim = {1, 1, 2, 1, 3, 1, 1, 4}}, elements}, back;
    uint8_t *bytes;
    size_t n_bytes;
    for (; t.shape.rank >= 0; t.shape.rank--) {
        assert_int_equal(tool_npy_format(&t, &bytes, &n_bytes, NULL), ENG_OK);
        assert_int_equal((n_bytes - (size_t)eng_tensor_bytes(&t)) % 64, 0);
        assert_int_equal(tool_npy_parse(bytes, n_bytes, &back, NULL), ENG_OK);
        assert_int_equal(back.dtype, t.dtype);
        assert_true(eng_shape_equal(&back.shape, &t.shape));
        assert_memory_equal(back.data, elements, (size_t)eng_tensor_bytes(&t));
        free(back.data);
        free(bytes);
    }
    t.shape.rank = 1;
    t.shape.dim[0] = -1;
    assert_int_equal(tool_npy_format(&t, &bytes, &n_bytes, NULL), ENG_ARGUMENT);
    t.dtype = ENG_DTYPE_NONE;
    assert_int_equal(tool_npy_format(&t, &bytes, &n_bytes, NULL), ENG_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_element_type),
        cmocka_unit_test(reads_versions_and_other_spellings),
        cmocka_unit_test(transposes_fortran_order),
        cmocka_unit_test(reads_scalars_and_empty_arrays),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
