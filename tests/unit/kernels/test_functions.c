/* The vectorised functions of every table that this CPU runs, against double precision. */
#include "kernels/dispatch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double elu(double x)
{
    return x < 0 ? 0.75 * expm1(x) : x;
}

static double selu(double x)
{
    return 1.25 * elu(x);
}

static double hard_sigmoid(double x)
{
    return fmin(fmax(0.75 * x + 1.25, 0), 1);
}

static double hard_swish(double x)
{
    return x * fmin(fmax(x / 6 + 0.5, 0), 1);
}

static double gelu(double x)
{
    return x / 2 * erfc(-x * sqrt(0.5));
}

static double gelu_tanh(double x)
{
    return x * sigmoid(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}

static double softplus(double x)
{
    return x > 40 ? x : log1p(exp(x));
}

static double mish(double x)
{
    return x * tanh(softplus(x));
}

static double swish(double x)
{
    return x / (1 + exp(-0.75 * x));
}

/* What may be wrong: so much of the value, and so much in any case (0: the least float). */
static const struct {
    enum eng_activation_kind kind;
    double (*function)(double x);
    double relative, absolute;
    float low, high;
} functions[] = {
    {ENG_ACT_EXP, exp, 2.5e-7, 0, -103, 88.5f},
    {ENG_ACT_SIGMOID, sigmoid, 3e-7, 1e-38, -120, 120},
    {ENG_ACT_TANH, tanh, 3.5e-7, 0, -40, 40},
    {ENG_ACT_ELU, elu, 3.5e-7, 0, -120, 120},
    {ENG_ACT_SELU, selu, 3.5e-7, 0, -120, 120},
    {ENG_ACT_HARD_SIGMOID, hard_sigmoid, 0, 2e-7, -4, 4},
    {ENG_ACT_HARD_SWISH, hard_swish, 1.5e-7, 4e-7, -9, 9},
    {ENG_ACT_ERF, erf, 2.5e-7, 0, -6, 6},
    {ENG_ACT_GELU, gelu, 3e-7, 1.2e-7, -12, 12},
    {ENG_ACT_GELU_TANH, gelu_tanh, 1e-5, 1e-7, -12, 12},
    {ENG_ACT_SOFTPLUS, softplus, 3.5e-7, 3e-45, -100, 100},
    {ENG_ACT_MISH, mish, 5e-7, 1e-38, -100, 100},
    {ENG_ACT_SWISH, swish, 8e-7, 0, -6, 6},
    {ENG_ACT_SWISH, swish, 6e-6, 1.4e-36, -120, 120},
};

enum { N_FUNCTIONS = sizeof functions / sizeof functions[0], N = 20011 };

static void check(const struct eng_kernels *k, size_t f, const float *x, float *y)
{
    struct eng_activation act = {.kind = functions[f].kind, .a = 0.75f, .b = 1.25f};
    k->activate[act.kind](act, x, y, N);
    for (size_t i = 0; i < N; i++) {
        double wanted = functions[f].function((double)x[i]);
        double allowed = functions[f].relative * fabs(wanted) + functions[f].absolute + 1.5e-45;
        if (!(fabs((double)y[i] - wanted) <= allowed))
            fail_msg("%s of %s: f(%.9g) is %.9g, wanted %.9g", eng_activation_name(act.kind),
                     k->name, (double)x[i], (double)y[i], wanted);
    }
}

/* Evenly over the range, and ever closer to 0. */
static void they_are_near_the_truth(void **state)
{
    (void)state;
    float *x = malloc(2 * N * sizeof *x), *y = x + N;
    assert_non_null(x);
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        for (size_t f = 0; k->runs_here() && f < N_FUNCTIONS; f++) {
            float low = functions[f].low, high = functions[f].high;
            for (size_t i = 0; i < N; i++)
                x[i] = low + (high - low) * (float)i / (N - 1);
            check(k, f, x, y);
            for (size_t i = 0; i < N; i++)
                x[i] = ldexpf(i % 2 ? low : high, -(int)(i / 200)) * (1 + (float)(i % 200) / 400);
            for (size_t i = 0; i < N; i++)
                if (x[i] < low || x[i] > high) x[i] = 0;
            check(k, f, x, y);
        }
    }
    free(x);
}

static void they_end_where_they_should(void **state)
{
    (void)state;
    static const struct {
        enum eng_activation_kind kind;
        float low, high; /* at minus and plus infinity */
    } ends[] = {
        {ENG_ACT_EXP, 0, INFINITY},
        {ENG_ACT_SIGMOID, 0, 1},
        {ENG_ACT_TANH, -1, 1},
        {ENG_ACT_ERF, -1, 1},
        {ENG_ACT_SOFTPLUS, 0, INFINITY},
        {ENG_ACT_ELU, -0.75f, INFINITY},
        {ENG_ACT_SELU, -0.9375f, INFINITY},
        {ENG_ACT_HARD_SIGMOID, 0, 1},
        {ENG_ACT_GELU, NAN, INFINITY},
        {ENG_ACT_GELU_TANH, NAN, INFINITY},
        {ENG_ACT_MISH, NAN, INFINITY},
        {ENG_ACT_HARD_SWISH, NAN, INFINITY},
        {ENG_ACT_SWISH, NAN, INFINITY},
    };
    const float x[] = {-INFINITY, INFINITY, NAN, -3e38f, 3e38f};
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        for (size_t i = 0; k->runs_here() && i < sizeof ends / sizeof ends[0]; i++) {
            struct eng_activation act = {.kind = ends[i].kind, .a = 0.75f, .b = 1.25f};
            float y[5];
            k->activate[act.kind](act, x, y, 5);
            if (!isnan(ends[i].low)) assert_true(y[0] == ends[i].low && y[3] == ends[i].low);
            assert_true(y[1] == ends[i].high && isnan(y[2]) && !isnan(y[3]) && !isnan(y[4]));
        }
    }
}

/* However the elements are cut into vectors, each has its bits; nothing else is written. */
static void cuts_change_no_bit(void **state)
{
    (void)state;
    enum { MOST = 70 };
    float x[MOST], whole[MOST], part[MOST + 1];
    for (int i = 0; i < MOST; i++)
        x[i] = (float)(i - 35) * 0.37f;
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        for (size_t f = 0; k->runs_here() && f < N_FUNCTIONS; f++) {
            struct eng_activation act = {.kind = functions[f].kind, .a = 0.75f, .b = 1.25f};
            k->activate[act.kind](act, x, whole, MOST);
            for (size_t n = 0; n < MOST; n++) {
                part[n] = 12345;
                k->activate[act.kind](act, x + MOST - n, part, n);
                assert_memory_equal(part, whole + MOST - n, n * sizeof *part);
                assert_true(part[n] == 12345);
            }
            memcpy(part, x, sizeof x);
            k->activate[act.kind](act, part, part, MOST);
            assert_memory_equal(part, whole, sizeof whole);
        }
    }
}

static void each_is_tested(void **state)
{
    (void)state;
    for (int kind = 0; kind < ENG_N_ACTIVATIONS; kind++) {
        bool tested = false;
        for (size_t f = 0; f < N_FUNCTIONS; f++)
            tested |= (int)functions[f].kind == kind;
        assert_int_equal(tested, eng_kernels()->activate[kind] != NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_near_the_truth),
        cmocka_unit_test(they_end_where_they_should),
        cmocka_unit_test(cuts_change_no_bit),
        cmocka_unit_test(each_is_tested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
