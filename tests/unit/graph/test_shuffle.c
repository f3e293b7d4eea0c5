/* Shuffled channels become one node, with channels first and last, at every level of kernels. */
#include "graph/shuffle.h"

#include "engine/cpu.h"
#include "graph/channels_last.h"
#include "graph/exec.h"
#include "graph/shape.h"
#include "kernels/dispatch.h"
#include "net_pictures.h"

#include <sys/wait.h>
#include <unistd.h>

struct form {
    const char *name;
    int64_t groups, half; /* channels of each of two convolutions that are joined */
    bool joined;          /* the Concat is read by the shuffle alone */
    int64_t cut;          /* the slices' border; 0: no slices */
    bool whole;           /* the shuffled picture is read otherwise, too */
    int64_t swap;         /* which dimension the Transpose swaps with the next */
    size_t n_shuffles;    /* what is left of Reshape, Transpose, Reshape and slices */
    size_t n_reshapes;
};

static const struct form forms[] = {
    {"halves", 2, 58, true, 58, false, 1, 2, 0},
    {"uneven halves", 2, 22, true, 15, false, 1, 2, 0},
    {"whole", 2, 24, true, 0, false, 1, 1, 0},
    {"four groups", 4, 18, true, 18, false, 1, 2, 0},
    {"Concat read twice", 2, 20, false, 20, false, 1, 2, 0},
    {"read whole, and by slices", 2, 20, true, 20, true, 1, 1, 0},
    {"another Transpose", 2, 20, true, 20, false, 2, 0, 2},
};

static int int64s(struct net *net, const char *name, const int64_t *values, int64_t n)
{
    return net_constant(net, name, ENG_INT64, NET_SHAPE(n), values);
}

static int slice(struct net *net, const char *name, int x, int64_t start, int64_t end)
{
    char names[3][32];
    static const char *const parts[] = {"start", "end", "axis"};
    const int64_t values[3] = {start, end, 1};
    int in[4] = {x};
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s.%s", name, parts[i]);
        in[i + 1] = int64s(net, names[i], &values[i], 1);
    }
    return net_node(net, "Slice", name, in, 4, NULL, 0);
}

static void build(struct net *net, const struct form *f)
{
    net_init(net, 9);
    int64_t n = f->half, c = 2 * n;
    int x = net_input(net, "x", NET_SHAPE(-1, 16, 5, 5));
    int parts[2] = {net_conv(net, "c1", x, 16, n, 1, 1, 1), net_conv(net, "c2", x, 16, n, 3, 1, 1)};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 1};
    x = net_node(net, "Concat", "joined", parts, 2, &axis, 1);
    if (!f->joined) net_output(net, x);
    int64_t parted[5] = {-1, f->groups, c / f->groups, 5, 5}, again[4] = {-1, c, 5, 5};
    int64_t perm[5] = {0, 1, 2, 3, 4};
    perm[f->swap] = f->swap + 1;
    perm[f->swap + 1] = f->swap;
    struct eng_attr order = net_ints("perm", perm, 5);
    x = net_node(net, "Reshape", "parted", (int[]){x, int64s(net, "s5", parted, 5)}, 2, NULL, 0);
    x = net_node(net, "Transpose", "swapped", &x, 1, &order, 1);
    x = net_node(net, "Reshape", "again", (int[]){x, int64s(net, "s4", again, 4)}, 2, NULL, 0);
    if (f->whole || f->cut == 0) net_output(net, net_simple(net, "Abs", "y0", x, -1));
    if (f->cut == 0) return;
    int a = slice(net, "a", x, 0, f->cut), b = slice(net, "b", x, f->cut - c, c);
    net_output(net, net_conv(net, "y1", a, f->cut, 16, 1, 1, 1));
    net_output(net, net_conv(net, "y2", b, c - f->cut, 16, 1, 1, 1));
}

static size_t count(const struct eng_graph *graph, const char *op)
{
    size_t n = 0;
    for (size_t i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i].op->name, op) == 0;
    return n;
}

/* Output k for three pictures, or for the last of them alone. */
static float *run(const struct eng_graph *graph, bool alone, size_t k, size_t *n)
{
    struct eng_plan *plan;
    struct eng_exec *exec;
    struct eng_rng rng;
    struct eng_error err = {0};
    if (eng_plan_create(graph, ENG_PLAN_INFERENCE, alone ? 1 : 3, false, &plan, &err) != ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(eng_exec_create(graph, plan->arena_bytes, NULL, &exec, NULL), ENG_OK);
    eng_exec_bind(exec, plan);
    const struct eng_tensor *x = eng_exec_value(exec, graph->inputs[0]);
    eng_rng_init(&rng, 5, 0);
    for (int64_t i = 0; alone && i < 2 * eng_shape_count(&x->shape); i++)
        eng_rng_normal(&rng);
    for (int64_t i = 0; i < eng_shape_count(&x->shape); i++)
        ((float *)x->data)[i] = eng_rng_normal(&rng);
    eng_exec_forward(exec, 0);
    const struct eng_tensor *y = eng_exec_value(exec, graph->outputs[k]);
    *n = (size_t)eng_shape_count(&y->shape);
    float *copy = malloc(*n * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, y->data, *n * sizeof *copy);
    eng_exec_destroy(exec);
    eng_plan_destroy(plan);
    return copy;
}

static void same_answers(const struct form *f, const struct eng_graph *before,
                         const struct eng_graph *after, float allowed)
{
    for (size_t k = 0; k < before->n_outputs; k++) {
        size_t n, m, one;
        float *wanted = run(before, false, k, &n), *found = run(after, false, k, &m);
        float *alone = run(after, true, k, &one);
        assert_int_equal(n, m);
        for (size_t i = 0; i < n; i++)
            if (!(fabsf(wanted[i] - found[i]) <= allowed))
                fail_msg("%s, %s: output %zu, element %zu: %g, wanted %g", eng_kernels()->name,
                         f->name, k, i, (double)found[i], (double)wanted[i]);
        assert_memory_equal(alone, found + n - one, one * sizeof *alone);
        free(wanted);
        free(found);
        free(alone);
    }
}

static void check(const struct form *f, bool turns)
{
    struct net net;
    struct eng_graph out;
    struct eng_rewrite rewrite;
    struct eng_error err = {0};
    build(&net, f);
    struct eng_tensor *shapes = calloc(net.graph.n_values, sizeof *shapes);
    assert_non_null(shapes);
    eng_graph_init(&out);
    if (eng_shape_infer_symbolic(&net.graph, false, shapes, &err) != ENG_OK ||
        eng_rewrite_begin(&rewrite, &net.graph, shapes, &out, &err) != ENG_OK ||
        eng_shuffle(&rewrite, &err) != ENG_OK ||
        (turns && eng_channels_last(&rewrite, &err) != ENG_OK))
        fail_msg("%s: %s", f->name, err.text);
    if (count(&out, "ChannelShuffle") != f->n_shuffles || count(&out, "Reshape") != f->n_reshapes)
        fail_msg("%s: %zu shuffles and %zu Reshapes", f->name, count(&out, "ChannelShuffle"),
                 count(&out, "Reshape"));
    if (!turns)
        assert_int_equal(count(&out, "Concat"),
                         f->n_shuffles && f->joined && f->groups == 2 ? 0 : 1);
    same_answers(f, &net.graph, &out, turns ? 2e-6f : 0);
    free(shapes);
    eng_rewrite_end(&rewrite);
    eng_graph_fini(&out);
    net_fini(&net);
}

static void all_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        check(&forms[i], false);
        check(&forms[i], true);
    }
}

/* The level is chosen once, so each has a process of its own. */
static void every_level(void **state)
{
    (void)state;
    for (size_t i = 0; eng_kernels_at(i); i++) {
        if (!eng_kernels_at(i)->runs_here()) continue;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (eng_cpu_set_level(eng_kernels_at(i)->name, NULL) != ENG_OK) _exit(1);
            const struct CMUnitTest tests[] = {cmocka_unit_test(all_forms)};
            _exit(cmocka_run_group_tests(tests, NULL, NULL));
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
