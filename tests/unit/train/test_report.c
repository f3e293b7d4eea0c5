/* The report of a run agrees with the model that was written and with the history. */
#include "engine/train.h"

#include "base/file.h"
#include "temp_folder.h"
#include "tiny_digits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Steps too short to learn much: there must be mistakes, more of them than are listed. */
static const char recipe[] =
    "{\"name\": \"poor\", \"epochs\": 2, \"batch\": 32, \"seed\": 5,"
    " \"labels\": [\"a\", \"b\", \"c\", \"d\"], \"optimiser\": {\"learning_rate\": 1e-5},"
    " \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

enum { N_TRAIN = 64, N_TEST = 77 };

static struct eng_train_report *train(struct temp_folder *folder)
{
    char recipe_path[300], out_dir[300];
    struct eng_error err = {0};
    struct eng_train_report *report = NULL;
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.json", folder->path);
    snprintf(out_dir, sizeof out_dir, "%s/out", folder->path);
    tiny_digits_write(folder, N_TRAIN, N_TEST);
    assert_int_equal(eng_file_write(recipe_path, recipe, strlen(recipe), NULL), ENG_OK);
    const struct eng_train_options options = {.recipe_path = recipe_path,
                                              .data_dir = folder->path,
                                              .out_dir = out_dir,
                                              .seed = -1,
                                              .report = &report};
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    return report;
}

static void counts_agree(const struct eng_train_report *r)
{
    size_t n = 0, n_correct = 0;
    assert_int_equal(r->n_classes, 4);
    for (size_t c = 0; c < 4; c++) {
        size_t row = 0;
        for (size_t k = 0; k < 4; k++)
            row += r->confusion[c * 4 + k];
        assert_int_equal(row, r->n_samples[c]);
        assert_int_equal(r->confusion[c * 4 + c], r->n_correct[c]);
        n += row;
        n_correct += r->n_correct[c];
    }
    assert_int_equal(n, N_TEST);
    assert_true(fabs(r->test_accuracy - (double)n_correct / N_TEST) < 1e-12);
    /* The trainer counted the same on its own graph, before the file was written. */
    assert_true(fabs(r->test_accuracy - r->epochs[1].test_accuracy) < 1e-12);
    assert_true(N_TEST - n_correct > ENG_TRAIN_MAX_MISTAKES);
}

/* Samples come out of the generator in order: the i-th picture can be drawn again. */
static void draw_sample(size_t number, uint8_t *pixels, unsigned *label)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 17, 1);
    for (size_t i = 0; i <= number; i++) {
        *label = (unsigned)eng_rng_below(&rng, TINY_CLASSES);
        tiny_digits_sample(&rng, *label, pixels);
    }
}

static void mistakes_are_the_worst_and_have_their_pictures(const struct eng_train_report *r)
{
    assert_int_equal(r->n_mistakes, ENG_TRAIN_MAX_MISTAKES);
    for (size_t i = 0; i < r->n_mistakes; i++) {
        const struct eng_train_mistake *m = &r->mistakes[i];
        uint8_t pixels[TINY_SIDE_PX * TINY_SIDE_PX];
        unsigned label;
        draw_sample(m->sample, pixels, &label);
        assert_int_equal(m->label, label);
        assert_int_not_equal(m->predicted, label);
        assert_memory_equal(m->pixels, pixels, sizeof pixels);
        assert_true(m->probability >= exp(-m->loss) && m->probability <= 1);
        if (i > 0) assert_true(m->loss <= m[-1].loss);
    }
}

static void the_report_is_true(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct eng_train_report *r = train(&folder);
    assert_string_equal(r->name, "poor");
    assert_non_null(strstr(r->recipe, "\"optimiser\":{\"learning_rate\""));
    assert_string_equal(r->labels[3], "d");
    assert_int_equal(r->seed, 5);
    assert_int_equal(r->n_train, N_TRAIN);
    assert_int_equal(r->n_test, N_TEST);
    assert_int_equal(r->n_parameters, 64 * 4 + 4);
    assert_int_equal(r->n_epochs, 2);
    assert_int_equal(r->kept_epoch, 2);
    assert_int_equal(r->width_px, TINY_SIDE_PX);
    assert_true(r->epochs[0].seconds > 0 &&
                r->seconds >= r->epochs[0].seconds + r->epochs[1].seconds);
    assert_true(r->test_loss == r->epochs[1].test_loss);
    counts_agree(r);
    mistakes_are_the_worst_and_have_their_pictures(r);
    eng_train_report_destroy(r);
    temp_folder_remove(&folder);
}

static void none_is_accepted(void **state)
{
    (void)state;
    eng_train_report_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_is_true),
        cmocka_unit_test(none_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
