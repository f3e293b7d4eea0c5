/* Drawing: what is set, what lies outside, colours, scale. */
#include "canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct tool_color white = {255, 255, 255}, red = {200, 10, 20};

static struct eng_image canvas_of(uint32_t width_px, uint32_t height_px)
{
    struct eng_image canvas;
    assert_int_equal(tool_canvas_create(width_px, height_px, white, &canvas, NULL), ENG_OK);
    return canvas;
}

static const uint8_t *at(const struct eng_image *canvas, int x, int y)
{
    return canvas->pixels + ((size_t)y * canvas->width_px + (size_t)x) * 3;
}

static size_t count_red(const struct eng_image *canvas)
{
    size_t n = 0;
    for (size_t i = 0; i < (size_t)canvas->width_px * canvas->height_px; i++)
        n += canvas->pixels[3 * i] == red.red && canvas->pixels[3 * i + 1] == red.green &&
             canvas->pixels[3 * i + 2] == red.blue;
    return n;
}

static void a_rectangle_is_cut_at_the_edges(void **state)
{
    (void)state;
    struct eng_image canvas = canvas_of(8, 6);
    tool_canvas_fill(&canvas, 2, 1, 3, 2, red);
    assert_int_equal(count_red(&canvas), 6);
    assert_memory_equal(at(&canvas, 2, 1), &red, 3);
    assert_memory_equal(at(&canvas, 5, 1), &white, 3);
    tool_canvas_fill(&canvas, -5, -5, 100, 100, red);
    assert_int_equal(count_red(&canvas), 48);
    eng_image_fini(&canvas);
}

static void a_dot_is_round_and_smooth(void **state)
{
    (void)state;
    struct eng_image canvas = canvas_of(21, 21);
    tool_canvas_dot(&canvas, 10, 10, 4.2, red);
    assert_memory_equal(at(&canvas, 10, 10), &red, 3);
    assert_memory_equal(at(&canvas, 13, 10), &red, 3);
    assert_memory_equal(at(&canvas, 16, 10), &white, 3);
    assert_memory_equal(at(&canvas, 14, 14), &white, 3); /* a square would reach it */
    const uint8_t *edge = at(&canvas, 10, 14);
    assert_memory_equal(edge, at(&canvas, 14, 10), 3);
    tool_canvas_dot(&canvas, 100, -50, 3, red); /* all outside */
    tool_canvas_dot(&canvas, 0, 20, 3, red);
    assert_memory_equal(at(&canvas, 0, 20), &red, 3);
    eng_image_fini(&canvas);
}

static void pictures_of_any_channels_are_enlarged(void **state)
{
    (void)state;
    struct eng_image canvas = canvas_of(9, 5);
    uint8_t grey[2] = {7, 90}, colour[8] = {1, 2, 3, 0, 4, 5, 6, 255};
    tool_canvas_picture(&canvas, 0, 0, 2, &(struct eng_image){2, 1, 1, grey});
    assert_memory_equal(at(&canvas, 1, 1), ((uint8_t[]){7, 7, 7}), 3);
    assert_memory_equal(at(&canvas, 2, 0), ((uint8_t[]){90, 90, 90}), 3);
    assert_memory_equal(at(&canvas, 4, 0), &white, 3);
    tool_canvas_picture(&canvas, 5, 3, 3, &(struct eng_image){2, 1, 4, colour});
    assert_memory_equal(at(&canvas, 7, 4), ((uint8_t[]){1, 2, 3}), 3);
    assert_memory_equal(at(&canvas, 8, 3), ((uint8_t[]){4, 5, 6}), 3);
    eng_image_fini(&canvas);
}

static void scales_and_limits(void **state)
{
    (void)state;
    struct eng_image canvas;
    struct eng_error err = {0};
    assert_int_equal(tool_canvas_scale(28, 28, 112), 4);
    assert_int_equal(tool_canvas_scale(10, 32, 112), 3);
    assert_int_equal(tool_canvas_scale(500, 20, 112), 1);
    assert_int_equal(tool_canvas_create(0, 5, white, &canvas, &err), ENG_LIMIT);
    assert_non_null(strstr(err.text, "0 x 5 pixels"));
    assert_int_equal(tool_canvas_create(65536, 65536, white, &canvas, NULL), ENG_LIMIT);
}

static void every_class_has_a_colour(void **state)
{
    (void)state;
    for (size_t a = 0; a < 32; a++)
        for (size_t b = 0; b < a; b++) {
            struct tool_color x = tool_class_color(a), y = tool_class_color(b);
            assert_memory_not_equal(&x, &y, sizeof x);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rectangle_is_cut_at_the_edges),
        cmocka_unit_test(a_dot_is_round_and_smooth),
        cmocka_unit_test(pictures_of_any_channels_are_enlarged),
        cmocka_unit_test(scales_and_limits),
        cmocka_unit_test(every_class_has_a_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
