/* The orientation of a JPEG: read from whole and damaged segments, applied to every pixel. */
#include "image/orientation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A JPEG's beginning: an APP0 segment, then an Exif one with two entries, then the scan. */
static const uint8_t little[] = {
    0xFF, 0xD8, 0xFF, 0xE0, 0,  4,   'J', 'F',                      /* start, APP0 */
    0xFF, 0xFF, 0xE1, 0,    42, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', /* a fill byte, APP1 */
    42,   0,    8,    0,    0,  0,   2,   0,                        /* directory at 8 */
    0x0F, 0x01, 3,    0,    1,  0,   0,   0,   7,   0, 0, 0,        /* another tag */
    0x12, 0x01, 3,    0,    1,  0,   0,   0,   6,   0, 0, 0,        /* orientation 6 */
    0xFF, 0xDA, 0,    2};
static const uint8_t big[] = {0xFF, 0xD8, 0xFF, 0xE1, 0, 30, 'E', 'x', 'i', 'f', 0,    0,
                              'M',  'M',  0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12,
                              0,    3,    0,    0,    0, 1,  0,   8,   0,   0,   0xFF, 0xDA};

enum { AT_ORDER = 19, AT_MAGIC = 21, AT_OFFSET = 23, AT_TYPE = 43, AT_COUNT = 45, AT_VALUE = 49 };

static void it_is_found(void **state)
{
    (void)state;
    assert_int_equal(eng_orientation_read(little, sizeof little), 6);
    assert_int_equal(eng_orientation_read(big, sizeof big), 8);
}

static void damage_means_upright(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {0, 0},       {AT_ORDER, 'M'}, {AT_MAGIC, 43},     {AT_OFFSET, 60}, {AT_OFFSET + 3, 255},
        {AT_TYPE, 4}, {AT_COUNT, 2},   {AT_VALUE, 0},      {AT_VALUE, 9},   {AT_VALUE + 1, 1},
        {13, 'X'},    {5, 1},          {AT_OFFSET + 4, 1}, {10, 0xE2},      {10, 0xD9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[sizeof little];
        memcpy(bytes, little, sizeof little);
        bytes[rows[i].at] = rows[i].value;
        if (eng_orientation_read(bytes, sizeof bytes) != 1)
            fail_msg("byte %zu = %u: an orientation was found", rows[i].at, rows[i].value);
    }
}

/* From memory of exactly that size, for the sanitizers. */
static void every_cut_means_upright(void **state)
{
    (void)state;
    size_t n_whole = AT_VALUE + 4;
    for (size_t n = 0; n < n_whole; n++) {
        uint8_t *bytes = malloc(n ? n : 1);
        assert_non_null(bytes);
        memcpy(bytes, little, n);
        assert_int_equal(eng_orientation_read(bytes, n), 1);
        free(bytes);
    }
    assert_int_equal(eng_orientation_read(little, n_whole), 6);
}

static void pixels_are_turned(void **state)
{
    (void)state;
    /* 3 x 2, letters in the stored order; what they are upright. */
    static const struct {
        uint32_t width;
        const char *upright;
    } rows[9] = {
        [0] = {3, "abcdef"}, [1] = {3, "abcdef"}, [2] = {3, "cbafed"},
        [3] = {3, "fedcba"}, [4] = {3, "defabc"}, [5] = {2, "adbecf"},
        [6] = {2, "daebfc"}, [7] = {2, "fcebda"}, [8] = {2, "cfbead"},
    };
    for (unsigned orientation = 0; orientation < 9; orientation++) {
        for (uint32_t n_channels = 1; n_channels <= 3; n_channels += 2) {
            struct eng_image image = {3, 2, n_channels, malloc(6 * n_channels)};
            assert_non_null(image.pixels);
            for (size_t i = 0; i < 6 * n_channels; i++)
                image.pixels[i] = (uint8_t)((size_t)'a' + i / n_channels + 32 * (i % n_channels));
            assert_int_equal(eng_orientation_apply(&image, orientation, NULL), ENG_OK);
            assert_int_equal(image.width_px, rows[orientation].width);
            assert_int_equal(image.width_px * image.height_px, 6);
            for (size_t i = 0; i < 6 * n_channels; i++)
                assert_int_equal(image.pixels[i],
                                 (uint8_t)rows[orientation].upright[i / n_channels] +
                                     32 * (i % n_channels));
            eng_image_fini(&image);
        }
    }
}

/* Pixels of more than one tile, in a picture whose sides are no multiples of one. */
static void large_pictures_are_turned(void **state)
{
    (void)state;
    enum { W = 70, H = 45 };
    for (unsigned orientation = 2; orientation < 9; orientation++) {
        struct eng_image image = {W, H, 3, malloc(W * H * 3)};
        assert_non_null(image.pixels);
        for (uint32_t i = 0; i < W * H; i++) {
            const uint8_t pixel[] = {(uint8_t)(i % W), (uint8_t)(i / W), 9};
            memcpy(image.pixels + 3 * i, pixel, 3);
        }
        assert_int_equal(eng_orientation_apply(&image, orientation, NULL), ENG_OK);
        for (uint32_t i = 0; i < W * H; i++) {
            uint32_t x = i % image.width_px, y = i / image.width_px;
            const uint32_t stored[9][2] = {
                [2] = {W - 1 - x, y}, [3] = {W - 1 - x, H - 1 - y}, [4] = {x, H - 1 - y},
                [5] = {y, x},         [6] = {y, H - 1 - x},         [7] = {W - 1 - y, H - 1 - x},
                [8] = {W - 1 - y, x},
            };
            assert_int_equal(image.pixels[3 * i], (uint8_t)stored[orientation][0]);
            assert_int_equal(image.pixels[3 * i + 1], (uint8_t)stored[orientation][1]);
            assert_int_equal(image.pixels[3 * i + 2], 9);
        }
        eng_image_fini(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_found),
        cmocka_unit_test(damage_means_upright),
        cmocka_unit_test(every_cut_means_upright),
        cmocka_unit_test(pixels_are_turned),
        cmocka_unit_test(large_pictures_are_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
