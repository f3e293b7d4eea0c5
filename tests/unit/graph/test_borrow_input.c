/* Inputs that are read where the caller has them. */
#include "graph/exec.h"
#include "graph/packed_products.h"
#include "graph/shape.h"
#include "net_products.h"

enum { BATCH = 3, DEPTH = 24, COLUMNS = 9, N = BATCH * DEPTH };

/* A packed net, ready to run. */
struct packed {
    struct net net;
    struct eng_graph graph;
    struct eng_plan *plan;
    struct eng_exec *exec;
    int input;
};

static void packed_init(struct packed *p, void (*make)(struct net *net))
{
    struct eng_rewrite rewrite;
    net_init(&p->net, 6);
    make(&p->net);
    eng_graph_init(&p->graph);
    struct eng_tensor *shapes = calloc(p->net.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    assert_int_equal(eng_shape_infer_symbolic(&p->net.graph, false, shapes, NULL), ENG_OK);
    assert_int_equal(eng_rewrite_begin(&rewrite, &p->net.graph, shapes, &p->graph, NULL), ENG_OK);
    assert_int_equal(eng_packed_products(&rewrite, NULL), ENG_OK);
    eng_rewrite_end(&rewrite);
    free(shapes);
    assert_int_equal(eng_plan_create(&p->graph, ENG_PLAN_INFERENCE, BATCH, false, &p->plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&p->graph, p->plan->arena_bytes, NULL, &p->exec, NULL),
                     ENG_OK);
    eng_exec_bind(p->exec, p->plan);
    p->input = p->graph.inputs[0];
}

static void packed_fini(struct packed *p)
{
    eng_exec_destroy(p->exec);
    eng_plan_destroy(p->plan);
    eng_graph_fini(&p->graph);
    net_fini(&p->net);
}

/* x [N, 4, 6] -> Flatten -> Gemm -> Relu */
static void flattened(struct net *net)
{
    int x = net_input(net, "x", NET_SHAPE(-1, 4, 6));
    int flat = products_simple(net, "Flatten", "flat", x, ENG_NO_VALUE);
    int w = net_weight(net, "w", NET_SHAPE(DEPTH, COLUMNS), -1, 1);
    int y = products_gemm(net, "y", (int[]){flat, w}, 2, false, false, 1, 1);
    net_output(net, products_simple(net, "Relu", "relu", y, ENG_NO_VALUE));
}

/* The same, and the flattened input is an output. */
static void flattened_out(struct net *net)
{
    flattened(net);
    net_output(net, eng_graph_find(&net->graph, "flat"));
}

/* The same, and something else reads it. */
static void flattened_twice(struct net *net)
{
    flattened(net);
    net_output(net, products_simple(net, "Relu", "other", eng_graph_find(&net->graph, "flat"),
                                    ENG_NO_VALUE));
}

static float *numbers(float scale)
{
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = scale * (float)(i % 17 - 8);
    return x;
}

static void run_copied(struct packed *p, const float *x, float *y)
{
    memcpy(eng_exec_value(p->exec, p->input)->data, x, N * sizeof *x);
    eng_exec_forward(p->exec, 0);
    memcpy(y, eng_exec_value(p->exec, p->graph.outputs[0])->data, BATCH * COLUMNS * sizeof *y);
}

static void products_read_anywhere(void **state)
{
    (void)state;
    struct packed p;
    float *x = numbers(0.1f), *other = numbers(0.3f), wanted[BATCH * COLUMNS],
          found[2][BATCH * COLUMNS];
    packed_init(&p, flattened);
    void *own = eng_exec_value(p.exec, p.input)->data;
    run_copied(&p, x, wanted);
    run_copied(&p, other, found[0]);
    assert_memory_not_equal(wanted, found[0], sizeof wanted);
    for (int again = 0; again < 2; again++) {
        assert_true(eng_exec_borrow_input(p.exec, p.input, x));
        assert_ptr_equal(eng_exec_value(p.exec, p.input)->data, x);
        eng_exec_forward(p.exec, 0);
        eng_exec_return_inputs(p.exec);
        assert_ptr_equal(eng_exec_value(p.exec, p.input)->data, own);
        assert_memory_equal(eng_exec_value(p.exec, p.graph.outputs[0])->data, wanted,
                            sizeof wanted);
    }
    run_copied(&p, other, found[1]);
    assert_memory_equal(found[0], found[1], sizeof wanted);
    packed_fini(&p);
    free(x);
    free(other);
}

static void others_have_their_own(void **state)
{
    (void)state;
    void (*const nets[])(struct net *) = {flattened_out, flattened_twice};
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct packed p;
        float *x = numbers(1);
        packed_init(&p, nets[i]);
        void *own = eng_exec_value(p.exec, p.input)->data;
        assert_false(eng_exec_borrow_input(p.exec, p.input, x));
        assert_ptr_equal(eng_exec_value(p.exec, p.input)->data, own);
        packed_fini(&p);
        free(x);
    }
}

/* Nothing there, between two floats, and what a run of its own would overwrite. */
static void some_places_will_not_do(void **state)
{
    (void)state;
    struct packed p;
    float *x = numbers(1);
    packed_init(&p, flattened);
    assert_false(eng_exec_borrow_input(p.exec, p.input, NULL));
    assert_false(eng_exec_borrow_input(p.exec, p.input, (char *)x + 2));
    assert_false(
        eng_exec_borrow_input(p.exec, p.input, eng_exec_value(p.exec, p.graph.outputs[0])->data));
    assert_true(eng_exec_borrow_input(p.exec, p.input, x));
    packed_fini(&p);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_read_anywhere),
        cmocka_unit_test(others_have_their_own),
        cmocka_unit_test(some_places_will_not_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
