/* Every row of distance kernels that this CPU runs, against plain loops over 64-bit integers. */
#include "kernels/distance.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const names[] = {"L1", "L2"};

static uint64_t plain_distance(enum eng_distance distance, const uint8_t *a, const uint8_t *b,
                               size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t apart = (int64_t)a[i] - b[i];
        sum += (uint64_t)(distance == ENG_DISTANCE_L1 ? llabs(apart) : apart * apart);
    }
    return sum;
}

/* Rows without a byte behind them, so that the sanitizer sees what is read too far. */
static uint8_t *random_rows(size_t n_bytes, uint64_t stream)
{
    struct eng_rng rng;
    eng_rng_init(&rng, 5, stream);
    uint8_t *rows = malloc(n_bytes);
    assert_non_null(rows);
    for (size_t i = 0; i < n_bytes; i++) {
        uint64_t draw = eng_rng_u64(&rng);
        rows[i] = draw % 4 == 0 ? 0 : draw % 4 == 1 ? 255 : (uint8_t)(draw >> 8); /* extremes */
    }
    return rows;
}

static void check_block(const struct eng_distance_kernels *kernels, enum eng_distance distance,
                        size_t n_queries, size_t n_references, size_t n_features)
{
    const uint32_t untouched = 0xdeadbeef;
    size_t n_out = n_queries * n_references;
    uint8_t *a = random_rows(n_queries * n_features, 1);
    uint8_t *b = random_rows(n_references * n_features, 2);
    uint32_t *out = malloc((n_out + 1) * sizeof *out);
    assert_non_null(out);
    out[n_out] = untouched;
    kernels->run[distance](&(struct eng_distance_block){.n_queries = n_queries,
                                                        .n_references = n_references,
                                                        .n_features = n_features,
                                                        .queries = a,
                                                        .references = b,
                                                        .out = out});
    for (size_t i = 0; i < n_queries; i++)
        for (size_t j = 0; j < n_references; j++) {
            uint64_t wanted =
                plain_distance(distance, a + i * n_features, b + j * n_features, n_features);
            uint32_t found = out[i * n_references + j];
            if (found != wanted)
                fail_msg("%s %s, %zu x %zu of %zu: [%zu, %zu] is %u, wanted %llu", kernels->name,
                         names[distance], n_queries, n_references, n_features, i, j, found,
                         (unsigned long long)wanted);
        }
    assert_int_equal(out[n_out], untouched);
    free(a);
    free(b);
    free(out);
}

static void check_kernels(const struct eng_distance_kernels *kernels, enum eng_distance distance)
{
    static const size_t features[] = {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 130, 784};
    for (size_t f = 0; f < sizeof features / sizeof features[0]; f++)
        for (size_t n_queries = 1; n_queries <= 6; n_queries++)
            for (size_t n_references = 1; n_references <= 9; n_references++)
                check_block(kernels, distance, n_queries, n_references, features[f]);
    check_block(kernels, distance, ENG_DISTANCE_BLOCK, ENG_DISTANCE_BLOCK, 70);
}

static void all_pairs_are_exact(void **state)
{
    (void)state;
    const struct eng_distance_kernels *kernels;
    for (size_t i = 0; (kernels = eng_distance_kernels_at(i)) != NULL; i++)
        for (int distance = 0; distance < ENG_N_DISTANCES && kernels->runs_here(); distance++)
            check_kernels(kernels, (enum eng_distance)distance);
}

/* The largest distance of all: 0 against 255 in as many features as are let in. */
static void the_largest_distance_fits(void **state)
{
    (void)state;
    for (int distance = 0; distance < ENG_N_DISTANCES; distance++) {
        size_t n = eng_distance_max_features((enum eng_distance)distance);
        uint64_t each = distance == ENG_DISTANCE_L1 ? 255 : 255 * 255;
        assert_true(n * each <= UINT32_MAX && (n + 1) * each > UINT32_MAX);
        uint8_t *black = calloc(n, 1), *white = malloc(n);
        assert_true(black && white);
        memset(white, 255, n);
        const struct eng_distance_kernels *kernels;
        for (size_t i = 0; (kernels = eng_distance_kernels_at(i)) != NULL; i++) {
            for (int swap = 0; swap < 2 && kernels->runs_here(); swap++) {
                uint32_t out = 0;
                kernels->run[distance](&(struct eng_distance_block){1, 1, n, swap ? white : black,
                                                                    swap ? black : white, &out});
                assert_int_equal(out, n * each);
            }
        }
        free(black);
        free(white);
    }
}

static void the_chosen_row_runs_here(void **state)
{
    (void)state;
    assert_true(eng_distance_kernels()->runs_here());
}

static void floats_agree_with_bytes(void **state)
{
    (void)state;
    enum { N = 131, N_REFERENCES = 7 };
    uint8_t *bytes = random_rows(N, 3), *references = random_rows(N_REFERENCES * N, 4);
    float query[N];
    for (size_t i = 0; i < N; i++)
        query[i] = bytes[i];
    for (int distance = 0; distance < ENG_N_DISTANCES; distance++) {
        double out[N_REFERENCES];
        eng_distance_floats((enum eng_distance)distance, query, references, N_REFERENCES, N, out);
        for (size_t j = 0; j < N_REFERENCES; j++)
            assert_true(out[j] == (double)plain_distance((enum eng_distance)distance, bytes,
                                                         references + j * N, N));
    }
    free(bytes);
    free(references);
}

static void floats_need_not_be_bytes(void **state)
{
    (void)state;
    const float query[] = {-1.5f, 300, 0.25f, 10, 2};
    const uint8_t references[] = {0, 255, 0, 10, 7};
    double l1, l2;
    eng_distance_floats(ENG_DISTANCE_L1, query, references, 1, 5, &l1);
    eng_distance_floats(ENG_DISTANCE_L2, query, references, 1, 5, &l2);
    assert_true(l1 == 1.5 + 45 + 0.25 + 5);
    assert_true(l2 == 2.25 + 2025 + 0.0625 + 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_are_exact),      cmocka_unit_test(the_largest_distance_fits),
        cmocka_unit_test(the_chosen_row_runs_here), cmocka_unit_test(floats_agree_with_bytes),
        cmocka_unit_test(floats_need_not_be_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
