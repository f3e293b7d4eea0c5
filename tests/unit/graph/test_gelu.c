/* Gelu spelled out: every known form is found, and what only looks like it is left alone. */
#include "graph/gelu.h"

#include "graph/passes.h"
#include "rewrite_case.h"

static rewrite_fn *const find[] = {eng_find_gelu, NULL};

/* Makes nodes with names of their own. */
struct maker {
    struct rewrite_case c;
    int n_names;
};

static int node(struct maker *m, const char *op, int a, int b)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", op, m->n_names++);
    int in[2] = {a, b};
    return net_node(&m->c.net, op, name, in, b == ENG_NO_VALUE ? 1 : 2, NULL, 0);
}

static int number(struct maker *m, float value)
{
    char name[32];
    snprintf(name, sizeof name, "number%d", m->n_names++);
    return net_constant(&m->c.net, name, ENG_FLOAT32, (struct eng_shape){.rank = 0}, &value);
}

static int one(struct maker *m, const char *op, int a)
{
    return node(m, op, a, ENG_NO_VALUE);
}

static int with(struct maker *m, const char *op, int a, float value)
{
    return node(m, op, a, number(m, value));
}

/* x [N, 5, 7], made by an Add that can apply an activation. */
static int begin(struct maker *m)
{
    *m = (struct maker){0};
    net_init(&m->c.net, 1);
    int x = net_input(&m->c.net, "x", NET_SHAPE(-1, 5, 7));
    int bias = net_weight(&m->c.net, "bias", NET_SHAPE(7), -2, 2);
    return node(m, "Add", x, bias);
}

/* An Erf, Tanh or Relu goes into the node before it where that is read once. n_gelus: how many of
 * m's nodes are to be left that apply it. */
static void end(struct maker *m, int y, size_t n_gelus, size_t n_nodes)
{
    net_output(&m->c.net, y);
    rewrite_run(&m->c, find);
    size_t found = 0;
    for (size_t i = 0; i < m->c.out.n_nodes; i++) {
        enum eng_activation_kind kind = m->c.out.nodes[i].activation.kind;
        found += kind == ENG_ACT_GELU || kind == ENG_ACT_GELU_TANH ||
                 strcmp(m->c.out.nodes[i].op->name, "Gelu") == 0;
    }
    if (found != n_gelus || m->c.out.n_nodes != n_nodes)
        fail_msg("%zu of %zu nodes are Gelu, wanted %zu of %zu", found, m->c.out.n_nodes, n_gelus,
                 n_nodes);
    rewrite_check_answers(&m->c, 3, 2e-6f);
    rewrite_fini(&m->c);
}

static int erf_sum(struct maker *m, int x)
{
    return with(m, "Add", one(m, "Erf", with(m, "Div", x, sqrtf(2))), 1);
}

static void forms_with_erf(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m); /* PyTorch */
    end(&m, with(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), 0.5f), 1, 1);
    x = begin(&m); /* half of x first, factor for quotient, the other way round */
    int sum =
        node(&m, "Add", number(&m, 1), one(&m, "Erf", node(&m, "Mul", number(&m, sqrtf(0.5f)), x)));
    end(&m, node(&m, "Mul", sum, with(&m, "Div", x, 2)), 1, 1);
    x = begin(&m); /* half of the sum */
    end(&m, node(&m, "Mul", x, with(&m, "Mul", erf_sum(&m, x), 0.5f)), 1, 1);
    x = begin(&m); /* what follows stays */
    int y = with(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), 0.5f);
    end(&m, one(&m, "Relu", with(&m, "Mul", y, 3)), 1, 2);
    x = begin(&m); /* x is read elsewhere: a node of its own */
    y = with(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), 0.5f);
    end(&m, node(&m, "Sub", x, y), 1, 3);
}

/* x + 0.044715 x^3, all times sqrt(2 / pi); the cube in three ways. */
static int tanh_sum(struct maker *m, int x, int way)
{
    int cube = way == 0   ? with(m, "Pow", x, 3)
               : way == 1 ? node(m, "Mul", x, node(m, "Mul", x, x))
                          : node(m, "Mul", with(m, "Pow", x, 2), x);
    int inner = node(m, "Add", x, with(m, "Mul", cube, 0.044715f));
    return with(m, "Add", one(m, "Tanh", with(m, "Mul", inner, 0.79788456f)), 1);
}

static void forms_with_tanh(void **state)
{
    (void)state;
    struct maker m;
    for (int way = 0; way < 3; way++) {
        int x = begin(&m);
        int half = with(&m, "Mul", x, 0.5f);
        end(&m, node(&m, "Mul", half, tanh_sum(&m, x, way)), 1, 1);
    }
    int x = begin(&m); /* x 0.79788 (1 + 0.044715 x x) */
    int factor = with(&m, "Add", node(&m, "Mul", with(&m, "Mul", x, 0.044715f), x), 1);
    int inner = node(&m, "Mul", with(&m, "Mul", x, 0.79788456f), factor);
    int sum = with(&m, "Add", one(&m, "Tanh", inner), 1);
    end(&m, node(&m, "Mul", with(&m, "Mul", x, 0.5f), sum), 1, 1);
}

/* As eng_passes_optimise leaves it: the Erf in the Div's epilogue. */
static void erf_that_is_fused(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m);
    net_output(&m.c.net, with(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), 0.5f));
    assert_int_equal(eng_passes_optimise(&m.c.net.graph, NULL), ENG_OK);
    assert_int_equal(rewrite_count(&m.c.net.graph, "Erf"), 0);
    rewrite_run(&m.c, find);
    assert_int_equal(m.c.out.n_nodes, 1);
    assert_int_equal(m.c.out.nodes[0].activation.kind, ENG_ACT_GELU);
    rewrite_check_answers(&m.c, 3, 2e-6f);
    rewrite_fini(&m.c);
}

static void other_numbers(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m); /* a third of it */
    end(&m, with(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), 0.3f), 0, 5);
    x = begin(&m); /* erf(x) */
    int sum = with(&m, "Add", one(&m, "Erf", x), 1);
    end(&m, with(&m, "Mul", node(&m, "Mul", x, sum), 0.5f), 0, 5);
    x = begin(&m); /* erf(..) + 2 */
    sum = with(&m, "Add", one(&m, "Erf", with(&m, "Div", x, sqrtf(2))), 2);
    end(&m, with(&m, "Mul", node(&m, "Mul", x, sum), 0.5f), 0, 5);
    x = begin(&m); /* times x^2 */
    end(&m, with(&m, "Mul", node(&m, "Mul", node(&m, "Mul", x, x), erf_sum(&m, x)), 0.5f), 0, 6);
    x = begin(&m); /* without x */
    end(&m, with(&m, "Mul", erf_sum(&m, x), 0.5f), 0, 4);
    x = begin(&m); /* times another value */
    int other = one(&m, "Abs", x);
    end(&m, with(&m, "Mul", node(&m, "Mul", other, erf_sum(&m, x)), 0.5f), 0, 6);
    x = begin(&m); /* 0.05 x^3 */
    int inner = node(&m, "Add", x, with(&m, "Mul", with(&m, "Pow", x, 3), 0.05f));
    sum = with(&m, "Add", one(&m, "Tanh", with(&m, "Mul", inner, 0.79788456f)), 1);
    end(&m, with(&m, "Mul", node(&m, "Mul", x, sum), 0.5f), 0, 8);
}

/* A value in between that is read elsewhere must still be there. */
static void values_that_others_read(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m);
    int sum = erf_sum(&m, x);
    int y = with(&m, "Mul", node(&m, "Mul", x, sum), 0.5f);
    end(&m, node(&m, "Sub", y, sum), 0, 6);
    x = begin(&m);
    int quotient = with(&m, "Div", x, sqrtf(2));
    sum = with(&m, "Add", one(&m, "Erf", quotient), 1);
    y = with(&m, "Mul", node(&m, "Mul", x, sum), 0.5f);
    end(&m, node(&m, "Sub", y, quotient), 0, 7);
    x = begin(&m); /* an output of the graph */
    int product = node(&m, "Mul", x, erf_sum(&m, x));
    net_output(&m.c.net, product);
    end(&m, with(&m, "Mul", product, 0.5f), 0, 5);
}

/* A number of higher rank than x gives the result another shape. */
static void numbers_that_add_dimensions(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m);
    float half = 0.5f;
    int high = net_constant(&m.c.net, "half", ENG_FLOAT32, NET_SHAPE(1, 1, 1, 1), &half);
    end(&m, node(&m, "Mul", node(&m, "Mul", x, erf_sum(&m, x)), high), 0, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_with_erf),          cmocka_unit_test(forms_with_tanh),
        cmocka_unit_test(erf_that_is_fused),       cmocka_unit_test(other_numbers),
        cmocka_unit_test(values_that_others_read), cmocka_unit_test(numbers_that_add_dimensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
