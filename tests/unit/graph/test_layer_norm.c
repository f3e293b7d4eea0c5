/* LayerNormalization spelled out: found in its forms, and what only looks like it is left alone. */
#include "graph/layer_norm.h"

#include "graph/passes.h"
#include "rewrite_case.h"

static rewrite_fn *const find[] = {eng_find_layer_norm, NULL};

struct maker {
    struct rewrite_case c;
    int n_names;
};

/* What a test may change. */
struct form {
    int64_t axes[2], other_axes[2];
    size_t n_axes;
    bool multiplies; /* d d for Pow(d, 2) */
    float power;
};

static const struct form usual = {.axes = {-1}, .other_axes = {-1}, .n_axes = 1, .power = 2};

static int node(struct maker *m, const char *op, int a, int b)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", op, m->n_names++);
    int in[2] = {a, b};
    return net_node(&m->c.net, op, name, in, b == ENG_NO_VALUE ? 1 : 2, NULL, 0);
}

static int row(struct maker *m, struct eng_shape shape, float low, float high)
{
    char name[32];
    snprintf(name, sizeof name, "row%d", m->n_names++);
    return net_weight(&m->c.net, name, shape, low, high);
}

static int number(struct maker *m, float value)
{
    return row(m, (struct eng_shape){.rank = 0}, value, value);
}

static int mean(struct maker *m, int x, const int64_t *axes, size_t n)
{
    char name[32];
    snprintf(name, sizeof name, "mean%d", m->n_names++);
    struct eng_attr attr = net_ints("axes", axes, n);
    return net_node(&m->c.net, "ReduceMean", name, &x, 1, &attr, 1);
}

static int begin(struct maker *m)
{
    *m = (struct maker){0};
    net_init(&m->c.net, 1);
    return net_input(&m->c.net, "x", NET_SHAPE(-1, 4, 5, 6));
}

/* d: where x less its mean is told. */
static int standardise(struct maker *m, int x, const struct form *f, int *d)
{
    *d = node(m, "Sub", x, mean(m, x, f->axes, f->n_axes));
    int square = f->multiplies ? node(m, "Mul", *d, *d) : node(m, "Pow", *d, number(m, f->power));
    int variance = mean(m, square, f->other_axes, f->n_axes);
    int root = node(m, "Sqrt", node(m, "Add", variance, number(m, 1e-3f)), ENG_NO_VALUE);
    return node(m, "Div", *d, root);
}

static void end(struct maker *m, int y, size_t n_found, size_t n_nodes)
{
    net_output(&m->c.net, y);
    rewrite_run(&m->c, find);
    size_t found = rewrite_count(&m->c.out, "LayerNormalization");
    if (found != n_found || m->c.out.n_nodes != n_nodes)
        fail_msg("%zu of %zu nodes are LayerNormalization, wanted %zu of %zu", found,
                 m->c.out.n_nodes, n_found, n_nodes);
    rewrite_check_answers(&m->c, 3, 5e-6f);
    rewrite_fini(&m->c);
}

static void forms(void **state)
{
    (void)state;
    struct maker m;
    struct form f = usual;
    int d, x = begin(&m);
    int y = node(&m, "Mul", standardise(&m, x, &f, &d), row(&m, NET_SHAPE(6), 0.5f, 2));
    end(&m, node(&m, "Add", row(&m, NET_SHAPE(6), -1, 1), y), 1, 1);
    x = begin(&m); /* scale alone, and nothing */
    end(&m, node(&m, "Mul", row(&m, NET_SHAPE(6), 0.5f, 2), standardise(&m, x, &f, &d)), 1, 1);
    x = begin(&m);
    end(&m, standardise(&m, x, &f, &d), 1, 1);
    f.multiplies = true;
    x = begin(&m);
    end(&m, node(&m, "Abs", standardise(&m, x, &f, &d), ENG_NO_VALUE), 1, 2);
    f = (struct form){.axes = {-2, 3}, .other_axes = {3, 2}, .n_axes = 2, .power = 2};
    x = begin(&m);
    y = node(&m, "Mul", standardise(&m, x, &f, &d), row(&m, NET_SHAPE(5, 6), 0.5f, 2));
    end(&m, node(&m, "Add", y, row(&m, NET_SHAPE(5, 1), -1, 1)), 1, 1);
}

/* As eng_passes_optimise leaves it: the root in the sum's epilogue. */
static void root_that_is_fused(void **state)
{
    (void)state;
    struct maker m;
    int d, x = begin(&m);
    int y = node(&m, "Mul", standardise(&m, x, &usual, &d), row(&m, NET_SHAPE(6), 0.5f, 2));
    net_output(&m.c.net, y);
    assert_int_equal(eng_passes_optimise(&m.c.net.graph, NULL), ENG_OK);
    assert_int_equal(rewrite_count(&m.c.net.graph, "Sqrt"), 0);
    rewrite_run(&m.c, find);
    assert_int_equal(m.c.out.n_nodes, 1);
    rewrite_check_answers(&m.c, 3, 5e-6f);
    rewrite_fini(&m.c);
}

/* Rows for other axes, or such as others read too, are no scale of it. */
static void rows_that_stay(void **state)
{
    (void)state;
    struct maker m;
    int d, x = begin(&m);
    end(&m, node(&m, "Mul", standardise(&m, x, &usual, &d), row(&m, NET_SHAPE(5, 6), 1, 2)), 1, 2);
    x = begin(&m);
    int y = standardise(&m, x, &usual, &d);
    end(&m, node(&m, "Add", node(&m, "Mul", y, row(&m, NET_SHAPE(6), 1, 2)), y), 1, 3);
}

static void what_only_looks_like_it(void **state)
{
    (void)state;
    struct maker m;
    struct form f = usual;
    int d, x = begin(&m); /* the distance is read elsewhere */
    int y = standardise(&m, x, &f, &d);
    end(&m, node(&m, "Add", y, d), 0, 8);
    x = begin(&m); /* an output */
    y = standardise(&m, x, &f, &d);
    net_output(&m.c.net, d);
    end(&m, y, 0, 7);
    f.power = 4;
    x = begin(&m);
    end(&m, standardise(&m, x, &f, &d), 0, 7);
    f = usual;
    f.other_axes[0] = 2;
    x = begin(&m);
    end(&m, standardise(&m, x, &f, &d), 0, 7);
    f.axes[0] = 2; /* both, but not the last */
    x = begin(&m);
    end(&m, standardise(&m, x, &f, &d), 0, 7);
    x = begin(&m); /* the mean of another value */
    f = usual;
    int other = node(&m, "Abs", x, ENG_NO_VALUE);
    d = node(&m, "Sub", x, mean(&m, other, f.axes, 1));
    int variance = mean(&m, node(&m, "Pow", d, number(&m, 2)), f.axes, 1);
    int root = node(&m, "Sqrt", node(&m, "Add", variance, number(&m, 1e-3f)), ENG_NO_VALUE);
    end(&m, node(&m, "Div", d, root), 0, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(root_that_is_fused),
        cmocka_unit_test(rows_that_stay),
        cmocka_unit_test(what_only_looks_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
