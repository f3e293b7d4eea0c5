/* Fine-tuning of files in which nodes share constants: tied weights stay tied, all else is parted.
 */
#include "engine/train.h"

#include "base/file.h"
#include "onnx/onnx.h"
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

enum { N_TRAIN = 32 };

/* One step over all samples, of plain gradient descent. */
#define COMMON                                                                      \
    "\"name\": \"x\", \"batch\": 32, \"shards\": 2, \"golden\": 1, \"epochs\": 1, " \
    "\"input\": {\"scale\": 0.004, \"mean\": [0.2], \"std\": [0.3]}, "              \
    "\"optimiser\": {\"learning_rate\": 0.5}"

static const char base_recipe[] =
    "{" COMMON ", \"layers\": ["
    "{\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [3, 3], \"pads\": [1, 1, 1, 1]},"
    "{\"op\": \"BatchNormalization\"}, {\"op\": \"Tanh\"},"
    "{\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [3, 3], \"pads\": [1, 1, 1, 1]},"
    "{\"op\": \"BatchNormalization\"}, {\"op\": \"Tanh\"}, {\"op\": \"Flatten\"},"
    "{\"op\": \"Gemm\", \"outputs\": 8}, {\"op\": \"Tanh\"},"
    "{\"op\": \"Gemm\", \"outputs\": 8}, {\"op\": \"Tanh\"},"
    "{\"op\": \"Gemm\", \"outputs\": 8}, {\"op\": \"Tanh\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

struct fixture {
    struct temp_folder folder;
    char recipe[320], base[320];
};

struct file {
    struct eng_file bytes;
    struct onnx_model onnx;
};

static void train(struct fixture *f, const char *recipe, const char *from, const char *to)
{
    struct eng_error err = {0};
    char out_dir[340];
    snprintf(out_dir, sizeof out_dir, "%s/%s", f->folder.path, to);
    assert_int_equal(eng_file_write(f->recipe, recipe, strlen(recipe), NULL), ENG_OK);
    const struct eng_train_options options = {.recipe_path = f->recipe,
                                              .data_dir = f->folder.path,
                                              .out_dir = out_dir,
                                              .from = from,
                                              .seed = -1};
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
}

static struct file open_file(const char *path)
{
    struct file file;
    assert_int_equal(eng_file_read(path, 1 << 20, &file.bytes, NULL), ENG_OK);
    assert_int_equal(onnx_model_read(file.bytes.bytes, file.bytes.n_bytes, &file.onnx, NULL),
                     ENG_OK);
    return file;
}

static void close_file(struct file *file)
{
    onnx_model_fini(&file->onnx);
    eng_file_fini(&file->bytes);
}

static const struct eng_tensor *tensor(const struct file *file, const char *name)
{
    for (size_t i = 0; i < file->onnx.n_initializers; i++)
        if (strcmp(file->onnx.initializers[i].name, name) == 0)
            return &file->onnx.initializers[i].tensor;
    fail_msg("no initializer is called %s", name);
    return NULL;
}

/* What the node's input k is called. */
static const char **input_of(const struct file *file, const char *node, size_t k)
{
    for (size_t i = 0; i < file->onnx.n_nodes; i++)
        if (strcmp(file->onnx.nodes[i].name, node) == 0)
            return (const char **)(uintptr_t)&file->onnx.nodes[i].inputs[k];
    fail_msg("no node is called %s", node);
    return NULL;
}

/* An input that gets the numbers of another one and, in the file that shares, its tensor. */
struct tie {
    const char *node;
    size_t k;
    const char *to;
};

/* The base model with these ties: as equal numbers, or as one tensor. */
static void write_variant(const struct fixture *f, const struct tie *ties, size_t n, bool shares,
                          const char *path)
{
    struct file base = open_file(f->base);
    uint8_t *bytes;
    size_t n_bytes;
    for (size_t i = 0; i < n; i++) {
        const char **input = input_of(&base, ties[i].node, ties[i].k);
        const struct eng_tensor *from = tensor(&base, ties[i].to), *to = tensor(&base, *input);
        assert_true(eng_shape_equal(&from->shape, &to->shape));
        memcpy(to->data, from->data, (size_t)eng_tensor_bytes(to));
        if (shares) *input = ties[i].to;
    }
    assert_int_equal(onnx_model_write(&base.onnx, &bytes, &n_bytes, NULL), ENG_OK);
    assert_int_equal(eng_file_write(path, bytes, n_bytes, NULL), ENG_OK);
    free(bytes);
    close_file(&base);
}

/* Trains one step from both variants. before: the numbers that they begin with. */
static void tune(struct fixture *f, const struct tie *ties, size_t n, struct file *before,
                 struct file *shared, struct file *parted)
{
    struct file *const out[] = {parted, shared};
    for (size_t i = 0; i < 2; i++) {
        char path[340], to[20], model[360];
        snprintf(path, sizeof path, "%s/variant.onnx", f->folder.path);
        snprintf(to, sizeof to, "tuned%zu", i);
        snprintf(model, sizeof model, "%s/%s/model.onnx", f->folder.path, to);
        write_variant(f, ties, n, i == 1, path);
        train(f, "{" COMMON "}", path, to);
        *out[i] = open_file(model);
        if (i == 0) *before = open_file(path);
    }
}

static void close_files(struct file *before, struct file *shared, struct file *parted)
{
    close_file(before);
    close_file(shared);
    close_file(parted);
}

/* By how much training moved element i. */
static double move(const struct file *before, const struct file *after, const char *name, size_t i)
{
    const float *a = tensor(before, name)->data, *b = tensor(after, name)->data;
    return (double)b[i] - (double)a[i];
}

/* One step of plain descent moves a tied tensor by the sum of what it moves those that are equal.
 */
static void check_tied(const struct file *before, const struct file *shared,
                       const struct file *parted, const char *name, const char *other)
{
    double largest = 0;
    for (size_t i = 0; i < (size_t)eng_shape_count(&tensor(before, name)->shape); i++) {
        double one = move(before, parted, name, i), two = move(before, parted, other, i);
        double both = move(before, shared, name, i);
        if (fabs(both - (one + two)) > 1e-6)
            fail_msg("%s[%zu] moves by %g; wanted %g + %g", name, i, both, one, two);
        largest = fmax(largest, fmin(fabs(one), fabs(two)));
    }
    assert_true(largest > 1e-4);
}

static void tied_weights_move_by_the_sum_of_their_gradients(void **state)
{
    static const struct tie ties[] = {{"gemm3", 1, "gemm2.weight"}, {"gemm3", 2, "gemm2.bias"}};
    struct file before, shared, parted;
    tune(*state, ties, 2, &before, &shared, &parted);
    assert_string_equal(*input_of(&shared, "gemm2", 1), "gemm2.weight");
    assert_string_equal(*input_of(&shared, "gemm3", 1), "gemm2.weight");
    check_tied(&before, &shared, &parted, "gemm2.weight", "gemm3.weight");
    check_tied(&before, &shared, &parted, "gemm2.bias", "gemm3.bias");
    close_files(&before, &shared, &parted);
}

/* The numbers of an input of two files, whatever they are called there. */
static void check_same(const struct file *a, const struct file *b, const char *node, size_t k)
{
    const struct eng_tensor *x = tensor(a, *input_of(a, node, k));
    const struct eng_tensor *y = tensor(b, *input_of(b, node, k));
    if (memcmp(x->data, y->data, (size_t)eng_tensor_bytes(x)) != 0)
        fail_msg("input %zu of %s is %g...; wanted %g...", k, node, ((float *)x->data)[0],
                 ((float *)y->data)[0]);
}

/* Exporters write one tensor for all that hold the same numbers, such as ones and zeros. */
static void running_statistics_are_each_nodes_own(void **state)
{
    static const struct tie ties[] = {
        {"batchnormalization1", 3, "batchnormalization1.bias"},   /* mean */
        {"batchnormalization2", 3, "batchnormalization1.bias"},   /* mean */
        {"batchnormalization1", 4, "batchnormalization1.weight"}, /* variance */
        {"batchnormalization2", 4, "batchnormalization1.weight"}};
    struct file before, shared, parted;
    tune(*state, ties, 4, &before, &shared, &parted);
    for (size_t k = 1; k <= 4; k++) {
        check_same(&shared, &parted, "batchnormalization1", k);
        check_same(&shared, &parted, "batchnormalization2", k);
    }
    check_same(&shared, &parted, "conv1", 1);
    check_same(&shared, &parted, "gemm4", 1);
    close_files(&before, &shared, &parted);
}

static int setup(void **state)
{
    static struct fixture f;
    f.folder = temp_folder_make();
    tiny_digits_write(&f.folder, N_TRAIN, 8);
    snprintf(f.recipe, sizeof f.recipe, "%s/recipe.json", f.folder.path);
    snprintf(f.base, sizeof f.base, "%s/base/model.onnx", f.folder.path);
    train(&f, base_recipe, NULL, "base");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_folder_remove(&f->folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tied_weights_move_by_the_sum_of_their_gradients),
        cmocka_unit_test(running_statistics_are_each_nodes_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
