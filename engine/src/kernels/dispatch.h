/*
 * The hand-vectorised kernels, one table per instruction set, chosen once for the CPU that we run
 * on.
 *
 * Each table comes from the same source (vector_body.inc) compiled for other registers. Whatever
 * the batch, the tile or the thread, every result is one chain of operations in a fixed order: so
 * the same row gives the same bits. (Another instruction set may give other last bits.)
 */
#ifndef ENG_KERNELS_DISPATCH_H
#define ENG_KERNELS_DISPATCH_H

#include "kernels/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENG_PANEL_VECTORS = 3, ENG_DOT_ROWS = 4, ENG_CHANNEL_BLOCK = 16 };

/*
 * c[i, x] = clamp(start + sum over (channel, tap) of a[i, channel, tap] * b[channel, tap, x])
 *
 * A matrix product whose right side is read in place: row (channel, tap) of b starts at
 * channel * b_channel + taps[tap]. With taps a row apart that is any matrix; with a kernel's taps
 * it is the im2col matrix of an image, without making it.
 */
struct eng_product {
    size_t n_rows, n_channels, n_taps;
    const float *a; /* a[i * a_row + channel * a_channel + tap * a_tap] */
    size_t a_row, a_channel, a_tap;
    size_t b_channel;
    const ptrdiff_t *taps;
    size_t c_row;
    bool accumulate;       /* start = c[i, x] */
    const float *row_bias; /* start = row_bias[i]; NULL: 0 */
    float low, high;       /* -INFINITY, INFINITY: no clamp */
};

/* Up to ENG_PANEL_VECTORS pieces of at most `lanes` columns; a piece may lie anywhere. */
struct eng_panel {
    int n_vectors;
    int n_lanes[ENG_PANEL_VECTORS];
    const float *b[ENG_PANEL_VECTORS];
    float *c[ENG_PANEL_VECTORS];
    const float *column_bias[ENG_PANEL_VECTORS]; /* added to start; [0] NULL: none */
};

/*
 * c[i, j] = clamp(start + sum over (part, x) of a[part, i, x] * b[part, j, x])
 *
 * Products of rows with rows. Row j of b may lie anywhere.
 */
struct eng_dot {
    size_t n_rows, n_columns; /* n_columns at most ENG_DOT_ROWS */
    size_t n_parts, length;
    const float *a; /* a[part * a_part + i * a_row + x] */
    size_t a_row, a_part;
    const float *b[ENG_DOT_ROWS]; /* b[j][part * b_part + x] */
    size_t b_part;
    float *c; /* c[i * c_row + c_column[j]] */
    size_t c_row, c_column[ENG_DOT_ROWS];
    bool accumulate;
    const float *column_bias; /* [n_columns], or NULL */
    float low, high;
};

/* What winograd.h does to squares of points, each point a run of channels: which matrix from both
 * sides, and how many points a side has before and after. */
enum eng_transform_kind {
    ENG_TRANSFORM_SOURCE,           /* B' x B, 6 to 6 */
    ENG_TRANSFORM_RESULT,           /* A' m A, 6 to 4 */
    ENG_TRANSFORM_GRADIENT,         /* A dy A', 4 to 6 */
    ENG_TRANSFORM_WEIGHTS,          /* G w G', 3 to 6 */
    ENG_TRANSFORM_WEIGHTS_GRADIENT, /* G' u G, 6 to 3 */
    ENG_TRANSFORM_WEIGHTS_2X2,      /* G w G' of F(2x2, 3x3), 3 to 4 */
    ENG_N_TRANSFORMS,
};

/* Point (i, j) of the square lies at i * row + j * column. */
struct eng_transform {
    size_t n_channels; /* a multiple of ENG_CHANNEL_BLOCK */
    const float *from;
    size_t from_row, from_column;
    float *to;
    size_t to_row, to_column;
};

enum eng_winograd { ENG_WINOGRAD_2X2, ENG_WINOGRAD_4X4, ENG_N_WINOGRADS };

/*
 * B' x B of a patch of an image, 4x4 or 6x6 pixels: point (i, j), counted row by row as k, goes to
 * to[k * point + channel]. Pixels that are not in [first_row, last_row) x [first_column,
 * last_column) are 0 and not read.
 */
struct eng_patch {
    size_t n_channels;
    const float *x;
    ptrdiff_t at;       /* of the patch's pixel (0, 0), which may lie outside of the image */
    size_t row, column; /* steps in floats */
    int first_row, last_row, first_column, last_column;
    float *to;
    size_t point;
};

/* y = clamp(A' m A + bias + added), the first n_rows x n_columns of a tile of 2x2 or 4x4 pixels. */
struct eng_tile {
    size_t n_channels;
    const float *from; /* from[k * point + channel], whole vectors of channels */
    size_t point;
    const float *bias;  /* filled up; NULL: 0 */
    const float *added; /* steps as y; NULL: 0 */
    float *y;
    size_t row, column;
    int n_rows, n_columns;
    float low, high;
};

/* to[to_at[j] + i] = from[from_at[i] + j], or += if accumulate; at most ENG_CHANNEL_BLOCK rows and
 * columns. */
struct eng_transpose {
    int n_rows, n_columns;
    const float *from;
    const size_t *from_at; /* [n_rows] */
    float *to;
    const size_t *to_at; /* [n_columns] */
    bool accumulate;
};

/* c[i, j] = sum over k of a[i, k] b[k, j], added to c if accumulate; steps in floats. */
struct eng_matrix_product {
    size_t n_rows, depth;
    size_t n_columns; /* a multiple of ENG_CHANNEL_BLOCK */
    const float *a;   /* a[i * a_row + k * a_depth] */
    size_t a_row, a_depth;
    const float *b;
    size_t b_row;
    float *c;
    size_t c_row;
    bool accumulate;
};

enum { ENG_PACKED_COLUMNS = 64 };

/*
 * c[i, j] = clamp(bias[j] + sum over (tap, k) of a[taps[tap] + i * a_row + k] * b[tap, k, j]
 *                 + added[i, j])
 *
 * The columns of b come in panels of ENG_PACKED_COLUMNS, the last one filled up with zeros to a
 * multiple of ENG_CHANNEL_BLOCK: panel j / 64 holds [tap, k, column], and starts n_taps * depth
 * times as many floats in as columns come before it. bias is filled up too.
 */
struct eng_packed_product {
    size_t n_rows, n_columns;
    size_t first, last; /* the columns to compute; first is a panel's */
    size_t n_taps, depth;
    const float *a;
    const size_t *taps;
    size_t a_row;
    const float *b;
    const float *bias;  /* NULL: 0 */
    const float *added; /* steps as c; NULL: 0 */
    float *c;
    size_t c_row;
    float low, high;
    /* In place of the clamp, on whole tiles; NULL: none. */
    void (*activate)(struct eng_activation act, const float *x, float *y, size_t n);
    struct eng_activation activation;
};

enum { ENG_DOT_COLUMNS = 6 };

/*
 * c[i, j] = clamp(bias[j] + sum over k of a[i, k] * b[k, j] + added[i, j]), for few columns
 *
 * A vector goes along the depth. The columns of b come in panels (eng_packed_dots_width), one after
 * the other: a panel holds [block, column, ENG_CHANNEL_BLOCK numbers of the depth], the last block
 * filled up with zeros. Rows of a, c and added are close together.
 */
struct eng_packed_dots {
    size_t n_rows, n_columns, depth;
    const float *a, *b;
    const float *bias, *added; /* NULL: 0 */
    float *c;
    float low, high;
};

/* Purpose: columns of the panel that begins with column `first`: as few panels as can be, as wide
 * as each other. */
static inline size_t eng_packed_dots_width(size_t n_columns, size_t first)
{
    size_t left = n_columns - first, panels = (left - 1) / ENG_DOT_COLUMNS + 1;
    return (left - 1) / panels + 1;
}

/*
 * One row of pixels:
 *
 * y[i, c] = act(clamp(bias[c] + sum over (row, column) of x[row, origin + i stride + column
 * dilation, c] * w[row, column, c] + added[i, c]))
 *
 * where columns outside of [0, width) count as 0. Steps in floats.
 */
struct eng_depthwise {
    size_t n_pixels, n_channels, n_rows, n_columns; /* pixels, channels, rows and columns of taps */
    size_t group; /* 2, 4 or 8: input k of c's group of so many channels, by w[row, column, k, c] */
    ptrdiff_t origin, stride, dilation, width;
    const float *x; /* pixel 0 of the first row; pixels are n_channels apart, in y too */
    ptrdiff_t x_row;
    const float *w; /* whole vectors of channels are read, of bias too */
    size_t w_row, w_column;
    const float *bias, *added; /* NULL: 0 */
    float *y;
    float low, high;
    /* NULL: none. Called with whole vectors in between. */
    void (*activate)(struct eng_activation act, const float *x, float *y, size_t n);
    struct eng_activation activation;
};

/* One pixel of pooling with channels last: y[c] from x[i * row + j * column + c]. */
struct eng_window_pool {
    size_t n_channels, n_rows, n_columns;
    const float *x;
    size_t row, column; /* steps in floats */
    float count;        /* a mean divides by it */
    float *y;
};

/* y[i, c] = clamp(x[i, c] * scale[c] + shift[c]); x == y is allowed. */
struct eng_scale_shift {
    size_t n_rows, n_channels;
    const float *x, *scale, *shift;
    float *y;
    size_t x_row, y_row; /* floats from one row to the next */
    float low, high;
};

/* One channel of BatchNormalization: y = (x - mean) factor + bias, then ReLU if rectified. */
struct eng_normalisation {
    float mean, factor, bias;
    bool rectified;
};

/*
 * c[i, j] = sum over x of a[i, x] * b[j, x], or += (wrapping around) if accumulate.
 *
 * Elements lie in -255 .. 255, and length is at most ENG_INTEGER_DEPTH, so that a sum fits 32 bits;
 * it is a multiple of ENG_INTEGER_LANES: pad rows with zeros.
 */
struct eng_integer_dot {
    size_t n_rows, n_columns, length;
    const int16_t *a, *b; /* a[i * a_row + x], b[j * b_row + x] */
    size_t a_row, b_row;
    int32_t *c; /* c[i * c_row + j * c_column] */
    size_t c_row, c_column;
    bool accumulate;
};

enum { ENG_INTEGER_LANES = 16, ENG_INTEGER_DEPTH = 1 << 15 };

struct eng_kernels {
    const char *name;
    int n_lanes; /* floats in one register */
    bool (*runs_here)(void);
    void (*product)(const struct eng_product *product, const struct eng_panel *panel);
    void (*dot)(const struct eng_dot *dot);
    /* Sums over n floats: of x - origin, of (x - origin)^2, and of y (x - origin). */
    float (*sum)(const float *x, float origin, size_t n);
    float (*sum_squares)(const float *x, float origin, size_t n);
    float (*sum_products)(const float *x, float origin, const float *y, size_t n);
    void (*transform[ENG_N_TRANSFORMS])(const struct eng_transform *transform);
    void (*patch[ENG_N_WINOGRADS])(const struct eng_patch *patch);
    void (*tile[ENG_N_WINOGRADS])(const struct eng_tile *tile);
    void (*transpose)(const struct eng_transpose *transpose);
    void (*multiply)(const struct eng_matrix_product *product);
    void (*multiply_packed)(const struct eng_packed_product *product);
    void (*multiply_dots)(const struct eng_packed_dots *dots);
    void (*depthwise)(const struct eng_depthwise *depthwise);
    /* y[2 i] = a[i], y[2 i + 1] = b[i]; n of each. */
    void (*alternate)(const float *a, const float *b, float *y, size_t n);
    /* sums[c] = the sum of x[i * n_channels + c] over n_pixels. */
    void (*sum_pixels)(const float *x, size_t n_pixels, size_t n_channels, float *sums);
    void (*grouped)(const struct eng_depthwise *depthwise);
    /* The largest tap, NaN if there is one, -infinity of none; the taps' sum by count. */
    void (*window_max)(const struct eng_window_pool *pool);
    void (*window_mean)(const struct eng_window_pool *pool);
    /* y = clamp(x + bias + added), n floats; bias, added NULL: 0. x == y is allowed. */
    void (*finish)(const float *x, const float *bias, const float *added, float low, float high,
                   float *y, size_t n);
    void (*scale_shift)(const struct eng_scale_shift *affine);
    /* n elements of a channel; x == y is allowed. */
    void (*normalise)(const struct eng_normalisation *t, const float *x, float *y, size_t n);
    /* y = (x - mean) factor scale + bias, scale and bias for each element; bias NULL: 0. */
    void (*normalise_each)(const struct eng_normalisation *t, const float *scale, const float *bias,
                           const float *x, float *y, size_t n);
    /* Of a row of n > 0 floats; x == y is allowed. */
    void (*softmax)(const float *x, float *y, size_t n);
    void (*log_softmax)(const float *x, float *y, size_t n);
    /* With g the gradient dy before the ReLU: the sums of g and of g (x - mean). */
    void (*normalise_sums)(const struct eng_normalisation *t, const float *x, const float *dy,
                           size_t n, float *sum_dy, float *sum_dy_x);
    /* dx += factor (g - shift - slope (x - mean)), or = if write; dx == dy is allowed then. */
    void (*normalise_backward)(const struct eng_normalisation *t, float shift, float slope,
                               const float *x, const float *dy, float *dx, bool write, size_t n);
    /* y[i] = the largest of the square at columns 2 i, 2 i + 1 of two rows, width floats apart; NaN
     * if it holds one. Backward: dx += dy at the first pixel that equals y, or = if write. */
    void (*max_pairs)(const float *top, size_t width, float *y, size_t n);
    void (*max_pairs_backward)(const float *top, size_t width, const float *y, const float *dy,
                               float *dx, bool write, size_t n);
    void (*integer_dot)(const struct eng_integer_dot *dot);
    /* dx += dy where y > 0; if write, dx = dy there and 0 elsewhere. */
    void (*relu_backward)(const float *y, const float *dy, float *dx, bool write, size_t n);
    /* y[i] = f(x[i]) for the functions that pay; NULL: none. x == y is allowed. */
    void (*activate[ENG_N_ACTIVATIONS])(struct eng_activation act, const float *x, float *y,
                                        size_t n);
};

/* Instructions beside those of a table, for kernels that stand alone. */
enum eng_cpu_feature {
    ENG_CPU_VNNI = 1, /* AVX-512 VNNI, BW and VL: dot products of bytes */
    ENG_CPU_BF16 = 2, /* AVX-512 BF16: dot products of bfloat16 */
};

/* Purpose: the table of the level in use (engine/cpu.h): the best for this CPU, unless another was
 * asked for before the first call. Any thread. */
const struct eng_kernels *eng_kernels(void);

/* Purpose: whether the level in use has these instructions; ask instead of asking the CPU. */
bool eng_kernels_have(enum eng_cpu_feature feature);

/* Purpose: all tables, best first, for tests and benchmarks; NULL after the last. */
const struct eng_kernels *eng_kernels_at(size_t i);

#endif
