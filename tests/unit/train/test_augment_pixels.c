/* What augmentation does to pixels: exact pictures, and every move against the definition. */
#include "train/augment_pixels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* One row of four: what comes in at both sides, and mirrored. */
static void pads_as_the_names_say(void **state)
{
    (void)state;
    static const uint8_t row[] = {1, 2, 3, 4};
    static const struct {
        enum eng_pad pad;
        struct eng_move move;
        uint8_t wanted[4];
    } cases[] = {
        {ENG_PAD_ZERO, {.right_px = 2}, {0, 0, 1, 2}},
        {ENG_PAD_ZERO, {.right_px = -3}, {4, 0, 0, 0}},
        {ENG_PAD_ZERO, {.right_px = 4}, {0, 0, 0, 0}},
        {ENG_PAD_ZERO, {.down_px = 1}, {0, 0, 0, 0}},
        {ENG_PAD_REFLECT, {.right_px = 2}, {3, 2, 1, 2}},
        {ENG_PAD_REFLECT, {.right_px = -3}, {4, 3, 2, 1}},
        {ENG_PAD_REFLECT, {.right_px = 6}, {1, 2, 3, 4}},
        {ENG_PAD_REFLECT, {.right_px = 600, .down_px = 77}, {1, 2, 3, 4}},
        {ENG_PAD_EDGE, {.right_px = 2}, {1, 1, 1, 2}},
        {ENG_PAD_EDGE, {.right_px = -100}, {4, 4, 4, 4}},
        {ENG_PAD_ZERO, {.flip_horizontal = true}, {4, 3, 2, 1}},
        {ENG_PAD_ZERO, {.flip_horizontal = true, .right_px = 1}, {0, 4, 3, 2}},
        {ENG_PAD_EDGE, {.flip_horizontal = true, .right_px = 1}, {4, 4, 3, 2}},
        {ENG_PAD_REFLECT, {.flip_horizontal = true, .right_px = -2}, {2, 1, 2, 3}},
    };
    const struct eng_picture_size size = {4, 1, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t dst[4];
        eng_picture_move(&size, &cases[i].move, cases[i].pad, row, dst);
        if (memcmp(dst, cases[i].wanted, 4) != 0)
            fail_msg("case %zu: %d %d %d %d", i, dst[0], dst[1], dst[2], dst[3]);
    }
}

enum { W = 6, H = 4, MAX_BYTES = W * H * 3 };

/* A whole-pixel move is the warp that takes the same way: the two share no code but the padding. */
static void a_move_is_a_warp(void **state)
{
    (void)state;
    uint8_t src[MAX_BYTES], moved[MAX_BYTES], warped[MAX_BYTES];
    for (size_t i = 0; i < MAX_BYTES; i++)
        src[i] = (uint8_t)(i * 29 % 256);
    for (unsigned i = 0; i < 2 * 3 * 2 * 2 * 9 * 9; i++) {
        const struct eng_picture_size size = {W, H, i % 2 ? 3 : 1};
        enum eng_pad pad = (enum eng_pad)(i / 2 % 3);
        const struct eng_move move = {i / 6 % 2, i / 12 % 2, (int)(i / 24 % 9) - 4,
                                      (int)(i / 216) - 4};
        const struct eng_warp warp = {
            .xx = move.flip_horizontal ? -1 : 1,
            .x0 = (float)(move.flip_horizontal ? W - 1 + move.right_px : -move.right_px),
            .yy = move.flip_vertical ? -1 : 1,
            .y0 = (float)(move.flip_vertical ? H - 1 + move.down_px : -move.down_px)};
        eng_picture_move(&size, &move, pad, src, moved);
        eng_picture_warp(&size, &warp, pad, src, warped);
        if (memcmp(moved, warped, W * H * size.n_channels) != 0)
            fail_msg("pad %d, flips %d %d, by %d %d", (int)pad, move.flip_horizontal,
                     move.flip_vertical, move.right_px, move.down_px);
    }
}

/* A quarter turn: (x, y) comes from (y, 1 - x); half a pixel: the mean of two. */
static void warps_turn_and_interpolate(void **state)
{
    (void)state;
    static const uint8_t src[] = {10, 20, 30, 41};
    const struct eng_picture_size size = {2, 2, 1};
    const struct eng_warp turn = {.xy = 1, .yx = -1, .y0 = 1},
                          half = {.xx = 1, .x0 = 0.5f, .yy = 1};
    uint8_t dst[4];
    eng_picture_warp(&size, &turn, ENG_PAD_ZERO, src, dst);
    assert_memory_equal(dst, ((uint8_t[]){30, 10, 41, 20}), 4);
    eng_picture_warp(&size, &half, ENG_PAD_ZERO, src, dst);
    assert_memory_equal(dst, ((uint8_t[]){15, 10, 36, 21}), 4);
    eng_picture_warp(&size, &half, ENG_PAD_EDGE, src, dst);
    assert_memory_equal(dst, ((uint8_t[]){15, 20, 36, 41}), 4);
}

/* Mean 75: brightness 1.2 makes it 90. */
static void light_is_the_formula(void **state)
{
    (void)state;
    const struct eng_picture_size size = {2, 1, 2};
    uint8_t pixels[] = {0, 50, 100, 150};
    eng_picture_light(&size, 1.2f, 0.5f, pixels);
    assert_memory_equal(pixels, ((uint8_t[]){45, 75, 105, 135}), 4);
    uint8_t clipped[] = {0, 50, 200, 250};
    eng_picture_light(&size, 1, 2, clipped);
    assert_memory_equal(clipped, ((uint8_t[]){0, 0, 255, 255}), 4);
}

static void a_cut_is_clipped_to_the_picture(void **state)
{
    (void)state;
    const struct eng_picture_size size = {3, 3, 1};
    static const uint8_t mean[] = {11, 12, 13, 14, 15, 16, 17, 18, 19};
    uint8_t pixels[9] = {0};
    eng_picture_cut(&size, -1, -1, 2, mean, pixels);
    assert_memory_equal(pixels, ((uint8_t[]){11, 0, 0, 0, 0, 0, 0, 0, 0}), 9);
    eng_picture_cut(&size, 1, 2, 5, mean, pixels);
    assert_memory_equal(pixels, ((uint8_t[]){11, 0, 0, 0, 0, 0, 0, 18, 19}), 9);
    eng_picture_cut(&size, 3, 0, 4, mean, pixels);
    eng_picture_cut(&size, -4, -4, 4, mean, pixels);
    assert_memory_equal(pixels, ((uint8_t[]){11, 0, 0, 0, 0, 0, 0, 18, 19}), 9);
    eng_picture_cut(&size, 0, 0, 3, NULL, pixels);
    assert_memory_equal(pixels, ((uint8_t[9]){0}), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pads_as_the_names_say),           cmocka_unit_test(a_move_is_a_warp),
        cmocka_unit_test(warps_turn_and_interpolate),      cmocka_unit_test(light_is_the_formula),
        cmocka_unit_test(a_cut_is_clipped_to_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
