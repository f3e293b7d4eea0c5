/* Grad-CAM and occlusion look at the same place: the digit, not the noise beside it. */
#include "shipped_model.h"

enum { SIDE = 28, N_PIXELS = SIDE * SIDE, HALF = SIDE / 2, NOISE = 40 };

/* The middle columns of a narrow digit in one half, weak noise in the other. */
static void make_picture(const struct eng_golden *golden, bool is_left, uint64_t seed, uint8_t *out)
{
    struct eng_rng rng;
    eng_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < N_PIXELS; i++) {
        size_t y = i / SIDE, x = i % SIDE;
        bool is_digit = (x < HALF) == is_left;
        uint8_t digit = golden->pixels[y * SIDE + x % HALF + HALF / 2];
        out[i] = is_digit ? digit : (uint8_t)eng_rng_below(&rng, NOISE);
    }
}

/* The share of what is above 0 that lies in that half. */
static double mass(const struct eng_explanation *found, bool is_left)
{
    double inside = 0, all = 0;
    for (size_t i = 0; i < N_PIXELS; i++) {
        double value = fmax(0, (double)found->map[i]);
        all += value;
        if ((i % SIDE < HALF) == is_left) inside += value;
    }
    return inside / all;
}

struct entry {
    float value;
    size_t place;
};

static int compare(const void *a, const void *b)
{
    float x = ((const struct entry *)a)->value, y = ((const struct entry *)b)->value;
    return (x > y) - (x < y);
}

/* Equal values share the mean of their ranks. */
static void ranks_of(const float *map, double *ranks)
{
    struct entry order[N_PIXELS];
    for (size_t i = 0; i < N_PIXELS; i++)
        order[i] = (struct entry){map[i], i};
    qsort(order, N_PIXELS, sizeof order[0], compare);
    for (size_t i = 0, end; i < N_PIXELS; i = end) {
        for (end = i + 1; end < N_PIXELS && order[end].value == order[i].value;)
            end++;
        for (size_t k = i; k < end; k++)
            ranks[order[k].place] = (double)(i + end - 1) / 2;
    }
}

/* Spearman's. */
static double rank_correlation(const float *a, const float *b)
{
    double x[N_PIXELS], y[N_PIXELS], mean = (N_PIXELS - 1) / 2.0, xy = 0, xx = 0, yy = 0;
    ranks_of(a, x);
    ranks_of(b, y);
    for (size_t i = 0; i < N_PIXELS; i++) {
        xy += (x[i] - mean) * (y[i] - mean);
        xx += (x[i] - mean) * (x[i] - mean);
        yy += (y[i] - mean) * (y[i] - mean);
    }
    return xy / sqrt(xx * yy);
}

static struct eng_explanation explain(const struct eng_model *model, const float *sample,
                                      int64_t class_index, enum eng_explain_method method)
{
    struct eng_explain_request request = eng_explain_defaults();
    request.method = method;
    request.sample = sample;
    request.class_index = class_index;
    request.baseline = ENG_EXPLAIN_BLACK;
    request.patch = 8; /* as coarse as the last convolution's positions, 4 pixels each */
    request.stride = 2;
    return made_explanation(model, &request);
}

static void check_agreement(const struct eng_model *model, const uint8_t *pixels,
                            int64_t class_index, bool is_left)
{
    float sample[N_PIXELS];
    eng_preprocess_bytes(&eng_model_card(model)->preprocess, pixels, sample);
    struct eng_explanation cam = explain(model, sample, class_index, ENG_EXPLAIN_GRADCAM);
    struct eng_explanation covered = explain(model, sample, class_index, ENG_EXPLAIN_OCCLUSION);
    assert_true(!cam.is_signed && covered.is_signed);
    assert_true(fabs(cam.score - covered.score) < 1e-4);
    assert_true(mass(&cam, is_left) > 0.8);
    assert_true(mass(&covered, is_left) > 0.8);
    assert_true(rank_correlation(cam.map, covered.map) > 0.35);
    eng_explanation_fini(&cam);
    eng_explanation_fini(&covered);
}

/* A seven and a one, which are narrow enough for half a picture. */
static void methods_agree_on_the_digit(void **state)
{
    (void)state;
    static const struct {
        size_t golden;
        int64_t class_index;
    } digits[] = {{0, 7}, {2, 1}};
    struct eng_model *model = shipped_model("mnist");
    for (size_t i = 0; i < 4; i++) {
        uint8_t pixels[N_PIXELS];
        bool is_left = i % 2 == 0;
        make_picture(&model->source.golden[digits[i / 2].golden], is_left, i, pixels);
        check_agreement(model, pixels, digits[i / 2].class_index, is_left);
    }
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_agree_on_the_digit),
    };
    return cmocka_run_group_tests_name("methods agree", tests, NULL, NULL);
}
