/* Which method a model gets, what a request is checked for, deadlines, threads, seeds. */
#include "made_model.h"
#include "shipped_model.h"

static enum eng_explain_method chosen(const struct eng_model *model, enum eng_explain_method method)
{
    enum eng_explain_method out = ENG_N_EXPLAIN_METHODS;
    struct eng_error err = {0};
    if (eng_explain_choose(model, method, &out, &err) != ENG_OK) fail_msg("%s", err.text);
    return out;
}

/* x [N, 1, 12, 10] -> Conv -> Flatten -> op -> Gemm(3); op has no gradient, or lets none through.
 */
static struct eng_model *broken_model(const char *op_type, const struct eng_attr *attrs,
                                      size_t n_attrs)
{
    struct net net;
    net_init(&net, 6);
    struct eng_attr to_float = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT32};
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = net_input(&net, "x", NET_SHAPE(-1, 1, 12, 10));
    int first = made_conv(&net, "first", x, 1, 2);
    int flat = net_node(&net, "Flatten", "flat", &first, 1, NULL, 0);
    int broken = net_node(&net, op_type, "broken", &flat, 1, attrs, n_attrs);
    int cast = net_node(&net, "Cast", "cast", &broken, 1, &to_float, 1);
    int w = net_weight(&net, "w", NET_SHAPE(3, 240), -1, 1);
    net_output(&net, net_node(&net, "Gemm", "scores", (int[]){cast, w}, 2, &trans_b, 1));
    return made_model(&net);
}

static void automatic_choice(void **state)
{
    (void)state;
    struct eng_attr to_int = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_INT32};
    struct eng_model *linear = made_linear(3, 4), *branches = made_branches();
    struct eng_model *stopped = broken_model("Cast", &to_int, 1);
    assert_int_equal(chosen(linear, ENG_EXPLAIN_AUTO), ENG_EXPLAIN_INTEGRATED_GRADIENTS);
    assert_int_equal(chosen(branches, ENG_EXPLAIN_AUTO), ENG_EXPLAIN_GRADCAM);
    assert_int_equal(chosen(stopped, ENG_EXPLAIN_AUTO), ENG_EXPLAIN_OCCLUSION);
    assert_int_equal(chosen(branches, ENG_EXPLAIN_SMOOTHGRAD), ENG_EXPLAIN_SMOOTHGRAD);
    eng_model_destroy(linear);
    eng_model_destroy(branches);
    eng_model_destroy(stopped);
}

static void check_refusal(const struct eng_model *model, enum eng_explain_method method,
                          const char *first, const char *second)
{
    enum eng_explain_method out;
    struct eng_error err = {0};
    assert_int_equal(eng_explain_choose(model, method, &out, &err), ENG_UNSUPPORTED);
    if (!strstr(err.text, first) || !strstr(err.text, second)) fail_msg("%s", err.text);
    float *sample = made_sample(model, 1);
    struct eng_explain_request request = eng_explain_defaults();
    struct eng_explanation found = {.n_runs = 77};
    request.method = method;
    request.sample = sample;
    assert_int_equal(eng_explain(model, &request, &found, NULL), ENG_UNSUPPORTED);
    assert_int_equal(found.n_runs, 77); /* untouched */
    free(sample);
}

static void refusals_name_the_node(void **state)
{
    (void)state;
    struct eng_attr to_int = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_INT32};
    struct eng_attr to_double = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT64};
    struct eng_model *integer = broken_model("Cast", &to_int, 1);
    check_refusal(integer, ENG_EXPLAIN_INTEGRATED_GRADIENTS, "node 'broken' (Cast)", "int32");
    check_refusal(integer, ENG_EXPLAIN_GRADCAM, "node 'broken' (Cast)", "int32");
    check_refusal(integer, ENG_EXPLAIN_NEIGHBOURS, "neighbours does not fit", "KNearest");
    struct eng_model *wide = broken_model("Cast", &to_double, 1);
    check_refusal(wide, ENG_EXPLAIN_SMOOTHGRAD, "node 'broken' (Cast)", "double");
    struct eng_model *hard = broken_model("Hardmax", NULL, 0);
    check_refusal(hard, ENG_EXPLAIN_SMOOTHGRAD, "node 'broken' (Hardmax)", "no gradient");
    eng_model_destroy(integer);
    eng_model_destroy(wide);
    eng_model_destroy(hard);
}

static void check_argument(const struct eng_model *model, const struct eng_explain_request *request,
                           enum eng_status status, const char *wanted)
{
    struct eng_explanation found;
    struct eng_error err = {0};
    assert_int_equal(eng_explain(model, request, &found, &err), status);
    if (!strstr(err.text, wanted)) fail_msg("%s", err.text);
}

static void requests_are_checked(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(1, 3);
    float *sample = made_sample(model, 2);
    struct eng_explain_request good = eng_explain_defaults(), bad;
    good.sample = sample;
    good.method = ENG_EXPLAIN_OCCLUSION;
#define CHECK(member, value, status, wanted) \
    bad = good;                              \
    bad.member = value;                      \
    check_argument(model, &bad, status, wanted)
    CHECK(class_index, 3, ENG_ARGUMENT, "the class is 3, wanted 0 to 2");
    CHECK(class_index, -2, ENG_ARGUMENT, "the class is -2");
    CHECK(steps, 0, ENG_ARGUMENT, "steps is 0");
    CHECK(samples, 1025, ENG_ARGUMENT, "samples is 1025");
    CHECK(noise, NAN, ENG_ARGUMENT, "noise is nan");
    CHECK(patch, 11, ENG_ARGUMENT, "patch is 11, wanted at most 10");
    CHECK(patch, -1, ENG_ARGUMENT, "patch is -1");
    CHECK(stride, 5, ENG_ARGUMENT, "stride is 5, wanted at most the patch's 1");
    CHECK(baseline, 5, ENG_ARGUMENT, "baseline is 5, wanted 0 to 4");
    CHECK(method, (enum eng_explain_method)9, ENG_ARGUMENT, "the method is 9");
    sample[7] = INFINITY;
    CHECK(class_index, 0, ENG_ARGUMENT, "value 7 of the picture is inf");
#undef CHECK
    free(sample);
    eng_model_destroy(model);
}

static void parameters_are_read_by_name(void **state)
{
    (void)state;
    struct eng_explain_request request = eng_explain_defaults();
    struct eng_error err = {0};
    assert_int_equal(eng_explain_set(&request, "steps", "100", NULL), ENG_OK);
    assert_int_equal(eng_explain_set(&request, "noise", "0.5", NULL), ENG_OK);
    assert_int_equal(eng_explain_set(&request, "baseline", "white", NULL), ENG_OK);
    assert_int_equal(request.steps, 100);
    assert_true(request.noise == 0.5);
    assert_int_equal(request.baseline, ENG_EXPLAIN_WHITE);
    assert_int_equal(eng_explain_set(&request, "step", "1", &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "did you mean 'steps'"));
    static const char *const bad[][2] = {{"steps", ""},       {"steps", "1.5"}, {"steps", "12x"},
                                         {"steps", " 1"},     {"steps", "nan"}, {"noise", "inf"},
                                         {"baseline", "red"}, {"seed", "1e10"}, {"patch", "-1"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct eng_error){0};
        assert_int_equal(eng_explain_set(&request, bad[i][0], bad[i][1], &err), ENG_ARGUMENT);
        assert_non_null(strstr(err.text, bad[i][0]));
    }
    for (size_t i = 0; i < eng_explain_n_parameters(); i++) {
        struct eng_explain_parameter parameter = eng_explain_parameter(i);
        assert_true(parameter.min <= parameter.standard && parameter.standard <= parameter.max);
        assert_true(parameter.methods > 1);
    }
    for (int m = 0; m < ENG_N_EXPLAIN_METHODS; m++) {
        enum eng_explain_method found;
        const char *name = eng_explain_method_name((enum eng_explain_method)m);
        assert_int_equal(eng_explain_method_find(name, &found, NULL), ENG_OK);
        assert_int_equal(found, m);
    }
    enum eng_explain_method none;
    err = (struct eng_error){0};
    assert_int_equal(eng_explain_method_find("lime", &none, &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "gradcam, integrated-gradients, smoothgrad, occlusion"));
}

/* Answers true a number of times. */
struct patience {
    int n_left, n_calls;
    double last;
};

static bool go_on(void *ctx, double done)
{
    struct patience *patience = ctx;
    assert_true(done >= 0 && done <= 1);
    patience->last = done;
    patience->n_calls++;
    return patience->n_left-- > 0;
}

/* Every method stops at each of its questions, and asks several times if it takes several runs. */
static void deadlines_are_kept(void **state)
{
    (void)state;
    struct eng_model *model = made_branches();
    float *sample = made_sample(model, 2);
    for (int m = ENG_EXPLAIN_GRADCAM; m <= ENG_EXPLAIN_OCCLUSION; m++) {
        struct patience all = {.n_left = 1000};
        struct eng_explain_request request = eng_explain_defaults();
        request.method = (enum eng_explain_method)m;
        request.sample = sample;
        request.samples = 100;
        request.go_on = go_on;
        request.go_on_ctx = &all;
        struct eng_explanation found = made_explanation(model, &request);
        eng_explanation_fini(&found);
        assert_true(all.n_calls >= (m == ENG_EXPLAIN_GRADCAM ? 2 : 4));
        for (int n = 0; n < all.n_calls; n++) {
            struct patience some = {.n_left = n};
            struct eng_error err = {0};
            request.go_on_ctx = &some;
            assert_int_equal(eng_explain(model, &request, &found, &err), ENG_CANCELLED);
            assert_int_equal(some.n_calls, n + 1);
            assert_non_null(strstr(err.text, "was stopped after"));
        }
    }
    free(sample);
    eng_model_destroy(model);
}

static void check_same(const struct eng_model *model, const struct eng_explain_request *a,
                       const struct eng_explain_request *b, bool same)
{
    struct eng_explanation first = made_explanation(model, a), second = made_explanation(model, b);
    size_t n_bytes = (size_t)first.width_px * first.height_px * sizeof *first.map;
    assert_true((memcmp(first.map, second.map, n_bytes) == 0) == same);
    eng_explanation_fini(&first);
    eng_explanation_fini(&second);
}

/* The same map whatever the threads; another one for another seed. */
static void threads_change_nothing_and_seeds_do(void **state)
{
    (void)state;
    struct eng_model *model = made_branches();
    float *sample = made_sample(model, 2);
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(3, &pool, NULL), ENG_OK);
    struct eng_explain_request alone = eng_explain_defaults(), helped;
    alone.sample = sample;
    for (int m = ENG_EXPLAIN_GRADCAM; m <= ENG_EXPLAIN_OCCLUSION; m++) {
        alone.method = (enum eng_explain_method)m;
        helped = alone;
        helped.pool = pool;
        check_same(model, &alone, &helped, true);
    }
    alone.method = helped.method = ENG_EXPLAIN_SMOOTHGRAD;
    helped.seed = 2;
    check_same(model, &alone, &helped, false);
    eng_pool_destroy(pool);
    free(sample);
    eng_model_destroy(model);
}

/* On a linear model every gradient is the weight: SmoothGrad is |w|, integrated gradients w x. */
static void linear_models_have_closed_forms(void **state)
{
    (void)state;
    struct eng_model *model = made_linear(3, 2);
    float *x = made_sample(model, 2);
    const float *w = model->graph.values[eng_graph_find(&model->graph, "w")].tensor.data;
    struct eng_explain_request request = eng_explain_defaults();
    request.sample = x;
    request.class_index = 0;
    request.method = ENG_EXPLAIN_SMOOTHGRAD;
    struct eng_explanation smooth = made_explanation(model, &request);
    request.method = ENG_EXPLAIN_INTEGRATED_GRADIENTS;
    struct eng_explanation path = made_explanation(model, &request);
    for (size_t p = 0; p < 120; p++) {
        double strength = 0, sum = 0;
        for (size_t c = 0; c < 3; c++) {
            strength += fabs((double)w[c * 120 + p]);
            sum += (double)w[c * 120 + p] * (double)x[c * 120 + p];
        }
        assert_true(fabs((double)smooth.map[p] - strength) < 1e-4);
        assert_true(fabs((double)path.map[p] - sum) < 1e-4);
    }
    assert_true(isnan(smooth.baseline_score) && !smooth.is_signed);
    eng_explanation_fini(&smooth);
    eng_explanation_fini(&path);
    free(x);
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(automatic_choice),
        cmocka_unit_test(refusals_name_the_node),
        cmocka_unit_test(requests_are_checked),
        cmocka_unit_test(parameters_are_read_by_name),
        cmocka_unit_test(deadlines_are_kept),
        cmocka_unit_test(threads_change_nothing_and_seeds_do),
        cmocka_unit_test(linear_models_have_closed_forms),
    };
    return cmocka_run_group_tests_name("explanations", tests, NULL, NULL);
}
