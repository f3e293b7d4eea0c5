/* Learning-rate schedules against PyTorch's numbers and closed forms. */
#include "train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.9g; wanted %.9g", value, wanted);
}

static struct eng_schedule_options schedule(const char *name)
{
    struct eng_schedule_options options = {0};
    for (size_t i = 0; i < eng_n_schedule_kinds; i++)
        if (strcmp(eng_schedule_kinds[i].name, name) == 0) {
            eng_fields_defaults(eng_schedule_kinds[i].fields, eng_schedule_kinds[i].n_fields,
                                &options);
            options.kind = (int)i;
            return options;
        }
    fail_msg("no schedule %s", name);
    return options;
}

/* The factor at epochs first, first + 1 ... of n_epochs. */
static void expect(const struct eng_schedule_options *options, double first, double n_epochs,
                   const double *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_near(eng_schedule_factor(options, first + (double)i, n_epochs), wanted[i], 1e-9);
}

#define EXPECT(options, first, n_epochs, ...)                       \
    expect(options, first, n_epochs, (const double[]){__VA_ARGS__}, \
           sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/*
 * The wanted numbers here and below are PyTorch 1.13's:
 *     parameter = [torch.nn.Parameter(torch.zeros(1))]
 *     o = torch.optim.SGD(parameter, lr=1.0)
 *     s = torch.optim.lr_scheduler.StepLR(o, 4, 0.5)
 *     for i in range(12): print(o.param_groups[0]["lr"]); o.step(); s.step()
 */
static void step_is_pytorchs(void **state)
{
    (void)state;
    struct eng_schedule_options step = schedule("step");
    step.every_epochs = 4;
    step.factor = 0.5;
    EXPECT(&step, 0, 12, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25);
    assert_near(eng_schedule_factor(&step, 3.99, 12), 1, 0);
}

/* CosineAnnealingLR(o, 10, 0.1); behind a warm-up: SequentialLR(o, [LinearLR(o, 1e-12, 1.0, 4),
 * CosineAnnealingLR(o, 8, 0.1)], [4]). */
static void cosine_is_pytorchs(void **state)
{
    (void)state;
    struct eng_schedule_options cosine = schedule("cosine");
    cosine.final_factor = 0.1;
    EXPECT(&cosine, 0, 10, 1, 0.977975432, 0.914057647, 0.814503364, 0.689057647, 0.55, 0.410942353,
           0.285496636, 0.185942353, 0.122024568, 0.1);
    cosine.warmup_epochs = 4;
    EXPECT(&cosine, 0, 12, 0, 0.25, 0.5, 0.75, 1, 0.965745790, 0.868198052, 0.722207545, 0.55,
           0.377792455, 0.231801948, 0.134254210);
}

/*
 * The way down: OneCycleLR(o, 1.0, total_steps=10, pct_start=0.4, anneal_strategy="cos" or
 * "linear", div_factor=5, final_div_factor=4, cycle_momentum=False), which ends at 1/5/4; its step
 * 3 is the peak and comes after 4 of 10. The way up: LinearLR(o, 0.2, 1.0, 4).
 */
static void one_cycle_is_pytorchs(void **state)
{
    (void)state;
    struct eng_schedule_options cycle = schedule("one_cycle");
    cycle.peak = 0.4;
    cycle.start_factor = 0.2;
    cycle.final_factor = 0.05;
    cycle.anneal = ENG_ANNEAL_COSINE;
    EXPECT(&cycle, 4, 10, 1, 0.936362067, 0.7625, 0.525, 0.2875, 0.113637933, 0.05);
    cycle.anneal = ENG_ANNEAL_LINEAR;
    EXPECT(&cycle, 4, 10, 1, 0.841666667, 0.683333333, 0.525, 0.366666667, 0.208333333, 0.05);
    EXPECT(&cycle, 0, 10, 0.2, 0.4, 0.6, 0.8, 1);
}

static void one_cycle_may_only_rise_or_only_fall(void **state)
{
    (void)state;
    struct eng_schedule_options cycle = schedule("one_cycle");
    cycle.anneal = ENG_ANNEAL_LINEAR;
    cycle.start_factor = 0.5;
    cycle.peak = 0;
    EXPECT(&cycle, 0, 4, 1, 0.75, 0.5, 0.25, 0);
    cycle.peak = 1;
    EXPECT(&cycle, 0, 4, 0.5, 0.625, 0.75, 0.875, 1);
}

static void constant_stays(void **state)
{
    (void)state;
    struct eng_schedule_options constant = schedule("constant");
    EXPECT(&constant, 0, 3, 1, 1, 1, 1);
}

static bool has_warmup(const struct eng_kind *kind)
{
    return eng_fields_find(kind->fields, kind->n_fields, "warmup_epochs") != NULL;
}

static void a_warmup_rises_from_nothing(void **state)
{
    (void)state;
    size_t n_with = 0;
    for (size_t i = 0; i < eng_n_schedule_kinds; i++) {
        struct eng_schedule_options options = schedule(eng_schedule_kinds[i].name);
        if (!has_warmup(&eng_schedule_kinds[i])) continue;
        n_with++;
        options.warmup_epochs = 4;
        EXPECT(&options, 0, 10, 0, 0.25, 0.5, 0.75, 1);
        /* One longer than the run does not divide by a negative rest. */
        options.warmup_epochs = 20;
        assert_near(eng_schedule_factor(&options, 10, 10), 0.5, 0);
    }
    assert_int_equal(n_with, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_is_pytorchs),
        cmocka_unit_test(cosine_is_pytorchs),
        cmocka_unit_test(one_cycle_is_pytorchs),
        cmocka_unit_test(one_cycle_may_only_rise_or_only_fall),
        cmocka_unit_test(constant_stays),
        cmocka_unit_test(a_warmup_rises_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
