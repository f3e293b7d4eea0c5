/* Any bytes have an orientation from 1 to 8, and applying it keeps the pixels. */
#include "image/orientation.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

static void require(int condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    unsigned orientation = eng_orientation_read(data, n_bytes), sum = 0, sum_upright = 0;
    require(orientation >= 1 && orientation <= 8);
    struct eng_image image = {.width_px = 1 + (uint32_t)(n_bytes % 5),
                              .height_px = 1 + (uint32_t)(n_bytes % 7),
                              .n_channels = n_bytes % 2 ? 1 : 3};
    size_t n = (size_t)image.width_px * image.height_px * image.n_channels;
    image.pixels = malloc(n);
    require(image.pixels != NULL);
    for (size_t i = 0; i < n; i++)
        sum += image.pixels[i] = (uint8_t)(i * 7);
    require(eng_orientation_apply(&image, orientation, NULL) == ENG_OK);
    require((size_t)image.width_px * image.height_px * image.n_channels == n);
    for (size_t i = 0; i < n; i++)
        sum_upright += image.pixels[i];
    require(sum == sum_upright);
    eng_image_fini(&image);
    return 0;
}
