/* Runs go the way that was faster, and find out when that changes. */
#include "graph/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How many of n runs go alone when a shared one takes so long, and one alone so long. */
static int count_alone(struct eng_pace *pace, int n, double shared_s, double alone_s)
{
    int n_alone = 0;
    for (int i = 0; i < n; i++) {
        bool alone = eng_pace_goes_alone(pace);
        n_alone += alone;
        eng_pace_took(pace, alone ? alone_s : shared_s);
    }
    return n_alone;
}

static void the_faster_way_is_taken(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    assert_int_equal(count_alone(&pace, ENG_PACE_PERIOD, 1, 2), ENG_PACE_TRIALS);
    pace = (struct eng_pace){0};
    assert_int_equal(count_alone(&pace, ENG_PACE_PERIOD, 2, 1), ENG_PACE_PERIOD - ENG_PACE_TRIALS);
}

static void as_good_is_shared(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    assert_int_equal(count_alone(&pace, ENG_PACE_PERIOD, 1, 1), ENG_PACE_TRIALS);
}

static void a_change_is_found_in_the_next_period(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    count_alone(&pace, ENG_PACE_PERIOD, 2, 1);
    assert_int_equal(count_alone(&pace, ENG_PACE_PERIOD, 1, 2), ENG_PACE_TRIALS);
}

static void one_slow_trial_decides_nothing(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    eng_pace_took(&pace, 100);
    count_alone(&pace, 2 * ENG_PACE_TRIALS - 1, 1, 2);
    assert_false(eng_pace_goes_alone(&pace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_is_taken),
        cmocka_unit_test(as_good_is_shared),
        cmocka_unit_test(a_change_is_found_in_the_next_period),
        cmocka_unit_test(one_slow_trial_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
