/* Packed products: the same answers, the same names, fewer nodes. */
#include "graph/packed_products.h"

#include "graph/exec.h"
#include "graph/shape.h"
#include "net_products.h"
#include "ops/linear.h"

#include <math.h>

/* The net becomes its rewritten twin; the plain one lives on in `plain`. */
static void pack(struct net *net, struct eng_graph *plain)
{
    struct eng_error err = {0};
    struct eng_tensor *shapes = calloc(net->graph.n_values, sizeof *shapes);
    struct eng_rewrite rewrite;
    assert_non_null(shapes);
    *plain = net->graph;
    eng_graph_init(&net->graph);
    if (eng_shape_infer_symbolic(plain, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, plain, shapes, &net->graph, &err) != ENG_OK ||
        eng_packed_products(&rewrite, &err) != ENG_OK)
        fail_msg("%s", err.text);
    eng_rewrite_end(&rewrite);
    free(shapes);
}

enum { MAX_OUTPUTS = 3 };

struct answer {
    float *y[MAX_OUTPUTS];
    size_t n[MAX_OUTPUTS];
};

/* The first numbers of a seeded stream as input. */
static void run(const struct eng_graph *graph, int64_t batch, struct answer *out)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_rng rng;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, batch, false, &plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[0]);
    eng_rng_init(&rng, 5, 0);
    for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
        ((float *)x->data)[i] = eng_rng_normal(&rng);
    eng_exec_forward(exec, 0);
    *out = (struct answer){0};
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[i]);
        out->n[i] = (size_t)eng_shape_count(&y->shape);
        out->y[i] = malloc(out->n[i] * sizeof(float));
        assert_non_null(out->y[i]);
        memcpy(out->y[i], y->data, out->n[i] * sizeof(float));
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

static void answer_fini(struct answer *a)
{
    for (size_t i = 0; i < MAX_OUTPUTS; i++)
        free(a->y[i]);
}

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

/* Relative to the largest number of an output. */
static void check_answers(const struct net *before, const struct net *after, int64_t batch)
{
    struct answer wanted, found, alone;
    run(&before->graph, batch, &wanted);
    run(&after->graph, batch, &found);
    run(&after->graph, 1, &alone);
    for (size_t i = 0; i < before->graph.n_outputs; i++) {
        float most = 0;
        assert_string_equal(before->graph.values[before->graph.outputs[i]].name,
                            after->graph.values[after->graph.outputs[i]].name);
        assert_int_equal(wanted.n[i], found.n[i]);
        for (size_t j = 0; j < wanted.n[i]; j++)
            most = fmaxf(most, fabsf(wanted.y[i][j]));
        for (size_t j = 0; j < wanted.n[i]; j++)
            if (!(fabsf(wanted.y[i][j] - found.y[i][j]) <= 3e-6f * most))
                fail_msg("output %zu, element %zu: %g, wanted %g", i, j, (double)found.y[i][j],
                         (double)wanted.y[i][j]);
        assert_memory_equal(alone.y[i], found.y[i], alone.n[i] * sizeof(float));
    }
    answer_fini(&wanted);
    answer_fini(&found);
    answer_fini(&alone);
}

struct pair {
    struct net before, after;
    struct eng_graph plain;
};

static void pair_init(struct pair *p, void (*make)(struct net *net))
{
    net_init(&p->before, 9);
    net_init(&p->after, 9);
    make(&p->before);
    make(&p->after);
    assert_int_equal(eng_passes_optimise(&p->before.graph, NULL), ENG_OK);
    assert_int_equal(eng_passes_optimise(&p->after.graph, NULL), ENG_OK);
    pack(&p->after, &p->plain);
}

static void pair_fini(struct pair *p)
{
    net_fini(&p->before);
    net_fini(&p->after);
    eng_graph_fini(&p->plain);
}

static void gemms(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, net_gemms);
    for (int64_t batch = 1; batch <= 40; batch = batch * 3 + 1)
        check_answers(&p.before, &p.after, batch);
    const struct eng_graph *g = &p.after.graph;
    assert_int_equal(n_linear(g), 3);
    assert_int_equal(count(g, "Gemm"), 2); /* half of what is added, and A transposed */
    assert_int_equal(find(g, "hidden")->activation.kind, ENG_ACT_RELU);
    assert_int_equal(find(g, "scaled")->in[3], ENG_NO_VALUE);
    assert_int_equal(find(g, "more")->in[3], find(g, "hidden")->out[0]);
    assert_int_equal(find(g, "more")->in[2], ENG_NO_VALUE);
    pair_fini(&p);
}

static void tokens(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, net_tokens);
    for (int64_t batch = 1; batch <= 40; batch = batch * 3 + 1)
        check_answers(&p.before, &p.after, batch);
    const struct eng_graph *g = &p.after.graph;
    assert_int_equal(n_linear(g), 7);
    assert_int_equal(count(g, "MatMul"), 0);
    assert_int_equal(count(g, "Sub") + count(g, "Div"), 0);
    assert_int_equal(count(g, "Mul"), 3);
    assert_int_equal(count(g, "Add"), 1);
    assert_int_equal(find(g, "chain")->activation.kind, ENG_ACT_RELU);
    assert_int_equal(find(g, "chain")->in[3], g->inputs[0]);
    assert_int_equal(find(g, "a")->in[3], find(g, "b")->out[0]);
    pair_fini(&p);
}

/* A constant that only packed products read has no place in the twin; one that others read too
 * stays. What a kilobyte of file can ask for is bounded. */
static void constants_are_let_go(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, net_gemms);
    const struct eng_graph *g = &p.after.graph;
    assert_int_equal(g->values[eng_graph_find(g, "w1")].tensor.dtype, ENG_DTYPE_NONE);
    assert_int_equal(g->values[eng_graph_find(g, "b1")].tensor.dtype, ENG_DTYPE_NONE);
    assert_int_equal(g->values[eng_graph_find(g, "w2")].tensor.dtype, ENG_FLOAT32);
    const struct eng_node *node = find(g, "hidden");
    assert_int_equal(g->values[node->in[1]].n_packed, 40 * PRODUCTS_DEPTH);
    assert_int_equal(g->values[node->in[2]].n_packed, 40);
    pair_fini(&p);
}

static void packing_is_bounded(void **state)
{
    (void)state;
    enum { N = 1024, READERS = 30 }; /* 4 MiB each, of which 64 MiB are spared */
    struct net net;
    struct eng_graph plain;
    net_init(&net, 2);
    int v = net_input(&net, "x", NET_SHAPE(-1, N)),
        w = net_weight(&net, "w", NET_SHAPE(N, N), 0, 1);
    for (int i = 0; i < READERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "m%d", i);
        v = products_simple(&net, "MatMul", name, v, w);
    }
    net_output(&net, v);
    pack(&net, &plain);
    assert_int_equal(n_linear(&net.graph), 16);
    assert_int_equal(count(&net.graph, "MatMul"), READERS - 16);
    net_fini(&net);
    eng_graph_fini(&plain);
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
