/* CIFAR-10 and CIFAR-100 files: what is read, and that nothing wrong is. */
#include "dataset_case.h"

#include "train/dataset_cifar.h"

#include <stdlib.h>

enum { RECORD_10 = 1 + ENG_CIFAR_PICTURE_BYTES, RECORD_100 = 2 + ENG_CIFAR_PICTURE_BYTES };

/* Plane c of picture i holds c * 80 + i + the pixel's number, wrapped. */
static uint8_t value_of(size_t i, size_t c, size_t pixel)
{
    return (uint8_t)(c * 80 + i + pixel);
}

static void fill_picture(uint8_t *planes, size_t i)
{
    for (size_t c = 0; c < 3; c++)
        for (size_t k = 0; k < ENG_CIFAR_PLANE_BYTES; k++)
            planes[c * ENG_CIFAR_PLANE_BYTES + k] = value_of(i, c, k);
}

/* Two records with labels 9 and 3. */
static void write_batch(struct temp_folder *folder, const char *name, size_t first)
{
    uint8_t bytes[2 * RECORD_10];
    bytes[0] = 9;
    bytes[RECORD_10] = 3;
    fill_picture(bytes + 1, first);
    fill_picture(bytes + RECORD_10 + 1, first + 1);
    dataset_case_write(folder, name, bytes, sizeof bytes);
}

static void write_cifar10(struct temp_folder *folder)
{
    for (size_t i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%zu.bin", i + 1);
        write_batch(folder, name, 2 * i);
    }
    write_batch(folder, "test_batch.bin", 100);
}

static const char names[] = "airplane\nautomobile\nbird\ncat\ndeer\r\ndog\nfrog\nhorse\nship\n"
                            " truck\t\n\n";

static void reads_every_batch_in_order(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    write_cifar10(&folder);
    dataset_case_write_text(&folder, "batches.meta.txt", names);
    struct eng_dataset set = dataset_case_load(&folder, NULL, ENG_SPLIT_TRAIN);
    assert_int_equal(set.kind, ENG_DATASET_PICTURES);
    assert_int_equal(set.n, 10);
    assert_int_equal(set.width_px, 32);
    assert_int_equal(set.height_px, 32);
    assert_int_equal(set.n_channels, 3);
    assert_int_equal(set.n_classes, 10);
    assert_string_equal(set.class_names[4], "deer");
    assert_string_equal(set.class_names[9], "truck");
    for (size_t i = 0; i < set.n; i++) {
        assert_int_equal(set.labels[i], i % 2 ? 3 : 9);
        for (size_t k = 0; k < ENG_CIFAR_PLANE_BYTES; k++)
            for (size_t c = 0; c < 3; c++)
                assert_int_equal(eng_dataset_sample(&set, i)[3 * k + c], value_of(i, c, k));
    }
    eng_dataset_fini(&set);
    set = dataset_case_load(&folder, NULL, ENG_SPLIT_TEST);
    assert_int_equal(set.n, 2);
    assert_int_equal(eng_dataset_sample(&set, 1)[0], 101);
    eng_dataset_fini(&set);
    temp_folder_remove(&folder);
}

static void a_recipe_names_the_folder(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const struct eng_dataset_options inner = {.dataset = "here"}, outside = {.dataset = ".."};
    write_batch(&folder, "here/test_batch.bin", 7);
    struct eng_dataset set = dataset_case_load(&folder, &inner, ENG_SPLIT_TEST);
    assert_int_equal(eng_dataset_sample(&set, 0)[0], 7);
    assert_null(set.class_names);
    eng_dataset_fini(&set);
    dataset_case_refused(&folder, &outside, ENG_SPLIT_TEST, ENG_NOT_FOUND, folder.path,
                         "data_batch_1.bin to data_batch_5.bin, test_batch.bin (CIFAR-10)");
    temp_folder_remove(&folder);
}

static void either_label_of_cifar100(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const struct eng_dataset_options coarse = {.cifar100_labels = ENG_CIFAR100_COARSE};
    uint8_t record[RECORD_100] = {19, 99, 5};
    dataset_case_write(&folder, "train.bin", record, sizeof record);
    struct eng_dataset set = dataset_case_load(&folder, NULL, ENG_SPLIT_TRAIN);
    assert_int_equal(set.labels[0], 99);
    assert_int_equal(set.n_classes, 100);
    assert_int_equal(eng_dataset_sample(&set, 0)[0], 5);
    eng_dataset_fini(&set);
    set = dataset_case_load(&folder, &coarse, ENG_SPLIT_TRAIN);
    assert_int_equal(set.labels[0], 19);
    assert_int_equal(set.n_classes, 20);
    eng_dataset_fini(&set);
    record[0] = 20;
    dataset_case_write(&folder, "train.bin", record, sizeof record);
    dataset_case_refused(&folder, &coarse, ENG_SPLIT_TRAIN, ENG_FORMAT, "train.bin: record 0",
                         "has label 20; wanted 0 to 19");
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_NOT_FOUND, "test.bin", "No such file");
    temp_folder_remove(&folder);
}

static void a_short_file_names_the_record(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    uint8_t bytes[2 * RECORD_10 - 1] = {0};
    write_cifar10(&folder);
    dataset_case_write(&folder, "data_batch_4.bin", bytes, sizeof bytes);
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_FORMAT,
                         "data_batch_4.bin: ", "ends in record 1 after 3072 of its 3073 bytes");
    dataset_case_write(&folder, "data_batch_4.bin", bytes, 0);
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_FORMAT, "data_batch_4.bin: empty",
                         "wanted records of 3073 bytes");
    remove(temp_folder_file(&folder, "data_batch_4.bin"));
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_NOT_FOUND, "data_batch_4.bin",
                         "No such file");
    temp_folder_remove(&folder);
}

static void a_label_out_of_range_names_the_record(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    uint8_t bytes[3 * RECORD_10] = {0};
    bytes[2 * RECORD_10] = 10;
    dataset_case_write(&folder, "test_batch.bin", bytes, sizeof bytes);
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_FORMAT, "test_batch.bin: record 2 has",
                         "label 10; wanted 0 to 9");
    temp_folder_remove(&folder);
}

static void wrong_names_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"a\nb\n", "2 names of classes; wanted 10"},
        {"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk", "11 names of classes; wanted 10"},
        {"a\nb\n\na\n", "line 4 names the class a again"},
        {"a\n\xff\n", "line 2 is not UTF-8"},
    };
    struct temp_folder folder = temp_folder_make();
    write_batch(&folder, "test_batch.bin", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dataset_case_write_text(&folder, "batches.meta.txt", cases[i].text);
        dataset_case_refused(&folder, NULL, ENG_SPLIT_TEST, ENG_FORMAT,
                             "batches.meta.txt: ", cases[i].sentence);
    }
    temp_folder_remove(&folder);
}

/* The real one, if it is there: sizes, balance, names, and the mean colour that is well known. */
static void the_real_cifar10(void **state)
{
    (void)state;
    const char *data = getenv("CLASSIFYD_DATA");
    const struct eng_dataset_options options = {.dataset = "cifar10"};
    const struct eng_dataset_source source = {.dir = data, .options = &options};
    struct eng_dataset set;
    char path[4096];
    snprintf(path, sizeof path, "%s/cifar10", data ? data : "");
    if (!data || !eng_file_is_dir(path)) skip();
    struct eng_error err = {0};
    if (eng_dataset_load(&source, &set, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(set.n, 50000);
    assert_string_equal(set.class_names[0], "airplane");
    size_t counts[10] = {0};
    double sums[3] = {0};
    for (size_t i = 0; i < set.n; i++) {
        const uint8_t *pixels = eng_dataset_sample(&set, i);
        counts[set.labels[i]]++;
        for (size_t k = 0; k < ENG_CIFAR_PICTURE_BYTES; k++)
            sums[k % 3] += pixels[k];
    }
    for (size_t c = 0; c < 10; c++)
        assert_int_equal(counts[c], 5000);
    static const double means[] = {0.4914, 0.4822, 0.4465};
    for (size_t c = 0; c < 3; c++) {
        double mean = sums[c] / 255 / ENG_CIFAR_PLANE_BYTES / 50000;
        if (!(mean > means[c] - 1e-4 && mean < means[c] + 1e-4))
            fail_msg("channel %zu: mean %g", c, mean);
    }
    eng_dataset_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_batch_in_order),
        cmocka_unit_test(a_recipe_names_the_folder),
        cmocka_unit_test(either_label_of_cifar100),
        cmocka_unit_test(a_short_file_names_the_record),
        cmocka_unit_test(a_label_out_of_range_names_the_record),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(the_real_cifar10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
