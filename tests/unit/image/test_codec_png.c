/* PNG: colour types and depths, what is refused and with which words, limits, bombs, cut files. */
#include "build_png.h"
#include "shipped.h"

static enum eng_status decode(const struct built *png, struct eng_image *image,
                              struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    return eng_image_decode(png->bytes, png->n, &limits, image, err);
}

/* Decodes a picture of the rows, wants these pixels; frees png. */
static void expect_pixels(struct built *png, const void *rows, size_t n_rows, uint32_t n_channels,
                          const uint8_t *pixels, size_t n_pixels)
{
    built_image_data(png, rows, n_rows);
    built_end(png);
    struct eng_image image;
    struct eng_error err = {0};
    if (decode(png, &image, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(image.n_channels, n_channels);
    assert_int_equal((size_t)image.width_px * image.height_px * n_channels, n_pixels);
    assert_memory_equal(image.pixels, pixels, n_pixels);
    eng_image_fini(&image);
    free(png->bytes);
}

/* Wants an error of that status whose sentence holds these words; frees png. */
static void expect_refusal(struct built *png, enum eng_status status, const char *words)
{
    struct eng_image untouched = {7, 7, 7, NULL}, image = untouched;
    struct eng_error err = {0};
    assert_int_equal(decode(png, &image, &err), status);
    assert_int_equal(err.status, status);
    if (!strstr(err.text, words)) fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_memory_equal(&image, &untouched, sizeof image);
    free(png->bytes);
}

/* A good grey picture of 2 x 2. */
static const uint8_t small_rows[] = {0, 1, 2, 0, 3, 4};

static struct built small_picture(void)
{
    struct built png = built_begin(2, 2, 8, 0);
    built_image_data(&png, small_rows, sizeof small_rows);
    return png;
}

static void expect_small_picture(struct built *png)
{
    struct eng_image image;
    struct eng_error err = {0};
    if (decode(png, &image, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_memory_equal(image.pixels, "\1\2\3\4", 4);
    eng_image_fini(&image);
    free(png->bytes);
}

static void low_depths_are_scaled(void **state)
{
    (void)state;
    struct built png = built_begin(3, 1, 1, 0);
    expect_pixels(&png, "\0\xa0", 2, 1, (const uint8_t *)"\xff\0\xff", 3);
    png = built_begin(4, 1, 2, 0);
    expect_pixels(&png, "\0\x1b", 2, 1, (const uint8_t *)"\0\x55\xaa\xff", 4);
    png = built_begin(3, 1, 4, 0);
    expect_pixels(&png, "\0\x0f\x70", 3, 1, (const uint8_t *)"\0\xff\x77", 3);
}

static void sixteen_bits_keep_the_high_byte(void **state)
{
    (void)state;
    struct built png = built_begin(2, 1, 16, 0);
    expect_pixels(&png, "\0\x12\xff\xfe\x80", 5, 1, (const uint8_t *)"\x12\xfe", 2);
    png = built_begin(1, 1, 16, 6);
    expect_pixels(&png, "\0\1\xff\2\xff\3\xff\4\xff", 9, 4, (const uint8_t *)"\1\2\3\4", 4);
}

static void alpha_is_kept(void **state)
{
    (void)state;
    struct built png = built_begin(2, 1, 8, 4);
    expect_pixels(&png, "\0\1\2\3\4", 5, 2, (const uint8_t *)"\1\2\3\4", 4);
    png = built_begin(1, 1, 8, 6);
    expect_pixels(&png, "\0\1\2\3\4", 5, 4, (const uint8_t *)"\1\2\3\4", 4);
}

static void palettes_are_expanded(void **state)
{
    (void)state;
    struct built png = built_begin(4, 1, 2, 3);
    built_chunk(&png, "PLTE", "\1\2\3\4\5\6", 6);
    expect_pixels(&png, "\0\x10", 2, 3, (const uint8_t *)"\1\2\3\4\5\6\1\2\3\1\2\3", 12);
    png = built_begin(2, 1, 8, 3);
    built_chunk(&png, "PLTE", "\1\2\3\4\5\6", 6);
    built_chunk(&png, "tRNS", "\x80", 1); /* the second colour stays opaque */
    expect_pixels(&png, "\0\1\0", 3, 4, (const uint8_t *)"\4\5\6\xff\1\2\3\x80", 8);
}

static void trns_becomes_alpha(void **state)
{
    (void)state;
    struct built png = built_begin(2, 1, 8, 0);
    built_chunk(&png, "tRNS", "\0\5", 2);
    expect_pixels(&png, "\0\5\6", 3, 2, (const uint8_t *)"\5\0\6\xff", 4);
    png = built_begin(1, 1, 8, 2);
    built_chunk(&png, "tRNS", "\0\1\0\2\0\3", 6);
    expect_pixels(&png, "\0\1\2\3", 4, 4, (const uint8_t *)"\1\2\3\0", 4);
    png = built_begin(2, 1, 16, 0); /* all 16 bits are compared, not the 8 that are kept */
    built_chunk(&png, "tRNS", "\5\1", 2);
    expect_pixels(&png, "\0\5\1\5\2", 5, 2, (const uint8_t *)"\5\0\5\xff", 4);
}

static void variants_of_a_picture_are_alike(void **state)
{
    (void)state;
    struct eng_image scene = shipped_picture("scene.png");
    size_t n = (size_t)scene.width_px * scene.height_px * 3;
    const char *same[] = {"scene_interlaced.png", "scene_16bit.png"};
    for (size_t i = 0; i < 2; i++) {
        struct eng_image other = shipped_picture(same[i]);
        assert_int_equal(other.n_channels, 3);
        assert_memory_equal(other.pixels, scene.pixels, n);
        eng_image_fini(&other);
    }
    struct eng_image alpha = shipped_picture("scene_alpha.png");
    assert_int_equal(alpha.n_channels, 4);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(alpha.pixels[i / 3 * 4 + i % 3], scene.pixels[i]);
    eng_image_fini(&alpha);
    eng_image_fini(&scene);
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    const char *names[] = {"seven.png", "scene_palette.png", "scene_interlaced.png"};
    for (size_t i = 0; i < 3; i++) {
        struct eng_file file = shipped(names[i]);
        for (size_t n = 0; n < file.n_bytes; n++) {
            struct built png = {malloc(n + 1), n};
            memcpy(png.bytes, file.bytes, n);
            expect_refusal(&png, ENG_FORMAT, "");
        }
        eng_file_fini(&file);
    }
}

static void every_changed_byte_is_an_error(void **state)
{
    (void)state;
    struct eng_file file = shipped("seven.png");
    for (size_t i = 0; i < file.n_bytes; i++) {
        struct eng_image image;
        struct eng_error err = {0};
        struct built png = {file.bytes, file.n_bytes};
        png.bytes[i] ^= 0x41;
        if (decode(&png, &image, &err) == ENG_OK) fail_msg("byte %zu may be changed", i);
        png.bytes[i] ^= 0x41;
    }
    eng_file_fini(&file);
}

/* zlib's own checksum is wrong, the chunks' are right; n_behind: how much of it has its own IDAT.
 */
static void expect_wrong_adler(size_t n_behind)
{
    struct built good = small_picture(), png = built_begin(2, 2, 8, 0);
    uint8_t *data = good.bytes + png.n + 8;
    size_t n = good.n - png.n - 12;
    data[n - 1] ^= 1;
    built_chunk(&png, "IDAT", data, n - n_behind);
    if (n_behind) built_chunk(&png, "IDAT", data + n - n_behind, n_behind);
    built_end(&png);
    free(good.bytes);
    expect_refusal(&png, ENG_FORMAT, "PNG: IDAT: incorrect data check");
}

static void checksums_and_ends_are_wanted(void **state)
{
    (void)state;
    struct built png = small_picture();
    expect_refusal(&png, ENG_FORMAT, "PNG: the file is truncated");
    png = small_picture();
    png.bytes[png.n - 1] ^= 1;
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PNG: IDAT: CRC error");
    png = built_begin(2, 2, 8, 0);
    built_chunk(&png, "tEXt", "a\0b", 3);
    png.bytes[png.n - 1] ^= 1;
    built_image_data(&png, small_rows, sizeof small_rows);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PNG: tEXt: CRC error");
    expect_wrong_adler(0);
    expect_wrong_adler(4); /* libpng only warns when all pixels came before */
}

static void broken_contents_are_named(void **state)
{
    (void)state;
    struct built png = built_begin(2, 2, 8, 0);
    built_image_data(&png, small_rows, sizeof small_rows - 1);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PNG: Not enough image data");
    png = built_begin(2, 2, 8, 3);
    built_image_data(&png, small_rows, sizeof small_rows);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PLTE");
    png = built_begin(2, 2, 8, 0);
    built_image_data(&png, "\7\1\2\0\3\4", 6);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PNG: bad adaptive filter value");
    png = built_begin(2, 2, 8, 0);
    built_chunk(&png, "ABCD", NULL, 0); /* a critical chunk that nobody knows */
    built_image_data(&png, small_rows, sizeof small_rows);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "PNG: ABCD");
    png = built_begin(2, 0, 8, 0);
    expect_refusal(&png, ENG_FORMAT, "Image height is zero");
}

static void harmless_oddities_are_read(void **state)
{
    (void)state;
    struct built png = small_picture();
    built_end(&png);
    built_append(&png, "trailing garbage", 16);
    expect_small_picture(&png);
    png = built_begin(2, 2, 8, 0); /* chunks that change no pixel are not even parsed */
    built_chunk(&png, "gAMA", "too long for a gamma", 20);
    built_chunk(&png, "tEXt", "Title\0seven", 11);
    built_chunk(&png, "abCD", "private", 7);
    built_image_data(&png, small_rows, sizeof small_rows);
    built_chunk(&png, "zTXt", "not packed", 10);
    built_end(&png);
    expect_small_picture(&png);
    png = built_begin(2, 2, 8, 0); /* a little image data behind the last row */
    built_image_data(&png, "\0\1\2\0\3\4more than wanted", 22);
    built_end(&png);
    expect_small_picture(&png);
}

static void sizes_are_limited_before_pixels_are_allocated(void **state)
{
    (void)state;
    struct built png = built_begin(100000, 100000, 8, 6);
    built_image_data(&png, "", 0);
    expect_refusal(&png, ENG_LIMIT, "100000 x 100000 pixels, a side may have 65500");
    png = built_begin(65500, 65500, 16, 6);
    built_image_data(&png, "", 0);
    expect_refusal(&png, ENG_LIMIT, "4290250000, the limit is 50000000");
    png = built_begin(0x7fffffff, 1, 16, 6);
    built_image_data(&png, "", 0);
    expect_refusal(&png, ENG_LIMIT, "2147483647 x 1");
}

static void bombs_are_bounded(void **state)
{
    (void)state;
    enum { N = 80 << 20 };
    uint8_t *zeros = calloc(N, 1);
    assert_non_null(zeros);
    struct built png = small_picture(); /* text that unpacks to 9 MiB is passed over */
    built_packed(&png, "zTXt", "bomb\0", 6, zeros, 9 << 20);
    built_end(&png);
    expect_small_picture(&png);
    png = built_begin(2, 2, 8, 0); /* and so is image data, but only so much of it */
    built_image_data(&png, zeros, N);
    built_end(&png);
    expect_refusal(&png, ENG_FORMAT, "goes on behind the last row");
    png = small_picture();
    built_chunk(&png, "tEXt", zeros, 9 << 20);
    built_end(&png);
    expect_refusal(&png, ENG_LIMIT, "a chunk of 9437184 bytes, the limit is 8388608");
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_depths_are_scaled),
        cmocka_unit_test(sixteen_bits_keep_the_high_byte),
        cmocka_unit_test(alpha_is_kept),
        cmocka_unit_test(palettes_are_expanded),
        cmocka_unit_test(trns_becomes_alpha),
        cmocka_unit_test(variants_of_a_picture_are_alike),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(every_changed_byte_is_an_error),
        cmocka_unit_test(checksums_and_ends_are_wanted),
        cmocka_unit_test(broken_contents_are_named),
        cmocka_unit_test(harmless_oddities_are_read),
        cmocka_unit_test(sizes_are_limited_before_pixels_are_allocated),
        cmocka_unit_test(bombs_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
