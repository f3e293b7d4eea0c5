/* Toy data: the figures without noise, their noise, and that seeds and splits differ. */
#include "dataset_case.h"

#include "train/toy.h"

#include <math.h>
#include <stdlib.h>

static struct eng_dataset make(int kind, double noise, uint64_t seed, enum eng_split split)
{
    const struct eng_toy_options options = {
        .kind = kind, .samples = 3000, .classes = kind == ENG_TOY_SPIRAL ? 3 : 2, .noise = noise};
    struct eng_dataset set = {0};
    assert_int_equal(eng_toy_make(&options, seed, split, &set, NULL), ENG_OK);
    assert_int_equal(set.kind, ENG_DATASET_VECTORS);
    assert_int_equal(set.n, 3000);
    assert_int_equal(set.n_features, 2);
    assert_string_equal(set.feature_names[1], "y");
    return set;
}

/* How far a point lies from where its figure would have it. */
static double distance(int kind, const float *xy, unsigned label)
{
    double x = (double)xy[0], y = (double)xy[1], r = hypot(x, y);
    if (kind == ENG_TOY_CIRCLE) return fabs(r - (label == 0 ? 1 : 0.5));
    if (kind == ENG_TOY_MOONS)
        return fabs((label == 0 ? r : hypot(x - 1, y - 0.5)) - 1) +
               ((label == 0 ? y < -0.5 : y > 1) ? 1 : 0);
    double angle = atan2(x, y) - (2 * M_PI * label / 3 + 4 * r);
    return fabs(remainder(angle, 2 * M_PI));
}

static void figures_are_what_they_are_called(void **state)
{
    (void)state;
    for (int kind = ENG_TOY_SPIRAL; kind <= ENG_TOY_MOONS; kind++) {
        struct eng_dataset set = make(kind, 0, 1, ENG_SPLIT_TRAIN);
        size_t counts[3] = {0};
        double largest = 0;
        for (size_t i = 0; i < set.n; i++) {
            const float *xy = eng_dataset_features(&set, i);
            counts[set.labels[i]]++;
            double found = distance(kind, xy, set.labels[i]);
            if (!(found < 1e-4 || hypot((double)xy[0], (double)xy[1]) < 1e-2))
                fail_msg("kind %d, sample %zu: %g away", kind, i, found);
            largest = fmax(largest, (double)xy[0]);
        }
        for (size_t c = 0; c < set.n_classes; c++)
            assert_int_equal(counts[c], 3000 / set.n_classes);
        assert_true(largest > 0.9);
        eng_dataset_fini(&set);
    }
}

static void noise_is_a_standard_deviation(void **state)
{
    (void)state;
    struct eng_dataset set = make(ENG_TOY_SPIRAL, 0.2, 1, ENG_SPLIT_TRAIN);
    double squares = 0;
    for (size_t i = 0; i < set.n; i++) {
        double found = distance(ENG_TOY_SPIRAL, eng_dataset_features(&set, i), set.labels[i]);
        squares += found * found;
    }
    double deviation = sqrt(squares / 3000);
    if (!(deviation > 0.18 && deviation < 0.22)) fail_msg("%g", deviation);
    eng_dataset_fini(&set);
}

static void seeds_and_splits_differ_and_repeat(void **state)
{
    (void)state;
    struct eng_dataset a = make(ENG_TOY_MOONS, 0.1, 1, ENG_SPLIT_TRAIN),
                       again = make(ENG_TOY_MOONS, 0.1, 1, ENG_SPLIT_TRAIN),
                       test = make(ENG_TOY_MOONS, 0.1, 1, ENG_SPLIT_TEST),
                       other = make(ENG_TOY_MOONS, 0.1, 2, ENG_SPLIT_TRAIN);
    size_t n_bytes = a.n * 2 * sizeof(float);
    assert_memory_equal(a.features, again.features, n_bytes);
    assert_memory_not_equal(a.features, test.features, n_bytes);
    assert_memory_not_equal(a.features, other.features, n_bytes);
    eng_dataset_fini(&a);
    eng_dataset_fini(&again);
    eng_dataset_fini(&test);
    eng_dataset_fini(&other);
}

static void a_toy_needs_no_folder(void **state)
{
    (void)state;
    const struct eng_dataset_options options = {
        .has_toy = true, .seed = 3, .toy = {.kind = ENG_TOY_CIRCLE, .samples = 10, .classes = 2}};
    const struct eng_dataset_source source = {.options = &options}, none = {0};
    struct eng_dataset set;
    struct eng_error err = {0};
    assert_int_equal(eng_dataset_load(&source, &set, NULL), ENG_OK);
    eng_dataset_fini(&set);
    assert_int_equal(eng_dataset_load(&none, &set, &err), ENG_ARGUMENT);
    assert_string_equal(err.text,
                        "no data; wanted --data with their folder, or a toy in the recipe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_what_they_are_called),
        cmocka_unit_test(noise_is_a_standard_deviation),
        cmocka_unit_test(seeds_and_splits_differ_and_repeat),
        cmocka_unit_test(a_toy_needs_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
