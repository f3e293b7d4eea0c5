/* Ways of computing as shapes say, measured, or pinned by config.json. */
#include "base/file.h"
#include "model/model_internal.h"
#include "ops/nhwc.h"
#include "temp_folder.h"
#include "whole_models.h"

static struct eng_model *open_with(const struct eng_model_options *options, struct eng_error *err)
{
    struct net net;
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model *model = NULL;
    net_attention(&net);
    net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
    eng_model_open_bytes(bytes, n_bytes, options, &model, err);
    free(bytes);
    net_fini(&net);
    return model;
}

/* NULL: there is no such convolution with channels last. */
static const struct eng_nhwc_conv_attrs *find(const struct eng_model *model, const char *name)
{
    for (size_t i = 0; i < model->turned.n_nodes; i++) {
        const struct eng_node *node = &model->turned.nodes[i];
        if (node->op == &eng_op_nhwc_conv && strcmp(node->name, name) == 0) return node->attrs;
    }
    return NULL;
}

static void answer(const struct eng_model *model, float y[NET_CLASSES])
{
    struct eng_session *session;
    assert_int_equal(eng_session_create(model, NULL, &session, NULL), ENG_OK);
    whole_model_picture(0, 1, eng_session_sample(session, 1, 0), whole_model_sample_floats(model));
    memcpy(y, eng_session_classify(session, 1), NET_CLASSES * sizeof *y);
    eng_session_destroy(session);
}

static void check_close(const float *a, const float *b)
{
    for (size_t i = 0; i < NET_CLASSES; i++)
        assert_true(fabsf(a[i] - b[i]) < 2e-5f);
}

static void shapes_decide(void **state)
{
    (void)state;
    struct eng_model *model = open_with(NULL, NULL);
    assert_non_null(model);
    const struct eng_nhwc_conv_attrs *attrs = find(model, "c1");
    assert_non_null(attrs);
    assert_int_equal(attrs->method, ENG_NHWC_WINOGRAD_4X4);
    assert_int_equal(attrs->reason, ENG_NHWC_BY_SHAPE);
    eng_model_destroy(model);
}

static void ways_are_measured(void **state)
{
    (void)state;
    float plain[NET_CLASSES], first[NET_CLASSES], again[NET_CLASSES];
    struct eng_model_options options = {.tuning = ENG_TUNING_MEASURE};
    assert_int_equal(eng_tuning_cache_create(&options.tuning_cache, NULL), ENG_OK);
    struct eng_model *off = open_with(NULL, NULL);
    struct eng_model *model = open_with(&options, NULL), *reloaded = open_with(&options, NULL);
    assert_true(off && model && reloaded);
    assert_int_equal(find(model, "c1")->reason, ENG_NHWC_MEASURED);
    assert_int_equal(find(model, "c1")->method, find(reloaded, "c1")->method);
    assert_int_equal(find(model, "c4")->method, ENG_NHWC_DEPTHWISE);
    answer(off, plain);
    answer(model, first);
    answer(reloaded, again);
    check_close(plain, first);
    assert_memory_equal(first, again, sizeof first);
    eng_model_destroy(off);
    eng_model_destroy(model);
    eng_model_destroy(reloaded);
    eng_tuning_cache_destroy(options.tuning_cache);
}

static struct eng_model *open_configured(const char *config, struct eng_error *err)
{
    struct temp_folder folder = temp_folder_make();
    struct eng_model_options options = {.config_path = temp_folder_file(&folder, "config.json")};
    assert_int_equal(eng_file_write(options.config_path, config, strlen(config), NULL), ENG_OK);
    *err = (struct eng_error){0};
    struct eng_model *model = open_with(&options, err);
    temp_folder_remove(&folder);
    return model;
}

static void ways_are_pinned(void **state)
{
    (void)state;
    struct eng_error err;
    float plain[NET_CLASSES], pinned[NET_CLASSES];
    struct eng_model *off = open_with(NULL, NULL);
    struct eng_model *model = open_configured(
        "{\"engine\": {\"tuning\": \"measure\", \"pin\": {\"c1\": \"product\", \"c4\": "
        "\"product\"}}}",
        &err);
    if (!off || !model) fail_msg("%s", err.text);
    assert_int_equal(find(model, "c1")->method, ENG_NHWC_PRODUCT);
    assert_int_equal(find(model, "c4")->method, ENG_NHWC_PRODUCT);
    assert_int_equal(find(model, "c4")->reason, ENG_NHWC_PINNED);
    assert_int_equal(find(model, "c2")->reason, ENG_NHWC_MEASURED);
    answer(off, plain);
    answer(model, pinned);
    check_close(plain, pinned);
    eng_model_destroy(off);
    eng_model_destroy(model);
}

static void check_refused(const char *config, const char *part, const char *other)
{
    struct eng_error err;
    struct eng_model *model = open_configured(config, &err);
    assert_null(model);
    if (!strstr(err.text, part) || !strstr(err.text, other)) fail_msg("%s", err.text);
}

static void refusals(void **state)
{
    (void)state;
    check_refused("{\"engine\": 3}", "engine is 3", "tuning");
    check_refused("{\"engine\": {\"tuning\": \"of\"}}", "engine.tuning", "off, measure");
    check_refused("{\"engine\": {\"pins\": {}}}", "engine.pins", "pin");
    check_refused("{\"engine\": {\"pin\": [1]}}", "engine.pin", "an object");
    check_refused("{\"engine\": {\"pin\": {\"c1\": \"fast\"}}}", "engine.pin.c1", "winograd");
    check_refused("{\"engine\": {\"pin\": {\"c3\": \"winograd_4x4\"}}}", "c3", "product");
    check_refused("{\"engine\": {\"pin\": {\"c99\": \"product\"}}}", "c99", "--profile");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_decide),
        cmocka_unit_test(ways_are_measured),
        cmocka_unit_test(ways_are_pinned),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
