/* The body of a V2 request and its reply, without a daemon. */
#include "api/v2_reply.h"
#include "serve/tensor.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N_CLASSES = 3 };

static const char *const labels[N_CLASSES] = {"zero", "o\"ne", "two"};

static const struct srv_v2_model model = {
    .input = "x",
    .dtype = ENG_FLOAT32,
    .shape = {.rank = 3, .dim = {-1, 1, 2}},
    .n_numbers = 2,
    .outputs = {{"scores", true}, {"probabilities", false}},
    .n_outputs = 2,
    .n_classes = N_CLASSES,
    .labels = labels,
};

static const struct srv_pictures_limits limits = {3, 100};

static enum srv_code read_bytes(const void *bytes, size_t n_bytes, const char *header,
                                struct srv_v2_request *request, struct srv_pictures *pictures,
                                struct eng_error *err)
{
    uint8_t *body = malloc(n_bytes + 1);
    assert_non_null(body);
    memcpy(body, bytes, n_bytes);
    body[n_bytes] = '\0';
    enum srv_code code =
        srv_v2_read(body, n_bytes, header, &model, &limits, request, pictures, err);
    if (code == SRV_OK) /* what was read borrows from it */
        assert_int_equal(srv_pictures_own_take(pictures, body, NULL), ENG_OK);
    else
        free(body);
    return code;
}

static void read_well(const char *json, struct srv_v2_request *request,
                      struct srv_pictures *pictures)
{
    struct eng_error err = {0};
    if (read_bytes(json, strlen(json), NULL, request, pictures, &err) != SRV_OK)
        fail_msg("%s", err.text);
}

static float number_of(const struct srv_sample *sample, size_t i)
{
    float values[2];
    assert_int_equal(sample->kind, SRV_SAMPLE_TENSOR);
    srv_tensor_read(sample->dtype ? sample->dtype : ENG_FLOAT32, sample->data, 2, values);
    return values[i];
}

static void members_come_in_any_order(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[2,1,2],"
        "\"data\":[[[1,2]],[[3,4.5]]]}],\"id\":\"a\\u00e9\",\"parameters\":{\"timeout\":7,"
        "\"priority\":2}}",
        "{\"parameters\":{\"priority\":2,\"timeout\":7},\"id\":\"a\\u00e9\",\"other\":{},"
        "\"inputs\":"
        "[{\"data\":[1,2,3,4.5],\"shape\":[2,1,2],\"more\":null,\"datatype\":\"FP32\","
        "\"name\":\"\\u0078\"}]}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct srv_v2_request request;
        struct srv_pictures pictures;
        read_well(bodies[i], &request, &pictures);
        assert_int_equal(pictures.n_samples, 2);
        assert_true(number_of(&pictures.samples[0], 1) == 2);
        assert_true(number_of(&pictures.samples[1], 1) == 4.5f);
        assert_int_equal(request.timeout_us, 7);
        assert_int_equal(request.priority, 2);
        assert_true(request.has_id && request.id.n_bytes == 7);
        assert_int_equal(request.n_wanted, 2);
        assert_true(request.wanted[0].output == 0 && request.wanted[1].output == 1);
        assert_true(!request.wanted[0].is_binary && request.wanted[0].n_top == 0);
        srv_pictures_fini(&pictures);
    }
}

static void outputs_are_as_asked_for(void **state)
{
    (void)state;
    struct srv_v2_request request;
    struct srv_pictures pictures;
    read_well(
        "{\"outputs\":[{\"name\":\"probabilities\",\"parameters\":{\"classification\":9,"
        "\"binary_data\":false}},{\"name\":\"scores\"}],"
        "\"parameters\":{\"binary_data_output\":true},"
        "\"inputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[1,1,2],\"data\":[1,2]}]}",
        &request, &pictures);
    assert_int_equal(request.n_wanted, 2);
    assert_int_equal(request.wanted[0].output, 1);
    assert_int_equal(request.wanted[0].n_top, N_CLASSES);
    assert_false(request.wanted[0].is_binary);
    assert_int_equal(request.wanted[1].output, 0);
    assert_true(request.wanted[1].is_binary);
    srv_pictures_fini(&pictures);
}

static void binary_data_stay_where_they_are(void **state)
{
    (void)state;
    static const char json[] =
        "{\"inputs\":[{\"name\":\"x\",\"datatype\":\"INT16\",\"shape\":[2,1,2]}]}";
    static const int16_t numbers[] = {1, -2, 300, 4};
    uint8_t body[sizeof json - 1 + sizeof numbers];
    char header[8];
    struct srv_v2_request request;
    struct srv_pictures pictures;
    memcpy(body, json, sizeof json - 1);
    memcpy(body + sizeof json - 1, numbers, sizeof numbers);
    snprintf(header, sizeof header, "%zu", sizeof json - 1);
    assert_int_equal(read_bytes(body, sizeof body, header, &request, &pictures, NULL), SRV_OK);
    assert_int_equal(pictures.n_samples, 2);
    assert_int_equal(pictures.samples[1].dtype, ENG_INT16);
    assert_ptr_equal(pictures.samples[1].data, (const char *)pictures.samples[0].data + 4);
    assert_true(number_of(&pictures.samples[0], 1) == -2);
    assert_true(number_of(&pictures.samples[1], 0) == 300);
    srv_pictures_fini(&pictures);
}

static void bad_bodies_are_named(void **state)
{
    (void)state;
#define INPUT(rest) "{\"inputs\":[{\"name\":\"x\"," rest "}]}"
    static const struct {
        const char *body, *header, *part;
    } rows[] = {
        {"{}", NULL, "the JSON: there are no inputs, wanted one, \"x\""},
        {INPUT("\"datatype\":\"FP33\""), NULL, "inputs[0].datatype: \"FP33\" is not taken"},
        {INPUT("\"datatype\":\"FP32\",\"shape\":[1,1,2],\"data\":[1]"), NULL,
         "data has 1 numbers, wanted 2 for the shape [1, 1, 2]"},
        {INPUT("\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[1,2]"), NULL,
         "the shape is [1, 2], wanted [N, 1, 2]"},
        {INPUT("\"datatype\":\"INT8\",\"shape\":[1,1,2],\"data\":[1,128]"), NULL,
         "element 1 is 128, wanted whole numbers of -128 to 127 for INT8"},
        {INPUT("\"datatype\":\"FP32\",\"shape\":[1,1,2]"), NULL, "there are no data"},
        {INPUT("\"datatype\":\"FP32\",\"shape\":[4,1,2],\"data\":[1]"), NULL,
         "the batch wanted is at most 3"},
        {INPUT("\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[1]"), NULL,
         "data holds numbers, wanted pictures"},
        {INPUT("\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[]"), NULL, "a list is empty"},
        {INPUT("\"datatype\":\"FP32\",\"shape\":[1,1,2],\"data\":[1,2],\"data\":[1,2]"), NULL,
         "inputs[0].data: a second member of this name"},
        {INPUT("\"datatype\":\"FP32\"") "abc", "23", "the JSON ends"},
        {"abc", "4", "Inference-Header-Content-Length is \"4\", wanted 0 to 3"},
        {"abc", "0", "the body has 3 bytes, wanted 8, the FP32 of one \"x\""},
    };
#undef INPUT
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct srv_v2_request request;
        struct srv_pictures pictures;
        struct eng_error err = {0};
        enum srv_code code = read_bytes(rows[i].body, strlen(rows[i].body), rows[i].header,
                                        &request, &pictures, &err);
        assert_true(code == SRV_INVALID_REQUEST || code == SRV_TOO_LARGE);
        if (!strstr(err.text, rows[i].part)) fail_msg("%s; wanted %s", err.text, rows[i].part);
    }
}

/* --- the reply --- */

static const float scores[] = {-1, 2.5f, 0.1f, 3, 1, 3},
                   probabilities[] = {0.1f, 0.7f, 0.2f, 0.4f, 0.2f, 0.4f};

static size_t write(const struct srv_v2_request *request, struct srv_text *out)
{
    const struct srv_v2_answer answer = {.model = "m",
                                         .version = "2",
                                         .digest = "d",
                                         .described = &model,
                                         .request = request,
                                         .probabilities = probabilities,
                                         .scores = scores,
                                         .n_pictures = 2};
    size_t n_json;
    srv_v2_reply_write(&answer, out, &n_json);
    assert_false(out->failed);
    return n_json;
}

static void replies_in_json(void **state)
{
    (void)state;
    const struct srv_v2_request request = {
        .id = {"4\\n2", 4, true},
        .has_id = true,
        .wanted = {{.output = 1, .n_top = 2}, {.output = 0}},
        .n_wanted = 2,
    };
    struct srv_text out = {0};
    assert_int_equal(write(&request, &out), 0);
    static const char wanted[] =
        "{\"model_name\":\"m\",\"model_version\":\"2\",\"id\":\"4\\n2\","
        "\"parameters\":{\"digest\":\"d\"},\"outputs\":["
        "{\"name\":\"probabilities\",\"datatype\":\"BYTES\",\"shape\":[2,2],\"data\":"
        "[\"0.700000:1:o\\\"ne\",\"0.200000:2:two\",\"0.400000:0:zero\",\"0.400000:2:two\"]},"
        "{\"name\":\"scores\",\"datatype\":\"FP32\",\"shape\":[2,3],\"data\":"
        "[-1,2.5,0.100000001,3,1,3]}]}\n";
    assert_string_equal(out.bytes, wanted);
    srv_text_fini(&out);
}

static void replies_in_binary(void **state)
{
    (void)state;
    const struct srv_v2_request request = {
        .wanted = {{.output = 0, .is_binary = true}, {.output = 1, .n_top = 1, .is_binary = true}},
        .n_wanted = 2,
    };
    static const char classes[] = "\x0f\0\0\0"
                                  "0.700000:1:o\"ne"
                                  "\x0f\0\0\0"
                                  "0.400000:0:zero";
    struct srv_text out = {0};
    size_t n_json = write(&request, &out), n_classes = sizeof classes - 1;
    assert_int_equal(out.n_bytes, n_json + sizeof scores + n_classes);
    assert_memory_equal(out.bytes + n_json, scores, sizeof scores);
    assert_memory_equal(out.bytes + n_json + sizeof scores, classes, n_classes);
    json_t *root = json_loadb(out.bytes, n_json, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    json_int_t sizes[2];
    for (size_t i = 0; i < 2; i++) {
        const json_t *output = json_array_get(json_object_get(root, "outputs"), i);
        const json_t *parameters = json_object_get(output, "parameters");
        sizes[i] = json_integer_value(json_object_get(parameters, "binary_data_size"));
        assert_null(json_object_get(output, "data"));
    }
    assert_int_equal(sizes[0], sizeof scores);
    assert_int_equal(sizes[1], n_classes);
    json_decref(root);
    srv_text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_any_order),
        cmocka_unit_test(outputs_are_as_asked_for),
        cmocka_unit_test(binary_data_stay_where_they_are),
        cmocka_unit_test(bad_bodies_are_named),
        cmocka_unit_test(replies_in_json),
        cmocka_unit_test(replies_in_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
