/* Occlusion against its closed form on a linear model, and what a request is checked for. */
#include "made_model.h"
#include "model/model_internal.h"

/* The weights of made_linear, [n_classes, channels x 120]. */
static const float *weights_of(const struct eng_model *model)
{
    int value = eng_graph_find(&model->graph, "w");
    assert_int_not_equal(value, ENG_NO_VALUE);
    return model->graph.values[value].tensor.data;
}

/* What covering a square takes from a linear score. */
static double fall(const float *w, const float *x, size_t channels, size_t left, size_t top,
                   size_t side, double fill)
{
    double sum = 0;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = top; i < top + side; i++)
            for (size_t k = left; k < left + side; k++) {
                size_t at = (c * 12 + i) * 10 + k;
                sum += (double)w[at] * ((double)x[at] - fill);
            }
    return sum;
}

/* A pixel's value is the mean over the patches that cover it: written down patch by patch. */
static void check_linear(int64_t channels, size_t patch, size_t stride, int baseline, double fill)
{
    struct eng_model *model = made_linear(channels, 3);
    float *x = made_sample(model, 9);
    struct eng_explain_request request = eng_explain_defaults();
    request.method = ENG_EXPLAIN_OCCLUSION;
    request.sample = x;
    request.class_index = 1;
    request.patch = (int64_t)patch;
    request.stride = (int64_t)stride;
    request.baseline = baseline;
    struct eng_explanation found = made_explanation(model, &request);
    const float *w = weights_of(model) + channels * 120;
    assert_int_equal(found.width_px, 10);
    assert_int_equal(found.height_px, 12);
    assert_string_equal(found.score_name, "logits");
    assert_true(found.is_logit && found.is_signed);
    for (size_t y = 0; y < 12; y++)
        for (size_t k = 0; k < 10; k++) {
            double sum = 0;
            int n = 0;
            for (size_t top = 0, end_y = 0; !end_y; top += stride) {
                size_t t = top + patch >= 12 ? 12 - patch : top;
                end_y = top + patch >= 12;
                for (size_t left = 0, end_x = 0; !end_x; left += stride) {
                    size_t l = left + patch >= 10 ? 10 - patch : left;
                    end_x = left + patch >= 10;
                    if (y < t || y >= t + patch || k < l || k >= l + patch) continue;
                    sum += fall(w, x, (size_t)channels, l, t, patch, fill);
                    n++;
                }
            }
            assert_true(fabs((double)found.map[y * 10 + k] - sum / n) < 1e-4);
        }
    eng_explanation_fini(&found);
    free(x);
    eng_model_destroy(model);
}

static void linear_models(void **state)
{
    (void)state;
    check_linear(1, 1, 1, ENG_EXPLAIN_ZERO, 0);
    check_linear(1, 4, 3, ENG_EXPLAIN_ZERO, 0);
    check_linear(3, 5, 2, ENG_EXPLAIN_WHITE, 1); /* the guessed preprocessing is pixel / 255 */
    check_linear(3, 3, 3, ENG_EXPLAIN_GRAY, 0.5);
    check_linear(1, 10, 10, ENG_EXPLAIN_BLACK, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_models),
    };
    return cmocka_run_group_tests_name("occlusion", tests, NULL, NULL);
}
