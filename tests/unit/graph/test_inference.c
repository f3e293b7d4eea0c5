/* All rewrites together: what is left of the blocks that networks are made of. */
#include "graph/inference.h"

#include "graph/passes.h"
#include "net_blocks.h"
#include "rewrite_case.h"

static rewrite_fn *const all[] = {eng_inference_rewrite, NULL};

static void make(struct rewrite_case *c, void (*build)(struct net *net))
{
    struct eng_error err = {0};
    net_init(&c->net, 3);
    build(&c->net);
    if (eng_passes_optimise(&c->net.graph, &err) != ENG_OK) fail_msg("%s", err.text);
    rewrite_run(c, all);
}

/* Two norms, one attention and four products, which do the sums and Gelu. */
static void transformer(void **state)
{
    (void)state;
    struct rewrite_case c;
    make(&c, net_transformer);
    assert_int_equal(rewrite_count(&c.out, "Attention"), 1);
    assert_int_equal(c.out.n_nodes, 7);
    rewrite_check_answers(&c, 3, 2e-5f);
    rewrite_fini(&c);
}

/* The picture is turned once; then two convolutions, a norm, two products, the second of which
 * scales and adds, and pooling, the answer of which is turned back. */
static void convnext(void **state)
{
    (void)state;
    struct rewrite_case c;
    make(&c, net_convnext);
    assert_int_equal(rewrite_count(&c.out, "Transpose"), 2);
    assert_int_equal(rewrite_count(&c.out, "Mul"), 0);
    assert_int_equal(rewrite_count(&c.out, "Add"), 0);
    assert_int_equal(c.out.n_nodes, 8);
    rewrite_check_answers(&c, 3, 2e-5f);
    rewrite_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(transformer), cmocka_unit_test(convnext)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
