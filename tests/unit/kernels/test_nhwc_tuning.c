/* Ways of convolving chosen by measuring: the faster one, once for each shape. */
#include "kernels/nhwc_tuning.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CHANNELS = 128, SIDE = 14 };

/* Every channel by itself: the product fills a sixteenth of its vectors. */
static struct eng_nhwc_conv depthwise(int64_t side)
{
    return (struct eng_nhwc_conv){.window = {.in = {1, side, side},
                                             .out = {1, side, side},
                                             .kernel = {1, 3, 3},
                                             .stride = {1, 1, 1},
                                             .dilation = {1, 1, 1},
                                             .pad_begin = {0, 1, 1},
                                             .pad_end = {0, 1, 1}},
                                  .n_images = 1,
                                  .groups = CHANNELS,
                                  .in_channels = 1,
                                  .out_channels = 1,
                                  .method = ENG_NHWC_PRODUCT};
}

static enum eng_nhwc_method measure(const struct eng_nhwc_conv *conv, struct eng_nhwc_tuner *tuner)
{
    static const float w[CHANNELS * 9];
    enum eng_nhwc_method method = ENG_N_NHWC_METHODS;
    assert_int_equal(eng_nhwc_conv_measure(conv, 10, w, tuner, &method, NULL), ENG_OK);
    return method;
}

static void the_faster_way_is_taken(void **state)
{
    (void)state;
    struct eng_nhwc_conv conv = depthwise(SIDE);
    struct eng_nhwc_tuner tuner = {.budget_s = 10};
    assert_int_equal(eng_nhwc_conv_n_ways(&conv, 10), 2);
    assert_int_equal(measure(&conv, &tuner), ENG_NHWC_DEPTHWISE);
    assert_true(tuner.budget_s < 10);
}

static void time_is_bounded(void **state)
{
    (void)state;
    struct eng_nhwc_conv conv = depthwise(SIDE);
    struct eng_nhwc_tuner tuner = {.budget_s = 0};
    assert_int_equal(measure(&conv, &tuner), ENG_NHWC_PRODUCT);
}

static void a_shape_is_measured_once(void **state)
{
    (void)state;
    struct eng_nhwc_conv conv = depthwise(SIDE), other = depthwise(SIDE + 1);
    struct eng_nhwc_tuner first = {.budget_s = 10}, second = {.budget_s = 0};
    assert_int_equal(eng_tuning_cache_create(&first.cache, NULL), ENG_OK);
    assert_int_equal(measure(&conv, &first), ENG_NHWC_DEPTHWISE);
    second.cache = first.cache;
    assert_int_equal(measure(&conv, &second), ENG_NHWC_DEPTHWISE);
    conv.n_images = 7; /* the way does not depend on the batch */
    assert_int_equal(measure(&conv, &second), ENG_NHWC_DEPTHWISE);
    assert_int_equal(measure(&other, &second), ENG_NHWC_PRODUCT);
    eng_tuning_cache_destroy(first.cache);
    eng_tuning_cache_destroy(NULL);
}

/* What was measured first goes first. */
static void the_cache_is_bounded(void **state)
{
    (void)state;
    enum { N_SHAPES = 600 };
    struct eng_nhwc_tuner first = {.budget_s = 1e9}, second = {.budget_s = 0};
    assert_int_equal(eng_tuning_cache_create(&first.cache, NULL), ENG_OK);
    for (int64_t i = 0; i < N_SHAPES; i++) {
        struct eng_nhwc_conv conv = depthwise(1);
        conv.groups = 1;
        conv.window.in[1] = conv.window.out[1] = 1 + i;
        measure(&conv, &first);
    }
    second.cache = first.cache;
    size_t n_known = 0;
    for (int64_t i = 0; i < N_SHAPES; i++) {
        struct eng_nhwc_conv conv = depthwise(1);
        conv.groups = 1;
        conv.window.in[1] = conv.window.out[1] = 1 + i;
        conv.method = ENG_N_NHWC_METHODS; /* which no measurement gives */
        n_known += measure(&conv, &second) != ENG_N_NHWC_METHODS;
        if (i == 0) assert_int_equal(n_known, 0);
    }
    assert_int_equal(n_known, 512);
    eng_tuning_cache_destroy(first.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_is_taken),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(a_shape_is_measured_once),
        cmocka_unit_test(the_cache_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
