/* What can be met, from what waits and from how fast it drained. */
#include "serve/admission.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool is_near(double found, double wanted)
{
    return fabs(found - wanted) < 1e-6 * fabs(wanted) + 1e-9;
}

static void measures_a_steady_rate(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    assert_true(srv_drain_us(&drain, 100) == 0);
    for (int i = 0; i < 1000; i++)
        srv_drain_note(&drain, 32, 16000); /* 2000 a second */
    assert_true(is_near(srv_drain_us(&drain, 100), 50000));
    assert_true(is_near(srv_drain_us(&drain, 0), 0));
}

/* After the memory's time a new rate weighs more than the old one. */
static void follows_a_change(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    for (int i = 0; i < 1000; i++)
        srv_drain_note(&drain, 10, 10000); /* 1 ms each */
    for (double us = 0; us < SRV_DRAIN_MEMORY_US; us += 10000)
        srv_drain_note(&drain, 1, 10000); /* 10 ms each */
    assert_true(srv_drain_us(&drain, 1) > 1800 && srv_drain_us(&drain, 1) < 10000);
    for (double us = 0; us < 10 * SRV_DRAIN_MEMORY_US; us += 10000)
        srv_drain_note(&drain, 1, 10000);
    assert_true(fabs(srv_drain_us(&drain, 1) - 10000) < 100);
}

static void survives_a_clock_that_stands(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    srv_drain_note(&drain, 4, 0);
    srv_drain_note(&drain, 4, -5);
    assert_true(srv_drain_us(&drain, 100) == 0);
    assert_true(srv_admission_can_meet(&drain, 1000, 1, 1));
}

static void refuses_what_cannot_be_met(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    srv_drain_note(&drain, 100, 1000000); /* 10 ms each */
    assert_true(srv_admission_can_meet(&drain, 9, 1, 100000));
    assert_false(srv_admission_can_meet(&drain, 10, 1, 100000));
    assert_false(srv_admission_can_meet(&drain, 1, 10, 100000));
    assert_true(srv_admission_can_meet(&drain, 0, 1000, 1)); /* nobody is ahead: it is tried */
    const struct srv_drain unknown = {0};
    assert_true(srv_admission_can_meet(&unknown, 1000, 1, 1));
}

/* A burst after silence is tried, whatever the rate once was; and soon measured anew. */
static void forgets_in_silence(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    for (int i = 0; i < 1000; i++)
        srv_drain_note(&drain, 1, 100000); /* 100 ms each: others kept the CPUs busy */
    srv_drain_rest(&drain, 1000);
    assert_false(srv_admission_can_meet(&drain, 9, 1, 500000));
    srv_drain_rest(&drain, 300 * INT64_C(1000000));
    assert_true(is_near(srv_drain_us(&drain, 10), 1e6)); /* for Retry-After */
    assert_true(srv_admission_can_meet(&drain, 9, 1, 500000));
    for (int i = 0; i < 20; i++)
        srv_drain_note(&drain, 1, 5000);
    assert_true(srv_admission_can_meet(&drain, 9, 1, 500000));
    assert_false(srv_admission_can_meet(&drain, 99, 1, 100000));
    srv_drain_rest(&drain, -1);
    assert_false(srv_admission_can_meet(&drain, 99, 1, 100000));
}

/* One run that was disturbed refuses nobody. */
static void learns_before_it_refuses(void **state)
{
    (void)state;
    struct srv_drain drain = {0};
    srv_drain_note(&drain, 1, 40000);
    assert_true(srv_admission_can_meet(&drain, 100, 1, 1000));
    srv_drain_note(&drain, 1, 40000);
    assert_false(srv_admission_can_meet(&drain, 100, 1, 1000));
}

static void rounds_up_to_seconds(void **state)
{
    (void)state;
    assert_int_equal(srv_admission_retry_after_s(0), 1);
    assert_int_equal(srv_admission_retry_after_s(-3e6), 1);
    assert_int_equal(srv_admission_retry_after_s(1e6), 1);
    assert_int_equal(srv_admission_retry_after_s(1000001), 2);
    assert_int_equal(srv_admission_retry_after_s(41.2e6), 42);
    assert_int_equal(srv_admission_retry_after_s(1e15), 3600);
    assert_int_equal(srv_admission_retry_after_s((double)INFINITY), 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_a_steady_rate),
        cmocka_unit_test(follows_a_change),
        cmocka_unit_test(survives_a_clock_that_stands),
        cmocka_unit_test(refuses_what_cannot_be_met),
        cmocka_unit_test(forgets_in_silence),
        cmocka_unit_test(learns_before_it_refuses),
        cmocka_unit_test(rounds_up_to_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
