/* The models that ship, and the test pictures that they hold as golden samples. */
#ifndef TEST_UNIT_EXPLAIN_SHIPPED_MODEL_H
#define TEST_UNIT_EXPLAIN_SHIPPED_MODEL_H

#include "made_model.h"
#include "model/model_internal.h"

/* models/NAME/1. */
static inline struct eng_model *shipped_model(const char *name)
{
    char path[4096];
    struct eng_model *model;
    struct eng_error err = {0};
    snprintf(path, sizeof path, "%s/models/%s/1", getenv("CLASSIFYD_SOURCE"), name);
    if (eng_model_open(path, NULL, &model, &err) != ENG_OK) fail_msg("%s", err.text);
    return model;
}

/* Picture i, prepared. The caller frees it. */
static inline float *shipped_sample(const struct eng_model *model, size_t i)
{
    const struct eng_preprocess *pre = &eng_model_card(model)->preprocess;
    float *sample = malloc(eng_preprocess_count(pre) * sizeof *sample);
    assert_non_null(sample);
    assert_true(i < eng_model_card(model)->n_golden);
    eng_preprocess_bytes(pre, model->source.golden[i].pixels, sample);
    return sample;
}

#endif
