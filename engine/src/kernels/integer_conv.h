/* Exact convolutions of images of 8-bit integers, less their zero points, in 32 bits. */
#ifndef ENG_KERNELS_INTEGER_CONV_H
#define ENG_KERNELS_INTEGER_CONV_H

#include "kernels/conv.h"

#include "engine/tensor.h"

/* Shapes as in conv.h; x and w of uint8 or int8. */
struct eng_integer_conv {
    struct eng_conv shape;
    enum eng_dtype x_dtype, w_dtype;
    size_t n_w_zeros; /* 0, 1 or one for each output channel */
};

/* x_zero, w_zeros, bias [out channels] may be NULL. */
struct eng_integer_conv_inputs {
    const void *x, *w, *x_zero, *w_zeros;
    const int32_t *bias;
};

/* Purpose: memory for one call of prepare and what follows it. False: the size overflows. */
bool eng_integer_conv_scratch_bytes(const struct eng_integer_conv *conv, size_t *out);

/* Purpose: how an image is computed: "16-bit products", "shifted rows". Static. */
const char *eng_integer_conv_algorithm(const struct eng_integer_conv *conv);

/* Purpose: brings the weights into the order of the products, for all images to come. */
void eng_integer_conv_prepare(const struct eng_integer_conv *conv,
                              const struct eng_integer_conv_inputs *in, void *scratch);

/* Purpose: y [groups * out_channels, out...] = x[image] * w + bias, exactly, but that sums wrap
 * around beyond 32 bits; padding counts as the zero point. */
void eng_integer_conv_image(const struct eng_integer_conv *conv,
                            const struct eng_integer_conv_inputs *in, size_t image, int32_t *y,
                            void *scratch, struct eng_pool *pool);

#endif
