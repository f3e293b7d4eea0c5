/* The method of nearest neighbours: what it keeps, what its file says, and what it refuses. */
#include "engine/train.h"

#include "base/file.h"
#include "engine/session.h"
#include "model/model_internal.h"
#include "temp_folder.h"
#include "tiny_digits.h"
#include "train/knn.h"
#include "train/method.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_TRAIN = 120, N_TEST = 300 };

struct fixture {
    struct temp_folder folder;
    char recipe_path[512], out_dir[512], model_path[512];
};

static int setup(void **state)
{
    static struct fixture f;
    f.folder = temp_folder_make();
    tiny_digits_write(&f.folder, N_TRAIN, N_TEST);
    snprintf(f.recipe_path, sizeof f.recipe_path, "%s/recipe.json", f.folder.path);
    snprintf(f.out_dir, sizeof f.out_dir, "%s/near/1", f.folder.path);
    snprintf(f.model_path, sizeof f.model_path, "%s/near/1/model.onnx", f.folder.path);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_folder_remove(&f->folder);
    return 0;
}

/* The section is what stands between the braces of "knn". */
static void write_recipe(struct fixture *f, const char *section, const char *more)
{
    char text[512];
    snprintf(text, sizeof text, "{\"name\": \"near\", \"method\": \"knn\", \"knn\": {%s}%s}",
             section, more);
    assert_int_equal(eng_file_write(f->recipe_path, text, strlen(text), NULL), ENG_OK);
}

static enum eng_status train(struct fixture *f, struct eng_pool *pool,
                             struct eng_train_report **report, struct eng_error *err)
{
    struct eng_train_options options = {.recipe_path = f->recipe_path,
                                        .data_dir = f->folder.path,
                                        .out_dir = f->out_dir,
                                        .seed = -1,
                                        .pool = pool,
                                        .report = report};
    return eng_train(&options, err);
}

static struct eng_model *train_model(struct fixture *f)
{
    struct eng_error err = {0};
    struct eng_model *model;
    if (train(f, NULL, NULL, &err) != ENG_OK) fail_msg("%s", err.text);
    if (eng_model_open(f->model_path, NULL, &model, &err) != ENG_OK) fail_msg("%s", err.text);
    return model;
}

/* The constants of the one node. */
static const struct eng_tensor *input_of(const struct eng_model *model, size_t k)
{
    assert_int_equal(model->graph.n_nodes, 1);
    assert_string_equal(model->graph.nodes[0].op->name, "KNearest");
    return &model->graph.values[model->graph.nodes[0].in[k]].tensor;
}

static void all_samples_are_kept_as_they_are(void **state)
{
    struct fixture *f = *state;
    struct eng_dataset set;
    const struct eng_dataset_options dataset = {0};
    const struct eng_dataset_source source = {.dir = f->folder.path, .options = &dataset};
    write_recipe(f, "\"k\": 3, \"distance\": \"L2\"", "");
    struct eng_model *model = train_model(f);
    assert_int_equal(eng_dataset_load(&source, &set, NULL), ENG_OK);
    assert_int_equal(input_of(model, 1)->shape.dim[0], N_TRAIN);
    assert_memory_equal(input_of(model, 1)->data, set.pixels,
                        (size_t)N_TRAIN * TINY_SIDE_PX * TINY_SIDE_PX);
    for (size_t i = 0; i < N_TRAIN; i++)
        assert_int_equal(((const int64_t *)input_of(model, 2)->data)[i], set.labels[i]);
    eng_dataset_fini(&set);
    eng_model_destroy(model);
}

static void the_file_is_a_complete_model(void **state)
{
    struct fixture *f = *state;
    struct eng_session *session;
    struct eng_error err = {0};
    write_recipe(f, "", ", \"labels\": [\"a\", \"b\", \"c\", \"d\"]");
    struct eng_model *model = train_model(f);
    const struct eng_card *card = eng_model_card(model);
    assert_string_equal(card->name, "near");
    assert_string_equal(card->labels[3], "d");
    assert_int_equal(card->guessed, 0);
    assert_false(card->add_softmax);
    assert_true(card->preprocess.scale == 1 && card->preprocess.mean[0] == 0);
    assert_non_null(strstr(card->history, "\"epochs\":[{\"test_accuracy\":"));
    assert_int_equal(card->n_golden, 4);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    if (eng_session_check_golden(session, &err) != ENG_OK) fail_msg("%s", err.text);
    eng_session_destroy(session);
    eng_model_destroy(model);
}

/* What the file is read back as, whole: domain, attributes, initializers. */
static void the_file_imports_both_domains(void **state)
{
    struct fixture *f = *state;
    struct eng_file file;
    struct onnx_model onnx;
    write_recipe(f, "\"k\": 5, \"distance\": \"L2\"", "");
    eng_model_destroy(train_model(f));
    assert_int_equal(eng_file_read(f->model_path, 1 << 20, &file, NULL), ENG_OK);
    assert_int_equal(onnx_model_read(file.bytes, file.n_bytes, &onnx, NULL), ENG_OK);
    assert_int_equal(onnx.n_opsets, 2);
    for (size_t i = 0; i < 2; i++)
        if (strcmp(onnx.opsets[i].domain, "classifyd") == 0)
            assert_int_equal(onnx.opsets[i].version, 1);
        else
            assert_string_equal(onnx.opsets[i].domain, "");
    assert_string_equal(onnx.nodes[0].domain, "classifyd");
    assert_int_equal(onnx.nodes[0].n_attrs, 3); /* k, distance and n_classes are no defaults */
    assert_int_equal(onnx.n_initializers, 2);
    assert_int_equal(onnx.initializers[0].tensor.dtype, ENG_UINT8);
    onnx_model_fini(&onnx);
    eng_file_fini(&file);
}

static void the_report_has_the_accuracy_only(void **state)
{
    struct fixture *f = *state;
    struct eng_train_report *report = NULL;
    struct eng_error err = {0};
    write_recipe(f, "\"k\": 3", "");
    if (train(f, NULL, &report, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(report->n_epochs, 1);
    assert_true(isnan(report->epochs[0].loss) && isnan(report->test_loss));
    if (!(report->test_accuracy > 0.95)) fail_msg("accuracy %g", report->test_accuracy);
    assert_true(report->epochs[0].test_accuracy == report->test_accuracy);
    eng_train_report_destroy(report);
}

static void threads_do_not_change_a_byte(void **state)
{
    struct fixture *f = *state;
    struct eng_file alone, three;
    struct eng_pool *pool;
    write_recipe(f, "\"samples\": 50", ", \"seed\": 3");
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    assert_int_equal(train(f, NULL, NULL, NULL), ENG_OK);
    assert_int_equal(eng_file_read(f->model_path, 1 << 20, &alone, NULL), ENG_OK);
    assert_int_equal(train(f, pool, NULL, NULL), ENG_OK);
    assert_int_equal(eng_file_read(f->model_path, 1 << 20, &three, NULL), ENG_OK);
    assert_int_equal(alone.n_bytes, three.n_bytes);
    assert_memory_equal(alone.bytes, three.bytes, three.n_bytes);
    eng_file_fini(&alone);
    eng_file_fini(&three);
    eng_pool_destroy(pool);
}

/* 3 classes of 60, 30 and 10 samples. */
static void the_choice_is_balanced(void **state)
{
    (void)state;
    enum { N = 100 };
    uint16_t labels[N];
    uint32_t chosen[N], again[N];
    for (size_t i = 0; i < N; i++)
        labels[i] = i < 60 ? 0 : i < 90 ? 1 : 2;
    const struct eng_dataset set = {.n = N, .labels = labels, .n_classes = 3};
    static const struct {
        size_t n, of_class[3];
    } wanted[] = {{1, {1, 0, 0}}, {8, {3, 3, 2}}, {30, {10, 10, 10}}, {100, {60, 30, 10}}};
    for (size_t i = 0; i < 10 * sizeof wanted / sizeof *wanted; i++) {
        size_t w = i / 10, of_class[3] = {0};
        assert_int_equal(eng_knn_choose(&set, i % 10, wanted[w].n, chosen, NULL), ENG_OK);
        for (size_t n = 0; n < wanted[w].n; n++) {
            of_class[labels[chosen[n]]]++;
            assert_true(n == 0 || chosen[n] > chosen[n - 1]);
        }
        assert_memory_equal(of_class, wanted[w].of_class, sizeof of_class);
    }
    assert_int_equal(eng_knn_choose(&set, 4, 60, chosen, NULL),
                     ENG_OK); /* 20, 20, 10 and 10 more */
    size_t n_of_last = 0;
    for (size_t i = 0; i < 60; i++)
        n_of_last += labels[chosen[i]] == 2;
    assert_int_equal(n_of_last, 10);
    assert_int_equal(eng_knn_choose(&set, 4, 30, chosen, NULL), ENG_OK);
    assert_int_equal(eng_knn_choose(&set, 4, 30, again, NULL), ENG_OK);
    assert_memory_equal(chosen, again, 30 * sizeof *chosen);
    assert_int_equal(eng_knn_choose(&set, 5, 30, again, NULL), ENG_OK);
    assert_memory_not_equal(chosen, again, 30 * sizeof *chosen);
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *section, *more, *sentence;
    } cases[] = {
        {"\"k\": 121", "", "knn.k is 121; wanted at most the 120 samples kept"},
        {"\"k\": 3, \"samples\": 2", "", "knn.k is 3; wanted at most the 2 samples kept"},
        {"\"samples\": 121", "", "knn.samples is 121; the training set has 120"},
        {"\"k\": 0", "", "knn.k is 0"},
        {"\"distance\": \"L3\"", "", "knn.distance is 'L3'"},
        {"\"neighbours\": 3", "", "knn.neighbours is not a known key"},
        {"", ", \"layers\": [{\"op\": \"Flatten\"}]", "layers is no key of method knn"},
        {"", ", \"optimiser\": {}", "optimiser is no key of method knn"},
        {"", ", \"epochs\": 3", "epochs is no key of method knn"},
        {"", ", \"input\": {\"scale\": 1}", "input.scale is not a known key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct eng_error err = {0};
        write_recipe(*state, cases[i].section, cases[i].more);
        assert_int_equal(train(*state, NULL, NULL, &err), ENG_FORMAT);
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].sentence);
    }
}

static void a_network_has_no_neighbours(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\": \"a\", \"knn\": {}, \"layers\": [{\"op\": \"Flatten\"}]}";
    struct eng_recipe recipe;
    struct eng_error err = {0};
    assert_int_equal(eng_recipe_parse("r.json", text, strlen(text), NULL, &recipe, &err),
                     ENG_FORMAT);
    assert_non_null(strstr(err.text, "r.json: knn is no key of method network"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_samples_are_kept_as_they_are),
        cmocka_unit_test(the_file_is_a_complete_model),
        cmocka_unit_test(the_file_imports_both_domains),
        cmocka_unit_test(the_report_has_the_accuracy_only),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(the_choice_is_balanced),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_network_has_no_neighbours),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
