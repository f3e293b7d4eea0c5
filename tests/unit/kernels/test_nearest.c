/* The search: order, equal distances, numbers that are none. */
#include "kernels/nearest.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MAX_K = 3000 };

static void search(const struct eng_nearest *nearest, const float *queries,
                   struct eng_neighbour *out, struct eng_pool *pool)
{
    size_t n_bytes;
    assert_true(eng_nearest_scratch_bytes(nearest, &n_bytes));
    void *scratch = eng_alloc_aligned(n_bytes);
    assert_non_null(scratch);
    memset(scratch, 0xA5, n_bytes); /* what it holds before must not matter */
    eng_nearest_run(nearest, queries, out, scratch, pool);
    free(scratch);
}

/* All distances are equal: the first k, in order, over all borders of chunks and blocks. */
static void equal_distances_go_by_index(void **state)
{
    (void)state;
    static uint8_t references[MAX_K];
    static struct eng_neighbour out[MAX_K];
    const float query[] = {9};
    static const size_t ks[] = {1, 2, 511, 513, 2999, 3000};
    for (size_t i = 0; i < sizeof ks / sizeof ks[0]; i++) {
        struct eng_nearest nearest = {.distance = ENG_DISTANCE_L2,
                                      .n_queries = 1,
                                      .n_references = MAX_K,
                                      .n_features = 1,
                                      .k = ks[i],
                                      .references = references};
        search(&nearest, query, out, NULL);
        for (size_t n = 0; n < ks[i]; n++) {
            assert_int_equal(out[n].index, n);
            assert_true(out[n].distance == 81);
        }
    }
}

static int by_distance(const void *a, const void *b)
{
    const struct eng_neighbour *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Against sorting all distances; with a pool and without; bytes and floats in one batch. */
static void it_is_the_head_of_the_sorted_list(void **state)
{
    (void)state;
    enum { N = 40, N_REFERENCES = 2777, N_FEATURES = 70, K = 25 };
    static float queries[N * N_FEATURES];
    static uint8_t references[N_REFERENCES * N_FEATURES];
    static struct eng_neighbour out[N * K], with_pool[N * K], all[N_REFERENCES];
    struct eng_rng rng;
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    eng_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < N * N_FEATURES; i++)
        queries[i] = (float)eng_rng_below(&rng, 256) + (i / N_FEATURES % 3 == 1 ? 0.25f : 0);
    for (size_t i = 0; i < sizeof references; i++)
        references[i] = (uint8_t)eng_rng_below(&rng, 256);
    struct eng_nearest nearest = {.n_queries = N,
                                  .n_references = N_REFERENCES,
                                  .n_features = N_FEATURES,
                                  .k = K,
                                  .references = references};
    for (int distance = 0; distance < ENG_N_DISTANCES; distance++) {
        nearest.distance = (enum eng_distance)distance;
        search(&nearest, queries, out, NULL);
        search(&nearest, queries, with_pool, pool);
        for (size_t q = 0; q < N; q++) {
            for (size_t r = 0; r < N_REFERENCES; r++) {
                all[r] = (struct eng_neighbour){.index = (uint32_t)r};
                for (size_t i = 0; i < N_FEATURES; i++) {
                    double apart =
                        fabs((double)queries[q * N_FEATURES + i] - references[r * N_FEATURES + i]);
                    all[r].distance += distance == ENG_DISTANCE_L1 ? apart : apart * apart;
                }
            }
            qsort(all, N_REFERENCES, sizeof *all, by_distance);
            for (size_t n = 0; n < K; n++) {
                assert_int_equal(out[q * K + n].index, all[n].index);
                assert_true(out[q * K + n].distance == all[n].distance);
                assert_int_equal(with_pool[q * K + n].index, all[n].index);
                assert_true(with_pool[q * K + n].distance == all[n].distance);
            }
        }
    }
    eng_pool_destroy(pool);
}

/* Not a number is as far as infinity: answers stay defined. */
static void what_is_no_number_is_far(void **state)
{
    (void)state;
    const float queries[] = {NAN, INFINITY, -INFINITY, 2};
    const uint8_t references[] = {1, 2, 3};
    struct eng_neighbour out[8];
    struct eng_nearest nearest = {
        .n_queries = 4, .n_references = 3, .n_features = 1, .k = 2, .references = references};
    search(&nearest, queries, out, NULL);
    for (size_t q = 0; q < 3; q++) {
        assert_true(out[2 * q].index == 0 && isinf(out[2 * q].distance));
        assert_true(out[2 * q + 1].index == 1 && isinf(out[2 * q + 1].distance));
    }
    assert_true(out[6].index == 1 && out[6].distance == 0);
    assert_true(out[7].index == 0 && out[7].distance == 1);
}

static void what_no_memory_holds_is_told(void **state)
{
    (void)state;
    size_t n_bytes = 7;
    struct eng_nearest nearest = {
        .n_queries = (size_t)1 << 40, .n_references = INT32_MAX, .n_features = 1, .k = INT32_MAX};
    assert_false(eng_nearest_scratch_bytes(&nearest, &n_bytes));
    assert_int_equal(n_bytes, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_distances_go_by_index),
        cmocka_unit_test(it_is_the_head_of_the_sorted_list),
        cmocka_unit_test(what_is_no_number_is_far),
        cmocka_unit_test(what_no_memory_holds_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
