/* Every allocation of an explanation and of its drawing fails once. */
#include "failing_malloc.h"
#include "shipped_model.h"

struct question {
    const struct eng_model *model;
    struct eng_explain_request request;
};

static enum eng_status explain(void *ctx, struct eng_error *err)
{
    struct question *question = ctx;
    const struct eng_preprocess *pre = &eng_model_card(question->model)->preprocess;
    static uint8_t pixels[64 * 64 * 3];
    struct eng_image picture = {pre->width_px, pre->height_px, eng_preprocess_channels(pre),
                                pixels};
    struct eng_explanation found = {0};
    struct eng_image drawing = {0};
    struct eng_explain_view view = {.picture = &picture, .scale = 1};
    enum eng_status status = eng_explain(question->model, &question->request, &found, err);
    assert_true((status == ENG_OK) == (found.n_runs > 0));
    if (status == ENG_OK)
        status = eng_explanation_draw(&found, question->model, &view, &drawing, err);
    assert_true((status == ENG_OK) == (drawing.pixels != NULL));
    eng_explanation_fini(&found);
    eng_image_fini(&drawing);
    return status;
}

static void sweep(struct eng_model *model, enum eng_explain_method method)
{
    float *sample = made_sample(model, 4);
    struct question question = {.model = model, .request = eng_explain_defaults()};
    question.request.method = method;
    question.request.sample = sample;
    question.request.steps = question.request.samples = 2;
    question.request.patch = 5;
    question.request.stride = 5;
    assert_true(failing_malloc_sweep(explain, &question) > 10);
    free(sample);
    eng_model_destroy(model);
}

static void maps(void **state)
{
    (void)state;
    for (int m = ENG_EXPLAIN_AUTO; m <= ENG_EXPLAIN_OCCLUSION; m++)
        sweep(made_branches(), (enum eng_explain_method)m);
}

static void neighbours(void **state)
{
    (void)state;
    sweep(shipped_model("cifar10-knn"), ENG_EXPLAIN_NEIGHBOURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps), cmocka_unit_test(neighbours)};
    return cmocka_run_group_tests_name("failing allocations: explanations", tests, NULL, NULL);
}
