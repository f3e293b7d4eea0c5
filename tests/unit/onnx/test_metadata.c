/* Metadata of a file are replaced, and every other byte stays. */
#include "onnx/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool is_ours(const char *key, size_t n)
{
    return n >= 2 && memcmp(key, "c.", 2) == 0;
}

static const struct onnx_property rows[] = {{"c.a", "new"}, {"c.long", ""}};

/* A field of every kind, an unknown one and an empty row between them. */
#define KEEP_1 "\x08\x96\x01" /* ir_version */
#define DOC    "\x32\x03old"
#define KEEP_2 "\x72\x08\x0a\x03key\x12\x01v"
#define GOES                     \
    "\x72\x0b\x12\x02xy\x0a\x05" \
    "c.old" /* value first */
#define KEEP_3 "\x72\x00"
#define KEEP_4 \
    "\xa1\x06" \
    "12345678" /* field 100, 8 bytes */
#define KEEP_5 \
    "\xa5\x06" \
    "1234" /* field 100, 4 bytes */
#define KEEP_6 \
    "\x3a\x04" \
    "\x12\x02" \
    "ab" /* graph */
#define NEW_DOC \
    "\x32\x04"  \
    "text"
#define NEW            \
    "\x72\x0a\x0a\x03" \
    "c.a"              \
    "\x12\x03"         \
    "new"              \
    "\x72\x0a\x0a\x06" \
    "c.long"           \
    "\x12\x00"

static void expect(const char *file, size_t n_file, const char *doc_string, const char *want,
                   size_t n_want)
{
    const struct onnx_metadata metadata = {
        .rows = rows, .n_rows = 2, .doc_string = doc_string, .replaces = is_ours};
    uint8_t *out;
    size_t n_out;
    assert_int_equal(onnx_metadata_replace(file, n_file, &metadata, &out, &n_out, NULL), ENG_OK);
    assert_int_equal(n_out, n_want);
    assert_memory_equal(out, want, n_want);
    free(out);
}

static void other_fields_stay(void **state)
{
    (void)state;
    static const char file[] = KEEP_1 DOC KEEP_2 GOES KEEP_3 KEEP_4 KEEP_5 KEEP_6;
    static const char with_doc[] = KEEP_1 DOC KEEP_2 KEEP_3 KEEP_4 KEEP_5 KEEP_6 NEW;
    static const char new_doc[] = KEEP_1 KEEP_2 KEEP_3 KEEP_4 KEEP_5 KEEP_6 NEW_DOC NEW;
    expect(file, sizeof file - 1, NULL, with_doc, sizeof with_doc - 1);
    expect(file, sizeof file - 1, "text", new_doc, sizeof new_doc - 1);
    expect(with_doc, sizeof with_doc - 1, NULL, with_doc, sizeof with_doc - 1);
    expect("", 0, NULL, NEW, sizeof NEW - 1);
}

static void long_values_have_long_lengths(void **state)
{
    (void)state;
    char *value = malloc(20001);
    assert_non_null(value);
    memset(value, 'x', 20000);
    value[20000] = '\0';
    const struct onnx_property row = {"c.a", value};
    const struct onnx_metadata metadata = {.rows = &row, .n_rows = 1, .replaces = is_ours};
    uint8_t *out, *again;
    size_t n_out, n_again;
    assert_int_equal(onnx_metadata_replace("", 0, &metadata, &out, &n_out, NULL), ENG_OK);
    assert_int_equal(n_out, 1 + 3 + 5 + 1 + 3 + 20000);
    assert_int_equal(onnx_metadata_replace(out, n_out, &metadata, &again, &n_again, NULL), ENG_OK);
    assert_int_equal(n_again, n_out);
    assert_memory_equal(out, again, n_out);
    free(out);
    free(again);
    free(value);
}

static void what_is_no_protobuf_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } files[] = {
        {"\x0b", 1},        /* a group */
        {"\x08", 1},        /* a number that is missing */
        {"\x08\x80", 2},    /* one that is cut */
        {"\x32\x05old", 5}, /* a text that is cut */
        {"\xa1\x06"
         "1234",
         6},
        {"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11},     /* a length beyond memory */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12}, /* a number of 11 bytes */
    };
    const struct onnx_metadata metadata = {.rows = rows, .n_rows = 2, .replaces = is_ours};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        uint8_t *out = NULL;
        size_t n_out;
        struct eng_error err = {0};
        assert_int_equal(
            onnx_metadata_replace(files[i].bytes, files[i].n, &metadata, &out, &n_out, &err),
            ENG_FORMAT);
        assert_null(out);
        assert_string_equal(err.text, "the file is no sequence of protobuf fields");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_fields_stay),
        cmocka_unit_test(long_values_have_long_lengths),
        cmocka_unit_test(what_is_no_protobuf_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
