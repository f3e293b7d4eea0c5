/* Curves: scales with round numbers, a line for what was measured, bounded size. */
#include "curves.h"
#include "made_up_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    double least, most;
    int n_marks;
    double least_step, low, high, step;
} axes[] = {
    {0, 2.3, 6, 0, 0, 2.5, 0.5}, {0, 0.043, 6, 0, 0, 0.05, 0.01}, {97.2, 99.6, 6, 0, 97, 100, 1},
    {1, 5, 8, 1, 1, 5, 1},       {1, 20, 8, 1, 0, 20, 5},         {1, 300, 8, 1, 0, 300, 50},
    {1, 1, 8, 1, 1, 2, 1},       {0, 0, 6, 0, 0, 0.1, 0.1},       {-3, 3, 6, 0, -4, 4, 2},
    {0, 1e9, 6, 0, 0, 1e9, 2e8},
};

static void axes_have_round_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        struct tool_axis a =
            tool_axis_fit(axes[i].least, axes[i].most, axes[i].n_marks, axes[i].least_step);
        double close = 1e-9 * (1 + fabs(axes[i].high));
        if (fabs(a.low - axes[i].low) > close || fabs(a.high - axes[i].high) > close ||
            fabs(a.step - axes[i].step) > close)
            fail_msg("[%g, %g]: %g to %g by %g; wanted %g to %g by %g", axes[i].least, axes[i].most,
                     a.low, a.high, a.step, axes[i].low, axes[i].high, axes[i].step);
    }
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static char *svg_of(const struct eng_train_report *report)
{
    char *svg;
    size_t n_bytes;
    struct eng_error err = {0};
    if (tool_curves_svg(report, &svg, &n_bytes, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_int_equal(strlen(svg), n_bytes);
    return svg;
}

static void a_line_for_each_series_that_was_measured(void **state)
{
    (void)state;
    struct made_up_report made_up;
    char *svg = svg_of(made_up_report(&made_up, true));
    assert_int_equal(count(svg, "<path class='line'"), 6);
    assert_int_equal(count(svg, "<circle"), 2 * (12 + 12 + 6));
    assert_non_null(strstr(svg, ">made &amp; up</text>"));
    assert_non_null(strstr(svg, ">validation</text>"));
    assert_null(strstr(svg, "nan"));
    free(svg);
    svg = svg_of(made_up_report(&made_up, false));
    assert_int_equal(count(svg, "<path class='line'"), 4);
    assert_null(strstr(svg, ">validation</text>"));
    free(svg);
}

/* A plot of epochs 1 to 12 begins at 0: marks are two epochs apart, 380 px wide. */
static void the_epoch_that_was_kept_is_marked(void **state)
{
    (void)state;
    struct made_up_report made_up;
    made_up_report(&made_up, true);
    made_up.report.kept_epoch = 6;
    char *svg = svg_of(&made_up.report);
    assert_int_equal(count(svg, "<line class='kept'"), 3);
    assert_non_null(strstr(svg, "<line class='kept' x1='254.0'"));
    assert_non_null(strstr(svg, "<line class='kept' x1='718.0'"));
    assert_non_null(strstr(svg, ">kept: epoch 6</text>"));
    free(svg);
    made_up.report.kept_epoch = MADE_UP_EPOCHS;
    svg = svg_of(&made_up.report);
    assert_null(strstr(svg, "kept:"));
    assert_null(strstr(svg, "<line class='kept'"));
    free(svg);
}

/* Regression has no accuracy, and one epoch no line but a dot. */
static void special_runs(void **state)
{
    (void)state;
    struct made_up_report made_up;
    made_up_report(&made_up, false);
    made_up.report.n_classes = 0;
    made_up.report.n_epochs = 1;
    char *svg = svg_of(&made_up.report);
    assert_int_equal(count(svg, "<circle"), 1);
    assert_null(strstr(svg, "accuracy"));
    free(svg);
    made_up.report.n_epochs = 0;
    size_t n_bytes;
    struct eng_error err = {0};
    assert_int_equal(tool_curves_svg(&made_up.report, &svg, &n_bytes, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "made & up"));
}

/* Of 100 down to 0.01 marks for the powers of ten, at even distances; of 2 down to 1 round sums. */
static void losses_of_all_sizes_are_seen(void **state)
{
    (void)state;
    struct made_up_report made_up;
    made_up_report(&made_up, false);
    struct eng_train_epoch epochs[] = {
        {.loss = 100, .accuracy = NAN, .validation_loss = NAN, .test_loss = NAN},
        {.loss = 1, .accuracy = NAN, .validation_loss = NAN, .test_loss = NAN},
        {.loss = 0.01, .accuracy = NAN, .validation_loss = NAN, .test_loss = NAN}};
    made_up.report.n_classes = 0;
    made_up.report.epochs = epochs;
    made_up.report.n_epochs = 3;
    char *svg = svg_of(&made_up.report);
    assert_non_null(strstr(svg, ">0.01</text>"));
    assert_non_null(strstr(svg, ">100</text>"));
    assert_non_null(strstr(svg, "d='M64.0 66.0 L254.0 186.0 L444.0 306.0 '"));
    free(svg);
    epochs[0].loss = 2;
    epochs[2].loss = 1;
    svg = svg_of(&made_up.report);
    assert_non_null(strstr(svg, ">0</text>"));
    free(svg);
    epochs[2].loss = 0; /* has no logarithm */
    svg = svg_of(&made_up.report);
    assert_null(strstr(svg, "inf"));
    free(svg);
}

static void long_runs_are_thinned_out(void **state)
{
    (void)state;
    enum { N = 100001 };
    struct made_up_report made_up;
    made_up_report(&made_up, false);
    struct eng_train_epoch *epochs = calloc(N, sizeof *epochs);
    assert_non_null(epochs);
    for (size_t i = 0; i < N; i++)
        epochs[i] = (struct eng_train_epoch){
            .loss = 1 + (i == N - 1), .accuracy = 0.5, .validation_loss = NAN, .test_loss = NAN};
    made_up.report.epochs = epochs;
    made_up.report.n_epochs = N;
    char *svg = svg_of(&made_up.report);
    assert_true(strlen(svg) < 100000);
    assert_non_null(strstr(svg, "'/>"));
    /* The last epoch, whose loss is another one, is drawn: the highest point of the plot. */
    struct eng_train_epoch last = epochs[N - 1];
    epochs[N - 1].loss = 1;
    char *flat = svg_of(&made_up.report);
    assert_string_not_equal(svg, flat);
    assert_true(last.loss == 2);
    free(flat);
    free(svg);
    free(epochs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_have_round_marks),
        cmocka_unit_test(a_line_for_each_series_that_was_measured),
        cmocka_unit_test(the_epoch_that_was_kept_is_marked),
        cmocka_unit_test(special_runs),
        cmocka_unit_test(losses_of_all_sizes_are_seen),
        cmocka_unit_test(long_runs_are_thinned_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
