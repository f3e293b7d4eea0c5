/* From recipes to graphs: branches, groups, names, shapes, and the sentence for what does not fit.
 */
#include "base/file.h"
#include "graph/exec.h"
#include "train/layer.h"
#include "train/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Pictures of 4 x 4 pixels. */
static const struct eng_input pictures = {
    .kind = ENG_DATASET_PICTURES,
    .preprocess = {.color = ENG_COLOR_RGB, .width_px = 4, .height_px = 4, .std = {1, 1, 1}}};
static const struct eng_network_shape tiny = {&pictures, 3, NULL, NULL};

#define HEAD "{\"name\": \"x\", \"layers\": ["
#define TAIL ", {\"op\": \"Flatten\"}, {\"op\": \"Gemm\", \"outputs\": 3}]}"
#define CONV(outputs)                                                                             \
    "{\"op\": \"Conv\", \"outputs\": " outputs ", \"kernel_shape\": [3, 3], \"pads\": [1, 1, 1, " \
    "1]}"

/* A network made from a text. */
struct built {
    struct eng_recipe recipe;
    struct eng_graph graph;
    struct eng_network network;
};

static enum eng_status build(struct built *b, const char *text, size_t n_bytes,
                             const struct eng_network_shape *shape, struct eng_error *err)
{
    enum eng_status status = eng_recipe_parse("r.json", text, n_bytes, NULL, &b->recipe, err);
    if (status != ENG_OK) return status;
    eng_graph_init(&b->graph);
    status = eng_network_build(&b->recipe, shape, &b->graph, &b->network, err);
    if (status != ENG_OK) {
        eng_graph_fini(&b->graph);
        eng_recipe_fini(&b->recipe);
    }
    return status;
}

static struct built must_build(const char *text, const struct eng_network_shape *shape)
{
    struct built b;
    struct eng_error err = {0};
    if (build(&b, text, strlen(text), shape, &err) != ENG_OK) fail_msg("%s: %s", text, err.text);
    return b;
}

static void drop(struct built *b)
{
    eng_graph_fini(&b->graph);
    eng_recipe_fini(&b->recipe);
}

static void expect_nodes(const struct built *b, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n && i < b->graph.n_nodes; i++)
        assert_string_equal(b->graph.nodes[i].name, names[i]);
    assert_int_equal(b->graph.n_nodes, n);
}

#define EXPECT_NODES(b, ...)                            \
    expect_nodes(b, (const char *const[]){__VA_ARGS__}, \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static const struct eng_node *node(const struct built *b, const char *name)
{
    for (size_t i = 0; i < b->graph.n_nodes; i++)
        if (strcmp(b->graph.nodes[i].name, name) == 0) return &b->graph.nodes[i];
    fail_msg("no node is called %s", name);
    return NULL;
}

static void an_empty_branch_passes_on_what_comes_in(void **state)
{
    (void)state;
    struct built b = must_build(HEAD CONV("2") ", {\"op\": \"Add\", \"branches\": [[], [" CONV(
                                    "2") ", {\"op\": \"Relu\"}]]}" TAIL,
                                &tiny);
    EXPECT_NODES(&b, "conv1", "conv2", "relu1", "add1", "flatten1", "gemm1");
    const struct eng_node *add = node(&b, "add1");
    assert_int_equal(add->in[0], node(&b, "conv1")->out[0]);
    assert_int_equal(add->in[1], node(&b, "relu1")->out[0]);
    assert_int_equal(node(&b, "conv2")->in[0], node(&b, "conv1")->out[0]);
    assert_int_equal(node(&b, "flatten1")->in[0], add->out[0]);
    assert_string_equal(b.graph.values[b.network.scores].name, "scores");
    drop(&b);
}

/* Runs the network on 0, 1, 2 ... */
static void run(const struct built *b, size_t n, float *scores, size_t n_scores)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    assert_int_equal(eng_plan_create(&b->graph, ENG_PLAN_INFERENCE, (int64_t)n, false, &plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&b->graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *in = eng_exec_value(exec, b->network.input);
    for (int64_t i = 0; i < eng_shape_count(&in->shape); i++)
        ((float *)in->data)[i] = (float)i;
    eng_exec_forward(exec, 0);
    memcpy(scores, eng_exec_value(exec, b->network.scores)->data, n_scores * sizeof *scores);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

/* Three branches in a network over vectors. */
static void branches_are_summed(void **state)
{
    (void)state;
    const struct eng_input three = {.kind = ENG_DATASET_VECTORS, .n_features = 3, .count = 3};
    const struct eng_network_shape vectors = {&three, 3, NULL, NULL};
    float scores[6];
    struct built b = must_build(HEAD "{\"op\": \"Add\", \"branches\": [[], [], "
                                     "[{\"op\": \"Relu\"}]]}]}",
                                &vectors);
    EXPECT_NODES(&b, "relu1", "add1", "add1");
    assert_string_equal(b.graph.values[b.network.input].name, "features");
    run(&b, 2, scores, 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(scores[i] == 3 * (float)i);
    drop(&b);
}

static void groups_repeat_and_name(void **state)
{
    (void)state;
    struct built b = must_build(
        HEAD "{\"repeat\": 2, \"name\": \"block\", \"layers\": [" CONV(
            "2") ", {\"op\": \"Add\", \"name\": \"sum\", \"branches\": [[], [{\"op\": "
                 "\"Relu\"}]]}]},"
                 " {\"repeat\": 2, \"layers\": [{\"op\": \"Relu\"}]},"
                 " {\"name\": \"end\", \"layers\": [{\"op\": \"Relu\", \"name\": \"it\"}]},"
                 " {\"op\": \"Relu\", \"name\": \"relu4\"}, {\"op\": \"Relu\"}, {\"op\": "
                 "\"Relu\"}" TAIL,
        &tiny);
    EXPECT_NODES(&b, "block1.conv1", "block1.sum.relu1", "block1.sum", "block2.conv1",
                 "block2.sum.relu1", "block2.sum", "relu1", "relu2", "end.it", "relu4", "relu3",
                 "relu5", "flatten1", "gemm1");
    assert_int_not_equal(eng_graph_find(&b.graph, "block2.conv1.weight"), ENG_NO_VALUE);
    drop(&b);
}

/* A kernel of its own for each channel, then a mixture of them. */
static void depthwise_and_pointwise(void **state)
{
    (void)state;
    struct built b = must_build(
        HEAD "{\"op\": \"Conv\", \"outputs\": 6, \"group\": 3, \"kernel_shape\": [3, 3], \"pads\": "
             "[1, 1, 1, 1]}, {\"op\": \"Elu\", \"alpha\": 0.5},"
             " {\"op\": \"Conv\", \"outputs\": 8, \"kernel_shape\": [1, 1]}" TAIL,
        &tiny);
    EXPECT_NODES(&b, "conv1", "elu1", "conv2", "flatten1", "gemm1");
    const struct eng_shape depthwise = {.rank = 4, .dim = {6, 1, 3, 3}};
    const struct eng_shape pointwise = {.rank = 4, .dim = {8, 6, 1, 1}};
    int first = eng_graph_find(&b.graph, "conv1.weight");
    assert_true(eng_shape_equal(&b.graph.values[first].tensor.shape, &depthwise));
    int second = eng_graph_find(&b.graph, "conv2.weight");
    assert_true(eng_shape_equal(&b.graph.values[second].tensor.shape, &pointwise));
    drop(&b);
}

/* The network of the paper has 269,722 parameters; its two projections and their normalisation add
 * 2,752. */
static void resnet20_has_its_size(void **state)
{
    (void)state;
    char path[4096];
    struct eng_file file;
    struct built b;
    struct eng_error err = {0};
    const struct eng_input input = {
        .kind = ENG_DATASET_PICTURES,
        .preprocess = {.color = ENG_COLOR_RGB, .width_px = 32, .height_px = 32}};
    const struct eng_network_shape cifar = {&input, 10, NULL, NULL};
    const char *source = getenv("CLASSIFYD_SOURCE");
    snprintf(path, sizeof path, "%s/tests/bench/recipes/resnet20.json", source ? source : ".");
    assert_int_equal(eng_file_read(path, 1 << 20, &file, NULL), ENG_OK);
    if (build(&b, (const char *)file.bytes, file.n_bytes, &cifar, &err) != ENG_OK)
        fail_msg("%s", err.text);
    int64_t n = 0;
    size_t n_convs = 0;
    for (size_t v = 0; v < b.graph.n_values; v++)
        if (b.graph.values[v].trainable) n += eng_shape_count(&b.graph.values[v].tensor.shape);
    for (size_t i = 0; i < b.graph.n_nodes; i++)
        n_convs += strcmp(b.graph.nodes[i].op->name, "Conv") == 0;
    assert_int_equal(n_convs, 21);
    assert_int_equal(n, 272474);
    eng_file_fini(&file);
    drop(&b);
}

/* As many layers as a recipe may have: shapes are inferred once per layer. */
static void a_thousand_layers(void **state)
{
    (void)state;
    struct built b =
        must_build(HEAD "{\"repeat\": 998, \"layers\": [{\"op\": \"Relu\"}]}" TAIL, &tiny);
    assert_int_equal(b.graph.n_nodes, 1000);
    drop(&b);
}

#define DEEP "{\"layers\": ["

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } wrong[] = {
        {HEAD CONV("4") ", {\"op\": \"Add\", \"branches\": [[], [" CONV("5") "]]}" TAIL,
         "r.json: layers[1]: branches[0] gives shape [1, 4, 4, 4] for one sample and branches[1] "
         "[1, 5, 4, 4]; wanted the same"},
        {HEAD "{\"op\": \"Relu\"}, {\"op\": \"Add\", \"branches\": [[], "
              "[{\"op\": \"Gemm\", \"outputs\": 3}]]}" TAIL,
         "r.json: layers[1].branches[1][0]: gets shape [1, 3, 4, 4]"},
        {HEAD
         "{\"repeat\": 2, \"layers\": [{\"op\": \"Relu\"}, {\"op\": \"Relu\", \"alph\": 1}]}" TAIL,
         "r.json: layers[0].layers[1].alph is not a known key"},
        {HEAD "{\"op\": \"Add\", \"branches\": [[]]}" TAIL,
         "layers[0].branches is [[]]; wanted a list of 2 to 8 branches"},
        {HEAD "{\"op\": \"Add\"}" TAIL, "layers[0].branches is missing"},
        {HEAD "{\"op\": \"Add\", \"branches\": [[], {}]}" TAIL, "each a list of layers"},
        {HEAD "{\"op\": \"Relu\", \"branches\": [[], []]}" TAIL,
         "layers[0].branches is not a known key"},
        {HEAD "{\"repeat\": 0, \"layers\": [{\"op\": \"Relu\"}]}" TAIL,
         "layers[0].repeat is 0; wanted how many times, 1 to 1000"},
        {HEAD "{\"repeat\": 3}" TAIL, "layers[0].layers is missing; wanted a list"},
        {HEAD "{\"repeat\": 3, \"layers\": []}" TAIL, "layers[0].layers is []; wanted a list"},
        {HEAD "{\"repeat\": 3, \"op\": \"Relu\", \"layers\": [{\"op\": \"Relu\"}]}" TAIL,
         "layers[0].op is not a known key"},
        {HEAD "{\"repeat\": 999, \"layers\": [{\"op\": \"Relu\"}]}" TAIL,
         "layers has more than 1000 layers with all repeats counted out"},
        {HEAD "{\"repeat\": 600, \"layers\": [{\"op\": \"Add\", \"branches\": [[], "
              "[{\"op\": \"Relu\"}]]}]}" TAIL,
         "layers[0].layers[0] is layer 1001 with all repeats and branches"},
        {HEAD DEEP DEEP DEEP DEEP DEEP DEEP DEEP DEEP "{\"op\": \"Relu\"}]}]}]}]}]}]}]}]}" TAIL,
         "is a list of layers in 8 others"},
        {HEAD "{\"op\": \"Relu\", \"name\": \"a\"}, {\"op\": \"Relu\", \"name\": \"a\"}" TAIL,
         "layers[1] is called a, as another one is"},
        {HEAD "{\"repeat\": 2, \"layers\": [{\"op\": \"Relu\", \"name\": \"a\"}]}" TAIL,
         "layers[0].layers[0] is called a, as another one is"},
        {HEAD "{\"op\": \"Relu\", \"name\": \"a b\"}" TAIL,
         "layers[0].name is \"a b\"; wanted 1 to 60 letters"},
        {HEAD "{\"op\": \"Relu\", \"name\": 7}" TAIL, "layers[0].name is 7"},
        {HEAD "{\"name\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", "
              "\"layers\": [{\"op\": \"Relu\", \"name\": "
              "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}" TAIL,
         "121 bytes with the groups around it; wanted at most 120"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct built b;
        struct eng_error err = {0};
        enum eng_status status = build(&b, wrong[i].text, strlen(wrong[i].text), &tiny, &err);
        if (status != ENG_FORMAT) fail_msg("%s: %s", wrong[i].text, eng_status_name(status));
        if (!strstr(err.text, wrong[i].sentence))
            fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i].text, err.text, wrong[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_branch_passes_on_what_comes_in),
        cmocka_unit_test(branches_are_summed),
        cmocka_unit_test(groups_repeat_and_name),
        cmocka_unit_test(depthwise_and_pointwise),
        cmocka_unit_test(resnet20_has_its_size),
        cmocka_unit_test(a_thousand_layers),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
