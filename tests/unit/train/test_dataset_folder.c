/* Folders of class folders: classes, splits, sizes, colours, and what is refused. */
#include "dataset_case.h"

#include "engine/image.h"
#include "engine/pool.h"

#include <stdlib.h>

/* A picture all of whose bytes are value. */
static void write_png(struct temp_folder *folder, const char *name, uint32_t width_px,
                      uint32_t height_px, uint32_t n_channels, uint8_t value)
{
    uint8_t pixels[64 * 64 * 3];
    uint8_t *bytes;
    size_t n_bytes;
    memset(pixels, value, sizeof pixels);
    const struct eng_image image = {width_px, height_px, n_channels, pixels};
    assert_int_equal(eng_image_encode_png(&image, &bytes, &n_bytes, NULL), ENG_OK);
    dataset_case_write(folder, name, bytes, n_bytes);
    free(bytes);
}

/* Two classes; the value of a picture tells which it is. */
static struct temp_folder make_split(void)
{
    struct temp_folder folder = temp_folder_make();
    write_png(&folder, "train/dog/a.png", 4, 3, 1, 20);
    write_png(&folder, "train/cat/b.PNG", 4, 3, 1, 11);
    write_png(&folder, "train/cat/a.png", 4, 3, 1, 10);
    dataset_case_write_text(&folder, "train/cat/notes.txt", "no picture");
    write_png(&folder, "train/.hidden/a.png", 4, 3, 1, 99);
    write_png(&folder, "test/cat/a.png", 4, 3, 1, 12);
    write_png(&folder, "test/dog/z.png", 4, 3, 1, 22);
    return folder;
}

static void classes_are_the_sorted_folders(void **state)
{
    (void)state;
    struct temp_folder folder = make_split();
    struct eng_dataset set = dataset_case_load(&folder, NULL, ENG_SPLIT_TRAIN);
    assert_int_equal(set.n, 3);
    assert_int_equal(set.n_classes, 2);
    assert_string_equal(set.class_names[0], "cat");
    assert_string_equal(set.class_names[1], "dog");
    assert_int_equal(set.width_px, 4);
    assert_int_equal(set.height_px, 3);
    assert_int_equal(set.n_channels, 1);
    static const uint8_t values[] = {10, 11, 20}, labels[] = {0, 0, 1};
    for (size_t i = 0; i < set.n; i++) {
        assert_int_equal(eng_dataset_sample(&set, i)[11], values[i]);
        assert_int_equal(set.labels[i], labels[i]);
    }
    eng_dataset_fini(&set);
    set = dataset_case_load(&folder, NULL, ENG_SPLIT_TEST);
    assert_int_equal(set.n, 2);
    assert_int_equal(eng_dataset_sample(&set, 1)[0], 22);
    assert_int_equal(set.labels[1], 1);
    eng_dataset_fini(&set);
    temp_folder_remove(&folder);
}

static void the_test_set_has_the_training_sets_classes(void **state)
{
    (void)state;
    struct temp_folder folder = make_split();
    write_png(&folder, "test/bird/a.png", 4, 3, 1, 1);
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_FORMAT,
                         "/test/bird: ", "a class that the training set lacks");
    remove(temp_folder_file(&folder, "test/bird/a.png"));
    remove(temp_folder_file(&folder, "test/bird"));
    remove(temp_folder_file(&folder, "test/dog/z.png"));
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_FORMAT, "/test/dog: no pictures",
                         "wanted .png, .jpg or .jpeg files");
    remove(temp_folder_file(&folder, "test/dog"));
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_NOT_FOUND, "/test/dog: no such folder",
                         "wanted one for each class");
    temp_folder_remove(&folder);
}

static void an_unreadable_picture_is_named(void **state)
{
    (void)state;
    struct temp_folder folder = make_split();
    struct eng_pool *pool;
    dataset_case_write_text(&folder, "train/cat/c.jpg", "GIF89a");
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_FORMAT,
                         "/train/cat/c.jpg: ", "neither PNG nor JPEG");
    write_png(&folder, "train/cat/b.PNG", 5, 3, 1, 11);
    /* Two of them: the first is named, however many threads read. */
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    for (int i = 0; i < 10; i++) {
        struct eng_dataset set;
        struct eng_error err = {0};
        const struct eng_dataset_source source = {.dir = folder.path, .pool = pool};
        assert_int_equal(eng_dataset_load(&source, &set, &err), ENG_FORMAT);
        if (!strstr(err.text, "/train/cat/b.PNG: 5 x 3 pixels; wanted 4 x 3 as the first"))
            fail_msg("%s", err.text);
    }
    eng_pool_destroy(pool);
    temp_folder_remove(&folder);
}

static void the_recipe_gives_size_and_colours(void **state)
{
    (void)state;
    struct temp_folder folder = make_split();
    const struct eng_dataset_options options = {.height_px = 6, .width_px = 5, .n_channels = 3};
    write_png(&folder, "train/cat/b.PNG", 64, 2, 3, 77);
    struct eng_dataset set = dataset_case_load(&folder, &options, ENG_SPLIT_TRAIN);
    assert_int_equal(set.width_px, 5);
    assert_int_equal(set.height_px, 6);
    assert_int_equal(set.n_channels, 3);
    for (size_t k = 0; k < 5 * 6 * 3; k++) {
        assert_int_equal(eng_dataset_sample(&set, 0)[k], 10);
        assert_int_equal(eng_dataset_sample(&set, 1)[k], 77);
    }
    eng_dataset_fini(&set);
    temp_folder_remove(&folder);
}

/* Both splits together are all the pictures, and each class gives its share. */
static void a_share_is_set_aside(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct eng_dataset_options options = {.test_share = 0.2, .seed = 5};
    bool seen[40] = {false}, differs = false;
    for (uint8_t i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%02u.png", i < 30 ? "left" : "right", i);
        write_png(&folder, name, 1, 1, 1, i);
    }
    struct eng_dataset train = dataset_case_load(&folder, &options, ENG_SPLIT_TRAIN);
    struct eng_dataset test = dataset_case_load(&folder, &options, ENG_SPLIT_TEST);
    assert_int_equal(train.n, 32);
    assert_int_equal(test.n, 8);
    for (size_t i = 0; i < 40; i++) {
        const struct eng_dataset *set = i < 32 ? &train : &test;
        size_t at = i < 32 ? i : i - 32;
        uint8_t value = set->pixels[at];
        assert_false(seen[value]);
        seen[value] = true;
        assert_int_equal(set->labels[at], value >= 30);
    }
    assert_int_equal(test.labels[5], 0); /* 6 of 30, 2 of 10 */
    assert_int_equal(test.labels[6], 1);
    options.seed = 6;
    struct eng_dataset other = dataset_case_load(&folder, &options, ENG_SPLIT_TEST);
    for (size_t i = 0; i < 8; i++)
        differs = differs || other.pixels[i] != test.pixels[i];
    assert_true(differs);
    eng_dataset_fini(&train);
    eng_dataset_fini(&test);
    eng_dataset_fini(&other);
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_FORMAT, folder.path,
                         "or a test_share in the recipe");
    write_png(&folder, "lonely/1.png", 1, 1, 1, 0);
    dataset_case_refused(&folder, &options, ENG_SPLIT_TRAIN, ENG_FORMAT, "/lonely: 1 picture",
                         "wanted at least 2");
    temp_folder_remove(&folder);
}

static void a_data_set_has_a_limit(void **state)
{
    (void)state;
    struct temp_folder folder = make_split();
    for (int i = 0; i < 84; i++) {
        char name[48];
        snprintf(name, sizeof name, "train/cat/%d.png", i);
        write_png(&folder, name, 1, 1, 1, 0);
    }
    const struct eng_dataset_options options = {
        .height_px = 4096, .width_px = 4096, .n_channels = 3};
    dataset_case_refused(&folder, &options, ENG_SPLIT_TRAIN, ENG_LIMIT,
                         "87 pictures of 4096 x 4096 x 3 bytes", "the limit of a data set is");
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_the_sorted_folders),
        cmocka_unit_test(the_test_set_has_the_training_sets_classes),
        cmocka_unit_test(an_unreadable_picture_is_named),
        cmocka_unit_test(the_recipe_gives_size_and_colours),
        cmocka_unit_test(a_share_is_set_aside),
        cmocka_unit_test(a_data_set_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
