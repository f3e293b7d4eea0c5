/* Between floats and the small integers that stand for them: x = (q - zero) * scale. */
#ifndef ENG_KERNELS_QUANTISE_H
#define ENG_KERNELS_QUANTISE_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* Which elements share a scale and a zero point: all of the tensor; those with one index along an
 * axis; or those of a block of `block` indices along it, per position on the other axes. */
enum eng_quantised_by { ENG_BY_TENSOR, ENG_BY_AXIS, ENG_BY_BLOCK };

/* A tensor seen as [outer, axis, inner]. */
struct eng_quantisation {
    enum eng_quantised_by by;
    size_t outer, axis, inner;
    size_t block;
};

/* Purpose: whether integers of this type can stand for floats: 8 and 16 bits; int32 only as sums to
 * be turned into floats. */
bool eng_quantise_makes(enum eng_dtype dtype);
bool eng_dequantise_takes(enum eng_dtype dtype);

/*
 * Purpose: q = x / scale, rounded to the nearest, halves to even, plus zero, kept within the type;
 *          NaN becomes its least value. x is float, or int32.
 * zero: of q's type, as many as scales; NULL: 0.
 */
void eng_quantise(const struct eng_quantisation *q, enum eng_dtype x_dtype, const void *x,
                  const float *scale, const void *zero, enum eng_dtype y_dtype, void *y,
                  struct eng_pool *pool);

/* Purpose: y = (x - zero) * scale. */
void eng_dequantise(const struct eng_quantisation *q, enum eng_dtype x_dtype, const void *x,
                    const float *scale, const void *zero, float *y, struct eng_pool *pool);

/* Purpose: n sums of products as 8-bit integers: y = sum * factor, rounded and kept as above.
 * factor: one, or n of them (each). */
void eng_requantise(const int32_t *sums, const float *factor, bool each, int32_t zero,
                    enum eng_dtype y_dtype, void *y, size_t n);

/* Purpose: element i of an integer tensor; 0 if it is not there. */
int32_t eng_integer_at(enum eng_dtype dtype, const void *data, size_t i);

#endif
