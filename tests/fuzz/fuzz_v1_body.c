/*
 * Any text as the body of V1's predict and classify is an error sentence or samples within the
 * limits: as many as jansson counts elements, each a tensor of the input's size or what begins as a
 * picture.
 */
#include "api/v1_body.h"

#include "engine/image.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static const struct srv_pictures_limits limits = {.n_pictures = 4, .n_json_values = 50};
static const struct srv_v1_input input = {"image", {.rank = 3, .dim = {1, 2, 3}}};

static void check_samples(const struct srv_pictures *pictures)
{
    require(pictures->n_samples >= 1 && pictures->n_samples <= limits.n_pictures);
    for (size_t i = 0; i < pictures->n_samples; i++) {
        const struct srv_sample *sample = &pictures->samples[i];
        if (sample->kind == SRV_SAMPLE_ENCODED) {
            require(eng_image_type(sample->data, sample->n_bytes) != NULL);
            continue;
        }
        float values[6];
        require(sample->kind == SRV_SAMPLE_TENSOR && sample->n_bytes == sizeof values);
        memcpy(values, sample->data, sizeof values);
        for (size_t k = 0; k < 6; k++)
            require(values[k] - values[k] == 0);
    }
}

/* The elements of a column: of the list, or of what its only member holds; {"b64"} is one. */
static size_t count_column(const json_t *column)
{
    if (json_is_array(column)) return json_array_size(column);
    const json_t *named = json_object_get(column, input.name);
    if (!named) return 1;
    return json_is_array(named) ? json_array_size(named) : 1;
}

static void check_count(const char *text, size_t n_bytes, const char *rows, size_t n_samples)
{
    json_t *root = json_loadb(text, n_bytes, JSON_ALLOW_NUL, NULL);
    if (!root) return; /* whole numbers beyond 64 bits: fuzz_json_reader compares what is JSON */
    const json_t *list = json_object_get(root, rows), *column = json_object_get(root, "inputs");
    require(n_samples == (list ? json_array_size(list) : count_column(column)));
    json_decref(root);
}

static void check_predict(const char *text, size_t n_bytes)
{
    struct srv_pictures pictures = {0};
    struct eng_error err = {0};
    bool is_column = false;
    enum srv_code code =
        srv_v1_read_predict(text, n_bytes, &input, &limits, &pictures, &is_column, &err);
    require((code == SRV_OK) == (err.text[0] == '\0'));
    if (code != SRV_OK) return;
    check_samples(&pictures);
    check_count(text, n_bytes, is_column ? "" : "instances", pictures.n_samples);
    srv_pictures_fini(&pictures);
}

static void check_classify(const char *text, size_t n_bytes)
{
    struct srv_pictures pictures = {0};
    struct eng_error err = {0};
    enum srv_code code = srv_v1_read_classify(text, n_bytes, &input, &limits, &pictures, &err);
    require((code == SRV_OK) == (err.text[0] == '\0'));
    if (code != SRV_OK) return;
    check_samples(&pictures);
    check_count(text, n_bytes, "examples", pictures.n_samples);
    srv_pictures_fini(&pictures);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    char *text = malloc(n_bytes + 1);
    require(text != NULL);
    if (n_bytes > 0) memcpy(text, data, n_bytes);
    text[n_bytes] = '\0';
    check_predict(text, n_bytes);
    check_classify(text, n_bytes);
    free(text);
    return 0;
}
