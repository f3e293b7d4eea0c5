/* Normalisation of rows by their own mean and variance: LayerNormalization and its kin. */
#ifndef ENG_KERNELS_STANDARDISE_H
#define ENG_KERNELS_STANDARDISE_H

#include "engine/pool.h"
#include "engine/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * x is [n_rows, n]. y = (x - mean) / sqrt(variance + epsilon) * scale + bias, where mean and
 * (population) variance are the row's. A row's scales and biases are either one for each element
 * (per_element; row r's start at r * scale_row), or one for each run of elements, one run after the
 * other from a list of n_scales that starts again at its end.
 */
struct eng_standardise {
    size_t n_rows, n;
    bool per_element;
    size_t scale_row;     /* per_element: 0 or n */
    size_t run, n_scales; /* else; run divides n */
    double epsilon;
};

/* What was measured on a row. */
struct eng_standardise_row {
    double mean, inverse; /* 1 / sqrt(variance + epsilon) */
};

/* Purpose: forward, floats or doubles; rows[r] is written too. bias NULL: 0. */
void eng_standardise_forward(const struct eng_standardise *s, enum eng_dtype dtype, const void *x,
                             const void *scale, const void *bias, void *y,
                             struct eng_standardise_row *rows, struct eng_pool *pool);

/* What backward reads and fills, floats; dx, dscale and dbias may be NULL. */
struct eng_standardise_gradients {
    const float *x, *scale, *dy;
    const struct eng_standardise_row *rows;
    float *dx, *dscale, *dbias;
    bool write_dx; /* dx = instead of dx += */
};

/* Purpose: adds the gradients. */
void eng_standardise_backward(const struct eng_standardise *s,
                              const struct eng_standardise_gradients *gradients);

#endif
