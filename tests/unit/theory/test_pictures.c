/* docs/theory.md: a picture as an array, as numbers near 0, and its variants. */
#include "engine/preprocess.h"
#include "theory.h"
#include "train/augment.h"

#include <math.h>

static void a_picture_is_an_array(void **state)
{
    const char *source = getenv("CLASSIFYD_SOURCE");
    char path[4096];
    struct eng_image image;
    struct eng_error err = {0};
    struct eng_image_limits limits = eng_image_limits_default();
    snprintf(path, sizeof path, "%s/tests/images/scene.png", source ? source : ".");
    if (eng_image_load(path, &limits, &image, &err) != ENG_OK) fail_msg("%s", err.text);
    size_t n = (size_t)image.height_px * image.width_px * image.n_channels;
    theory_says(state, "%u x %u x %u = %zu numbers", image.height_px, image.width_px,
                image.n_channels, n);
    const uint8_t *pixel = image.pixels + (10 * image.width_px + 20) * image.n_channels;
    theory_says(state, "row 10, column 20 is (%u, %u, %u)", pixel[0], pixel[1], pixel[2]);
    theory_says(state, "(10 x %u + 20) x %u + 2 = %zu", image.width_px, image.n_channels,
                (size_t)(&pixel[2] - image.pixels));
    eng_image_fini(&image);
}

static void pixels_become_numbers_near_zero(void **state)
{
    static const uint8_t pixels[2] = {0, 255};
    float values[2];
    struct eng_preprocess pre = {.color = ENG_COLOR_GRAY,
                                 .width_px = 2,
                                 .height_px = 1,
                                 .scale = 1.0f / 255,
                                 .mean = {0.1307f},
                                 .std = {0.3081f, 1, 1}};
    eng_preprocess_bytes(&pre, pixels, values);
    theory_says(state, "black becomes %.2f and white %.2f", (double)values[0], (double)values[1]);
}

enum { SIDE = 7, PIXELS = SIDE * SIDE };

/* How many different pictures come out of 2,000 draws. */
static size_t count_variants(const struct eng_augment_options *options)
{
    static uint8_t seen[2000][PIXELS];
    uint8_t picture[PIXELS] = {0};
    picture[2 * SIDE + 3] = 255; /* lopsided, so that its mirror image is another one */
    picture[3 * SIDE + 4] = 128;
    size_t n_seen = 0;
    for (unsigned draw = 0; draw < 2000; draw++) {
        const struct eng_augment_variant variant = {.seed = 2, .sample = draw};
        eng_augment_run(options, &variant, picture, SIDE, SIDE, 1, seen[n_seen]);
        size_t i = 0;
        while (memcmp(seen[i], seen[n_seen], PIXELS) != 0)
            i++;
        if (i == n_seen) n_seen++;
    }
    return n_seen;
}

static void variants_of_one_picture(void **state)
{
    struct eng_augment_options options = {.shift_px = 2};
    size_t shifted = count_variants(&options);
    options.flip_horizontal = true;
    theory_says(state, "5 x 5 = %zu", shifted);
    theory_says(state, "makes %zu", count_variants(&options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_an_array),
        cmocka_unit_test(pixels_become_numbers_near_zero),
        cmocka_unit_test(variants_of_one_picture),
    };
    return cmocka_run_group_tests(tests, theory_open, theory_close);
}
