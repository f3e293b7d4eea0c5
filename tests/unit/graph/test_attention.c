/* Attention spelled out: the forms of exporters are found, and what only looks like it is not. */
#include "graph/attention.h"

#include "graph/settle_shapes.h"
#include "rewrite_case.h"

static rewrite_fn *const find[] = {eng_settle_shapes, eng_find_attention, NULL};

struct maker {
    struct rewrite_case c;
    int n_names;
};

static int node(struct maker *m, const char *op, const int *in, size_t n_in,
                const struct eng_attr *attrs, size_t n_attrs)
{
    char name[32];
    snprintf(name, sizeof name, "%s%d", op, m->n_names++);
    return net_node(&m->c.net, op, name, in, n_in, attrs, n_attrs);
}

static int two(struct maker *m, const char *op, int a, int b)
{
    return node(m, op, (int[]){a, b}, 2, NULL, 0);
}

static int number(struct maker *m, float value)
{
    char name[32];
    snprintf(name, sizeof name, "number%d", m->n_names++);
    return net_constant(&m->c.net, name, ENG_FLOAT32, (struct eng_shape){.rank = 0}, &value);
}

static int ints(struct maker *m, const int64_t *values, int64_t n)
{
    char name[32];
    snprintf(name, sizeof name, "ints%d", m->n_names++);
    return net_constant(&m->c.net, name, ENG_INT64, NET_SHAPE(n), values);
}

#define LIST(...) (const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)

static int transpose(struct maker *m, int x, const int64_t *perm, size_t n)
{
    struct eng_attr attr = net_ints("perm", perm, n);
    return node(m, "Transpose", &x, 1, &attr, 1);
}

static int reshape(struct maker *m, int x, const int64_t *shape, size_t n)
{
    return two(m, "Reshape", x, ints(m, shape, (int64_t)n));
}

static int softmax(struct maker *m, int x, int64_t axis)
{
    struct eng_attr attr = {.name = "axis", .type = ENG_ATTR_INT, .i = axis};
    return node(m, "Softmax", &x, 1, &attr, 1);
}

static int weights(struct maker *m, struct eng_shape shape)
{
    char name[32];
    snprintf(name, sizeof name, "weights%d", m->n_names++);
    return net_weight(&m->c.net, name, shape, -0.5f, 0.5f);
}

static int begin(struct maker *m, struct eng_shape shape)
{
    *m = (struct maker){0};
    net_init(&m->c.net, 1);
    return net_input(&m->c.net, "x", shape);
}

/* n_nodes are left, of which n_found are attention. */
static void end(struct maker *m, int y, size_t n_found, size_t n_nodes)
{
    net_output(&m->c.net, y);
    rewrite_run(&m->c, find);
    size_t found = rewrite_count(&m->c.out, "Attention");
    if (found != n_found || m->c.out.n_nodes != n_nodes)
        fail_msg("%zu of %zu nodes are attention, wanted %zu of %zu", found, m->c.out.n_nodes,
                 n_found, n_nodes);
    rewrite_check_answers(&m->c, 3, 3e-6f);
    rewrite_fini(&m->c);
}

/* One of three parts of x, along the last axis. */
static int part(struct maker *m, int x, int64_t i, int64_t n)
{
    int starts = ints(m, LIST(i * n)), ends = ints(m, LIST((i + 1) * n)), axis = ints(m, LIST(-1));
    return node(m, "Slice", (int[]){x, starts, ends, axis}, 4, NULL, 0);
}

/* torch.nn.MultiheadAttention: [N, 5, 12], the sequence first, 3 heads of 4. */
static void sequence_first(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m, NET_SHAPE(-1, 5, 12));
    int turned = transpose(&m, x, LIST(1, 0, 2));
    int all = two(&m, "MatMul", turned, weights(&m, NET_SHAPE(12, 36)));
    int q = part(&m, all, 0, 12), k = part(&m, all, 1, 12), v = part(&m, all, 2, 12);
    q = transpose(&m, reshape(&m, q, LIST(5, -1, 4)), LIST(1, 0, 2));
    k = transpose(&m, reshape(&m, k, LIST(5, -1, 4)), LIST(1, 2, 0));
    v = transpose(&m, reshape(&m, v, LIST(5, -1, 4)), LIST(1, 0, 2));
    int scores = two(&m, "MatMul", two(&m, "Div", q, number(&m, 2)), k);
    int y = two(&m, "MatMul", softmax(&m, scores, -1), v);
    y = reshape(&m, transpose(&m, y, LIST(1, 0, 2)), LIST(-1, 12));
    y = two(&m, "MatMul", y, weights(&m, NET_SHAPE(12, 12)));
    end(&m, transpose(&m, reshape(&m, y, LIST(5, -1, 12)), LIST(1, 0, 2)), 1, 6);
}

/* [N, 3, heads, 5, 4] of a projection, as timm and Swin have it; parts by Gather. */
static int heads_of(struct maker *m, int all, int64_t i)
{
    int64_t index = i;
    char name[32];
    snprintf(name, sizeof name, "index%d", m->n_names++);
    int at = net_constant(&m->c.net, name, ENG_INT64, (struct eng_shape){.rank = 0}, &index);
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    return node(m, "Gather", (int[]){all, at}, 2, &axis, 1);
}

static int project(struct maker *m, int x)
{
    int all = two(m, "MatMul", x, weights(m, NET_SHAPE(12, 36)));
    return transpose(m, reshape(m, all, LIST(-1, 5, 3, 3, 4)), LIST(2, 0, 3, 1, 4));
}

static int join(struct maker *m, int y)
{
    return reshape(m, transpose(m, y, LIST(0, 2, 1, 3)), LIST(-1, 5, 12));
}

static void parts_by_gather(void **state)
{
    (void)state;
    struct maker m;
    int all = project(&m, begin(&m, NET_SHAPE(-1, 5, 12)));
    int q = two(&m, "Mul", heads_of(&m, all, 0), number(&m, 0.5f));
    int k = transpose(&m, heads_of(&m, all, 1), LIST(0, 1, 3, 2));
    int p = softmax(&m, two(&m, "MatMul", q, k), 3);
    end(&m, join(&m, two(&m, "MatMul", p, heads_of(&m, all, 2))), 1, 2);
}

/* Scale on the scores, or half of it on either side; q and k from different values. */
static void scales(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    int other = two(&m, "Add", x, weights(&m, NET_SHAPE(5, 4)));
    int k = transpose(&m, other, LIST(0, 1, 3, 2));
    int scores = two(&m, "Mul", number(&m, 0.7f), two(&m, "MatMul", x, k));
    end(&m, two(&m, "MatMul", softmax(&m, scores, -1), other), 1, 2);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    int q = two(&m, "Mul", x, number(&m, 0.8f));
    k = two(&m, "Div", transpose(&m, x, LIST(0, 1, 3, 2)), number(&m, 1.25f));
    end(&m, two(&m, "MatMul", softmax(&m, two(&m, "MatMul", q, k), -1), x), 1, 1);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4)); /* values are not scaled by the kernel */
    k = transpose(&m, x, LIST(0, 1, 3, 2));
    int v = two(&m, "Mul", x, number(&m, 3));
    end(&m, two(&m, "MatMul", softmax(&m, two(&m, "MatMul", x, k), -1), v), 1, 2);
}

/* Swin: a bias for each head, then, among windows, a mask for each of 2. */
static void masks(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m, NET_SHAPE(-1, 10, 12));
    int all = project(&m, reshape(&m, x, LIST(-1, 5, 12)));
    int k = transpose(&m, heads_of(&m, all, 1), LIST(0, 1, 3, 2));
    int scores = two(&m, "MatMul", heads_of(&m, all, 0), k);
    scores = two(&m, "Add", scores, weights(&m, NET_SHAPE(1, 3, 5, 5)));
    scores = reshape(&m, scores, LIST(-1, 2, 3, 5, 5));
    scores = two(&m, "Add", weights(&m, NET_SHAPE(1, 2, 1, 5, 5)), scores);
    scores = reshape(&m, scores, LIST(-1, 3, 5, 5));
    int y = two(&m, "MatMul", softmax(&m, scores, -1), heads_of(&m, all, 2));
    end(&m, reshape(&m, join(&m, y), LIST(-1, 10, 12)), 1, 3);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4)); /* computed, one row for all queries */
    int row = part(&m, x, 0, 4), last = transpose(&m, x, LIST(0, 1, 3, 2));
    struct eng_attr keep[2] = {{.name = "axes", .type = ENG_ATTR_INTS, .ints = LIST(3)},
                               {.name = "keepdims", .type = ENG_ATTR_INT, .i = 1}};
    keep[0].n = 1;
    row = node(&m, "ReduceMax", &row, 1, keep, 2);
    row = transpose(&m, row, LIST(0, 1, 3, 2));
    scores = two(&m, "Add", two(&m, "MatMul", x, last), row);
    end(&m, two(&m, "MatMul", softmax(&m, scores, -1), x), 1, 4);
}

/* Keys that lie in columns, or an answer that is an output as it is. */
static void views_that_have_no_rows(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m, NET_SHAPE(-1, 3, 4, 5));
    int q = transpose(&m, x, LIST(0, 1, 3, 2)); /* its numbers are not side by side */
    int p = softmax(&m, two(&m, "MatMul", q, x), -1);
    end(&m, two(&m, "MatMul", p, q), 0, 4);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    int y = two(&m, "MatMul",
                softmax(&m, two(&m, "MatMul", x, transpose(&m, x, LIST(0, 1, 3, 2))), -1), x);
    net_output(&m.c.net, y);
    end(&m, join(&m, y), 1, 3);
}

static void what_only_looks_like_it(void **state)
{
    (void)state;
    struct maker m;
    int x = begin(&m, NET_SHAPE(-1, 3, 5, 4)), k = transpose(&m, x, LIST(0, 1, 3, 2));
    int scores = two(&m, "MatMul", x, k); /* read elsewhere */
    int y = two(&m, "MatMul", softmax(&m, scores, -1), x);
    end(&m, two(&m, "Add", y, two(&m, "MatMul", scores, x)), 0, 6);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    k = transpose(&m, x, LIST(0, 1, 3, 2));
    int p = softmax(&m, two(&m, "MatMul", x, k), -1); /* an output */
    net_output(&m.c.net, p);
    end(&m, two(&m, "MatMul", p, x), 0, 4);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    k = transpose(&m, x, LIST(0, 1, 3, 2)); /* another axis */
    end(&m, two(&m, "MatMul", softmax(&m, two(&m, "MatMul", x, k), 2), x), 0, 4);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    k = transpose(&m, x, LIST(0, 1, 3, 2)); /* a mask that is scaled as well */
    scores = two(&m, "Add", two(&m, "MatMul", x, k), weights(&m, NET_SHAPE(5, 5)));
    scores = two(&m, "Mul", scores, number(&m, 0.5f));
    end(&m, two(&m, "MatMul", softmax(&m, scores, -1), x), 0, 6);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    k = transpose(&m, x, LIST(0, 1, 3, 2)); /* one number for each query */
    scores = two(&m, "Add", two(&m, "MatMul", x, k), weights(&m, NET_SHAPE(5, 1)));
    end(&m, two(&m, "MatMul", softmax(&m, scores, -1), x), 0, 5);
    x = begin(&m, NET_SHAPE(-1, 3, 5, 4));
    k = transpose(&m, x, LIST(0, 1, 3, 2)); /* values that are shared by all heads */
    p = softmax(&m, two(&m, "MatMul", x, k), -1);
    end(&m, two(&m, "MatMul", p, weights(&m, NET_SHAPE(5, 6))), 0, 4);
    x = begin(&m, NET_SHAPE(-1, 1, 4100)); /* rows that are too long */
    p = softmax(&m, two(&m, "MatMul", part(&m, x, 0, 1), x), -1);
    end(&m, two(&m, "MatMul", p, transpose(&m, x, LIST(0, 2, 1))), 0, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_first),
        cmocka_unit_test(parts_by_gather),
        cmocka_unit_test(scales),
        cmocka_unit_test(masks),
        cmocka_unit_test(views_that_have_no_rows),
        cmocka_unit_test(what_only_looks_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
