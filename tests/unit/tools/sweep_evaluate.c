/* Every allocation of evaluating, timing and profiling a model fails once: those of the calling
 * thread. */
#include "engine/model.h"

#include "evaluate.h"
#include "failing_malloc.h"
#include "profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDE_PX = 28, N_SAMPLES = 3 };

static int open_model(void **state)
{
    char path[512];
    const char *source = getenv("CLASSIFYD_SOURCE");
    snprintf(path, sizeof path, "%s/models/mnist-mlp/1", source ? source : ".");
    return eng_model_open(path, NULL, (struct eng_model **)state, NULL) == ENG_OK ? 0 : -1;
}

static int close_model(void **state)
{
    eng_model_destroy(*state);
    return 0;
}

static enum eng_status evaluate(void *model, struct eng_error *err)
{
    static uint8_t pixels[N_SAMPLES * SIDE_PX * SIDE_PX];
    static uint16_t labels[N_SAMPLES];
    const struct eng_dataset set = {.width_px = SIDE_PX,
                                    .height_px = SIDE_PX,
                                    .n_channels = 1,
                                    .n = N_SAMPLES,
                                    .pixels = pixels,
                                    .labels = labels,
                                    .n_classes = 1};
    struct tool_evaluation evaluation;
    enum eng_status status = tool_evaluate(model, &set, 2, &evaluation, err);
    if (status == ENG_OK) tool_evaluation_fini(&evaluation);
    return status;
}

static enum eng_status measure(void *model, struct eng_error *err)
{
    struct tool_bench *bench;
    struct tool_measurement measurement;
    struct tool_profile profile;
    enum eng_status status = tool_bench_create(model, 2, 3, &bench, err);
    if (status) return status;
    status = tool_bench_run(bench, 2, 0, &measurement, err);
    if (!status) status = tool_profile_init(bench, 0, &profile, err);
    if (!status) tool_profile_fini(&profile);
    tool_bench_destroy(bench);
    return status;
}

static void evaluation(void **state)
{
    assert_true(failing_malloc_sweep(evaluate, *state) > 0);
}

static void measurement(void **state)
{
    assert_true(failing_malloc_sweep(measure, *state) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(evaluation), cmocka_unit_test(measurement)};
    return cmocka_run_group_tests(tests, open_model, close_model);
}
