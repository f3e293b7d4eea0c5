/* Any bytes are an array or an error sentence; an array survives being written and read again. */
#include "npy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct eng_tensor first, second;
    struct eng_error err = {0};
    if (tool_npy_parse(data, n_bytes, &first, &err)) {
        if (!err.text[0]) abort();
        return 0;
    }
    uint8_t *bytes;
    size_t n;
    if (tool_npy_format(&first, &bytes, &n, NULL) == ENG_OK) {
        if (tool_npy_parse(bytes, n, &second, NULL) != ENG_OK || second.dtype != first.dtype ||
            !eng_shape_equal(&first.shape, &second.shape) ||
            memcmp(first.data, second.data, (size_t)eng_tensor_bytes(&first)) != 0)
            abort();
        free(second.data);
        free(bytes);
    }
    free(first.data);
    return 0;
}
