/* The linear regression that ships: gradient descent ends where the normal equations do. */
#include "base/file.h"
#include "engine/session.h"
#include "engine/train.h"
#include "temp_folder.h"
#include "train/recipe.h"
#include "train/dataset.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_FEATURES = 3, N_COEFFICIENTS = N_FEATURES + 1 };
static const double TOLERANCE = 1e-4;

struct fixture {
    char recipe_path[4096], data_dir[4096], out_dir[512];
    struct temp_folder folder;
    struct eng_recipe recipe;
    struct eng_dataset train;
};

static int setup(void **state)
{
    static struct fixture f;
    const char *source = getenv("CLASSIFYD_SOURCE");
    if (!source) source = ".";
    f.folder = temp_folder_make();
    snprintf(f.out_dir, sizeof f.out_dir, "%s/1", f.folder.path);
    snprintf(f.data_dir, sizeof f.data_dir, "%s/models/recipes", source);
    snprintf(f.recipe_path, sizeof f.recipe_path, "%s/models/recipes/linear-regression.json",
             source);
    struct eng_error err = {0};
    enum eng_status status = eng_recipe_load(f.recipe_path, NULL, &f.recipe, &err);
    const struct eng_dataset_source data = {
        .dir = f.data_dir, .options = &f.recipe.data, .split = ENG_SPLIT_TRAIN};
    if (status == ENG_OK) status = eng_dataset_load(&data, &f.train, &err);
    if (status != ENG_OK) fprintf(stderr, "%s\n", err.text);
    *state = &f;
    return status != ENG_OK;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    eng_dataset_fini(&f->train);
    eng_recipe_fini(&f->recipe);
    temp_folder_remove(&f->folder);
    return 0;
}

/* Row i of the design matrix: a 1 for the intercept, then the features. */
static double design(const struct eng_dataset *set, size_t i, size_t k)
{
    return k == 0 ? 1 : (double)eng_dataset_features(set, i)[k - 1];
}

/* Solves X^T X w = X^T y by elimination with pivots. */
static void solve_normal_equations(const struct eng_dataset *set, double w[N_COEFFICIENTS])
{
    enum { N = N_COEFFICIENTS };
    double a[N][N + 1] = {{0}};
    for (size_t i = 0; i < set->n; i++)
        for (size_t r = 0; r < N; r++)
            for (size_t c = 0; c <= N; c++)
                a[r][c] +=
                    design(set, i, r) * (c < N ? design(set, i, c) : (double)set->targets[i]);
    for (size_t p = 0; p < N; p++) {
        size_t best = p;
        for (size_t r = p + 1; r < N; r++)
            if (fabs(a[r][p]) > fabs(a[best][p])) best = r;
        for (size_t c = 0; c <= N; c++) {
            double swapped = a[p][c];
            a[p][c] = a[best][c];
            a[best][c] = swapped;
        }
        for (size_t r = 0; r < N; r++) {
            double factor = r == p ? 0 : a[r][p] / a[p][p];
            for (size_t c = p; c <= N; c++)
                a[r][c] -= factor * a[p][c];
        }
    }
    for (size_t p = 0; p < N; p++)
        w[p] = a[p][N] / a[p][p];
}

static double predict(struct eng_session *session, const float *features)
{
    memcpy(eng_session_sample(session, 1, 0), features, N_FEATURES * sizeof *features);
    return (double)eng_session_classify(session, 1)[0];
}

static void gradient_descent_finds_the_closed_form(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct eng_model *model;
    struct eng_session *session;
    double w[N_COEFFICIENTS];
    const struct eng_train_options options = {
        .recipe_path = f->recipe_path, .data_dir = f->data_dir, .out_dir = f->out_dir, .seed = -1};
    assert_int_equal(f->train.n_features, N_FEATURES);
    solve_normal_equations(&f->train, w);
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    if (eng_model_open(f->out_dir, NULL, &model, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    for (size_t i = 0; i < f->train.n; i++) {
        const float *features = eng_dataset_features(&f->train, i);
        double wanted = w[0];
        for (size_t k = 0; k < N_FEATURES; k++)
            wanted += w[k + 1] * (double)features[k];
        double found = predict(session, features);
        if (!(fabs(found - wanted) < TOLERANCE))
            fail_msg("row %zu: %.6f; wanted %.6f", i, found, wanted);
    }
    /* The coefficients themselves: what one unit of a feature adds, and what is left without. */
    for (size_t k = 0; k < N_COEFFICIENTS; k++) {
        float zero[N_FEATURES] = {0}, unit[N_FEATURES] = {0};
        if (k > 0) unit[k - 1] = 1;
        double found = predict(session, unit) - (k > 0 ? predict(session, zero) : 0);
        if (!(fabs(found - w[k]) < TOLERANCE))
            fail_msg("coefficient %zu: %.6f; wanted %.6f", k, found, w[k]);
    }
    eng_session_destroy(session);
    eng_model_destroy(model);
}

/* The table is what the script beside it prints. */
static void the_script_makes_the_table(void **state)
{
    struct fixture *f = *state;
    char command[8400], path[4200];
    struct eng_file table, made;
    snprintf(path, sizeof path, "%s/houses.csv", f->data_dir);
    snprintf(command, sizeof command, "sh '%s/make-houses.sh' > '%s'", f->data_dir,
             temp_folder_file(&f->folder, "made.csv"));
    assert_int_equal(system(command), 0);
    assert_int_equal(eng_file_read(path, 1 << 20, &table, NULL), ENG_OK);
    assert_int_equal(eng_file_read(f->folder.file, 1 << 20, &made, NULL), ENG_OK);
    assert_int_equal(table.n_bytes, made.n_bytes);
    assert_memory_equal(table.bytes, made.bytes, table.n_bytes);
    eng_file_fini(&table);
    eng_file_fini(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_descent_finds_the_closed_form),
        cmocka_unit_test(the_script_makes_the_table),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
