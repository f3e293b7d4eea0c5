/* Mixup: the moments of its draws, and what it does to rows and labels. */
#include "train/mixup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 100000 };

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.9g; wanted %.9g", value, wanted);
}

/* Gamma(k): mean k, variance k, third central moment 2k; the means of DRAWS deviate by sqrt(k / n)
 * and sqrt((k^2 (2 + 6 / k)) / n). */
static void gamma_has_its_moments(void **state)
{
    (void)state;
    static const double shapes[] = {0.1, 0.5, 1, 2.5, 30};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double k = shapes[i], sum = 0, squares = 0, cubes = 0;
        struct eng_rng rng;
        eng_rng_init(&rng, 11, i);
        for (int n = 0; n < DRAWS; n++) {
            double x = exp(eng_mixup_log_gamma(k, &rng)) - k;
            sum += x;
            squares += x * x;
            cubes += x * x * x;
        }
        assert_near(sum / DRAWS, 0, 5 * sqrt(k / DRAWS));
        assert_near(squares / DRAWS, k, 5 * sqrt(k * k * (2 + 6 / k) / DRAWS));
        assert_near(cubes / DRAWS / (2 * k), 1, 0.25);
    }
}

/* Beta(a, b): mean a / (a + b), variance ab / ((a + b)^2 (a + b + 1)). */
static void beta_has_its_moments(void **state)
{
    (void)state;
    static const double cases[][2] = {{0.2, 0.2}, {1, 1}, {2, 5}, {0.3, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double a = cases[i][0], b = cases[i][1], sum = 0, squares = 0;
        double mean = a / (a + b), variance = mean * (1 - mean) / (a + b + 1);
        struct eng_rng rng;
        eng_rng_init(&rng, 12, i);
        for (int n = 0; n < DRAWS; n++) {
            double x = eng_mixup_beta(a, b, &rng);
            if (!(x >= 0 && x <= 1)) fail_msg("%g", x);
            sum += x;
            squares += (x - mean) * (x - mean);
        }
        assert_near(sum / DRAWS, mean, 5 * sqrt(variance / DRAWS));
        assert_near(squares / DRAWS, variance, 0.01);
    }
}

/* However small alpha is, both Gammas may be 0 and the share still is a number: 0 or 1, as often.
 */
static void a_tiny_alpha_takes_one_or_the_other(void **state)
{
    (void)state;
    float shares[2000];
    double sum = 0;
    struct eng_rng rng;
    eng_rng_init(&rng, 13, 0);
    eng_mixup_draw(1e-300, &rng, 2000, shares);
    for (size_t i = 0; i < 2000; i++) {
        assert_true(shares[i] == 0 || shares[i] == 1);
        sum += (double)shares[i];
    }
    assert_near(sum / 2000, 0.5, 5 * sqrt(0.25 / 1000));
}

static void pairs_keep_as_much(void **state)
{
    (void)state;
    float shares[7], again[7];
    struct eng_rng rng;
    eng_rng_init(&rng, 14, 0);
    eng_mixup_draw(1, &rng, 7, shares);
    assert_true(shares[0] == shares[1] && shares[2] == shares[3] && shares[4] == shares[5]);
    assert_true(shares[0] != shares[2] && shares[2] != shares[4]);
    assert_true(shares[6] == 1);
    eng_rng_init(&rng, 14, 0);
    eng_mixup_draw(1, &rng, 7, again);
    assert_memory_equal(shares, again, sizeof shares);
}

static void rows_and_labels_are_mixed_alike(void **state)
{
    (void)state;
    static const float shares[] = {0.75f, 0.75f, 0, 0, 1};
    static const uint16_t labels[] = {3, 1, 4, 1, 5};
    float rows[] = {4, 8, 12, 0, 1, 2, 3, 4, 5, 6};
    uint16_t others[5];
    eng_mixup_rows(shares, 5, 2, rows);
    assert_memory_equal(rows, ((float[]){6, 6, 10, 2, 3, 4, 1, 2, 5, 6}), sizeof rows);
    eng_mixup_labels(labels, 5, others);
    assert_memory_equal(others, ((uint16_t[]){1, 3, 1, 4, 5}), sizeof others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gamma_has_its_moments),
        cmocka_unit_test(beta_has_its_moments),
        cmocka_unit_test(a_tiny_alpha_takes_one_or_the_other),
        cmocka_unit_test(pairs_keep_as_much),
        cmocka_unit_test(rows_and_labels_are_mixed_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
