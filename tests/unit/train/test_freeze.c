/* What is frozen stays as it is, and everything else is trained. */
#include "engine/train.h"

#include "base/file.h"
#include "onnx/onnx.h"
#include "temp_folder.h"
#include "tiny_digits.h"
#include "train/freeze.h"
#include "train/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool fits;
    } cases[] = {
        {"conv1", "conv1", true},
        {"conv1", "conv12", false},
        {"conv1", "conv", false},
        {"*", "", true},
        {"*", "anything", true},
        {"block1.*", "block1.conv1", true},
        {"block1.*", "block12.x", false},
        {"*.weight", "a.weight", true},
        {"*.weight", "a.weights", false},
        {"*conv*", "block.conv2.bias", true},
        {"a*b*c", "a--b--b-c", true},
        {"a*b*c", "a--b--b-d", false},
        {"**a**", "xxaxx", true},
        {"", "", true},
        {"", "a", false},
        {"a?c", "abc", false},
        {"[ab]", "a", false},
        {"/layers.0/*", "/layers.0/Conv", true},
        {"*aab", "aaaaaaaaaaaaaab", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (eng_freeze_matches(cases[i].pattern, cases[i].name) != cases[i].fits)
            fail_msg("%s on %s", cases[i].pattern, cases[i].name);
}

#define LAYERS                                                                             \
    "\"layers\": [{\"op\": \"Conv\", \"outputs\": 4, \"kernel_shape\": [3, 3]},"           \
    " {\"op\": \"BatchNormalization\", \"scale_init\": 0.5, \"bias_init\": 0.25,"          \
    "  \"frozen\": true}, {\"op\": \"Relu\"},"                                             \
    " {\"op\": \"Conv\", \"name\": \"second\", \"outputs\": 4, \"kernel_shape\": [3, 3]}," \
    " {\"op\": \"BatchNormalization\"}, {\"op\": \"Flatten\"},"                            \
    " {\"op\": \"Gemm\", \"outputs\": 4}]"

static const char recipe_text[] =
    "{\"name\": \"x\", \"epochs\": 1, \"batch\": 16, \"golden\": 1, \"freeze\": [\"second\", "
    "\"gemm1.bias\"], " LAYERS "}";

static const struct eng_input pictures = {
    .kind = ENG_DATASET_PICTURES,
    .preprocess = {.color = ENG_COLOR_GRAY, .width_px = 8, .height_px = 8, .std = {1, 1, 1}}};

static enum eng_status build(const char *text, struct eng_graph *graph, struct eng_error *err)
{
    const struct eng_network_shape shape = {&pictures, 4, NULL, NULL};
    struct eng_recipe recipe;
    struct eng_network network;
    eng_graph_init(graph);
    enum eng_status status = eng_recipe_parse("r.json", text, strlen(text), NULL, &recipe, err);
    if (status != ENG_OK) return status;
    status = eng_network_build(&recipe, &shape, graph, &network, err);
    eng_recipe_fini(&recipe);
    return status;
}

/* The file's initializer of that name equals, or not, what the network began with. */
static void expect(const struct onnx_model *file, const struct eng_graph *before, const char *name,
                   bool stays)
{
    const struct eng_tensor *was = &before->values[eng_graph_find(before, name)].tensor;
    for (size_t i = 0; i < file->n_initializers; i++) {
        if (strcmp(file->initializers[i].name, name) != 0) continue;
        bool equal = memcmp(file->initializers[i].tensor.data, was->data,
                            (size_t)eng_tensor_bytes(was)) == 0;
        if (equal != stays) fail_msg("%s %s", name, stays ? "changed" : "stayed");
        return;
    }
    fail_msg("no initializer is called %s", name);
}

static void only_the_rest_is_trained(void **state)
{
    (void)state;
    struct temp_folder folder = temp_folder_make();
    struct eng_error err = {0};
    char recipe_path[300], out_dir[300], model_path[400];
    snprintf(recipe_path, sizeof recipe_path, "%s/recipe.json", folder.path);
    snprintf(out_dir, sizeof out_dir, "%s/out", folder.path);
    snprintf(model_path, sizeof model_path, "%s/model.onnx", out_dir);
    tiny_digits_write(&folder, 64, 8);
    assert_int_equal(eng_file_write(recipe_path, recipe_text, strlen(recipe_text), NULL), ENG_OK);
    const struct eng_train_options options = {
        .recipe_path = recipe_path, .data_dir = folder.path, .out_dir = out_dir, .seed = -1};
    if (eng_train(&options, &err) != ENG_OK) fail_msg("%s", err.text);
    struct eng_file bytes;
    struct onnx_model file;
    struct eng_graph before;
    assert_int_equal(eng_file_read(model_path, 1 << 20, &bytes, NULL), ENG_OK);
    assert_int_equal(onnx_model_read(bytes.bytes, bytes.n_bytes, &file, NULL), ENG_OK);
    assert_int_equal(build(recipe_text, &before, &err), ENG_OK);
    static const char *const stay[] = {"batchnormalization1.weight",
                                       "batchnormalization1.bias",
                                       "batchnormalization1.running_mean",
                                       "batchnormalization1.running_var",
                                       "second.weight",
                                       "second.bias",
                                       "gemm1.bias"};
    static const char *const move[] = {"conv1.weight", "batchnormalization2.weight",
                                       "batchnormalization2.running_mean", "gemm1.weight"};
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        expect(&file, &before, stay[i], true);
    for (size_t i = 0; i < sizeof move / sizeof *move; i++)
        expect(&file, &before, move[i], false);
    const float *scale =
        before.values[eng_graph_find(&before, "batchnormalization1.weight")].tensor.data;
    const float *bias =
        before.values[eng_graph_find(&before, "batchnormalization1.bias")].tensor.data;
    assert_true(scale[3] == 0.5f && bias[3] == 0.25f);
    eng_graph_fini(&before);
    onnx_model_fini(&file);
    eng_file_fini(&bytes);
    temp_folder_remove(&folder);
}

static void what_matches_nothing_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } wrong[] = {
        {"{\"name\": \"x\", \"freeze\": [\"conv1\", \"conv9*\"], " LAYERS "}",
         "r.json: freeze[1] is \"conv9*\", which is no layer and no parameter; wanted a name such "
         "as \"conv1\""},
        {"{\"name\": \"x\", \"freeze\": [\"*\"], " LAYERS "}",
         "r.json: freeze leaves nothing to be trained"},
        {"{\"name\": \"x\", \"freeze\": [1], " LAYERS "}", "freeze is 1; wanted a string"},
        {"{\"name\": \"x\", \"freeze\": \"conv1\", " LAYERS "}", "freeze is \"conv1\"; wanted a"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Relu\", \"frozn\": true}]}",
         "layers[0].frozn is not a known key; did you mean frozen?"},
        {"{\"name\": \"x\", \"layers\": [{\"op\": \"Add\", \"frozen\": true, "
         "\"branches\": [[], []]}]}",
         "layers[0].frozen is not a known key"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct eng_graph graph;
        struct eng_error err = {0};
        assert_int_equal(build(wrong[i].text, &graph, &err), ENG_FORMAT);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.text, wrong[i].sentence);
        eng_graph_fini(&graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(only_the_rest_is_trained),
        cmocka_unit_test(what_matches_nothing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
