/* First weights of a layer. */
#ifndef ENG_TRAIN_INITIALISER_H
#define ENG_TRAIN_INITIALISER_H

#include "base/rng.h"

#include <stddef.h>

/* Names in the order of initialiser.def, NULL-terminated: the choices of a layer's "init" key. */
extern const char *const eng_initialiser_names[];

/* What becomes of weights once they are drawn. */
enum eng_arrangement {
    ENG_ARRANGE_NONE,
    ENG_ARRANGE_IDENTITY,
    ENG_ARRANGE_ORTHOGONAL,
    ENG_ARRANGE_WHITENING, /* whitening.h: it looks at the training set */
};

/* Purpose: how weights of that kind are arranged. */
enum eng_arrangement eng_initialiser_arrangement(int kind);

/*
 * Purpose: draws n weights. kind: index into the names; given: the standard deviation for "normal".
 */
void eng_initialiser_fill(int kind, double given, double fan_in, double fan_out,
                          struct eng_rng *rng, float *weights, size_t n);

/*
 * Purpose: makes output i of a group pass on input i, at the middle of its kernel, as far as there
 * are inputs; further outputs stay. Shapes: weights [n_groups x n_outputs, n_inputs, n_positions],
 * middle below n_positions.
 */
void eng_initialiser_pass_on(float *weights, size_t n_groups, size_t n_outputs, size_t n_inputs,
                             size_t n_positions, size_t middle);

/*
 * Purpose: makes the rows of a drawn matrix [n_rows, n_columns], or if those are more its columns,
 * orthogonal to each other and of length 1. Cost: 4 products of the larger side with the square of
 * the smaller.
 */
void eng_initialiser_orthogonalise(float *weights, size_t n_rows, size_t n_columns);

#endif
