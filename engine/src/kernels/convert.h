/* Elements of one type as another. */
#ifndef ENG_KERNELS_CONVERT_H
#define ENG_KERNELS_CONVERT_H

#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Purpose: whether elements of the types are converted: all but float16, which is read as float. */
bool eng_converts(enum eng_dtype from, enum eng_dtype to);

/* Purpose: y[i] = x[i]. Floats lose their fraction as integers, end at the integer type's bounds,
 * and NaN becomes 0; integers wrap around; what is not 0 is true, true is 1. x == y is allowed for
 * types of equal size. */
void eng_convert(enum eng_dtype from, enum eng_dtype to, const void *x, void *y, size_t n);

/* Purpose: the nearest number that IEEE 754's binary16 has, beyond them infinity. */
void eng_round_to_half(const float *x, float *y, size_t n);

#endif
