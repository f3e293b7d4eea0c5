/* Runs go the way that is faster, and find out when that changes; times are made up. */
#include "base/rng.h"
#include "graph/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LONGEST_GAP = ENG_PACE_FIRST_GAP << ENG_PACE_DOUBLINGS };

/* What runs take, shared and alone; one of so many, 0: none, is disturbed and takes ten times as
 * long. */
struct machine {
    double shared_s, alone_s;
    unsigned disturbed;
};

struct sums {
    int n_alone;
    double seconds;
};

static struct sums run(struct eng_pace *pace, int n, struct machine machine)
{
    struct sums sums = {0};
    struct eng_rng rng;
    eng_rng_init(&rng, 1, 0);
    for (int i = 0; i < n; i++) {
        bool alone = eng_pace_goes_alone(pace);
        double seconds = alone ? machine.alone_s : machine.shared_s;
        if (machine.disturbed && eng_rng_below(&rng, machine.disturbed) == 0) seconds *= 10;
        eng_pace_took(pace, seconds);
        sums.n_alone += alone;
        sums.seconds += seconds;
    }
    return sums;
}

static void the_faster_way_is_taken(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    int n = 10000, most = n * ENG_PACE_TRIAL / LONGEST_GAP + 5 * ENG_PACE_TRIAL;
    assert_in_range(run(&pace, n, (struct machine){1, 2, 0}).n_alone, 1, most);
    pace = (struct eng_pace){0};
    assert_in_range(n - run(&pace, n, (struct machine){2, 1, 0}).n_alone, 1, most);
}

static void what_is_as_good_changes_nothing(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    int most = 1000 * ENG_PACE_TRIAL / LONGEST_GAP + 5 * ENG_PACE_TRIAL;
    assert_in_range(run(&pace, 1000, (struct machine){1, 1, 0}).n_alone, 1, most);
    run(&pace, 1000, (struct machine){2, 1, 0});
    assert_in_range(1000 - run(&pace, 1000, (struct machine){1, 1, 0}).n_alone, 1, most);
}

/* What was preferred and becomes slow is left at once, what becomes fast is found by a trial. */
static void changes_are_found(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    run(&pace, 1000, (struct machine){1, 2, 0});
    run(&pace, ENG_PACE_TRIAL + ENG_PACE_TIMES, (struct machine){3, 2, 0});
    assert_true(pace.alone);
    run(&pace, 1000, (struct machine){3, 2, 0});
    assert_true(pace.alone);
    run(&pace, LONGEST_GAP + ENG_PACE_TRIAL, (struct machine){1, 2, 0});
    assert_false(pace.alone);
}

static void a_slow_run_or_trial_decides_nothing(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    run(&pace, 1, (struct machine){100, 100, 0});
    run(&pace, 1000, (struct machine){1, 2, 0});
    run(&pace, ENG_PACE_TIMES - 2, (struct machine){100, 100, 0});
    assert_false(pace.alone);
}

/* With a third of all runs disturbed, what the choice costs more than always taking the better. */
static void disturbances_cost_little(void **state)
{
    (void)state;
    const struct machine machines[] = {{1, 1.8, 3}, {1.8, 1, 3}, {1, 1.2, 5}, {1.2, 1, 5}};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        struct eng_pace pace = {0};
        struct machine machine = machines[i], best = machine;
        best.shared_s = best.alone_s = best.shared_s < best.alone_s ? best.shared_s : best.alone_s;
        double ideal_s = run(&pace, 20000, best).seconds;
        pace = (struct eng_pace){0};
        double s = run(&pace, 20000, machine).seconds;
        if (s > 1.1 * ideal_s) fail_msg("machine %zu: %.0f instead of %.0f", i, s, ideal_s);
    }
}

/* CPUs that are neighbours and far apart in turns: nearly as good as knowing it. */
static void a_machine_that_changes_is_followed(void **state)
{
    (void)state;
    struct eng_pace pace = {0};
    double seconds = 0;
    for (int i = 0; i < 20; i++)
        seconds += run(&pace, 2000, (struct machine){i % 2 ? 2 : 0.6, 1, 0}).seconds;
    assert_true(seconds < 1.07 * 20 * 2000 * 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_way_is_taken),
        cmocka_unit_test(what_is_as_good_changes_nothing),
        cmocka_unit_test(changes_are_found),
        cmocka_unit_test(a_slow_run_or_trial_decides_nothing),
        cmocka_unit_test(disturbances_cost_little),
        cmocka_unit_test(a_machine_that_changes_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
