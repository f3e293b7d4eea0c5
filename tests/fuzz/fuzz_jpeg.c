/* JPEG: the input as it is. */
#include "image_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    fuzz_image(data, n_bytes);
    return 0;
}
