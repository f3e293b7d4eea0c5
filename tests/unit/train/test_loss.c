/* Losses: PyTorch's numbers, gradients by finite differences, class weights, huge scores. */
#include "train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 2, CLASSES = 4, SCORES = N * CLASSES };

static const float scores[SCORES] = {1, 2, 3, -1, 0.5f, -0.5f, 0, 2};
static const uint16_t labels[N] = {2, 0}, other_labels[N] = {1, 3};
static const float shares[N] = {0.3f, 0.8f};
static const float values[SCORES] = {0, 1, -2, 0.25f, 3, -1, 1, 2};
static const float class_weights[CLASSES] = {0.5f, 1, 2, 4};

static const struct eng_loss_targets plain = {.labels = labels};
static const struct eng_loss_targets mixed = {
    .labels = labels, .other_labels = other_labels, .shares = shares};
static const struct eng_loss_targets regression = {.values = values};

static void assert_near(double value, double wanted, double tolerance)
{
    if (!(fabs(value - wanted) <= tolerance)) fail_msg("%.9g; wanted %.9g", value, wanted);
}

static int kind_named(const char *name)
{
    for (size_t i = 0; i < eng_n_loss_kinds; i++)
        if (strcmp(eng_loss_kinds[i].name, name) == 0) return (int)i;
    fail_msg("no loss %s", name);
    return -1;
}

static void expect(const char *name, struct eng_loss_options options,
                   const struct eng_loss_targets *targets, double loss, const double grad[SCORES])
{
    float found[SCORES];
    options.kind = kind_named(name);
    struct eng_loss_sum sum = eng_loss_run(&options, scores, targets, N, CLASSES, found, 1);
    assert_near(sum.loss, loss, 1e-6);
    for (size_t i = 0; i < SCORES; i++)
        assert_near((double)found[i], grad[i], 2e-7);
    sum = eng_loss_run(&options, scores, targets, N, CLASSES, NULL, 1);
    assert_near(sum.loss, loss, 1e-6);
}

/*
 * The wanted numbers here and below are PyTorch 1.13's:
 *     s = torch.tensor([[1, 2, 3, -1], [0.5, -0.5, 0, 2]], dtype=torch.float64, requires_grad=True)
 *     y, other = torch.tensor([2, 0]), torch.tensor([1, 3])
 *     w = torch.tensor([0.5, 1, 2, 4], dtype=torch.float64)
 *     loss = torch.nn.CrossEntropyLoss(weight=w, label_smoothing=0.1, reduction="sum")(s, y)
 *     print(loss, torch.autograd.grad(loss, s))
 */
static void cross_entropy_is_pytorchs(void **state)
{
    (void)state;
    const struct eng_loss_options smooth = {.label_smoothing = 0.1};
    struct eng_loss_options weighted = {.class_weights = class_weights}, both = smooth;
    both.class_weights = class_weights;
    expect("cross_entropy", smooth, &plain, 2.4597420692,
           (double[]){0.063946813, 0.216782510, -0.267766982, -0.012962361, -0.770107687,
                      0.031981684, 0.068946913, 0.669179022});
    expect("cross_entropy", weighted, &plain, 1.7719459386,
           (double[]){0.177893635, 0.483565034, -0.685533954, 0.024075285, -0.422553854,
                      0.028490845, 0.046973462, 0.347089547});
    expect("cross_entropy", both, &plain, 2.3731404582,
           (double[]){0.164281799, 0.455542753, -0.543749367, -0.076075185, -0.363756164,
                      0.011325827, 0.009891164, 0.342539172});
}

/* m = torch.nn.MultiMarginLoss(margin=1.0, weight=w, reduction="sum"); 4 * m(s, y): PyTorch divides
 * by the number of classes. */
static void hinge_is_pytorchs(void **state)
{
    (void)state;
    const double gradient[] = {0, 0, 0, 0, -2, 0, 1, 1}, half[] = {0, 0, 0, 0, -1, 0, 0.5, 0.5};
    expect("hinge", (struct eng_loss_options){.margin = 1}, &plain, 3, gradient);
    expect("hinge", (struct eng_loss_options){.margin = 0.7}, &plain, 2.4, gradient);
    expect("hinge", (struct eng_loss_options){.margin = 1, .class_weights = class_weights}, &plain,
           1.5, half);
}

/* share = torch.tensor([0.3, 0.8]); c with reduction="none":
 * (share * c(s, y) + (1 - share) * c(s, other)).sum(), c weighted as above. */
static void mixed_samples_have_both_losses(void **state)
{
    (void)state;
    expect("cross_entropy",
           (struct eng_loss_options){.label_smoothing = 0.1, .class_weights = class_weights},
           &mixed, 2.8336849049,
           (double[]){0.108245304, -0.326780233, 0.302193828, -0.0836589, -0.176174019, 0.047224292,
                      0.069077726, 0.059872001});
    expect("hinge", (struct eng_loss_options){.margin = 1, .class_weights = class_weights}, &mixed,
           2.6, (double[]){0, -0.7, 0.7, 0, -0.8, 0, 0.4, 0.4});
}

/* v = torch.tensor([[0, 1, -2, 0.25], [3, -1, 1, 2]]); torch.nn.MSELoss()(s, v) is 4.5078125, the
 * mean over both samples. */
static void mean_squared_error_is_pytorchs(void **state)
{
    (void)state;
    expect("mean_squared_error", (struct eng_loss_options){0}, &regression, 2 * 4.5078125,
           (double[]){0.5, 0.5, 2.5, -0.625, -1.25, 0.25, -0.5, 0});
}

static double loss_at(const struct eng_loss_options *options,
                      const struct eng_loss_targets *targets, const float *at)
{
    return eng_loss_run(options, at, targets, N, CLASSES, NULL, 1).loss;
}

/* At scores where no hinge term is near its kink. */
static void every_gradient_is_the_finite_difference(void **state)
{
    (void)state;
    static const float at[SCORES] = {1, 2.3f, 3.1f, -1, 0.5f, -0.6f, 0.1f, 2};
    const struct eng_loss_targets *const all[] = {&plain, &mixed, &regression};
    size_t n_checked = 0;
    for (unsigned i = 0; i < eng_n_loss_kinds * 3 * 2; i++) {
        const struct eng_loss_targets *targets = all[i / 2 % 3];
        const struct eng_loss_options options = {.kind = (int)i / 6,
                                                 .label_smoothing = 0.2,
                                                 .margin = 1.2,
                                                 .class_weights = i % 2 ? class_weights : NULL};
        if (eng_loss_wants_values(options.kind) != (targets->values != NULL)) continue;
        float grad[SCORES], moved[SCORES];
        eng_loss_run(&options, at, targets, N, CLASSES, grad, 0.5);
        for (size_t k = 0; k < SCORES; k++, n_checked++) {
            const float step = 1.0f / 512;
            memcpy(moved, at, sizeof moved);
            moved[k] += step;
            double above = loss_at(&options, targets, moved);
            moved[k] -= 2 * step;
            double slope = (above - loss_at(&options, targets, moved)) / (2 * (double)step);
            assert_near((double)grad[k], 0.5 * slope, 2e-5);
        }
    }
    assert_int_equal(n_checked, 10 * SCORES);
}

static void the_highest_score_is_the_answer(void **state)
{
    (void)state;
    const struct eng_loss_options options = {0};
    static const uint16_t right[N] = {2, 3}, wrong[N] = {0, 1};
    const struct eng_loss_targets mostly_other = {
        .labels = wrong, .other_labels = right, .shares = (const float[]){0.4f, 0.3f}};
    struct eng_loss_options squares = {.kind = kind_named("mean_squared_error")};
    const struct eng_loss_targets all_right = {.labels = right};
    assert_int_equal(eng_loss_run(&options, scores, &plain, N, 4, NULL, 1).n_correct, 1);
    assert_int_equal(eng_loss_run(&options, scores, &all_right, N, 4, NULL, 1).n_correct, 2);
    assert_int_equal(eng_loss_run(&options, scores, &mostly_other, N, 4, NULL, 1).n_correct, 2);
    assert_int_equal(eng_loss_run(&squares, scores, &regression, N, 4, NULL, 1).n_correct, 0);
}

/* Given 2.5, 1.5 and 6 with labels 0 0 1 2: 12.5 in all, so divided by 3.125. */
static void class_weights_make_a_sample_count_one_on_average(void **state)
{
    (void)state;
    static const uint16_t of[] = {0, 0, 1, 2};
    static const float given[] = {2.5f, 1.5f, 6};
    float weights[3];
    struct eng_loss_options options = {.class_weights = given, .n_class_weights = 3};
    assert_int_equal(eng_loss_prepare(&options, of, 4, 3, weights, NULL), ENG_OK);
    assert_ptr_equal(options.class_weights, weights);
    assert_near((double)weights[0], 2.5 / 3.125, 1e-6);
    assert_near((double)weights[1], 1.5 / 3.125, 1e-6);
    assert_near((double)weights[2], 6 / 3.125, 1e-6);
}

/* torch.nn.CrossEntropyLoss(weight=w)(s, y), which divides by the sum of the samples' weights. */
static void over_all_samples_the_mean_is_pytorchs(void **state)
{
    (void)state;
    float weights[CLASSES];
    struct eng_loss_options options = {.class_weights = class_weights, .n_class_weights = CLASSES};
    assert_int_equal(eng_loss_prepare(&options, labels, N, CLASSES, weights, NULL), ENG_OK);
    assert_near(eng_loss_run(&options, scores, &plain, N, CLASSES, NULL, 1).loss / N, 0.7087783754,
                1e-6);
}

/* sklearn.utils.class_weight.compute_class_weight("balanced", ...): n / (K n_c). */
static void balanced_lets_every_class_count_alike(void **state)
{
    (void)state;
    static const uint16_t of[] = {0, 0, 0, 0, 0, 1, 1, 3};
    float weights[4];
    struct eng_loss_options options = {.balanced = true}, none = {0};
    assert_int_equal(eng_loss_prepare(&options, of, 8, 4, weights, NULL), ENG_OK);
    assert_near((double)weights[0], 8.0 / 3 / 5, 1e-6);
    assert_near((double)weights[1], 8.0 / 3 / 2, 1e-6);
    assert_near((double)weights[2], 1, 1e-6); /* of which there is none */
    assert_near((double)weights[3], 8.0 / 3 / 1, 1e-6);
    assert_int_equal(eng_loss_prepare(&none, of, 8, 4, weights, NULL), ENG_OK);
    assert_null(none.class_weights);
}

static void weights_that_do_not_fit_are_a_sentence(void **state)
{
    (void)state;
    static const float two[] = {1, 2}, nothing[] = {0, 0, 1, 0};
    static const uint16_t of[] = {0, 1};
    const struct {
        struct eng_loss_options options;
        const char *sentence;
    } cases[] = {
        {{.class_weights = two, .n_class_weights = 2},
         "loss.class_weights has 2 numbers; wanted 4, one per class"},
        {{.class_weights = nothing, .n_class_weights = 4}, "every training sample count 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float weights[CLASSES];
        struct eng_error err = {0};
        struct eng_loss_options options = cases[i].options;
        assert_int_equal(eng_loss_prepare(&options, of, 2, CLASSES, weights, &err), ENG_FORMAT);
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].sentence);
    }
}

/* exp(1000) overflows and log(0) is -inf: neither may show. */
static void huge_scores_stay_finite(void **state)
{
    (void)state;
    static const float huge[] = {1000, -1000, 0, 999};
    static const uint16_t wrong[] = {1};
    const struct eng_loss_targets targets = {.labels = wrong};
    struct eng_loss_options options = {0};
    float grad[CLASSES];
    double loss = eng_loss_run(&options, huge, &targets, 1, CLASSES, grad, 1).loss;
    assert_near(loss, 2000 + log(1 + exp(-1)), 1e-6);
    assert_near((double)grad[1], -1, 1e-6);
}

static void scores_that_are_not_finite_show_in_the_loss(void **state)
{
    (void)state;
    for (int kind = 0; kind < (int)eng_n_loss_kinds; kind++)
        for (size_t i = 0; i < CLASSES; i++) {
            float bad[CLASSES] = {0};
            const struct eng_loss_options options = {.kind = kind, .margin = 1};
            const struct eng_loss_targets *targets =
                eng_loss_wants_values(kind) ? &regression : &plain;
            bad[i] = NAN;
            assert_false((bool)isfinite(eng_loss_run(&options, bad, targets, 1, 4, NULL, 1).loss));
            bad[i] = i == labels[0] ? -INFINITY : INFINITY;
            assert_false((bool)isfinite(eng_loss_run(&options, bad, targets, 1, 4, NULL, 1).loss));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_is_pytorchs),
        cmocka_unit_test(hinge_is_pytorchs),
        cmocka_unit_test(mixed_samples_have_both_losses),
        cmocka_unit_test(mean_squared_error_is_pytorchs),
        cmocka_unit_test(every_gradient_is_the_finite_difference),
        cmocka_unit_test(the_highest_score_is_the_answer),
        cmocka_unit_test(class_weights_make_a_sample_count_one_on_average),
        cmocka_unit_test(over_all_samples_the_mean_is_pytorchs),
        cmocka_unit_test(balanced_lets_every_class_count_alike),
        cmocka_unit_test(weights_that_do_not_fit_are_a_sentence),
        cmocka_unit_test(huge_scores_stay_finite),
        cmocka_unit_test(scores_that_are_not_finite_show_in_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
