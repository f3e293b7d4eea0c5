/* Batches of graphs that were exported for one sample: computed together where that gives what each
 * sample gives alone, else one by one. */
#include "engine/session.h"
#include "model/model_internal.h"
#include "net_file.h"

#include <time.h>

#include <math.h>

enum { N_ROWS = 5 };

static struct eng_model *open_net(const struct net *net)
{
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model;
    struct eng_error err = {0};
    net_to_bytes(net, NULL, 0, &bytes, &n_bytes);
    if (eng_model_open_bytes(bytes, n_bytes, NULL, &model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    free(bytes);
    return model;
}

static int shape_constant(struct net *net, const char *name, const int64_t *dims, int64_t n)
{
    return net_constant(net, name, ENG_INT64, NET_SHAPE(n), dims);
}

/* Samples of n numbers through classify and raw runs: together they must give the bits of each. */
static void check_rows(const struct eng_model *model, const struct eng_shape *shape)
{
    struct eng_session *session;
    struct eng_shape input_shape = *shape;
    input_shape.dim[0] = N_ROWS;
    size_t n = (size_t)eng_shape_count(&input_shape) / N_ROWS;
    size_t n_classes = eng_model_card(model)->n_classes, n_bytes = n_classes * sizeof(float);
    float *samples = malloc(N_ROWS * n * sizeof *samples), *alone = malloc(N_ROWS * n_bytes);
    assert_true(samples && alone);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    for (size_t i = 0; i < N_ROWS * n; i++)
        samples[i] = sinf((float)(i * i));
    for (int i = 0; i < N_ROWS; i++) {
        memcpy(eng_session_sample(session, 1, 0), samples + (size_t)i * n, n * sizeof *samples);
        memcpy(alone + (size_t)i * n_classes, eng_session_classify(session, 1), n_bytes);
    }
    assert_true(memcmp(alone, alone + n_classes, n_bytes) != 0);
    for (int i = 0; i < N_ROWS; i++)
        memcpy(eng_session_sample(session, N_ROWS, i), samples + (size_t)i * n,
               n * sizeof *samples);
    assert_memory_equal(eng_session_classify(session, N_ROWS), alone, N_ROWS * n_bytes);

    struct eng_tensor output, input = {.dtype = ENG_FLOAT32, .shape = input_shape, .data = samples};
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, NULL), ENG_OK);
    assert_int_equal(output.shape.dim[0], N_ROWS);
    assert_int_equal(eng_shape_count(&output.shape), N_ROWS * n_classes);
    for (size_t i = 1; i < N_ROWS; i++) {
        struct eng_tensor row, one = input;
        float kept[128];
        assert_true(n_classes <= 128);
        memcpy(kept, (const float *)output.data + i * n_classes, n_bytes);
        one.shape.dim[0] = 1;
        one.data = samples + i * n;
        assert_int_equal(eng_session_run(session, &one, 1, &row, 1, NULL), ENG_OK);
        assert_memory_equal(row.data, kept, n_bytes);
        assert_int_equal(eng_session_run(session, &input, 1, &output, 1, NULL), ENG_OK);
    }
    input.shape.dim[0] = eng_model_max_batch(model) + 1;
    assert_int_equal(eng_session_run(session, &input, 1, &output, 1, NULL), ENG_ARGUMENT);
    free(samples);
    free(alone);
    eng_session_destroy(session);
}

/* Opens it, compares, closes it. */
static void check(struct net *net, struct eng_shape shape, bool one_by_one)
{
    struct eng_model *model = open_net(net);
    assert_int_equal(eng_model_max_batch(model), 32);
    assert_int_equal(eng_model_runs_one_by_one(model), one_by_one);
    check_rows(model, &shape);
    eng_model_destroy(model);
    net_fini(net);
}

/* The ones in the shapes of two Reshapes; the second Reshape's other reader keeps its one. */
static void ones_in_shapes_follow_the_batch(void **state)
{
    (void)state;
    struct net net;
    int64_t flat[2] = {1, 16}, vector[2] = {1, -1};
    net_init(&net, 4);
    int x = net_input(&net, "x", NET_SHAPE(1, 1, 4, 4));
    int to_flat = shape_constant(&net, "flat", flat, 2);
    int to_vector = shape_constant(&net, "vector", vector, 2);
    x = net_node(&net, "Reshape", "first", (int[]){x, to_flat}, 2, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(16, 6), -1.0f, 1.0f);
    x = net_node(&net, "MatMul", "product", (int[]){x, w}, 2, NULL, 0);
    x = net_node(&net, "Reshape", "second", (int[]){x, to_vector}, 2, NULL, 0);
    int size = net_node(&net, "Size", "size", &to_vector, 1, NULL, 0); /* 2, and 2 it stays */
    int bias = net_weight(&net, "bias", NET_SHAPE(2, 3), -1.0f, 1.0f);
    bias = net_node(&net, "Reshape", "bias_row", (int[]){bias, to_vector}, 2, NULL, 0);
    (void)size;
    net_output(&net, net_node(&net, "Add", "scores", (int[]){x, bias}, 2, NULL, 0));
    check(&net, NET_SHAPE(1, 1, 4, 4), false);
}

/* Windows: the first number is not one but as many windows as one sample has. */
static void windows_follow_the_batch(void **state)
{
    (void)state;
    struct net net;
    int64_t windows[3] = {4, 4, 1}, back[2] = {1, 16};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    net_init(&net, 4);
    int x = net_input(&net, "x", NET_SHAPE(1, 1, 4, 4));
    int to = shape_constant(&net, "windows", windows, 3);
    int from = shape_constant(&net, "back", back, 2);
    x = net_node(&net, "Reshape", "cut", (int[]){x, to}, 2, NULL, 0);
    x = net_node(&net, "Softmax", "within", &x, 1, &axis, 1);
    x = net_node(&net, "Reshape", "joined", (int[]){x, from}, 2, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(16, 3), -1.0f, 1.0f);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){x, w}, 2, NULL, 0));
    check(&net, NET_SHAPE(1, 1, 4, 4), false);
}

/* What is enlarged to given sizes says how many samples there are, too. */
static void sizes_follow_the_batch(void **state)
{
    (void)state;
    struct net net;
    int64_t sizes[4] = {1, 1, 6, 8};
    struct eng_attr mode = {.name = "mode", .type = ENG_ATTR_STRING, .s = "linear"};
    net_init(&net, 4);
    int x = net_input(&net, "x", NET_SHAPE(1, 1, 3, 4));
    int to = shape_constant(&net, "sizes", sizes, 4);
    int y =
        net_node(&net, "Resize", "larger", (int[]){x, ENG_NO_VALUE, ENG_NO_VALUE, to}, 4, &mode, 1);
    y = net_node(&net, "Flatten", "flat", &y, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(48, 3), -1.0f, 1.0f);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){y, w}, 2, NULL, 0));
    check(&net, NET_SHAPE(1, 1, 3, 4), false);
}

/* Every shape fits, and yet the samples would change each other. */
static void graphs_that_mix_samples_run_one_by_one(void **state)
{
    (void)state;
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    for (int64_t declared = 1; declared >= -1; declared -= 2) {
        struct net net;
        net_init(&net, 4);
        int x = net_input(&net, "x", NET_SHAPE(declared, 9));
        int w = net_weight(&net, "w", NET_SHAPE(9, 4), -1.0f, 1.0f);
        int y = net_node(&net, "MatMul", "product", (int[]){x, w}, 2, NULL, 0);
        int mixed = net_node(&net, "Softmax", "mixed", &y, 1, &axis, 1);
        net_output(&net, net_node(&net, "Add", "scores", (int[]){y, mixed}, 2, NULL, 0));
        check(&net, NET_SHAPE(1, 9), true);
    }
}

/* A shape that stays what it is for one sample only. */
static void graphs_that_insist_run_one_by_one(void **state)
{
    (void)state;
    struct net net;
    int64_t turned[2] = {3, 3}, back[2] = {1, 9};
    net_init(&net, 4);
    int x = net_input(&net, "x", NET_SHAPE(1, 9));
    int to = shape_constant(&net, "turned", turned, 2),
        from = shape_constant(&net, "back", back, 2);
    x = net_node(&net, "Reshape", "square", (int[]){x, to}, 2, NULL, 0);
    x = net_node(&net, "MatMul", "squared", (int[]){x, x}, 2, NULL, 0);
    x = net_node(&net, "Reshape", "row", (int[]){x, from}, 2, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(9, 4), -1.0f, 1.0f);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){x, w}, 2, NULL, 0));
    check(&net, NET_SHAPE(1, 9), true);
}

/* An output without a place for the batch: samples are classified all the same. */
static void outputs_without_rows_are_answers_too(void **state)
{
    (void)state;
    struct net net;
    struct eng_session *session;
    int64_t four[1] = {4};
    net_init(&net, 4);
    int x = net_input(&net, "x", NET_SHAPE(1, 9));
    int w = net_weight(&net, "w", NET_SHAPE(9, 4), -1.0f, 1.0f);
    int y = net_node(&net, "MatMul", "product", (int[]){x, w}, 2, NULL, 0);
    int to = shape_constant(&net, "to", four, 1);
    net_output(&net, net_node(&net, "Reshape", "scores", (int[]){y, to}, 2, NULL, 0));
    struct eng_model *model = open_net(&net);
    assert_int_equal(eng_model_card(model)->n_classes, 4);
    assert_true(eng_model_runs_one_by_one(model));
    const char *name;
    assert_int_equal(eng_model_input(model, 0, &name).shape.dim[0], 1);
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    float alone[2][4];
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 9; k++)
            eng_session_sample(session, 1, 0)[k] = (float)(i * k) / 9;
        memcpy(alone[i], eng_session_classify(session, 1), sizeof alone[i]);
    }
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 9; k++)
            eng_session_sample(session, 2, i)[k] = (float)(i * k) / 9;
    assert_memory_equal(eng_session_classify(session, 2), alone, sizeof alone);
    eng_session_destroy(session);
    eng_model_destroy(model);
    net_fini(&net);
}

/* ---- graphs that say one, each in another place ---- */

static int reshape(struct net *net, const char *name, int x, const int64_t *to, int64_t n)
{
    char shape[32];
    snprintf(shape, sizeof shape, "%s.to", name);
    return net_node(net, "Reshape", name, (int[]){x, shape_constant(net, shape, to, n)}, 2, NULL,
                    0);
}

static int transpose(struct net *net, const char *name, int x, const int64_t *perm, size_t n)
{
    struct eng_attr attr = net_ints("perm", perm, n);
    return net_node(net, "Transpose", name, &x, 1, &attr, 1);
}

static int flatten(struct net *net, int x)
{
    return net_node(net, "Flatten", "flat", &x, 1, NULL, 0);
}

static int joined(struct net *net, const char *name, int a, int b, int64_t axis)
{
    struct eng_attr attr = {.name = "axis", .type = ENG_ATTR_INT, .i = axis};
    return net_node(net, "Concat", name, (int[]){a, b}, 2, &attr, 1);
}

static int expanded_sample(struct net *net, int x)
{
    x = reshape(net, "lines", x, (int64_t[]){1, 4, 1, 6}, 4);
    int to = shape_constant(net, "expand.to", (int64_t[]){1, 4, 3, 6}, 4);
    return flatten(net, net_node(net, "Expand", "expand", (int[]){x, to}, 2, NULL, 0));
}

static int expanded_token(struct net *net, int x)
{
    int token = net_weight(net, "token", NET_SHAPE(1, 1, 6), -1.0f, 1.0f);
    int to = shape_constant(net, "expand.to", (int64_t[]){1, 2, 6}, 3);
    token = net_node(net, "Expand", "expand", (int[]){token, to}, 2, NULL, 0);
    return flatten(net, joined(net, "with_token", token, x, 1));
}

static int tiled_sample(struct net *net, int x)
{
    int repeats = shape_constant(net, "repeats", (int64_t[]){1, 2, 1}, 3);
    return flatten(net, net_node(net, "Tile", "tile", (int[]){x, repeats}, 2, NULL, 0));
}

static int tiled_token(struct net *net, int x)
{
    int token = net_weight(net, "token", NET_SHAPE(1, 1, 6), -1.0f, 1.0f);
    int repeats = shape_constant(net, "repeats", (int64_t[]){1, 3, 1}, 3);
    token = net_node(net, "Tile", "tile", (int[]){token, repeats}, 2, NULL, 0);
    return flatten(net, joined(net, "with_tokens", x, token, 1));
}

static int sliced_lines(struct net *net, int x)
{
    int from = shape_constant(net, "from", (int64_t[]){0, 1}, 2);
    int to = shape_constant(net, "behind", (int64_t[]){INT64_MAX, 3}, 2);
    return flatten(net, net_node(net, "Slice", "slice", (int[]){x, from, to}, 3, NULL, 0));
}

static int joined_shape(struct net *net, int x)
{
    int one = shape_constant(net, "one", (int64_t[]){1}, 1);
    int rest = shape_constant(net, "rest", (int64_t[]){-1}, 1);
    int to = joined(net, "to", one, rest, 0);
    return net_node(net, "Reshape", "by_joined_shape", (int[]){x, to}, 2, NULL, 0);
}

static int squeezed(struct net *net, int x)
{
    int axis = shape_constant(net, "axis", (int64_t[]){1}, 1);
    x = net_node(net, "Unsqueeze", "unsqueezed", (int[]){x, axis}, 2, NULL, 0);
    x = net_node(net, "Squeeze", "squeezed", (int[]){x, axis}, 2, NULL, 0);
    return reshape(net, "row", x, (int64_t[]){1, 24}, 2);
}

/* Two heads of attention over four words, the samples in the second dimension. */
static int attention(struct net *net, int x)
{
    struct eng_attr last = {.name = "axis", .type = ENG_ATTR_INT, .i = -1};
    x = transpose(net, "words_first", x, (int64_t[]){1, 0, 2}, 3);
    x = reshape(net, "heads", x, (int64_t[]){4, 2, 3}, 3);
    int a = transpose(net, "queries", x, (int64_t[]){1, 0, 2}, 3);
    int b = transpose(net, "keys", x, (int64_t[]){1, 2, 0}, 3);
    int p = net_node(net, "MatMul", "products", (int[]){a, b}, 2, NULL, 0);
    p = net_node(net, "Softmax", "weights", &p, 1, &last, 1);
    x = net_node(net, "MatMul", "mixed", (int[]){p, a}, 2, NULL, 0);
    x = transpose(net, "words_again", x, (int64_t[]){1, 0, 2}, 3);
    x = reshape(net, "words", x, (int64_t[]){4, 1, 6}, 3);
    return flatten(net, transpose(net, "samples_first", x, (int64_t[]){1, 0, 2}, 3));
}

/* What has been words and samples becomes lines, and these become words and samples. */
static int projected_attention(struct net *net, int x)
{
    int y = transpose(net, "words_in_front", x, (int64_t[]){1, 0, 2}, 3);
    y = reshape(net, "parts", y, (int64_t[]){4, 2, 3}, 3);
    y = reshape(net, "lines", y, (int64_t[]){4, 6}, 2);
    int w = net_weight(net, "w", NET_SHAPE(6, 6), -1.0f, 1.0f);
    y = net_node(net, "MatMul", "projected", (int[]){y, w}, 2, NULL, 0);
    y = reshape(net, "words_of_lines", y, (int64_t[]){4, 1, 6}, 3);
    y = transpose(net, "samples_in_front", y, (int64_t[]){1, 0, 2}, 3);
    return flatten(net, net_node(net, "Add", "residual", (int[]){x, y}, 2, NULL, 0));
}

static int windows_of_windows(struct net *net, int x)
{
    x = reshape(net, "cut", x, (int64_t[]){1, 2, 2, 3, 2}, 5);
    x = transpose(net, "turned", x, (int64_t[]){0, 1, 3, 2, 4}, 5);
    x = reshape(net, "windows", x, (int64_t[]){6, 2, 2}, 3);
    struct eng_attr last = {.name = "axis", .type = ENG_ATTR_INT, .i = -1};
    x = net_node(net, "Softmax", "inside", &x, 1, &last, 1);
    return reshape(net, "together", x, (int64_t[]){1, 24}, 2);
}

static int first_sample(struct net *net, int x)
{
    int from = shape_constant(net, "from", (int64_t[]){0}, 1);
    int to = shape_constant(net, "behind", (int64_t[]){1}, 1);
    return flatten(net, net_node(net, "Slice", "first", (int[]){x, from, to}, 3, NULL, 0));
}

static int mean_of_samples(struct net *net, int x)
{
    static const int64_t first[1] = {0};
    struct eng_attr axes = net_ints("axes", first, 1);
    int mean = net_node(net, "ReduceMean", "mean", &x, 1, &axes, 1);
    return flatten(net, net_node(net, "Add", "sum", (int[]){x, mean}, 2, NULL, 0));
}

/* [1, 4, 6] as one picture of 4 channels: with more samples they would become channels. */
static int samples_as_channels(struct net *net, int x)
{
    x = reshape(net, "channels", x, (int64_t[]){1, -1, 2, 3}, 4);
    int w = net_weight(net, "filter", NET_SHAPE(2, 4, 1, 1), -1.0f, 1.0f);
    return flatten(net, net_node(net, "Conv", "conv", (int[]){x, w}, 2, NULL, 0));
}

static void files_for_one_sample_take_several(void **state)
{
    (void)state;
    static const struct {
        int (*build)(struct net *net, int x); /* x [1, 4, 6] */
        bool one_by_one;
        const char *why;
    } cases[] = {{expanded_sample, false, NULL},
                 {expanded_token, false, NULL},
                 {tiled_sample, false, NULL},
                 {tiled_token, false, NULL},
                 {sliced_lines, false, NULL},
                 {joined_shape, false, NULL},
                 {squeezed, false, NULL},
                 {attention, false, NULL},
                 {projected_attention, false, NULL},
                 {windows_of_windows, false, NULL},
                 {samples_as_channels, false, NULL},
                 {first_sample, true, "output 'y'"},
                 {mean_of_samples, true, "node 'mean'"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct net net;
        net_init(&net, 4);
        int x = cases[i].build(&net, net_input(&net, "x", NET_SHAPE(1, 4, 6)));
        net_output(&net, net_node(&net, "Sigmoid", "y", &x, 1, NULL, 0));
        struct eng_model *model = open_net(&net);
        if (eng_model_runs_one_by_one(model) != cases[i].one_by_one)
            fail_msg("case %zu: %s", i, model->why_one_by_one);
        if (cases[i].why && !strstr(model->why_one_by_one, cases[i].why))
            fail_msg("case %zu: %s", i, model->why_one_by_one);
        check_rows(model, &NET_SHAPE(1, 4, 6));
        eng_model_destroy(model);
        net_fini(&net);
    }
}

/* A hundred thousand nodes are planned in less than a second, but not for 32 batch sizes. */
static void very_long_graphs_take_fewer(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 4);
    int y = net_input(&net, "x", NET_SHAPE(-1, 3));
    for (int i = 0; i < 100000; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        static const char *const ops[3] = {"Transpose", "Identity", "Neg"};
        y = net_node(&net, ops[i % 3], name, &y, 1, NULL, 0);
    }
    net_output(&net, y);
    clock_t start = clock();
    struct eng_model *model = open_net(&net);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 60);
    assert_in_range(eng_model_max_batch(model), 2, 31);
    assert_false(eng_model_runs_one_by_one(model));
    check_rows(model, &NET_SHAPE(1, 3));
    eng_model_destroy(model);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ones_in_shapes_follow_the_batch),
        cmocka_unit_test(windows_follow_the_batch),
        cmocka_unit_test(sizes_follow_the_batch),
        cmocka_unit_test(graphs_that_mix_samples_run_one_by_one),
        cmocka_unit_test(graphs_that_insist_run_one_by_one),
        cmocka_unit_test(files_for_one_sample_take_several),
        cmocka_unit_test(very_long_graphs_take_fewer),
        cmocka_unit_test(outputs_without_rows_are_answers_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
