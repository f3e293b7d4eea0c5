/* Optimisers against PyTorch's numbers. */
#include "train/optimiser.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.9g; wanted %.9g", value, wanted);
}

static int kind_named(const char *name)
{
    for (size_t i = 0; i < eng_n_optimiser_kinds; i++)
        if (strcmp(eng_optimiser_kinds[i].name, name) == 0) return (int)i;
    fail_msg("no optimiser %s", name);
    return -1;
}

enum { N = 3 };

/* Three steps from (1, -2, 0.5); split into two ranges as the pool may do. */
static void expect(const char *name, struct eng_optimiser_options options, const double wanted[N])
{
    static const float gradients[3][N] = {{0.5f, -1, 0.25f}, {0.1f, 2, -0.5f}, {-0.3f, 0.4f, 1}};
    float parameters[N] = {1, -2, 0.5f};
    struct eng_optimiser optimiser;
    options.kind = kind_named(name);
    assert_int_equal(eng_optimiser_init(&optimiser, &options, N, NULL), ENG_OK);
    for (size_t step = 0; step < 3; step++) {
        eng_optimiser_begin_step(&optimiser);
        eng_optimiser_update(&optimiser, 0.1, true, 1, 2, gradients[step] + 1, parameters + 1);
        eng_optimiser_update(&optimiser, 0.1, true, 0, 1, gradients[step], parameters);
    }
    for (size_t i = 0; i < N; i++)
        assert_near((double)parameters[i], wanted[i], 2e-6);
    eng_optimiser_fini(&optimiser);
}

/* The wanted numbers are torch.optim's, PyTorch 1.13, lr = 0.1. */
static void sgd_is_pytorchs(void **state)
{
    (void)state;
    expect("SGD", (struct eng_optimiser_options){0}, (double[]){0.97, -2.14, 0.425});
    expect("SGD", (struct eng_optimiser_options){.momentum = 0.9, .weight_decay = 0.01},
           (double[]){0.87009478, -2.13796949, 0.42449239});
    expect("SGD", (struct eng_optimiser_options){.momentum = 0.9, .nesterov = true},
           (double[]){0.85794997, -2.27410007, 0.35952500});
}

static void adam_is_pytorchs(void **state)
{
    (void)state;
    struct eng_optimiser_options adam = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    struct eng_optimiser_options l2 = adam, decoupled = adam;
    l2.weight_decay = 0.01;
    decoupled.weight_decay = 0.1;
    expect("Adam", l2, (double[]){0.79544604, -1.97332060, 0.39304459});
    expect("Adam", (struct eng_optimiser_options){.beta1 = 0.8, .beta2 = 0.9, .epsilon = 1e-3},
           (double[]){0.80918884, -1.98447585, 0.39647558});
    expect("AdamW", decoupled, (double[]){0.77171671, -1.91794479, 0.38141820});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_is_pytorchs),
        cmocka_unit_test(adam_is_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
