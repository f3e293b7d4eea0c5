/* Softmax of a row, by every table that this CPU runs, against double precision. */
#include "kernels/softmax.h"

#include "base/rng.h"
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

enum { LONGEST = 1 << 20 };

static float x[LONGEST + 1], y[LONGEST + 1], logs[LONGEST + 1];

/* Rounding x - max weighs more the farther x lies below. */
static void check_row(const struct eng_kernels *k, size_t n)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, (double)x[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp((double)x[i] - max);
    y[n] = logs[n] = 12345;
    k->softmax(x, y, n);
    k->log_softmax(x, logs, n);
    for (size_t i = 0; i < n; i++) {
        double shifted = (double)x[i] - max, wanted = exp(shifted) / sum;
        double rounding = 6e-8 * fabs(shifted) + 1e-6;
        if (!(fabs((double)y[i] - wanted) <= (shifted < -104 ? 0 : rounding) * wanted + 2e-45))
            fail_msg("%s: element %zu of %zu: %.9g, wanted %.9g", k->name, i, n, (double)y[i],
                     wanted);
        if (fabs(shifted) < 3e38 && !(fabs((double)logs[i] - (shifted - log(sum))) <=
                                      2e-7 * fabs(shifted - log(sum)) + 1e-6))
            fail_msg("%s: element %zu of %zu: logarithm %.9g, wanted %.9g", k->name, i, n,
                     (double)logs[i], shifted - log(sum));
    }
    assert_true(y[n] == 12345 && logs[n] == 12345);
}

static void fill(size_t n, float mean, float spread)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 3, n);
    for (size_t i = 0; i < n; i++)
        x[i] = mean + spread * eng_rng_normal(&rng);
}

static void lengths(void **state)
{
    (void)state;
    for (size_t t = 0; eng_kernels_at(t); t++) {
        if (!eng_kernels_at(t)->runs_here()) continue;
        for (size_t n = 1; n <= 150; n++) {
            fill(n, 0, 3);
            check_row(eng_kernels_at(t), n);
        }
        static const size_t longer[] = {197, 577, 1000, 4095, 4096, 4097, 12345};
        for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++) {
            fill(longer[i], 50, 30);
            check_row(eng_kernels_at(t), longer[i]);
        }
    }
}

/* Sums of a million floats one after the other would be wrong in the third digit. */
static void very_long_rows(void **state)
{
    (void)state;
    for (size_t t = 0; eng_kernels_at(t); t++) {
        if (!eng_kernels_at(t)->runs_here()) continue;
        fill(LONGEST, -20, 1);
        check_row(eng_kernels_at(t), LONGEST);
        for (size_t i = 0; i < LONGEST; i++)
            x[i] = 0.1f;
        check_row(eng_kernels_at(t), LONGEST);
        assert_true(y[0] == 1.0f / LONGEST && y[LONGEST - 1] == y[0]);
    }
}

static void large_numbers(void **state)
{
    (void)state;
    static const float row[] = {3e38f, -3e38f, 1e4f, 3e38f, 0, 2.9e38f, -INFINITY, -1e-40f};
    for (size_t t = 0; eng_kernels_at(t); t++) {
        if (!eng_kernels_at(t)->runs_here()) continue;
        memcpy(x, row, sizeof row);
        check_row(eng_kernels_at(t), 8);
        memcpy(x + 30, row, sizeof row); /* the others are from above, or 0 */
        check_row(eng_kernels_at(t), 38);
    }
}

/* A mask of -INFINITY takes elements out, wherever they stand. */
static void masked(void **state)
{
    (void)state;
    for (size_t t = 0; eng_kernels_at(t); t++) {
        if (!eng_kernels_at(t)->runs_here()) continue;
        for (size_t n = 2; n < 60; n++) {
            fill(n, 5, 2);
            for (size_t i = 0; i < n; i++)
                if (i % 3 != n % 3) x[i] = -INFINITY;
            if (n == 2) x[0] = 1;
            check_row(eng_kernels_at(t), n);
            for (size_t i = 0; i < n; i++)
                if (x[i] < -1e38f) assert_true(y[i] == 0 && logs[i] < -1e38f);
        }
    }
}

/* One such element makes the row NaN, at every place; so does a row of -INFINITY. */
static void no_numbers(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY};
    for (size_t t = 0; eng_kernels_at(t); t++) {
        const struct eng_kernels *k = eng_kernels_at(t);
        if (!k->runs_here()) continue;
        for (size_t n = 1; n < 70; n += n < 20 ? 1 : 7)
            for (size_t at = 0; at <= n; at++)
                for (size_t o = 0; o < 2; o++) {
                    fill(n, 0, 1);
                    if (at < n)
                        x[at] = odd[o];
                    else
                        for (size_t i = 0; i < n; i++)
                            x[i] = -INFINITY;
                    k->softmax(x, y, n);
                    k->log_softmax(x, logs, n);
                    for (size_t i = 0; i < n; i++)
                        if (!isnan(y[i]) || !isnan(logs[i]))
                            fail_msg("%s: element %zu of %zu is %g, %g", k->name, i, n,
                                     (double)y[i], (double)logs[i]);
                }
    }
}

/* The same row gives the same bits in place and at any address. */
static void same_bits(void **state)
{
    (void)state;
    for (size_t t = 0; eng_kernels_at(t); t++) {
        const struct eng_kernels *k = eng_kernels_at(t);
        if (!k->runs_here()) continue;
        for (size_t n = 1; n < 300; n += 7) {
            fill(n, 0, 4);
            k->softmax(x, y, n);
            memmove(x + 3, x, n * sizeof *x);
            k->softmax(x + 3, x + 3, n);
            assert_memory_equal(x + 3, y, n * sizeof *y);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),       cmocka_unit_test(very_long_rows),
        cmocka_unit_test(large_numbers), cmocka_unit_test(masked),
        cmocka_unit_test(no_numbers),    cmocka_unit_test(same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
