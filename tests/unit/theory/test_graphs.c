/* docs/theory.md: the forward pass, the chain rule, the backward pass, layers without activation.
 */
#include "theory.h"
#include "worked.h"

#include <math.h>

/* f = (x + y) z at (-2, 5, -4). */
static void a_sum_times_a_number(void **state)
{
    struct worked w;
    worked_init(&w);
    int x = worked_number(&w, "x", -2), y = worked_number(&w, "y", 5);
    int z = worked_number(&w, "z", -4);
    int q = worked_binary(&w, "Add", "q", x, y), f = worked_binary(&w, "Mul", "f", q, z);
    worked_forward(&w, f);
    const float *dq = eng_exec_seed_grad(w.exec, q); /* its place, filled below */
    const float one = 1;
    worked_backward(&w, f, &one, 1);
    theory_says(state, "q = x + y = %g", (double)*worked_value(&w, q));
    theory_says(state, "f = q z = %g", (double)*worked_value(&w, f));
    theory_says(state, "df/dq = z = %g", (double)*dq);
    theory_says(state, "df/dz = q = %g", (double)*w.grads[z]);
    theory_says(state, "df/dx = df/dq dq/dx = %g", (double)*w.grads[x]);
    theory_says(state, "df/dy = df/dq dq/dy = %g", (double)*w.grads[y]);
    assert_true(*w.grads[x] == -4 && *w.grads[y] == -4 && *w.grads[z] == 3);
    worked_fini(&w);
}

/* The same slope, measured from outside: nothing of the backward pass is used. */
static double f_at(float x)
{
    struct worked w;
    worked_init(&w);
    int q = worked_binary(&w, "Add", "q", worked_number(&w, "x", x), worked_number(&w, "y", 5));
    int f = worked_binary(&w, "Mul", "f", q, worked_number(&w, "z", -4));
    worked_forward(&w, f);
    double value = (double)*worked_value(&w, f);
    worked_fini(&w);
    return value;
}

static void a_finite_difference(void **state)
{
    double above = f_at(-1.5f), below = f_at(-2.5f);
    theory_says(state, "(f(-1.5) - f(-2.5)) / 1 = (%g - (%g)) / 1 = %g", above, below,
                above - below);
}

/* sigmoid(w0 x0 + w1 x1 + w2) at w = (2, -3, -3), x = (-1, -2). */
static void one_neuron(void **state)
{
    struct worked w;
    worked_init(&w);
    int w0 = worked_number(&w, "w0", 2), x0 = worked_number(&w, "x0", -1);
    int w1 = worked_number(&w, "w1", -3), x1 = worked_number(&w, "x1", -2);
    int w2 = worked_number(&w, "w2", -3);
    int sum = worked_binary(&w, "Add", "sum", worked_binary(&w, "Mul", "a", w0, x0),
                            worked_binary(&w, "Mul", "b", w1, x1));
    int s = worked_binary(&w, "Add", "s", sum, w2), f = worked_unary(&w, "Sigmoid", "f", s);
    worked_forward(&w, f);
    const float *ds = eng_exec_seed_grad(w.exec, s);
    const float one = 1;
    worked_backward(&w, f, &one, 1);
    theory_says(state, "s = %g", (double)*worked_value(&w, s));
    theory_says(state, "f = %.2f", (double)*worked_value(&w, f));
    theory_says(state, "df/ds = f (1 - f) = %.2f", (double)*ds);
    theory_says(state, "| `w0` | 2 | `x0` | %.2f |", (double)*w.grads[w0]);
    theory_says(state, "| `x0` | -1 | `w0` | %.2f |", (double)*w.grads[x0]);
    theory_says(state, "| `w1` | -3 | `x1` | %.2f |", (double)*w.grads[w1]);
    theory_says(state, "| `x1` | -2 | `w1` | %.2f |", (double)*w.grads[x1]);
    theory_says(state, "| `w2` | -3 | 1 | %.2f |", (double)*w.grads[w2]);
    worked_fini(&w);
}

/* y = W x + b with x = (1, 2): gradients of all three from dL/dy = (1, -1). */
static void one_linear_layer(void **state)
{
    struct worked w;
    worked_init(&w);
    int x = net_constant(&w.net, "x", ENG_FLOAT32, NET_SHAPE(1, 2), (float[]){1, 2});
    int weight = net_constant(&w.net, "W", ENG_FLOAT32, NET_SHAPE(2, 2), (float[]){3, 4, 5, 6});
    int bias = net_constant(&w.net, "b", ENG_FLOAT32, NET_SHAPE(2), (float[]){0, 0});
    int y = worked_gemm(&w, "y", x, weight, bias);
    worked_forward(&w, y);
    const float *out = worked_value(&w, y);
    theory_says(state, "y = W x + b = (%g, %g)", (double)out[0], (double)out[1]);
    worked_backward(&w, y, (float[]){1, -1}, 2);
    const float *dw = w.grads[weight], *dx = w.grads[x], *db = w.grads[bias];
    theory_says(state, "dL/dW = dL/dy x' = [[%g, %g], [%g, %g]]", (double)dw[0], (double)dw[1],
                (double)dw[2], (double)dw[3]);
    theory_says(state, "dL/dx = W' dL/dy = (%g, %g)", (double)dx[0], (double)dx[1]);
    theory_says(state, "dL/db = dL/dy = (%g, %g)", (double)db[0], (double)db[1]);
    worked_fini(&w);
}

static void a_maximum_passes_to_the_winner(void **state)
{
    static const int64_t two[2] = {2, 2};
    struct worked w;
    worked_init(&w);
    int x = net_constant(&w.net, "x", ENG_FLOAT32, NET_SHAPE(1, 1, 2, 2), (float[]){1, 7, 3, 5});
    struct eng_attr window = net_ints("kernel_shape", two, 2);
    int y = net_node(&w.net, "MaxPool", "y", &x, 1, &window, 1);
    worked_forward(&w, y);
    worked_backward(&w, y, (float[]){2}, 1);
    const float *dx = w.grads[x];
    theory_says(state, "max(1, 7, 3, 5) = %g", (double)*worked_value(&w, y));
    theory_says(state, "(%g, %g, %g, %g)", (double)dx[0], (double)dx[1], (double)dx[2],
                (double)dx[3]);
    worked_fini(&w);
}

/* --- three fully connected layers, with and without something between them --- */

static const float layers[3][4] = {{1, 2, 0, 1}, {1, -1, 1, 1}, {2, 0, 1, 1}};
static const float collapsed[4] = {2, 2, 2, 4}; /* layers[2] layers[1] layers[0] */

/* The answer (y0, y1) of `n` layers to (x0, x1). */
static void ask(const float (*weights)[4], int n, const char *between, const float x[2], float y[2])
{
    static const char *const names[3][3] = {
        {"w0", "b0", "y0"}, {"w1", "b1", "y1"}, {"w2", "b2", "y2"}};
    struct worked w;
    worked_init(&w);
    int value = net_constant(&w.net, "x", ENG_FLOAT32, NET_SHAPE(1, 2), x);
    for (int i = 0; i < n; i++) {
        int weight = net_constant(&w.net, names[i][0], ENG_FLOAT32, NET_SHAPE(2, 2), weights[i]);
        int bias = net_constant(&w.net, names[i][1], ENG_FLOAT32, NET_SHAPE(2), (float[]){0, 0});
        value = worked_gemm(&w, names[i][2], value, weight, bias);
        if (between && i + 1 < n) value = worked_unary(&w, between, i == 0 ? "a0" : "a1", value);
    }
    worked_forward(&w, value);
    memcpy(y, worked_value(&w, value), 2 * sizeof *y);
    worked_fini(&w);
}

static void three_layers_are_one(void **state)
{
    theory_says(state, "W3 W2 W1 = [[%g, %g], [%g, %g]]", (double)collapsed[0],
                (double)collapsed[1], (double)collapsed[2], (double)collapsed[3]);
    struct eng_rng rng;
    eng_rng_init(&rng, 5, 0);
    for (int i = 0; i < 50; i++) {
        float x[2] = {eng_rng_normal(&rng), eng_rng_normal(&rng)}, three[2], one[2];
        ask(layers, 3, NULL, x, three);
        ask(&collapsed, 1, NULL, x, one);
        for (int k = 0; k < 2; k++)
            assert_true(fabsf(three[k] - one[k]) <= 1e-5f * (1 + fabsf(one[k])));
    }
}

static void with_relu_they_are_not(void **state)
{
    float there[2], back[2];
    ask(layers, 3, "Relu", (float[]){1, -1}, there);
    ask(layers, 3, "Relu", (float[]){-1, 1}, back);
    theory_says(state, "with ReLU (1, -1) gives (%g, %g) and (-1, 1) gives (%g, %g)",
                (double)there[0], (double)there[1], (double)back[0], (double)back[1]);
    ask(&collapsed, 1, NULL, (float[]){1, -1}, there);
    ask(&collapsed, 1, NULL, (float[]){-1, 1}, back);
    theory_says(state, "without, (1, -1) gives (%g, %g) and (-1, 1) gives (%g, %g)",
                (double)there[0], (double)there[1], (double)back[0], (double)back[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_times_a_number),
        cmocka_unit_test(a_finite_difference),
        cmocka_unit_test(one_neuron),
        cmocka_unit_test(one_linear_layer),
        cmocka_unit_test(a_maximum_passes_to_the_winner),
        cmocka_unit_test(three_layers_are_one),
        cmocka_unit_test(with_relu_they_are_not),
    };
    return cmocka_run_group_tests(tests, theory_open, theory_close);
}
