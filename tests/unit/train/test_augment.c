/* Augmentation: what moves where, how often, and that seed, epoch and sample alone decide. */
#include "train/augment.h"
#include "train/initialiser.h"
#include "train/streams.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { W = 7, H = 5, CHANNELS = 3, BYTES = W * H * CHANNELS };

static const struct eng_picture_size size = {W, H, CHANNELS};

static void make_picture(uint8_t picture[BYTES])
{
    for (int i = 0; i < BYTES; i++)
        picture[i] = (uint8_t)(i * 37 % 251 + 1);
}

static void run_epoch(const struct eng_augment_options *options, uint64_t epoch, uint64_t sample,
                      const uint8_t src[BYTES], uint8_t dst[BYTES])
{
    const struct eng_augment_variant variant = {1, epoch, sample, NULL};
    eng_augment_run(options, &variant, src, W, H, CHANNELS, dst);
}

static void run(const struct eng_augment_options *options, uint64_t sample,
                const uint8_t src[BYTES], uint8_t dst[BYTES])
{
    run_epoch(options, 0, sample, src, dst);
}

static void nothing_asked_changes_nothing(void **state)
{
    (void)state;
    uint8_t src[BYTES], dst[BYTES];
    make_picture(src);
    run(&(struct eng_augment_options){0}, 0, src, dst);
    assert_memory_equal(src, dst, BYTES);
}

/* Of 1000 draws each is the picture itself or its mirror image, each as often: 5 deviations of
 * sqrt(1000)/2 are 79. */
static void expect_half(const struct eng_augment_options *options, const struct eng_move *move)
{
    uint8_t src[BYTES], dst[BYTES], mirrored[BYTES];
    size_t n_mirrored = 0;
    make_picture(src);
    eng_picture_move(&size, move, ENG_PAD_ZERO, src, mirrored);
    assert_memory_not_equal(src, mirrored, BYTES);
    for (uint64_t sample = 0; sample < 1000; sample++) {
        run(options, sample, src, dst);
        if (memcmp(dst, mirrored, BYTES) == 0)
            n_mirrored++;
        else
            assert_memory_equal(dst, src, BYTES);
    }
    assert_in_range(n_mirrored, 421, 579);
}

static void flips_turn_half_of_them(void **state)
{
    (void)state;
    const struct eng_move sideways = {.flip_horizontal = true}, upside = {.flip_vertical = true};
    expect_half(&(struct eng_augment_options){.flip_horizontal = true}, &sideways);
    expect_half(&(struct eng_augment_options){.mirror = ENG_MIRROR_RANDOM}, &sideways);
    expect_half(&(struct eng_augment_options){.flip_vertical = true}, &upside);
    /* In the first epoch the alternating ones are half of them too. */
    expect_half(&(struct eng_augment_options){.mirror = ENG_MIRROR_ALTERNATE}, &sideways);
}

static void alternate_mirrors_every_second_epoch(void **state)
{
    (void)state;
    const struct eng_augment_options options = {.mirror = ENG_MIRROR_ALTERNATE};
    uint8_t src[BYTES], epochs[4][BYTES];
    make_picture(src);
    for (uint64_t sample = 0; sample < 100; sample++) {
        for (uint64_t epoch = 0; epoch < 4; epoch++)
            run_epoch(&options, epoch, sample, src, epochs[epoch]);
        assert_memory_not_equal(epochs[0], epochs[1], BYTES);
        assert_memory_equal(epochs[0], epochs[2], BYTES);
        assert_memory_equal(epochs[1], epochs[3], BYTES);
        assert_true(memcmp(epochs[0], src, BYTES) == 0 || memcmp(epochs[1], src, BYTES) == 0);
    }
}

/* Counts which whole-pixel move up to `range` each of n variants is; every one must be one. */
static void count_moves(const struct eng_augment_options *options, int range, uint64_t n,
                        size_t counts[])
{
    uint8_t src[BYTES], dst[BYTES], wanted[BYTES];
    make_picture(src);
    for (uint64_t sample = 0; sample < n; sample++) {
        size_t found = SIZE_MAX, i = 0;
        run(options, sample, src, dst);
        for (int y = -range; y <= range; y++)
            for (int x = -range; x <= range; x++, i++) {
                const struct eng_move move = {.right_px = x, .down_px = y};
                eng_picture_move(&size, &move, (enum eng_pad)options->pad, src, wanted);
                if (memcmp(wanted, dst, BYTES) == 0) found = i;
            }
        assert_int_not_equal(found, SIZE_MAX);
        counts[found]++;
    }
}

static void shift_moves_whole_pixels(void **state)
{
    (void)state;
    size_t counts[25] = {0};
    count_moves(&(struct eng_augment_options){.shift_px = 2}, 2, 400, counts);
    for (size_t i = 0; i < 25; i++)
        assert_true(counts[i] > 0);
}

/* 25 places, 2500 draws: 100 each, deviation 9.8. */
static void every_crop_is_as_likely(void **state)
{
    (void)state;
    for (int pad = ENG_PAD_ZERO; pad <= ENG_PAD_EDGE; pad++) {
        size_t counts[25] = {0};
        count_moves(&(struct eng_augment_options){.crop_px = 2, .pad = pad}, 2, 2500, counts);
        for (size_t i = 0; i < 25; i++)
            assert_in_range(counts[i], 51, 149);
    }
}

/* The middle of the picture is the centre of rotation and zoom. */
static void rotation_and_zoom_keep_the_middle(void **state)
{
    (void)state;
    uint8_t src[BYTES], dst[BYTES];
    make_picture(src);
    for (uint64_t sample = 0; sample < 50; sample++) {
        run(&(struct eng_augment_options){.rotate_degrees = 180, .zoom = 0.5}, sample, src, dst);
        const size_t middle = (size_t)((H / 2) * W + W / 2) * CHANNELS;
        for (size_t c = 0; c < CHANNELS; c++)
            assert_in_range(dst[middle + c], src[middle + c] - 1, src[middle + c] + 1);
    }
}

enum { SIDE = 41, MIDDLE = SIDE / 2, RADIUS = 12 };

/* Where the light of a picture with one soft dot, RADIUS to the right of the middle, went. */
static void find_dot(const struct eng_augment_options *options, uint64_t sample, double *angle,
                     double *radius)
{
    static uint8_t src[SIDE * SIDE], dst[SIDE * SIDE];
    const struct eng_augment_variant variant = {1, 0, sample, NULL};
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int y = -2; y <= 2; y++)
        for (int x = -2; x <= 2; x++)
            src[(MIDDLE + y) * SIDE + MIDDLE + RADIUS + x] = (uint8_t)(200 / (1 + x * x + y * y));
    eng_augment_run(options, &variant, src, SIDE, SIDE, 1, dst);
    for (int i = 0; i < SIDE * SIDE; i++) {
        sum += dst[i];
        sum_x += dst[i] * (i % SIDE - MIDDLE);
        sum_y += dst[i] * (i / SIDE - MIDDLE);
    }
    *angle = atan2(sum_y, sum_x) * 180 / M_PI;
    *radius = hypot(sum_x, sum_y) / sum;
}

/* Even from -a to a: mean 0, variance a^2 / 3, and the ends are nearly reached. */
static void expect_even(const double *draws, size_t n, double a, double slack)
{
    double sum = 0, squares = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        sum += draws[i];
        squares += draws[i] * draws[i];
        most = fmax(most, fabs(draws[i]));
    }
    assert_true(fabs(sum / (double)n) < 5 * a / sqrt(3 * (double)n) + slack);
    assert_true(fabs(squares / (double)n / (a * a / 3) - 1) < 0.15);
    assert_true(most <= a + slack && most > 0.97 * a - slack);
}

static void turns_and_zooms_are_even(void **state)
{
    (void)state;
    enum { N = 1000 };
    static double angles[N], zooms[N];
    double unused;
    for (uint64_t i = 0; i < N; i++) {
        find_dot(&(struct eng_augment_options){.rotate_degrees = 30}, i, &angles[i], &unused);
        find_dot(&(struct eng_augment_options){.zoom = 0.25}, i, &unused, &zooms[i]);
        zooms[i] = zooms[i] / RADIUS - 1;
    }
    expect_even(angles, N, 30, 0.5);
    expect_even(zooms, N, 0.25, 0.01);
}

/* The square lies anywhere, 3 x 3 or what is left of it at the border; each pixel is as likely to
 * be its middle, and gets the mean. */
static void cutout_cuts_a_square(void **state)
{
    (void)state;
    const struct eng_augment_options options = {.cutout_px = 3};
    uint8_t src[BYTES], dst[BYTES], mean[BYTES], wanted[BYTES];
    size_t counts[W * H] = {0};
    make_picture(src);
    for (size_t i = 0; i < BYTES; i++)
        mean[i] = (uint8_t)(255 - i);
    for (uint64_t sample = 0; sample < 3500; sample++) {
        const struct eng_augment_variant variant = {1, 0, sample, mean};
        int found = -1;
        eng_augment_run(&options, &variant, src, W, H, CHANNELS, dst);
        for (int middle = 0; middle < W * H; middle++) {
            memcpy(wanted, src, BYTES);
            eng_picture_cut(&size, middle % W - 1, middle / W - 1, 3, mean, wanted);
            if (memcmp(wanted, dst, BYTES) == 0) found = middle;
        }
        assert_true(found >= 0);
        counts[found]++;
    }
    for (size_t i = 0; i < W * H; i++)
        assert_in_range(counts[i], 51, 149);
}

/* A grey picture times 0.5 to 1.5, evenly: mean 1, deviation 1/sqrt(12). */
static void brightness_is_even_around_one(void **state)
{
    (void)state;
    enum { N = 2000 };
    uint8_t src[BYTES], dst[BYTES];
    double sum = 0, squares = 0;
    memset(src, 100, BYTES);
    for (uint64_t sample = 0; sample < N; sample++) {
        run(&(struct eng_augment_options){.brightness = 0.5, .contrast = 0.5}, sample, src, dst);
        for (size_t i = 1; i < BYTES; i++)
            assert_int_equal(dst[i], dst[0]);
        assert_in_range(dst[0], 50, 150);
        double factor = dst[0] / 100.0;
        sum += factor;
        squares += factor * factor;
    }
    assert_true(fabs(sum / N - 1) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(squares / N - sum / N * sum / N - 1.0 / 12) < 0.01);
}

/* Two bytes 100 and 140: contrast keeps their middle and moves them apart by 20 to 60. */
static void contrast_keeps_the_mean(void **state)
{
    (void)state;
    int least = 255, most = 0;
    uint8_t src[] = {100, 140}, dst[2];
    for (uint64_t sample = 0; sample < 1000; sample++) {
        const struct eng_augment_variant variant = {1, 0, sample, NULL};
        eng_augment_run(&(struct eng_augment_options){.contrast = 0.5}, &variant, src, 2, 1, 1,
                        dst);
        int apart = dst[1] - dst[0];
        assert_in_range(dst[0] + dst[1], 239, 241);
        if (apart < least) least = apart;
        if (apart > most) most = apart;
    }
    assert_in_range(least, 20, 22);
    assert_in_range(most, 58, 60);
}

static const struct eng_augment_options everything = {
    .shift_px = 2,
    .rotate_degrees = 15,
    .zoom = 0.1,
    .crop_px = 1,
    .flip_horizontal = true,
    .flip_vertical = true,
    .pad = ENG_PAD_REFLECT,
    .brightness = 0.2,
    .contrast = 0.2,
    .cutout_px = 2,
};

static void seed_epoch_and_sample_decide(void **state)
{
    (void)state;
    uint8_t src[BYTES], a[BYTES], b[BYTES];
    make_picture(src);
    run(&everything, 3, src, a);
    run(&everything, 3, src, b);
    assert_memory_equal(a, b, BYTES);
    run(&everything, 4, src, b);
    assert_memory_not_equal(a, b, BYTES);
    run_epoch(&everything, 1, 3, src, b);
    assert_memory_not_equal(a, b, BYTES);
    const struct eng_augment_variant other_seed = {2, 0, 3, NULL};
    eng_augment_run(&everything, &other_seed, src, W, H, CHANNELS, b);
    assert_memory_not_equal(a, b, BYTES);
}

/* A crop is drawn alike whether or not the rest is asked for. */
static void one_setting_does_not_disturb_anothers_draws(void **state)
{
    (void)state;
    uint8_t src[BYTES], moved[BYTES], both[BYTES];
    make_picture(src);
    for (uint64_t sample = 0; sample < 20; sample++) {
        run(&(struct eng_augment_options){.crop_px = 2}, sample, src, moved);
        run(&(struct eng_augment_options){.crop_px = 2, .brightness = 1e-9}, sample, src, both);
        assert_memory_equal(moved, both, BYTES);
    }
}

/* Mean 0 and the variance of the papers, for every row. */
static void first_weights_have_their_variance(void **state)
{
    (void)state;
    enum { N = 20000 };
    static float weights[N];
    const double fan_in = 50, fan_out = 30, given = 0.25;
    const double wanted[] = {2 / fan_in,
                             2 / fan_in,
                             2 / (fan_in + fan_out),
                             2 / (fan_in + fan_out),
                             given * given,
                             2 / fan_in,
                             1,
                             2 / fan_in};
    for (int kind = 0; eng_initialiser_names[kind]; kind++) {
        struct eng_rng rng = eng_stream_rng(5, ENG_STREAM_INIT, (uint64_t)kind, 0);
        double sum = 0, sum_of_squares = 0;
        eng_initialiser_fill(kind, given, fan_in, fan_out, &rng, weights, N);
        for (size_t i = 0; i < N; i++) {
            sum += (double)weights[i];
            sum_of_squares += (double)weights[i] * (double)weights[i];
        }
        assert_true((size_t)kind < sizeof wanted / sizeof *wanted);
        assert_true(fabs(sum / N) < 4 * sqrt(wanted[kind] / N));
        assert_true(fabs(sum_of_squares / N / wanted[kind] - 1) < 0.05);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_changes_nothing),
        cmocka_unit_test(flips_turn_half_of_them),
        cmocka_unit_test(alternate_mirrors_every_second_epoch),
        cmocka_unit_test(shift_moves_whole_pixels),
        cmocka_unit_test(every_crop_is_as_likely),
        cmocka_unit_test(rotation_and_zoom_keep_the_middle),
        cmocka_unit_test(turns_and_zooms_are_even),
        cmocka_unit_test(cutout_cuts_a_square),
        cmocka_unit_test(brightness_is_even_around_one),
        cmocka_unit_test(contrast_keeps_the_mean),
        cmocka_unit_test(seed_epoch_and_sample_decide),
        cmocka_unit_test(one_setting_does_not_disturb_anothers_draws),
        cmocka_unit_test(first_weights_have_their_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
