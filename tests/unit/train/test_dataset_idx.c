/* IDX files: what is read, and that nothing wrong is. */
#include "train/dataset.h"
#include "train/dataset_idx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Two pictures of 3 x 2 pixels (width x height) and their labels. */
static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 4};

static enum eng_status parse(const void *i, size_t n_i, const void *l, size_t n_l,
                             struct eng_dataset *out, struct eng_error *err)
{
    return eng_idx_parse("images", i, n_i, "labels", l, n_l, out, err);
}

static void expect_failure(const uint8_t *i, size_t n_i, const uint8_t *l, size_t n_l,
                           enum eng_status wanted, const char *sentence)
{
    struct eng_dataset set = {0};
    struct eng_error err = {0};
    assert_int_equal(parse(i, n_i, l, n_l, &set, &err), wanted);
    assert_int_equal(err.status, wanted);
    assert_null(set.pixels);
    if (!strstr(err.text, sentence)) fail_msg("\"%s\" lacks \"%s\"", err.text, sentence);
}

static void test_reads_records(void **state)
{
    (void)state;
    struct eng_dataset set;
    assert_int_equal(parse(images, sizeof images, labels, sizeof labels, &set, NULL), ENG_OK);
    assert_int_equal(set.n, 2);
    assert_int_equal(set.width_px, 3);
    assert_int_equal(set.height_px, 2);
    assert_int_equal(set.n_channels, 1);
    assert_int_equal(set.n_classes, 5);
    assert_int_equal(set.labels[0], 1);
    assert_int_equal(set.labels[1], 4);
    assert_int_equal(eng_dataset_sample_bytes(&set), 6);
    assert_memory_equal(eng_dataset_sample(&set, 1), images + 22, 6);
    eng_dataset_fini(&set);
    assert_null(set.pixels);
}

/* Every prefix is refused. An exact copy lets the address sanitizer see a read past the end. */
static void test_truncated_at_every_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof images; n++) {
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, images, n);
        expect_failure(part, n, labels, sizeof labels, ENG_FORMAT, "images: ");
        free(part);
    }
    for (size_t n = 0; n < sizeof labels; n++) {
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, labels, n);
        expect_failure(images, sizeof images, part, n, ENG_FORMAT, "labels: ");
        free(part);
    }
}

static void test_names_the_record_where_the_file_ends(void **state)
{
    (void)state;
    expect_failure(images, sizeof images - 1, labels, sizeof labels, ENG_FORMAT,
                   "ends in record 1; the header promises 2 of 6 bytes");
}

static void test_refuses_wrong_headers(void **state)
{
    (void)state;
    uint8_t bad[sizeof images + 1];
    expect_failure(labels, sizeof labels, labels, sizeof labels, ENG_FORMAT,
                   "magic number 0x00000801; wanted 0x00000803");
    memcpy(bad, images, sizeof images);
    bad[sizeof images] = 0;
    expect_failure(bad, sizeof bad, labels, sizeof labels, ENG_FORMAT, "1 bytes follow the last");
    bad[7] = 0;
    expect_failure(bad, sizeof images, labels, sizeof labels, ENG_FORMAT, "dimension 0 is 0");
    memset(bad + 4, 0xff, 12);
    expect_failure(bad, sizeof images, labels, sizeof labels, ENG_LIMIT, "ask for more than");
    memcpy(bad + 4, "\0\0\0\1\0\0\xff\xff\0\0\0\1", 12);
    expect_failure(bad, sizeof images, labels, sizeof labels, ENG_FORMAT, "ends in record 0");
}

static void test_refuses_counts_that_differ(void **state)
{
    (void)state;
    static const uint8_t three[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 4, 2};
    expect_failure(images, sizeof images, three, sizeof three, ENG_FORMAT,
                   "labels holds 3 labels; wanted 2, as many as images holds pictures");
}

static void test_refuses_huge_pictures(void **state)
{
    (void)state;
    size_t n = 16 + 5000;
    uint8_t *wide = calloc(n, 1);
    memcpy(wide, "\0\0\x8\3\0\0\0\1\0\0\0\1\0\0\x13\x88", 16); /* 1 x 5000 */
    static const uint8_t one[] = {0, 0, 8, 1, 0, 0, 0, 1, 0};
    expect_failure(wide, n, one, sizeof one, ENG_LIMIT, "5000 x 1; the limit is 4096");
    free(wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_records),
        cmocka_unit_test(test_truncated_at_every_byte),
        cmocka_unit_test(test_names_the_record_where_the_file_ends),
        cmocka_unit_test(test_refuses_wrong_headers),
        cmocka_unit_test(test_refuses_counts_that_differ),
        cmocka_unit_test(test_refuses_huge_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
