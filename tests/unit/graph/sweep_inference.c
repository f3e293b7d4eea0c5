/* Rewriting for inference while allocations fail. */
#include "graph/inference.h"

#include "failing_malloc.h"
#include "graph/shape.h"
#include "net_blocks.h"

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
    if (status == ENG_OK) status = eng_inference_rewrite(&rewrite, err);
    eng_rewrite_end(&rewrite);
    eng_graph_fini(&out);
    return status;
}

static void sweep(void (*build)(struct net *net))
{
    struct net net;
    net_init(&net, 3);
    build(&net);
    struct source source = {.graph = net.graph,
                            .shapes = calloc(net.graph.n_values, sizeof *source.shapes)};
    assert_non_null(source.shapes);
    assert_int_equal(eng_shape_infer_symbolic(&source.graph, false, source.shapes, NULL), ENG_OK);
    failing_malloc_sweep(rewrite_once, &source);
    free(source.shapes);
    net_fini(&net);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    sweep(net_transformer);
    sweep(net_convnext);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_may_end_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
