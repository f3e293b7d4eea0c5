/* Every allocation of V1's and TorchServe's bodies fails once: an error, no leak. */
#include "api/torchserve_reply.h"
#include "api/v1_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"

#define PICTURE "{\"b64\": \"iVBORw0KGgoAAAANSUhEUg==\"}"
#define TENSOR  "[1, 2, 3, 4, 5, 6]"

static const struct srv_pictures_limits limits = {.n_pictures = 9, .n_json_values = 99};
static const struct srv_v1_input input = {"image", {.rank = 3, .dim = {1, 2, 3}}};

struct body {
    const char *text;
    bool is_classify;
};

static enum eng_status read_body(void *ctx, struct eng_error *err)
{
    const struct body *body = ctx;
    struct srv_pictures pictures = {0};
    bool is_column = false;
    size_t n = strlen(body->text);
    enum srv_code code =
        body->is_classify
            ? srv_v1_read_classify(body->text, n, &input, &limits, &pictures, err)
            : srv_v1_read_predict(body->text, n, &input, &limits, &pictures, &is_column, err);
    assert_true(code == SRV_OK || code == SRV_INTERNAL);
    assert_true((code == SRV_OK) == (pictures.n_samples > 0));
    assert_true((code == SRV_OK) == (err->status == ENG_OK));
    srv_pictures_fini(&pictures);
    return err->status;
}

static void bodies(void **state)
{
    (void)state;
    static const struct body rows[] = {
        {"{\"instances\": [" TENSOR ", " TENSOR "]}", false},
        {"{\"instances\": [{\"image\": " TENSOR "}, " PICTURE ", {\"image\": " PICTURE "}]}",
         false},
        {"{\"inputs\": {\"image\": [" PICTURE ", " PICTURE "]}}", false},
        {"{\"examples\": [" PICTURE ", {\"image\": " TENSOR "}]}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct body body = rows[i];
        assert_true(failing_malloc_sweep(read_body, &body) >= 3);
    }
}

static const char *const labels[] = {"a", "b", "a"};
static const struct eng_card card = {.n_classes = 3, .labels = labels};
static const float probabilities[] = {0.25f, 0.5f, 0.25f};

static void write_predict(struct srv_text *out)
{
    srv_v1_write_predict(probabilities, 1, 3, false, out);
}

static void write_classify(struct srv_text *out)
{
    srv_v1_write_classify(probabilities, 1, &card, 3, out);
}

static void write_torchserve(struct srv_text *out)
{
    srv_torchserve_write_predictions(probabilities, 1, true, &card, 3, out);
}

struct writer {
    void (*write)(struct srv_text *out);
};

static enum eng_status write_answer(void *ctx, struct eng_error *err)
{
    struct srv_text text = {0};
    ((const struct writer *)ctx)->write(&text);
    if (text.failed) {
        err->status = ENG_NO_MEMORY;
        snprintf(err->text, sizeof err->text, "out of memory");
    }
    srv_text_fini(&text);
    return err->status;
}

static void answers(void **state)
{
    (void)state;
    static const struct writer rows[] = {{write_predict}, {write_classify}, {write_torchserve}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct writer writer = rows[i];
        assert_true(failing_malloc_sweep(write_answer, &writer) == i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bodies), cmocka_unit_test(answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
