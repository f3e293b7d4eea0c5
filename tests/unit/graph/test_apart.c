/* First nodes sample by sample: the same bits as a batch at once, and a border where it pays. */
#include "graph/apart.h"

#include "graph/exec.h"
#include "net.h"

enum { BATCH = 12, THREADS = 3 };

static int swap(struct net *net, const char *name, int value)
{
    static const int64_t perm[4] = {1, 0, 2, 3};
    struct eng_attr attr = net_ints("perm", perm, 4);
    return net_node(net, "Transpose", name, &value, 1, &attr, 1);
}

/* Elementwise and view nodes on pictures; some values lie with samples in the second dimension. */
static void random_graph(struct net *net, uint64_t seed)
{
    net_init(net, seed);
    int rows[40], columns[40], n_rows = 0, n_columns = 0;
    rows[n_rows++] = net_input(net, "x", NET_SHAPE(-1, 8, 32, 32));
    rows[n_rows++] = net_input(net, "z", NET_SHAPE(-1, 8, 32, 32));
    for (int i = 0; i < 24; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        bool across = n_columns > 0 && eng_rng_below(&net->rng, 4) == 0;
        int *from = across ? columns : rows;
        size_t n = (size_t)(across ? n_columns : n_rows);
        int a = from[eng_rng_below(&net->rng, n)], b = from[eng_rng_below(&net->rng, n)];
        size_t kind = eng_rng_below(&net->rng, 8);
        if (kind == 0) {
            int value = swap(net, name, a);
            if (across)
                rows[n_rows++] = value;
            else
                columns[n_columns++] = value;
            continue;
        }
        int value = kind == 1   ? net_node(net, "Identity", name, &a, 1, NULL, 0)
                    : kind == 2 ? net_node(net, "Relu", name, &a, 1, NULL, 0)
                                : net_node(net, "Add", name, (int[]){a, b}, 2, NULL, 0);
        if (across)
            columns[n_columns++] = value;
        else
            rows[n_rows++] = value;
    }
    for (int i = 0; i < 3; i++) {
        int value = rows[eng_rng_below(&net->rng, (size_t)n_rows)];
        if (net->graph.values[value].kind == ENG_VALUE_COMPUTED) net_output(net, value);
    }
    net_output(net, net_node(net, "Neg", "last", &rows[n_rows - 1], 1, NULL, 0));
}

/* It ends with the graph. */
static struct eng_plan *plan_of(struct net *net, const struct eng_plan *one, int64_t batch)
{
    struct eng_plan *plan;
    struct eng_error err = {0};
    if (eng_plan_create_in(&net->graph.arena, &net->graph, one, batch, false, &plan, &err) !=
        ENG_OK)
        fail_msg("%s", err.text);
    return plan;
}

static void fill_inputs(const struct eng_exec *exec, const struct net *net)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 5, 0);
    for (size_t k = 0; k < net->graph.n_inputs; k++) {
        const struct eng_tensor *x = eng_exec_value(exec, net->graph.inputs[k]);
        for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
            ((float *)x->data)[i] = eng_rng_normal(&rng);
    }
}

static void same_outputs(const struct eng_exec *a, const struct eng_exec *b, const struct net *net)
{
    for (size_t k = 0; k < net->graph.n_outputs; k++) {
        const struct eng_tensor *x = eng_exec_value(a, net->graph.outputs[k]);
        const struct eng_tensor *y = eng_exec_value(b, net->graph.outputs[k]);
        assert_memory_equal(x->data, y->data, (size_t)eng_tensor_bytes(x));
    }
}

/* Both ways on one pool, and the second one once more after another batch. True: nodes run apart.
 */
static bool both_ways_agree(struct net *net, struct eng_pool *pool)
{
    struct eng_exec *together, *apart;
    size_t n_bytes = 0;
    struct eng_plan *one = plan_of(net, NULL, 1), *all = plan_of(net, NULL, BATCH);
    struct eng_plan *plan = plan_of(net, one, BATCH), *fewer = plan_of(net, one, BATCH - 3);
    size_t most = fewer->arena_bytes > plan->arena_bytes ? fewer->arena_bytes : plan->arena_bytes;
    assert_int_equal(eng_exec_create(&net->graph, all->arena_bytes, pool, &together, NULL), ENG_OK);
    assert_int_equal(eng_exec_create(&net->graph, most, pool, &apart, NULL), ENG_OK);
    assert_int_equal(eng_exec_add_lanes(apart, one, BATCH, &n_bytes, NULL), ENG_OK);
    assert_int_equal(n_bytes, (size_t)eng_pool_size(pool) * one->arena_bytes);
    eng_exec_bind(together, all);
    fill_inputs(together, net);
    eng_exec_forward(together, 0);
    for (int i = 0; i < 2; i++) {
        eng_exec_bind(apart, plan);
        fill_inputs(apart, net);
        eng_exec_forward(apart, 0);
        same_outputs(together, apart, net);
        eng_exec_bind(apart, fewer);
        eng_exec_forward(apart, 0);
    }
    bool any = plan->n_apart > 0;
    eng_exec_destroy(together);
    eng_exec_destroy(apart);
    return any;
}

static void answers_stay(void **state)
{
    (void)state;
    struct eng_pool *pool;
    int n_apart = 0, n_graphs = 30;
    assert_int_equal(eng_pool_create(THREADS, &pool, NULL), ENG_OK);
    for (int seed = 0; seed < n_graphs; seed++) {
        struct net net;
        random_graph(&net, (uint64_t)seed);
        n_apart += both_ways_agree(&net, seed % 2 ? pool : NULL);
        net_fini(&net);
    }
    assert_true(n_apart > n_graphs / 2);
    eng_pool_destroy(pool);
}

/* Values with samples in the second dimension do not pass the border. */
static void only_rows_are_shared(void **state)
{
    (void)state;
    int n_shared = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct net net;
        random_graph(&net, seed);
        struct eng_plan *one = plan_of(&net, NULL, 1), *plan = plan_of(&net, one, BATCH);
        for (size_t k = 0; k < plan->n_shared; k++) {
            assert_int_equal(plan->tensors[plan->shared[k]].shape.dim[0], BATCH);
            assert_int_equal(one->tensors[plan->shared[k]].shape.dim[0], 1);
        }
        n_shared += (int)plan->n_shared;
        net_fini(&net);
    }
    assert_true(n_shared > 60);
}

/* Large values that shrink to few, and a matrix that would be read again for every sample. */
static void network(struct net *net, int64_t side)
{
    net_init(net, 1);
    int x = net_input(net, "x", NET_SHAPE(-1, 4, side, side));
    x = net_node(net, "Relu", "relu1", &x, 1, NULL, 0);
    x = net_node(net, "Neg", "neg", &x, 1, NULL, 0);
    x = net_node(net, "GlobalAveragePool", "pooled", &x, 1, NULL, 0);
    x = net_node(net, "Flatten", "flat", &x, 1, NULL, 0);
    int w = net_weight(net, "w", NET_SHAPE(4, 10000), -1, 1);
    net_output(net, net_node(net, "Gemm", "scores", (int[]){x, w}, 2, NULL, 0));
}

static void weights_stay_behind_the_border(void **state)
{
    (void)state;
    struct net net;
    network(&net, 128);
    struct eng_plan *one = plan_of(&net, NULL, 1), *plan = plan_of(&net, one, BATCH);
    assert_in_range(plan->n_apart, 3, 4);
    assert_true(both_ways_agree(&net, NULL));
    struct eng_plan *all = plan_of(&net, NULL, BATCH);
    assert_true(all->arena_bytes > plan->arena_bytes + 1000000);
    net_fini(&net);
}

static void what_fits_the_cache_stays_together(void **state)
{
    (void)state;
    struct net net;
    network(&net, 16);
    struct eng_plan *one = plan_of(&net, NULL, 1), *plan = plan_of(&net, one, BATCH);
    assert_int_equal(plan->n_apart, 0);
    assert_int_equal(plan->n_shared, 0);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_stay),
                                       cmocka_unit_test(only_rows_are_shared),
                                       cmocka_unit_test(weights_stay_behind_the_border),
                                       cmocka_unit_test(what_fits_the_cache_stays_together)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
