/*
 * Operators from bytes to bytes, with channels last where pictures are. No file can name them: a
 * pass puts them in the place of DequantizeLinear, an operator on floats and QuantizeLinear
 * (graph/quantised.h), for inference alone.
 */
#ifndef ENG_OPS_QUANTISED_H
#define ENG_OPS_QUANTISED_H

#include "kernels/int8_conv.h"
#include "ops/conv_shape.h"
#include "ops/pooling.h"

/* How bytes stand for numbers: (byte - zero) * scale. dtype is uint8 or int8; or float, and then
 * the numbers stand for themselves. */
struct eng_quantised {
    enum eng_dtype dtype;
    float scale;
    int32_t zero;
};

/* Purpose: the same as kernels see it: what flips bytes into 0 .. 255, and the zero point then. */
uint32_t eng_quantised_flip(const struct eng_quantised *q);
int32_t eng_quantised_zero(const struct eng_quantised *q);

/* Purpose: what makes such bytes of numbers in units of the scale. */
struct eng_int8_finish eng_quantised_finish(const struct eng_quantised *q);

/* X [N, D1, D2, C], W packed, start by column, then factors and offsets by column, one after the
 * other; Y [N, E1, E2, M]. is_matrix: X [.., K], Y [.., M]. */
extern const struct eng_op eng_op_quantised_conv;

struct eng_quantised_conv_attrs {
    struct eng_conv_attrs conv;        /* kernel_shape set; is_matrix: only group, 1 */
    int64_t in_channels, out_channels; /* of one group */
    bool is_matrix;
    struct eng_quantised x, y;
    uint8_t low, high; /* bounds of bytes 0 .. 255: the activation */
};

/* Purpose: the geometry of a convolution of x. Errors: UNSUPPORTED for a window that the kernels
 * do not do; those of eng_conv_resolve. */
enum eng_status eng_quantised_conv_resolve(const struct eng_quantised_conv_attrs *attrs,
                                           const struct eng_shape *x, struct eng_int8_conv *out,
                                           struct eng_error *err);

/* A, B of the same shape, bytes or floats; outputs: the sum as bytes, and as floats if wanted. */
extern const struct eng_op eng_op_quantised_add;

struct eng_quantised_add_attrs {
    struct eng_quantised a, b, y;
    float least, most; /* the activation, applied to the sum of floats */
};

/* X, a table of 256 bytes: Y[i] = table[X[i]], of the table's type. */
extern const struct eng_op eng_op_quantised_table;

/* X float [N, C, D1, D2]; Y bytes [N, D1, D2, C]. The attributes are struct eng_quantised. */
extern const struct eng_op eng_op_quantised_picture;

/* Of a window that pooling takes: a sum of so many bytes fits 32 bits. */
enum { ENG_QUANTISED_MAX_TAPS = 1 << 23 };

/* X [N, D1, D2, C]. The attributes are struct eng_quantised_pool_attrs; x and y of the maximum are
 * the same. */
extern const struct eng_op eng_op_quantised_max_pool, eng_op_quantised_average_pool;
/* Y [N, 1, 1, C] */
extern const struct eng_op eng_op_quantised_global_average_pool;

struct eng_quantised_pool_attrs {
    struct eng_pool_attrs pool;
    struct eng_quantised x, y;
};

#endif
