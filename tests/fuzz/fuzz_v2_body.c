/*
 * Any bytes as the body of a V2 inference request are pictures and tensors within the limits, or an
 * error sentence; and what was read is answered with JSON. The first byte says how: 0 no header,
 * else one that says where the JSON ends (255: the whole body is the tensor).
 */
#include "api/v2_reply.h"
#include "base/json_reader.h"
#include "serve/tensor.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

enum { MAX_PICTURES = 4, N_NUMBERS = 6, N_CLASSES = 3 };

static const char *const labels[N_CLASSES] = {"a", "b\"", ""};
static const struct srv_v2_model model = {
    .input = "x",
    .dtype = ENG_FLOAT32,
    .shape = {.rank = 4, .dim = {-1, 1, 2, 3}},
    .n_numbers = N_NUMBERS,
    .outputs = {{"scores", true}, {"probabilities", false}},
    .n_outputs = 2,
    .n_classes = N_CLASSES,
    .labels = labels,
};

static void require(int condition)
{
    if (!condition) abort();
}

static volatile uint8_t sink;

static void check_samples(const struct srv_pictures *pictures)
{
    require(pictures->n_samples >= 1 && pictures->n_samples <= MAX_PICTURES);
    for (size_t i = 0; i < pictures->n_samples; i++) {
        const struct srv_sample *sample = &pictures->samples[i];
        const uint8_t *bytes = sample->data;
        require(sample->n_bytes > 0);
        sink = bytes[0];
        sink = bytes[sample->n_bytes - 1];
        if (sample->kind != SRV_SAMPLE_TENSOR) {
            require(sample->kind == SRV_SAMPLE_ENCODED);
            continue;
        }
        float values[N_NUMBERS];
        require(sample->n_bytes == N_NUMBERS * srv_tensor_bytes(sample->dtype));
        srv_tensor_read(sample->dtype, sample->data, N_NUMBERS, values);
    }
}

static void check_reply(const struct srv_v2_request *request, size_t n_pictures)
{
    float scores[MAX_PICTURES * N_CLASSES], probabilities[MAX_PICTURES * N_CLASSES];
    for (size_t i = 0; i < MAX_PICTURES * N_CLASSES; i++) {
        scores[i] = (float)i * -1.5f;
        probabilities[i] = 1 / (float)(i + 2);
    }
    const struct srv_v2_answer answer = {.model = "m",
                                         .version = "1",
                                         .digest = "d",
                                         .described = &model,
                                         .request = request,
                                         .probabilities = probabilities,
                                         .scores = scores,
                                         .n_pictures = n_pictures};
    struct srv_text out = {0};
    struct srv_json json;
    size_t n_json;
    srv_v2_reply_write(&answer, &out, &n_json);
    require(!out.failed && n_json <= out.n_bytes);
    if (n_json > 0)
        out.bytes[n_json] = '\0'; /* where the binary outputs begin, if there are bytes */
    srv_json_init(&json, out.bytes, n_json > 0 ? n_json : out.n_bytes, NULL);
    require(srv_json_skip(&json) && srv_json_end(&json));
    srv_text_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const struct srv_pictures_limits limits = {MAX_PICTURES, 500};
    if (n_bytes == 0) return 0;
    size_t n_body = n_bytes - 1;
    uint8_t *body = malloc(n_body + 1); /* on its own, so that a sanitizer sees its end */
    if (!body) return 0;
    memcpy(body, data + 1, n_body);
    body[n_body] = '\0';
    char header[8];
    snprintf(header, sizeof header, "%d", data[0] == 255 ? 0 : data[0]);
    struct srv_v2_request request;
    struct srv_pictures pictures;
    struct eng_error err = {0};
    enum srv_code code = srv_v2_read(body, n_body, data[0] ? header : NULL, &model, &limits,
                                     &request, &pictures, &err);
    require((code == SRV_OK) == (err.status == ENG_OK));
    require((code == SRV_OK) == (err.text[0] == '\0'));
    if (code == SRV_OK) {
        check_samples(&pictures);
        check_reply(&request, pictures.n_samples);
        srv_pictures_fini(&pictures);
    }
    free(body);
    return 0;
}
