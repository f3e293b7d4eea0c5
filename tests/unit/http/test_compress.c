/* Content codings: their names, and streams in any pieces. */
#include "http/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void content_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum srv_encoding wanted;
    } rows[] = {
        {NULL, SRV_ENCODING_NONE},         {"", SRV_ENCODING_NONE},
        {"identity", SRV_ENCODING_NONE},   {"gzip", SRV_ENCODING_GZIP},
        {"x-gzip", SRV_ENCODING_GZIP},     {" GZip ", SRV_ENCODING_GZIP},
        {"deflate", SRV_ENCODING_DEFLATE}, {"br", SRV_ENCODING_OTHER},
        {"gzipp", SRV_ENCODING_OTHER},     {"gzip, gzip", SRV_ENCODING_OTHER},
        {"gzip,", SRV_ENCODING_OTHER},     {"identity, gzip", SRV_ENCODING_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(srv_encoding_parse(rows[i].value), rows[i].wanted);
}

static void accept_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum srv_encoding wanted;
    } rows[] = {
        {NULL, SRV_ENCODING_NONE},
        {"", SRV_ENCODING_NONE},
        {"identity", SRV_ENCODING_NONE},
        {"br", SRV_ENCODING_NONE},
        {"gzip", SRV_ENCODING_GZIP},
        {"deflate", SRV_ENCODING_DEFLATE},
        {"gzip, deflate, br", SRV_ENCODING_GZIP},
        {"deflate, gzip", SRV_ENCODING_GZIP},
        {"deflate;q=0.9, gzip;q=0.8", SRV_ENCODING_DEFLATE},
        {"deflate ; q=0.5 ,gzip;q=0.501", SRV_ENCODING_GZIP},
        {"gzip;q=0", SRV_ENCODING_NONE},
        {"gzip;q=0.0, deflate;q=0.001", SRV_ENCODING_DEFLATE},
        {"*", SRV_ENCODING_GZIP},
        {"gzip;q=0, *;q=1", SRV_ENCODING_DEFLATE},
        {"*;q=0", SRV_ENCODING_NONE},
        {"identity, gzip;q=0.5", SRV_ENCODING_NONE},
        {"identity;q=0.5, gzip", SRV_ENCODING_GZIP},
        {",,gzip,,", SRV_ENCODING_GZIP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (srv_encoding_choose(rows[i].value) != rows[i].wanted)
            fail_msg("\"%s\"", rows[i].value ? rows[i].value : "absent");
}

/* Collects pieces up to a bound. */
struct sink {
    struct srv_text text;
    size_t max_bytes;
};

static bool take(void *ctx, const char *bytes, size_t n_bytes)
{
    struct sink *sink = ctx;
    if (sink->text.n_bytes + n_bytes > sink->max_bytes) return false;
    srv_text_append(&sink->text, bytes, n_bytes);
    return true;
}

/* Inflates in pieces of so many bytes. */
static enum eng_status inflate_in(enum srv_encoding encoding, const struct srv_text *from,
                                  size_t step, struct sink *sink, bool *has_ended,
                                  struct eng_error *err)
{
    struct srv_inflater *inflater = srv_inflater_create(encoding);
    assert_non_null(inflater);
    enum eng_status status = ENG_OK;
    for (size_t at = 0; at < from->n_bytes && status == ENG_OK; at += step) {
        size_t n = from->n_bytes - at < step ? from->n_bytes - at : step;
        status = srv_inflater_add(inflater, from->bytes + at, n, take, sink, err);
    }
    *has_ended = srv_inflater_has_ended(inflater);
    srv_inflater_destroy(inflater);
    return status;
}

static void make_text(struct srv_text *text)
{
    for (int i = 0; i < 20000; i++)
        srv_text_printf(text, "%d,", i * i % 1000);
}

static void what_is_compressed_comes_back(void **state)
{
    (void)state;
    struct srv_text plain = {0};
    make_text(&plain);
    for (int e = SRV_ENCODING_GZIP; e <= SRV_ENCODING_DEFLATE; e++) {
        struct srv_text text = {0};
        srv_text_append(&text, plain.bytes, plain.n_bytes);
        assert_true(srv_compress_text((enum srv_encoding)e, &text));
        assert_true(text.n_bytes < plain.n_bytes / 3);
        static const size_t steps[] = {1, 7, 1000, 1000000};
        for (size_t i = 0; i < 4; i++) {
            struct sink sink = {.max_bytes = SIZE_MAX};
            bool has_ended;
            assert_int_equal(
                inflate_in((enum srv_encoding)e, &text, steps[i], &sink, &has_ended, NULL), ENG_OK);
            assert_true(has_ended);
            assert_int_equal(sink.text.n_bytes, plain.n_bytes);
            assert_memory_equal(sink.text.bytes, plain.bytes, plain.n_bytes);
            srv_text_fini(&sink.text);
        }
        srv_text_fini(&text);
    }
    srv_text_fini(&plain);
}

static void what_does_not_shrink_stays(void **state)
{
    (void)state;
    char bytes[4000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
    struct srv_text text = {0};
    srv_text_append(&text, bytes, sizeof bytes);
    assert_false(srv_compress_text(SRV_ENCODING_GZIP, &text));
    assert_int_equal(text.n_bytes, sizeof bytes);
    assert_memory_equal(text.bytes, bytes, sizeof bytes);
    srv_text_fini(&text);
    assert_false(srv_compress_text(SRV_ENCODING_GZIP, &text));
}

static void members_of_gzip_make_one_stream(void **state)
{
    (void)state;
    struct srv_text text = {0}, twice = {0};
    struct sink sink = {.max_bytes = SIZE_MAX};
    bool has_ended;
    make_text(&text);
    size_t n_plain = text.n_bytes;
    assert_true(srv_compress_text(SRV_ENCODING_GZIP, &text));
    for (int i = 0; i < 2; i++)
        srv_text_append(&twice, text.bytes, text.n_bytes);
    assert_int_equal(inflate_in(SRV_ENCODING_GZIP, &twice, 333, &sink, &has_ended, NULL), ENG_OK);
    assert_true(has_ended);
    assert_int_equal(sink.text.n_bytes, 2 * n_plain);
    srv_text_fini(&sink.text);
    srv_text_fini(&text);
    srv_text_fini(&twice);
}

static void bad_streams(void **state)
{
    (void)state;
    struct srv_text text = {0};
    struct sink sink = {.max_bytes = SIZE_MAX};
    struct eng_error err = {0};
    bool has_ended;
    make_text(&text);
    assert_true(srv_compress_text(SRV_ENCODING_DEFLATE, &text));
    /* It is not gzip. */
    assert_int_equal(inflate_in(SRV_ENCODING_GZIP, &text, 100, &sink, &has_ended, &err),
                     ENG_FORMAT);
    assert_string_equal(err.text, "incorrect header check");
    /* It is cut. */
    text.n_bytes--;
    assert_int_equal(inflate_in(SRV_ENCODING_DEFLATE, &text, 100, &sink, &has_ended, NULL), ENG_OK);
    assert_false(has_ended);
    /* Its checksum is wrong. */
    srv_text_append(&text, "\x01", 1);
    err = (struct eng_error){0};
    assert_int_equal(inflate_in(SRV_ENCODING_DEFLATE, &text, 100, &sink, &has_ended, &err),
                     ENG_FORMAT);
    assert_string_equal(err.text, "incorrect data check");
    /* More follows. */
    struct srv_text longer = {0};
    make_text(&longer);
    assert_true(srv_compress_text(SRV_ENCODING_DEFLATE, &longer));
    srv_text_append(&longer, "x", 1);
    err = (struct eng_error){0};
    assert_int_equal(inflate_in(SRV_ENCODING_DEFLATE, &longer, 100, &sink, &has_ended, &err),
                     ENG_FORMAT);
    assert_string_equal(err.text, "something stands behind its end");
    srv_text_fini(&longer);
    srv_text_fini(&sink.text);
    srv_text_fini(&text);
}

/* 10 MB of zeros in 10 KB: taken piece by piece, and left when enough is there. */
static void bombs_are_bounded(void **state)
{
    (void)state;
    struct srv_text bomb = {.n_bytes = 10000000, .capacity = 10000000};
    bomb.bytes = calloc(1, bomb.capacity);
    assert_non_null(bomb.bytes);
    assert_true(srv_compress_text(SRV_ENCODING_GZIP, &bomb));
    struct sink sink = {.max_bytes = 100000};
    bool has_ended;
    assert_int_equal(inflate_in(SRV_ENCODING_GZIP, &bomb, bomb.n_bytes, &sink, &has_ended, NULL),
                     ENG_OK);
    assert_false(has_ended);
    assert_true(sink.text.n_bytes > 80000 && sink.text.n_bytes <= 100000);
    srv_text_fini(&sink.text);
    srv_text_fini(&bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_encodings),
        cmocka_unit_test(accept_encodings),
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(what_does_not_shrink_stays),
        cmocka_unit_test(members_of_gzip_make_one_stream),
        cmocka_unit_test(bad_streams),
        cmocka_unit_test(bombs_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
