/* Convolutions of doubles, by plain loops. */
#ifndef ENG_KERNELS_CONV_DOUBLE_H
#define ENG_KERNELS_CONV_DOUBLE_H

#include "kernels/conv.h"

/* Purpose: y = x * w + bias; bias may be NULL. */
void eng_conv_double(const struct eng_conv *conv, const double *x, const double *w,
                     const double *bias, double *y);

/* Purpose: the way back, as eng_conv_transpose: dx = what dy collects, + bias (one per channel of
 * dx; NULL: none). */
void eng_conv_double_transpose(const struct eng_conv *conv, const double *dy, const double *w,
                               const double *bias, double *dx);

#endif
