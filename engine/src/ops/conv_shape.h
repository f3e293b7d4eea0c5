/* What the convolutions of floats and of integers have in common: attributes and shapes. */
#ifndef ENG_OPS_CONV_SHAPE_H
#define ENG_OPS_CONV_SHAPE_H

#include "kernels/conv.h"
#include "ops/window.h"

struct eng_conv_attrs {
    int auto_pad;
    struct eng_ints dilations, kernel_shape, pads, strides;
    int64_t group;
};

enum { ENG_CONV_FIELDS = 6 };

extern const struct eng_field eng_conv_fields[ENG_CONV_FIELDS];

/*
 * Purpose: the geometry of a convolution of X [N, C, D1 .. Dn] with W [M, C / group, K1 .. Kn], n
 *          from 1 to 3, and the shape of Y [N, M, E1 .. En]. Leaves out->training alone.
 * Errors: FORMAT naming the shapes or the attribute; those of eng_window_resolve.
 */
enum eng_status eng_conv_resolve(const struct eng_conv_attrs *attrs, const struct eng_shape *x,
                                 const struct eng_shape *w, struct eng_conv *out,
                                 struct eng_shape *y, struct eng_error *err);

/* Purpose: writes "direct 3x3 by 2, depthwise" and the like: how it is computed, the window, and
 * whether channels come in groups; cut to size. */
void eng_conv_describe(const struct eng_conv *conv, const char *algorithm, char *text, size_t size);

/* Purpose: multiply-adds x 2. */
double eng_conv_flops(const struct eng_conv *conv);

#endif
