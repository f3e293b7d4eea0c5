/* Progress: lines that say what was measured, and a bar that fits the terminal. */
#include "progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct eng_train_progress half = {.epoch = 3,
                                               .n_epochs = 20,
                                               .step = 5,
                                               .n_steps = 10,
                                               .loss = 0.25,
                                               .accuracy = 0.5,
                                               .n_samples = 500,
                                               .samples_per_s = 1000};

/* What is shown of one state of a run. */
static char *show(struct tool_progress progress, const struct eng_train_progress *at)
{
    char *text;
    size_t n;
    progress.out = open_memstream(&text, &n);
    assert_non_null(progress.out);
    tool_progress_show(&progress, at);
    tool_progress_end(&progress);
    fclose(progress.out);
    return text;
}

static void an_epoch_is_a_line(void **state)
{
    (void)state;
    const struct eng_train_epoch done = {.validation_loss = 0.5,
                                         .validation_accuracy = 0.75,
                                         .test_loss = NAN,
                                         .test_accuracy = NAN};
    struct eng_train_progress at = half;
    at.done = &done;
    char *text = show((struct tool_progress){0}, &at);
    assert_non_null(strstr(text, "epoch   3/20  loss 0.2500  accuracy 50.00 %  validation loss "
                                 "0.5000  validation accuracy 75.00 %  1000 samples/s  "));
    assert_null(strstr(text, "test"));
    assert_string_equal(text + strlen(text) - 6, " left\n");
    free(text);
}

static void a_regression_has_no_accuracy(void **state)
{
    (void)state;
    const struct eng_train_epoch done = {NAN, 1, NAN, NAN, NAN, 0.125, NAN, 1};
    struct eng_train_progress at = half;
    at.accuracy = NAN;
    at.done = &done;
    char *text = show((struct tool_progress){0}, &at);
    assert_non_null(strstr(text, "epoch   3/20  loss 0.2500  test loss 0.1250  1000 samples/s"));
    free(text);
}

static void losses_are_as_long_as_they_need_be(void **state)
{
    (void)state;
    const struct eng_train_epoch done = {NAN, 1, NAN, NAN, NAN, 1.5e-7, NAN, 1};
    struct eng_train_progress at = half;
    at.loss = 1234567890123;
    at.accuracy = NAN;
    at.done = &done;
    char *text = show((struct tool_progress){0}, &at);
    assert_non_null(strstr(text, "  loss 1.235e+12  test loss 1.5e-07  "));
    free(text);
}

static void plain_lines_are_rare(void **state)
{
    (void)state;
    struct tool_progress long_ago = {.started = true, .last_shown_s = -1e9};
    char *text = show(long_ago, &half);
    assert_non_null(strstr(text, "epoch   3/20  50 %  loss 0.2500"));
    free(text);
    text = show((struct tool_progress){0}, &half); /* the first line is due after ten seconds */
    assert_string_equal(text, "");
    free(text);
}

static void a_resumed_run_says_so(void **state)
{
    (void)state;
    struct eng_train_progress at = half;
    at.n_resumed = 2;
    char *text = show((struct tool_progress){.terminal = true, .columns = 80}, &at);
    assert_int_equal(strncmp(text, "goes on after epoch 2\n\r\033[K", 25), 0);
    free(text);
    /* 5 of 180 steps took 1 second. */
    assert_true(fabs(tool_progress_left_s(&at, 1) - 35) < 1e-9);
}

static void the_bar_fits_every_width(void **state)
{
    (void)state;
    for (size_t columns = 1; columns < 130; columns++) {
        char *text = show((struct tool_progress){.terminal = true, .columns = columns}, &half);
        assert_int_equal(strncmp(text, "\r\033[K", 4), 0);
        assert_int_equal(text[strlen(text) - 1], '\n'); /* its end */
        assert_true(strlen(text) - 5 <= columns - 1);
        if (columns >= 100) assert_non_null(strstr(text, " [##########..........]  loss"));
        if (columns < 50) assert_null(strchr(text, '#'));
        if (columns == 80) assert_non_null(strstr(text, "#.")); /* a shorter one */
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_is_a_line),
        cmocka_unit_test(a_regression_has_no_accuracy),
        cmocka_unit_test(losses_are_as_long_as_they_need_be),
        cmocka_unit_test(plain_lines_are_rare),
        cmocka_unit_test(a_resumed_run_says_so),
        cmocka_unit_test(the_bar_fits_every_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
