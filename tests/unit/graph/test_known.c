/* Values that are known while planning: computed once, at every batch size, and never again. */
#include "graph/exec.h"
#include "graph/plan.h"
#include "net.h"

static struct eng_plan *plan_for(const struct eng_graph *graph, enum eng_plan_mode mode,
                                 int64_t batch)
{
    struct eng_plan *plan;
    struct eng_error err = {0};
    if (eng_plan_create(graph, mode, batch, false, &plan, &err) != ENG_OK) fail_msg("%s", err.text);
    return plan;
}

static bool is_known(const struct eng_plan *plan, int value)
{
    return plan->tensors[value].data && plan->offset[value] == ENG_NO_PLACE;
}

/* x -> Shape -> ConstantOfShape; y = x + those ones, reshaped to x's shape again. */
static void shapes_follow_the_batch(void **state)
{
    (void)state;
    struct net net;
    float one = 1.0f;
    struct eng_tensor value = {.dtype = ENG_FLOAT32, .data = &one};
    struct eng_attr attr = {.name = "value", .type = ENG_ATTR_TENSOR, .t = &value};
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3));
    int shape = net_node(&net, "Shape", "shape", &x, 1, NULL, 0);
    int ones = net_node(&net, "ConstantOfShape", "ones", &shape, 1, &attr, 1);
    int sum = net_node(&net, "Add", "sum", (int[]){x, ones}, 2, NULL, 0);
    int y = net_node(&net, "Reshape", "y", (int[]){sum, shape}, 2, NULL, 0);
    net_output(&net, y);
    net_output(&net, shape);
    for (int64_t batch = 1; batch <= 5; batch += 4) {
        struct eng_plan *plan = plan_for(&net.graph, ENG_PLAN_INFERENCE, batch);
        struct eng_exec *exec;
        assert_true(is_known(plan, shape) && is_known(plan, ones));
        assert_false(is_known(plan, sum) || is_known(plan, y));
        assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
        eng_exec_bind(exec, plan);
        float *in = eng_exec_value(exec, x)->data;
        for (int64_t i = 0; i < 3 * batch; i++)
            in[i] = (float)i;
        eng_exec_forward(exec, 0);
        const float *out = eng_exec_value(exec, y)->data;
        for (int64_t i = 0; i < 3 * batch; i++)
            assert_true(out[i] == (float)(i + 1));
        const int64_t *dims = eng_exec_value(exec, shape)->data;
        assert_true(dims[0] == batch && dims[1] == 3);
        eng_exec_destroy(exec);
        eng_plan_destroy(plan);
    }
    net_fini(&net);
}

/* More than a plan should keep is computed when the graph runs. */
static void large_values_wait(void **state)
{
    (void)state;
    struct net net;
    struct eng_exec *exec;
    int64_t dims[2] = {2, 300000};
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 1));
    int shape = net_constant(&net, "dims", ENG_INT64, NET_SHAPE(2), dims);
    int zeros = net_node(&net, "ConstantOfShape", "zeros", &shape, 1, NULL, 0);
    int y = net_node(&net, "Add", "y", (int[]){zeros, x}, 2, NULL, 0);
    net_output(&net, y);
    struct eng_plan *plan = plan_for(&net.graph, ENG_PLAN_INFERENCE, 1);
    assert_false(is_known(plan, zeros));
    assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    *(float *)eng_exec_value(exec, x)->data = 0.5f;
    eng_exec_forward(exec, 0);
    assert_true(((const float *)eng_exec_value(exec, y)->data)[599999] == 0.5f);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    net_fini(&net);
}

/* However large it is: nothing of it is read. */
static void shapes_of_large_values_are_cheap(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 40, 1000, 1000)), shape = ENG_NO_VALUE;
    for (int i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "shape%d", i);
        shape = net_node(&net, "Shape", name, &x, 1, NULL, 0);
    }
    net_output(&net, shape);
    struct eng_plan *plan = plan_for(&net.graph, ENG_PLAN_INFERENCE, 4);
    assert_true(is_known(plan, shape));
    eng_plan_destroy(plan);
    net_fini(&net);
}

/* A value is free once its elements have been read; its shape can be asked for later. */
static void asking_for_a_shape_keeps_no_memory(void **state)
{
    (void)state;
    struct net nets[2];
    size_t arena_bytes[2];
    for (int i = 0; i < 2; i++) {
        struct net *net = &nets[i];
        net_init(net, 1);
        int x = net_input(net, "x", NET_SHAPE(-1, 4));
        int w = net_weight(net, "w", NET_SHAPE(4, 4), -1.0f, 1.0f);
        int first = net_node(net, "MatMul", "first", (int[]){x, w}, 2, NULL, 0);
        int second = net_node(net, "MatMul", "second", (int[]){first, w}, 2, NULL, 0);
        int third = net_node(net, "MatMul", "third", (int[]){second, w}, 2, NULL, 0);
        if (i == 1) {
            int shape = net_node(net, "Shape", "shape", &first, 1, NULL, 0);
            third = net_node(net, "Reshape", "again", (int[]){third, shape}, 2, NULL, 0);
        }
        net_output(net, net_node(net, "MatMul", "y", (int[]){third, w}, 2, NULL, 0));
        struct eng_plan *plan = plan_for(&net->graph, ENG_PLAN_INFERENCE, 32);
        arena_bytes[i] = plan->arena_bytes;
        eng_plan_destroy(plan);
        net_fini(net);
    }
    assert_int_equal(arena_bytes[0], arena_bytes[1]);
}

/* Weights change, and what is computed from them; the shape of something trained does not. */
static void what_training_changes_is_not_known(void **state)
{
    (void)state;
    struct net net;
    int64_t dims[2] = {3, 2};
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3));
    int w = net_weight(&net, "w", NET_SHAPE(2, 3), 0.5f, 1.0f);
    int b = net_weight(&net, "b", NET_SHAPE(2), 0.5f, 1.0f);
    int to = net_constant(&net, "to", ENG_INT64, NET_SHAPE(2), dims);
    int turned = net_node(&net, "Reshape", "turned", (int[]){w, to}, 2, NULL, 0);
    int fixed = net_node(&net, "Relu", "fixed", &b, 1, NULL, 0);
    int y = net_node(&net, "MatMul", "y", (int[]){x, turned}, 2, NULL, 0);
    int shape = net_node(&net, "Shape", "shape", &y, 1, NULL, 0);
    y = net_node(&net, "Add", "sum", (int[]){y, fixed}, 2, NULL, 0);
    net_output(&net, net_node(&net, "Reshape", "out", (int[]){y, shape}, 2, NULL, 0));
    net.graph.values[w].trainable = true;

    struct eng_plan *plan = plan_for(&net.graph, ENG_PLAN_TRAINING, 2);
    assert_false(is_known(plan, turned));
    assert_true(is_known(plan, fixed) && is_known(plan, shape));
    assert_true(plan->grad_offset[turned] != ENG_NO_PLACE);
    assert_true(plan->grad_offset[fixed] == ENG_NO_PLACE);
    struct eng_exec *exec;
    float dw[6], *grads[16] = {[0] = NULL};
    assert_true(net.graph.n_values <= 16);
    grads[w] = dw;
    assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    eng_exec_bind_grads(exec, grads);
    float *in = eng_exec_value(exec, x)->data;
    for (int i = 0; i < 6; i++)
        in[i] = (float)i;
    eng_exec_forward(exec, 0);
    float *seed = eng_exec_seed_grad(exec, net.graph.outputs[0]);
    for (int i = 0; i < 4; i++)
        seed[i] = 1.0f;
    eng_exec_backward(exec);
    for (int i = 0; i < 6; i++) /* column sums of x, for both columns of [3, 2] */
        assert_true(dw[i] == (float)(3 + 2 * (i / 2)));
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);

    plan = plan_for(&net.graph, ENG_PLAN_INFERENCE, 2);
    assert_true(is_known(plan, turned));
    eng_plan_destroy(plan);
    net_fini(&net);
}

static void shapes_that_depend_on_the_picture_are_refused(void **state)
{
    (void)state;
    struct net net;
    struct eng_plan *plan = NULL;
    struct eng_error err = {0};
    int to;
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 4));
    assert_int_equal(eng_graph_add_input(&net.graph, "to", ENG_INT64, &NET_SHAPE(2), &to, NULL),
                     ENG_OK);
    net_output(&net, net_node(&net, "Reshape", "bend", (int[]){x, to}, 2, NULL, 0));
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 1, false, &plan, &err),
                     ENG_UNSUPPORTED);
    assert_string_equal(err.text, "node 'bend' (Reshape): input 1 (shape) is computed from the "
                                  "picture; it must be known before the picture is");
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_follow_the_batch),
        cmocka_unit_test(large_values_wait),
        cmocka_unit_test(shapes_of_large_values_are_cheap),
        cmocka_unit_test(asking_for_a_shape_keeps_no_memory),
        cmocka_unit_test(what_training_changes_is_not_known),
        cmocka_unit_test(shapes_that_depend_on_the_picture_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
