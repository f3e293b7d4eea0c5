/* The gradient of a score by the picture: against differences, and summed up along a path. */
#include "explain/net.h"
#include "explain/target.h"
#include "shipped_model.h"

/* Score of the class at the point, by the network that computes no gradient. */
static double score_at(struct eng_explain_net *net, const float *point, size_t class_index)
{
    eng_explain_net_put(net, 0, point);
    eng_explain_net_run(net);
    return eng_explain_net_score(net, 0, class_index);
}

/* Every seventh value's gradient against a central difference, in a row of a batch of three. */
static void gradient_equals_difference(void **state)
{
    (void)state;
    struct eng_model *model = made_branches();
    float *sample = made_sample(model, 3), *other = made_sample(model, 4);
    struct eng_explain_net scores, gradients;
    struct eng_error err = {0};
    size_t n = model->sample_count, n_bad = 0, n_checked = 0;
    assert_int_equal(eng_explain_net_create(model, 1, NULL, &scores, &err), ENG_OK);
    if (eng_explain_gradient_create(model, model->graph.inputs[0], 3, NULL, &gradients, &err) !=
        ENG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(gradients.batch, 3);
    eng_explain_net_put(&gradients, 0, other);
    eng_explain_net_put(&gradients, 1, sample);
    eng_explain_net_put(&gradients, 2, sample);
    eng_explain_net_run(&gradients);
    assert_true(fabs(eng_explain_net_score(&gradients, 1, 2) - score_at(&scores, sample, 2)) <
                1e-5);
    const float *found = eng_explain_net_gradient(&gradients, 1, 2, 2);
    for (size_t k = 0; k < n; k++)
        assert_true(found[k] == 0 && found[2 * n + k] == 0); /* not asked for */
    for (size_t k = 0; k < n; k += 7, n_checked++) {
        const float step = 5e-3f;
        float old = sample[k];
        sample[k] = old + step;
        double up = score_at(&scores, sample, 2);
        sample[k] = old - step;
        double down = score_at(&scores, sample, 2);
        sample[k] = old;
        double wanted = (up - down) / (2 * (double)step);
        if (fabs(wanted - (double)found[n + k]) > 2e-3 + 2e-2 * fabs(wanted)) n_bad++;
    }
    assert_true(n_checked > 40);
    assert_true(n_bad * 20 <= n_checked); /* a step may cross a kink */
    eng_explain_net_fini(&scores);
    eng_explain_net_fini(&gradients);
    free(sample);
    free(other);
    eng_model_destroy(model);
}

/* The map's sum is the difference of the scores to 2 in 100; of a difference below 1, to 0.02. */
static void check_complete(const struct eng_model *model, const float *sample, int64_t class_index,
                           int baseline)
{
    struct eng_explain_request request = eng_explain_defaults();
    request.method = ENG_EXPLAIN_INTEGRATED_GRADIENTS;
    request.sample = sample;
    request.class_index = class_index;
    request.baseline = baseline;
    struct eng_explanation found = made_explanation(model, &request);
    double difference = found.score - found.baseline_score;
    assert_true(found.is_logit && found.is_signed);
    assert_string_equal(found.score_name,
                        model->graph.values[eng_explain_find_target(model).value].name);
    if (!(fabs(found.sum - difference) <= 0.02 * fmax(1, fabs(difference))))
        fail_msg("class %zu, baseline %d: the sum is %g, the difference of the scores %g",
                 found.class_index, baseline, found.sum, difference);
    eng_explanation_fini(&found);
}

static void integrated_gradients_are_complete_on_made_networks(void **state)
{
    (void)state;
    struct eng_model *model = made_branches();
    float *sample = made_sample(model, 8);
    for (int64_t c = 0; c < 4; c++)
        for (int baseline = ENG_EXPLAIN_ZERO; baseline <= ENG_EXPLAIN_MEAN; baseline++)
            check_complete(model, sample, c, baseline);
    free(sample);
    eng_model_destroy(model);
}

/* Convolutions take a while without optimisation: a picture each, and the perceptron's all. */
static void integrated_gradients_are_complete_on_shipped_models(void **state)
{
    (void)state;
    static const char *const names[] = {"mnist", "fashion-mnist", "cifar10", "mnist-mlp"};
    for (size_t m = 0; m < sizeof names / sizeof names[0]; m++) {
        struct eng_model *model = shipped_model(names[m]);
        bool is_small = strcmp(names[m], "mnist-mlp") == 0;
        size_t n_samples = is_small ? eng_model_card(model)->n_golden : 1;
        int last_baseline = is_small ? ENG_EXPLAIN_MEAN : ENG_EXPLAIN_ZERO;
        for (size_t i = 0; i < n_samples; i++) {
            float *sample = shipped_sample(model, i);
            for (int baseline = ENG_EXPLAIN_ZERO; baseline <= last_baseline; baseline++)
                check_complete(model, sample, -1, baseline);
            free(sample);
        }
        eng_model_destroy(model);
    }
}

/* Scores w x^3: the midpoint rule of n points gives 1 - 1 / (4 n^2) of them, for n = 1, 3, 9. */
static void points_are_tripled_until_the_sum_is_right(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 3);
    int x = net_input(&net, "x", NET_SHAPE(-1, 1, 12, 10));
    int square = net_node(&net, "Mul", "square", (int[]){x, x}, 2, NULL, 0);
    int cube = net_node(&net, "Mul", "cube", (int[]){square, x}, 2, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &cube, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(120, 2), 0.5f, 1);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){flat, w}, 2, NULL, 0));
    struct eng_model *model = made_model(&net);
    const float *weights = model->graph.values[eng_graph_find(&model->graph, "w")].tensor.data;
    float sample[120];
    for (size_t i = 0; i < 120; i++)
        sample[i] = 1 + (float)i / 120;
    struct eng_explain_request request = eng_explain_defaults();
    request.method = ENG_EXPLAIN_INTEGRATED_GRADIENTS;
    request.sample = sample;
    request.class_index = 1;
    request.steps = 1;
    struct eng_explanation found = made_explanation(model, &request);
    assert_int_equal(found.n_runs, 1 + 2 + 9); /* to ask, the two ends, the points */
    for (size_t i = 0; i < 120; i++) {
        double wanted = (double)weights[2 * i + 1] * pow((double)sample[i], 3) * (1 - 1.0 / 324);
        assert_true(fabs((double)found.map[i] - wanted) < 1e-5 * wanted);
    }
    eng_explanation_fini(&found);
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_equals_difference),
        cmocka_unit_test(points_are_tripled_until_the_sum_is_right),
        cmocka_unit_test(integrated_gradients_are_complete_on_made_networks),
        cmocka_unit_test(integrated_gradients_are_complete_on_shipped_models),
    };
    return cmocka_run_group_tests_name("gradients by the picture", tests, NULL, NULL);
}
