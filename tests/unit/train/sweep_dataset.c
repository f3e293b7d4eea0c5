/* Every allocation of loading each kind of data fails once: a sentence, no leak, nothing half made.
 */
#include "dataset_case.h"
#include "failing_malloc.h"

#include "engine/image.h"
#include "train/dataset_cifar.h"

#include <stdlib.h>

static enum eng_status load(void *ctx, struct eng_error *err)
{
    struct eng_dataset set;
    enum eng_status status = eng_dataset_load(ctx, &set, err);
    if (status == ENG_OK) eng_dataset_fini(&set);
    return status;
}

static void sweep(struct temp_folder *folder, const struct eng_dataset_options *options,
                  enum eng_split split, size_t at_least)
{
    struct eng_dataset_source source = {
        .dir = folder ? folder->path : NULL, .options = options, .split = split};
    assert_true(failing_malloc_sweep(load, &source) >= at_least);
}

static void cifar(void **state)
{
    (void)state;
    static const char names[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    const struct eng_dataset_options smaller = {.height_px = 8, .width_px = 8, .n_channels = 1};
    uint8_t record[1 + ENG_CIFAR_PICTURE_BYTES] = {3};
    struct temp_folder folder = temp_folder_make();
    for (int i = 1; i <= 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        dataset_case_write(&folder, name, record, sizeof record);
    }
    dataset_case_write_text(&folder, "batches.meta.txt", names);
    sweep(&folder, NULL, ENG_SPLIT_TRAIN, 18);
    sweep(&folder, &smaller, ENG_SPLIT_TRAIN, 20);
    temp_folder_remove(&folder);
}

static void class_folders(void **state)
{
    (void)state;
    const struct eng_dataset_options share = {.test_share = 0.5, .height_px = 2, .width_px = 3};
    uint8_t pixels[16] = {1, 2, 3, 4}, *png;
    size_t n_bytes;
    const struct eng_image image = {4, 4, 1, pixels};
    struct temp_folder folder = temp_folder_make();
    assert_int_equal(eng_image_encode_png(&image, &png, &n_bytes, NULL), ENG_OK);
    dataset_case_write(&folder, "a/1.png", png, n_bytes);
    dataset_case_write(&folder, "a/2.png", png, n_bytes);
    dataset_case_write(&folder, "b/1.png", png, n_bytes);
    dataset_case_write(&folder, "b/2.png", png, n_bytes);
    free(png);
    sweep(&folder, &share, ENG_SPLIT_TEST, 20);
    temp_folder_remove(&folder);
}

static void tables(void **state)
{
    (void)state;
    const struct eng_dataset_options kinds = {.has_csv = true, .csv = {.target = "y"}},
                                     numbers = {.has_csv = true,
                                                .is_regression = true,
                                                .csv = {.target = "x", .test_share = 0.5}};
    struct temp_folder folder = temp_folder_make();
    dataset_case_write_text(&folder, "train.csv", "x,y,z\n1,a,2\n3,b,4\n");
    dataset_case_write_text(&folder, "test.csv", "x,y,z\n1,b,2\n");
    sweep(&folder, &kinds, ENG_SPLIT_TEST, 15);
    remove(temp_folder_file(&folder, "test.csv"));
    dataset_case_write_text(&folder, "train.csv", "x,y\n1,2\n3,4\n");
    sweep(&folder, &numbers, ENG_SPLIT_TRAIN, 10);
    temp_folder_remove(&folder);
}

static void toys(void **state)
{
    (void)state;
    const struct eng_dataset_options toy = {
        .has_toy = true, .toy = {.kind = ENG_TOY_MOONS, .samples = 4, .classes = 2}};
    sweep(NULL, &toy, ENG_SPLIT_TRAIN, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar),
        cmocka_unit_test(class_folders),
        cmocka_unit_test(tables),
        cmocka_unit_test(toys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
