/*
 * Convolution with channels last, for inference: x [n_images, height, width, channels], weights
 * packed once.
 *
 * With channels last the numbers that a kernel reads of one row of taps stand side by side, and a
 * vector holds output channels of one pixel, however small the image is. Four ways to compute:
 *
 *     product    the taps' products summed, for any window and any groups
 *     winograd   F(2x2, 3x3) and F(4x4, 3x3): kernels/winograd.h says what that is; here weights
 *                are transformed once
 *     depthwise  groups of 1, 2, 4 or 8 channels, a vector of channels at a time
 *     bf16       the product, of bfloat16 (kernels/bf16.h), where the CPU has instructions for it
 *
 * Every number of y is one chain of operations, the same whatever the batch and the pool.
 */
#ifndef ENG_KERNELS_NHWC_CONV_H
#define ENG_KERNELS_NHWC_CONV_H

#include "engine/pool.h"
#include "kernels/activation.h"
#include "kernels/window.h"

#include <stdbool.h>

enum eng_nhwc_method {
    ENG_NHWC_PRODUCT,
    ENG_NHWC_WINOGRAD_2X2,
    ENG_NHWC_WINOGRAD_4X4,
    ENG_NHWC_DEPTHWISE,
    ENG_NHWC_BF16, /* never chosen unasked: a number keeps 8 bits of its 24 */
    ENG_N_NHWC_METHODS
};

/* Why a method was taken. */
enum eng_nhwc_reason { ENG_NHWC_BY_SHAPE, ENG_NHWC_MEASURED, ENG_NHWC_PINNED };

struct eng_nhwc_conv {
    struct eng_window window; /* its first axis is 1 */
    size_t n_images, groups;
    size_t in_channels, out_channels; /* of one group */
    bool means;                       /* DEPTHWISE alone: the means of y's pixels are wanted, too */
    bool scales; /* channels of x are multiplied by factors; eng_nhwc_conv_can_scale */
    bool planes; /* PRODUCT alone: x has channels first, and is turned while zeros go around it */
    enum eng_nhwc_method method;
};

/* Purpose: the method that takes least time, as far as shapes tell, among those whose rounding a
 * network of so many convolutions bears. */
enum eng_nhwc_method eng_nhwc_conv_choose(const struct eng_nhwc_conv *conv, size_t n_convolutions);

/* Purpose: the best method whose packed weights are smaller than those of Winograd's conv->method.
 */
enum eng_nhwc_method eng_nhwc_conv_smaller(const struct eng_nhwc_conv *conv);

/* Purpose: whether a network of so many convolutions bears how the method rounds. */
bool eng_nhwc_conv_bears(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method,
                         size_t n_convolutions);

/* Purpose: whether bf16 can compute the convolution, and faster than method. */
bool eng_nhwc_conv_prefers_bf16(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method);

/* Purpose: what people call the method: "product", "winograd_4x4". Static strings. */
const char *eng_nhwc_method_name(enum eng_nhwc_method method);

/* Purpose: whether the method can compute such a convolution. */
bool eng_nhwc_conv_can(const struct eng_nhwc_conv *conv, enum eng_nhwc_method method);

/* Purpose: whether x may have factors: windows of 1x1 that step by 1, as products. */
bool eng_nhwc_conv_can_scale(const struct eng_nhwc_conv *conv);

/* Purpose: floats of the packed weights. False: the size overflows. */
bool eng_nhwc_conv_packed_floats(const struct eng_nhwc_conv *conv, size_t *out);

/* Purpose: w [groups * out_channels, in_channels, height, width] to packed, 64-byte aligned. */
void eng_nhwc_conv_pack(const struct eng_nhwc_conv *conv, const float *w, float *packed);

/* Purpose: floats of a bias that is filled up with zeros for whole vectors to be read. */
size_t eng_nhwc_conv_bias_floats(const struct eng_nhwc_conv *conv);

/* Purpose: memory for one forward. False: the size overflows. */
bool eng_nhwc_conv_scratch_bytes(const struct eng_nhwc_conv *conv, size_t *out);

struct eng_nhwc_conv_call {
    const float *x, *packed;
    const float *bias;    /* filled up with zeros; NULL: 0 */
    const float *added;   /* as y; added before the activation; NULL: 0 */
    const float *factors; /* [n_images, channels of x], if conv->scales */
    struct eng_activation activation;
    float *y;
    float *means; /* [n_images, channels of y], if conv->means */
    void *scratch;
    struct eng_pool *pool;
};

/* Purpose: y = activation(x * w + bias + added). */
void eng_nhwc_conv_forward(const struct eng_nhwc_conv *conv, const struct eng_nhwc_conv_call *call);

#endif
