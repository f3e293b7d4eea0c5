/* What windows, convolutions and pools say of how they are computed. */
#include "ops/conv_shape.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define AXES(depth, height, width) \
    {                              \
        depth, height, width       \
    }
#define PLAIN AXES(1, 1, 1)

struct window_case {
    struct eng_window window;
    const char *wanted;
};

static void windows(void **state)
{
    (void)state;
    static const struct window_case cases[] = {
        {{.in = AXES(1, 9, 9), .kernel = AXES(1, 3, 3), .stride = PLAIN, .dilation = PLAIN}, "3x3"},
        {{.in = AXES(1, 1, 1), .kernel = AXES(1, 1, 1), .stride = PLAIN, .dilation = PLAIN}, "1x1"},
        {{.in = AXES(1, 9, 9), .kernel = AXES(1, 5, 3), .stride = AXES(1, 2, 2), .dilation = PLAIN},
         "5x3 by 2"},
        {{.in = AXES(1, 9, 9),
          .kernel = AXES(1, 3, 3),
          .stride = AXES(1, 2, 1),
          .dilation = AXES(1, 3, 3)},
         "3x3 by 2x1, dilated 3"},
        {{.in = AXES(4, 9, 9), .kernel = AXES(1, 2, 3), .stride = PLAIN, .dilation = AXES(1, 1, 2)},
         "1x2x3, dilated 1x1x2"},
        {{.in = AXES(4, 9, 9),
          .kernel = AXES(1 << 20, 1 << 20, 1 << 20),
          .stride = AXES(1 << 20, 1 << 20, 1 << 19),
          .dilation = PLAIN},
         "1048576x1048576x1048576 by 1048576x1048576x524288"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        eng_window_describe(&cases[i].window, text, sizeof text);
        assert_string_equal(text, cases[i].wanted);
    }
}

static void convolutions(void **state)
{
    (void)state;
    struct eng_conv conv = {.window = {.in = AXES(1, 9, 9),
                                       .kernel = AXES(1, 3, 3),
                                       .stride = PLAIN,
                                       .dilation = PLAIN},
                            .n_images = 1,
                            .groups = 1,
                            .in_channels = 1,
                            .out_channels = 1};
    char text[64];
    eng_conv_describe(&conv, "direct", text, sizeof text);
    assert_string_equal(text, "direct 3x3");
    conv.groups = 8;
    eng_conv_describe(&conv, "direct", text, sizeof text);
    assert_string_equal(text, "direct 3x3, depthwise");
    conv.out_channels = 2;
    eng_conv_describe(&conv, "direct", text, sizeof text);
    assert_string_equal(text, "direct 3x3, grouped");
}

static void texts_are_cut_to_size(void **state)
{
    (void)state;
    struct eng_conv conv = {.window = {.in = AXES(1, 9, 9),
                                       .kernel = AXES(1, 3, 3),
                                       .stride = PLAIN,
                                       .dilation = PLAIN},
                            .groups = 1};
    char text[12] = "...........";
    eng_conv_describe(&conv, "direct", text, 9);
    assert_string_equal(text, "direct 3");
    assert_int_equal(text[9], '.');
    eng_window_describe(&conv.window, text, 2);
    assert_string_equal(text, "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(windows), cmocka_unit_test(convolutions),
                                       cmocka_unit_test(texts_are_cut_to_size)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
