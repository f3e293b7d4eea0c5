/*
 * Kernels for 8-bit integers with channels last, one table per instruction set, all from one source
 * (int8_body.inc).
 *
 * Sums of products are exact in 32 bits; what follows them is what doubles give, or the same
 * operations on floats in the same order everywhere. So every table gives the same integers,
 * whatever the tile or the thread.
 */
#ifndef ENG_KERNELS_INT8_KERNELS_H
#define ENG_KERNELS_INT8_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Inside kernels activations are bytes 0 .. 255: int8 ones are flipped, 128 more than they say,
 * their zero points too. ENG_INT8_FLIP flips four of them.
 */
#define ENG_INT8_FLIP 0x80808080u

enum { ENG_INT8_COLUMNS = 64, ENG_INT8_STEP = 4 };

/*
 * From a sum to a byte: y = clamp(low, high, round(sum * (factor + rest) + offset) + zero) ^ flip, as
 * in doubles, halves to even. What is rounded must be below 2^30.
 */
struct eng_int8_finish {
    /* For each column or channel, filled up to whole vectors. A factor is factor + rest: as one
       float it would be off by enough to move sums over the border of a half. */
    const float *factor, *rest, *offset;
    int32_t zero;                 /* 0 .. 255 */
    uint8_t low, high;
    uint32_t flip;
};

/*
 * c[i, j] = finish(start[j] + sum over (tap, k) of (a[taps[tap] + i * a_row + k] ^ flip) *
 *           b[tap, k, j])
 *
 * The columns of b come in panels of ENG_INT8_COLUMNS, the last one filled up with zeros to a
 * multiple of 16: panel j / 64 holds [tap, k / 4, column, k % 4], each tap's depth filled up with
 * zeros to a multiple of ENG_INT8_STEP. start is filled up as factor is.
 */
struct eng_int8_product {
    size_t n_rows;
    size_t width;     /* columns of the panel at b, filling included */
    size_t n_columns; /* of these, columns of c */
    size_t n_taps, depth;
    const uint8_t *a;
    const size_t *taps;
    size_t a_row;
    uint32_t flip;
    const int8_t *b;
    const int32_t *start;
    struct eng_int8_finish finish; /* of the panel's columns */
    uint8_t *c;
    size_t c_row;
};

/*
 * One block of channels, as many bytes as a register holds (n_bytes of the table), each by itself:
 * y[i, c] = finish(start[c] + sum over (row, column) of (x[row, column, i, c] ^ flip) *
 *           w[row, column, c])
 *
 * A register of 32-bit sums holds every fourth run of 4 channels of the block: sum (q, lane) is of
 * channel eng_int8_channel(q, lane). w is [row / 4, column, q, lane, row % 4], rows filled up with
 * zeros; start, factor and offset are [q, lane].
 */
struct eng_int8_depthwise {
    size_t n_pixels, n_rows, n_columns;
    size_t n_channels; /* at most n_bytes */
    const uint8_t *x;
    size_t x_row, x_column, x_pixel;
    uint32_t flip;
    const int8_t *w;
    const int32_t *start;
    struct eng_int8_finish finish;
    uint8_t *y;
    size_t y_pixel;
};

static inline size_t eng_int8_channel(size_t q, size_t lane)
{
    return lane / 4 * 16 + q * 4 + lane % 4;
}

/* What takes part in a sum: bytes, or floats if bytes is NULL. */
struct eng_int8_term {
    const uint8_t *bytes;
    uint32_t flip;
    int32_t zero; /* 0 .. 255 */
    float scale;
    const float *floats;
};

/*
 * f[i] = clamp(least, most, (a[i] - zero) * scale + (b[i] - zero) * scale)
 * y[i] = finish(f[i] / scale), of any size, without factor and offset
 *
 * In the order of operations of DequantizeLinear, Add and QuantizeLinear.
 */
struct eng_int8_sum {
    size_t n;
    struct eng_int8_term a, b;
    float least, most;
    float *floats; /* f; NULL: not wanted */
    uint8_t *y;
    float scale;
    struct eng_int8_finish finish;
};

/* sums[c] = the sum over (row, column) of x[row, column, c] ^ flip; c in 0 .. n_channels. */
struct eng_int8_window {
    size_t n_rows, n_columns, n_channels;
    const uint8_t *x;
    size_t x_row, x_column;
    uint32_t flip;
};

struct eng_int8_kernels {
    const char *level; /* of struct eng_kernels: which table this one goes with */
    const char *name;
    size_t n_bytes; /* in a register */
    void (*product)(const struct eng_int8_product *product);
    void (*depthwise)(const struct eng_int8_depthwise *depthwise);
    void (*sum)(const struct eng_int8_sum *sum);
    /* y[i] = finish(x[i] / scale), n of them of any size, without factor and offset; NaN as low. */
    void (*quantise)(const float *x, float scale, const struct eng_int8_finish *finish, uint8_t *y,
                     size_t n);
    void (*window_sum)(const struct eng_int8_window *window, int32_t *sums);
    void (*window_max)(const struct eng_int8_window *window, uint8_t *y); /* not flipped */
    /* y[c] = finish(sums[c]), factor[0] for all, without offset. */
    void (*finish)(const int32_t *sums, const struct eng_int8_finish *finish, uint8_t *y, size_t n);
};

/* Purpose: the table of the level in use (engine/cpu.h). Any thread. */
const struct eng_int8_kernels *eng_int8_kernels(void);

extern const struct eng_int8_kernels eng_int8_vnni, eng_int8_avx2, eng_int8_portable;

#endif
