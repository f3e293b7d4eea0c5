/* Batches of graphs that were exported for one sample: computed together where that gives what each
 * sample gives alone, else one by one. */
#include "engine/session.h"
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
        float kept[16];
        assert_true(n_classes <= 16);
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
        cmocka_unit_test(very_long_graphs_take_fewer),
        cmocka_unit_test(outputs_without_rows_are_answers_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
