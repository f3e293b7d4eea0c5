/* Whole models to run at every level of engine/cpu.h: the shipped ones and one made here. */
#ifndef TEST_SUPPORT_WHOLE_MODELS_H
#define TEST_SUPPORT_WHOLE_MODELS_H

#include "engine/cpu.h"
#include "engine/session.h"
#include "net_attention.h"
#include "net_file.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *const whole_models[] = {
    "made here", "mnist/1",           "mnist-mlp/1",   "fashion-mnist/1",
    "cifar10/1", "cifar10-softmax/1", "cifar10-svm/1", "cifar10-knn/1",
};

enum { N_WHOLE_MODELS = sizeof whole_models / sizeof whole_models[0] };

static inline struct eng_model *whole_model_open(size_t i, int max_batch)
{
    struct eng_model_options options = {.max_batch = max_batch};
    struct eng_model *model = NULL;
    struct eng_error err = {0};
    if (i == 0) {
        struct net net;
        uint8_t *bytes;
        size_t n_bytes;
        net_attention(&net);
        net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
        eng_model_open_bytes(bytes, n_bytes, &options, &model, &err);
        free(bytes);
        net_fini(&net);
    } else {
        char path[1024];
        snprintf(path, sizeof path, "%s/models/%s", getenv("CLASSIFYD_SOURCE"), whole_models[i]);
        eng_model_open(path, &options, &model, &err);
    }
    if (!model) fail_msg("%s: %s", whole_models[i], err.text);
    return model;
}

/* Numbers of one prepared sample. */
static inline size_t whole_model_sample_floats(const struct eng_model *model)
{
    const char *name;
    struct eng_tensor input = eng_model_input(model, 0, &name);
    size_t n = 1;
    for (int d = 1; d < input.shape.rank; d++)
        n *= (size_t)input.shape.dim[d];
    return n;
}

/* Pictures with some structure, each another one: of -1 to 1, or, for nearest neighbours, bytes. */
static inline void whole_model_picture(size_t model, int which, float *to, size_t n)
{
    bool is_bytes = strstr(whole_models[model], "knn") != NULL;
    for (size_t i = 0; i < n; i++) {
        float x = sinf((float)(i % 97) * 0.13f * (float)(which % 5 + 1) + (float)which) *
                  cosf((float)(i / 31) * 0.11f);
        to[i] = is_bytes ? roundf(127.5f + 127.0f * x) : x;
    }
}

/*
 * Runs the test, which gets ctx as its state, in a process of its own for every level that this CPU
 * has, for a level is chosen once. Fails if one of them does.
 */
static inline void at_every_level(CMUnitTestFunction test, void *ctx)
{
    size_t n_run = 0;
    for (size_t i = 0; eng_cpu_level_at(i); i++) {
        if (!eng_cpu_runs(i)) continue;
        int status;
        const char *level = eng_cpu_level_at(i);
        fflush(stdout);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            const struct CMUnitTest tests[] = {{level, test, NULL, NULL, ctx}};
            if (eng_cpu_set_level(level, NULL) != ENG_OK) _exit(1);
            _exit(cmocka_run_group_tests_name(level, tests, NULL, NULL) != 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail_msg("the level %s", level);
        n_run++;
    }
    assert_true(n_run >= 1);
}

#endif
