/* What operators say of slices (op->follow): where they say that slices stay apart, a change of one
 * slice of an input changes one slice of the output and no other. */
#include "graph/exec.h"
#include "net.h"

enum { SLICES = 3, MAX_AXES = 4 };

static const int64_t zero_one[2] = {0, 1}, one[1] = {1}, last[1] = {-1}, swap[3] = {2, 0, 1},
                     pads[6] = {0, 1, 0, 0, 0, 0}, halves[2] = {1, 2}, first[1] = {0};

#define AXIS(i_)                                      \
    {                                                 \
        .name = "axis", .type = ENG_ATTR_INT, .i = i_ \
    }
#define INTS(name_, values)                                   \
    {                                                         \
        .name = name_, .type = ENG_ATTR_INTS, .ints = values, \
        .n = sizeof values / sizeof values[0]                 \
    }
#define NO_SHAPE   \
    {              \
        .rank = -1 \
    }
#define X                                            \
    {                                                \
        .rank = 3, .dim = { SLICES, SLICES, SLICES } \
    }
#define M ENG_AXIS_MIXED

/* x is [3, 3, 3] always; wanted: the answer for each of its axes. */
static const struct {
    const char *op_type;
    struct eng_attr attr;
    struct eng_shape other; /* of a second float input */
    const int64_t *list[3]; /* int64 inputs behind x */
    size_t n_list[3], n_lists;
    size_t n_out;
    int wanted[MAX_AXES];
} cases[] = {
    {"Relu", {0}, NO_SHAPE, {0}, {0}, 0, 1, {0, 1, 2}},
    {"Add", {0}, {.rank = 4, .dim = {2, 1, 1, 3}}, {0}, {0}, 0, 1, {1, 2, 3}},
    {"Greater", {0}, {.rank = 1, .dim = {3}}, {0}, {0}, 0, 1, {0, 1, 2}},
    {"Transpose", INTS("perm", swap), NO_SHAPE, {0}, {0}, 0, 1, {1, 2, 0}},
    {"Transpose", {0}, NO_SHAPE, {0}, {0}, 0, 1, {2, 1, 0}},
    {"Softmax", AXIS(-2), NO_SHAPE, {0}, {0}, 0, 1, {0, M, 2}},
    {"LogSoftmax", AXIS(0), NO_SHAPE, {0}, {0}, 0, 1, {M, 1, 2}},
    {"MatMul", {0}, {.rank = 2, .dim = {3, 3}}, {0}, {0}, 0, 1, {0, 1, M}},
    {"MatMul", {0}, {.rank = 4, .dim = {2, 1, 3, 2}}, {0}, {0}, 0, 1, {1, 2, M}},
    {"Concat", AXIS(1), X, {0}, {0}, 0, 1, {0, M, 2}},
    {"Split", AXIS(2), NO_SHAPE, {halves}, {2}, 1, 2, {0, 1, M}},
    {"Slice", {0}, NO_SHAPE, {zero_one, halves, zero_one}, {2, 2, 2}, 3, 1, {M, M, 2}},
    {"Gather", AXIS(1), NO_SHAPE, {zero_one}, {2}, 1, 1, {0, M, 2}},
    {"Pad", {0}, NO_SHAPE, {pads}, {6}, 1, 1, {0, M, 2}},
    {"ReduceMean", INTS("axes", one), NO_SHAPE, {0}, {0}, 0, 1, {0, M, 2}},
    {"ReduceSum", {0}, NO_SHAPE, {first}, {1}, 1, 1, {M, 1, 2}},
    {"ArgMax", AXIS(1), NO_SHAPE, {0}, {0}, 0, 1, {0, M, 2}},
    {"LayerNormalization", AXIS(-1), {.rank = 1, .dim = {3}}, {0}, {0}, 0, 1, {0, 1, M}},
    {"LayerNormalization", AXIS(1), {.rank = 2, .dim = {3, 3}}, {0}, {0}, 0, 1, {0, M, M}},
    {"GlobalAveragePool", {0}, NO_SHAPE, {0}, {0}, 0, 1, {0, M, M}},
    {"Einsum",
     {.name = "equation", .type = ENG_ATTR_STRING, .s = "abc,cd->bad"},
     {.rank = 2, .dim = {3, 2}},
     {0},
     {0},
     0,
     1,
     {1, 0, M}},
    {"CumSum", {0}, NO_SHAPE, {last}, {1}, 1, 1, {M, M, M}},
};

struct fixture {
    struct net net;
    struct eng_plan *plan;
    struct eng_exec *exec;
};

static void fixture_init(struct fixture *f, size_t c)
{
    static const char *const names[2] = {"y", "z"};
    struct eng_error err = {0};
    int in[4], n_in = 1;
    net_init(&f->net, 6);
    in[0] = net_input(&f->net, "x", (struct eng_shape)X);
    if (cases[c].other.rank >= 0)
        in[n_in++] = net_weight(&f->net, "other", cases[c].other, -1.0f, 1.0f);
    for (size_t i = 0; i < cases[c].n_lists; i++) {
        char name[8];
        snprintf(name, sizeof name, "list%zu", i);
        in[n_in++] = net_constant(&f->net, name, ENG_INT64, NET_SHAPE((int64_t)cases[c].n_list[i]),
                                  cases[c].list[i]);
    }
    if (eng_graph_add_node(&f->net.graph, "node", "", cases[c].op_type, NET_OPSET, &cases[c].attr,
                           cases[c].attr.name != NULL, in, (size_t)n_in, names, cases[c].n_out,
                           &err) ||
        eng_plan_create(&f->net.graph, ENG_PLAN_INFERENCE, 1, false, &f->plan, &err) ||
        eng_exec_create(&f->net.graph, f->plan->arena_bytes, NULL, &f->exec, &err))
        fail_msg("%s: %s", cases[c].op_type, err.text);
    eng_exec_bind(f->exec, f->plan);
}

static void fixture_fini(struct fixture *f)
{
    eng_exec_destroy(f->exec);
    eng_plan_destroy(f->plan);
    net_fini(&f->net);
}

static int ask(const struct fixture *f, int axis)
{
    const struct eng_node *node = &f->net.graph.nodes[0];
    const struct eng_tensor *in[4];
    struct eng_tensor *out[2];
    for (size_t k = 0; k < node->n_in; k++)
        in[k] = &f->plan->tensors[node->in[k]];
    for (size_t k = 0; k < node->n_out; k++)
        out[k] = &f->plan->tensors[node->out[k]];
    struct eng_op_infer q = {.attrs = node->attrs,
                             .opset = node->opset,
                             .n_in = node->n_in,
                             .in = in,
                             .n_out = node->n_out,
                             .out = out,
                             .state = f->plan->nodes[0].state};
    return node->op->follow ? node->op->follow(&q, 0, axis) : ENG_AXIS_MIXED;
}

/* The slice `changed` along `axis` has other numbers; -1: none has. */
static void run(struct fixture *f, int axis, int changed)
{
    float *x = eng_exec_value(f->exec, f->net.graph.inputs[0])->data;
    int steps[3] = {SLICES * SLICES, SLICES, 1};
    for (int i = 0; i < SLICES * SLICES * SLICES; i++)
        x[i] = i / steps[axis] % SLICES == changed ? (float)(-i * 3 % 11) : (float)(i * 7 % 10);
    eng_exec_forward(f->exec, 0);
}

/* Whether the bytes of slice i along the axis are equal. */
static bool same_slice(const struct eng_tensor *y, const char *before, int axis, int64_t i)
{
    size_t inner =
        eng_infer_product(&y->shape, axis + 1, y->shape.rank) * eng_dtype_bytes(y->dtype);
    size_t n = (size_t)y->shape.dim[axis], outer = eng_infer_product(&y->shape, 0, axis);
    for (size_t o = 0; o < outer; o++)
        if (memcmp((char *)y->data + (o * n + (size_t)i) * inner,
                   before + (o * n + (size_t)i) * inner, inner) != 0)
            return false;
    return true;
}

static void check_slices(struct fixture *f, size_t c, int axis, int to)
{
    for (size_t k = 0; k < cases[c].n_out; k++) {
        const struct eng_tensor *y = eng_exec_value(f->exec, f->net.graph.nodes[0].out[k]);
        size_t n_bytes = (size_t)eng_tensor_bytes(y);
        run(f, axis, -1);
        char *before = malloc(n_bytes);
        assert_non_null(before);
        memcpy(before, y->data, n_bytes);
        for (int changed = 0; changed < SLICES; changed++) {
            run(f, axis, changed);
            assert_int_equal(y->shape.dim[to], SLICES);
            for (int i = 0; i < SLICES; i++)
                if (i != changed && !same_slice(y, before, to, i))
                    fail_msg("%s: slice %d of axis %d changes slice %d", cases[c].op_type, changed,
                             axis, i);
            if (same_slice(y, before, to, changed))
                fail_msg("%s: slice %d of axis %d changes nothing", cases[c].op_type, changed,
                         axis);
        }
        free(before);
    }
}

static void slices_stay_apart_where_operators_say_so(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct fixture f;
        fixture_init(&f, c);
        for (int axis = 0; axis < 3; axis++) {
            int to = ask(&f, axis);
            if (to != cases[c].wanted[axis])
                fail_msg("case %zu, %s: axis %d goes to %d, wanted %d", c, cases[c].op_type, axis,
                         to, cases[c].wanted[axis]);
            if (to != ENG_AXIS_MIXED) check_slices(&f, c, axis, to);
        }
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_stay_apart_where_operators_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
