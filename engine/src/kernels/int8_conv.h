/*
 * Convolution of 8-bit integers with channels last, x [n_images, height, width, channels], from
 * bytes to bytes; weights packed once. A matrix product is one of a 1x1 window.
 *
 *     product    the taps' products summed, for any window and any groups
 *     depthwise  one input channel to each output channel, a register of channels at a time
 *
 * Sums are exact as long as they fit 32 bits, which is the caller's to see to.
 */
#ifndef ENG_KERNELS_INT8_CONV_H
#define ENG_KERNELS_INT8_CONV_H

#include "engine/pool.h"
#include "kernels/int8_kernels.h"
#include "kernels/window.h"

#include <stdbool.h>

struct eng_int8_conv {
    struct eng_window window; /* its first axis is 1 */
    size_t n_images, groups;
    size_t in_channels, out_channels; /* of one group */
    bool is_depthwise;
};

/* Purpose: whether it can be computed; sets is_depthwise. */
bool eng_int8_conv_choose(struct eng_int8_conv *conv);

/* Purpose: bytes of the packed weights; entries of what there is of each output channel, filled up.
 * False: the size overflows. */
bool eng_int8_conv_packed_bytes(const struct eng_int8_conv *conv, size_t *out);
bool eng_int8_conv_columns(const struct eng_int8_conv *conv, size_t *out);

/* Purpose: w [groups * out_channels, in_channels, height, width] to packed, which holds zeros. */
void eng_int8_conv_pack(const struct eng_int8_conv *conv, const int8_t *w, int8_t *packed);

/* Purpose: from [groups * out_channels], numbers of 4 bytes, to the columns. */
void eng_int8_conv_place(const struct eng_int8_conv *conv, const void *from, void *to);

/* Purpose: memory for one forward. False: the size overflows. */
bool eng_int8_conv_scratch_bytes(const struct eng_int8_conv *conv, size_t *out);

struct eng_int8_conv_call {
    const uint8_t *x;
    uint8_t blank; /* what stands around the image: x's zero point, as x has it */
    uint32_t flip; /* of x */
    const int8_t *packed;
    const int32_t *start;          /* by column */
    struct eng_int8_finish finish; /* factor and offset by column */
    uint8_t *y;
    void *scratch;
    struct eng_pool *pool;
};

/* Purpose: y = finish(start + x * w). */
void eng_int8_conv_forward(const struct eng_int8_conv *conv, const struct eng_int8_conv_call *call);

#endif
