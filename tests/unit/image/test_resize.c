/* Resampling against a plain floating-point reference; windows, channels, extremes. */
#include "base/rng.h"
#include "image/resize.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct eng_image random_image(struct eng_rng *rng, uint32_t width, uint32_t height,
                                     uint32_t n_channels)
{
    size_t n = (size_t)width * height * n_channels;
    struct eng_image image = {width, height, n_channels, malloc(n)};
    assert_non_null(image.pixels);
    for (size_t i = 0; i < n; i++)
        image.pixels[i] = (uint8_t)eng_rng_below(rng, 256);
    return image;
}

static struct eng_axis whole(uint32_t n_in, uint32_t n_out)
{
    return (struct eng_axis){n_in, n_out, 0, n_out};
}

static uint8_t *resize(const struct eng_image *image, uint32_t n_channels, struct eng_axis x,
                       struct eng_axis y)
{
    size_t stride = (size_t)x.n_out * n_channels;
    uint8_t *out = malloc(stride * y.n_out);
    assert_non_null(out);
    const struct eng_sampling how = {.filter = ENG_FILTER_BILINEAR};
    struct eng_error err = {0};
    if (eng_resize(image, n_channels, &x, &y, &how, out, stride, &err) != ENG_OK)
        fail_msg("%s", err.text);
    return out;
}

/* Weight of input sample k for output sample i: a triangle as wide as the reduction, at least 1. */
static double weight(uint32_t i, uint32_t k, uint32_t n_in, uint32_t n_out)
{
    double scale = (double)n_in / n_out, width = scale > 1 ? scale : 1;
    double distance = fabs(k + 0.5 - (i + 0.5) * scale) / width;
    return distance < 1 ? 1 - distance : 0;
}

static double reference(const struct eng_image *image, uint32_t c, uint32_t i, uint32_t j,
                        uint32_t width, uint32_t height)
{
    double sum = 0, weights = 0;
    for (uint32_t y = 0; y < image->height_px; y++) {
        double wy = weight(j, y, image->height_px, height);
        for (uint32_t x = 0; wy > 0 && x < image->width_px; x++) {
            double w = wy * weight(i, x, image->width_px, width);
            size_t at = ((size_t)y * image->width_px + x) * image->n_channels + c;
            sum += w * image->pixels[at];
            weights += w;
        }
    }
    return sum / weights;
}

static void equals_the_reference(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    for (int round = 0; round < 60; round++) {
        uint32_t n_channels = round % 2 ? 3 : 1;
        uint32_t in[2], out[2];
        for (int d = 0; d < 2; d++) {
            in[d] = 1 + (uint32_t)eng_rng_below(&rng, 40);
            out[d] = 1 + (uint32_t)eng_rng_below(&rng, 40);
        }
        struct eng_image image = random_image(&rng, in[0], in[1], n_channels);
        uint8_t *got = resize(&image, n_channels, whole(in[0], out[0]), whole(in[1], out[1]));
        for (uint32_t at = 0; at < out[0] * out[1] * n_channels; at++) {
            uint32_t c = at % n_channels, i = at / n_channels % out[0],
                     j = at / n_channels / out[0];
            double want = reference(&image, c, i, j, out[0], out[1]);
            if (fabs(got[at] - want) > 1.01)
                fail_msg("%ux%u to %ux%u at %u,%u: %u, wanted %.2f", in[0], in[1], out[0], out[1],
                         i, j, got[at], want);
        }
        free(got);
        eng_image_fini(&image);
    }
}

static void small_cases_by_hand(void **state)
{
    (void)state;
    uint8_t row[] = {0, 0, 100, 200};
    struct eng_image image = {4, 1, 1, row};
    uint8_t *got = resize(&image, 1, whole(4, 2), whole(1, 1));
    /* Centres at 1 and 3, half-width 2: weights .75 .75 .25 of the first three, then mirrored. */
    assert_int_equal(got[0], 14);  /* 25 / 1.75 = 14.3 */
    assert_int_equal(got[1], 129); /* 225 / 1.75 = 128.6 */
    free(got);
    got = resize(&image, 1, whole(4, 8), whole(1, 2)); /* enlarging interpolates linearly */
    const uint8_t want[] = {0, 0, 0, 25, 75, 125, 175, 200};
    assert_memory_equal(got, want, 8);
    assert_memory_equal(got + 8, want, 8);
    free(got);
}

static void same_size_changes_nothing(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 2, 0);
    struct eng_image image = random_image(&rng, 13, 9, 3);
    uint8_t *got = resize(&image, 3, whole(13, 13), whole(9, 9));
    assert_memory_equal(got, image.pixels, 13 * 9 * 3);
    free(got);
    eng_image_fini(&image);
}

static void one_level_stays_that_level(void **state)
{
    (void)state;
    for (int level = 0; level < 256; level += 5) {
        uint8_t pixels[17 * 11];
        memset(pixels, level, sizeof pixels);
        struct eng_image image = {17, 11, 1, pixels};
        uint8_t *got = resize(&image, 1, whole(17, 7), whole(11, 29));
        for (size_t i = 0; i < 7 * 29; i++)
            assert_int_equal(got[i], level);
        free(got);
    }
}

static void a_window_is_cut_from_the_whole(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 3, 0);
    struct eng_image image = random_image(&rng, 50, 40, 3);
    const uint32_t sizes[][2] = {{20, 33}, {50, 40}, {90, 95}};
    for (size_t s = 0; s < 3; s++) {
        uint32_t width = sizes[s][0], height = sizes[s][1];
        uint8_t *all = resize(&image, 3, whole(50, width), whole(40, height));
        uint8_t *part = resize(&image, 3, (struct eng_axis){50, width, 7, 12},
                               (struct eng_axis){40, height, 5, 21});
        for (size_t y = 0; y < 21; y++)
            assert_memory_equal(part + y * 12 * 3, all + ((y + 5) * width + 7) * 3, 12 * 3);
        free(part);
        free(all);
    }
    eng_image_fini(&image);
}

static void channels_do_not_mix(void **state)
{
    (void)state;
    struct eng_rng rng;
    eng_rng_init(&rng, 4, 0);
    struct eng_image rgb = random_image(&rng, 31, 22, 3);
    uint8_t *all = resize(&rgb, 3, whole(31, 14), whole(22, 30));
    for (size_t c = 0; c < 3; c++) {
        uint8_t plane[31 * 22];
        for (size_t i = 0; i < sizeof plane; i++)
            plane[i] = rgb.pixels[3 * i + c];
        struct eng_image gray = {31, 22, 1, plane};
        uint8_t *one = resize(&gray, 1, whole(31, 14), whole(22, 30));
        for (size_t i = 0; i < 14 * 30; i++)
            assert_int_equal(all[3 * i + c], one[i]);
        free(one);
    }
    free(all);
    eng_image_fini(&rgb);
}

/* The resized picture would have 16 billion rows; only the window costs memory. */
static void a_window_of_a_gigantic_picture_is_cheap(void **state)
{
    (void)state;
    uint8_t *pixels = malloc(ENG_IMAGE_MAX_SIDE_PX);
    assert_non_null(pixels);
    for (size_t i = 0; i < ENG_IMAGE_MAX_SIDE_PX; i++)
        pixels[i] = (uint8_t)(i / 256);
    struct eng_image image = {1, ENG_IMAGE_MAX_SIDE_PX, 1, pixels};
    uint64_t n_resized = (uint64_t)ENG_IMAGE_MAX_SIDE_PX * 256 * 1000;
    struct eng_axis y = {ENG_IMAGE_MAX_SIDE_PX, n_resized, n_resized / 2, 8};
    uint8_t *got = resize(&image, 1, whole(1, 4), y);
    for (size_t i = 0; i < 4 * 8; i++)
        assert_int_equal(got[i], ENG_IMAGE_MAX_SIDE_PX / 2 / 256);
    free(got);
    free(pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(small_cases_by_hand),
        cmocka_unit_test(same_size_changes_nothing),
        cmocka_unit_test(one_level_stays_that_level),
        cmocka_unit_test(a_window_is_cut_from_the_whole),
        cmocka_unit_test(channels_do_not_mix),
        cmocka_unit_test(a_window_of_a_gigantic_picture_is_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
