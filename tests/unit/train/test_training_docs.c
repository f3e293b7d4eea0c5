/* docs/training.md names every kind and key that the tables have. */
#include "base/file.h"
#include "train/augment.h"
#include "train/average.h"
#include "train/dataset_options.h"
#include "train/early_stopping.h"
#include "train/initialiser.h"
#include "train/knn.h"
#include "train/loss.h"
#include "train/method.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *docs;

static void expect(const char *name)
{
    char quoted[80];
    snprintf(quoted, sizeof quoted, "`%s`", name);
    if (!strstr(docs, quoted)) fail_msg("docs/training.md lacks %s", quoted);
}

static void expect_fields(const struct eng_field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(fields[i].name);
}

static void expect_kinds(const struct eng_kind *kinds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        expect(kinds[i].name);
        expect_fields(kinds[i].fields, kinds[i].n_fields);
    }
}

static void every_row_is_documented(void **state)
{
    (void)state;
    expect_kinds(eng_loss_kinds, eng_n_loss_kinds);
    expect_kinds(eng_optimiser_kinds, eng_n_optimiser_kinds);
    expect_kinds(eng_schedule_kinds, eng_n_schedule_kinds);
    expect_fields(eng_dataset_fields, eng_n_dataset_fields);
    expect_fields(eng_csv_fields, eng_n_csv_fields);
    expect_fields(eng_toy_fields, eng_n_toy_fields);
    for (size_t i = 0; i < ENG_DATASET_N_KEYS; i++)
        expect(eng_dataset_keys[i]);
    expect_fields(eng_augment_fields, eng_n_augment_fields);
    expect_fields(eng_average_fields, eng_n_average_fields);
    expect_fields(eng_early_stopping_fields, eng_n_early_stopping_fields);
    expect_fields(eng_knn_fields, eng_n_knn_fields);
    for (size_t i = 0; eng_method_names[i]; i++)
        expect(eng_method_names[i]);
    for (size_t i = 0; eng_initialiser_names[i]; i++)
        expect(eng_initialiser_names[i]);
#define LAYER(op, keys, more) expect(#op);
#include "train/layer.def"
#undef LAYER
}

int main(void)
{
    const char *source = getenv("CLASSIFYD_SOURCE");
    char path[4096];
    struct eng_file file;
    snprintf(path, sizeof path, "%s/docs/training.md", source ? source : ".");
    if (eng_file_read(path, 1 << 20, &file, NULL) != ENG_OK) return 1;
    docs = strndup((const char *)file.bytes, file.n_bytes);
    eng_file_fini(&file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_is_documented)};
    int code = docs ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(docs);
    return code;
}
