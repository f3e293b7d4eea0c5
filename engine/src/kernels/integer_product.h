/* Exact products of matrices of 8-bit integers, less their zero points, in 32 bits. */
#ifndef ENG_KERNELS_INTEGER_PRODUCT_H
#define ENG_KERNELS_INTEGER_PRODUCT_H

#include "engine/pool.h"
#include "kernels/dispatch.h"
#include "kernels/matmul.h"

/* Rows are widened to 16 bits, less the zero point, and padded with zeros to this length. */
static inline size_t eng_integer_padded(size_t n)
{
    return (n + ENG_INTEGER_LANES - 1) / ENG_INTEGER_LANES * ENG_INTEGER_LANES;
}

/* Purpose: to = from - zero, then zeros up to eng_integer_padded(n). from: step bytes apart. */
void eng_integer_widen(enum eng_dtype dtype, const void *from, size_t step, size_t n, int32_t zero,
                       int16_t *to);

/* Purpose: dispatch.h's integer_dot for any length; sums wrap around beyond 32 bits. */
void eng_integer_dot(const struct eng_integer_dot *dot);

/* A [.., m, k] and B [.., k, n] of uint8 or int8. Zero points: one, one for each row of A or column
 * of B, or that for each matrix; NULL and 0: none. */
struct eng_integer_matmul {
    struct eng_matmul shape;
    enum eng_dtype a_dtype, b_dtype;
    size_t n_a_zeros, n_b_zeros;
};

struct eng_integer_matmul_inputs {
    const void *a, *b, *a_zeros, *b_zeros;
};

/* Purpose: memory for one call. False: the size overflows. */
bool eng_integer_matmul_scratch_bytes(const struct eng_integer_matmul *matmul, size_t *out);

/* Purpose: matrix i of C [.., m, n], exactly, but that sums wrap around beyond 32 bits. */
void eng_integer_matmul_run(const struct eng_integer_matmul *matmul,
                            const struct eng_integer_matmul_inputs *in, size_t i, int32_t *c,
                            void *scratch, struct eng_pool *pool);

#endif
