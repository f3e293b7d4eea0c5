/* Rewriting a quantised graph while allocations fail. */
#include "graph/quantised.h"

#include "failing_malloc.h"
#include "graph/passes.h"
#include "graph/shape.h"
#include "net_bytes.h"
#include "net_pictures.h"

struct source {
    struct eng_graph graph;
    struct eng_tensor *shapes;
};

static enum eng_status rewrite_once(void *ctx, struct eng_error *err)
{
    const struct source *source = ctx;
    struct eng_graph out;
    struct eng_rewrite rewrite;
    eng_graph_init(&out);
    enum eng_status status = eng_rewrite_begin(&rewrite, &source->graph, source->shapes, &out, err);
    if (status == ENG_OK) status = eng_quantised(&rewrite, err);
    eng_rewrite_end(&rewrite);
    eng_graph_fini(&out);
    return status;
}

/* One of each kind of operator. */
static void make_net(struct net *net)
{
    static const struct net_bytes q = {ENG_UINT8, 0.05f, 37}, other = {ENG_INT8, 0.04f, -3};
    static const struct net_weights weights = {ENG_INT8, 0.01f, 0, true, 0};
    static const int64_t two[2] = {2, 2};
    struct eng_attr kernel = net_ints("kernel_shape", two, 2);
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    int x = net_rounded(net, "in", net_input(net, "x", NET_SHAPE(-1, 4, 6, 6)), q);
    int w = net_byte_weights(net, "w", NET_SHAPE(4, 4, 1, 1), &weights);
    int bias = net_integer_bias(net, "bias", 4, 0.0005f, 1);
    int conv = net_node(net, "Conv", "conv", (int[]){x, w, bias}, 3, NULL, 0);
    int sum = net_simple(net, "Add", "sum", net_rounded(net, "c", conv, other), x);
    int swish = net_simple(net, "HardSwish", "swish", net_rounded(net, "s", sum, q), -1);
    int third = net_simple(net, "Add", "third", sum, net_rounded(net, "h", swish, other));
    int rounded = net_rounded(net, "t", third, q);
    int pooled = net_node(net, "MaxPool", "pooled", &rounded, 1, &kernel, 1);
    int small = net_rounded(net, "p", pooled, other);
    int joined = net_node(net, "Concat", "joined", (int[]){small, small}, 2, &axis, 1);
    int flat = net_simple(net, "Flatten", "flat", net_rounded(net, "j", joined, q), -1);
    int shape = net_simple(net, "Shape", "shape", small, -1);
    net_output(net, net_rounded(net, "f", flat, q));
    net_output(net, shape);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 1);
    make_net(&net);
    assert_int_equal(eng_passes_optimise(&net.graph, NULL), ENG_OK);
    struct source source = {.graph = net.graph,
                            .shapes = calloc(net.graph.n_values, sizeof *source.shapes)};
    assert_non_null(source.shapes);
    assert_int_equal(eng_shape_infer_symbolic(&source.graph, false, source.shapes, NULL), ENG_OK);
    failing_malloc_sweep(rewrite_once, &source);
    free(source.shapes);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_may_end_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
