/* Colour, geometry, normalising and layout of samples. */
#include "engine/preprocess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct eng_preprocess plain(enum eng_color color, uint32_t width, uint32_t height)
{
    return (struct eng_preprocess){
        .color = color, .width_px = width, .height_px = height, .scale = 1, .std = {1, 1, 1}};
}

static struct eng_preprocess crop(enum eng_color color, uint32_t width, uint32_t height,
                                  uint32_t shorter)
{
    struct eng_preprocess pre = plain(color, width, height);
    pre.resize = ENG_RESIZE_CENTER_CROP;
    pre.shorter_side_px = shorter;
    return pre;
}

/* Prepares the pixels, wants these floats exactly. */
static void expect(const struct eng_preprocess *pre, const struct eng_image *image,
                   const float *want)
{
    float got[256];
    struct eng_error err = {0};
    size_t n = eng_preprocess_count(pre);
    assert_true(n <= 256);
    if (eng_preprocess_image(pre, image, got, &err) != ENG_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("value %zu is %g, wanted %g", i, (double)got[i], (double)want[i]);
}

static void counts(void **state)
{
    (void)state;
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 28, 20);
    assert_int_equal(eng_preprocess_channels(&pre), 1);
    assert_int_equal(eng_preprocess_count(&pre), 560);
    pre.color = ENG_COLOR_BGR;
    assert_int_equal(eng_preprocess_channels(&pre), 3);
    assert_int_equal(eng_preprocess_count(&pre), 1680);
}

static void values_follow_the_formula(void **state)
{
    (void)state;
    uint8_t pixels[] = {0, 51, 255};
    struct eng_image image = {3, 1, 1, pixels};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 3, 1);
    pre.scale = 1.0F / 255;
    pre.mean[0] = 0.1307F;
    pre.std[0] = 0.3081F;
    float want[3];
    for (int i = 0; i < 3; i++)
        want[i] = ((float)pixels[i] * pre.scale - pre.mean[0]) / pre.std[0];
    expect(&pre, &image, want);
}

static void channels_have_their_own_mean_and_order(void **state)
{
    (void)state;
    uint8_t pixels[] = {10, 20, 30, 40, 50, 60};
    struct eng_image image = {2, 1, 3, pixels};
    struct eng_preprocess pre = plain(ENG_COLOR_RGB, 2, 1);
    memcpy(pre.mean, (float[]){1, 2, 3}, sizeof pre.mean);
    memcpy(pre.std, (float[]){1, 2, 4}, sizeof pre.std);
    expect(&pre, &image, (float[]){9, 39, 9, 24, 6.75F, 14.25F});
    pre.layout = ENG_LAYOUT_HWC;
    expect(&pre, &image, (float[]){9, 9, 6.75F, 39, 24, 14.25F});
    pre.color = ENG_COLOR_BGR; /* mean and std belong to blue, green, red */
    expect(&pre, &image, (float[]){29, 9, 1.75F, 59, 24, 9.25F});
    pre.layout = ENG_LAYOUT_CHW;
    expect(&pre, &image, (float[]){29, 59, 9, 24, 1.75F, 9.25F});
}

/* Pillow: L = (19595 R + 38470 G + 7471 B + 32768) >> 16. */
static void colors_are_converted(void **state)
{
    (void)state;
    struct eng_preprocess gray = plain(ENG_COLOR_GRAY, 2, 1), rgb = plain(ENG_COLOR_RGB, 2, 1);
    uint8_t three[] = {255, 0, 0, 12, 200, 77};
    struct eng_image image = {2, 1, 1, (uint8_t[]){7, 9}};
    expect(&rgb, &image, (float[]){7, 9, 7, 9, 7, 9});
    image = (struct eng_image){2, 1, 3, three};
    expect(&gray, &image, (float[]){76, 130});
    uint8_t edges[] = {200, 201, 208, 200, 207, 221}; /* one more or less in a factor shows */
    image = (struct eng_image){2, 1, 3, edges};
    expect(&gray, &image, (float[]){201, 207});
}

/* (value x alpha + background x (255 - alpha)) / 255, rounded. */
static void alpha_shows_the_background(void **state)
{
    (void)state;
    struct eng_preprocess gray = plain(ENG_COLOR_GRAY, 2, 1), rgb = plain(ENG_COLOR_RGB, 2, 1);
    uint8_t two[] = {200, 255, 200, 51}, four[] = {255, 0, 0, 255, 100, 200, 50, 102};
    struct eng_image image = {2, 1, 2, two};
    expect(&gray, &image, (float[]){200, 40});
    expect(&rgb, &image, (float[]){200, 40, 200, 40, 200, 40});
    image = (struct eng_image){2, 1, 4, four};
    expect(&gray, &image, (float[]){76, 61}); /* of (40, 80, 20) */
    expect(&rgb, &image, (float[]){255, 40, 0, 80, 0, 20});
    memcpy(rgb.background, (uint8_t[]){0, 100, 255}, 3);
    expect(&rgb, &image, (float[]){255, 40, 0, 140, 0, 173});
    memcpy(gray.background, (uint8_t[]){255, 255, 255}, 3);
    image = (struct eng_image){2, 1, 2, two};
    expect(&gray, &image, (float[]){200, 244});
}

static void bytes_floats_and_pictures_agree(void **state)
{
    (void)state;
    enum { WIDTH = 41, HEIGHT = 23, N = WIDTH * HEIGHT * 3 };
    uint8_t bytes[N];
    float pixels[N], a[N], b[N], c[N];
    for (int i = 0; i < N; i++)
        pixels[i] = bytes[i] = (uint8_t)(i * 37 % 256);
    struct eng_image image = {WIDTH, HEIGHT, 3, bytes};
    for (int layout = 0; layout < 2; layout++) {
        struct eng_preprocess pre = plain(ENG_COLOR_BGR, WIDTH, HEIGHT);
        pre.layout = layout ? ENG_LAYOUT_HWC : ENG_LAYOUT_CHW;
        pre.scale = 1.0F / 255;
        memcpy(pre.mean, (float[]){0.4F, 0.5F, 0.6F}, sizeof pre.mean);
        memcpy(pre.std, (float[]){0.2F, 0.3F, 0.7F}, sizeof pre.std);
        eng_preprocess_pixels(&pre, pixels, a);
        eng_preprocess_bytes(&pre, bytes, b);
        assert_int_equal(eng_preprocess_image(&pre, &image, c, NULL), ENG_OK);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(a, c, sizeof a);
    }
}

static void alpha_pictures_of_the_size_are_not_resampled(void **state)
{
    (void)state;
    uint8_t pixels[5 * 3 * 4];
    float want[5 * 3];
    for (size_t i = 0; i < 15; i++) {
        memcpy(pixels + 4 * i,
               (uint8_t[]){(uint8_t)(i * 16), (uint8_t)(i * 16), (uint8_t)(i * 16), 255}, 4);
        want[i] = (float)(i * 16);
    }
    struct eng_image image = {5, 3, 4, pixels};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 5, 3);
    expect(&pre, &image, want);
    pre = crop(ENG_COLOR_GRAY, 5, 3, 3);
    expect(&pre, &image, want);
}

static void stretch_ignores_the_shape(void **state)
{
    (void)state;
    uint8_t pixels[] = {0, 0, 100, 200};
    struct eng_image image = {4, 1, 1, pixels};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 2, 2);
    expect(&pre, &image, (float[]){14, 129, 14, 129});
}

static void crops_lie_where_torchvision_puts_them(void **state)
{
    (void)state;
    uint8_t row[] = {0, 10, 20, 30, 40, 50, 60};
    struct eng_image image = {7, 1, 1, row};
    struct eng_preprocess pre = crop(ENG_COLOR_GRAY, 2, 1, 1);
    expect(&pre, &image, (float[]){20, 30}); /* (7 - 2) / 2 = 2.5, to the even 2 */
    pre.width_px = 4;
    expect(&pre, &image, (float[]){20, 30, 40, 50}); /* 1.5, to the even 2 */
    pre.width_px = 3;
    expect(&pre, &image, (float[]){20, 30, 40});
    pre = crop(ENG_COLOR_GRAY, 1, 4, 1);
    image = (struct eng_image){1, 7, 1, row};
    expect(&pre, &image, (float[]){20, 30, 40, 50});
}

static void the_longer_side_is_rounded_to_whole_pixels(void **state)
{
    (void)state;
    /* The picture's two sides, the shorter one wanted, the longer one that comes of it. */
    static const uint32_t cases[][4] = {{3, 5, 2, 3},  /* 3.33 */
                                        {3, 4, 2, 3},  /* 2.67 */
                                        {4, 5, 2, 2},  /* 2.5, to the even 2 */
                                        {4, 7, 2, 4}}; /* 3.5, to the even 4 */
    uint8_t pixels[4 * 7];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(i * 9);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const uint32_t *c = cases[i];
        struct eng_image image = {c[0], c[1], 1, pixels};
        struct eng_preprocess cropped = crop(ENG_COLOR_GRAY, c[2], c[3], c[2]);
        struct eng_preprocess stretched = plain(ENG_COLOR_GRAY, c[2], c[3]);
        float want[8];
        assert_int_equal(eng_preprocess_image(&stretched, &image, want, NULL), ENG_OK);
        expect(&cropped, &image, want);
    }
}

static void small_pictures_are_padded_with_black(void **state)
{
    (void)state;
    uint8_t pixels[] = {50, 50};
    struct eng_image image = {2, 1, 1, pixels};
    struct eng_preprocess pre = crop(ENG_COLOR_GRAY, 5, 2, 1);
    pre.mean[0] = 1; /* black is normalised like any pixel; the odd pixel comes after */
    expect(&pre, &image, (float[]){-1, 49, 49, -1, -1, -1, -1, -1, -1, -1});
    pre = crop(ENG_COLOR_GRAY, 3, 1, 1); /* one pixel short: not taken for the model's size */
    expect(&pre, &image, (float[]){50, 50, 0});
    pre = crop(ENG_COLOR_RGB, 1, 3, 1);
    expect(&pre, &image, (float[]){0, 50, 0, 0, 50, 0, 0, 50, 0});
}

static void letterboxes_keep_the_shape(void **state)
{
    (void)state;
    uint8_t pixels[] = {50, 50, 50, 50};
    struct eng_image image = {4, 1, 1, pixels};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 4, 4);
    pre.resize = ENG_RESIZE_LETTERBOX;
    memset(pre.background, 9, 3);
    /* (4 - 1) / 2 = 1.5 rows above, to the even 2 */
    expect(&pre, &image, (float[]){9, 9, 9, 9, 9, 9, 9, 9, 50, 50, 50, 50, 9, 9, 9, 9});
    image = (struct eng_image){1, 4, 1, pixels};
    expect(&pre, &image, (float[]){9, 9, 50, 9, 9, 9, 50, 9, 9, 9, 50, 9, 9, 9, 50, 9});
    pre.width_px = 2;
    image = (struct eng_image){2, 2, 1, pixels}; /* fits without being resized */
    expect(&pre, &image, (float[]){9, 9, 50, 50, 50, 50, 9, 9});
    pre = plain(ENG_COLOR_RGB, 1, 2);
    pre.resize = ENG_RESIZE_LETTERBOX;
    memcpy(pre.background, (uint8_t[]){1, 2, 3}, 3);
    image = (struct eng_image){4, 1, 1, pixels}; /* a quarter of a pixel high: one is kept */
    expect(&pre, &image, (float[]){50, 1, 50, 2, 50, 3});
}

static void filters_differ_as_documented(void **state)
{
    (void)state;
    uint8_t row[] = {0, 10, 20, 100, 200, 60, 70, 80};
    struct eng_image image = {8, 1, 1, row};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 2, 1);
    pre.filter = ENG_FILTER_NEAREST;
    expect(&pre, &image, (float[]){20, 70}); /* centres 2 and 6 */
    pre.aliased = true;
    expect(&pre, &image, (float[]){0, 200}); /* corners 0 and 4 */
    pre.filter = ENG_FILTER_BILINEAR;
    expect(&pre, &image, (float[]){15, 65}); /* halfway between 10 and 20, 60 and 70 */
    pre.filter = ENG_FILTER_BICUBIC;         /* a = -0.75: weights -3/32, 19/32, 19/32, -3/32 */
    expect(&pre, &image, (float[]){8, 51});  /* 8.4; 50.9 */
    pre.aliased = false;
    pre.width_px = 8;
    expect(&pre, &image, (float[]){0, 10, 20, 100, 200, 60, 70, 80});
    image.width_px = 4;
    float want[8]; /* a = -0.5, twice as large: -9, 111, 29, -3 in 128 */
    assert_int_equal(eng_preprocess_image(&pre, &image, want, NULL), ENG_OK);
    assert_true(want[3] == 11); /* (111 x 10 + 29 x 20 - 3 x 100) / 128 */
}

static void the_picture_is_what_is_normalised(void **state)
{
    (void)state;
    uint8_t pixels[7 * 5 * 4];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 53 % 256);
    struct eng_image image = {7, 5, 4, pixels};
    for (int way = 0; way < 3; way++) {
        struct eng_preprocess pre = crop(ENG_COLOR_BGR, 4, 3, 4);
        pre.resize = (enum eng_resize)way;
        if (way == 0) pre.width_px = 7, pre.height_px = 5; /* nothing to resize */
        float want[7 * 5 * 3], got[7 * 5 * 3];
        struct eng_image seen;
        assert_int_equal(eng_preprocess_picture(&pre, &image, &seen, NULL), ENG_OK);
        assert_int_equal(seen.width_px, pre.width_px);
        assert_int_equal(seen.height_px, pre.height_px);
        assert_int_equal(seen.n_channels, 3);
        eng_preprocess_bytes(&pre, seen.pixels, got);
        assert_int_equal(eng_preprocess_image(&pre, &image, want, NULL), ENG_OK);
        assert_memory_equal(got, want, eng_preprocess_count(&pre) * sizeof *got);
        eng_image_fini(&seen);
    }
}

static void sides_are_limited(void **state)
{
    (void)state;
    uint8_t pixel = 0;
    float out[4];
    struct eng_image image = {65501, 1, 1, &pixel};
    struct eng_preprocess pre = plain(ENG_COLOR_GRAY, 1, 1);
    struct eng_error err = {0};
    assert_int_equal(eng_preprocess_image(&pre, &image, out, &err), ENG_LIMIT);
    assert_string_equal(err.text, "the picture's width is 65501 pixels, it may be 1 to 65500");
    image = (struct eng_image){1, 0, 1, &pixel};
    assert_int_equal(eng_preprocess_image(&pre, &image, out, NULL), ENG_LIMIT);
    image.height_px = 1;
    pre.height_px = 65501;
    assert_int_equal(eng_preprocess_image(&pre, &image, out, NULL), ENG_LIMIT);
    pre = crop(ENG_COLOR_GRAY, 1, 1, 0);
    err = (struct eng_error){0};
    assert_int_equal(eng_preprocess_image(&pre, &image, out, &err), ENG_LIMIT);
    assert_string_equal(err.text, "the model's shorter side is 0 pixels, it may be 1 to 65500");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(values_follow_the_formula),
        cmocka_unit_test(channels_have_their_own_mean_and_order),
        cmocka_unit_test(colors_are_converted),
        cmocka_unit_test(alpha_shows_the_background),
        cmocka_unit_test(bytes_floats_and_pictures_agree),
        cmocka_unit_test(alpha_pictures_of_the_size_are_not_resampled),
        cmocka_unit_test(stretch_ignores_the_shape),
        cmocka_unit_test(crops_lie_where_torchvision_puts_them),
        cmocka_unit_test(the_longer_side_is_rounded_to_whole_pixels),
        cmocka_unit_test(small_pictures_are_padded_with_black),
        cmocka_unit_test(letterboxes_keep_the_shape),
        cmocka_unit_test(filters_differ_as_documented),
        cmocka_unit_test(the_picture_is_what_is_normalised),
        cmocka_unit_test(sides_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
