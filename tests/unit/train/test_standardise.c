/* Mean and deviation per pixel and per feature; what the graph makes of them; what may not be. */
#include "train/input.h"
#include "train/standardise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Four pictures of 2 x 1 pixels in three colours. */
static uint8_t pixels[4][6] = {{0, 10, 7, 100, 0, 255},
                               {0, 20, 7, 100, 0, 255},
                               {0, 30, 7, 104, 0, 255},
                               {0, 40, 7, 104, 1, 255}};
static uint16_t labels[4];
static const struct eng_dataset pictures = {.kind = ENG_DATASET_PICTURES,
                                            .n = 4,
                                            .width_px = 2,
                                            .height_px = 1,
                                            .n_channels = 3,
                                            .pixels = pixels[0],
                                            .labels = labels,
                                            .n_classes = 2};

static float table[3][3] = {{1, 5, 1e6f}, {2, 5, 1e6f + 1}, {6, 5, 1e6f + 2}};
static const struct eng_dataset vectors = {.kind = ENG_DATASET_VECTORS,
                                           .n = 3,
                                           .n_features = 3,
                                           .features = table[0],
                                           .labels = labels,
                                           .n_classes = 2};

static void expect(const float *found, const double *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)found[i] - wanted[i]) <= 1e-6 * fmax(1, fabs(wanted[i]))))
            fail_msg("value %zu: %.9g; wanted %.9g", i, (double)found[i], wanted[i]);
}

static void pixels_one_by_one(void **state)
{
    (void)state;
    const struct eng_preprocess pre = {
        .color = ENG_COLOR_RGB, .width_px = 2, .height_px = 1, .scale = 0.5f, .std = {1, 1, 1}};
    /* Channel by channel: 0 100, 10..40 0/1, 7 255. What hardly varies counts one grey level. */
    static const double means[] = {0, 51, 12.5, 0.125, 3.5, 127.5};
    const double deviations[] = {0.5, 1, sqrt(125) / 2, 0.5, 0.5, 0.5};
    float *mean, *deviation;
    assert_int_equal(eng_standardise_pixels(&pictures, &pre, &mean, &deviation, NULL), ENG_OK);
    expect(mean, means, 6);
    expect(deviation, deviations, 6);
    free(mean);
    free(deviation);
}

static void features_one_by_one(void **state)
{
    (void)state;
    const double means[] = {3, 5, 1e6 + 1};
    const double deviations[] = {sqrt(14.0 / 3), 1, sqrt(2.0 / 3)};
    float *mean, *deviation;
    assert_int_equal(eng_standardise_features(&vectors, &mean, &deviation, NULL), ENG_OK);
    expect(mean, means, 3);
    expect(deviation, deviations, 3);
    free(mean);
    free(deviation);
}

/* The nodes, and that nothing in them is trained. */
static void check_nodes(const struct eng_recipe *recipe, const struct eng_dataset *set,
                        const char *name, int rank, size_t n_nodes)
{
    struct eng_input input;
    struct eng_graph graph;
    struct eng_shape shape;
    int in, value;
    struct eng_error err = {0};
    eng_graph_init(&graph);
    if (eng_input_prepare(recipe, set, NULL, &input, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(eng_input_add_nodes(&input, &graph, &in, &value, &shape, NULL), ENG_OK);
    assert_string_equal(graph.values[in].name, name);
    assert_int_equal(shape.rank, rank);
    assert_int_equal(graph.n_nodes, n_nodes);
    assert_int_equal(value == in, n_nodes == 0);
    if (n_nodes > 0) {
        assert_string_equal(graph.nodes[0].op->name, "Sub");
        assert_string_equal(graph.nodes[1].op->name, "Div");
        assert_int_equal(graph.nodes[1].out[0], value);
    }
    eng_graph_mark_trainable(&graph);
    for (size_t v = 0; v < graph.n_values; v++)
        assert_false(graph.values[v].trainable);
    eng_input_fini(&input);
    eng_graph_fini(&graph);
}

static struct eng_recipe recipe_with(int standardise)
{
    return (struct eng_recipe){.path = "recipe.json",
                               .input = {.scale = 1, .standardise = standardise}};
}

static void nodes_stand_in_front(void **state)
{
    (void)state;
    const struct eng_recipe none = recipe_with(ENG_STANDARDISE_NONE),
                            pixel = recipe_with(ENG_STANDARDISE_PIXEL),
                            channel = recipe_with(ENG_STANDARDISE_CHANNEL);
    check_nodes(&none, &pictures, "image", 4, 0);
    check_nodes(&pixel, &pictures, "image", 4, 2);
    check_nodes(&channel, &pictures, "image", 4, 0);
    check_nodes(&none, &vectors, "features", 2, 0);
    check_nodes(&pixel, &vectors, "features", 2, 2);
    check_nodes(&channel, &vectors, "features", 2, 2);
}

static void what_cannot_be_standardised_is_refused(void **state)
{
    (void)state;
    struct eng_recipe recipe = recipe_with(ENG_STANDARDISE_CHANNEL);
    struct eng_input input;
    struct eng_error err = {0};
    uint8_t same[6] = {3, 1, 3, 3, 1, 9};
    struct eng_dataset set = pictures;
    set.n = 1;
    set.pixels = same;
    assert_int_equal(eng_input_prepare(&recipe, &set, NULL, &input, &err), ENG_FORMAT);
    assert_string_equal(err.text,
                        "channel 0 is 3 in every training picture; wanted pixels that vary");
    recipe.input.n_mean = recipe.input.n_std = 1;
    err = (struct eng_error){0};
    assert_int_equal(eng_input_prepare(&recipe, &vectors, NULL, &input, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "recipe.json: input.mean is given"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_one_by_one),
        cmocka_unit_test(features_one_by_one),
        cmocka_unit_test(nodes_stand_in_front),
        cmocka_unit_test(what_cannot_be_standardised_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
