/* Two-dimensional points that show what a network can separate. */
#ifndef ENG_TRAIN_TOY_H
#define ENG_TRAIN_TOY_H

#include "train/dataset.h"

/*
 * Purpose: draws the points of one split; sample i is of class i mod classes. Both splits are drawn
 *          alike, from numbers of their own.
 *   spiral: arm j, r uniform in (0, 1]: angle = 2 pi j / classes + 4 r + noise, (r sin, r cos)
 *   circle: rings of radius 1 (class 0) and 0.5 (class 1), noise on both coordinates
 *   moons:  (cos t, sin t) and (1 - cos t, 0.5 - sin t), t in [0, pi), noise on both coordinates
 * noise is normal, of the deviation that the options give.
 * Ownership: end with eng_dataset_fini. Errors: NO_MEMORY.
 * Source: the spiral of Stanford's CS231n notes; make_circles and make_moons of scikit-learn.
 */
enum eng_status eng_toy_make(const struct eng_toy_options *options, uint64_t seed,
                             enum eng_split split, struct eng_dataset *out, struct eng_error *err);

#endif
