/* Every allocation while a model is read, opened, written and run fails once. */
#include "engine/model.h"
#include "engine/session.h"

#include "base/file.h"
#include "failing_malloc.h"
#include "model/card.h"
#include "onnx/onnx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A small network with a whole card, from the fuzz seeds. */
static struct eng_file network;

static int load_network(void **state)
{
    (void)state;
    char path[512];
    const char *source = getenv("CLASSIFYD_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/onnx/network", source ? source : ".");
    return eng_file_read(path, 1 << 20, &network, NULL) == ENG_OK ? 0 : -1;
}

static int drop_network(void **state)
{
    (void)state;
    eng_file_fini(&network);
    return 0;
}

static enum eng_status read_model(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct onnx_model model;
    enum eng_status status = onnx_model_read(network.bytes, network.n_bytes, &model, err);
    if (status == ENG_OK) onnx_model_fini(&model);
    return status;
}

static enum eng_status write_model(void *ctx, struct eng_error *err)
{
    uint8_t *bytes = NULL;
    size_t n_bytes;
    enum eng_status status = onnx_model_write(ctx, &bytes, &n_bytes, err);
    assert_true((status == ENG_OK) == (bytes != NULL));
    free(bytes);
    return status;
}

static enum eng_status open_model(void *ctx, struct eng_error *err)
{
    (void)ctx;
    struct eng_model *model = NULL;
    enum eng_status status =
        eng_model_open_bytes(network.bytes, network.n_bytes, NULL, &model, err);
    assert_true((status == ENG_OK) == (model != NULL));
    eng_model_destroy(model);
    return status;
}

static enum eng_status open_session(void *ctx, struct eng_error *err)
{
    struct eng_session *session = NULL;
    enum eng_status status = eng_session_create(ctx, NULL, &session, err);
    assert_true((status == ENG_OK) == (session != NULL));
    eng_session_destroy(session);
    return status;
}

static enum eng_status write_card(void *ctx, struct eng_error *err)
{
    struct eng_card_source *source = ctx;
    struct eng_arena arena;
    struct onnx_property *rows = NULL;
    size_t n_rows;
    eng_arena_init(&arena);
    enum eng_status status = eng_card_write(&source->card, source->golden, source->card.history,
                                            NULL, &arena, &rows, &n_rows, err);
    assert_true((status == ENG_OK) == (rows != NULL));
    eng_arena_fini(&arena);
    return status;
}

static void reading(void **state)
{
    (void)state;
    assert_true(failing_malloc_sweep(read_model, NULL) > 3);
}

static void writing(void **state)
{
    (void)state;
    struct onnx_model model;
    struct eng_card_source source;
    assert_int_equal(onnx_model_read(network.bytes, network.n_bytes, &model, NULL), ENG_OK);
    assert_true(failing_malloc_sweep(write_model, &model) > 1);
    assert_int_equal(eng_card_read(&model, NULL, &model.arena, &source, NULL), ENG_OK);
    assert_int_equal(source.card.n_golden, 1);
    assert_true(failing_malloc_sweep(write_card, &source) > 1);
    onnx_model_fini(&model);
}

static void opening(void **state)
{
    (void)state;
    assert_true(failing_malloc_sweep(open_model, NULL) > 20);
}

/* The only allocations are those of creating the session: running makes none. */
static void running(void **state)
{
    (void)state;
    struct eng_model *model;
    assert_int_equal(eng_model_open_bytes(network.bytes, network.n_bytes, NULL, &model, NULL),
                     ENG_OK);
    assert_true(failing_malloc_sweep(open_session, model) > 1);
    eng_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(writing),
        cmocka_unit_test(opening),
        cmocka_unit_test(running),
    };
    return cmocka_run_group_tests_name("failing allocations: models", tests, load_network,
                                       drop_network);
}
