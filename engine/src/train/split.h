/* A share of the samples set aside, drawn at random. */
#ifndef ENG_TRAIN_SPLIT_H
#define ENG_TRAIN_SPLIT_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Purpose: which of n samples belong to one side, in ascending order: round(n x share) of them are
 *          set aside, at least one and at most n - 1; the others stay. Both sides of one state of
 *          the generator make up the whole.
 * Shapes: order has room for n, 2 <= n < 2^32. Returns how many there are.
 */
size_t eng_split_draw(struct eng_rng *rng, size_t n, double share, bool set_aside, uint32_t *order);

#endif
