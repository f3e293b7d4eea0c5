/* docs/theory.md: scores, softmax and its loss, penalties. */
#include "kernels/gemm.h"
#include "kernels/softmax.h"
#include "theory.h"
#include "train/loss.h"
#include "train/optimiser.h"
#include "train/parameters.h"
#include "worked.h"

#include <math.h>

/* The scores of a cat, a car and a frog; columns: cat, car, frog. */
static const float pictures[3][3] = {{3.2f, 5.1f, -1.7f}, {1.3f, 4.9f, 2.0f}, {2.2f, 2.5f, -3.1f}};

static int kind_named(const struct eng_kind *kinds, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(kinds[i].name, name) == 0) return (int)i;
    fail_msg("no kind %s", name);
    return -1;
}

static struct eng_loss_options loss_named(const char *name)
{
    return (struct eng_loss_options){.kind = kind_named(eng_loss_kinds, eng_n_loss_kinds, name)};
}

/* The loss of one sample; grad may be NULL. */
static double loss_of(const struct eng_loss_options *options, const float *scores, uint16_t label,
                      size_t n_classes, float *grad)
{
    const struct eng_loss_targets targets = {.labels = &label};
    return eng_loss_run(options, scores, &targets, 1, n_classes, grad, 1).loss;
}

static void scores_of_four_pixels(void **state)
{
    static const float weights[12] = {0.2f, -0.5f, 0.1f, 2,     1.5f, 1.3f,
                                      2.1f, 0,     0,    0.25f, 0.2f, -0.3f};
    static const float pixels[4] = {56, 231, 24, 2}, bias[3] = {1.1f, 3.2f, -1.2f};
    float scores[3];
    struct eng_gemm gemm = {.trans_b = true,
                            .m = 1,
                            .n = 3,
                            .k = 4,
                            .a = pixels,
                            .b = weights,
                            .c = scores,
                            .lda = 4,
                            .ldb = 4,
                            .ldc = 3};
    eng_gemm_run(&gemm, bias, (struct eng_activation){.kind = ENG_ACT_NONE}, NULL);
    theory_says(state, "f(x, W) = (%.1f, %.1f, %.2f)", (double)scores[0], (double)scores[1],
                (double)scores[2]);
    eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, NULL);
    theory_says(state, "%.2f is the third score without its bias", (double)scores[2]);
}

/* CIFAR-10: 3,072 numbers in, ten scores out. */
static void parameters_of_a_linear_classifier(void **state)
{
    struct net net;
    struct eng_parameters parameters;
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 3072));
    int weight = net_weight(&net, "W", NET_SHAPE(10, 3072), -1, 1);
    int bias = net_weight(&net, "b", NET_SHAPE(10), -1, 1);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    net_output(&net, net_node(&net, "Gemm", "y", (int[]){x, weight, bias}, 3, &trans_b, 1));
    eng_graph_mark_trainable(&net.graph);
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    theory_says(state, "10 x 3072 + 10 = %zu", parameters.n);
    eng_parameters_fini(&parameters);
    net_fini(&net);
}

static void softmax_of_the_cat(void **state)
{
    const float *s = pictures[0];
    float p[3], log_p[3];
    eng_softmax_forward(&(struct eng_softmax){.outer = 1, .n = 3, .inner = 1}, s, p);
    eng_softmax_forward(&(struct eng_softmax){.outer = 1, .n = 3, .inner = 1, .log = true}, s,
                        log_p);
    double z = 0;
    for (size_t i = 0; i < 3; i++)
        z += exp((double)s[i]);
    /* exp(s) is p times the sum of all exp: our softmax takes the maximum off first. */
    theory_says(state, "exp | %.1f | %.1f | %.2f | %.1f", (double)p[0] * z, (double)p[1] * z,
                (double)p[2] * z, z);
    theory_says(state, "p | %.2f | %.2f | %.2f |", (double)p[0], (double)p[1], (double)p[2]);
    struct eng_loss_options entropy = loss_named("cross_entropy");
    double loss = loss_of(&entropy, s, 0, 3, NULL);
    theory_says(state, "-ln %.2f = %.2f", (double)p[0], loss);
    assert_true(fabs(loss + (double)log_p[0]) < 1e-6);
    theory_says(state, "`%.2f` is -log10 %.2f", -log10((double)p[0]), (double)p[0]);
    theory_says(state, "`%.2f` is the probability of the car", (double)p[1]);
    theory_says(state, "1 - %.2f = %.2f", (double)p[0], 1 - (double)p[0]);
    theory_says(state, "ln 10 = %.2f", log(10));
}

static void the_gradient_is_p_minus_the_target(void **state)
{
    struct eng_loss_options entropy = loss_named("cross_entropy");
    float grad[3];
    loss_of(&entropy, pictures[0], 0, 3, grad);
    theory_says(state, "dL/ds = p - t = (%.2f, %.2f, %.2f)", (double)grad[0], (double)grad[1],
                (double)grad[2]);
}

static void softmax_does_not_overflow(void **state)
{
    static const float huge[2] = {1000, 999};
    float p[2];
    eng_softmax_forward(&(struct eng_softmax){.outer = 1, .n = 2, .inner = 1}, huge, p);
    theory_says(state, "softmax(1000, 999) = (%.2f, %.2f)", (double)p[0], (double)p[1]);
}

static void losses_before_anything_is_learnt(void **state)
{
    float scores[10] = {0};
    struct eng_loss_options entropy = loss_named("cross_entropy");
    theory_says(state, "ln 10 = %.2f", loss_of(&entropy, scores, 3, 10, NULL));
}

static void hinge_of_three_pictures(void **state)
{
    struct eng_loss_options hinge = loss_named("hinge");
    hinge.margin = 1;
    double losses[3], sum = 0;
    for (uint16_t i = 0; i < 3; i++) {
        float grad[3];
        losses[i] = loss_of(&hinge, pictures[i], i, 3, grad);
        sum += losses[i];
        if (i == 0)
            theory_says(state, "the cat's dL/ds is (%g, %g, %g)", (double)grad[0], (double)grad[1],
                        (double)grad[2]);
    }
    theory_says(state, "| a cat | **3.2** | 5.1 | -1.7 | %.1f |", losses[0]);
    theory_says(state, "| a car | 1.3 | **4.9** | 2.0 | %g |", losses[1]);
    theory_says(state, "| a frog | 2.2 | 2.5 | **-3.1** | %.1f |", losses[2]);
    theory_says(state, "(2.9 + 0 + 12.9) / 3 = %.2f", sum / 3);
}

/* The frog's sum as some texts have it: without the two margins. */
static void ten_point_nine_is_the_sum_without_margins(void **state)
{
    struct eng_loss_options hinge = loss_named("hinge");
    hinge.margin = 0;
    theory_says(state, "5.3 + 5.6 = %.1f is the sum without the two margins",
                loss_of(&hinge, pictures[2], 2, 3, NULL));
    theory_says(state, "and %.1f for the mean", (2.9 + 0 + 10.9) / 3);
    float even[10] = {0};
    hinge.margin = 1;
    theory_says(state, "begins with a loss of %g for ten classes",
                loss_of(&hinge, even, 4, 10, NULL));
}

/* The penalty that a step meets, for the weights of a layer of four inputs and one output. */
static double penalty_of(const float weights[4])
{
    struct net net;
    struct eng_parameters parameters;
    struct eng_optimiser optimiser;
    const struct eng_optimiser_options sgd = {
        .kind = kind_named(eng_optimiser_kinds, eng_n_optimiser_kinds, "SGD")};
    net_init(&net, 1);
    int x = net_input(&net, "x", NET_SHAPE(-1, 4));
    int weight = net_constant(&net, "W", ENG_FLOAT32, NET_SHAPE(1, 4), weights);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    net_output(&net, net_node(&net, "Gemm", "y", (int[]){x, weight}, 2, &trans_b, 1));
    eng_graph_mark_trainable(&net.graph);
    assert_int_equal(eng_parameters_init(&parameters, &net.graph, NULL), ENG_OK);
    assert_int_equal(eng_optimiser_init(&optimiser, &sgd, parameters.n, NULL), ENG_OK);
    float gradients[4] = {0}, *shards[1] = {gradients};
    const struct eng_step_options step = {.learning_rate = 0.1, .l2 = 1};
    double penalty = eng_parameters_step(&parameters, &optimiser, &step, shards, 1, NULL).penalty;
    const float *after = net.graph.values[weight].tensor.data;
    for (size_t i = 0; i < 4; i++) /* w - 0.1 x 2 w */
        assert_true(fabsf(after[i] - 0.8f * weights[i]) < 1e-6f);
    eng_optimiser_fini(&optimiser);
    eng_parameters_fini(&parameters);
    net_fini(&net);
    return penalty;
}

/* w x is the same for both, the sum of squares is not. */
static void equal_scores_another_penalty(void **state)
{
    static const float x[4] = {1, 1, 1, 1}, one[4] = {1, 0, 0, 0};
    static const float even[4] = {0.25f, 0.25f, 0.25f, 0.25f};
    const float *weights[2] = {one, even};
    float scores[2];
    for (size_t k = 0; k < 2; k++) {
        struct eng_gemm gemm = {.trans_b = true,
                                .m = 1,
                                .n = 1,
                                .k = 4,
                                .a = x,
                                .b = weights[k],
                                .c = &scores[k],
                                .lda = 4,
                                .ldb = 4,
                                .ldc = 1};
        eng_gemm_run(&gemm, NULL, (struct eng_activation){.kind = ENG_ACT_NONE}, NULL);
    }
    theory_says(state, "| `w1` = (1, 0, 0, 0) | %g | %g |", (double)scores[0], penalty_of(one));
    theory_says(state, "| `w2` = (0.25, 0.25, 0.25, 0.25) | %g | %g |", (double)scores[1],
                penalty_of(even));
}

/* No gradient from the data: the penalty alone shrinks the weight. */
static void weight_decay_shrinks(void **state)
{
    struct eng_optimiser_options options = {
        .kind = kind_named(eng_optimiser_kinds, eng_n_optimiser_kinds, "SGD"),
        .weight_decay = 0.01};
    struct eng_optimiser optimiser;
    const float zero = 0;
    float weight = 1;
    assert_int_equal(eng_optimiser_init(&optimiser, &options, 1, NULL), ENG_OK);
    eng_optimiser_begin_step(&optimiser);
    eng_optimiser_update(&optimiser, 0.1, true, 0, 1, &zero, &weight);
    theory_says(state, "(1 - 0.1 x 0.01) = %g", (double)weight);
    eng_optimiser_fini(&optimiser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_of_four_pixels),
        cmocka_unit_test(parameters_of_a_linear_classifier),
        cmocka_unit_test(softmax_of_the_cat),
        cmocka_unit_test(the_gradient_is_p_minus_the_target),
        cmocka_unit_test(softmax_does_not_overflow),
        cmocka_unit_test(losses_before_anything_is_learnt),
        cmocka_unit_test(hinge_of_three_pictures),
        cmocka_unit_test(ten_point_nine_is_the_sum_without_margins),
        cmocka_unit_test(equal_scores_another_penalty),
        cmocka_unit_test(weight_decay_shrinks),
    };
    return cmocka_run_group_tests(tests, theory_open, theory_close);
}
