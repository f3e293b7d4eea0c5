/* What is encoded comes back from the decoder as it was; what cannot be encoded is refused. */
#include "shipped.h"
#include "temp_folder.h"

#include <string.h>

static struct eng_image made_picture(uint32_t width_px, uint32_t height_px, uint32_t n_channels)
{
    size_t n = (size_t)width_px * height_px * n_channels;
    struct eng_image image = {width_px, height_px, n_channels, malloc(n)};
    assert_non_null(image.pixels);
    for (size_t i = 0; i < n; i++)
        image.pixels[i] = (uint8_t)(i * i * 31 >> 3);
    return image;
}

static void expect_same(const struct eng_image *found, const struct eng_image *wanted)
{
    assert_int_equal(found->width_px, wanted->width_px);
    assert_int_equal(found->height_px, wanted->height_px);
    assert_int_equal(found->n_channels, wanted->n_channels);
    assert_memory_equal(found->pixels, wanted->pixels,
                        (size_t)wanted->width_px * wanted->height_px * wanted->n_channels);
}

static void expect_round_trip(const struct eng_image *image)
{
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_image decoded;
    struct eng_error err = {0};
    uint8_t *bytes;
    size_t n_bytes;
    if (eng_image_encode_png(image, &bytes, &n_bytes, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_string_equal(eng_image_type(bytes, n_bytes), "png");
    if (eng_image_decode(bytes, n_bytes, &limits, &decoded, &err) != ENG_OK)
        fail_msg("%s", err.text);
    expect_same(&decoded, image);
    eng_image_fini(&decoded);
    free(bytes);
}

static void pixels_survive(void **state)
{
    (void)state;
    static const uint32_t sides[][2] = {{1, 1}, {3, 2}, {28, 28}, {1, 300}, {300, 1}, {257, 129}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        for (uint32_t n_channels = 1; n_channels <= 4; n_channels++) {
            struct eng_image image = made_picture(sides[i][0], sides[i][1], n_channels);
            expect_round_trip(&image);
            eng_image_fini(&image);
        }
    }
}

static void the_longest_side_survives(void **state)
{
    (void)state;
    struct eng_image image = made_picture(ENG_IMAGE_MAX_SIDE_PX, 2, 3);
    expect_round_trip(&image);
    eng_image_fini(&image);
}

static void a_file_is_replaced_whole(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "picture.png");
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_error err = {0};
    for (uint32_t n_channels = 1; n_channels <= 3;
         n_channels += 2) { /* the second over the first */
        struct eng_image image = made_picture(37, 23, n_channels), loaded;
        if (eng_image_write_png(path, &image, &err) != ENG_OK) fail_msg("%s", err.text);
        if (eng_image_load(path, &limits, &loaded, &err) != ENG_OK) fail_msg("%s", err.text);
        expect_same(&loaded, &image);
        eng_image_fini(&image);
        eng_image_fini(&loaded);
    }
    temp_folder_remove(&folder);
}

/* A refused picture leaves an older file as it was. */
static void expect_refusal(uint32_t width_px, uint32_t height_px, uint32_t n_channels,
                           const char *words)
{
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "picture.png");
    struct eng_image good = made_picture(2, 2, 1), loaded;
    struct eng_image bad = {width_px, height_px, n_channels, good.pixels};
    struct eng_image_limits limits = eng_image_limits_default();
    struct eng_error err = {0};
    assert_int_equal(eng_image_write_png(path, &good, NULL), ENG_OK);
    assert_int_equal(eng_image_write_png(path, &bad, &err), ENG_ARGUMENT);
    if (!strstr(err.text, words) || !strstr(err.text, path))
        fail_msg("\"%s\" does not say \"%s\" and %s", err.text, words, path);
    assert_int_equal(eng_image_load(path, &limits, &loaded, NULL), ENG_OK);
    expect_same(&loaded, &good);
    eng_image_fini(&loaded);
    eng_image_fini(&good);
    temp_folder_remove(&folder);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    expect_refusal(2, 1, 0, "0 channels, wanted 1 to 4");
    expect_refusal(1, 1, 5, "5 channels, wanted 1 to 4");
    expect_refusal(0, 2, 1, "0 x 2 pixels");
    expect_refusal(2, 0, 1, "2 x 0 pixels");
    expect_refusal(ENG_IMAGE_MAX_SIDE_PX + 1, 1, 1, "a side must have 1 to 65500");
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const char *path = temp_folder_file(&folder, "nowhere/picture.png");
    struct eng_image image = made_picture(2, 2, 1);
    struct eng_error err = {0};
    assert_int_equal(eng_image_write_png(path, &image, &err), ENG_NOT_FOUND);
    if (!strstr(err.text, path)) fail_msg("\"%s\" does not name %s", err.text, path);
    eng_image_fini(&image);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_survive),
        cmocka_unit_test(the_longest_side_survives),
        cmocka_unit_test(a_file_is_replaced_whole),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_missing_folder_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
