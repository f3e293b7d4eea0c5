/* Any bytes as the body of /classify are pictures within the limits, or an error sentence. */
#include "api/pictures.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

static volatile uint8_t sink;

static void check(const struct srv_pictures *pictures, const struct srv_pictures_limits *limits)
{
    require(pictures->n_samples >= 1 && pictures->n_samples <= limits->n_pictures);
    for (size_t i = 0; i < pictures->n_samples; i++) {
        const struct srv_sample *sample = &pictures->samples[i];
        require(sample->n_bytes > 0);
        const uint8_t *bytes = sample->data;
        sink = bytes[0];
        sink = bytes[sample->n_bytes - 1];
        if (sample->kind != SRV_SAMPLE_PIXELS) continue;
        require(sample->n_bytes == 2 * 3 * sizeof(float));
        for (size_t k = 0; k < 6; k++) {
            float value;
            memcpy(&value, bytes + k * sizeof value, sizeof value);
            require(value >= 0 && value <= 255);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    static const struct srv_pictures_limits limits = {.n_pictures = 4, .n_json_values = 500};
    static const char *const types[] = {"", "application/json"};
    const struct eng_card card = {
        .preprocess = {.height_px = 2, .width_px = 3, .color = ENG_COLOR_GRAY}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct srv_request request = {.content_type = types[i], .body = data, .n_body = n_bytes};
        struct srv_pictures pictures;
        struct eng_error err = {0};
        enum srv_code code = srv_pictures_read(&request, &card, &limits, &pictures, &err);
        require((code == SRV_OK) == (err.status == ENG_OK));
        require((code == SRV_OK) == (err.text[0] == '\0'));
        if (code != SRV_OK) continue;
        check(&pictures, &limits);
        srv_pictures_fini(&pictures);
    }
    return 0;
}
