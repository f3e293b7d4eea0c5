/* Every allocation of finding and drawing neighbours fails once. */
#include "neighbours.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_malloc.h"

struct question {
    struct eng_model *model;
    struct eng_image image;
};

static enum eng_status find_and_draw(void *ctx, struct eng_error *err)
{
    const struct question *question = ctx;
    struct tool_neighbours neighbours;
    struct eng_image grid;
    enum eng_status status =
        tool_neighbours_find(question->model, &question->image, 5, NULL, &neighbours, err);
    struct eng_explain_view view = {.picture = &neighbours.asked};
    if (status == ENG_OK)
        status = eng_explanation_draw(&neighbours.found, question->model, &view, &grid, err);
    if (status == ENG_OK) eng_image_fini(&grid);
    tool_neighbours_fini(&neighbours);
    return status;
}

static void neighbours(void **state)
{
    (void)state;
    struct eng_image_limits limits = eng_image_limits_default();
    struct question question;
    struct eng_error err = {0};
    const char *source = getenv("CLASSIFYD_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/models/cifar10-knn/1", source ? source : ".");
    if (eng_model_open(path, NULL, &question.model, &err) != ENG_OK) fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/tests/images/scene.png", source ? source : ".");
    if (eng_image_load(path, &limits, &question.image, &err) != ENG_OK) fail_msg("%s", err.text);
    assert_true(failing_malloc_sweep(find_and_draw, &question) > 6);
    eng_image_fini(&question.image);
    eng_model_destroy(question.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(neighbours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
