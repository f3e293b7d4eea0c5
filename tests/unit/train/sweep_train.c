/* Every allocation of a whole run fails once: recipe, data, network, loop, file, golden samples. */
#include "failing_malloc.h"
#include "temp_folder.h"
#include "tiny_digits.h"

#include "base/file.h"
#include "engine/train.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char network[] =
    "{\"name\": \"quarters\", \"epochs\": 1, \"batch\": 16, \"golden\": 1, \"description\": "
    "\"tiny\", \"labels\": [\"a\", \"b\", \"c\", \"d\"],"
    " \"augment\": {\"cutout_px\": 2, \"mixup\": 0.4, \"rotate_degrees\": 5, \"crop_px\": 1},"
    " \"loss\": {\"class_weights\": [1, 2, 3, 4], \"l2\": 0.01},"
    " \"optimiser\": {\"kind\": \"AdamW\"}, \"clip_gradient_norm\": 1,"
    " \"layers\": [{\"op\": \"Conv\", \"outputs\": 2, \"kernel_shape\": [3, 3]},"
    " {\"op\": \"BatchNormalization\"}, {\"op\": \"Relu\"}, {\"op\": \"Flatten\"},"
    " {\"op\": \"Dropout\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

static const char neighbours[] = "{\"name\": \"near\", \"method\": \"knn\", \"golden\": 1,"
                                 " \"knn\": {\"k\": 3, \"samples\": 12}}";

/* Everything that a checkpoint may hold; the schedule is changed when it goes on. */
static const char resumed[] =
    "{\"name\": \"again\", \"epochs\": 3, \"batch\": 16, \"golden\": 1, \"validation\": 0.2,"
    " \"loss\": {\"class_weights\": \"balanced\"}, \"augment\": {\"mixup\": 1},"
    " \"optimiser\": {\"kind\": \"Adam\"}, \"schedule\": {\"kind\": \"constant\"},"
    " \"average\": {\"decay\": 0.9}, \"early_stopping\": {},"
    " \"layers\": [{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

static enum eng_status train(void *ctx, struct eng_error *err)
{
    struct eng_train_report *report = NULL;
    struct eng_train_options options = *(const struct eng_train_options *)ctx;
    options.report = &report;
    options.restart = true; /* the run before failed behind its checkpoint, maybe */
    enum eng_status status = eng_train(&options, err);
    eng_train_report_destroy(report);
    return status;
}

static void sweep(const char *recipe, size_t n_least)
{
    struct temp_folder folder = temp_folder_make();
    char recipe_path[300], out_dir[300];
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.json", folder.path);
    snprintf(out_dir, sizeof out_dir, "%s/out", folder.path);
    tiny_digits_write(&folder, 16, 8);
    assert_int_equal(eng_file_write(recipe_path, recipe, strlen(recipe), NULL), ENG_OK);
    struct eng_train_options options = {
        .recipe_path = recipe_path, .data_dir = folder.path, .out_dir = out_dir, .seed = -1};
    assert_true(failing_malloc_sweep(train, &options) > n_least);
    temp_folder_remove(&folder);
}

/* A run that was stopped in its second epoch; each attempt finds its checkpoint again. */
struct stopped {
    struct eng_train_options options;
    char kept[300], checkpoint[300];
};

static bool stop_in_epoch_two(void *ctx, const struct eng_train_progress *at)
{
    (void)ctx;
    return at->epoch < 2;
}

static enum eng_status resume(void *ctx, struct eng_error *err)
{
    const struct stopped *stopped = ctx;
    struct eng_train_report *report = NULL;
    struct eng_train_options options = stopped->options;
    options.report = &report;
    unlink(stopped->checkpoint);
    if (link(stopped->kept, stopped->checkpoint) != 0) return ENG_IO;
    enum eng_status status = eng_train(&options, err);
    eng_train_report_destroy(report);
    return status;
}

static void a_resumed_run(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct stopped stopped;
    char recipe_path[300], out_dir[300];
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.json", folder.path);
    snprintf(out_dir, sizeof out_dir, "%s/out", folder.path);
    snprintf(stopped.kept, sizeof stopped.kept, "%s/kept", folder.path);
    snprintf(stopped.checkpoint, sizeof stopped.checkpoint, "%s/out/checkpoint", folder.path);
    tiny_digits_write(&folder, 40, 8);
    assert_int_equal(eng_file_write(recipe_path, resumed, strlen(resumed), NULL), ENG_OK);
    stopped.options = (struct eng_train_options){.recipe_path = recipe_path,
                                                 .data_dir = folder.path,
                                                 .out_dir = out_dir,
                                                 .seed = -1,
                                                 .observe = stop_in_epoch_two};
    assert_int_equal(eng_train(&stopped.options, NULL), ENG_CANCELLED);
    assert_int_equal(rename(stopped.checkpoint, stopped.kept), 0);
    stopped.options.observe = NULL;
    stopped.options.resume = true;
    stopped.options.settings = (const char *const[]){"schedule.kind=cosine"};
    stopped.options.n_settings = 1;
    assert_true(failing_malloc_sweep(resume, &stopped) > 60);
    temp_folder_remove(&folder);
}

static void a_network(void **state)
{
    (void)state;
    sweep(network, 50);
}

static void nearest_neighbours(void **state)
{
    (void)state;
    sweep(neighbours, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network),
        cmocka_unit_test(nearest_neighbours),
        cmocka_unit_test(a_resumed_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
