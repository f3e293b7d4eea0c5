/* Prepared samples and answers are float32; the graph's input and output need not be. */
#include "model/model_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static uint8_t to_byte(float value)
{
    return value >= 255 ? 255 : value > 0 ? (uint8_t)lrintf(value) : 0;
}

void eng_model_put_samples(const struct eng_tensor *input, size_t first, const float *from,
                           size_t n)
{
    switch (input->dtype) {
    case ENG_FLOAT32:
        memcpy((float *)input->data + first, from, n * sizeof *from);
        break;
    case ENG_FLOAT64:
        for (size_t k = 0; k < n; k++)
            ((double *)input->data)[first + k] = (double)from[k];
        break;
    default:
        assert(input->dtype == ENG_UINT8);
        for (size_t k = 0; k < n; k++)
            ((uint8_t *)input->data)[first + k] = to_byte(from[k]);
    }
}

void eng_model_get_answers(const struct eng_tensor *output, size_t first, float *to, size_t n)
{
    if (output->dtype == ENG_FLOAT32) {
        memcpy(to, (const float *)output->data + first, n * sizeof *to);
        return;
    }
    assert(output->dtype == ENG_FLOAT64);
    for (size_t k = 0; k < n; k++)
        to[k] = (float)((const double *)output->data)[first + k];
}
