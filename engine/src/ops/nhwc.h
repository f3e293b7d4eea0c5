/*
 * Operators on pictures with channels last, [N, height, width, channels]. No file can name them: a
 * pass puts them in the place of others (graph/channels_last.h), for inference alone.
 */
#ifndef ENG_OPS_NHWC_H
#define ENG_OPS_NHWC_H

#include "kernels/nhwc_conv.h"
#include "ops/conv_shape.h"
#include "ops/pooling.h"

/* X, weights packed, bias (padded) or left out, what is added or left out, factors of X's channels
 * [N, 1, 1, channels] or left out; Y, and the means of its pixels [N, 1, 1, channels] if wanted
 * (depthwise only). Applies activations. */
extern const struct eng_op eng_op_nhwc_conv;

struct eng_nhwc_conv_attrs {
    struct eng_conv_attrs conv;        /* kernel_shape set */
    int64_t in_channels, out_channels; /* of one group */
    enum eng_nhwc_method method;
    enum eng_nhwc_reason reason;
    bool planes; /* X has channels first: [N, channels, height, width] */
};

/* X. The attributes are struct eng_pool_attrs. */
extern const struct eng_op eng_op_nhwc_max_pool, eng_op_nhwc_average_pool;

/* X; Y [N, 1, 1, channels]. */
extern const struct eng_op eng_op_nhwc_global_average_pool;

/* X, scale [channels], shift [channels]: Y = X * scale + shift. Applies activations. */
extern const struct eng_op eng_op_nhwc_affine;

/* X1 .. Xn, scale, shift: the same of the pictures whose channels stand one after another. */
extern const struct eng_op eng_op_nhwc_joined_affine;

/* Purpose: the geometry of a convolution of x. */
enum eng_status eng_nhwc_conv_resolve(const struct eng_nhwc_conv_attrs *attrs,
                                      const struct eng_shape *x, struct eng_nhwc_conv *out,
                                      struct eng_error *err);

#endif
