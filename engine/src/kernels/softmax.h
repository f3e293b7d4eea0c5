/* Softmax over rows. */
#ifndef ENG_KERNELS_SOFTMAX_H
#define ENG_KERNELS_SOFTMAX_H

#include <stddef.h>

/*
 * Purpose: y[r, c] = exp(x[r, c] - max_r) / sum_c exp(x[r, c] - max_r); x == y is allowed.
 * Shapes: x, y [n_rows, n_columns].
 */
void eng_kernel_softmax(const float *x, float *y, size_t n_rows, size_t n_columns);

#endif
