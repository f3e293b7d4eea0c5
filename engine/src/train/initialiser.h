/* First weights of a layer. */
#ifndef ENG_TRAIN_INITIALISER_H
#define ENG_TRAIN_INITIALISER_H

#include "base/rng.h"

#include <stddef.h>

/* Names in the order of initialiser.def, NULL-terminated: the choices of a layer's "init" key. */
extern const char *const eng_initialiser_names[];

/*
 * Purpose: fills n weights. kind: index into the names; given: the standard deviation for "normal".
 */
void eng_initialiser_fill(int kind, double given, double fan_in, double fan_out,
                          struct eng_rng *rng, float *weights, size_t n);

#endif
