/* In plain C: sums of bytes times 23-bit weights, exact in 32 bits. */
#include "image/resample.h"

static const int32_t half = 1 << (ENG_WEIGHT_FRACTION_BITS - 1);

static uint8_t to_pixel(int32_t sum)
{
    int32_t value = sum >> ENG_WEIGHT_FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Inlined with n_channels known, so that the inner loop has no branch. */
static inline __attribute__((always_inline)) void
along_n(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels, uint8_t *dst)
{
    for (uint32_t i = 0; i < x->n_out; i++) {
        const uint8_t *pixel = row + (size_t)x->begin[i] * n_channels;
        const int32_t *weight = x->weight + (size_t)i * x->stride;
        int32_t sum[3] = {half, half, half};
        for (uint32_t k = 0; k < x->n[i]; k++, pixel += n_channels)
            for (uint32_t c = 0; c < n_channels; c++)
                sum[c] += pixel[c] * weight[k];
        for (uint32_t c = 0; c < n_channels; c++)
            *dst++ = to_pixel(sum[c]);
    }
}

static void along(const uint8_t *row, const struct eng_weights *x, uint32_t n_channels,
                  uint8_t *dst)
{
    if (n_channels == 1)
        along_n(row, x, 1, dst);
    else
        along_n(row, x, 3, dst);
}

enum { BLOCK = 64 }; /* sums that stay in the first cache */

static void down(const uint8_t *const *rows, const int32_t *weight, uint32_t n_rows, size_t n,
                 uint8_t *dst)
{
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t n_now = n - at < BLOCK ? n - at : BLOCK;
        int32_t sums[BLOCK];
        for (size_t i = 0; i < n_now; i++)
            sums[i] = half;
        for (uint32_t k = 0; k < n_rows; k++)
            for (size_t i = 0; i < n_now; i++)
                sums[i] += rows[k][at + i] * weight[k];
        for (size_t i = 0; i < n_now; i++)
            dst[at + i] = to_pixel(sums[i]);
    }
}

const struct eng_resampling eng_resampling_portable = {.along = along, .down = down};
