/* Products with packed weights against sums in double precision, with every table that runs here.
 */
#include "kernels/linear.h"

#include "base/rng.h"
#include "engine/cpu.h"
#include "kernels/dispatch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static const struct eng_activation none = {.kind = ENG_ACT_NONE};

/* One product, its arrays allocated to the last float. */
struct data {
    struct eng_linear linear;
    struct eng_linear_weights weights;
    float *x, *w, *scale, *bias, *added, *packed, *y;
};

static float *filled(struct eng_rng *rng, size_t n)
{
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = 2 * eng_rng_float(rng) - 1;
    return x;
}

static void data_init(struct data *d, size_t rows, size_t depth, size_t columns, bool is_dots,
                      bool transposed)
{
    struct eng_rng rng;
    eng_rng_init(&rng, rows * 71 + columns, depth);
    *d = (struct data){
        .linear = {.n_rows = rows, .depth = depth, .n_columns = columns, .is_dots = is_dots}};
    d->x = filled(&rng, rows * depth);
    d->w = filled(&rng, depth * columns);
    d->scale = filled(&rng, columns);
    d->bias = filled(&rng, eng_linear_bias_floats(&d->linear));
    d->added = filled(&rng, rows * columns);
    d->y = filled(&rng, rows * columns);
    d->weights = (struct eng_linear_weights){.data = d->w,
                                             .depth_step = transposed ? 1 : columns,
                                             .column_step = transposed ? depth : 1,
                                             .scale = rows % 2 ? d->scale : NULL};
    for (size_t j = columns; j < eng_linear_bias_floats(&d->linear); j++)
        d->bias[j] = 0;
    size_t n;
    assert_true(eng_linear_packed_floats(&d->linear, &n));
    d->packed = malloc((n + 1) * sizeof *d->packed);
    assert_non_null(d->packed);
    d->packed[n] = 77; /* the first that is not its own */
    eng_linear_pack(&d->linear, &d->weights, d->packed);
    assert_true(d->packed[n] == 77);
    d->packed = realloc(d->packed, (n ? n : 1) * sizeof *d->packed);
    assert_non_null(d->packed);
}

static void data_fini(struct data *d)
{
    free(d->x);
    free(d->w);
    free(d->scale);
    free(d->bias);
    free(d->added);
    free(d->packed);
    free(d->y);
}

static struct eng_linear_call call_of(const struct data *d, float *y)
{
    return (struct eng_linear_call){
        .x = d->x, .packed = d->packed, .bias = d->bias, .added = d->added, .y = y};
}

static double wanted(const struct data *d, size_t i, size_t j)
{
    const struct eng_linear_weights *w = &d->weights;
    double sum = 0;
    for (size_t k = 0; k < d->linear.depth; k++)
        sum += (double)d->x[i * d->linear.depth + k] *
               (double)w->data[k * w->depth_step + j * w->column_step];
    return sum * (w->scale ? (double)w->scale[j] : 1);
}

/* y within rounding of the double sums; parts says which of bias and added are given. */
static void check(struct data *d, int parts, struct eng_activation activation)
{
    size_t n = d->linear.n_columns;
    struct eng_linear_call call = call_of(d, d->y);
    if (!(parts & 1)) call.bias = NULL;
    if (!(parts & 2)) call.added = NULL;
    call.activation = activation;
    eng_linear_forward(&d->linear, &call);
    for (size_t i = 0; i < d->linear.n_rows; i++)
        for (size_t j = 0; j < n; j++) {
            double y = wanted(d, i, j) + (call.bias ? (double)d->bias[j] : 0) +
                       (call.added ? (double)d->added[i * n + j] : 0);
            if (activation.kind == ENG_ACT_RELU && y < 0) y = 0;
            if (activation.kind == ENG_ACT_TANH) y = tanh(y);
            double error = fabs((double)d->y[i * n + j] - y);
            if (!(error < 2e-6 * sqrt((double)d->linear.depth + 2)))
                fail_msg("%s, dots %d, %zu x %zu x %zu, parts %d: y[%zu, %zu] is %.9g, wanted %.9g",
                         eng_kernels()->name, d->linear.is_dots, d->linear.n_rows, d->linear.depth,
                         n, parts, i, j, (double)d->y[i * n + j], y);
        }
}

static void check_size(size_t rows, size_t depth, size_t columns)
{
    static const struct eng_activation relu = {.kind = ENG_ACT_RELU}, tanh = {.kind = ENG_ACT_TANH};
    for (int order = 0; order < 4; order++) {
        struct data d;
        data_init(&d, rows, depth, columns, order & 1, order & 2);
        check(&d, (int)(rows + columns) % 4, rows % 3 == 0 ? relu : rows % 3 == 1 ? tanh : none);
        data_fini(&d);
    }
}

/* Every size of each dimension beside some of the others. */
static void agrees_with_double(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 70; n++) {
        check_size(n, 19, 13);
        check_size(n, 5, 67);
        check_size(3, n, 17);
        check_size(26, n, 11);
        check_size(1, 33, n);
        check_size(9, 16, n);
    }
    check_size(5, 2100, 70);
    check_size(130, 300, 200);
    check_size(49, 4099, 9);
}

/* Each row alone, some rows together, all rows, in threads: the same bits. */
static void check_bits(struct data *d, struct eng_pool *pool)
{
    size_t n = d->linear.n_columns, n_rows = d->linear.n_rows;
    float *again = malloc(n_rows * n * sizeof *again);
    assert_non_null(again);
    struct eng_linear_call call = call_of(d, d->y);
    eng_linear_forward(&d->linear, &call);
    call.y = again;
    call.pool = pool;
    eng_linear_forward(&d->linear, &call);
    assert_memory_equal(again, d->y, n_rows * n * sizeof *again);
    for (size_t step = 1; step < n_rows; step += step / 2 + 1)
        for (size_t row = 0; row < n_rows; row += step) {
            struct eng_linear part = d->linear;
            part.n_rows = step < n_rows - row ? step : n_rows - row;
            call.x = d->x + row * part.depth;
            call.added = d->added + row * n;
            eng_linear_forward(&part, &call);
            assert_memory_equal(again, d->y + row * n, part.n_rows * n * sizeof *again);
        }
    free(again);
}

static void rows_stand_alone(void **state)
{
    (void)state;
    static const size_t sizes[][3] = {{70, 300, 130}, {67, 784, 10}, {33, 3072, 10}, {41, 64, 31},
                                      {9, 2048, 333}, {2, 9000, 64}, {50, 37, 100}};
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int is_dots = 0; is_dots < 2; is_dots++) {
            struct data d;
            data_init(&d, sizes[s][0], sizes[s][1], sizes[s][2], is_dots, s % 2);
            check_bits(&d, pool);
            data_fini(&d);
        }
    eng_pool_destroy(pool);
}

/* What is no number goes through to its own row, and no further. */
static void extremes_go_through(void **state)
{
    (void)state;
    enum { ROWS = 7, DEPTH = 83, COLUMNS = 21 };
    for (int order = 0; order < 2; order++) {
        struct data d;
        data_init(&d, ROWS, DEPTH, COLUMNS, order, false);
        d.x[2 * DEPTH + DEPTH - 1] = NAN;
        d.x[5 * DEPTH + 3] = INFINITY;
        struct eng_linear_call call = call_of(&d, d.y);
        call.activation = (struct eng_activation){.kind = ENG_ACT_RELU};
        eng_linear_forward(&d.linear, &call);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < COLUMNS; j++) {
                float y = d.y[i * COLUMNS + j];
                double sum = wanted(&d, i, j);
                assert_true(i == 2   ? isnan(y)
                            : i == 5 ? isinf(sum) && (sum > 0 ? y > 0 && isinf(y) : y == 0)
                                     : isfinite(y));
            }
        data_fini(&d);
    }
}

static void sizes_may_overflow(void **state)
{
    (void)state;
    size_t n;
    for (int order = 0; order < 2; order++) {
        struct eng_linear large = {
            .depth = SIZE_MAX / 4, .n_columns = 5, .n_rows = 1, .is_dots = order};
        assert_false(eng_linear_packed_floats(&large, &n));
        large = (struct eng_linear){.depth = 3, .n_columns = SIZE_MAX - 3, .is_dots = order};
        assert_false(eng_linear_packed_floats(&large, &n));
    }
}

/* The table is chosen once, so each has a process of its own. */
static void every_table(void **state)
{
    (void)state;
    for (size_t i = 0; eng_kernels_at(i); i++) {
        if (!eng_kernels_at(i)->runs_here()) continue;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (eng_cpu_set_level(eng_kernels_at(i)->name, NULL) != ENG_OK) _exit(1);
            const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_double),
                                               cmocka_unit_test(rows_stand_alone),
                                               cmocka_unit_test(extremes_go_through)};
            _exit(cmocka_run_group_tests(tests, NULL, NULL));
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_may_overflow),
                                       cmocka_unit_test(every_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
