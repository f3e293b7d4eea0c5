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

/* The same convolution on planes and, behind a Transpose, on pixels. */
static struct eng_model *laid_out(bool pixels)
{
    static const int64_t to_planes[4] = {0, 3, 1, 2};
    struct net net;
    net_init(&net, 12);
    struct eng_attr perm = net_ints("perm", to_planes, 4);
    struct eng_attr trans_b = {.name = "transB", .type = ENG_ATTR_INT, .i = 1};
    int x = pixels ? net_input(&net, "x", NET_SHAPE(-1, 12, 10, 3))
                   : net_input(&net, "x", NET_SHAPE(-1, 3, 12, 10));
    int planes = pixels ? net_node(&net, "Transpose", "planes", &x, 1, &perm, 1) : x;
    int conv = made_conv(&net, "conv", planes, 3, 4);
    int tanh = net_node(&net, "Tanh", "tanh", &conv, 1, NULL, 0);
    int mean = net_node(&net, "GlobalAveragePool", "mean", &tanh, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &mean, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(3, 4), -1, 1);
    net_output(&net, net_node(&net, "Gemm", "scores", (int[]){flat, w}, 2, &trans_b, 1));
    return made_model(&net);
}

static void layout_changes_nothing(void **state)
{
    (void)state;
    struct eng_model *planes = laid_out(false), *pixels = laid_out(true);
    float *x = made_sample(planes, 2), *turned = made_sample(pixels, 2);
    for (size_t p = 0; p < 120; p++)
        for (size_t c = 0; c < 3; c++)
            turned[p * 3 + c] = x[c * 120 + p];
    struct eng_explain_request request = eng_explain_defaults();
    request.class_index = 1;
    request.noise = 0; /* which is drawn in the order of the sample's values */
    for (int m = ENG_EXPLAIN_GRADCAM; m <= ENG_EXPLAIN_OCCLUSION; m++) {
        request.method = (enum eng_explain_method)m;
        request.baseline = ENG_EXPLAIN_MEAN;
        request.sample = x;
        struct eng_explanation first = made_explanation(planes, &request);
        request.sample = turned;
        struct eng_explanation second = made_explanation(pixels, &request);
        double strongest = 0;
        for (size_t p = 0; p < 120; p++) {
            assert_true(fabs((double)first.map[p] - (double)second.map[p]) < 1e-6);
            strongest = fmax(strongest, fabs((double)first.map[p]));
        }
        assert_true(strongest > 1e-3);
        eng_explanation_fini(&first);
        eng_explanation_fini(&second);
    }
    free(x);
    free(turned);
    eng_model_destroy(planes);
    eng_model_destroy(pixels);
}

/* x [N, 1, 12, 10] bytes -> Cast -> Conv -> Reshape to one sample: batches and types that a
 * network insists on. */
static void bytes_and_single_samples_are_taken(void **state)
{
    (void)state;
    static const int64_t one_row[2] = {1, 240};
    struct net net;
    net_init(&net, 12);
    struct eng_attr to_float = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT32};
    struct eng_attr axis = {.name = "axis", .type = ENG_ATTR_INT, .i = 0};
    int x, rows[2];
    assert_int_equal(
        eng_graph_add_input(&net.graph, "x", ENG_UINT8, &NET_SHAPE(1, 1, 12, 10), &x, NULL),
        ENG_OK);
    int real = net_node(&net, "Cast", "real", &x, 1, &to_float, 1);
    int conv = made_conv(&net, "conv", real, 1, 2);
    int shape = net_constant(&net, "shape", ENG_INT64, NET_SHAPE(2), one_row);
    int flat = net_node(&net, "Reshape", "flat", (int[]){conv, shape}, 2, NULL, 0);
    int order = net_node(&net, "Softmax", "order", &flat, 1, &axis, 1); /* mixes samples */
    rows[0] = net_node(&net, "Add", "sum", (int[]){flat, order}, 2, NULL, 0);
    rows[1] = net_weight(&net, "w", NET_SHAPE(240, 3), -0.01f, 0.01f);
    net_output(&net, net_node(&net, "MatMul", "scores", rows, 2, NULL, 0));
    struct eng_model *model = made_model(&net);
    assert_true(eng_model_runs_one_by_one(model));
    float sample[120];
    for (size_t i = 0; i < 120; i++)
        sample[i] = (float)(i * 37 % 256);
    check_refusal(model, ENG_EXPLAIN_INTEGRATED_GRADIENTS, "'x' is of type uint8", "float");
    struct eng_explain_request request = eng_explain_defaults();
    request.sample = sample;
    for (int m = ENG_EXPLAIN_AUTO; m <= ENG_EXPLAIN_OCCLUSION; m += ENG_EXPLAIN_OCCLUSION) {
        request.method = (enum eng_explain_method)m;
        struct eng_explanation found = made_explanation(model, &request);
        assert_true(found.map[60] != 0 || found.sum > 0);
        eng_explanation_fini(&found);
    }
    eng_model_destroy(model);
}

/* x -> Tile to 0.8 GB -> Neg, in place -> mean: four times that, with gradients, is above the
 * limit. */
static void memory_is_bounded_before_it_is_taken(void **state)
{
    (void)state;
    static const int64_t repeats[4] = {1, 1, 1700, 1000}, axes[2] = {2, 3};
    struct net net;
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model;
    struct eng_error err = {0};
    struct eng_model_options one = {.max_batch = 1};
    net_init(&net, 12);
    struct eng_attr attrs[2] = {net_ints("axes", axes, 2),
                                {.name = "keepdims", .type = ENG_ATTR_INT, .i = 0}};
    int x = net_input(&net, "x", NET_SHAPE(-1, 1, 12, 10));
    int times = net_constant(&net, "times", ENG_INT64, NET_SHAPE(4), repeats);
    int tiles = net_node(&net, "Tile", "tiles", (int[]){x, times}, 2, NULL, 0);
    int negative = net_node(&net, "Neg", "negative", &tiles, 1, NULL, 0);
    int mean = net_node(&net, "ReduceMean", "mean", &negative, 1, attrs, 2);
    int w = net_weight(&net, "w", NET_SHAPE(1, 2), -1, 1);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){mean, w}, 2, NULL, 0));
    net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
    net_fini(&net);
    if (eng_model_open_bytes(bytes, n_bytes, &one, &model, &err) != ENG_OK)
        fail_msg("%s", err.text);
    enum eng_explain_method method;
    if (eng_explain_choose(model, ENG_EXPLAIN_INTEGRATED_GRADIENTS, &method, &err) != ENG_LIMIT ||
        !strstr(err.text, "takes 3112 MiB for the network's values, wanted at most 2048"))
        fail_msg("%s", err.text);
    assert_int_equal(chosen(model, ENG_EXPLAIN_AUTO), ENG_EXPLAIN_OCCLUSION);
    eng_model_destroy(model);
    free(bytes);
}

/* x -> Flatten -> MatMul(3), then those operators one after the other. */
static void check_score(const char *const *operators, size_t n, const char *score, bool is_logit)
{
    static const int64_t as_rows[2] = {-1, 3};
    struct net net;
    net_init(&net, 3);
    struct eng_attr to_double = {.name = "to", .type = ENG_ATTR_INT, .i = ENG_FLOAT64};
    int x = net_input(&net, "x", NET_SHAPE(-1, 1, 12, 10));
    int flat = net_node(&net, "Flatten", "flat", &x, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(120, 3), -1, 1);
    int shape = net_constant(&net, "shape", ENG_INT64, NET_SHAPE(2), as_rows);
    int value = net_node(&net, "MatMul", "product", (int[]){flat, w}, 2, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "value%zu", i);
        bool casts = strcmp(operators[i], "Cast") == 0;
        int in[2] = {value, shape};
        value = net_node(&net, operators[i], name, in, strcmp(operators[i], "Reshape") ? 1 : 2,
                         &to_double, casts);
    }
    net_output(&net, value);
    struct eng_model *model = made_model(&net);
    float *sample = made_sample(model, 2);
    struct eng_explain_request request = eng_explain_defaults();
    request.sample = sample;
    request.method = ENG_EXPLAIN_OCCLUSION;
    struct eng_explanation found = made_explanation(model, &request);
    assert_string_equal(found.score_name, score);
    assert_int_equal(found.is_logit, is_logit);
    assert_true(found.probability > 0 && found.probability < 1);
    eng_explanation_fini(&found);
    free(sample);
    eng_model_destroy(model);
}

static void score_is_what_goes_into_the_last_softmax(void **state)
{
    (void)state;
    check_score((const char *const[]){"Softmax"}, 1, "product", true);
    check_score((const char *const[]){"LogSoftmax"}, 1, "product", true);
    check_score((const char *const[]){"Softmax", "Cast", "Reshape"}, 3, "product", true);
    check_score((const char *const[]){"Tanh", "Softmax"}, 2, "value0", true);
    check_score((const char *const[]){"Sigmoid"}, 1, "value0", false);
    check_score((const char *const[]){"Softmax", "Sqrt"}, 2, "value1", true); /* one is added */
    check_score(NULL, 0, "product", true);
}

/* x -> Sqrt -> Flatten -> MatMul(2): at 0 the slope is infinite, below it there is no score. */
static void what_is_not_finite_is_refused(void **state)
{
    (void)state;
    struct net net;
    net_init(&net, 3);
    int x = net_input(&net, "x", NET_SHAPE(-1, 1, 12, 10));
    int root = net_node(&net, "Sqrt", "root", &x, 1, NULL, 0);
    int flat = net_node(&net, "Flatten", "flat", &root, 1, NULL, 0);
    int w = net_weight(&net, "w", NET_SHAPE(120, 2), 0.5f, 1);
    net_output(&net, net_node(&net, "MatMul", "scores", (int[]){flat, w}, 2, NULL, 0));
    struct eng_model *model = made_model(&net);
    float sample[120];
    for (size_t i = 0; i < 120; i++)
        sample[i] = i == 34 ? 0 : 1;
    struct eng_explain_request request = eng_explain_defaults();
    request.sample = sample;
    request.method = ENG_EXPLAIN_SMOOTHGRAD;
    request.noise = 0;
    check_argument(model, &request, ENG_UNSUPPORTED, "smoothgrad gives inf for the pixel in row 3");
    request.noise = 1;
    check_argument(model, &request, ENG_UNSUPPORTED, "smoothgrad gives");
    request.method = ENG_EXPLAIN_OCCLUSION;
    struct eng_explanation found = made_explanation(model, &request);
    eng_explanation_fini(&found);
    sample[0] = -1;
    check_argument(model, &request, ENG_UNSUPPORTED, "for this picture, wanted a number");
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
        cmocka_unit_test(layout_changes_nothing),
        cmocka_unit_test(score_is_what_goes_into_the_last_softmax),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(bytes_and_single_samples_are_taken),
        cmocka_unit_test(memory_is_bounded_before_it_is_taken),
    };
    return cmocka_run_group_tests_name("explanations", tests, NULL, NULL);
}
