/* Every allocation of a run that whitens, branches and freezes, and of one that goes on from its
 * model with other classes, fails once. */
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

#include <cmocka.h>

#define COMMON "\"name\": \"x\", \"epochs\": 1, \"batch\": 16, \"golden\": 1, "

static const char base_recipe[] =
    "{" COMMON "\"freeze\": [\"conv1.weight\"], \"layers\": ["
    " {\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [2, 2], \"init\": \"whitening\"},"
    " {\"repeat\": 2, \"name\": \"block\", \"layers\": [{\"op\": \"Add\", \"branches\": [[], ["
    "  {\"op\": \"Elu\"}, {\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [1, 1]}]]}]},"
    " {\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

static const char tuned_recipe[] =
    "{" COMMON "\"labels\": [\"a\", \"b\", \"c\", \"d\", \"e\"], \"freeze\": [\"block*\"]}";

static enum eng_status train(void *ctx, struct eng_error *err)
{
    return eng_train(ctx, err);
}

static void training_and_fine_tuning(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    char recipe_path[300], base_dir[300], tuned_dir[300];
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.json", folder.path);
    snprintf(base_dir, sizeof base_dir, "%s/base", folder.path);
    snprintf(tuned_dir, sizeof tuned_dir, "%s/tuned", folder.path);
    tiny_digits_write(&folder, 16, 8);
    struct eng_train_options options = {.recipe_path = recipe_path,
                                        .data_dir = folder.path,
                                        .out_dir = base_dir,
                                        .restart = true,
                                        .seed = -1};
    assert_int_equal(eng_file_write(recipe_path, base_recipe, strlen(base_recipe), NULL), ENG_OK);
    assert_true(failing_malloc_sweep(train, &options) > 50);
    assert_int_equal(eng_file_write(recipe_path, tuned_recipe, strlen(tuned_recipe), NULL), ENG_OK);
    options.out_dir = tuned_dir;
    options.from = base_dir;
    assert_true(failing_malloc_sweep(train, &options) > 50);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(training_and_fine_tuning)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
