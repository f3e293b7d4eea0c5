/* Whole models at every level of engine/cpu.h give answers that are close to each other; and how a
 * level is asked for. */
#include "whole_models.h"

#include <math.h>
#include <sys/mman.h>

enum { N_SAMPLES = 3, MAX_CLASSES = 10, MAX_LEVELS = 8 };

/* What the processes say, in memory that they share. */
struct answers {
    size_t n_levels;
    float y[MAX_LEVELS][N_WHOLE_MODELS][N_SAMPLES][MAX_CLASSES];
};

static void run_models(void **state)
{
    struct answers *answers = *state;
    size_t level = answers->n_levels++;
    assert_true(level < MAX_LEVELS);
    for (size_t i = 0; i < N_WHOLE_MODELS; i++) {
        struct eng_model *model = whole_model_open(i, N_SAMPLES);
        struct eng_session *session;
        size_t n = whole_model_sample_floats(model), n_classes = eng_model_card(model)->n_classes;
        assert_true(n_classes <= MAX_CLASSES);
        assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
        for (int k = 0; k < N_SAMPLES; k++)
            whole_model_picture(i, k, eng_session_sample(session, N_SAMPLES, k), n);
        const float *y = eng_session_classify(session, N_SAMPLES);
        for (size_t k = 0; k < N_SAMPLES; k++)
            memcpy(answers->y[level][i][k], y + k * n_classes, n_classes * sizeof *y);
        eng_session_destroy(session);
        eng_model_destroy(model);
    }
}

static void answers_are_close(void **state)
{
    (void)state;
    struct answers *answers =
        mmap(NULL, sizeof *answers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(answers != MAP_FAILED);
    at_every_level(run_models, answers);
    const float *first = (const float *)answers->y[0];
    float sum = 0;
    for (size_t c = 0; c < MAX_CLASSES; c++)
        sum += first[c];
    assert_true(fabsf(sum - 1) < 1e-5f);
    for (size_t level = 1; level < answers->n_levels; level++)
        for (size_t i = 0; i < N_WHOLE_MODELS * N_SAMPLES * MAX_CLASSES; i++) {
            float difference = fabsf(first[i] - ((const float *)answers->y[level])[i]);
            if (!(difference <= 2e-5f))
                fail_msg("%s: %g apart at the %zu-th level",
                         whole_models[i / (N_SAMPLES * MAX_CLASSES)], (double)difference, level);
        }
    assert_int_equal(munmap(answers, sizeof *answers), 0);
}

static void refusals(void **state)
{
    (void)state;
    struct eng_error err = {0};
    assert_int_equal(eng_cpu_set_level("sse9", &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, "there is no CPU level \"sse9\"; wanted one of auto, "));
    assert_non_null(strstr(err.text, "portable"));
    for (size_t i = 0; eng_cpu_level_at(i); i++) {
        err = (struct eng_error){0};
        if (eng_cpu_runs(i)) continue;
        assert_int_equal(eng_cpu_set_level(eng_cpu_level_at(i), &err), ENG_UNSUPPORTED);
        assert_non_null(strstr(err.text, eng_cpu_level_at(i)));
    }
}

static void a_level_stays(void **state)
{
    (void)state;
    struct eng_error err = {0};
    const char *level = eng_cpu_level();
    assert_int_equal(eng_cpu_set_level(level, NULL), ENG_OK);
    size_t n = 0;
    while (eng_cpu_level_at(n))
        n++;
    assert_string_equal(eng_cpu_level_at(n - 1), "portable");
    assert_true(eng_cpu_runs(n - 1) && !eng_cpu_runs(n));
    if (strcmp(level, "portable") == 0) return;
    assert_int_equal(eng_cpu_set_level("auto", NULL), ENG_OK);
    assert_int_equal(eng_cpu_set_level("portable", &err), ENG_ARGUMENT);
    assert_non_null(strstr(err.text, level));
    assert_string_equal(eng_cpu_level(), level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(answers_are_close),
        cmocka_unit_test(a_level_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
