/* What the ways of convolving with channels last share; use nhwc_conv.h. */
#ifndef ENG_KERNELS_NHWC_H
#define ENG_KERNELS_NHWC_H

#include "kernels/dispatch.h"
#include "kernels/nhwc_conv.h"

static inline size_t eng_nhwc_round_up(size_t n)
{
    return (n + ENG_CHANNEL_BLOCK - 1) / ENG_CHANNEL_BLOCK * ENG_CHANNEL_BLOCK;
}

static inline size_t eng_nhwc_divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* An image with zeros around it: [rows, columns, channels]. */
struct eng_nhwc_padded {
    size_t rows, columns, top, left; /* where pixel (0, 0) lies */
    size_t floats;
};

/* Purpose: copies rows [begin, end) of a padded image. */
void eng_nhwc_pad_rows(const struct eng_nhwc_conv *conv, const struct eng_nhwc_padded *to,
                       const float *image, float *padded, size_t begin, size_t end);

/* One implementation. */
struct eng_nhwc_way {
    bool (*can)(const struct eng_nhwc_conv *conv);
    bool (*packed_floats)(const struct eng_nhwc_conv *conv, size_t *out);
    void (*pack)(const struct eng_nhwc_conv *conv, const float *w, float *packed);
    bool (*scratch_bytes)(const struct eng_nhwc_conv *conv, size_t *out);
    void (*forward)(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call);
};

extern const struct eng_nhwc_way eng_nhwc_product, eng_nhwc_winograd, eng_nhwc_depthwise,
    eng_nhwc_bf16;

#endif
