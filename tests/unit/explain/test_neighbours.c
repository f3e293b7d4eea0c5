/* The nearest training pictures of a K-nearest-neighbour model. */
#include "shipped_model.h"

/* A training picture is its own nearest; distances rise; votes are the neighbours' classes. */
static void neighbours_of_a_shipped_model(void **state)
{
    (void)state;
    struct eng_model *model = shipped_model("cifar10-knn");
    float *sample = shipped_sample(model, 0);
    struct eng_explain_request request = eng_explain_defaults();
    request.sample = sample;
    request.neighbours = 5;
    struct eng_explanation found = made_explanation(model, &request);
    assert_int_equal(found.method, ENG_EXPLAIN_NEIGHBOURS);
    assert_int_equal(found.n_neighbours, 5);
    assert_null(found.map);
    for (size_t i = 0; i < 5; i++) {
        const struct eng_explain_neighbour *neighbour = &found.neighbours[i];
        const struct eng_image *picture = &neighbour->picture;
        double distance = 0;
        assert_int_equal(picture->n_channels, 3);
        for (size_t p = 0; p < 32 * 32; p++) /* scale 1, mean 0: values are pixels */
            for (size_t c = 0; c < 3; c++)
                distance += fabs((double)picture->pixels[p * 3 + c] - (double)sample[c * 1024 + p]);
        assert_false(found.is_l2);
        assert_true(distance == neighbour->distance);
        assert_true(i == 0 || neighbour[-1].distance <= neighbour->distance);
        assert_true(neighbour->class_index < eng_model_card(model)->n_classes);
    }
    struct eng_preprocess pre = eng_model_card(model)->preprocess;
    float *same = malloc(eng_preprocess_count(&pre) * sizeof *same);
    assert_non_null(same);
    eng_preprocess_bytes(&pre, found.neighbours[3].picture.pixels, same);
    size_t index = found.neighbours[3].index;
    request.sample = same;
    request.neighbours = 1;
    struct eng_explanation again = made_explanation(model, &request);
    assert_int_equal(again.neighbours[0].index, index);
    assert_true(again.neighbours[0].distance == 0);
    eng_explanation_fini(&found);
    eng_explanation_fini(&again);
    free(same);
    free(sample);
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_of_a_shipped_model),
    };
    return cmocka_run_group_tests_name("neighbours", tests, NULL, NULL);
}
