/* Every allocation of a V2 body, its reply and their compression fails once: an error, no leak. */
#include "api/v2_reply.h"
#include "http/compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"

static const char *const labels[] = {"a", "b", "c"};
static const struct srv_v2_model model = {
    .input = "x",
    .dtype = ENG_FLOAT32,
    .shape = {.rank = 3, .dim = {-1, 1, 2}},
    .n_numbers = 2,
    .outputs = {{"scores", true}, {"probabilities", false}},
    .n_outputs = 2,
    .n_classes = 3,
    .labels = labels,
};

struct body {
    const char *text, *header;
};

static enum eng_status read_body(void *ctx, struct eng_error *err)
{
    static const struct srv_pictures_limits limits = {9, 99};
    const struct body *body = ctx;
    struct srv_v2_request request = {0};
    struct srv_pictures pictures = {0};
    enum srv_code code = srv_v2_read((const uint8_t *)body->text, strlen(body->text), body->header,
                                     &model, &limits, &request, &pictures, err);
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
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[3,1,2],"
         "\"data\":[1,2,3,4,5,6]}]}",
         NULL},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"BYTES\",\"shape\":[2],"
         "\"data\":[\"iVBORw0KGgoAAAANSUhEUg==\",\"iVBORw0KGgoAAAANSUhEUg==\"]}]}",
         NULL},
        {"{\"inputs\":[{\"name\":\"x\",\"datatype\":\"UINT8\",\"shape\":[1,1,2]}]}##", "60"},
        {"12345678", "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct body body = rows[i];
        assert_true(failing_malloc_sweep(read_body, &body) >= 1);
    }
}

static enum eng_status write_reply(void *ctx, struct eng_error *err)
{
    static const float numbers[] = {0.1f, 0.2f, 0.7f, 0.5f, 0.25f, 0.25f};
    const struct srv_v2_answer answer = {.model = "m",
                                         .version = "1",
                                         .digest = "d",
                                         .described = &model,
                                         .request = ctx,
                                         .probabilities = numbers,
                                         .scores = numbers,
                                         .n_pictures = 2};
    struct srv_text text = {0};
    size_t n_json;
    srv_v2_reply_write(&answer, &text, &n_json);
    bool failed = text.failed;
    srv_text_fini(&text);
    if (!failed) return ENG_OK;
    snprintf(err->text, sizeof err->text, "out of memory");
    return err->status = ENG_NO_MEMORY;
}

static void replies(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bool is_binary = i == 1;
        struct srv_v2_request request = {
            .wanted = {{.output = 0, .is_binary = is_binary},
                       {.output = 1, .is_binary = is_binary, .n_top = 2}},
            .n_wanted = 2,
        };
        assert_true(failing_malloc_sweep(write_reply, &request) >= 3);
    }
}

/* A text that there is no memory to compress stays, which is no error for the reply. */
static enum eng_status compress_text(void *ctx, struct eng_error *err)
{
    const struct srv_text *plain = ctx;
    struct srv_text text = {0};
    srv_text_append(&text, plain->bytes, plain->n_bytes);
    bool is_smaller = !text.failed && srv_compress_text(SRV_ENCODING_GZIP, &text);
    if (!is_smaller && !text.failed) assert_int_equal(text.n_bytes, plain->n_bytes);
    srv_text_fini(&text);
    if (is_smaller) return ENG_OK;
    snprintf(err->text, sizeof err->text, "out of memory");
    return err->status = ENG_NO_MEMORY;
}

static void compression(void **state)
{
    (void)state;
    struct srv_text text = {0};
    for (int i = 0; i < 400; i++)
        srv_text_puts(&text, "compressible ");
    assert_true(failing_malloc_sweep(compress_text, &text) >= 2);
    srv_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(replies),
        cmocka_unit_test(compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
