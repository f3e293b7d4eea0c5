/* Settling shapes: what is the same for every batch becomes a constant, what follows it does not.
 */
#include "graph/settle_shapes.h"

#include "rewrite_case.h"

static rewrite_fn *const settle[] = {eng_settle_shapes, NULL};

static int ints(struct net *net, const char *name, int64_t value)
{
    return net_constant(net, name, ENG_INT64, NET_SHAPE(1), &value);
}

/* [1] int64: dimension `axis` of x, as exporters write it. */
static int dimension(struct net *net, const char *name, int x, int64_t axis)
{
    char shape_name[64], axis_name[64];
    snprintf(shape_name, sizeof shape_name, "%s.shape", name);
    snprintf(axis_name, sizeof axis_name, "%s.axis", name);
    int shape = net_node(net, "Shape", shape_name, &x, 1, NULL, 0);
    int in[2] = {shape, ints(net, axis_name, axis)};
    return net_node(net, "Gather", name, in, 2, NULL, 0);
}

static int concat(struct net *net, const char *name, const int *in, size_t n)
{
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    return net_node(net, "Concat", name, in, n, &axis, 1);
}

static const struct eng_tensor *input_of(const struct eng_graph *graph, const char *node, size_t k)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].name, node) == 0)
            return &graph->values[graph->nodes[i].in[k]].tensor;
    fail_msg("there is no node '%s'", node);
    return NULL;
}

/* x [N, 6, 4] -> Reshape [N, 2, 12], -> Slice, with all numbers computed from shapes. */
static void batch_stays_open(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_init(&c.net, 1);
    int x = net_input(&c.net, "x", NET_SHAPE(-1, 6, 4));
    int relu = net_node(&c.net, "Relu", "relu", &x, 1, NULL, 0);
    int n = dimension(&c.net, "n", relu, 0), six = dimension(&c.net, "six", relu, 1);
    int three = ints(&c.net, "three", 3), minus = ints(&c.net, "minus", -1);
    int two = net_node(&c.net, "Div", "two", (int[]){six, three}, 2, NULL, 0);
    int list = concat(&c.net, "list", (int[]){n, two, minus}, 3);
    int y = net_node(&c.net, "Reshape", "y", (int[]){relu, list}, 2, NULL, 0);
    int last = ints(&c.net, "last", 2);
    net_output(&c.net, net_node(&c.net, "Slice", "z", (int[]){y, two, six, last}, 4, NULL, 0));
    rewrite_run(&c, settle);
    assert_int_equal(c.out.n_nodes, 3);
    static const int64_t wanted[3] = {-1, 2, 12}, start = 2, end = 6;
    assert_memory_equal(input_of(&c.out, "y", 1)->data, wanted, sizeof wanted);
    assert_memory_equal(input_of(&c.out, "z", 1)->data, &start, sizeof start);
    assert_memory_equal(input_of(&c.out, "z", 2)->data, &end, sizeof end);
    rewrite_check_answers(&c, 3, 0);
    rewrite_fini(&c);
}

/* A Reshape in which two dimensions follow the batch, and an Expand, are still told at plan time.
 */
static void what_follows_the_batch_stays(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_init(&c.net, 1);
    int x = net_input(&c.net, "x", NET_SHAPE(-1, 6));
    int n = dimension(&c.net, "n", x, 0), one = ints(&c.net, "one", 1),
        two = ints(&c.net, "two", 2);
    int six = dimension(&c.net, "six", x, 1);
    int row = net_weight(&c.net, "row", NET_SHAPE(1, 6), -1, 1);
    int to = concat(&c.net, "to", (int[]){n, one}, 2);
    int rows = net_node(&c.net, "Expand", "rows", (int[]){row, to}, 2, NULL, 0);
    int sum = net_node(&c.net, "Add", "sum", (int[]){x, rows}, 2, NULL, 0);
    int list = concat(&c.net, "list", (int[]){n, six}, 2);
    int tall = concat(&c.net, "tall", (int[]){n, n, two}, 3);
    int nothing = net_node(&c.net, "ConstantOfShape", "nothing", &tall, 1, NULL, 0);
    net_output(&c.net, net_node(&c.net, "Reshape", "y", (int[]){sum, list}, 2, NULL, 0));
    net_output(&c.net, nothing);
    rewrite_run(&c, settle);
    assert_int_equal(rewrite_count(&c.out, "Expand"), 1);
    assert_int_equal(rewrite_count(&c.out, "ConstantOfShape"), 1);
    assert_int_equal(rewrite_count(&c.out, "Shape"), 1);
    rewrite_check_answers(&c, 3, 0);
    rewrite_fini(&c);
}

/* An output that is known keeps its node, and so its name. */
static void outputs_keep_their_names(void **state)
{
    (void)state;
    struct rewrite_case c;
    net_init(&c.net, 1);
    int x = net_input(&c.net, "x", NET_SHAPE(-1, 6));
    int six = dimension(&c.net, "six", x, 1);
    struct eng_attr to = {.name = "to", .type = ENG_ATTR_INT, .i = 1};
    int real = net_node(&c.net, "Cast", "real", &six, 1, &to, 1);
    net_output(&c.net, real);
    net_output(&c.net, net_node(&c.net, "Mul", "y", (int[]){x, real}, 2, NULL, 0));
    rewrite_run(&c, settle);
    assert_string_equal(c.out.values[c.out.outputs[0]].name, "real");
    assert_int_equal(input_of(&c.out, "y", 1)->dtype, ENG_FLOAT32);
    rewrite_check_answers(&c, 3, 0);
    rewrite_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_stays_open),
        cmocka_unit_test(what_follows_the_batch_stays),
        cmocka_unit_test(outputs_keep_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
