/*
 * Whole steps (shards, penalty, clipping, groups of parameters, averages) against PyTorch 1.13.
 * The numbers come from this, with `run(sgd, clip=2.0, l2=0.05)` and the like:
 *
 *     import torch
 *     def run(make, clip=0.0, l2=0.0):
 *         w = torch.tensor([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], requires_grad=True)
 *         b = torch.tensor([0.1, -0.2], requires_grad=True)
 *         s = torch.tensor([1.0, 0.8], requires_grad=True)
 *         t = torch.tensor([0.3, 0.0], requires_grad=True)
 *         every = [w, b, s, t]
 *         opt = make([w], [b, s, t])
 *         flat = lambda: torch.cat([p.detach().flatten() for p in every])
 *         avg = flat()
 *         for step in range(3):
 *             opt.zero_grad()
 *             penalty = l2 * (w ** 2).sum()
 *             g = lambda p, i: torch.arange(p.numel()).float().reshape(p.shape) * 0.5 - i - step *
 * 0.25 (sum((g(p, i) * p).sum() for i, p in enumerate(every)) + penalty).backward() norm =
 * torch.nn.utils.clip_grad_norm_(every, clip or 1e30) opt.step() avg = 0.9 * avg + 0.1 * flat()
 *         print(flat(), norm, penalty, avg)
 *     sgd = lambda W, B: torch.optim.SGD(W + B, lr=0.1, momentum=0.9)
 *     nesterov = lambda W, B: torch.optim.SGD([dict(params=W), dict(params=B, weight_decay=0,
 * lr=0.2)], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1) adam = lambda W, B:
 * torch.optim.Adam([dict(params=W), dict(params=B, weight_decay=0, lr=0.05)], lr=0.1,
 * weight_decay=0.1) adamw = lambda W, B: torch.optim.AdamW([dict(params=W), dict(params=B,
 * lr=0.2)], lr=0.1, weight_decay=0.1)
 */
#include "train/parameters.h"

#include "net.h"

#include <math.h>

enum { N_WEIGHTS = 6, N = 12, N_STATE = 4, N_SHARDS = 3 };

/* y = BatchNormalization(x W + b). */
static void build(struct net *net)
{
    static const float w[] = {0.5f, -1, 2, 0.25f, -0.75f, 1.5f}, b[] = {0.1f, -0.2f};
    static const float s[] = {1, 0.8f}, t[] = {0.3f, 0}, mean[] = {0, 0}, var[] = {1, 1};
    net_init(net, 1);
    int x = net_input(net, "x", NET_SHAPE(-1, 3));
    int in[3] = {x, net_constant(net, "W", ENG_FLOAT32, NET_SHAPE(3, 2), w),
                 net_constant(net, "b", ENG_FLOAT32, NET_SHAPE(2), b)};
    int h = net_node(net, "Gemm", "h", in, 3, NULL, 0);
    int more[5] = {h, net_constant(net, "s", ENG_FLOAT32, NET_SHAPE(2), s),
                   net_constant(net, "t", ENG_FLOAT32, NET_SHAPE(2), t),
                   net_constant(net, "mean", ENG_FLOAT32, NET_SHAPE(2), mean),
                   net_constant(net, "var", ENG_FLOAT32, NET_SHAPE(2), var)};
    net_output(net, net_node(net, "BatchNormalization", "y", more, 5, NULL, 0));
    eng_graph_mark_trainable(&net->graph);
}

static void assert_near(const char *what, size_t i, double found, double wanted)
{
    if (!(fabs(found - wanted) <= 3e-6 * (1 + fabs(wanted))))
        fail_msg("%s[%zu] is %.8g; wanted %.8g", what, i, found, wanted);
}

struct golden {
    const char *kind;
    struct eng_optimiser_options optimiser;
    struct eng_step_options step;
    double norm, penalty; /* of the last step */
    double parameters[N], average[N];
};

/* The gradient of every step, cut into three shards that do not look like it. */
static void fill_gradients(size_t step, float shards[N_SHARDS][N])
{
    size_t at = 0;
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < (i == 0 ? N_WEIGHTS : 2); k++, at++) {
            float g = (float)k * 0.5f - (float)i - (float)step * 0.25f;
            shards[0][at] = g + 3;
            shards[1][at] = (float)at;
            shards[2][at] = -3 - (float)at;
        }
}

static int kind_named(const char *name)
{
    for (size_t i = 0; i < eng_n_optimiser_kinds; i++)
        if (strcmp(eng_optimiser_kinds[i].name, name) == 0) return (int)i;
    fail_msg("no optimiser %s", name);
    return -1;
}

static void expect(const struct golden *golden)
{
    struct net net;
    struct eng_parameters parameters;
    struct eng_optimiser optimiser;
    struct eng_optimiser_options options = golden->optimiser;
    struct eng_step_result result = {0};
    float shards[N_SHARDS][N], average[N + N_STATE], found[N + N_STATE];
    float *const gradients[N_SHARDS] = {shards[0], shards[1], shards[2]};
    options.kind = kind_named(golden->kind);
    build(&net);
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    assert_int_equal(parameters.n, N);
    assert_int_equal(eng_parameters_count(&parameters), N + N_STATE);
    assert_int_equal(eng_optimiser_init(&optimiser, &options, N, NULL), ENG_OK);
    eng_parameters_read(&parameters, average);
    for (size_t step = 0; step < 3; step++) {
        fill_gradients(step, shards);
        result =
            eng_parameters_step(&parameters, &optimiser, &golden->step, gradients, N_SHARDS, NULL);
        eng_parameters_average(&parameters, 0.9, average, NULL);
    }
    eng_parameters_read(&parameters, found);
    for (size_t i = 0; i < N; i++) {
        assert_near("parameters", i, (double)found[i], golden->parameters[i]);
        if (golden->average[0] != 0)
            assert_near("average", i, (double)average[i], golden->average[i]);
    }
    assert_near("gradient norm", 0, result.gradient_norm, golden->norm);
    assert_near("penalty", 0, result.penalty, golden->penalty);
    eng_optimiser_fini(&optimiser);
    eng_parameters_fini(&parameters);
    net_fini(&net);
}

#define ADAM .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8

static void clipping_is_pytorchs(void **state)
{
    (void)state;
    expect(&(struct golden){"SGD",
                            {.momentum = 0.9, .bias_factor = 1},
                            {.learning_rate = 0.1, .clip_norm = 0.5},
                            6.5192024,
                            0,
                            {0.5076501, -1.0150293, 1.9622911, 0.1896117, -0.8330677, 1.3942528,
                             0.1530091, -0.1696704, 1.0983679, 0.8756886, 0.4437269, 0.1210474},
                            {0.5009457, -1.0027264, 1.9936011, 0.2399292, -0.763743, 1.4825846,
                             0.1082901, -0.1953821, 1.0156344, 0.8119622, 0.3229789, 0.0193066}});
}

static void penalty_is_pytorchs(void **state)
{
    (void)state;
    expect(&(struct golden){"SGD",
                            {.momentum = 0.9, .bias_factor = 1},
                            {.learning_rate = 0.1, .l2 = 0.05},
                            6.5244160,
                            0.3255996,
                            {0.5694395, -1.125234, 1.429798, -0.5009702, -1.7234542, 0.1232934,
                             0.7585, 0.178, 2.2195001, 1.739, 2.0805001, 1.5},
                            {0.5074884, -1.0239173, 1.9042976, 0.1251352, -0.9107571, 1.2741877,
                             0.2023, -0.14285, 1.1926, 0.9474499, 0.5829, 0.23775}});
    /* Clipping sees the penalty's gradient. */
    expect(&(struct golden){"SGD",
                            {.momentum = 0.9, .bias_factor = 1},
                            {.learning_rate = 0.1, .l2 = 0.05, .clip_norm = 2},
                            6.5545850,
                            0.3677888,
                            {0.5214002, -1.0413023, 1.8153778, 0.0071543, -1.0645056, 1.0556108,
                             0.310016, -0.079801, 1.3896501, 1.0998331, 0.8692842, 0.4794672},
                            {0.5023016, -1.0078526, 1.9689375, 0.2095088, -0.8020959, 1.4268701,
                             0.1328245, -0.1817104, 1.0618944, 0.8473594, 0.3909643, 0.0764294}});
}

/* Weights in one group, everything else in another. */
static void groups_are_pytorchs(void **state)
{
    (void)state;
    expect(&(struct golden){"SGD",
                            {.momentum = 0.9,
                             .nesterov = true,
                             .weight_decay = 0.1,
                             .decay_weights_only = true,
                             .bias_factor = 2},
                            {.learning_rate = 0.1},
                            6.5192024,
                            0,
                            {0.6222945, -1.1545767, 1.2125747, -0.7945199, -2.1109443, -0.4344631,
                             2.0353, 0.9304, 4.5450997, 3.5402, 5.4548998, 4.3499999},
                            {0}});
    expect(&(struct golden){
        "Adam",
        {ADAM, .weight_decay = 0.1, .decay_weights_only = true, .bias_factor = 0.5},
        {.learning_rate = 0.1},
        6.5192024,
        0,
        {0.533446, -1.2359504, 1.7056882, -0.0462984, -1.0474836, 1.201546, 0.2500139, -0.0510973,
         1.1502465, 0.9502087, 0.4502325, 0.150245},
        {0}});
    expect(&(struct golden){"AdamW",
                            {ADAM, .weight_decay = 0.1, .bias_factor = 2},
                            {.learning_rate = 0.1},
                            6.5192024,
                            0,
                            {0.6416763, -1.2326525, 1.6510584, -0.0508829, -1.0225127, 1.1600242,
                             0.6822562, 0.3954892, 1.5302526, 1.341864, 0.8713623, 0.5890546},
                            {0}});
}

enum { ROWS = 300, COLUMNS = 211, N_LARGE = ROWS * COLUMNS };

static float *large(void)
{
    float *floats = malloc(N_LARGE * sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < N_LARGE; i++)
        floats[i] = (float)(i % 101) * 0.01f - 0.5f;
    return floats;
}

/* Two clipped steps of parameters in several pieces; then one whose gradient is not a number, which
 * must move nothing. */
static float *step_large(struct eng_pool *pool)
{
    struct net net;
    struct eng_parameters parameters;
    struct eng_optimiser optimiser;
    struct eng_optimiser_options options = {.momentum = 0.9, .bias_factor = 1};
    struct eng_step_options step = {.learning_rate = 0.1, .l2 = 0.01, .clip_norm = 1};
    float *gradient = large(), *found = large(), *later = large();
    net_init(&net, 5);
    int x = net_input(&net, "x", NET_SHAPE(-1, ROWS));
    int w = net_weight(&net, "W", NET_SHAPE(ROWS, COLUMNS), -1, 1);
    net_output(&net, net_node(&net, "MatMul", "y", (int[]){x, w}, 2, NULL, 0));
    eng_graph_mark_trainable(&net.graph);
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    assert_true(parameters.n_pieces > 1);
    assert_int_equal(eng_optimiser_init(&optimiser, &options, N_LARGE, NULL), ENG_OK);
    for (size_t i = 0; i < 2; i++)
        eng_parameters_step(&parameters, &optimiser, &step, &gradient, 1, pool);
    eng_parameters_read(&parameters, found);
    gradient[N_LARGE - 1] = NAN;
    assert_true(isnan(
        eng_parameters_step(&parameters, &optimiser, &step, &gradient, 1, pool).gradient_norm));
    eng_parameters_read(&parameters, later);
    assert_memory_equal(later, found, N_LARGE * sizeof *found);
    eng_optimiser_fini(&optimiser);
    eng_parameters_fini(&parameters);
    net_fini(&net);
    free(gradient);
    free(later);
    return found;
}

static void threads_change_nothing(void **state)
{
    (void)state;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    float *alone = step_large(NULL), *together = step_large(pool);
    assert_memory_equal(alone, together, N_LARGE * sizeof *alone);
    eng_pool_destroy(pool);
    free(alone);
    free(together);
}

static const float *constant(const struct net *net, const char *name)
{
    return net->graph.values[eng_graph_find(&net->graph, name)].tensor.data;
}

/* Running means and variances go with the parameters, behind them. */
static void state_is_averaged_and_swapped(void **state)
{
    (void)state;
    struct net net;
    struct eng_parameters parameters;
    float floats[N + N_STATE], before[N + N_STATE];
    build(&net);
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    assert_int_equal(parameters.n_state, N_STATE);
    eng_parameters_read(&parameters, before);
    for (size_t i = 0; i < N + N_STATE; i++)
        floats[i] = (float)i;
    eng_parameters_average(&parameters, 0.75, floats, NULL);
    for (size_t i = 0; i < N + N_STATE; i++)
        assert_near("average", i, (double)floats[i], 0.75 * (double)i + 0.25 * (double)before[i]);
    eng_parameters_swap(&parameters, floats);
    assert_memory_equal(floats, before, sizeof floats);
    assert_near("mean", 1, (double)constant(&net, "mean")[1], 0.75 * (N + 1));
    assert_near("var", 0, (double)constant(&net, "var")[0], 0.75 * (N + 2) + 0.25);
    eng_parameters_write(&parameters, before);
    assert_near("var", 0, (double)constant(&net, "var")[0], 1);
    assert_near("W", 2, (double)constant(&net, "W")[2], 2);
    eng_parameters_fini(&parameters);
    net_fini(&net);
}

/* A constant that is not marked has no gradient and does not move. */
static void frozen_stays(void **state)
{
    (void)state;
    struct net net;
    struct eng_parameters parameters;
    build(&net);
    int w = eng_graph_find(&net.graph, "W");
    net.graph.values[w].trainable = false;
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    assert_int_equal(parameters.n, N - N_WEIGHTS);
    assert_true(parameters.first[w] == SIZE_MAX);
    eng_parameters_fini(&parameters);
    for (size_t v = 0; v < net.graph.n_values; v++)
        net.graph.values[v].trainable = false;
    struct eng_error err = {0};
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, &err), ENG_FORMAT);
    assert_non_null(strstr(err.text, "no parameters"));
    net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipping_is_pytorchs),          cmocka_unit_test(penalty_is_pytorchs),
        cmocka_unit_test(groups_are_pytorchs),           cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(state_is_averaged_and_swapped), cmocka_unit_test(frozen_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
