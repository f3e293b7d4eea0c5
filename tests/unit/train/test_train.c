/* Whole runs on a tiny data set: it learns, it repeats itself, it stops cleanly. */
#include "engine/train.h"

#include "base/file.h"
#include "engine/session.h"
#include "temp_folder.h"
#include "tiny_digits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Every part that draws random numbers or runs in shards: augmentation, BatchNormalization,
 * Dropout. */
#define NETWORK                                                                  \
    "\"layers\": [{\"op\": \"Conv\", \"outputs\": 8, \"kernel_shape\": [3, 3]}," \
    " {\"op\": \"BatchNormalization\"}, {\"op\": \"Relu\"},"                     \
    " {\"op\": \"MaxPool\", \"kernel_shape\": [2, 2], \"strides\": [2, 2]},"     \
    " {\"op\": \"Flatten\"}, {\"op\": \"Dropout\", \"ratio\": 0.2},"             \
    " {\"op\": \"Gemm\", \"outputs\": 4}]"

static const char recipe[] =
    "{\"name\": \"quarters\", \"seed\": 3, \"epochs\": 4, \"batch\": 32, \"shards\": 4,"
    " \"augment\": {\"shift_px\": 0.4, \"rotate_degrees\": 5},"
    " \"optimiser\": {\"kind\": \"SGD\", \"learning_rate\": 0.1, \"momentum\": 0.9},"
    " \"schedule\": {\"kind\": \"cosine\", \"warmup_epochs\": 0.5}, " NETWORK "}";

struct fixture {
    struct temp_folder data, models;
    char recipe_path[512], out_dir[512], model_path[512];
};

static void write_recipe(struct fixture *f, const char *text)
{
    assert_int_equal(eng_file_write(f->recipe_path, text, strlen(text), NULL), ENG_OK);
}

static int setup(void **state)
{
    static struct fixture f;
    f.data = temp_folder_make();
    f.models = temp_folder_make();
    tiny_digits_write(&f.data, 400, 100);
    snprintf(f.recipe_path, sizeof f.recipe_path, "%s/recipe.json", f.models.path);
    snprintf(f.out_dir, sizeof f.out_dir, "%s/quarters/1", f.models.path);
    snprintf(f.model_path, sizeof f.model_path, "%s/quarters/1/model.onnx", f.models.path);
    write_recipe(&f, recipe);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_folder_remove(&f->data);
    temp_folder_remove(&f->models);
    return 0;
}

/* What the observer saw, and when it is to stop the run. */
struct seen {
    size_t n_steps, n_epochs, stop_at_step;
    double last_accuracy, last_loss;
};

static bool watch(void *ctx, const struct eng_train_progress *at)
{
    struct seen *seen = ctx;
    assert_in_range(at->epoch, 1, at->n_epochs);
    assert_in_range(at->step, 1, at->n_steps);
    if (at->done) {
        seen->n_epochs++;
        seen->last_accuracy = at->done->test_accuracy;
        seen->last_loss = at->done->test_loss;
    } else {
        seen->n_steps++;
        assert_int_equal(at->n_samples, at->step * 32);
    }
    return seen->stop_at_step != seen->n_steps;
}

static struct eng_train_options options_of(const struct fixture *f, struct eng_pool *pool,
                                           struct seen *seen)
{
    return (struct eng_train_options){
        .recipe_path = f->recipe_path,
        .data_dir = f->data.path,
        .out_dir = f->out_dir,
        .seed = -1,
        .restart = true,
        .pool = pool,
        .observe = seen ? watch : NULL,
        .observe_ctx = seen,
    };
}

static struct eng_file train_with(struct fixture *f, int n_threads, int64_t seed)
{
    struct eng_pool *pool = NULL;
    struct eng_error err = {0};
    struct eng_file file;
    if (n_threads) assert_int_equal(eng_pool_create(n_threads, &pool, NULL), ENG_OK);
    struct eng_train_options options = options_of(f, pool, NULL);
    options.seed = seed;
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    eng_pool_destroy(pool);
    assert_int_equal(eng_file_read(f->model_path, 1 << 20, &file, NULL), ENG_OK);
    return file;
}

static void learns_and_reports(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {0};
    struct eng_error err = {0};
    struct eng_train_options options = options_of(f, NULL, &seen);
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(seen.n_epochs, 4);
    assert_int_equal(seen.n_steps, 4 * (400 / 32));
    if (!(seen.last_accuracy > 0.95)) fail_msg("accuracy %g", seen.last_accuracy);
}

/* The file says what a server must know, and its golden samples answer as recorded. */
static void the_file_is_a_complete_model(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct eng_model *model;
    struct eng_session *session;
    if (eng_model_open(f->model_path, NULL, &model, &err) != ENG_OK) fail_msg("%s", err.text);
    const struct eng_card *card = eng_model_card(model);
    assert_string_equal(card->name, "quarters");
    assert_int_equal(card->n_classes, 4);
    assert_string_equal(card->labels[3], "3");
    assert_int_equal(card->guessed, 0);
    assert_false(card->add_softmax);
    assert_int_equal(card->n_golden, 4);
    assert_int_equal(card->preprocess.width_px, TINY_SIDE_PX);
    assert_true(card->preprocess.mean[0] > 0.2f && card->preprocess.mean[0] < 0.4f);
    assert_non_null(strstr(card->history, "\"n_train\":400,\"n_test\":100"));
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    if (eng_session_check_golden(session, &err) != ENG_OK) fail_msg("%s", err.text);
    eng_session_destroy(session);
    eng_model_destroy(model);
}

static void threads_do_not_change_a_byte(void **state)
{
    struct eng_file alone = train_with(*state, 0, -1), one = train_with(*state, 1, -1),
                    three = train_with(*state, 3, -1), other = train_with(*state, 1, 4);
    assert_int_equal(alone.n_bytes, one.n_bytes);
    assert_memory_equal(alone.bytes, one.bytes, one.n_bytes);
    assert_int_equal(three.n_bytes, one.n_bytes);
    assert_memory_equal(three.bytes, one.bytes, one.n_bytes);
    assert_true(other.n_bytes != one.n_bytes || memcmp(other.bytes, one.bytes, one.n_bytes) != 0);
    eng_file_fini(&alone);
    eng_file_fini(&one);
    eng_file_fini(&three);
    eng_file_fini(&other);
}

/* One shard leaves the threads to the loops inside its operators. */
static void threads_within_a_shard_change_nothing(void **state)
{
    struct fixture *f = *state;
    write_recipe(f, "{\"name\": \"wide\", \"epochs\": 1, \"batch\": 200, \"shards\": 1,"
                    " \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 1000},"
                    " {\"op\": \"Relu\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}");
    struct eng_file alone = train_with(f, 0, -1), three = train_with(f, 3, -1);
    write_recipe(f, recipe);
    assert_int_equal(alone.n_bytes, three.n_bytes);
    assert_memory_equal(alone.bytes, three.bytes, alone.n_bytes);
    eng_file_fini(&alone);
    eng_file_fini(&three);
}

/* Without BatchNormalization and Dropout, which look at a shard, only the order of sums differs. */
static void shards_sum_to_the_batch(void **state)
{
    static const char text[] = "{\"name\": \"plain\", \"epochs\": 2, \"batch\": 32, \"shards\": %d,"
                               " \"optimiser\": {\"learning_rate\": 0.05, \"momentum\": 0.9},"
                               " \"layers\": [{\"op\": \"Flatten\"},"
                               " {\"op\": \"Gemm\", \"outputs\": 4}]}";
    struct fixture *f = *state;
    double losses[2];
    for (int i = 0; i < 2; i++) {
        char recipe_text[sizeof text + 8];
        struct seen seen = {0};
        snprintf(recipe_text, sizeof recipe_text, text, i ? 8 : 1);
        write_recipe(f, recipe_text);
        struct eng_train_options options = options_of(f, NULL, &seen);
        assert_int_equal(eng_train(&options, NULL), ENG_OK);
        losses[i] = seen.last_loss;
    }
    write_recipe(f, recipe);
    if (!(fabs(losses[0] - losses[1]) < 1e-5)) fail_msg("%.9g and %.9g", losses[0], losses[1]);
}

/* Runs the recipe text; wants this status, this sentence, and the old model left alone. */
static void expect_failure(struct fixture *f, const char *text, struct seen *seen,
                           enum eng_status wanted, const char *sentence)
{
    struct eng_error err = {0};
    struct eng_file before = train_with(f, 0, -1), after;
    write_recipe(f, text);
    struct eng_train_options options = options_of(f, NULL, seen);
    enum eng_status status = eng_train(&options, &err);
    write_recipe(f, recipe);
    if (status != wanted || !strstr(err.text, sentence))
        fail_msg("%s: \"%s\" lacks \"%s\"", eng_status_name(status), err.text, sentence);
    assert_int_equal(eng_file_read(f->model_path, 1 << 20, &after, NULL), ENG_OK);
    assert_int_equal(after.n_bytes, before.n_bytes);
    assert_memory_equal(after.bytes, before.bytes, after.n_bytes);
    eng_file_fini(&before);
    eng_file_fini(&after);
}

static void divergence_is_a_sentence(void **state)
{
    expect_failure(*state,
                   "{\"name\": \"wild\", \"batch\": 32, \"optimiser\": {\"learning_rate\": 1000,"
                   " \"weight_decay\": 10}, \"layers\": [{\"op\": \"Flatten\"},"
                   " {\"op\": \"Gemm\", \"outputs\": 4}]}",
                   NULL, ENG_DIVERGED, ", more than 10000 times as high as at the start");
    expect_failure(*state,
                   "{\"name\": \"huge\", \"batch\": 32, \"layers\": [{\"op\": \"Flatten\"},"
                   " {\"repeat\": 20, \"layers\": [{\"op\": \"Gemm\", \"outputs\": 64,"
                   " \"init\": \"normal\", \"init_std\": 100}]},"
                   " {\"op\": \"Gemm\", \"outputs\": 4}]}",
                   NULL, ENG_DIVERGED, "epoch 1, step 1: the loss is not a number; nothing was");
}

static void the_observer_stops_the_run(void **state)
{
    struct seen seen = {.stop_at_step = 14};
    expect_failure(*state, recipe, &seen, ENG_CANCELLED, "stopped in epoch 2, step 2");
}

static void what_does_not_fit_together_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum eng_status status;
        const char *sentence;
    } cases[] = {
        {"{\"name\": \"x\", \"batch\": 512, " NETWORK "}", ENG_FORMAT,
         "batch is 512; the training set has only 400 samples"},
        {"{\"name\": \"x\", \"labels\": [\"a\", \"b\", \"c\"], " NETWORK "}", ENG_FORMAT,
         "has label 3; wanted 0 to 2"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": "
         "5}]}",
         ENG_FORMAT, "the last layer gives [1, 5] for one sample; wanted [1, 4]"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Gemm\", \"outputs\": 4}]}", ENG_FORMAT,
         "layers[0]: gets shape [1, 1, 8, 8]; wanted [N, values]"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", \"outputs\": 4}]}", ENG_FORMAT,
         "layers[0]: wanted kernel_shape"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", \"outputs\": 4, \"group\": 3,"
         " \"kernel_shape\": [3, 3]}]}",
         ENG_FORMAT, "group 3 does not divide 1 channels and 4 outputs"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", \"outputs\": 4,"
         " \"kernel_shape\": [30, 30]}]}",
         ENG_FORMAT, "node 'conv1' (Conv): "},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", \"outputs\": 100000,"
         " \"kernel_shape\": [1, 1], \"pads\": [20, 20, 20, 20]}, {\"op\": \"Flatten\"},"
         " {\"op\": \"Gemm\", \"outputs\": 10}]}",
         ENG_LIMIT, "layers[2]: weights of shape [230400000, 10]; the limit is"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Conv\", \"outputs\": 1000000,"
         " \"kernel_shape\": [1, 1], \"pads\": [20, 20, 20, 20]}]}",
         ENG_LIMIT,
         "layers[0]: node 'conv1' (Conv): output 0 would have shape [1, 1000000, 48, 48]"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Flatten\"}]}", ENG_FORMAT,
         "wanted [1, 4], a score for each class"},
        {"{\"name\": \"x\", \"input\": {\"mean\": [0, 0, 0], \"std\": [1, 1, 1]}, " NETWORK "}",
         ENG_FORMAT, "input.mean has 3 numbers; the pictures have 1 channels"},
        {"{\"name\": \"x\", \"dataset\": \"nowhere\", \"sed\": 1, " NETWORK "}", ENG_FORMAT,
         "did you mean seed?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_failure(*state, cases[i].text, NULL, cases[i].status, cases[i].sentence);
}

static void a_folder_without_data_is_named(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct eng_train_options options = options_of(f, NULL, NULL);
    options.data_dir = f->models.path;
    assert_int_equal(eng_train(&options, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, "no data set found; wanted train-images-idx3-ubyte"));
    err = (struct eng_error){0};
    options.data_dir = "no/such/folder";
    assert_int_equal(eng_train(&options, &err), ENG_NOT_FOUND);
    assert_non_null(strstr(err.text, "no/such/folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_and_reports),
        cmocka_unit_test(the_file_is_a_complete_model),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(threads_within_a_shard_change_nothing),
        cmocka_unit_test(shards_sum_to_the_batch),
        cmocka_unit_test(divergence_is_a_sentence),
        cmocka_unit_test(the_observer_stops_the_run),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(a_folder_without_data_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
