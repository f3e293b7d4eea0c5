/* Written-out activations become one, what only looks like them stays. */
#include "graph/swish.h"

#include "graph/exec.h"
#include "graph/shape.h"
#include "net_pictures.h"

struct form {
    const char *name, *becomes; /* NULL: it stays */
    int (*write)(struct net *net, int x);
};

static int number(struct net *net, const char *name, float value)
{
    return net_constant(net, name, ENG_FLOAT32, (struct eng_shape){0}, &value);
}

static int sigmoid(struct net *net, int x)
{
    return net_simple(net, "Mul", "y", x, net_simple(net, "Sigmoid", "s", x, -1));
}

static int sigmoid_first(struct net *net, int x)
{
    return net_simple(net, "Mul", "y", net_simple(net, "Sigmoid", "s", x, -1), x);
}

static int hard_sigmoid_of(struct net *net, int x, float alpha)
{
    struct eng_attr attr = {.name = "alpha", .type = ENG_ATTR_FLOAT, .f = alpha};
    return net_node(net, "HardSigmoid", "s", &x, 1, &attr, 1);
}

static int hard_sigmoid(struct net *net, int x)
{
    return net_simple(net, "Mul", "y", x, hard_sigmoid_of(net, x, 1.0f / 6));
}

static int steeper(struct net *net, int x)
{
    return net_simple(net, "Mul", "y", x, hard_sigmoid_of(net, x, 0.2f));
}

/* Clip(x + shift, 0, high) */
static int ramp(struct net *net, int x, float shift, float high)
{
    int in[3] = {net_simple(net, "Add", "shifted", x, number(net, "three", shift)),
                 number(net, "low", 0), number(net, "high", high)};
    return net_node(net, "Clip", "ramp", in, 3, NULL, 0);
}

static int gated(struct net *net, int x)
{
    int gate = net_simple(net, "Div", "gate", ramp(net, x, 3, 6), number(net, "six", 6));
    return net_simple(net, "Mul", "y", x, gate);
}

static int divided(struct net *net, int x)
{
    int product = net_simple(net, "Mul", "product", x, ramp(net, x, 3, 6));
    return net_simple(net, "Div", "y", product, number(net, "six", 6));
}

static int multiplied(struct net *net, int x)
{
    int product = net_simple(net, "Mul", "product", ramp(net, x, 3, 6), x);
    return net_simple(net, "Mul", "y", number(net, "sixth", 1.0f / 6), product);
}

static int shifted_less(struct net *net, int x)
{
    int product = net_simple(net, "Mul", "product", x, ramp(net, x, 2, 6));
    return net_simple(net, "Div", "y", product, number(net, "six", 6));
}

static int clipped_higher(struct net *net, int x)
{
    int gate = net_simple(net, "Div", "gate", ramp(net, x, 3, 7), number(net, "six", 6));
    return net_simple(net, "Mul", "y", x, gate);
}

static int divided_by_more(struct net *net, int x)
{
    int product = net_simple(net, "Mul", "product", x, ramp(net, x, 3, 6));
    return net_simple(net, "Div", "y", product, number(net, "seven", 7));
}

static int divides(struct net *net, int x)
{
    int product = net_simple(net, "Mul", "product", x, ramp(net, x, 3, 6));
    return net_simple(net, "Div", "y", number(net, "six", 6),
                      net_simple(net, "Add", "more", product, number(net, "ten", 10)));
}

static int gate_of_another(struct net *net, int x)
{
    int other = net_simple(net, "Abs", "other", x, -1);
    return net_simple(net, "Mul", "y", x, net_simple(net, "Sigmoid", "s", other, -1));
}

static int ramp_of_another(struct net *net, int x)
{
    int other = net_simple(net, "Abs", "other", x, -1);
    int product = net_simple(net, "Mul", "product", x, ramp(net, other, 3, 6));
    return net_simple(net, "Div", "y", product, number(net, "six", 6));
}

static int read_twice(struct net *net, int x)
{
    int gate = net_simple(net, "Sigmoid", "s", x, -1);
    net_output(net, gate);
    return net_simple(net, "Mul", "y", x, gate);
}

static int of_means(struct net *net, int x)
{
    int mean = net_simple(net, "GlobalAveragePool", "mean", x, -1);
    return net_simple(net, "Mul", "y", x, net_simple(net, "Sigmoid", "s", mean, -1));
}

static const struct form forms[] = {
    {"x * Sigmoid(x)", "Swish", sigmoid},
    {"Sigmoid(x) * x", "Swish", sigmoid_first},
    {"x * HardSigmoid(x)", "HardSwish", hard_sigmoid},
    {"x * (Clip(x + 3) / 6)", "HardSwish", gated},
    {"x * Clip(x + 3) / 6", "HardSwish", divided},
    {"1/6 * (Clip(x + 3) * x)", "HardSwish", multiplied},
    {"x * HardSigmoid(x) of slope 0.2", NULL, steeper},
    {"x * Clip(x + 2) / 6", NULL, shifted_less},
    {"x * Clip(x + 3, 0, 7) / 6", NULL, clipped_higher},
    {"x * Clip(x + 3) / 7", NULL, divided_by_more},
    {"6 / (x * Clip(x + 3) + 10)", NULL, divides},
    {"x * Sigmoid(z)", NULL, gate_of_another},
    {"x * Clip(z + 3) / 6", NULL, ramp_of_another},
    {"x * Sigmoid(x), which is an output", NULL, read_twice},
    {"x * Sigmoid(mean of x)", NULL, of_means},
};

static void run(const struct eng_graph *graph, float *y, size_t n)
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
        ((float *)x->data)[i] = 3 * eng_rng_normal(&rng);
    eng_exec_forward(exec, 0);
    const struct eng_tensor *out = eng_exec_value(exec, graph->outputs[graph->n_outputs - 1]);
    assert_int_equal(eng_shape_count(&out->shape), n);
    memcpy(y, out->data, n * sizeof *y);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
}

static void check(const struct form *form, bool conv, int64_t channels)
{
    struct net net;
    struct eng_graph out;
    struct eng_rewrite rewrite;
    struct eng_error err = {0};
    net_init(&net, 3);
    int x = net_input(&net, "x", NET_SHAPE(-1, channels, 4, 5));
    if (conv) x = net_conv(&net, "conv", x, channels, channels, 3, 1, 1);
    net_output(&net, form->write(&net, x));
    assert_int_equal(eng_passes_optimise(&net.graph, &err), ENG_OK);
    struct eng_tensor *shapes = calloc(net.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    eng_graph_init(&out);
    if (eng_shape_infer_symbolic(&net.graph, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, &net.graph, shapes, &out, &err) != ENG_OK ||
        eng_swish(&rewrite, &err) != ENG_OK)
        fail_msg("%s: %s", form->name, err.text);
    const struct eng_node *last = &out.nodes[out.n_nodes - 1];
    const char *name = conv ? eng_activation_name(last->activation.kind) : last->op->name;
    size_t n_wanted = form->becomes ? 1 : net.graph.n_nodes;
    if (out.n_nodes != n_wanted || (form->becomes && strcmp(name, form->becomes) != 0))
        fail_msg("%s: %zu nodes instead of %zu, the last is %s", form->name, out.n_nodes, n_wanted,
                 last->op->name);
    size_t n = 2 * (size_t)channels * 20;
    float *wanted = malloc(2 * n * sizeof *wanted), *found = wanted + n;
    assert_non_null(wanted);
    run(&net.graph, wanted, n);
    run(&out, found, n);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(wanted[i] - found[i]) <= 2e-6f))
            fail_msg("%s: %g instead of %g", form->name, (double)found[i], (double)wanted[i]);
    free(wanted);
    free(shapes);
    eng_rewrite_end(&rewrite);
    eng_graph_fini(&out);
    net_fini(&net);
}

static void forms_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        check(&forms[i], true, 3);
        check(&forms[i], false, 3);
        check(&forms[i], true, 17);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
