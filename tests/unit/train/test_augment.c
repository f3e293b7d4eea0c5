/* Augmentation: what stays, what moves where, and that the seed alone decides. */
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

static void make_picture(uint8_t picture[BYTES])
{
    for (int i = 0; i < BYTES; i++)
        picture[i] = (uint8_t)(i * 37 % 251 + 1);
}

static void run(const struct eng_augment_options *options, uint64_t sample,
                const uint8_t src[BYTES], uint8_t dst[BYTES])
{
    struct eng_rng rng = eng_stream_rng(1, ENG_STREAM_AUGMENT, 0, sample);
    eng_augment_run(options, &rng, src, W, H, CHANNELS, dst);
}

static void nothing_asked_changes_nothing(void **state)
{
    (void)state;
    uint8_t src[BYTES], dst[BYTES];
    make_picture(src);
    run(&(struct eng_augment_options){0}, 0, src, dst);
    assert_memory_equal(src, dst, BYTES);
}

/* Every draw of 100 is the picture itself or its mirror image; both occur. */
static void flip_mirrors_half_of_them(void **state)
{
    (void)state;
    uint8_t src[BYTES], dst[BYTES], mirrored[BYTES];
    size_t n_mirrored = 0;
    make_picture(src);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            memcpy(mirrored + (y * W + x) * CHANNELS, src + (y * W + W - 1 - x) * CHANNELS,
                   CHANNELS);
    for (uint64_t sample = 0; sample < 100; sample++) {
        run(&(struct eng_augment_options){.flip_horizontal = true}, sample, src, dst);
        if (memcmp(dst, mirrored, BYTES) == 0)
            n_mirrored++;
        else
            assert_memory_equal(dst, src, BYTES);
    }
    assert_in_range(n_mirrored, 30, 70);
}

/* A shift is by whole pixels, the same for all, at most what was asked; the rest is 0. */
static void shift_moves_whole_pixels(void **state)
{
    (void)state;
    uint8_t src[BYTES], dst[BYTES];
    bool seen[5][5] = {0};
    make_picture(src);
    for (uint64_t sample = 0; sample < 400; sample++) {
        run(&(struct eng_augment_options){.shift_px = 2}, sample, src, dst);
        bool found = false;
        for (int dy = -2; dy <= 2 && !found; dy++)
            for (int dx = -2; dx <= 2 && !found; dx++) {
                uint8_t wanted[BYTES] = {0};
                for (int y = 0; y < H; y++)
                    for (int x = 0; x < W; x++)
                        if (y - dy >= 0 && y - dy < H && x - dx >= 0 && x - dx < W)
                            memcpy(wanted + (y * W + x) * CHANNELS,
                                   src + ((y - dy) * W + x - dx) * CHANNELS, CHANNELS);
                found = memcmp(wanted, dst, BYTES) == 0;
                if (found) seen[dy + 2][dx + 2] = true;
            }
        assert_true(found);
    }
    for (int i = 0; i < 25; i++)
        assert_true(seen[i / 5][i % 5]);
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

static void the_seed_decides(void **state)
{
    (void)state;
    const struct eng_augment_options all = {2, 15, 0.1, true};
    uint8_t src[BYTES], a[BYTES], b[BYTES];
    make_picture(src);
    run(&all, 3, src, a);
    run(&all, 3, src, b);
    assert_memory_equal(a, b, BYTES);
    run(&all, 4, src, b);
    assert_memory_not_equal(a, b, BYTES);
}

/* Mean 0 and the variance of the papers, for every row. */
static void first_weights_have_their_variance(void **state)
{
    (void)state;
    enum { N = 20000 };
    static float weights[N];
    const double fan_in = 50, fan_out = 30, given = 0.25;
    const double wanted[] = {2 / fan_in, 2 / fan_in, 2 / (fan_in + fan_out), 2 / (fan_in + fan_out),
                             given * given};
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
        cmocka_unit_test(flip_mirrors_half_of_them),
        cmocka_unit_test(shift_moves_whole_pixels),
        cmocka_unit_test(rotation_and_zoom_keep_the_middle),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(first_weights_have_their_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
