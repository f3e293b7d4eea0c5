/* JPEG: the kinds that are read, what is refused and with which words, limits, cut files. */
#include "shipped.h"

#include <string.h>

#include <jpeglib.h>

struct bytes {
    unsigned char *at;
    unsigned long n;
};

/* What compress() is asked for beyond a picture of one grey level. */
struct kind {
    int n_components;
    int width, height;
    boolean is_arithmetic;
    const jpeg_scan_info *scans;
    int n_scans;
};

static struct bytes compress(const struct kind *kind)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr messages;
    struct bytes out = {0};
    jpeg.err = jpeg_std_error(&messages);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out.at, &out.n);
    jpeg.image_width = (JDIMENSION)kind->width;
    jpeg.image_height = (JDIMENSION)kind->height;
    jpeg.input_components = kind->n_components;
    jpeg.in_color_space = kind->n_components == 1 ? JCS_GRAYSCALE : JCS_UNKNOWN;
    jpeg_set_defaults(&jpeg);
    jpeg.arith_code = kind->is_arithmetic;
    jpeg.scan_info = kind->scans;
    jpeg.num_scans = kind->n_scans;
    jpeg_start_compress(&jpeg, TRUE);
    size_t n_row = (size_t)(kind->width * kind->n_components);
    JSAMPROW row = malloc(n_row);
    assert_non_null(row);
    memset(row, 77, n_row);
    while (jpeg.next_scanline < jpeg.image_height)
        jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(row);
    return out;
}

static enum eng_status decode(const struct bytes *jpeg, struct eng_image *image,
                              struct eng_error *err)
{
    struct eng_image_limits limits = eng_image_limits_default();
    return eng_image_decode(jpeg->at, jpeg->n, &limits, image, err);
}

/* Wants an error of that status whose sentence holds these words; frees jpeg. */
static void expect_refusal(struct bytes *jpeg, enum eng_status status, const char *words)
{
    struct eng_image untouched = {7, 7, 7, NULL}, image = untouched;
    struct eng_error err = {0};
    assert_int_equal(decode(jpeg, &image, &err), status);
    assert_int_equal(err.status, status);
    if (!strstr(err.text, words)) fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    assert_memory_equal(&image, &untouched, sizeof image);
    free(jpeg->at);
}

static void expect_gray_77(struct bytes *jpeg, uint32_t width, uint32_t height)
{
    struct eng_image image;
    struct eng_error err = {0};
    if (decode(jpeg, &image, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(image.width_px, width);
    assert_int_equal(image.height_px, height);
    assert_int_equal(image.n_channels, 1);
    for (size_t i = 0; i < (size_t)width * height; i++)
        assert_int_equal(image.pixels[i], 77);
    eng_image_fini(&image);
    free(jpeg->at);
}

static struct bytes copy_of(const char *name)
{
    struct eng_file file = shipped(name);
    return (struct bytes){file.bytes, file.n_bytes};
}

static void append(struct bytes *jpeg, const void *more, size_t n)
{
    jpeg->at = realloc(jpeg->at, jpeg->n + n);
    assert_non_null(jpeg->at);
    memcpy(jpeg->at + jpeg->n, more, n);
    jpeg->n += n;
}

static void gray_stays_one_channel(void **state)
{
    (void)state;
    struct eng_image png = shipped_picture("three.png"), jpeg = shipped_picture("three.jpg");
    assert_int_equal(jpeg.n_channels, 1);
    assert_int_equal(jpeg.width_px, 28);
    for (size_t i = 0; i < 28 * 28; i++)
        assert_in_range(jpeg.pixels[i] + 40 - png.pixels[i], 0, 80);
    eng_image_fini(&png);
    eng_image_fini(&jpeg);
}

/* Both hold the same coefficients. */
static void progressive_equals_baseline(void **state)
{
    (void)state;
    struct eng_image a = shipped_picture("scene.jpg");
    struct eng_image b = shipped_picture("scene_progressive.jpg");
    assert_int_equal(a.width_px, 96);
    assert_int_equal(a.height_px, 64);
    assert_int_equal(a.n_channels, 3);
    assert_memory_equal(a.pixels, b.pixels, 96 * 64 * 3);
    assert_true(a.pixels[2] > a.pixels[0]); /* the sky is blue: RGB, not BGR */
    eng_image_fini(&a);
    eng_image_fini(&b);
}

static void arithmetic_coding_is_read(void **state)
{
    (void)state;
    struct bytes jpeg = compress(&(struct kind){1, 19, 11, TRUE, NULL, 0});
    expect_gray_77(&jpeg, 19, 11);
}

static void other_colors_are_refused(void **state)
{
    (void)state;
    struct bytes jpeg = copy_of("scene_cmyk.jpg");
    expect_refusal(&jpeg, ENG_UNSUPPORTED, "JPEG: CMYK (4 colour components) is not read");
    jpeg = compress(&(struct kind){2, 8, 8, FALSE, NULL, 0});
    expect_refusal(&jpeg, ENG_UNSUPPORTED, "JPEG: 2 colour components are not read");
}

static void every_truncation_is_an_error(void **state)
{
    (void)state;
    const char *names[] = {"three.jpg", "scene_progressive.jpg"};
    for (size_t i = 0; i < 2; i++) {
        struct bytes whole = copy_of(names[i]);
        for (unsigned long n = 1; n < whole.n; n++) {
            struct bytes cut = {malloc(n), n};
            memcpy(cut.at, whole.at, n);
            expect_refusal(&cut, ENG_FORMAT, n < 3 ? "neither PNG nor JPEG" : "JPEG: ");
        }
        free(whole.at);
    }
}

static void a_cut_file_is_called_so(void **state)
{
    (void)state;
    struct bytes jpeg = copy_of("scene.jpg");
    jpeg.n = jpeg.n * 2 / 3;
    expect_refusal(&jpeg, ENG_FORMAT, "JPEG: Premature end of JPEG file");
}

static void changed_bytes_never_crash(void **state)
{
    (void)state;
    struct bytes jpeg = copy_of("scene_progressive.jpg");
    for (unsigned long i = 0; i < jpeg.n; i++) {
        struct eng_image image = {0};
        struct eng_error err = {0};
        jpeg.at[i] ^= 0x55;
        enum eng_status status = decode(&jpeg, &image, &err);
        assert_int_equal(status, err.status);
        assert_int_equal(status == ENG_OK, image.pixels != NULL);
        eng_image_fini(&image);
        jpeg.at[i] ^= 0x55;
    }
    free(jpeg.at);
}

static void bytes_behind_the_end_are_passed_over(void **state)
{
    (void)state;
    struct bytes jpeg = compress(&(struct kind){1, 8, 8, FALSE, NULL, 0});
    append(&jpeg, "trailing garbage", 16);
    expect_gray_77(&jpeg, 8, 8);
}

static void sizes_are_limited_before_pixels_are_allocated(void **state)
{
    (void)state;
    struct bytes jpeg = compress(&(struct kind){1, 8, 8, FALSE, NULL, 0});
    unsigned char *frame = memmem(jpeg.at, jpeg.n, "\xff\xc0", 2);
    assert_non_null(frame);
    memcpy(frame + 5, "\xff\xdc\xff\xdc", 4); /* height and width: 65500 each */
    struct bytes huge = {malloc(jpeg.n), jpeg.n};
    memcpy(huge.at, jpeg.at, jpeg.n);
    expect_refusal(&huge, ENG_LIMIT, "JPEG: 65500 x 65500 pixels are 4290250000");
    memcpy(frame + 5, "\x10\0\x10\0", 4);
    struct bytes hollow = {malloc(jpeg.n), jpeg.n};
    memcpy(hollow.at, jpeg.at, jpeg.n);
    expect_refusal(&hollow, ENG_FORMAT, "JPEG: 4096 x 4096 pixels cannot come from ");
    memcpy(frame + 5, "\xff\xff\xff\xff", 4);
    expect_refusal(&jpeg, ENG_LIMIT, "JPEG: Maximum supported image dimension is 65500 pixels");
}

/* A progressive file may repeat a scan without end; each costs a pass over the picture. */
static void scans_are_limited(void **state)
{
    (void)state;
    const jpeg_scan_info scans[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
    struct bytes jpeg = compress(&(struct kind){1, 8, 8, FALSE, scans, 2});
    const unsigned char *scan = NULL;
    for (unsigned long i = 0; i + 1 < jpeg.n; i++)
        if (jpeg.at[i] == 0xff && jpeg.at[i + 1] == 0xda) scan = jpeg.at + i; /* the last */
    assert_non_null(scan);
    size_t n_scan = jpeg.n - 2 - (size_t)(scan - jpeg.at);
    unsigned char copy[64];
    assert_true(n_scan <= sizeof copy);
    memcpy(copy, scan, n_scan);
    jpeg.n -= 2; /* the end marker */
    struct bytes few = {malloc(jpeg.n), jpeg.n};
    memcpy(few.at, jpeg.at, jpeg.n);
    for (int i = 0; i < 100; i++)
        append(&few, copy, n_scan);
    append(&few, "\xff\xd9", 2);
    expect_gray_77(&few, 8, 8);
    for (int i = 0; i < 1000; i++)
        append(&jpeg, copy, n_scan);
    append(&jpeg, "\xff\xd9", 2);
    expect_refusal(&jpeg, ENG_LIMIT, "JPEG: more than 200 scans");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gray_stays_one_channel),
        cmocka_unit_test(progressive_equals_baseline),
        cmocka_unit_test(arithmetic_coding_is_read),
        cmocka_unit_test(other_colors_are_refused),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(a_cut_file_is_called_so),
        cmocka_unit_test(changed_bytes_never_crash),
        cmocka_unit_test(bytes_behind_the_end_are_passed_over),
        cmocka_unit_test(sizes_are_limited_before_pixels_are_allocated),
        cmocka_unit_test(scans_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
