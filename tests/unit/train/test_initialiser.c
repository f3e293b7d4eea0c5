/* First weights that are more than drawn: identity, orthogonal, whitening; and eigenvectors. */
#include "train/eigen.h"
#include "train/initialiser.h"
#include "train/network.h"
#include "train/streams.h"
#include "train/whitening.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* A v = value v, the vectors orthonormal, the values falling. */
static void expect_eigenvectors(const double *a, size_t n, const double *values,
                                const double *vectors)
{
    for (size_t i = 0; i < n; i++) {
        const double *v = vectors + i * n;
        if (i > 0) assert_true(values[i] <= values[i - 1]);
        for (size_t row = 0; row < n; row++)
            assert_true(fabs(dot(a + row * n, v, n) - values[i] * v[row]) < 1e-9 * (double)n);
        for (size_t k = 0; k <= i; k++)
            assert_true(fabs(dot(v, vectors + k * n, n) - (k == i)) < 1e-10);
    }
}

static void eigenvectors_of_symmetric_matrices(void **state)
{
    (void)state;
    static const size_t sides[] = {1, 2, 3, 27, 75, ENG_EIGEN_MAX_SIDE};
    static double a[ENG_EIGEN_MAX_SIDE * ENG_EIGEN_MAX_SIDE], copy[sizeof a / sizeof *a];
    static double values[ENG_EIGEN_MAX_SIDE], vectors[sizeof a / sizeof *a];
    for (size_t t = 0; t < sizeof sides / sizeof *sides; t++) {
        size_t n = sides[t];
        struct eng_rng rng = eng_stream_rng(1, ENG_STREAM_INIT, t, 0);
        for (size_t i = 0; i < n; i++)
            for (size_t k = i; k < n; k++)
                a[i * n + k] = a[k * n + i] = (double)eng_rng_normal(&rng);
        memcpy(copy, a, n * n * sizeof *a);
        eng_eigen_symmetric(copy, n, values, vectors);
        expect_eigenvectors(a, n, values, vectors);
    }
}

/* [[2, 1], [1, 2]]: 3 along (1, 1), 1 along (1, -1). Equal and zero eigenvalues end as well. */
static void known_eigenvalues(void **state)
{
    (void)state;
    double a[] = {2, 1, 1, 2}, zero[9] = {0}, values[3], vectors[9];
    eng_eigen_symmetric(a, 2, values, vectors);
    assert_true(fabs(values[0] - 3) < 1e-14 && fabs(values[1] - 1) < 1e-14);
    assert_true(fabs(vectors[0] - sqrt(0.5)) < 1e-14 && fabs(vectors[1] - sqrt(0.5)) < 1e-14);
    eng_eigen_symmetric(zero, 3, values, vectors);
    for (size_t i = 0; i < 9; i++)
        assert_true(vectors[i] == (i % 4 == 0));
}

static void orthogonal_rows_or_columns(void **state)
{
    (void)state;
    static const size_t sides[][2] = {{3, 3}, {8, 27}, {27, 8}, {1, 5}};
    for (size_t t = 0; t < sizeof sides / sizeof *sides; t++) {
        size_t rows = sides[t][0], columns = sides[t][1];
        float weights[27 * 8];
        struct eng_rng rng = eng_stream_rng(2, ENG_STREAM_INIT, t, 0);
        eng_initialiser_fill(0, 0, 2, 1, &rng, weights, rows * columns);
        eng_initialiser_orthogonalise(weights, rows, columns);
        bool by_rows = rows <= columns;
        size_t lines = by_rows ? rows : columns, n = by_rows ? columns : rows;
        for (size_t i = 0; i < lines; i++)
            for (size_t k = 0; k < lines; k++) {
                double sum = 0;
                for (size_t e = 0; e < n; e++)
                    sum += by_rows ? (double)(weights[i * n + e] * weights[k * n + e])
                                   : (double)(weights[e * lines + i] * weights[e * lines + k]);
                assert_true(fabs(sum - (i == k)) < 1e-6);
            }
    }
}

static void identity_passes_on_by_groups(void **state)
{
    (void)state;
    float w[2 * 3 * 2 * 3]; /* 2 groups of 3 outputs, 2 inputs each, 3 positions */
    for (size_t i = 0; i < sizeof w / sizeof *w; i++)
        w[i] = 7;
    eng_initialiser_pass_on(w, 2, 3, 2, 3, 1);
    for (size_t g = 0; g < 2; g++)
        for (size_t o = 0; o < 3; o++)
            for (size_t i = 0; i < 2; i++)
                for (size_t p = 0; p < 3; p++) {
                    float found = w[((g * 3 + o) * 2 + i) * 3 + p];
                    assert_true(found == (o == 2 ? 7 : (float)(o == i && p == 1)));
                }
}

enum { SIDE = 8, CHANNELS = 3, PICTURES = 300, D = CHANNELS * 4 };

static uint8_t pixels[PICTURES * SIDE * SIDE * CHANNELS];

/* Neighbours and channels are alike, as in photographs. */
static struct eng_dataset make_pictures(void)
{
    struct eng_rng rng = eng_stream_rng(3, ENG_STREAM_INIT, 0, 0);
    for (size_t i = 0; i < PICTURES; i++) {
        float level = 128;
        for (size_t k = 0; k < SIDE * SIDE; k++) {
            level = 128 + 0.8f * (level - 128) + 20 * eng_rng_normal(&rng);
            for (size_t c = 0; c < CHANNELS; c++) {
                float pixel = level + 10 * eng_rng_normal(&rng) + 5 * (float)c;
                pixels[(i * SIDE * SIDE + k) * CHANNELS + c] = pixel < 0     ? 0
                                                               : pixel > 255 ? 255
                                                                             : (uint8_t)pixel;
            }
        }
    }
    return (struct eng_dataset){.kind = ENG_DATASET_PICTURES,
                                .n = PICTURES,
                                .width_px = SIDE,
                                .height_px = SIDE,
                                .n_channels = CHANNELS,
                                .pixels = pixels};
}

static const struct eng_input input = {.kind = ENG_DATASET_PICTURES,
                                       .preprocess = {.color = ENG_COLOR_RGB,
                                                      .layout = ENG_LAYOUT_CHW,
                                                      .width_px = SIDE,
                                                      .height_px = SIDE,
                                                      .scale = 1 / 64.0f,
                                                      .mean = {2, 2, 2},
                                                      .std = {1, 1, 1}},
                                       .count = SIDE * SIDE * CHANNELS};

/* Answer of output o to the 2 x 2 patch at (row, column). */
static double answer(const float *picture, const float *weights, size_t row, size_t column)
{
    double sum = 0;
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t y = 0; y < 2; y++)
            for (size_t x = 0; x < 2; x++)
                sum += (double)(weights[(c * 2 + y) * 2 + x] *
                                picture[(c * SIDE + row + y) * SIDE + column + x]);
    return sum;
}

/* The outputs' covariance over all patches is the identity. */
static void whitened_outputs_are_uncorrelated(void **state)
{
    (void)state;
    struct eng_dataset set = make_pictures();
    const struct eng_patch_source source = {&input, &set};
    const struct eng_patch_kernel kernel = {
        .n_outputs = 2 * D + 3, .height = 2, .width = 2, .epsilon = 1e-9};
    float weights[(2 * D + 3) * D], picture[SIDE * SIDE * CHANNELS];
    double first[D] = {0}, second[D][D] = {{0}}, n = 0;
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        weights[i] = 5;
    assert_int_equal(eng_whitening_fill(&source, &kernel, weights, NULL), ENG_OK);
    for (size_t i = 0; i < PICTURES; i++) {
        eng_input_fill(&input, &set, i, NULL, NULL, NULL, picture);
        for (size_t at = 0; at < (SIDE - 1) * (SIDE - 1); at++, n++) {
            double out[D];
            for (size_t o = 0; o < D; o++)
                first[o] += out[o] = answer(picture, weights + o * D, at / 7, at % 7);
            for (size_t o = 0; o < D; o++)
                for (size_t k = 0; k < D; k++)
                    second[o][k] += out[o] * out[k];
        }
    }
    for (size_t o = 0; o < D; o++)
        for (size_t k = 0; k < D; k++)
            assert_true(fabs(second[o][k] / n - first[o] / n * first[k] / n - (o == k)) < 1e-3);
    for (size_t i = 0; i < D * D; i++)
        assert_true(weights[D * D + i] == -weights[i]);
    for (size_t i = 2 * D * D; i < sizeof weights / sizeof *weights; i++)
        assert_true(weights[i] == 5);
}

/* With fewer outputs than vectors those that say most are taken: the mean of the patch first. */
static void fewer_outputs_take_the_largest(void **state)
{
    (void)state;
    struct eng_dataset set = make_pictures();
    const struct eng_patch_source source = {&input, &set};
    const struct eng_patch_kernel kernel = {.n_outputs = 3, .height = 2, .width = 2, .epsilon = 1};
    float weights[3 * D];
    assert_int_equal(eng_whitening_fill(&source, &kernel, weights, NULL), ENG_OK);
    for (size_t i = 0; i < D; i++) {
        assert_true(weights[i] > 0);
        assert_true(weights[2 * D + i] == -weights[i]);
    }
}

static void large_patches_are_refused(void **state)
{
    (void)state;
    struct eng_dataset set = make_pictures();
    struct eng_error err = {0};
    struct eng_input large = input;
    large.preprocess.width_px = large.preprocess.height_px = 16;
    const struct eng_patch_source source = {&large, &set};
    const struct eng_patch_kernel kernel = {.n_outputs = 1, .height = 10, .width = 10};
    assert_int_equal(eng_whitening_fill(&source, &kernel, NULL, &err), ENG_FORMAT);
    assert_string_equal(err.text, "whitening a kernel of 3 channels x 10 x 10; wanted at most 256 "
                                  "values");
}

#define FIRST(more) "{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", " more "}, "
#define REST        "{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 2}]}"

static enum eng_status build(const char *text, struct eng_graph *graph, struct eng_error *err)
{
    struct eng_dataset set = make_pictures();
    const struct eng_network_shape shape = {&input, 2, &set, NULL};
    struct eng_recipe recipe;
    struct eng_network network;
    eng_graph_init(graph);
    enum eng_status status = eng_recipe_parse("r", text, strlen(text), NULL, &recipe, err);
    if (status != ENG_OK) return status;
    status = eng_network_build(&recipe, &shape, graph, &network, err);
    eng_recipe_fini(&recipe);
    return status;
}

static void layers_ask_for_them(void **state)
{
    (void)state;
    struct eng_graph graph;
    struct eng_error err = {0};
    const char text[] = FIRST(
        "\"outputs\": 24, \"kernel_shape\": [2, 2], \"init\": \"whitening\"") "{\"op\": \"Conv\", "
                                                                              "\"outputs\": 24, "
                                                                              "\"kernel_shape\": "
                                                                              "[3, 3], \"init\": "
                                                                              "\"identity\"}, "
                                                                              "{\"op\": "
                                                                              "\"Flatten\"}, "
                                                                              "{\"op\": \"Gemm\", "
                                                                              "\"outputs\": 2, "
                                                                              "\"init\": "
                                                                              "\"orthogonal\"}]}";
    if (build(text, &graph, &err) != ENG_OK) fail_msg("%s", err.text);
    const float *first = graph.values[eng_graph_find(&graph, "conv1.weight")].tensor.data;
    assert_true(first[0] != 0 && first[D * D] == -first[0]);
    const float *second = graph.values[eng_graph_find(&graph, "conv2.weight")].tensor.data;
    for (size_t i = 0; i < 24 * 24 * 9; i++)
        assert_true(second[i] == (i % 9 == 4 && i / 9 / 24 == i / 9 % 24));
    const float *third = graph.values[eng_graph_find(&graph, "gemm1.weight")].tensor.data;
    double sum = 0;
    for (size_t i = 0; i < 24 * 25; i++)
        sum += (double)(third[2 * i] * third[2 * i + 1]);
    assert_true(fabs(sum) < 1e-6);
    eng_graph_fini(&graph);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } wrong[] = {
        {FIRST("\"outputs\": 4, \"kernel_shape\": [9, 9], \"init\": \"whitening\"") REST,
         "a kernel of 9 x 9 to be whitened on pictures of 8 x 8"},
        {FIRST("\"outputs\": 4, \"kernel_shape\": [8, 11], \"pads\": [0, 2, 0, 2], "
               "\"init\": \"whitening\"") REST,
         "a kernel of 8 x 11"},
        {FIRST("\"outputs\": 4, \"kernel_shape\": [1, 1]") "{\"op\": \"Conv\", \"outputs\": 4, "
                                                           "\"kernel_shape\": [2, 2], \"init\": "
                                                           "\"whitening\"}, " REST,
         "layers[1]: init is \"whitening\"; it is for a Conv of one group that gets the pictures"},
        {FIRST("\"outputs\": 3, \"group\": 3, \"kernel_shape\": [2, 2], \"init\": \"whitening\"")
             REST,
         "init is \"whitening\"; it is for a Conv of one group"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 2,"
         " \"init\": \"identity\"}]}",
         "layers[1]: init is \"identity\"; it is for Conv only"},
        {FIRST("\"outputs\": 1000, \"kernel_shape\": [1, 1]") "{\"op\": \"Flatten\"}, {\"op\": "
                                                              "\"Gemm\", \"outputs\": 1000, "
                                                              "\"init\": "
                                                              "\"orthogonal\"}]}",
         "layers[2]: init is \"orthogonal\" for weights of shape [64000, 1000]; that takes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct eng_graph graph;
        struct eng_error err = {0};
        assert_int_not_equal(build(wrong[i].text, &graph, &err), ENG_OK);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.text, wrong[i].sentence);
        eng_graph_fini(&graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvectors_of_symmetric_matrices),
        cmocka_unit_test(known_eigenvalues),
        cmocka_unit_test(orthogonal_rows_or_columns),
        cmocka_unit_test(identity_passes_on_by_groups),
        cmocka_unit_test(whitened_outputs_are_uncorrelated),
        cmocka_unit_test(fewer_outputs_take_the_largest),
        cmocka_unit_test(large_patches_are_refused),
        cmocka_unit_test(layers_ask_for_them),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
