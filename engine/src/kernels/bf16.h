/*
 * Products of bfloat16: the upper half of a float, eight bits of which are the number's digits.
 *
 * Sums are floats: an instruction adds two products of neighbouring numbers along the depth to each
 * of 16 sums, twice the work of a multiply-add of floats, on half the bytes. Numbers are rounded to
 * the nearest bfloat16, weights when they are packed, x just before.
 */
#ifndef ENG_KERNELS_BF16_H
#define ENG_KERNELS_BF16_H

#include <stddef.h>
#include <stdint.h>

/*
 * c[i, j] = clamp(bias[j] + sum over (tap, k) of a[taps[tap] + i * a_row + k] * b[tap, k, j]
 *                 + added[i, j])
 *
 * b comes in panels as in struct eng_packed_product, but of pairs: [tap, k / 2, column, k % 2];
 * bias is filled up too. depth is even.
 */
struct eng_bf16_product {
    size_t n_rows, n_columns;
    size_t first; /* the column that the panel to compute begins with */
    size_t n_taps, depth;
    const uint16_t *a;
    const size_t *taps;
    size_t a_row;
    const uint16_t *b;
    const float *bias;  /* NULL: 0 */
    const float *added; /* steps as c; NULL: 0 */
    float *c;
    size_t c_row;
    float low, high;
};

struct eng_bf16_kernels {
    /* y[i] = x[i] rounded to the nearest, halves to even; NaN stays NaN, what is denormal is 0. */
    void (*round)(const float *x, uint16_t *y, size_t n);
    void (*multiply)(const struct eng_bf16_product *product);
};

/* Purpose: the kernels of the level in use; NULL: it has none. */
const struct eng_bf16_kernels *eng_bf16_kernels(void);

/* w[j, tap, k] = data[j * column_step + tap * tap_step + k * depth_step] * scale[j]; scale NULL: 1.
 */
struct eng_bf16_weights {
    const float *data;
    size_t column_step, tap_step, depth_step;
    const float *scale;
};

/* Purpose: uint16_t that packing takes: a multiple of 32. */
size_t eng_bf16_packed_count(size_t n_taps, size_t depth, size_t n_columns);

/* Purpose: packs weights as struct eng_bf16_product reads them; packed is aligned to 64. The level
 * must have kernels. */
void eng_bf16_pack(size_t n_taps, size_t depth, size_t n_columns,
                   const struct eng_bf16_weights *weights, uint16_t *packed);

#endif
