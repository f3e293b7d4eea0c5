/* Images to columns: the rows of the matrix that turns a convolution into a matrix product. */
#ifndef ENG_KERNELS_IM2COL_H
#define ENG_KERNELS_IM2COL_H

#include "kernels/window.h"

/*
 * Purpose: writes what every kernel tap of one channel sees, zeros where it falls outside.
 * Shapes: plane [D, H, W]; columns [kernel volume, out volume].
 */
void eng_im2col(const struct eng_window *window, const float *plane, float *columns);

/* Purpose: the transpose: adds every column entry to the pixel it came from. */
void eng_col2im(const struct eng_window *window, const float *columns, float *plane);

#endif
