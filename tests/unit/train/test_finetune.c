/* Training that goes on from a model's file: the same network, other classes, refusals. */
#include "engine/train.h"

#include "base/file.h"
#include "engine/model.h"
#include "model/convert.h"
#include "onnx/onnx.h"
#include "temp_folder.h"
#include "tiny_digits.h"
#include "train/new_head.h"
#include "train/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COMMON "\"name\": \"x\", \"batch\": 16, \"golden\": 2, "

static const char base_recipe[] =
    "{" COMMON "\"optimiser\": {\"learning_rate\": 0.1, \"momentum\": 0.9}, \"epochs\": 3, "
    "\"layers\": [{\"op\": \"Conv\", \"outputs\": 6, \"kernel_shape\": [3, 3]},"
    " {\"op\": \"BatchNormalization\"}, {\"op\": \"Relu\"},"
    " {\"op\": \"MaxPool\", \"kernel_shape\": [2, 2], \"strides\": [2, 2]},"
    " {\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";

static const char tuned_recipe[] =
    "{" COMMON "\"epochs\": 1, \"optimiser\": {\"learning_rate\": 0.05}, \"freeze\": [\"conv1\"]}";

struct fixture {
    struct temp_folder data, pairs, models; /* pairs: the same pictures in two classes */
    char recipe[320], base_dir[320], base[360];
};

/* What training writes into a folder of its own. */
struct tuned {
    struct eng_file bytes;
    struct onnx_model file;
};

static enum eng_status train(const struct fixture *f, const char *recipe, const char *data,
                             const char *out_dir, const char *from, struct eng_error *err)
{
    assert_int_equal(eng_file_write(f->recipe, recipe, strlen(recipe), NULL), ENG_OK);
    const struct eng_train_options options = {.recipe_path = f->recipe,
                                              .data_dir = data,
                                              .out_dir = out_dir,
                                              .from = from,
                                              .restart = true,
                                              .seed = -1};
    return eng_train(&options, err);
}

static void open_file(const char *path, struct tuned *out)
{
    assert_int_equal(eng_file_read(path, 1 << 20, &out->bytes, NULL), ENG_OK);
    assert_int_equal(onnx_model_read(out->bytes.bytes, out->bytes.n_bytes, &out->file, NULL),
                     ENG_OK);
}

static void close_file(struct tuned *t)
{
    onnx_model_fini(&t->file);
    eng_file_fini(&t->bytes);
}

static struct tuned tune(struct fixture *f, const char *recipe, const char *data)
{
    struct eng_error err = {0};
    struct tuned t;
    char out_dir[360], path[400];
    snprintf(out_dir, sizeof out_dir, "%s/tuned", f->models.path);
    snprintf(path, sizeof path, "%s/model.onnx", out_dir);
    if (train(f, recipe, data, out_dir, f->base, &err) != ENG_OK) fail_msg("%s", err.text);
    open_file(path, &t);
    return t;
}

static const struct eng_tensor *tensor(const struct onnx_model *file, const char *name)
{
    for (size_t i = 0; i < file->n_initializers; i++)
        if (strcmp(file->initializers[i].name, name) == 0) return &file->initializers[i].tensor;
    fail_msg("no initializer is called %s", name);
    return NULL;
}

static bool is_same(const struct tuned *a, const struct tuned *b, const char *name)
{
    const struct eng_tensor *x = tensor(&a->file, name), *y = tensor(&b->file, name);
    return eng_shape_equal(&x->shape, &y->shape) &&
           memcmp(x->data, y->data, (size_t)eng_tensor_bytes(x)) == 0;
}

/* The labels of a split become their lowest bit. */
static void halve_labels(struct temp_folder *folder, const char *name)
{
    FILE *file = fopen(temp_folder_file(folder, name), "r+b");
    assert_non_null(file);
    int c;
    for (fseek(file, 8, SEEK_SET); (c = fgetc(file)) != EOF;) {
        fseek(file, -1, SEEK_CUR);
        fputc(c & 1, file);
        fflush(file);
    }
    fclose(file);
}

static int setup(void **state)
{
    static struct fixture f;
    struct eng_error err = {0};
    f.data = temp_folder_make();
    f.pairs = temp_folder_make();
    f.models = temp_folder_make();
    tiny_digits_write(&f.data, 160, 40);
    tiny_digits_write(&f.pairs, 160, 40);
    halve_labels(&f.pairs, "train-labels-idx1-ubyte");
    halve_labels(&f.pairs, "t10k-labels-idx1-ubyte");
    snprintf(f.recipe, sizeof f.recipe, "%s/recipe.json", f.models.path);
    snprintf(f.base_dir, sizeof f.base_dir, "%s/base", f.models.path);
    snprintf(f.base, sizeof f.base, "%s/model.onnx", f.base_dir);
    if (train(&f, base_recipe, f.data.path, f.base_dir, NULL, &err) != ENG_OK)
        fail_msg("%s", err.text);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_folder_remove(&f->data);
    temp_folder_remove(&f->pairs);
    temp_folder_remove(&f->models);
    return 0;
}

static void the_same_classes_keep_the_network(void **state)
{
    struct fixture *f = *state;
    struct tuned base, after = tune(f, tuned_recipe, f->data.path);
    open_file(f->base, &base);
    assert_int_equal(after.file.n_nodes, base.file.n_nodes);
    for (size_t i = 0; i < base.file.n_nodes; i++) {
        assert_string_equal(after.file.nodes[i].name, base.file.nodes[i].name);
        assert_string_equal(after.file.nodes[i].op_type, base.file.nodes[i].op_type);
        assert_string_equal(after.file.nodes[i].outputs[0], base.file.nodes[i].outputs[0]);
    }
    assert_string_equal(after.file.inputs[0].name, "image");
    assert_string_equal(after.file.outputs[0].name, "probabilities");
    assert_true(is_same(&base, &after, "conv1.weight"));
    assert_false(is_same(&base, &after, "gemm1.weight"));
    assert_false(is_same(&base, &after, "batchnormalization1.running_mean"));
    close_file(&base);
    close_file(&after);
}

/* A version folder will do for the file; the card's preprocessing stays. */
static void preprocessing_is_the_files(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct eng_model *before, *after;
    char out_dir[360];
    snprintf(out_dir, sizeof out_dir, "%s/pairs", f->models.path);
    if (train(f, tuned_recipe, f->pairs.path, out_dir, f->base_dir, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_model_open(f->base_dir, NULL, &before, NULL), ENG_OK);
    assert_int_equal(eng_model_open(out_dir, NULL, &after, NULL), ENG_OK);
    const struct eng_card *a = eng_model_card(before), *b = eng_model_card(after);
    assert_true(a->preprocess.mean[0] == b->preprocess.mean[0]);
    assert_true(a->preprocess.std[0] == b->preprocess.std[0]);
    assert_int_equal(b->n_classes, 2);
    assert_non_null(strstr(b->recipe, "\"from\":"));
    eng_model_destroy(before);
    eng_model_destroy(after);
}

static void other_classes_get_a_last_layer(void **state)
{
    struct fixture *f = *state;
    struct tuned base, after = tune(f, tuned_recipe, f->pairs.path);
    open_file(f->base, &base);
    const struct eng_shape weight = {.rank = 2, .dim = {54, 2}}, bias = {.rank = 1, .dim = {2}};
    assert_true(eng_shape_equal(&tensor(&after.file, "gemm1.weight")->shape, &weight));
    assert_true(eng_shape_equal(&tensor(&after.file, "gemm1.bias")->shape, &bias));
    assert_true(is_same(&base, &after, "conv1.weight"));
    assert_int_equal(after.file.n_nodes, base.file.n_nodes);
    close_file(&base);
    close_file(&after);
}

/* Smaller pictures are brought to the size that the network takes. */
static void the_pictures_follow_the_file(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    char small[360], tuned[360];
    snprintf(small, sizeof small, "%s/small", f->models.path);
    snprintf(tuned, sizeof tuned, "%s/from_small", f->models.path);
    const char recipe[] = "{" COMMON "\"input\": {\"size\": [5, 6], \"channels\": 3}, \"layers\": "
                          "[{\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 4}]}";
    if (train(f, recipe, f->data.path, small, NULL, &err) != ENG_OK) fail_msg("%s", err.text);
    if (train(f, "{" COMMON "\"epochs\": 2}", f->data.path, tuned, small, &err) != ENG_OK)
        fail_msg("%s", err.text);
    struct eng_model *model;
    assert_int_equal(eng_model_open(tuned, NULL, &model, NULL), ENG_OK);
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    assert_true(pre->height_px == 5 && pre->width_px == 6 && pre->color == ENG_COLOR_RGB);
    eng_model_destroy(model);
}

/* What standardises in front of the network belongs to it, and other points do not change it. */
static void vectors_keep_their_standardisation(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct tuned base, after;
    char dirs[2][360], paths[2][400];
    static const char *const recipes[] = {
        "{" COMMON "\"toy\": {\"kind\": \"spiral\", \"classes\": 3}, \"epochs\": 1, \"layers\": "
        "[{\"op\": \"Gemm\", \"outputs\": 8}, {\"op\": \"Elu\"}, {\"op\": \"Gemm\", \"outputs\": "
        "3}]}",
        "{" COMMON "\"toy\": {\"kind\": \"moons\"}, \"epochs\": 1}"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(dirs[i], sizeof dirs[i], "%s/toy%zu", f->models.path, i);
        snprintf(paths[i], sizeof paths[i], "%s/model.onnx", dirs[i]);
        if (train(f, recipes[i], NULL, dirs[i], i ? dirs[0] : NULL, &err) != ENG_OK)
            fail_msg("%s", err.text);
    }
    open_file(paths[0], &base);
    open_file(paths[1], &after);
    assert_true(is_same(&base, &after, "standardise.mean"));
    assert_true(is_same(&base, &after, "standardise.deviation"));
    assert_false(is_same(&base, &after, "gemm1.weight"));
    assert_int_equal(tensor(&after.file, "gemm2.weight")->shape.dim[1], 2);
    close_file(&base);
    close_file(&after);
}

static void what_cannot_be_is_refused(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    char out[360], knn[360];
    snprintf(out, sizeof out, "%s/refused", f->models.path);
    snprintf(knn, sizeof knn, "%s/knn", f->models.path);
    const char neighbours[] = "{\"name\": \"x\", \"method\": \"knn\", \"golden\": 1, \"knn\": {}}";
    if (train(f, neighbours, f->data.path, knn, NULL, &err) != ENG_OK) fail_msg("%s", err.text);
    static const struct {
        const char *recipe, *from, *sentence;
    } wrong[] = {
        {"{" COMMON "\"from\": \"no/such.onnx\"}", NULL, "no/such.onnx"},
        {"{" COMMON "\"from\": \"a.onnx\", \"layers\": [{\"op\": \"Flatten\"}]}", NULL,
         "both from and layers are given"},
        {"{" COMMON "\"freeze\": [\"conv7\"]}", "base",
         "freeze[0] is \"conv7\", which is no layer and no parameter; wanted a name such as "
         "\"conv1\""},
        {"{" COMMON "\"input\": {\"size\": [7, 7]}}", "base",
         "pictures of 7 x 7 x 1 are asked for"},
        {"{" COMMON "\"input\": {\"standardise\": \"pixel\"}}", "base", "which adds nodes"},
        {"{" COMMON "\"shards\": 1}", "knn",
         "node 'knearest1' (KNearest): the operator has no gradient"},
        {"{\"name\": \"x\", \"method\": \"knn\", \"from\": \"a.onnx\"}", NULL,
         "from is no key of method knn"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char from[360];
        snprintf(from, sizeof from, "%s/%s", f->models.path, wrong[i].from ? wrong[i].from : "");
        err = (struct eng_error){0};
        if (train(f, wrong[i].recipe, f->data.path, out, wrong[i].from ? from : NULL, &err) ==
            ENG_OK)
            fail_msg("%s was trained", wrong[i].recipe);
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.text, wrong[i].sentence);
    }
}

/* The recipe's layers give way to the command line's model; what is frozen adds up. */
static void the_command_line_wins(void **state)
{
    (void)state;
    struct eng_recipe recipe;
    struct eng_error err = {0};
    const char text[] = "{" COMMON "\"freeze\": [\"a\"], \"layers\": [{\"op\": \"Flatten\"}]}";
    const char *const freeze[] = {"b", "c*"};
    struct eng_recipe_overrides overrides = {
        .seed = -1, .from = "m.onnx", .freeze = freeze, .n_freeze = 2};
    if (eng_recipe_parse("r", text, strlen(text), &overrides, &recipe, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_string_equal(recipe.from, "m.onnx");
    assert_int_equal(recipe.n_layers, 0);
    assert_int_equal(recipe.n_freeze, 3);
    assert_string_equal(recipe.freeze[2], "c*");
    assert_non_null(strstr(recipe.text, "\"freeze\":[\"a\",\"b\",\"c*\"]"));
    assert_null(strstr(recipe.text, "layers"));
    eng_recipe_fini(&recipe);
    overrides.from = "\xff.onnx";
    assert_int_equal(eng_recipe_parse("r", text, strlen(text), &overrides, &recipe, &err),
                     ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "is not UTF-8"));
}

/* ---- last layers of all kinds, on graphs made by hand ---- */

static int constant(struct eng_graph *graph, const char *name, struct eng_shape shape)
{
    int value;
    float zeros[512] = {0};
    const struct eng_tensor tensor = {.dtype = ENG_FLOAT32, .shape = shape, .data = zeros};
    assert_true(eng_shape_count(&shape) <= 512);
    assert_int_equal(eng_graph_add_constant(graph, name, &tensor, &value, NULL), ENG_OK);
    return value;
}

static int node(struct eng_graph *graph, const char *op, const char *name, const int *in,
                size_t n_in)
{
    char out[64];
    const char *const outs[] = {out};
    snprintf(out, sizeof out, "%s.out", name);
    assert_int_equal(eng_graph_add_node(graph, name, "", op, 13, NULL, 0, in, n_in, outs, 1, NULL),
                     ENG_OK);
    return eng_graph_find(graph, out);
}

static int start(struct eng_graph *graph, struct eng_shape shape)
{
    int value;
    eng_graph_init(graph);
    assert_int_equal(eng_graph_add_input(graph, "x", ENG_FLOAT32, &shape, &value, NULL), ENG_OK);
    return value;
}

/* As an exporter writes it: pictures are scaled and moved by constants, then comes the layer. */
static void write_scaled(const char *path)
{
    struct eng_graph graph;
    struct onnx_model file;
    uint8_t *bytes;
    size_t n_bytes;
    int x = start(&graph, (struct eng_shape){4, {1, 1, TINY_SIDE_PX, TINY_SIDE_PX}});
    int by = constant(&graph, "by", (struct eng_shape){1, {1}});
    int to = constant(&graph, "to", (struct eng_shape){1, {1}});
    int w = constant(&graph, "w", (struct eng_shape){2, {64, TINY_CLASSES}});
    *(float *)graph.values[by].tensor.data = 2;
    *(float *)graph.values[to].tensor.data = -1;
    int at = node(&graph, "Mul", "scaled", (int[]){x, by}, 2);
    at = node(&graph, "Add", "moved", (int[]){at, to}, 2);
    at = node(&graph, "Flatten", "flat", &at, 1);
    at = node(&graph, "MatMul", "layer", (int[]){at, w}, 2);
    assert_int_equal(eng_graph_add_output(&graph, at, NULL), ENG_OK);
    assert_int_equal(eng_convert_export(&graph, &file, NULL), ENG_OK);
    assert_int_equal(onnx_model_write(&file, &bytes, &n_bytes, NULL), ENG_OK);
    assert_int_equal(eng_file_write(path, bytes, n_bytes, NULL), ENG_OK);
    free(bytes);
    onnx_model_fini(&file);
    eng_graph_fini(&graph);
}

/* Also: a batch of 1 is freed, and a softmax comes behind. */
static void what_standardises_is_no_parameter(void **state)
{
    struct fixture *f = *state;
    struct eng_error err = {0};
    struct tuned before, after;
    char scaled[360], out_dir[360], path[400];
    snprintf(scaled, sizeof scaled, "%s/scaled.onnx", f->models.path);
    snprintf(out_dir, sizeof out_dir, "%s/from_scaled", f->models.path);
    snprintf(path, sizeof path, "%s/model.onnx", out_dir);
    write_scaled(scaled);
    if (train(f, "{" COMMON "\"epochs\": 2}", f->data.path, out_dir, scaled, &err) != ENG_OK)
        fail_msg("%s", err.text);
    open_file(scaled, &before);
    open_file(path, &after);
    assert_true(is_same(&before, &after, "by") && is_same(&before, &after, "to"));
    assert_false(is_same(&before, &after, "w"));
    assert_int_equal(after.file.inputs[0].shape.dim[0], -1);
    assert_string_equal(after.file.nodes[after.file.n_nodes - 1].op_type, "Softmax");
    assert_int_equal(after.file.opsets[0].version, 13);
    close_file(&before);
    close_file(&after);
}

static enum eng_status renew(struct eng_graph *graph, int scores, struct eng_error *err)
{
    const struct eng_new_head head = {.scores = scores, .n_before = 10, .n_outputs = 3};
    assert_int_equal(eng_graph_add_output(graph, scores, NULL), ENG_OK);
    return eng_new_head_make(graph, &head, err);
}

/* SqueezeNet ends so: Conv, Relu, pooling, Reshape to the number of classes. */
static void a_convolution_can_be_the_last_layer(void **state)
{
    (void)state;
    struct eng_graph graph;
    int x = start(&graph, (struct eng_shape){4, {-1, 5, 4, 4}}), target;
    int w = constant(&graph, "w", (struct eng_shape){4, {10, 5, 1, 1}});
    int b = constant(&graph, "b", (struct eng_shape){1, {10}});
    int64_t dims[] = {0, 10};
    const struct eng_tensor shape = {
        .dtype = ENG_INT64, .shape = {.rank = 1, .dim = {2}}, .data = dims};
    assert_int_equal(eng_graph_add_constant(&graph, "dims", &shape, &target, NULL), ENG_OK);
    int at = node(&graph, "Conv", "conv", (int[]){x, w, b}, 3);
    at = node(&graph, "Relu", "relu", &at, 1);
    at = node(&graph, "GlobalAveragePool", "pool", &at, 1);
    at = node(&graph, "Reshape", "reshape", (int[]){at, target}, 2);
    struct eng_error err = {0};
    if (renew(&graph, at, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(graph.values[w].tensor.shape.dim[0], 3);
    assert_int_equal(graph.values[b].tensor.shape.dim[0], 3);
    assert_int_equal(((int64_t *)graph.values[target].tensor.data)[1], 3);
    const float *weights = graph.values[w].tensor.data, *bias = graph.values[b].tensor.data;
    assert_true(weights[0] != 0 && weights[14] != 0 && bias[2] == 0);
    eng_graph_fini(&graph);
}

static void a_product_and_a_sum_can_be_the_last_layer(void **state)
{
    (void)state;
    struct eng_graph graph;
    int x = start(&graph, (struct eng_shape){2, {-1, 7}});
    int w = constant(&graph, "w", (struct eng_shape){2, {7, 10}});
    int b = constant(&graph, "b", (struct eng_shape){2, {1, 10}});
    int at = node(&graph, "MatMul", "product", (int[]){x, w}, 2);
    at = node(&graph, "Add", "sum", (int[]){b, at}, 2);
    struct eng_error err = {0};
    if (renew(&graph, at, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(graph.values[w].tensor.shape.dim[1], 3);
    assert_int_equal(graph.values[b].tensor.shape.dim[0], 1);
    assert_int_equal(graph.values[b].tensor.shape.dim[1], 3);
    eng_graph_fini(&graph);
}

/* The other layer keeps the tensor of both. */
static void a_last_layer_parts_from_one_that_it_is_tied_to(void **state)
{
    (void)state;
    struct eng_graph graph;
    struct eng_error err = {0};
    int x = start(&graph, (struct eng_shape){2, {-1, 10}});
    int w = constant(&graph, "w", (struct eng_shape){2, {10, 10}});
    int b = constant(&graph, "b", (struct eng_shape){1, {10}});
    int at = node(&graph, "Gemm", "first", (int[]){x, w, b}, 3);
    at = node(&graph, "Gemm", "second", (int[]){at, w, b}, 3);
    if (renew(&graph, at, &err) != ENG_OK) fail_msg("%s", err.text);
    const struct eng_node *first = &graph.nodes[0], *second = &graph.nodes[1];
    assert_int_equal(first->in[1], w);
    assert_int_equal(first->in[2], b);
    assert_int_equal(graph.values[w].tensor.shape.dim[1], 10);
    assert_int_equal(graph.values[b].tensor.shape.dim[0], 10);
    assert_int_equal(second->in[1], eng_graph_find(&graph, "w.second"));
    assert_int_equal(graph.values[second->in[1]].tensor.shape.dim[1], 3);
    assert_int_equal(graph.values[second->in[2]].tensor.shape.dim[0], 3);
    eng_graph_fini(&graph);
}

static void a_last_layer_that_cannot_be_replaced_is_named(void **state)
{
    (void)state;
    struct eng_graph graph;
    struct eng_error err = {0};
    int x = start(&graph, (struct eng_shape){2, {-1, 10}});
    int w = constant(&graph, "w", (struct eng_shape){2, {10, 10}});
    int first = node(&graph, "MatMul", "first", (int[]){x, w}, 2);
    int second = node(&graph, "MatMul", "second", (int[]){first, w}, 2);
    int tail = node(&graph, "Sigmoid", "tail", &second, 1);
    err = (struct eng_error){0};
    assert_int_equal(renew(&graph, tail, &err), ENG_UNSUPPORTED);
    assert_non_null(strstr(err.text, "node 'tail' (Sigmoid): stands between the last layer with"));
    int sum = node(&graph, "Add", "sum", (int[]){first, second}, 2);
    err = (struct eng_error){0};
    assert_int_equal(renew(&graph, sum, &err), ENG_UNSUPPORTED);
    assert_non_null(strstr(err.text, "node 'sum' (Add): stands between"));
    int alone = node(&graph, "Relu", "alone", &x, 1);
    err = (struct eng_error){0};
    assert_int_equal(renew(&graph, alone, &err), ENG_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no Conv, Gemm or MatMul stands before the scores"));
    eng_graph_fini(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_classes_keep_the_network),
        cmocka_unit_test(preprocessing_is_the_files),
        cmocka_unit_test(other_classes_get_a_last_layer),
        cmocka_unit_test(the_pictures_follow_the_file),
        cmocka_unit_test(vectors_keep_their_standardisation),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_command_line_wins),
        cmocka_unit_test(what_standardises_is_no_parameter),
        cmocka_unit_test(a_convolution_can_be_the_last_layer),
        cmocka_unit_test(a_product_and_a_sum_can_be_the_last_layer),
        cmocka_unit_test(a_last_layer_parts_from_one_that_it_is_tied_to),
        cmocka_unit_test(a_last_layer_that_cannot_be_replaced_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
