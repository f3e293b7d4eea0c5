/* What decides which weights are kept: validation set, early stopping, averages. */
#include "base/file.h"
#include "engine/train.h"
#include "temp_folder.h"
#include "tiny_digits.h"
#include "train/average.h"
#include "train/columns.h"
#include "train/early_stopping.h"
#include "train/validation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- early stopping --- */

static void the_best_epoch_is_noted(void **state)
{
    (void)state;
    static const double losses[] = {1.0, 0.8, 0.75, 0.9, 0.71, 0.7, 0.9};
    static const bool better[] = {true, true, false, false, true, false, false};
    const struct eng_early_stopping_options options = {
        .on = true, .monitor = ENG_MONITOR_LOSS, .patience_epochs = 2, .min_delta = 0.06};
    struct eng_early_stopping stopping = {0};
    for (size_t e = 0; e < 7; e++) {
        assert_int_equal(eng_early_stopping_note(&stopping, &options, e + 1, losses[e], 0),
                         better[e]);
        /* Epochs 3 and 4, then 6 and 7 brought nothing that counts. */
        assert_int_equal(eng_early_stopping_is_over(&stopping, &options, e + 1), e == 3 || e == 6);
    }
    assert_int_equal(stopping.best_epoch, 5);
    assert_true(stopping.best == 0.71);
}

static void accuracy_rises(void **state)
{
    (void)state;
    const struct eng_early_stopping_options options = {
        .on = true, .monitor = ENG_MONITOR_ACCURACY, .patience_epochs = 1};
    struct eng_early_stopping stopping = {0};
    assert_true(eng_early_stopping_note(&stopping, &options, 1, 9, 0));
    assert_true(eng_early_stopping_note(&stopping, &options, 2, 9, 0.5));
    assert_false(eng_early_stopping_note(&stopping, &options, 3, 0, 0.5));
    assert_true(eng_early_stopping_is_over(&stopping, &options, 3));
    const struct eng_early_stopping_options off = {.patience_epochs = 1};
    assert_false(eng_early_stopping_is_over(&stopping, &off, 300));
}

/* --- the validation set --- */

enum { N = 100, SIDE = 2 };

/* Sample i: four pixels of i, label i / 2. */
static struct eng_dataset make_set(void)
{
    struct eng_dataset set = {.n = N,
                              .width_px = SIDE,
                              .height_px = SIDE,
                              .n_channels = 1,
                              .n_classes = N / 2,
                              .pixels = malloc(N * SIDE * SIDE),
                              .labels = malloc(N * sizeof(uint16_t))};
    assert_true(set.pixels && set.labels);
    for (size_t i = 0; i < N; i++) {
        memset(set.pixels + i * SIDE * SIDE, (int)i, SIDE * SIDE);
        set.labels[i] = (uint16_t)(i / 2);
    }
    return set;
}

/* Checks one part: whole samples, in ascending order; marks them as seen. */
static void check_part(const struct eng_dataset *set, bool seen[N])
{
    for (size_t i = 0; i < set->n; i++) {
        const uint8_t *pixels = eng_dataset_sample(set, i);
        assert_int_equal(pixels[0], pixels[3]);
        assert_int_equal(set->labels[i], pixels[0] / 2);
        if (i > 0) assert_true(pixels[0] > pixels[-1]);
        assert_false(seen[pixels[0]]);
        seen[pixels[0]] = true;
    }
}

static void samples_move_whole(void **state)
{
    (void)state;
    static const size_t wanted[] = {20, 20, 1, 50};
    static const double shares[] = {0.2, 0.2, 0.001, 0.5};
    char digests[4][ENG_DIGEST_CHARS];
    for (size_t k = 0; k < 4; k++) {
        struct eng_dataset train = make_set(), held;
        bool seen[N] = {false};
        assert_int_equal(eng_validation_split(&train, shares[k], k, &held, NULL), ENG_OK);
        assert_int_equal(held.n, wanted[k]);
        assert_int_equal(train.n, N - wanted[k]);
        assert_int_equal(held.n_classes, N / 2);
        check_part(&train, seen);
        check_part(&held, seen);
        eng_dataset_digest(&held, digests[k]);
        eng_dataset_fini(&train);
        eng_dataset_fini(&held);
    }
    assert_string_not_equal(digests[0], digests[1]); /* another seed, other samples */
}

static void vectors_move_too(void **state)
{
    (void)state;
    struct eng_dataset train = {.kind = ENG_DATASET_VECTORS,
                                .n = 3,
                                .n_features = 2,
                                .features = malloc(6 * sizeof(float)),
                                .targets = malloc(3 * sizeof(float)),
                                .class_names = malloc(sizeof(char *)),
                                .feature_names = malloc(2 * sizeof(char *))};
    struct eng_dataset held;
    assert_true(train.features && train.targets && train.class_names && train.feature_names);
    for (size_t i = 0; i < 6; i++)
        train.features[i] = (float)i;
    for (size_t i = 0; i < 3; i++)
        train.targets[i] = 10 * (float)i;
    assert_int_equal(eng_validation_split(&train, 0.5, 1, &held, NULL), ENG_OK);
    assert_int_equal(train.n + held.n, 3);
    assert_null(held.labels);
    assert_true(!held.class_names && !held.feature_names); /* or they would be freed twice */
    assert_true(held.targets[0] == 5 * held.features[0]);
    assert_true(train.targets[0] == 5 * train.features[0]);
    assert_true(train.features[0] + 1 == train.features[1]);
    eng_dataset_fini(&held);
    train.n = 1;
    struct eng_error err = {0};
    assert_int_equal(eng_validation_split(&train, 0.5, 1, &held, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "1 training samples; wanted at least 2"));
    eng_dataset_fini(&train);
}

/* --- whole runs --- */

struct fixture {
    struct temp_folder folder;
    char recipe_path[300], out_dir[300];
};

static struct eng_train_report *run(struct fixture *f, const char *recipe)
{
    struct eng_error err = {0};
    struct eng_train_report *report = NULL;
    assert_int_equal(eng_file_write(f->recipe_path, recipe, strlen(recipe), NULL), ENG_OK);
    const struct eng_train_options options = {.recipe_path = f->recipe_path,
                                              .data_dir = f->folder.path,
                                              .out_dir = f->out_dir,
                                              .seed = -1,
                                              .restart = true,
                                              .report = &report};
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    return report;
}

#define LAYERS "\"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]"

/* Once every validation sample is right nothing gets better: the best epoch is not the last. */
static void the_best_epoch_is_exported(void **state)
{
    struct fixture *f = *state;
    struct eng_train_report *r = run(
        f, "{\"name\": \"x\", \"epochs\": 60, \"batch\": 20, \"validation\": 0.25,"
           " \"optimiser\": {\"learning_rate\": 0.05}, \"evaluate_every_epochs\": 7,"
           " \"early_stopping\": {\"monitor\": \"accuracy\", \"patience_epochs\": 3}, " LAYERS "}");
    assert_int_equal(r->n_train, 150);
    assert_int_equal(r->n_validation, 50);
    assert_int_equal(r->n_epochs, r->kept_epoch + 3);
    for (size_t e = 0; e < r->n_epochs; e++)
        assert_true(r->epochs[e].validation_accuracy <=
                    r->epochs[r->kept_epoch - 1].validation_accuracy);
    /* Asked of the file, and by the trainer with the weights that it kept. */
    assert_true(fabs(r->test_accuracy - r->epochs[r->kept_epoch - 1].test_accuracy) < 1e-12);
    for (size_t e = 1; e <= r->n_epochs; e++)
        assert_int_equal(isnan(r->epochs[e - 1].test_loss) != 0,
                         e % 7 != 0 && e != 60 && e != r->kept_epoch);
    eng_train_report_destroy(r);
}

/* decay 0: the average is the weights themselves, so nothing may change but the recipe's text. */
static void an_average_without_memory_is_the_weights(void **state)
{
    struct fixture *f = *state;
    static const char with[] =
        "{\"name\": \"x\", \"epochs\": 2, \"batch\": 20, \"average\": {\"decay\": 0}, " LAYERS "}";
    static const char without[] = "{\"name\": \"x\", \"epochs\": 2, \"batch\": 20, " LAYERS "}";
    struct eng_train_report *a = run(f, with), *b = run(f, without);
    for (size_t e = 0; e < 2; e++) {
        assert_true(a->epochs[e].loss == b->epochs[e].loss);
        assert_true(a->epochs[e].test_loss == b->epochs[e].test_loss);
    }
    assert_true(a->test_accuracy == b->test_accuracy);
    eng_train_report_destroy(a);
    eng_train_report_destroy(b);
}

/* Training does not see the average; evaluation and file do. */
static void an_average_is_exported(void **state)
{
    struct fixture *f = *state;
#define BN_LAYERS                                                                   \
    "\"layers\": [{\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [3, 3]},"    \
    " {\"op\": \"BatchNormalization\"}, {\"op\": \"Relu\"}, {\"op\": \"Flatten\"}," \
    " {\"op\": \"Gemm\", \"outputs\": 4}]"
    struct eng_train_report *a = run(f, "{\"name\": \"x\", \"epochs\": 3, \"batch\": 20,"
                                        " \"average\": {\"decay\": 0.99}, " BN_LAYERS "}");
    struct eng_train_report *b =
        run(f, "{\"name\": \"x\", \"epochs\": 3, \"batch\": 20, " BN_LAYERS "}");
    assert_true(a->epochs[2].loss == b->epochs[2].loss);
    assert_true(a->epochs[2].test_loss != b->epochs[2].test_loss);
    assert_true(fabs(a->test_accuracy - a->epochs[2].test_accuracy) < 1e-12);
    eng_train_report_destroy(a);
    eng_train_report_destroy(b);
}

static void early_stopping_wants_a_validation_set(void **state)
{
    struct fixture *f = *state;
    static const char recipe[] =
        "{\"name\": \"x\", \"batch\": 20, \"early_stopping\": {}, " LAYERS "}";
    struct eng_error err = {0};
    assert_int_equal(eng_file_write(f->recipe_path, recipe, strlen(recipe), NULL), ENG_OK);
    const struct eng_train_options options = {.recipe_path = f->recipe_path,
                                              .data_dir = f->folder.path,
                                              .out_dir = f->out_dir,
                                              .seed = -1};
    assert_int_equal(eng_train(&options, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "wanted validation above 0"));
}

static int setup(void **state)
{
    static struct fixture f;
    f.folder = temp_folder_make();
    snprintf(f.recipe_path, sizeof f.recipe_path, "%s/recipe.json", f.folder.path);
    snprintf(f.out_dir, sizeof f.out_dir, "%s/out", f.folder.path);
    tiny_digits_write(&f.folder, 200, 50);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    temp_folder_remove(&((struct fixture *)*state)->folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_epoch_is_noted),
        cmocka_unit_test(accuracy_rises),
        cmocka_unit_test(samples_move_whole),
        cmocka_unit_test(vectors_move_too),
        cmocka_unit_test(the_best_epoch_is_exported),
        cmocka_unit_test(an_average_without_memory_is_the_weights),
        cmocka_unit_test(an_average_is_exported),
        cmocka_unit_test(early_stopping_wants_a_validation_set),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
