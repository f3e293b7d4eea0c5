/* Convolution of batches of images, by the kernel that suits the shape. */
#ifndef ENG_KERNELS_CONV_H
#define ENG_KERNELS_CONV_H

#include "engine/pool.h"
#include "kernels/activation.h"
#include "kernels/window.h"

#include <stdbool.h>

/* x [n_images, groups * in_channels, in...], w [groups * out_channels, in_channels, kernel...],
 * y [n_images, groups * out_channels, out...]. */
struct eng_conv {
    struct eng_window window;
    size_t n_images, groups;
    size_t in_channels, out_channels; /* of one group */
    bool training; /* forward may round otherwise than inference does, and backward will be run */
};

/* Purpose: memory for one forward (and, if training, one backward). False: the size overflows. */
bool eng_conv_scratch_bytes(const struct eng_conv *conv, size_t *out);

/* Purpose: how forward computes it: "product", "direct", "winograd 4x4". Static. */
const char *eng_conv_algorithm(const struct eng_conv *conv);

/* Purpose: y = activation(x * w + bias); bias may be NULL. Does not depend on pool's size. */
void eng_conv_forward(const struct eng_conv *conv, const float *x, const float *w,
                      const float *bias, struct eng_activation activation, float *y, void *scratch,
                      struct eng_pool *pool);

/* What backward reads and fills; dx, dw and dbias may be NULL. */
struct eng_conv_gradients {
    const float *x, *w, *dy;
    float *dx, *dw, *dbias;
    bool write_dx; /* dx = instead of dx += */
};

/* Purpose: adds the gradients. */
void eng_conv_backward(const struct eng_conv *conv, const struct eng_conv_gradients *gradients,
                       void *scratch);

/*
 * The way back: dx [n_images, groups * in_channels, in...] collects from every pixel of dy
 * [n_images, groups * out_channels, out...] what the convolution would take from it: the gradient
 * of x, and what ConvTranspose computes. There `out` may be less than fits `in`.
 */

/* Purpose: memory for one eng_conv_transpose (if training: for forward and backward too). False:
 * the size overflows. */
bool eng_conv_transpose_scratch_bytes(const struct eng_conv *conv, size_t *out);

/* Purpose: how it is computed: "direct", "winograd 4x4", "columns". Static. */
const char *eng_conv_transpose_algorithm(const struct eng_conv *conv);

/* Purpose: adds to dx, or writes it. Does not depend on pool's size. */
void eng_conv_transpose(const struct eng_conv *conv, const float *dy, const float *w, float *dx,
                        bool write, void *scratch, struct eng_pool *pool);

#endif
