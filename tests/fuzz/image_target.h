/* What the picture targets share: decode under small limits, then prepare in ways the input picks.
 */
#ifndef TEST_FUZZ_IMAGE_TARGET_H
#define TEST_FUZZ_IMAGE_TARGET_H

#include "engine/image.h"
#include "engine/preprocess.h"

#include <stdlib.h>
#include <string.h>

static inline void fuzz_require(int condition)
{
    if (!condition) abort();
}

static inline void fuzz_prepare(const struct eng_image *image, const uint8_t *data, size_t n_bytes,
                                const struct eng_image_limits *limits)
{
    unsigned a = data[n_bytes / 2], b = data[n_bytes / 3], c = data[n_bytes - 1];
    struct eng_preprocess pre = {
        .color = (enum eng_color)(a % 3),
        .resize = (enum eng_resize)(b >> 3 & 1 ? ENG_RESIZE_LETTERBOX : b & 1),
        .filter = (enum eng_filter)(c % 3),
        .aliased = b & 16,
        .background = {data[0], 255, 7},
        .layout = b & 2 ? ENG_LAYOUT_HWC : ENG_LAYOUT_CHW,
        .width_px = b & 4 ? image->width_px % 256 + 1 : 1 + a % 64,
        .height_px = b & 4 ? image->height_px % 256 + 1 : 1 + c % 64,
        .shorter_side_px = 1 + (a ^ c) % 80,
        .scale = 1,
        .std = {1, 1, 1},
    };
    size_t n = eng_preprocess_count(&pre);
    float *sample = malloc(n * sizeof *sample), *again = malloc(n * sizeof *again);
    fuzz_require(sample != NULL && again != NULL);
    fuzz_require(eng_preprocess_image(&pre, image, sample, NULL) == ENG_OK);
    for (size_t i = 0; i < n; i++)
        fuzz_require(sample[i] >= 0 && sample[i] <= 255);
    fuzz_require(eng_preprocess_encoded(&pre, data, n_bytes, limits, again, NULL) == ENG_OK);
    fuzz_require(memcmp(sample, again, n * sizeof *sample) == 0);
    free(sample);
    free(again);
}

static inline void fuzz_image(const uint8_t *data, size_t n_bytes)
{
    const struct eng_image_limits limits = {1 << 20, 1 << 16, 1 << 16};
    struct eng_image image = {0};
    struct eng_error err = {0};
    enum eng_status status = eng_image_decode(data, n_bytes, &limits, &image, &err);
    fuzz_require(status == err.status);
    fuzz_require((status == ENG_OK) == (err.text[0] == '\0'));
    fuzz_require((status == ENG_OK) == (image.pixels != NULL));
    if (status == ENG_OK) {
        fuzz_require((uint64_t)image.width_px * image.height_px <= limits.n_pixels);
        fuzz_require(image.n_channels >= 1 && image.n_channels <= 4);
        fuzz_prepare(&image, data, n_bytes, &limits);
    }
    eng_image_fini(&image);
}

#endif
