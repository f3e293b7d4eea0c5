#include "serve/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void takes_what_there_is(void **state)
{
    (void)state;
    assert_int_equal(srv_policy_take(0, 2, 0, 32), 0);
    assert_int_equal(srv_policy_take(1, 2, 0, 32), 1);
    assert_int_equal(srv_policy_take(6, 2, 1, 32), 6); /* the other is busy */
    assert_int_equal(srv_policy_take(6, 1, 0, 32), 6);
    assert_int_equal(srv_policy_take(100, 1, 0, 32), 32);
}

static void shares_among_idle_workers(void **state)
{
    (void)state;
    assert_int_equal(srv_policy_take(8, 2, 0, 32), 4);
    assert_int_equal(srv_policy_take(9, 2, 0, 32), 5);
    assert_int_equal(srv_policy_take(3, 8, 0, 32), 1);
    assert_int_equal(srv_policy_take(12, 4, 1, 32), 4);
    assert_int_equal(srv_policy_take(100, 2, 0, 32), 32);
}

/* Whatever the counts: between 1 and both bounds, and turns of all idle workers empty the queue. */
static void keeps_its_bounds(void **state)
{
    (void)state;
    for (size_t n_workers = 1; n_workers <= 5; n_workers++)
        for (size_t n_busy = 0; n_busy <= n_workers; n_busy++)
            for (size_t n_waiting = 1; n_waiting <= 40; n_waiting++)
                for (size_t max_batch = 1; max_batch <= 33; max_batch += 8) {
                    size_t n = srv_policy_take(n_waiting, n_workers, n_busy, max_batch);
                    assert_in_range(n, 1, n_waiting < max_batch ? n_waiting : max_batch);
                    size_t left = n_waiting;
                    for (size_t turn = n_busy; turn < n_workers; turn++)
                        left -= srv_policy_take(left, n_workers, turn, SIZE_MAX);
                    assert_int_equal(left, n_busy < n_workers ? 0 : n_waiting);
                }
}

static void waits_to_fill_within_its_bounds(void **state)
{
    (void)state;
    assert_int_equal(srv_policy_due_us(1000, 0, 0), 1000); /* no delay: at once */
    assert_int_equal(srv_policy_due_us(1000, 5000, 0), 1000);
    assert_int_equal(srv_policy_due_us(1000, 0, 300), 1300);
    assert_int_equal(srv_policy_due_us(1000, 5000, 300), 1300);
    assert_int_equal(srv_policy_due_us(1000, 1400, 300), 1200); /* time to compute is left */
    assert_int_equal(srv_policy_due_us(1000, 900, 300), 1000);  /* late already */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_there_is),
        cmocka_unit_test(shares_among_idle_workers),
        cmocka_unit_test(keeps_its_bounds),
        cmocka_unit_test(waits_to_fill_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
