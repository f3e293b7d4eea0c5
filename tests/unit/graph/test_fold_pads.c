/* Zeros around a picture go into the window that reads them; what must not change stays. */
#include "graph/fold_pads.h"

#include "graph/exec.h"
#include "graph/shape.h"
#include "net_pictures.h"

struct form {
    const char *name;
    size_t n_nodes; /* after */
    int (*write)(struct net *net, int x);
};

static int pad(struct net *net, const char *name, int x, const int64_t *pads, const char *mode,
               float value)
{
    char pads_name[32], value_name[32];
    snprintf(pads_name, sizeof pads_name, "%s.pads", name);
    snprintf(value_name, sizeof value_name, "%s.value", name);
    struct eng_attr attr = {.name = "mode", .type = ENG_ATTR_STRING, .s = mode};
    int in[3] = {x, net_constant(net, pads_name, ENG_INT64, NET_SHAPE(8), pads),
                 net_constant(net, value_name, ENG_FLOAT32, (struct eng_shape){0}, &value)};
    return net_node(net, "Pad", name, in, 3, &attr, 1);
}

static const int64_t one[8] = {0, 0, 1, 1, 0, 0, 1, 1}, uneven[8] = {0, 0, 2, 0, 0, 0, 1, 2},
                     none[8] = {0}, three[8] = {0, 0, 3, 3, 0, 0, 3, 3},
                     cut[8] = {0, 0, -1, 0, 0, 0, 1, 1}, channels[8] = {0, 1, 0, 0, 0, 1, 1, 1};

static int mean_of(struct net *net, int x, int64_t own, bool count, bool ceil)
{
    static const int64_t kernel[2] = {3, 3}, strides[2] = {2, 2};
    int64_t pads[4] = {own, own, own, own};
    struct eng_attr attrs[5] = {net_ints("kernel_shape", kernel, 2),
                                net_ints("strides", strides, 2),
                                net_ints("pads", pads, 4),
                                {.name = "count_include_pad", .type = ENG_ATTR_INT, .i = count},
                                {.name = "ceil_mode", .type = ENG_ATTR_INT, .i = ceil}};
    return net_node(net, "AveragePool", "mean", &x, 1, attrs, 5);
}

static int padded_mean(struct net *net, int x)
{
    return mean_of(net, pad(net, "pad", x, one, "constant", 0), 0, false, false);
}

static int counted_mean(struct net *net, int x)
{
    return mean_of(net, pad(net, "pad", x, one, "constant", 0), 1, true, false);
}

static int uncounted_mean(struct net *net, int x)
{
    return mean_of(net, pad(net, "pad", x, one, "constant", 0), 1, false, false);
}

static int ceiled_mean(struct net *net, int x)
{
    return mean_of(net, pad(net, "pad", x, one, "constant", 0), 0, false, true);
}

static int far_mean(struct net *net, int x)
{
    return mean_of(net, pad(net, "pad", x, three, "constant", 0), 0, false, false);
}

static int conv_of(struct net *net, int x, const int64_t *pads, const char *mode, float value)
{
    return net_conv(net, "conv", pad(net, "pad", x, pads, mode, value), 3, 4, 3, 1, 1);
}

static int padded_conv(struct net *net, int x)
{
    return conv_of(net, x, uneven, "constant", 0);
}

static int ones_conv(struct net *net, int x)
{
    return conv_of(net, x, one, "constant", 1);
}

static int mirrored_conv(struct net *net, int x)
{
    return conv_of(net, x, one, "reflect", 0);
}

static int cut_conv(struct net *net, int x)
{
    return conv_of(net, x, cut, "constant", 0);
}

static int more_channels(struct net *net, int x)
{
    return net_conv(net, "conv", pad(net, "pad", x, channels, "constant", 0), 5, 4, 3, 1, 1);
}

static int twice_read(struct net *net, int x)
{
    int padded = pad(net, "pad", x, one, "constant", 0);
    net_output(net, padded);
    return net_conv(net, "conv", padded, 3, 4, 3, 1, 1);
}

static int nothing(struct net *net, int x)
{
    int padded = pad(net, "pad", x, none, "constant", 7);
    return net_simple(net, "Add", "y", padded, net_simple(net, "Abs", "abs", padded, -1));
}

static int nothing_for_output(struct net *net, int x)
{
    return pad(net, "pad", net_simple(net, "Abs", "abs", x, -1), none, "reflect", 0);
}

static int padded_maximum(struct net *net, int x)
{
    return net_pool(net, "MaxPool", "max", pad(net, "pad", x, one, "constant", 0), false);
}

static const struct form forms[] = {
    {"mean of a padded picture", 1, padded_mean},
    {"mean that counts its own pads", 1, counted_mean},
    {"mean that does not count its own pads", 2, uncounted_mean},
    {"mean whose windows hang over", 2, ceiled_mean},
    {"mean with windows of padding", 2, far_mean},
    {"convolution of a padded picture", 1, padded_conv},
    {"convolution of a picture with ones around it", 2, ones_conv},
    {"convolution of a mirrored picture", 2, mirrored_conv},
    {"convolution of a cut picture", 2, cut_conv},
    {"more channels", 2, more_channels},
    {"a padded picture that is an output", 2, twice_read},
    {"no padding", 2, nothing},
    {"no padding, an output", 2, nothing_for_output},
    {"maximum of a padded picture", 2, padded_maximum},
};

static size_t run(const struct eng_graph *graph, float **y)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_rng rng;
    assert_int_equal(eng_plan_create(graph, ENG_PLAN_INFERENCE, 2, false, &plan, NULL), ENG_OK);
    assert_int_equal(eng_exec_create(graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[0]);
    eng_rng_init(&rng, 5, 0);
    for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
        ((float *)x->data)[i] = eng_rng_normal(&rng) - 1;
    eng_exec_forward(exec, 0);
    const struct eng_tensor *out = eng_exec_value(exec, graph->outputs[graph->n_outputs - 1]);
    size_t n = (size_t)eng_shape_count(&out->shape);
    *y = malloc((n + 1) * sizeof **y);
    assert_non_null(*y);
    memcpy(*y, out->data, n * sizeof **y);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    return n;
}

static void check(const struct form *form)
{
    struct net net;
    struct eng_graph out;
    struct eng_rewrite rewrite;
    struct eng_error err = {0};
    net_init(&net, 3);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3, 9, 7));
    net_output(&net, form->write(&net, x));
    struct eng_tensor *shapes = calloc(net.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    eng_graph_init(&out);
    if (eng_shape_infer_symbolic(&net.graph, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, &net.graph, shapes, &out, &err) != ENG_OK ||
        eng_fold_pads(&rewrite, &err) != ENG_OK)
        fail_msg("%s: %s", form->name, err.text);
    if (out.n_nodes != form->n_nodes)
        fail_msg("%s: %zu nodes instead of %zu", form->name, out.n_nodes, form->n_nodes);
    float *wanted, *found;
    size_t n = run(&net.graph, &wanted);
    assert_int_equal(run(&out, &found), n);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(wanted[i] - found[i]) <= 2e-6f))
            fail_msg("%s: element %zu: %g instead of %g", form->name, i, (double)found[i],
                     (double)wanted[i]);
    free(wanted);
    free(found);
    free(shapes);
    eng_rewrite_end(&rewrite);
    eng_graph_fini(&out);
    net_fini(&net);
}

static void pads_are_folded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        check(&forms[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pads_are_folded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
