/* Loops that say what they cost: what is shared, and where it is cut. */
#include "base/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_item_too_many_is_never_taken(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 3, 10, 97, 1000, 123457};
    static const double costs[] = {0, 1, 1e3, 1e5, 1e6, 1e9, 1e18};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t k = 0; k < sizeof costs / sizeof costs[0]; k++) {
            assert_in_range(eng_share_grain(sizes[i], costs[k], 0), 1, sizes[i]);
            assert_in_range(eng_share_grain(sizes[i], 0, costs[k]), 1, sizes[i]);
        }
    assert_int_equal(eng_share_grain(0, 1, 1), 1);
}

static void short_loops_are_not_shared(void **state)
{
    (void)state;
    assert_int_equal(eng_share_grain(1000, 10, 10), 1000);
    assert_int_equal(eng_share_grain(SIZE_MAX, 0, 0), SIZE_MAX);
}

static void what_costs_more_is_cut_finer(void **state)
{
    (void)state;
    size_t before = 1000;
    for (double flops = 1e2; flops < 1e8; flops *= 4) {
        size_t grain = eng_share_grain(1000, flops, 0);
        assert_true(grain <= before);
        before = grain;
    }
    assert_in_range(before, 1, 1000 / 16);
    assert_int_equal(eng_share_grain(2, 1e9, 0), 1); /* few and heavy: one each */
    assert_true(eng_share_grain(1000, 1e3, 1e3) < eng_share_grain(1000, 1e3, 0));
}

struct record {
    size_t n, grain;
    atomic_size_t n_items, n_calls, n_bad;
};

static void record_chunk(void *ctx, size_t begin, size_t end)
{
    struct record *r = ctx;
    atomic_fetch_add(&r->n_calls, 1);
    atomic_fetch_add(&r->n_items, end - begin);
    if (begin % r->grain || (end != r->n && end - begin != r->grain))
        atomic_fetch_add(&r->n_bad, 1);
}

static void borders_do_not_depend_on_the_pool(void **state)
{
    (void)state;
    static const double costs[] = {1, 1e4, 1e5, 1e7};
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    eng_share(pool, 0, 1e9, 1e9, record_chunk, NULL);
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
        for (int k = 0; k < 2; k++) {
            struct record r = {.n = 1003, .grain = eng_share_grain(1003, costs[i], 0)};
            eng_share(k ? pool : NULL, r.n, costs[i], 0, record_chunk, &r);
            assert_int_equal(r.n_bad, 0);
            assert_int_equal(r.n_items, r.n);
            assert_int_equal(r.n_calls, (r.n - 1) / r.grain + 1);
        }
    eng_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_too_many_is_never_taken),
        cmocka_unit_test(short_loops_are_not_shared),
        cmocka_unit_test(what_costs_more_is_cut_finer),
        cmocka_unit_test(borders_do_not_depend_on_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
