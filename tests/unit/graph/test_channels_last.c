/* Channels last: the same answers, the same names, few conversions. */
#include "graph/channels_last.h"

#include "net_pictures.h"
#include "rewrite_case.h"

static rewrite_fn *const turn[] = {eng_channels_last, NULL};

static void answers_stay(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_pictures(&c.net);
    rewrite_run(&c, turn);
    rewrite_check_answers(&c, 3, 5e-6f);
    rewrite_fini(&c);
}

/* The two inner outputs, and the scores' one pixel: nothing else is moved; the graph's input is
 * turned by the convolution that reads it. Both sums of convolutions are theirs, but for the one
 * that is an output. */
static void little_is_moved(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_pictures(&c.net);
    rewrite_run(&c, turn);
    assert_int_equal(rewrite_count(&c.out, "Transpose"), 3);
    assert_int_equal(rewrite_count(&c.out, "Add"), rewrite_count(&c.net.graph, "Add") - 2);
    rewrite_fini(&c);
}

struct excited {
    int64_t size, kernel; /* of the picture, and of the convolution behind the product */
    bool twice;           /* the product is an output, too */
    bool depthwise;       /* the convolution before */
    size_t n_products, n_means;
};

/* Squeeze and excitation, then a convolution and a sum. */
static void net_excited(struct net *net, const struct excited *e)
{
    net_init(net, 5);
    int x = net_input(net, "x", NET_SHAPE(-1, 32, e->size, e->size));
    x = net_conv(net, "c0", x, 32, 32, 1, 1, 1);
    int y = net_simple(net, "HardSwish", "a1",
                       net_conv(net, "c1", x, 32, 32, 3, 1, e->depthwise ? 32 : 1), -1);
    int gate = net_simple(net, "GlobalAveragePool", "gap", y, -1);
    gate = net_simple(net, "Relu", "a2", net_conv(net, "c2", gate, 32, 16, 1, 1, 1), -1);
    gate = net_simple(net, "HardSigmoid", "a3", net_conv(net, "c3", gate, 16, 32, 1, 1, 1), -1);
    y = net_simple(net, "Mul", "product", gate, y);
    if (e->twice) net_output(net, y);
    y = net_conv(net, "c4", y, 32, 32, e->kernel, 1, 1);
    net_output(net, net_simple(net, "Relu", "a4", net_simple(net, "Add", "sum", y, x), -1));
    assert_int_equal(eng_passes_optimise(&net->graph, NULL), ENG_OK);
}

static void means_and_factors_go_into_convolutions(void **state)
{
    (void)state;
    static const struct excited nets[] = {
        {9, 1, false, true, 0, 0}, {9, 3, false, true, 1, 0},  {9, 1, true, true, 1, 0},
        {7, 1, false, true, 1, 0}, {9, 1, false, false, 0, 1},
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        struct rewrite_case c;
        net_excited(&c.net, &nets[i]);
        rewrite_run(&c, turn);
        assert_int_equal(rewrite_count(&c.out, "Mul"), nets[i].n_products);
        assert_int_equal(rewrite_count(&c.out, "GlobalAveragePool"), nets[i].n_means);
        assert_int_equal(rewrite_count(&c.out, "Add"), 0);
        rewrite_check_answers(&c, 3, 5e-6f);
        rewrite_fini(&c);
    }
}

/* With few channels vectors would be mostly empty. */
static void few_channels_stay(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_init(&c.net, 3);
    net_residual(&c.net);
    rewrite_run(&c, turn);
    assert_int_equal(c.out.n_nodes, c.net.graph.n_nodes);
    assert_int_equal(rewrite_count(&c.out, "Transpose"), 0);
    rewrite_fini(&c);
}

/* A file of a kilobyte can make one large constant that a thousand nodes read: no copy for each. */
static void shared_constants_are_not_multiplied(void **state)
{
    (void)state;
    enum { N_LAYERS = 300, CHANNELS = 256 };
    static const int64_t pads[4] = {1, 1, 1, 1};
    struct eng_attr pad = net_ints("pads", pads, 4);
    struct rewrite_case c;
    struct net *net = &c.net;
    net_init(net, 5);
    int x = net_input(net, "x", NET_SHAPE(-1, CHANNELS, 12, 12));
    int w = net_weight(net, "w", NET_SHAPE(CHANNELS, CHANNELS, 3, 3), -0.01f, 0.01f);
    int k = net_weight(net, "k", NET_SHAPE(1, CHANNELS, 12, 12), 0.5f, 1);
    for (int i = 0; i < 2 * N_LAYERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer%d", i);
        bool is_conv = i == 0 || i > N_LAYERS;
        x = is_conv ? net_node(net, "Conv", name, (int[]){x, w}, 2, &pad, 1)
                    : net_simple(net, "Mul", name, x, k);
    }
    net_output(net, x);
    rewrite_run(&c, turn);
    assert_true(c.out.n_nodes > 0);
    assert_true(c.out.arena.total_bytes < (size_t)104 << 20); /* all copies: over 700 MiB */
    rewrite_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_stay),
        cmocka_unit_test(little_is_moved),
        cmocka_unit_test(means_and_factors_go_into_convolutions),
        cmocka_unit_test(few_channels_stay),
        cmocka_unit_test(shared_constants_are_not_multiplied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
