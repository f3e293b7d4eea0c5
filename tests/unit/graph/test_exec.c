/* Forward and backward over a whole network: gradients against finite differences, batches, seeds.
 */
#include "base/stopwatch.h"
#include "graph/exec.h"
#include "net.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BATCH = 3, CLASSES = 3 };

struct run {
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
    float **grads; /* [n_values] */
    int logits;
};

/* The residual network in training mode. BatchNormalization's kinks are avoided by a smooth seed.
 */
static void run_init(struct run *run)
{
    struct eng_error err = {0};
    net_init(&run->net, 11);
    net_residual(&run->net);
    struct eng_graph *graph = &run->net.graph;
    eng_graph_mark_trainable(graph);
    run->logits = eng_graph_find(graph, "logits");
    if (eng_plan_create(graph, ENG_PLAN_TRAINING, BATCH, false, &run->plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, run->plan->arena_bytes, NULL, &run->exec, NULL),
                     ENG_OK);
    eng_exec_bind(run->exec, run->plan);
    run->grads = calloc(graph->n_values, sizeof *run->grads);
    assert_non_null(run->grads);
    for (size_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].trainable)
            run->grads[v] = calloc((size_t)eng_shape_count(&graph->values[v].tensor.shape), 4);
    eng_exec_bind_grads(run->exec, run->grads);
    float *x = eng_exec_value(run->exec, graph->inputs[0])->data;
    for (int i = 0; i < BATCH * 2 * 8 * 8; i++)
        x[i] = eng_rng_normal(&run->net.rng);
}

static void run_fini(struct run *run)
{
    for (size_t v = 0; v < run->net.graph.n_values; v++)
        free(run->grads[v]);
    free(run->grads);
    eng_exec_destroy(run->exec);
    eng_plan_destroy(run->plan);
    net_fini(&run->net);
}

/* A loss whose gradient by the logits is plain: sum of c_i * logit_i. */
static double loss(struct run *run)
{
    eng_exec_forward(run->exec, 1);
    const float *logits = eng_exec_value(run->exec, run->logits)->data;
    double sum = 0.0;
    for (int i = 0; i < BATCH * CLASSES; i++)
        sum += (double)logits[i] * (1.0 + 0.3 * i);
    return sum;
}

static void spoil_gradients(struct run *run)
{
    for (size_t v = 0; v < run->net.graph.n_values; v++)
        for (int64_t i = 0;
             run->grads[v] && i < eng_shape_count(&run->net.graph.values[v].tensor.shape); i++)
            run->grads[v][i] = NAN;
}

static void gradients_match_finite_differences(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    loss(&run);
    spoil_gradients(&run);
    float *seed = eng_exec_seed_grad(run.exec, run.logits);
    for (int i = 0; i < BATCH * CLASSES; i++)
        seed[i] = 1.0f + 0.3f * (float)i;
    eng_exec_backward(run.exec);
    size_t n_checked = 0, n_bad = 0;
    for (size_t v = 0; v < run.net.graph.n_values; v++) {
        struct eng_value *value = &run.net.graph.values[v];
        size_t n = value->trainable ? (size_t)eng_shape_count(&value->tensor.shape) : 0;
        for (size_t i = 0; i < n; i += 1 + n / 8, n_checked++) {
            float *weight = (float *)value->tensor.data + i, old = *weight;
            const float step = 2e-3f;
            *weight = old + step;
            double up = loss(&run);
            *weight = old - step;
            double down = loss(&run);
            *weight = old;
            double wanted = (up - down) / (2.0 * (double)step), found = run.grads[v][i];
            if (fabs(wanted - found) > 2e-2 * (1.0 + fabs(wanted))) n_bad++;
        }
    }
    assert_true(n_checked > 30);
    /* A step may cross the kink of a Relu or MaxPool here and there. */
    assert_true(n_bad * 20 <= n_checked);
    run_fini(&run);
}

/* What stood in the gradients is gone, and what the seeded value does not depend on gets none. */
static void backward_overwrites(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    int w1 = eng_graph_find(&run.net.graph, "w1"), w3 = eng_graph_find(&run.net.graph, "w3");
    loss(&run);
    eng_exec_seed_grad(run.exec, run.logits)[0] = 1.0f;
    eng_exec_backward(run.exec);
    float first = run.grads[w3][5];
    assert_true(first != 0.0f);
    spoil_gradients(&run);
    eng_exec_seed_grad(run.exec, run.logits)[0] = 1.0f;
    eng_exec_backward(run.exec);
    assert_true(run.grads[w3][5] == first);
    eng_exec_seed_grad(run.exec, eng_graph_find(&run.net.graph, "pooled"))[0] = 1.0f;
    eng_exec_backward(run.exec);
    assert_true(run.grads[w3][5] == 0.0f);
    assert_true(isfinite(run.grads[w1][5]));
    run_fini(&run);
}

/* Row i of a batch is that row alone, bit for bit. */
static void batch_rows_are_independent(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 2);
    net_residual(&net);
    struct eng_plan *plans[2];
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 1, false, &plans[0], NULL),
                     ENG_OK);
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 6, false, &plans[1], NULL),
                     ENG_OK);
    struct eng_exec *exec;
    assert_int_equal(eng_exec_create(&net.graph, plans[1]->arena_bytes, NULL, &exec, NULL), ENG_OK);
    float input[6][128], together[6][3];
    for (int i = 0; i < 6 * 128; i++)
        input[i / 128][i % 128] = eng_rng_normal(&net.rng);
    eng_exec_bind(exec, plans[1]);
    memcpy(eng_exec_value(exec, net.graph.inputs[0])->data, input, sizeof input);
    eng_exec_forward(exec, 0);
    memcpy(together, eng_exec_value(exec, net.graph.outputs[0])->data, sizeof together);
    eng_exec_bind(exec, plans[0]);
    for (int row = 0; row < 6; row++) {
        memcpy(eng_exec_value(exec, net.graph.inputs[0])->data, input[row], sizeof input[row]);
        eng_exec_forward(exec, 0);
        assert_memory_equal(eng_exec_value(exec, net.graph.outputs[0])->data, together[row],
                            sizeof together[row]);
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plans[0]);
    eng_plan_destroy(plans[1]);
    net_fini(&net);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Memory for a large batch takes nothing while single samples run: no huge page is wished for that
 * they do not fill. */
static void single_samples_touch_their_part(void **state)
{
    (void)state;
    enum { N = 8 << 20 };
    static unsigned char pages[N / 4096];
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
    net_init(&net, 2);
    net_residual(&net);
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_INFERENCE, 1, false, &plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&net.graph, N, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    int input = net.graph.inputs[0];
    float *x = eng_exec_value(exec, input)->data;
    char *memory = (char *)x - plan->offset[input];
    for (int i = 0; i < 2 * 8 * 8; i++)
        x[i] = eng_rng_normal(&net.rng);
    eng_exec_forward(exec, 0);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n_resident = 0;
    assert_int_equal(mincore(memory, N, pages), 0);
    for (size_t i = 0; i < N / page; i++)
        n_resident += pages[i] & 1;
    assert_in_range(n_resident, 1, plan->arena_bytes / page + 1);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    net_fini(&net);
}
#endif

/* y = Conv(h, h) with h = s x: both of Conv's gradients go to h, the first one written, and
 * sum of y = s^2 times what it is for s = 1. */
static void value_that_is_two_inputs_gets_both_gradients(void **state)
{
    (void)state;
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
    net_init(&net, 5);
    const float s = 1.5f;
    int x = net_input(&net, "x", NET_SHAPE(-1, 2, 2, 3));
    int scale = net_constant(&net, "scale", ENG_FLOAT32, NET_SHAPE(1), &s);
    int h = net_node(&net, "Mul", "h", (int[]){x, scale}, 2, NULL, 0);
    int y = net_node(&net, "Conv", "y", (int[]){h, h}, 2, NULL, 0);
    net_output(&net, y);
    eng_graph_mark_trainable(&net.graph);
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_TRAINING, BATCH, false, &plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    float gradient = NAN, *grads[8] = {0}, sum = 0;
    assert_true(net.graph.n_values <= 8);
    grads[scale] = &gradient;
    eng_exec_bind(exec, plan);
    eng_exec_bind_grads(exec, grads);
    for (int i = 0; i < BATCH * 12; i++)
        ((float *)eng_exec_value(exec, x)->data)[i] = eng_rng_normal(&net.rng);
    eng_exec_forward(exec, 1);
    float *seed = eng_exec_seed_grad(exec, y);
    for (int i = 0; i < BATCH * BATCH; i++) {
        sum += ((float *)eng_exec_value(exec, y)->data)[i];
        seed[i] = 1;
    }
    eng_exec_backward(exec);
    assert_true(fabsf(gradient - 2 * sum / s) <= 1e-4f * (1 + fabsf(gradient)));
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    net_fini(&net);
}

/* Index of the node of that name. */
static size_t find_node(const struct eng_graph *graph, const char *name)
{
    for (size_t i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i].name, name) == 0) return i;
    fail_msg("no node %s", name);
    return 0;
}

static void nodes_are_timed_if_asked(void **state)
{
    (void)state;
    struct run run;
    run_init(&run);
    size_t n = run.net.graph.n_nodes;
    double *seconds = calloc(n, sizeof *seconds), *once = calloc(n, sizeof *once);
    assert_true(seconds && once);
    loss(&run);
    eng_exec_time_nodes(run.exec, eng_stopwatch_s, seconds);
    double start = eng_stopwatch_s(), sum = 0;
    loss(&run);
    double elapsed = eng_stopwatch_s() - start;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(seconds[i] > 0, eng_exec_runs(run.exec, i));
        sum += once[i] = seconds[i];
    }
    assert_true(sum <= elapsed);
    loss(&run);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seconds[i] > once[i], eng_exec_runs(run.exec, i));
    memcpy(once, seconds, n * sizeof *once);
    eng_exec_time_nodes(run.exec, NULL, NULL);
    loss(&run);
    assert_memory_equal(seconds, once, n * sizeof *once);
    free(seconds);
    free(once);
    run_fini(&run);
}

static void nodes_say_how_they_are_computed(void **state)
{
    (void)state;
    static const struct {
        const char *node, *wanted;
    } cases[] = {{"conv1", "direct 3x3"},
                 {"pooled", "2x2 by 2"},
                 {"norm", ""},
                 {"relu1", "done by the node before"},
                 {"flat", "shares memory"},
                 {"logits", "dot products"}};
    struct run run;
    run_init(&run);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        size_t node = find_node(&run.net.graph, cases[i].node);
        eng_exec_describe(run.exec, node, text, sizeof text);
        assert_string_equal(text, cases[i].wanted);
    }
    run_fini(&run);
}

/*
 * Values that want a gradient keep it, inputs and computed ones alike: y = d^2 + d for d =
 * Dropout(s x), by x, and by a view of d that the square alone reads. Steady nodes answer as in
 * inference: Dropout drops nothing. What lies before the wanted values gets no gradient, and
 * constants that are not trainable none.
 */
static void values_keep_their_gradients(void **state)
{
    (void)state;
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
    net_init(&net, 5);
    const float s = 1.5f;
    int x = net_input(&net, "x", NET_SHAPE(-1, 4));
    int other = net_input(&net, "other", NET_SHAPE(-1, 4));
    int scale = net_constant(&net, "scale", ENG_FLOAT32, NET_SHAPE(1), &s);
    int scaled = net_node(&net, "Mul", "scaled", (int[]){x, scale}, 2, NULL, 0);
    int dropped = net_node(&net, "Dropout", "dropped", &scaled, 1, NULL, 0);
    int view = net_node(&net, "Flatten", "view", &dropped, 1, NULL, 0);
    int square = net_node(&net, "Mul", "square", (int[]){view, view}, 2, NULL, 0);
    int y = net_node(&net, "Add", "y", (int[]){square, dropped}, 2, NULL, 0);
    net_output(&net, y);
    net_output(&net, net_node(&net, "Relu", "apart", &other, 1, NULL, 0));
    struct eng_value *values = net.graph.values;
    values[x].wants_grad = values[other].wants_grad = values[view].wants_grad = true;
    for (size_t i = 0; i < net.graph.n_nodes; i++)
        net.graph.nodes[i].steady = true;
    assert_int_equal(eng_plan_create(&net.graph, ENG_PLAN_TRAINING, BATCH, false, &plan, NULL),
                     ENG_OK);
    assert_int_equal(eng_exec_create(&net.graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    float *in = eng_exec_value(exec, x)->data;
    for (int i = 0; i < BATCH * 4; i++)
        in[i] = eng_rng_normal(&net.rng);
    for (int time = 0; time < 2; time++) {
        eng_exec_forward(exec, (uint64_t)time);
        float *seed = eng_exec_seed_grad(exec, y);
        for (int i = 0; i < BATCH * 4; i++)
            seed[i] = 1;
        eng_exec_backward(exec);
        for (int i = 0; i < BATCH * 4; i++) {
            assert_true(fabsf(eng_exec_gradient(exec, x)[i] - s * (2 * s * in[i] + 1)) < 1e-5f);
            assert_true(fabsf(eng_exec_gradient(exec, view)[i] - 2 * s * in[i]) < 1e-5f);
            assert_true(eng_exec_gradient(exec, other)[i] == 0);
        }
    }
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_timed_if_asked),
        cmocka_unit_test(nodes_say_how_they_are_computed),
        cmocka_unit_test(gradients_match_finite_differences),
        cmocka_unit_test(backward_overwrites),
        cmocka_unit_test(value_that_is_two_inputs_gets_both_gradients),
        cmocka_unit_test(values_keep_their_gradients),
        cmocka_unit_test(batch_rows_are_independent),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        cmocka_unit_test(single_samples_touch_their_part),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
