/* Losses: PyTorch's numbers, gradients by finite differences, huge scores. */
#include "train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 2, CLASSES = 4 };

static const float scores[N * CLASSES] = {1, 2, 3, -1, 0.5f, -0.5f, 0, 2};
static const uint16_t labels[N] = {2, 0};

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.9g; wanted %.9g", value, wanted);
}

/* torch.nn.functional.cross_entropy, reduction="sum", PyTorch 1.13. */
static void cross_entropy_is_pytorchs(void **state)
{
    (void)state;
    static const double wanted_grad[] = {0.063946813,  0.216782510, -0.267766982, -0.012962361,
                                         -0.770107687, 0.031981684, 0.068946913,  0.669179022};
    struct eng_loss_options plain = {0}, smooth = {.label_smoothing = 0.1};
    struct eng_loss_sum sum = eng_loss_run(
        &plain, scores, &(struct eng_loss_targets){.labels = labels}, N, CLASSES, NULL, 1);
    assert_near(sum.loss, 2.2847418785, 1e-6);
    assert_int_equal(sum.n_correct, 1);
    float grad[N * CLASSES];
    sum = eng_loss_run(&smooth, scores, &(struct eng_loss_targets){.labels = labels}, N, CLASSES,
                       grad, 1);
    assert_near(sum.loss, 2.4597420692, 1e-6);
    for (size_t i = 0; i < N * CLASSES; i++)
        assert_near((double)grad[i], wanted_grad[i], 1e-7);
}

static void every_gradient_is_the_finite_difference(void **state)
{
    (void)state;
    for (int kind = 0; kind < (int)eng_n_loss_kinds; kind++) {
        struct eng_loss_options options = {.kind = kind, .label_smoothing = 0.2};
        float grad[N * CLASSES], moved[N * CLASSES];
        eng_loss_run(&options, scores, &(struct eng_loss_targets){.labels = labels}, N, CLASSES,
                     grad, 0.5);
        for (size_t i = 0; i < N * CLASSES; i++) {
            const float step = 1.0f / 512;
            memcpy(moved, scores, sizeof moved);
            moved[i] += step;
            double above =
                eng_loss_run(&options, moved, &(struct eng_loss_targets){.labels = labels}, N,
                             CLASSES, NULL, 1)
                    .loss;
            moved[i] -= 2 * step;
            double below =
                eng_loss_run(&options, moved, &(struct eng_loss_targets){.labels = labels}, N,
                             CLASSES, NULL, 1)
                    .loss;
            assert_near((double)grad[i], 0.5 * (above - below) / (2 * (double)step), 1e-5);
        }
    }
}

/* exp(1000) overflows and log(0) is -inf: neither may show. */
static void huge_scores_stay_finite(void **state)
{
    (void)state;
    static const float huge[] = {1000, -1000, 0, 999};
    static const uint16_t wrong[] = {1};
    struct eng_loss_options options = {0};
    float grad[CLASSES];
    double loss = eng_loss_run(&options, huge, &(struct eng_loss_targets){.labels = wrong}, 1,
                               CLASSES, grad, 1)
                      .loss;
    assert_near(loss, 2000 + log(1 + exp(-1)), 1e-6);
    assert_near((double)grad[1], -1, 1e-6);
}

static void scores_that_are_not_finite_show_in_the_loss(void **state)
{
    (void)state;
    float bad[CLASSES] = {0, NAN, 0, 0};
    struct eng_loss_options options = {0};
    assert_false(
        (bool)isfinite(eng_loss_run(&options, bad, &(struct eng_loss_targets){.labels = labels}, 1,
                                    CLASSES, NULL, 1)
                           .loss));
    bad[1] = INFINITY;
    assert_false(
        (bool)isfinite(eng_loss_run(&options, bad, &(struct eng_loss_targets){.labels = labels}, 1,
                                    CLASSES, NULL, 1)
                           .loss));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_is_pytorchs),
        cmocka_unit_test(every_gradient_is_the_finite_difference),
        cmocka_unit_test(huge_scores_stay_finite),
        cmocka_unit_test(scores_that_are_not_finite_show_in_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
