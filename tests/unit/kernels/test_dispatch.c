/* Every table of kernels that this CPU runs, against plain loops in double precision. */
#include "kernels/dispatch.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROOM = 1 << 15 };
static const float UNTOUCHED = 12345;

struct data {
    float a[ROOM], b[ROOM], c[ROOM], start[ROOM];
};

static void fill(struct data *d)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 3, 0);
    for (size_t i = 0; i < ROOM; i++) {
        d->a[i] = eng_rng_float(&rng) - 0.5f;
        d->b[i] = eng_rng_float(&rng) - 0.5f;
        d->start[i] = d->c[i] = UNTOUCHED;
    }
}

static double clamped(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* One panel: n_rows x the lanes of its pieces, which lie 100 columns apart in b and c. */
static void check_product(const struct eng_kernels *k, struct data *d, size_t n_rows,
                          size_t n_vectors, int last_lanes, bool accumulate, bool bias)
{
    const ptrdiff_t taps[3] = {0, 7, 31};
    struct eng_product p = {.n_rows = n_rows,
                            .n_channels = 5,
                            .n_taps = 3,
                            .a = d->a,
                            .a_row = 20,
                            .a_channel = 4,
                            .a_tap = 1,
                            .b_channel = 400,
                            .taps = taps,
                            .c_row = 320,
                            .accumulate = accumulate,
                            .row_bias = bias ? d->b + 77 : NULL,
                            .low = -0.7f,
                            .high = 0.6f};
    struct eng_panel panel = {.n_vectors = (int)n_vectors};
    fill(d);
    for (size_t j = 0; j < n_vectors; j++) {
        panel.n_lanes[j] = j + 1 < n_vectors ? k->n_lanes : last_lanes;
        panel.b[j] = d->b + 100 * j;
        panel.c[j] = d->c + 100 * j;
        panel.column_bias[j] = bias ? d->a + 1000 + 100 * j : NULL;
    }
    for (size_t i = 0; accumulate && i < ROOM; i++)
        d->c[i] = d->start[i] = d->b[ROOM - 1 - i];
    k->product(&p, &panel);
    for (size_t at = 0; at < ROOM; at++) {
        size_t i = at / 320, j = at % 320 / 100, x = at % 320 % 100;
        bool inside = i < n_rows && j < n_vectors && x < (size_t)panel.n_lanes[j];
        if (!inside) {
            assert_true(d->c[at] == d->start[at]);
            continue;
        }
        double sum = accumulate ? (double)d->start[at] : 0;
        if (bias && !accumulate) sum = (double)d->b[77 + i] + (double)d->a[1000 + 100 * j + x];
        for (size_t channel = 0; channel < 5; channel++)
            for (size_t t = 0; t < 3; t++)
                sum += (double)d->a[i * 20 + channel * 4 + t] *
                       (double)d->b[100 * j + x + channel * 400 + (size_t)taps[t]];
        double wanted = clamped(sum, (double)p.low, (double)p.high);
        assert_true(fabs((double)d->c[at] - wanted) < 1e-5);
    }
}

static void products_are_right(void **state)
{
    struct data *d = *state;
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        if (!k->runs_here()) continue;
        for (size_t n_rows = 1; n_rows <= 19; n_rows++)
            for (size_t n_vectors = 1; n_vectors <= ENG_PANEL_VECTORS; n_vectors++)
                for (int lanes = 1; lanes <= k->n_lanes; lanes++)
                    check_product(k, d, n_rows, n_vectors, lanes, n_rows % 2, lanes % 2);
    }
}

static void check_dot(const struct eng_kernels *k, struct data *d, size_t n_rows, size_t n_columns,
                      size_t length, bool accumulate)
{
    struct eng_dot dot = {.n_rows = n_rows,
                          .n_columns = n_columns,
                          .n_parts = 2,
                          .length = length,
                          .a = d->a,
                          .a_row = 80,
                          .a_part = 2000,
                          .b_part = 1000,
                          .c = d->c,
                          .c_row = 16,
                          .accumulate = accumulate,
                          .column_bias = accumulate ? NULL : d->b + 9,
                          .low = -1,
                          .high = 1.5f};
    fill(d);
    for (size_t j = 0; j < n_columns; j++) {
        dot.b[j] = d->b + 100 * j + 3;
        dot.c_column[j] = 3 * j;
    }
    for (size_t i = 0; accumulate && i < ROOM; i++)
        d->c[i] = d->start[i] = d->b[ROOM - 1 - i];
    k->dot(&dot);
    for (size_t at = 0; at < 16 * 12; at++) {
        size_t i = at / 16, j = at % 16 / 3;
        if (i >= n_rows || j >= n_columns || at % 16 % 3 != 0) {
            assert_true(d->c[at] == d->start[at]);
            continue;
        }
        double sum = accumulate ? (double)d->start[at] : (double)d->b[9 + j];
        for (size_t part = 0; part < 2; part++)
            for (size_t x = 0; x < length; x++)
                sum += (double)d->a[part * 2000 + i * 80 + x] * (double)dot.b[j][part * 1000 + x];
        assert_true(fabs((double)d->c[at] - clamped(sum, -1, 1.5)) < 1e-5);
    }
}

static void dots_are_right(void **state)
{
    struct data *d = *state;
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        if (!k->runs_here()) continue;
        for (size_t n_rows = 1; n_rows <= 9; n_rows++)
            for (size_t n_columns = 1; n_columns <= ENG_DOT_ROWS; n_columns++)
                for (size_t length = 0; length <= 67; length++)
                    check_dot(k, d, n_rows, n_columns, length, length % 2);
    }
}

static void sums_are_right(void **state)
{
    struct data *d = *state;
    const struct eng_kernels *k;
    fill(d);
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        for (size_t n = 0; k->runs_here() && n < 300; n++) {
            double sum = 0, squares = 0, products = 0;
            for (size_t i = 0; i < n; i++) {
                double x = (double)d->a[i] - 0.25;
                sum += x;
                squares += x * x;
                products += x * (double)d->b[i];
            }
            assert_true(fabs((double)k->sum(d->a, 0.25f, n) - sum) < 1e-4);
            assert_true(fabs((double)k->sum_squares(d->a, 0.25f, n) - squares) < 1e-4);
            assert_true(fabs((double)k->sum_products(d->a, 0.25f, d->b, n) - products) < 1e-4);
        }
    }
}

/* NaN goes through the clamp: max and min must not lose it. */
static void nan_stays(void **state)
{
    struct data *d = *state;
    const ptrdiff_t tap = 0;
    const struct eng_kernels *k;
    for (size_t table = 0; (k = eng_kernels_at(table)); table++) {
        if (!k->runs_here()) continue;
        fill(d);
        d->b[1] = NAN;
        struct eng_product p = {.n_rows = 1,
                                .n_channels = 1,
                                .n_taps = 1,
                                .a = d->a,
                                .taps = &tap,
                                .low = 0,
                                .high = 1};
        struct eng_panel panel = {.n_vectors = 1, .n_lanes = {3}, .b = {d->b}, .c = {d->c}};
        k->product(&p, &panel);
        assert_true(!isnan(d->c[0]) && isnan(d->c[1]) && !isnan(d->c[2]));
        struct eng_dot dot = {.n_rows = 1,
                              .n_columns = 1,
                              .n_parts = 1,
                              .length = 2,
                              .a = d->a,
                              .b = {d->b},
                              .c = d->c,
                              .low = 0,
                              .high = 1};
        k->dot(&dot);
        assert_true(isnan(d->c[0]));
    }
}

static void the_chosen_table_runs_here(void **state)
{
    (void)state;
    assert_true(eng_kernels()->runs_here());
    size_t n = 0;
    while (eng_kernels_at(n))
        n++;
    assert_string_equal(eng_kernels_at(n - 1)->name, "portable");
}

int main(void)
{
    struct data *d = malloc(sizeof *d);
    if (!d) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(products_are_right, d),
        cmocka_unit_test_prestate(dots_are_right, d),
        cmocka_unit_test_prestate(sums_are_right, d),
        cmocka_unit_test_prestate(nan_stays, d),
        cmocka_unit_test(the_chosen_table_runs_here),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(d);
    return failed;
}
