/* docs/theory.md: gradient descent, activations, dropout, first weights. */
#include "kernels/activation.h"
#include "kernels/gemm.h"
#include "theory.h"
#include "train/initialiser.h"
#include "train/optimiser.h"
#include "worked.h"

#include <math.h>

static struct eng_optimiser_options optimiser_named(const char *name)
{
    struct eng_optimiser_options options = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    for (size_t i = 0; i < eng_n_optimiser_kinds; i++)
        if (strcmp(eng_optimiser_kinds[i].name, name) == 0) {
            options.kind = (int)i;
            return options;
        }
    fail_msg("no optimiser %s", name);
    return options;
}

/* n steps down L = w^2 from w = 1, into path. */
static void descend(const struct eng_optimiser_options *options, double rate, size_t n,
                    double *path)
{
    struct eng_optimiser optimiser;
    float w = 1;
    assert_int_equal(eng_optimiser_init(&optimiser, options, 1, NULL), ENG_OK);
    for (size_t i = 0; i < n; i++) {
        float gradient = 2 * w;
        eng_optimiser_begin_step(&optimiser);
        eng_optimiser_update(&optimiser, rate, true, 0, 1, &gradient, &w);
        path[i] = (double)w;
    }
    eng_optimiser_fini(&optimiser);
}

static void steps_down_a_parabola(void **state)
{
    struct eng_optimiser_options sgd = optimiser_named("SGD");
    double p[4];
    descend(&sgd, 0.1, 3, p);
    theory_says(state, "| 0.1 | 0 | 1, %g, %g, %.3f |", p[0], p[1], p[2]);
    descend(&sgd, 1.1, 3, p);
    theory_says(state, "| 1.1 | 0 | 1, %g, %g, %.3f |", p[0], p[1], p[2]);
    sgd.momentum = 0.9;
    descend(&sgd, 0.1, 4, p);
    theory_says(state, "| 0.1 | 0.9 | 1, %g, %.2f, %.3f, %.3f |", p[0], p[1], p[2], p[3]);
}

/* The first step of Adam has the size of the learning rate, whatever the gradient's. */
static void adam_takes_steps_of_one_size(void **state)
{
    struct eng_optimiser_options adam = optimiser_named("Adam");
    static const float gradients[2] = {0.001f, 1000};
    for (size_t i = 0; i < 2; i++) {
        struct eng_optimiser optimiser;
        float w = 1;
        assert_int_equal(eng_optimiser_init(&optimiser, &adam, 1, NULL), ENG_OK);
        eng_optimiser_begin_step(&optimiser);
        eng_optimiser_update(&optimiser, 0.1, true, 0, 1, &gradients[i], &w);
        theory_says(state, "a gradient of %g moves `w` from 1 to %.1f", (double)gradients[i],
                    (double)w);
        eng_optimiser_fini(&optimiser);
    }
}

struct point {
    double y, slope;
};

static struct point activate(struct eng_activation act, float x)
{
    const float one = 1;
    float y, slope = 0;
    eng_activation_forward(act, &x, &y, 1);
    eng_activation_backward(act, &x, &y, &one, &slope, true, 1);
    return (struct point){(double)y, (double)slope};
}

static void a_sigmoid_stops_learning_at_six(void **state)
{
    const struct eng_activation sigmoid = {.kind = ENG_ACT_SIGMOID};
    struct point middle = activate(sigmoid, 0), six = activate(sigmoid, 6);
    theory_says(state, "| 0 | %g | %g |", middle.y, middle.slope);
    theory_says(state, "| 6 | %.4f | %.4f |", six.y, six.slope);
    theory_says(state, "%.0f steps", 1 / six.slope);
    theory_says(state, "%.4f^3 = %.1e", six.slope, pow(six.slope, 3));
    theory_says(state, "0.25^3 = %.3f", pow(middle.slope, 3));
    double tanh_slope = activate((struct eng_activation){.kind = ENG_ACT_TANH}, 6).slope;
    theory_says(state, "tanh at 6: slope %.6f", tanh_slope);
}

static void the_others_at_minus_two_and_six(void **state)
{
    const struct eng_activation relu = {.kind = ENG_ACT_RELU};
    const struct eng_activation leaky = {.kind = ENG_ACT_LEAKY_RELU, .a = 0.01f};
    theory_says(state, "| ReLU | max(0, x) | %g | %g | %g | %g |", activate(relu, -2).y,
                activate(relu, -2).slope, activate(relu, 6).y, activate(relu, 6).slope);
    theory_says(state, "| leaky ReLU | x < 0: 0.01 x | %g | %g | %g | %g |", activate(leaky, -2).y,
                activate(leaky, -2).slope, activate(leaky, 6).y, activate(leaky, 6).slope);
    const struct eng_activation elu = {.kind = ENG_ACT_ELU, .a = 1};
    theory_says(state, "| ELU | x < 0: exp x - 1 | %.3f | %.3f | %g | %g |", activate(elu, -2).y,
                activate(elu, -2).slope, activate(elu, 6).y, activate(elu, 6).slope);
    const struct eng_activation tanh_ = {.kind = ENG_ACT_TANH}, sigmoid = {.kind = ENG_ACT_SIGMOID};
    theory_says(state, "| tanh | tanh x | %.3f | %.3f | %.3f | %.6f |", activate(tanh_, -2).y,
                activate(tanh_, -2).slope, activate(tanh_, 6).y, activate(tanh_, 6).slope);
    theory_says(state, "| sigmoid | 1 / (1 + exp -x) | %.3f | %.3f | %.4f | %.4f |",
                activate(sigmoid, -2).y, activate(sigmoid, -2).slope, activate(sigmoid, 6).y,
                activate(sigmoid, 6).slope);
}

/* Half of ten thousand ones is dropped; the rest is doubled, so that the mean stays. */
static void dropout_keeps_the_mean(void **state)
{
    enum { N = 10000 };
    static float ones[N];
    for (size_t i = 0; i < N; i++)
        ones[i] = 1;
    struct worked w;
    worked_init(&w);
    int x = net_constant(&w.net, "x", ENG_FLOAT32, NET_SHAPE(1, N), ones);
    int ratio = net_constant(&w.net, "ratio", ENG_FLOAT32, NET_SHAPE(), (float[]){0.5f});
    int y = net_node(&w.net, "Dropout", "y", (int[]){x, ratio}, 2, NULL, 0);
    worked_forward(&w, y);
    double sum = 0, kept = 0;
    size_t n_kept = 0;
    for (size_t i = 0; i < N; i++) {
        double value = (double)worked_value(&w, y)[i];
        assert_true(value == 0 || n_kept == 0 || value == kept);
        if (value != 0) kept = value;
        n_kept += value != 0;
        sum += value;
    }
    theory_says(state, "`ratio` 0.5: a 1 becomes 0 or %g", kept);
    assert_true(fabs(sum / N - 1) < 0.05); /* five standard deviations */
    assert_true(n_kept > N * 45 / 100 && n_kept < N * 55 / 100);
    worked_fini(&w);
}

/* --- first weights --- */

static void fill(const char *name, double given, double fan_in, double fan_out, struct eng_rng *rng,
                 float *weights, size_t n)
{
    int kind = 0;
    while (eng_initialiser_names[kind] && strcmp(eng_initialiser_names[kind], name) != 0)
        kind++;
    assert_non_null(eng_initialiser_names[kind]);
    eng_initialiser_fill(kind, given, fan_in, fan_out, rng, weights, n);
}

static double deviation(const float *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    return sqrt(squares / (double)n - sum / (double)n * (sum / (double)n));
}

static void the_deviation_of_first_weights(void **state)
{
    enum { N = 784 * 100 };
    static float weights[N];
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    double he = sqrt(2.0 / 784), xavier = sqrt(2.0 / 884);
    theory_says(state, "sqrt(2 / 784) = %.4f", he);
    theory_says(state, "sqrt(2 / (784 + 100)) = %.4f", xavier);
    static const char *const names[4] = {"he_normal", "he_uniform", "xavier_normal",
                                         "xavier_uniform"};
    for (size_t i = 0; i < 4; i++) {
        fill(names[i], 0, 784, 100, &rng, weights, N);
        double wanted = i < 2 ? he : xavier;
        assert_true(fabs(deviation(weights, N) / wanted - 1) < 0.02);
    }
}

enum { WIDTH = 256, DEPTH = 10, SAMPLES = 64 };

/* The mean square of what comes out of DEPTH layers of ReLU, for inputs of mean square 1. */
static double signal_after(const char *name, double given)
{
    static float weights[WIDTH * WIDTH], x[SAMPLES * WIDTH], y[SAMPLES * WIDTH];
    struct eng_rng rng;
    eng_rng_init(&rng, 7, 0);
    for (size_t i = 0; i < SAMPLES * WIDTH; i++)
        x[i] = eng_rng_normal(&rng);
    for (int layer = 0; layer < DEPTH; layer++) {
        fill(name, given, WIDTH, WIDTH, &rng, weights, WIDTH * WIDTH);
        struct eng_gemm gemm = {.trans_b = true,
                                .m = SAMPLES,
                                .n = WIDTH,
                                .k = WIDTH,
                                .a = x,
                                .b = weights,
                                .c = y,
                                .lda = WIDTH,
                                .ldb = WIDTH,
                                .ldc = WIDTH};
        eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_RELU}, NULL);
        memcpy(x, y, sizeof x);
    }
    double squares = 0;
    for (size_t i = 0; i < SAMPLES * WIDTH; i++)
        squares += (double)x[i] * (double)x[i];
    return squares / (SAMPLES * WIDTH);
}

/* Half of the mean square of a symmetric sum passes ReLU: each layer multiplies by n v / 2. */
static void the_signal_through_ten_layers(void **state)
{
    double factor = WIDTH * 0.01 * 0.01 / 2, after = pow(factor, DEPTH);
    theory_says(state, "256 x 0.01^2 / 2 = %.4f", factor);
    theory_says(state, "%.4f^10 = %.0e", factor, after);
    double small = signal_after("normal", 0.01), he = signal_after("he_normal", 0);
    assert_true(small > after / 3 && small < after * 3);
    assert_true(he > 1.0 / 3 && he < 3);
}

/* Two hidden units with the same first weights get the same gradient, for ever. */
static void equal_weights_stay_equal(void **state)
{
    (void)state;
    struct worked w;
    worked_init(&w);
    const float a = 0.3f, b = 0.7f;
    int x = net_constant(&w.net, "x", ENG_FLOAT32, NET_SHAPE(1, 2), (float[]){1, -2});
    int w1 = net_constant(&w.net, "w1", ENG_FLOAT32, NET_SHAPE(2, 2), (float[]){a, a, a, a});
    int w2 = net_constant(&w.net, "w2", ENG_FLOAT32, NET_SHAPE(1, 2), (float[]){b, b});
    int b1 = net_constant(&w.net, "b1", ENG_FLOAT32, NET_SHAPE(2), (float[]){0, 0});
    int b2 = net_constant(&w.net, "b2", ENG_FLOAT32, NET_SHAPE(1), (float[]){0});
    int hidden = worked_unary(&w, "Tanh", "hidden", worked_gemm(&w, "sum", x, w1, b1));
    int y = worked_gemm(&w, "y", hidden, w2, b2);
    worked_forward(&w, y);
    worked_backward(&w, y, (float[]){1}, 1);
    const float *grad = w.grads[w1];
    assert_true(grad[0] == grad[2] && grad[1] == grad[3] && grad[0] != 0);
    worked_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_down_a_parabola),
        cmocka_unit_test(adam_takes_steps_of_one_size),
        cmocka_unit_test(a_sigmoid_stops_learning_at_six),
        cmocka_unit_test(the_others_at_minus_two_and_six),
        cmocka_unit_test(dropout_keeps_the_mean),
        cmocka_unit_test(the_deviation_of_first_weights),
        cmocka_unit_test(the_signal_through_ten_layers),
        cmocka_unit_test(equal_weights_stay_equal),
    };
    return cmocka_run_group_tests(tests, theory_open, theory_close);
}
