/* Packed products: the same answers, the same names, fewer nodes. */
#include "graph/packed_products.h"

#include "net_products.h"
#include "ops/linear.h"
#include "rewrite_case.h"

static rewrite_fn *const pack[] = {eng_packed_products, NULL};

static size_t count(const struct eng_graph *graph, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].op != &eng_op_linear && strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

static size_t n_linear(const struct eng_graph *graph)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += graph->nodes[i].op == &eng_op_linear;
    return n;
}

static const struct eng_node *find(const struct eng_graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].name, name) == 0) return &graph->nodes[i];
    fail_msg("there is no node '%s'", name);
    return NULL;
}

static void packed(struct rewrite_case *c, void (*make)(struct net *net))
{
    net_init(&c->net, 9);
    make(&c->net);
    assert_int_equal(eng_passes_optimise(&c->net.graph, NULL), ENG_OK);
    rewrite_run(c, pack);
}

/* Batches that the kernels cut in different ways. */
static void answers_stay(const struct rewrite_case *c)
{
    for (int64_t batch = 1; batch <= 40; batch = batch * 3 + 1)
        rewrite_check_answers(c, batch, 3e-6f);
}

static void gemms(void **state)
{
    (void)state;
    struct rewrite_case c;
    packed(&c, net_gemms);
    answers_stay(&c);
    const struct eng_graph *g = &c.out;
    assert_int_equal(n_linear(g), 3);
    assert_int_equal(count(g, "Gemm"), 2); /* half of what is added, and A transposed */
    assert_int_equal(find(g, "hidden")->activation.kind, ENG_ACT_RELU);
    assert_int_equal(find(g, "scaled")->in[3], ENG_NO_VALUE);
    assert_int_equal(find(g, "more")->in[3], find(g, "hidden")->out[0]);
    assert_int_equal(find(g, "more")->in[2], ENG_NO_VALUE);
    rewrite_fini(&c);
}

static void tokens(void **state)
{
    (void)state;
    struct rewrite_case c;
    packed(&c, net_tokens);
    answers_stay(&c);
    const struct eng_graph *g = &c.out;
    assert_int_equal(n_linear(g), 7);
    assert_int_equal(count(g, "MatMul"), 0);
    assert_int_equal(count(g, "Sub") + count(g, "Div"), 0);
    assert_int_equal(count(g, "Mul"), 3);
    assert_int_equal(count(g, "Add"), 1);
    assert_int_equal(find(g, "chain")->activation.kind, ENG_ACT_RELU);
    assert_int_equal(find(g, "chain")->in[3], g->inputs[0]);
    assert_int_equal(find(g, "a")->in[3], find(g, "b")->out[0]);
    rewrite_fini(&c);
}

/* A constant that only packed products read has no place in the twin; one that others read too
 * stays. What a kilobyte of file can ask for is bounded. */
static void constants_are_let_go(void **state)
{
    (void)state;
    struct rewrite_case c;
    packed(&c, net_gemms);
    const struct eng_graph *g = &c.out;
    assert_int_equal(g->values[eng_graph_find(g, "w1")].tensor.dtype, ENG_DTYPE_NONE);
    assert_int_equal(g->values[eng_graph_find(g, "b1")].tensor.dtype, ENG_DTYPE_NONE);
    assert_int_equal(g->values[eng_graph_find(g, "w2")].tensor.dtype, ENG_FLOAT32);
    const struct eng_node *node = find(g, "hidden");
    assert_int_equal(g->values[node->in[1]].n_packed, 40 * PRODUCTS_DEPTH);
    assert_int_equal(g->values[node->in[2]].n_packed, 40);
    rewrite_fini(&c);
}

static void packing_is_bounded(void **state)
{
    (void)state;
    enum { N = 1024, READERS = 30 }; /* 4 MiB each, of which 64 MiB are spared */
    struct rewrite_case c;
    struct net *net = &c.net;
    net_init(net, 2);
    int v = net_input(net, "x", NET_SHAPE(-1, N)), w = net_weight(net, "w", NET_SHAPE(N, N), 0, 1);
    for (int i = 0; i < READERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        v = products_simple(net, "MatMul", name, v, w);
    }
    net_output(net, v);
    rewrite_run(&c, pack);
    assert_int_equal(n_linear(&c.out), 16);
    assert_int_equal(count(&c.out, "MatMul"), READERS - 16);
    rewrite_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemms),
        cmocka_unit_test(tokens),
        cmocka_unit_test(constants_are_let_go),
        cmocka_unit_test(packing_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
