/*
 * Mixup (Zhang, Cisse, Dauphin and Lopez-Paz 2017): two samples become share * one + (1 - share) *
 * the other, and so do what they should give; share is drawn from Beta(alpha, alpha). Samples 2k
 * and 2k + 1 are mixed with each other: the epoch's order is random already, so that any two are
 * as likely to meet, and a pair needs no copy. An odd last one stays as it is.
 */
#ifndef ENG_TRAIN_MIXUP_H
#define ENG_TRAIN_MIXUP_H

#include "base/rng.h"

#include <stddef.h>
#include <stdint.h>

/* Purpose: draws what each sample keeps of itself; both of a pair keep as much.
 * Shapes: shares [n]. alpha above 0. */
void eng_mixup_draw(double alpha, struct eng_rng *rng, size_t n, float *shares);

/* Purpose: mixes rows in place: pictures as the network takes them, or regression's targets.
 * Shapes: shares [n], rows [n, n_values]. Threads: any. */
void eng_mixup_rows(const float *shares, size_t n, size_t n_values, float *rows);

/* Purpose: the label of the sample that each is mixed with.
 * Shapes: labels and other_labels [n], not overlapping. */
void eng_mixup_labels(const uint16_t *labels, size_t n, uint16_t *other_labels);

/* Purpose: a draw from Beta(a, b), in [0, 1]; a and b at least 1e-9. */
double eng_mixup_beta(double a, double b, struct eng_rng *rng);

/* Purpose: the logarithm of a draw from Gamma(shape), which itself is 0 for small shapes.
 * Source: Marsaglia and Tsang 2000; below shape 1: Gamma(shape + 1) * U^(1 / shape). */
double eng_mixup_log_gamma(double shape, struct eng_rng *rng);

#endif
