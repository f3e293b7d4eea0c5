/* CSV tables: RFC 4180, classes and numbers as targets, splits, and what is refused where. */
#include "dataset_case.h"

#include "train/csv.h"
#include "train/dataset_csv.h"

#include <stdlib.h>

static const struct eng_dataset_options classes = {.has_csv = true,
                                                   .csv = {.target = "kind", .test_share = 0.25}};
static const struct eng_dataset_options numbers = {
    .has_csv = true, .is_regression = true, .csv = {.target = "y", .test_share = 0.25}};

static void cells_follow_rfc_4180(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf"
                               "a,b\r\n\r\n\"x,\"\"y\"\"\",\"two\nlines\"\n,\n\"\"\n 1 ,2";
    static const char *const wanted[][2] = {
        {"a", "b"}, {"x,\"y\"", "two\nlines"}, {"", ""}, {"", NULL}, {" 1 ", "2"}};
    static const size_t lines[] = {1, 3, 5, 6, 7};
    char copy[sizeof text], *cells[3];
    memcpy(copy, text, sizeof text);
    struct eng_csv csv = eng_csv_over("t", copy, sizeof text - 1);
    for (size_t r = 0; r < 5; r++) {
        size_t n, line;
        assert_int_equal(eng_csv_next(&csv, cells, 3, &n, &line, NULL), ENG_OK);
        assert_int_equal(n, wanted[r][1] ? 2 : 1);
        assert_int_equal(line, lines[r]);
        for (size_t c = 0; c < n; c++)
            assert_string_equal(cells[c], wanted[r][c]);
    }
    size_t n, line;
    assert_int_equal(eng_csv_next(&csv, cells, 3, &n, &line, NULL), ENG_OK);
    assert_int_equal(n, 0);
}

static void numbers_are_decimal(void **state)
{
    (void)state;
    static const char *const good[] = {"1", "-2.5", " +.5e2 ", "1e-30"};
    static const char *const bad[] = {"", " ", "nan", "inf", "0x10", "1e99", "1,5", "1 2", "abc"};
    float value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!eng_csv_number(good[i], &value)) fail_msg("%s", good[i]);
    assert_true(eng_csv_number("-2.5", &value) && value == -2.5f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (eng_csv_number(bad[i], &value)) fail_msg("%s", bad[i]);
}

static void text_targets_are_classes(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    dataset_case_write_text(&folder, "flowers.csv",
                            "width,kind,height\n1,rose,2\n3,\"lily\",4\n5,rose,6\n7,iris,8\n");
    struct eng_dataset train = dataset_case_load(&folder, &classes, ENG_SPLIT_TRAIN);
    struct eng_dataset test = dataset_case_load(&folder, &classes, ENG_SPLIT_TEST);
    assert_int_equal(train.kind, ENG_DATASET_VECTORS);
    assert_int_equal(train.n, 3);
    assert_int_equal(test.n, 1);
    assert_int_equal(train.n_features, 2);
    assert_string_equal(train.feature_names[0], "width");
    assert_string_equal(train.feature_names[1], "height");
    assert_int_equal(train.n_classes, 3);
    assert_int_equal(test.n_classes, 3);
    assert_string_equal(test.class_names[0], "iris");
    assert_string_equal(test.class_names[2], "rose");
    static const uint16_t labels[] = {2, 1, 2, 0};
    float sum = 0;
    for (size_t i = 0; i < 4; i++) {
        const struct eng_dataset *set = i < 3 ? &train : &test;
        const float *row = eng_dataset_features(set, i < 3 ? i : 0);
        assert_true(row[1] == row[0] + 1);
        assert_int_equal(set->labels[i < 3 ? i : 0], labels[(size_t)row[0] / 2]);
        sum += row[0];
    }
    assert_true(sum == 16);
    eng_dataset_fini(&train);
    eng_dataset_fini(&test);
    temp_folder_remove(&folder);
}

static void whole_numbers_are_sorted_as_numbers(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    const struct eng_dataset_options named = {
        .dataset = "t.csv", .has_csv = true, .csv = {.target = "kind", .test_share = 0.25}};
    dataset_case_write_text(&folder, "other.csv", "");
    dataset_case_write_text(&folder, "t.csv", "x,kind\n1,10\n1,9\n1,-3\n1,10\n");
    struct eng_dataset set = dataset_case_load(&folder, &named, ENG_SPLIT_TRAIN);
    assert_string_equal(set.class_names[0], "-3");
    assert_string_equal(set.class_names[1], "9");
    assert_string_equal(set.class_names[2], "10");
    eng_dataset_fini(&set);
    dataset_case_refused(&folder, &classes, ENG_SPLIT_TRAIN, ENG_FORMAT, "2 .csv files",
                         "wanted train.csv and test.csv, or the name of one");
    temp_folder_remove(&folder);
}

static void two_files_are_two_splits(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    dataset_case_write_text(&folder, "train.csv", "x,y\n1,2.5\n2,-3\n");
    dataset_case_write_text(&folder, "test.csv", "x,y\n7,1e3\n");
    struct eng_dataset set = dataset_case_load(&folder, &numbers, ENG_SPLIT_TRAIN);
    assert_int_equal(set.n, 2);
    assert_null(set.labels);
    assert_int_equal(set.n_classes, 0);
    assert_true(set.targets[0] == 2.5f && set.targets[1] == -3);
    eng_dataset_fini(&set);
    set = dataset_case_load(&folder, &numbers, ENG_SPLIT_TEST);
    assert_int_equal(set.n, 1);
    assert_true(set.features[0] == 7 && set.targets[0] == 1000);
    eng_dataset_fini(&set);
    dataset_case_write_text(&folder, "test.csv", "z,y\n7,1e3\n");
    dataset_case_refused(&folder, &numbers, ENG_SPLIT_TEST, ENG_FORMAT,
                         "test.csv: column 1 is z; wanted x", "train.csv");
    const struct eng_dataset_options kinds = {.has_csv = true, .csv = {.target = "y"}};
    dataset_case_write_text(&folder, "train.csv", "x,y\n1,a\n");
    dataset_case_write_text(&folder, "test.csv", "x,y\n1,a\n1,b\n");
    dataset_case_refused(&folder, &kinds, ENG_SPLIT_TEST, ENG_FORMAT,
                         "test.csv: line 3: class b does not stand in", "train.csv");
    temp_folder_remove(&folder);
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const struct eng_dataset_options *options;
        const char *sentence;
    } cases[] = {
        {"", &classes, "0 columns; wanted a header row"},
        {"kind\n1\n", &classes, "line 1: 1 columns"},
        {"x,kind\n", &classes, "no rows follow the header"},
        {"x,x,kind\n1,2,a\n", &classes, "two columns are called x"},
        {"x,,kind\n1,2,a\n", &classes, "column 2 has no name"},
        {"x,kinds\n1,a\n", &classes,
         "no column is called kind as csv.target says; did you mean "
         "kinds?"},
        {"x,kind\n1,a\n1,b,c\n", &classes, "line 3: 3 values; wanted 2 as in the header"},
        {"x,kind\n1,a\n\ntwo,b\n", &classes, "line 4: column x is \"two\"; wanted a number"},
        {"x,kind\n1,a\nnan,b\n", &classes, "line 3: column x is \"nan\""},
        {"x,kind\n1,a\n1,\n", &classes, "line 3: column kind is empty"},
        {"x,kind\n1,1.5\n1,2\n", &classes,
         "line 2: column kind is 1.5; wanted the name of a "
         "class or a whole number, or the loss"},
        {"x,kind\n1,\"a\n", &classes, "line 2: the quote is not closed"},
        {"x,kind\n1,a\"\n", &classes, "line 2: a quote inside an unquoted value"},
        {"x,kind\n1,\"a\"b\n", &classes, "line 2: text behind a closing quote"},
        {"x,kind\n1,a\n", &classes, "1 row; wanted at least 2"},
        {"x,y\n1,2\n3,four\n", &numbers, "line 3: column y is \"four\"; wanted a number"},
        {"x,y\n1,2\n3,4\n", &classes, "no column is called kind"},
    };
    struct temp_folder folder = temp_folder_make();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dataset_case_write_text(&folder, "t.csv", cases[i].text);
        for (int split = 0; split < 2; split++) {
            struct eng_error err = {0};
            struct eng_dataset set = {0};
            const struct eng_dataset_source source = {
                .dir = folder.path, .options = cases[i].options, .split = (enum eng_split)split};
            enum eng_status status = eng_dataset_load(&source, &set, &err);
            bool only_one_side = status == ENG_OK && strstr(cases[i].sentence, "\"four\"");
            if (only_one_side)
                eng_dataset_fini(&set);
            else if (!strstr(err.text, "t.csv: ") || !strstr(err.text, cases[i].sentence))
                fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text, cases[i].sentence);
        }
    }
    dataset_case_write(&folder, "t.csv", "x,kind\n1,a\0b\n", 13);
    dataset_case_refused(&folder, &classes, ENG_SPLIT_TRAIN, ENG_FORMAT, "t.csv: line 2",
                         "a NUL byte");
    dataset_case_write_text(&folder, "t.csv", "x,kind\n1,a\n2,b\n");
    dataset_case_refused(&folder, NULL, ENG_SPLIT_TRAIN, ENG_FORMAT,
                         "t.csv: ", "which column to predict is not said");
    const struct eng_dataset_options no_share = {.has_csv = true, .csv = {.target = "kind"}};
    dataset_case_refused(&folder, &no_share, ENG_SPLIT_TRAIN, ENG_FORMAT,
                         "t.csv: ", "csv.test_share");
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_follow_rfc_4180),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(text_targets_are_classes),
        cmocka_unit_test(whole_numbers_are_sorted_as_numbers),
        cmocka_unit_test(two_files_are_two_splits),
        cmocka_unit_test(bad_tables_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
