/* precision: bf16, asked for by the call or by config.json, at every level. */
#include "kernels/bf16.h"
#include "model/model_internal.h"
#include "ops/linear.h"
#include "ops/nhwc.h"
#include "whole_models.h"

enum { MAX_BATCH = 5 };

static struct eng_model *open_precise(enum eng_precision precision)
{
    struct net net;
    uint8_t *bytes;
    size_t n_bytes;
    struct eng_model_options options = {.max_batch = MAX_BATCH, .precision = precision};
    struct eng_model *model = NULL;
    net_attention(&net);
    net_to_bytes(&net, NULL, 0, &bytes, &n_bytes);
    assert_int_equal(eng_model_open_bytes(bytes, n_bytes, &options, &model, NULL), ENG_OK);
    free(bytes);
    net_fini(&net);
    return model;
}

/* Pictures 0 .. n - 1 of a batch. */
static void answer(const struct eng_model *model, struct eng_pool *pool, int n,
                   float y[MAX_BATCH][NET_CLASSES])
{
    struct eng_session *session;
    assert_int_equal(eng_session_create(model, pool, &session, NULL), ENG_OK);
    for (int i = 0; i < n; i++)
        whole_model_picture(0, i, eng_session_sample(session, n, i),
                            whole_model_sample_floats(model));
    memcpy(y, eng_session_classify(session, n), (size_t)n * sizeof *y);
    eng_session_destroy(session);
}

static size_t count_bf16(const struct eng_model *model)
{
    size_t n = 0;
    for (size_t i = 0; i < model->turned.n_nodes; i++) {
        const struct eng_node *node = &model->turned.nodes[i];
        const struct eng_nhwc_conv_attrs *conv = node->attrs;
        const struct eng_linear_attrs *linear = node->attrs;
        n += node->op == &eng_op_nhwc_conv && conv->method == ENG_NHWC_BF16;
        n += node->op == &eng_op_linear && linear->is_bf16;
    }
    return n;
}

static void check_bits(const struct eng_model *model, float y[MAX_BATCH][NET_CLASSES])
{
    float again[MAX_BATCH][NET_CLASSES];
    struct eng_pool *pool;
    assert_int_equal(eng_pool_create(2, &pool, NULL), ENG_OK);
    for (int n = 1; n <= MAX_BATCH; n++) {
        answer(model, n % 2 ? pool : NULL, n, again);
        assert_memory_equal(again, y, (size_t)n * sizeof *y);
    }
    eng_pool_destroy(pool);
}

static void one_level(void **state)
{
    (void)state;
    float exact[MAX_BATCH][NET_CLASSES], rough[MAX_BATCH][NET_CLASSES], largest = 0;
    struct eng_model *plain = open_precise(ENG_PRECISION_FLOAT32);
    struct eng_model *model = open_precise(ENG_PRECISION_BF16);
    answer(plain, NULL, MAX_BATCH, exact);
    answer(model, NULL, MAX_BATCH, rough);
    for (size_t i = 0; i < MAX_BATCH; i++)
        for (size_t c = 0; c < NET_CLASSES; c++)
            largest = fmaxf(largest, fabsf(exact[i][c] - rough[i][c]));
    assert_int_equal(eng_model_wanted_precision(model), ENG_PRECISION_BF16);
    assert_int_equal(eng_model_precision(plain), ENG_PRECISION_FLOAT32);
    assert_int_equal(count_bf16(plain), 0);
    if (eng_bf16_kernels()) {
        assert_int_equal(eng_model_precision(model), ENG_PRECISION_BF16);
        assert_true(count_bf16(model) >= 8);
        assert_true(largest > 0 && largest < 0.02f);
        check_bits(model, rough);
    } else {
        assert_int_equal(eng_model_precision(model), ENG_PRECISION_FLOAT32);
        assert_int_equal(count_bf16(model), 0);
        assert_memory_equal(exact, rough, sizeof exact);
    }
    eng_model_destroy(plain);
    eng_model_destroy(model);
}

static void every_level(void **state)
{
    (void)state;
    at_every_level(one_level, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_level)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
